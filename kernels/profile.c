/* profile.c - where a device's time goes: a table laid over the device's own that times each
 * operation and asks the measure device, with the same arguments, how much work it was.
 *
 * Easy to get wrong: a slot that is a composite calls other slots of the table; only the outermost
 * counts. A device that works asynchronously is waited for by downloading one byte.
 */
#include "kernels/clock.h"
#include "kernels/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct SlProfile {
    const SlOps *real;
    SlOps ops;
    SlDevice *measure;
    SlProfileRow *rows;
    size_t count, room;
    int depth; /* slots that are running, one in another */
};

/* ---- rows ---- */

typedef struct Label {
    const char *op;
    char shape[64];
} Label;

static SlProfileRow *row_of(SlProfile *p, const Label *label)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->rows[i].op, label->op) && !strcmp(p->rows[i].shape, label->shape))
            return &p->rows[i];
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        SlProfileRow *moved = realloc(p->rows, room * sizeof *moved);
        if (!moved)
            return NULL;
        p->rows = moved;
        p->room = room;
    }
    SlProfileRow *row = &p->rows[p->count++];
    *row = (SlProfileRow){.op = label->op};
    memcpy(row->shape, label->shape, sizeof row->shape);
    return row;
}

static Label label_tensor(const char *op, const SlTensor *t)
{
    Label l = {.op = op};
    snprintf(l.shape, sizeof l.shape, "%.60s", sl_shape_text(t).text);
    return l;
}

static Label label_linear(const char *op, const SlTensor *x, const SlWeight *w)
{
    Label l = {.op = op};
    snprintf(l.shape, sizeof l.shape, "%lld rows, %lld > %lld",
             (long long)(sl_tensor_elements(x) / w->size[1]), (long long)w->size[1],
             (long long)w->size[0]);
    return l;
}

static Label label_conv(const char *op, const SlWeight *w, int stride, const SlTensor *out)
{
    Label l = {.op = op};
    snprintf(l.shape, sizeof l.shape, "%lldx%lld%s to %lldx%lldx%lld, %lld > %lld",
             (long long)w->size[2], (long long)w->size[3], stride > 1 ? "/2" : "",
             (long long)out->size[0], (long long)out->size[1], (long long)out->size[2],
             (long long)w->size[1], (long long)w->size[0]);
    return l;
}

static Label label_attention(const char *op, const SlTensor *q, const SlTensor *k,
                             const SlAttention *a)
{
    Label l = {.op = op};
    snprintf(l.shape, sizeof l.shape, "%lldx%lld to %lld, %d heads of %lld", (long long)q->size[0],
             (long long)q->size[1], (long long)k->size[1], a->heads,
             (long long)q->size[2] / a->heads);
    return l;
}

/* ---- slots ---- */

static double start(SlProfile *p)
{
    p->depth++;
    return p->depth == 1 ? sl_clock_now() : 0;
}

/* True when this slot was the outermost one, so that its work is to be counted. */
static bool stop(SlDevice *dev, double *seconds, const SlTensor *out)
{
    SlProfile *p = dev->profile;
    char byte;
    if (--p->depth > 0)
        return false;
    if (out->data)
        dev->ops->download(dev, out->data, &byte, 1);
    *seconds = sl_clock_now() - *seconds;
    p->measure->work.flops = p->measure->work.bytes = 0;
    return true;
}

static void add_row(SlProfile *p, const Label *label, double seconds)
{
    SlProfileRow *row = row_of(p, label);
    if (!row)
        return; /* without memory the table is shorter */
    row->calls++;
    row->seconds += seconds;
    row->flops += p->measure->work.flops;
    row->bytes += p->measure->work.bytes;
}

#define TIMED(LABEL, SLOT, ...)                             \
    do {                                                    \
        SlProfile *p = dev->profile;                        \
        double seconds = start(p);                          \
        p->real->SLOT(dev, __VA_ARGS__);                    \
        if (stop(dev, &seconds, out)) {                     \
            Label label = LABEL;                            \
            p->measure->ops->SLOT(p->measure, __VA_ARGS__); \
            add_row(p, &label, seconds);                    \
        }                                                   \
    } while (0)

static void time_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    TIMED(label_tensor("copy", out), copy, x, out);
}

static void time_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                        SlTensor *out)
{
    TIMED(label_linear("linear", x, w), linear, x, w, bias, out);
}

static void time_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlEpilogue *e, SlTensor *out)
{
    TIMED(label_linear("linear", x, w), linear_epilogue, x, w, e, out);
}

static void time_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                              const SlWeight *bias, SlTensor *out)
{
    TIMED(label_linear("linear_geglu", x, w), linear_geglu, x, w, bias, out);
}

static void time_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                        const SlConv *conv, SlTensor *out)
{
    TIMED(label_conv("conv2d", w, conv->stride, out), conv2d, x, w, bias, conv, out);
}

static void time_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    TIMED(label_conv("conv2d", w, conv->stride, out), conv2d_epilogue, x, w, conv, e, out);
}

