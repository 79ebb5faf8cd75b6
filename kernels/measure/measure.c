/* measure.c - the device that computes nothing: it counts memory and work, so that the program can
 * say "will not fit" or give an estimate before it starts.
 *
 * Addresses are made up and never followed. A multiply-add counts as two operations. Bytes are what
 * an operation without any cache would move.
 */
#include "kernels/devices.h"
#include "kernels/q8.h"

#include <stdlib.h>

typedef struct Measure {
    SlDevice base;
    SlOps ops;
    uintptr_t next; /* the next made-up address */
} Measure;

static double bytes_of(const SlTensor *t)
{
    return (double)sl_tensor_elements(t) * (double)sl_dtype_size(t->dtype);
}

static double elements(const SlTensor *t)
{
    return (double)sl_tensor_elements(t);
}

static double weight_elements(const SlWeight *w)
{
    double n = 1;
    for (int i = 0; i < w->rank; i++)
        n *= (double)w->size[i];
    return n;
}

static void count(SlDevice *dev, double flops, double bytes)
{
    dev->work.flops += flops;
    dev->work.bytes += bytes;
}

static void *measure_alloc(SlDevice *dev, size_t bytes)
{
    Measure *m = (Measure *)dev;
    uintptr_t p = m->next;
    m->next += (bytes + 255) / 256 * 256;
    return (void *)p;
}

static void measure_free(SlDevice *dev, void *p, size_t bytes)
{
}

static void measure_upload(SlDevice *dev, const void *host, void *p, size_t bytes)
{
}

static void measure_download(SlDevice *dev, const void *p, void *host, size_t bytes)
{
}

static size_t weight_bytes(const SlDevice *dev, const SlWeight *w)
{
    SlDtype dtype = w->value.dtype; /* of the part in use, or the host's two bytes */
    if (dev->q8 && sl_q8_takes(w->kind))
        return (size_t)sl_q8_blocks(w) * SL_Q8_BYTES;
    return (size_t)weight_elements(w) * sl_dtype_size(dtype);
}

static bool measure_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    bool product = sl_is_product(w->kind);
    bool half = product && dev->dtype == SL_F32 && sl_dtype_size(host->dtype) == 2;
    w->value.dtype = half ? host->dtype : w->kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    dev->work.weight_bytes += weight_bytes(dev, w);
    return true;
}

static bool measure_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    return true;
}

static bool measure_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    return false; /* it has no values */
}

static void measure_weight_clear(SlDevice *dev, SlWeight *w)
{
    dev->work.weight_bytes -= weight_bytes(dev, w);
}

static void measure_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    count(dev, 0, bytes_of(x) + bytes_of(out));
}

static void product(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlTensor *out)
{
    count(dev, sl_product_flops(w, out),
          bytes_of(x) + bytes_of(out) + (double)weight_bytes(dev, w));
}

static void measure_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                           const SlWeight *bias, SlTensor *out)
{
    product(dev, x, w, out);
}

static void measure_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                           const SlWeight *bias, const SlConv *conv, SlTensor *out)
{
    product(dev, x, w, out);
}

static void measure_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                               const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    count(dev, 8 * elements(x), 2 * bytes_of(x) + bytes_of(out));
}

static void measure_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                               const SlWeight *beta, float eps, SlTensor *out)
{
    count(dev, 8 * elements(x), bytes_of(x) + bytes_of(out));
}

static void measure_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                              const SlTensor *v, const SlAttention *attn, SlTensor *out)
{
    count(dev, sl_attention_flops(q, k), bytes_of(q) + bytes_of(k) + bytes_of(v) + bytes_of(out));
}

static void measure_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                                  const SlAttention *attn, bool add, SlTensor *out)
{
    count(dev, sl_attention_flops(q, k) / 2,
          bytes_of(q) + bytes_of(k) + (add ? 2 : 1) * bytes_of(out));
}

static void measure_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    count(dev, 8 * elements(x), bytes_of(x) + bytes_of(out));
}

static void measure_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    count(dev, 10 * elements(out), bytes_of(x) + bytes_of(out));
}

static void measure_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale,
                        SlTensor *out)
{
    count(dev, 2 * elements(a), bytes_of(a) + bytes_of(b) + bytes_of(out));
}

static void measure_pair(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    count(dev, elements(out), bytes_of(a) + bytes_of(b) + bytes_of(out));
}

static void measure_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                              const SlWeight *positions, SlTensor *out)
{
    count(dev, elements(out), 3 * bytes_of(out));
}

static void measure_timestep_embedding(SlDevice *dev, const SlTensor *t,
                                       const SlTimestepEmbedding *e, SlTensor *out)
{
    count(dev, 10 * elements(out), bytes_of(out));
}

static void measure_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale,
                             SlTensor *out)
{
    count(dev, elements(out), bytes_of(said) + bytes_of(out));
}

static void measure_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was,
                                    SlTensor *out)
{
    count(dev, 3 * elements(now), bytes_of(now) + bytes_of(was) + bytes_of(out));
}

static void measure_close(SlDevice *dev)
{
    free(dev);
}

static const char *measure_describe(const SlDevice *dev)
{
    return "measure: counts memory and work, computes nothing";
}

static const SlOps measure_ops = {
    .name = "measure",
    .keeps_half = true,
    .close = measure_close,
    .describe = measure_describe,
    .alloc = measure_alloc,
    .free = measure_free,
    .upload = measure_upload,
    .download = measure_download,
    .weight_init = measure_weight_init,
    .weight_fill = measure_weight_fill,
    .weight_copy = measure_weight_copy,
    .weight_clear = measure_weight_clear,
    .copy = measure_copy,
    .linear = measure_linear,
    .conv2d = measure_conv2d,
    .group_norm = measure_group_norm,
    .layer_norm = measure_layer_norm,
    .attention = measure_attention,
    .attention_map = measure_attention_map,
    .activation = measure_activation,
    .geglu = measure_geglu,
    .add = measure_add,
    .add_per_channel = measure_pair,
    .scale_shift = measure_pair,
    .concat = measure_pair,
    .upsample = measure_copy,
    .avg_pool2 = measure_copy,
    .embedding = measure_embedding,
    .timestep_embedding = measure_timestep_embedding,
    .guidance = measure_guidance,
    .residual_change = measure_residual_change,
    .to_rgb8 = measure_copy,
};

SlDevice *sl_measure_open(const SlDeviceOptions *options, SlError *err)
{
    Measure *m = calloc(1, sizeof *m);
    if (!m) {
        sl_fail(err, SL_MEMORY, "no memory for the device measure");
        return NULL;
    }
    m->ops = measure_ops;
    sl_ops_fill(&m->ops);
    m->base.ops = &m->ops;
    m->base.name = "measure";
    m->base.dtype = options->dtype;
    m->base.threads = 1;
    m->next = (uintptr_t)1 << 32;
    return &m->base;
}
