/* ref.c - the reference device's table. */
#include "kernels/ref/ref.h"
#include "kernels/q8.h"

#include "kernels/devices.h"

#include <stdlib.h>
#include <string.h>

/* The values that weights have when they are kept in 8 bits; here they take as much as ever. */
static void round_to_q8(SlWeight *w, const SlTensor *host)
{
    SlQ8Weight q = sl_q8_weight(host);
    float values[SL_Q8_BLOCK];
    int8_t rounded[SL_Q8_BLOCK];
    size_t size = sl_dtype_size(w->value.dtype);
    for (int64_t o = 0; o < q.outputs; o++)
        for (int64_t e = 0; e < q.depth; e += SL_Q8_BLOCK) {
            sl_q8_read(&q, o, e, values);
            float scale = sl_q8_round(values, rounded);
            for (int64_t i = 0; i < SL_Q8_BLOCK && e + i < q.depth; i++) {
                float value = scale * (float)rounded[i];
                sl_convert(&value, SL_F32,
                           (char *)w->value.data + (size_t)sl_q8_place(&q, o, e + i) * size,
                           w->value.dtype, 1);
            }
        }
}

/* Weights stay as in the file, in the device's dtype (vectors in f32). */
static bool ref_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    sl_convert(host->data, host->dtype, w->value.data, w->value.dtype,
               (size_t)sl_tensor_elements(host));
    if (dev->q8 && sl_q8_takes(w->kind))
        round_to_q8(w, host);
    return true;
}

static bool ref_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlDtype dtype = w->kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    size_t bytes = (size_t)sl_tensor_elements(host) * sl_dtype_size(dtype);
    void *data = dev->ops->alloc(dev, bytes);
    if (!data)
        return false;
    w->value = sl_tensor_view(data, dtype, host->rank, host->size);
    dev->work.weight_bytes += bytes;
    return ref_weight_fill(dev, w, host);
}

static size_t ref_weight_bytes(const SlWeight *w)
{
    return (size_t)sl_tensor_elements(&w->value) * sl_dtype_size(w->value.dtype);
}

static bool ref_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    size_t bytes = ref_weight_bytes(from);
    if (!to->value.data) {
        to->value.data = dev->ops->alloc(dev, bytes);
        if (!to->value.data)
            return false;
        dev->work.weight_bytes += bytes;
    }
    memcpy(to->value.data, from->value.data, bytes);
    return true;
}

static void ref_weight_clear(SlDevice *dev, SlWeight *w)
{
    size_t bytes = ref_weight_bytes(w);
    if (!w->value.data)
        return;
    dev->ops->free(dev, w->value.data, bytes);
    dev->work.weight_bytes -= bytes;
}

static void ref_close(SlDevice *dev)
{
    free(dev);
}

static const char *ref_describe(const SlDevice *dev)
{
    (void)dev;
    return "reference: plain C on one core";
}

const SlOps sl_ref_ops = {
    .name = "ref",
    .close = ref_close,
    .describe = ref_describe,
    .alloc = sl_host_alloc,
    .free = sl_host_free,
    .upload = sl_host_upload,
    .download = sl_host_download,
    .weight_init = ref_weight_init,
    .weight_fill = ref_weight_fill,
    .weight_copy = ref_weight_copy,
    .weight_clear = ref_weight_clear,
    .copy = sl_ref_copy,
    .linear = sl_ref_linear,
    .conv2d = sl_ref_conv2d,
    .group_norm = sl_ref_group_norm,
    .layer_norm = sl_ref_layer_norm,
    .attention = sl_ref_attention,
    .attention_map = sl_ref_attention_map,
    .activation = sl_ref_activation,
    .geglu = sl_ref_geglu,
    .add = sl_ref_add,
    .add_per_channel = sl_ref_add_per_channel,
    .scale_shift = sl_ref_scale_shift,
    .concat = sl_ref_concat,
    .upsample = sl_ref_upsample,
    .avg_pool2 = sl_ref_avg_pool2,
    .embedding = sl_ref_embedding,
    .timestep_embedding = sl_ref_timestep_embedding,
    .guidance = sl_ref_guidance,
    .residual_change = sl_ref_residual_change,
    .to_rgb8 = sl_ref_to_rgb8,
};

typedef struct Ref {
    SlDevice base;
    SlOps ops;
} Ref;

SlDevice *sl_ref_open(const SlDeviceOptions *options, SlError *err)
{
    Ref *ref = calloc(1, sizeof *ref);
    if (!ref) {
        sl_fail(err, SL_MEMORY, "no memory for the device ref");
        return NULL;
    }
    ref->ops = sl_ref_ops;
    sl_ops_fill(&ref->ops);
    ref->base.ops = &ref->ops;
    ref->base.name = "ref";
    ref->base.dtype = options->dtype;
    ref->base.threads = 1;
    return &ref->base;
}