static void time_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlEpilogue *e, SlTensor *out)
{
    TIMED(label_conv("upsample_conv2d", w, 1, out), upsample_conv2d, x, w, e, out);
}

static void time_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                            const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    TIMED(label_tensor("group_norm", out), group_norm, x, gamma, beta, norm, out);
}

static void time_group_norm_silu(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                                 const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    TIMED(label_tensor("group_norm", out), group_norm_silu, x, gamma, beta, norm, out);
}

static void time_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                            const SlWeight *beta, float eps, SlTensor *out)
{
    TIMED(label_tensor("layer_norm", out), layer_norm, x, gamma, beta, eps, out);
}

static void time_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                           const SlAttention *attn, SlTensor *out)
{
    TIMED(label_attention("attention", q, k, attn), attention, q, k, v, attn, out);
}

static void time_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                               const SlAttention *attn, bool add, SlTensor *out)
{
    TIMED(label_attention("attention_map", q, k, attn), attention_map, q, k, attn, add, out);
}

static void time_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    TIMED(label_tensor("activation", out), activation, x, act, out);
}

static void time_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    TIMED(label_tensor("geglu", out), geglu, x, out);
}

static void time_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale,
                     SlTensor *out)
{
    TIMED(label_tensor("add", out), add, a, b, scale, out);
}

static void time_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    TIMED(label_tensor("add_per_channel", out), add_per_channel, x, c, out);
}

static void time_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    TIMED(label_tensor("scale_shift", out), scale_shift, x, c, out);
}

static void time_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    TIMED(label_tensor("concat", out), concat, a, b, out);
}

static void time_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    TIMED(label_tensor("upsample", out), upsample, x, out);
}

static void time_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    TIMED(label_tensor("avg_pool2", out), avg_pool2, x, out);
}

static void time_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                           const SlWeight *positions, SlTensor *out)
{
    TIMED(label_tensor("embedding", out), embedding, ids, tokens, positions, out);
}

static void time_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                                    SlTensor *out)
{
    TIMED(label_tensor("timestep_embedding", out), timestep_embedding, t, e, out);
}

static void time_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out)
{
    TIMED(label_tensor("guidance", out), guidance, said, scale, out);
}

static void time_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was,
                                 SlTensor *out)
{
    TIMED(label_tensor("residual_change", now), residual_change, now, was, out);
}

static void time_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    TIMED(label_tensor("to_rgb8", out), to_rgb8, x, out);
}

static SlOps timed_ops(const SlOps *real)
{
    SlOps ops = *real;
    ops.capture = NULL; /* one by one */
    ops.copy = time_copy;
    ops.linear = time_linear;
    ops.conv2d = time_conv2d;
    ops.group_norm = time_group_norm;
    ops.layer_norm = time_layer_norm;
    ops.attention = time_attention;
    ops.attention_map = time_attention_map;
    ops.activation = time_activation;
    ops.geglu = time_geglu;
    ops.add = time_add;
    ops.add_per_channel = time_add_per_channel;
    ops.scale_shift = time_scale_shift;
    ops.concat = time_concat;
    ops.upsample = time_upsample;
    ops.avg_pool2 = time_avg_pool2;
    ops.embedding = time_embedding;
    ops.timestep_embedding = time_timestep_embedding;
    ops.guidance = time_guidance;
    ops.residual_change = time_residual_change;
    ops.to_rgb8 = time_to_rgb8;
    ops.linear_epilogue = time_linear_epilogue;
    ops.conv2d_epilogue = time_conv2d_epilogue;
    ops.upsample_conv2d = time_upsample_conv2d;
    ops.group_norm_silu = time_group_norm_silu;
    ops.linear_geglu = time_linear_geglu;
    return ops;
}

/* ---- the table's life ---- */

bool sl_profile_start(SlDevice *dev, SlError *err)
{
    const SlDeviceOptions options = {.name = "measure", .dtype = dev->dtype};
    SlProfile *p = calloc(1, sizeof *p);
    if (!p)
        return sl_fail(err, SL_MEMORY, "no memory for a profile");
    p->measure = sl_device_open(&options, err);
    if (!p->measure) {
        free(p);
        return false;
    }
    p->real = dev->ops;
    p->ops = timed_ops(dev->ops);
    dev->profile = p;
    dev->ops = &p->ops;
    return true;
}

void sl_profile_clear(SlDevice *dev)
{
    if (dev->profile)
        dev->profile->count = 0;
}

const SlProfileRow *sl_profile_rows(const SlDevice *dev, size_t *count)
{
    *count = dev->profile ? dev->profile->count : 0;
    return dev->profile ? dev->profile->rows : NULL;
}

void sl_profile_stop(SlDevice *dev)
{
    SlProfile *p = dev->profile;
    if (!p)
        return;
    dev->ops = p->real;
    dev->profile = NULL;
    sl_device_close(&p->measure);
    free(p->rows);
    free(p);
}
