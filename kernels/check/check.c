/* check.c - runs a device and ref side by side, operation by operation, and names the first
 * operation that differs.
 *
 * The inputs are downloaded from the device under test before each operation, so errors do not add
 * up over the model: what differs is that operation. Tensors live on the device under test; a
 * weight is held by both.
 */
#include "kernels/arena.h"
#include "kernels/check/check_private.h"
#include "kernels/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct CheckWeight {
    SlWeight *tested, *ref;
} CheckWeight;

static Check *check_of(SlDevice *dev)
{
    return (Check *)dev;
}

static const SlWeight *tested_weight(const SlWeight *w)
{
    return w ? ((const CheckWeight *)w->prepared)->tested : NULL;
}

static const SlWeight *ref_weight(const SlWeight *w)
{
    return w ? ((const CheckWeight *)w->prepared)->ref : NULL;
}

/* Both devices' calls between copying the inputs and comparing the output. `a`, `b` and `k` are
 * mirrored inputs (NULL where there is none); RUN is written once with D, X, Y, Z, W(), OUT
 * standing for the device, its tensors, its weights. */
#define COMPARE(OP, A, B, K, CALL_TESTED, CALL_REF)                                     \
    do {                                                                                \
        Check *c = check_of(dev);                                                       \
        SlTensor none = {0};                                                            \
        const SlTensor *pa = (A), *pb = (B), *pk = (K);                                 \
        SlTensor ra = sl_check_mirror(c, pa), rb = pb ? sl_check_mirror(c, pb) : none;  \
        SlTensor rk = pk ? sl_check_mirror(c, pk) : none, ro = sl_check_mirror(c, out); \
        if (sl_check_healthy(c)) {                                                      \
            CALL_TESTED;                                                                \
            CALL_REF;                                                                   \
            if (sl_check_healthy(c)) {                                                  \
                SlTensor got = sl_check_mirror(c, out);                                 \
                sl_check_judge(c, OP, pa, &got, &ro);                                   \
                free(got.data);                                                         \
            }                                                                           \
        }                                                                               \
        free(ra.data);                                                                  \
        free(rb.data);                                                                  \
        free(rk.data);                                                                  \
        free(ro.data);                                                                  \
    } while (0)
#define TESTED(SLOT, ...) c->tested->ops->SLOT(c->tested, __VA_ARGS__)
#define REF(SLOT, ...)    c->ref->ops->SLOT(c->ref, __VA_ARGS__)

static void check_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    COMPARE("copy", x, NULL, NULL, TESTED(copy, x, out), REF(copy, &ra, &ro));
}

static void check_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                         SlTensor *out)
{
    COMPARE("linear", x, NULL, NULL, TESTED(linear, x, tested_weight(w), tested_weight(bias), out),
            REF(linear, &ra, ref_weight(w), ref_weight(bias), &ro));
}

static void check_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                         const SlConv *conv, SlTensor *out)
{
    COMPARE("conv2d", x, NULL, NULL,
            TESTED(conv2d, x, tested_weight(w), tested_weight(bias), conv, out),
            REF(conv2d, &ra, ref_weight(w), ref_weight(bias), conv, &ro));
}

/* An epilogue as each side needs it. */
static SlEpilogue epilogue_for(const SlEpilogue *e, const SlWeight *bias,
                               const SlTensor *per_channel, const SlTensor *residual)
{
    SlEpilogue own = *e;
    own.bias = bias;
    own.per_channel = e->per_channel ? per_channel : NULL;
    own.residual = e->residual ? residual : NULL;
    return own;
}

static void check_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                  const SlEpilogue *e, SlTensor *out)
{
    SlEpilogue te = epilogue_for(e, tested_weight(e->bias), e->per_channel, e->residual);
    SlEpilogue re;
    COMPARE("linear_epilogue", x, e->per_channel, e->residual,
            TESTED(linear_epilogue, x, tested_weight(w), &te, out),
            (re = epilogue_for(e, ref_weight(e->bias), &rb, &rk),
             REF(linear_epilogue, &ra, ref_weight(w), &re, &ro)));
}

static void check_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                  const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    SlEpilogue te = epilogue_for(e, tested_weight(e->bias), e->per_channel, e->residual);
    SlEpilogue re;
    COMPARE("conv2d_epilogue", x, e->per_channel, e->residual,
            TESTED(conv2d_epilogue, x, tested_weight(w), conv, &te, out),
            (re = epilogue_for(e, ref_weight(e->bias), &rb, &rk),
             REF(conv2d_epilogue, &ra, ref_weight(w), conv, &re, &ro)));
}

static void check_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                  const SlEpilogue *e, SlTensor *out)
{
    static const SlEpilogue plain;
    e = e ? e : &plain;
    SlEpilogue te = epilogue_for(e, tested_weight(e->bias), e->per_channel, e->residual);
    SlEpilogue re;
    COMPARE("upsample_conv2d", x, e->per_channel, e->residual,
            TESTED(upsample_conv2d, x, tested_weight(w), &te, out),
            (re = epilogue_for(e, ref_weight(e->bias), &rb, &rk),
             REF(upsample_conv2d, &ra, ref_weight(w), &re, &ro)));
}

static void check_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                             const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    COMPARE("group_norm", x, NULL, NULL,
            TESTED(group_norm, x, tested_weight(gamma), tested_weight(beta), norm, out),
            REF(group_norm, &ra, ref_weight(gamma), ref_weight(beta), norm, &ro));
}

static void check_group_norm_silu(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                                  const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    COMPARE("group_norm_silu", x, NULL, NULL,
            TESTED(group_norm_silu, x, tested_weight(gamma), tested_weight(beta), norm, out),
            REF(group_norm_silu, &ra, ref_weight(gamma), ref_weight(beta), norm, &ro));
}

static void check_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                             const SlWeight *beta, float eps, SlTensor *out)
{
    COMPARE("layer_norm", x, NULL, NULL,
            TESTED(layer_norm, x, tested_weight(gamma), tested_weight(beta), eps, out),
            REF(layer_norm, &ra, ref_weight(gamma), ref_weight(beta), eps, &ro));
}

static void check_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                            const SlAttention *attn, SlTensor *out)
{
    COMPARE("attention", q, k, v, TESTED(attention, q, k, v, attn, out),
            REF(attention, &ra, &rb, &rk, attn, &ro));
}

static void check_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                                const SlAttention *attn, bool add, SlTensor *out)
{
    COMPARE("attention_map", q, k, NULL, TESTED(attention_map, q, k, attn, add, out),
            REF(attention_map, &ra, &rb, attn, add, &ro));
}

static void check_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    COMPARE("activation", x, NULL, NULL, TESTED(activation, x, act, out),
            REF(activation, &ra, act, &ro));
}

static void check_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    COMPARE("geglu", x, NULL, NULL, TESTED(geglu, x, out), REF(geglu, &ra, &ro));
}

static void check_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                               const SlWeight *bias, SlTensor *out)
{
    COMPARE("linear_geglu", x, NULL, NULL,
            TESTED(linear_geglu, x, tested_weight(w), tested_weight(bias), out),
            REF(linear_geglu, &ra, ref_weight(w), ref_weight(bias), &ro));
}

static void check_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale,
                      SlTensor *out)
{
    COMPARE("add", a, b, NULL, TESTED(add, a, b, scale, out), REF(add, &ra, &rb, scale, &ro));
}

static void check_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *per_channel,
                                  SlTensor *out)
{
    COMPARE("add_per_channel", x, per_channel, NULL, TESTED(add_per_channel, x, per_channel, out),
            REF(add_per_channel, &ra, &rb, &ro));
}

static void check_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *numbers,
                              SlTensor *out)
{
    COMPARE("scale_shift", x, numbers, NULL, TESTED(scale_shift, x, numbers, out),
            REF(scale_shift, &ra, &rb, &ro));
}

static void check_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    COMPARE("concat", a, b, NULL, TESTED(concat, a, b, out), REF(concat, &ra, &rb, &ro));
}

static void check_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    COMPARE("upsample", x, NULL, NULL, TESTED(upsample, x, out), REF(upsample, &ra, &ro));
}

static void check_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    COMPARE("avg_pool2", x, NULL, NULL, TESTED(avg_pool2, x, out), REF(avg_pool2, &ra, &ro));
}

static void check_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                            const SlWeight *positions, SlTensor *out)
{
    COMPARE("embedding", ids, NULL, NULL,
            TESTED(embedding, ids, tested_weight(tokens), tested_weight(positions), out),
            REF(embedding, &ra, ref_weight(tokens), ref_weight(positions), &ro));
}

static void check_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                                     SlTensor *out)
{
    COMPARE("timestep_embedding", t, NULL, NULL, TESTED(timestep_embedding, t, e, out),
            REF(timestep_embedding, &ra, e, &ro));
}

static void check_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale,
                           SlTensor *out)
{
    COMPARE("guidance", said, scale, NULL, TESTED(guidance, said, scale, out),
            REF(guidance, &ra, &rb, &ro));
}

static void check_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was,
                                  SlTensor *out)
{
    COMPARE("residual_change", now, was, NULL, TESTED(residual_change, now, was, out),
            REF(residual_change, &ra, &rb, &ro));
}

static void check_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    COMPARE("to_rgb8", x, NULL, NULL, TESTED(to_rgb8, x, out), REF(to_rgb8, &ra, &ro));
}

/* ---- memory, weights, life ---- */

static void *check_alloc(SlDevice *dev, size_t bytes)
{
    SlDevice *tested = check_of(dev)->tested;
    return tested->ops->alloc(tested, bytes);
}

static void check_free(SlDevice *dev, void *p, size_t bytes)
{
    SlDevice *tested = check_of(dev)->tested;
    tested->ops->free(tested, p, bytes);
}

static void check_upload(SlDevice *dev, const void *host, void *p, size_t bytes)
{
    SlDevice *tested = check_of(dev)->tested;
    tested->ops->upload(tested, host, p, bytes);
}

static void check_download(SlDevice *dev, const void *p, void *host, size_t bytes)
{
    SlDevice *tested = check_of(dev)->tested;
    tested->ops->download(tested, p, host, bytes);
}

static void check_weight_clear(SlDevice *dev, SlWeight *w)
{
    CheckWeight *both = w->prepared;
    if (!both)
        return;
    sl_weight_free(check_of(dev)->tested, both->tested);
    sl_weight_free(check_of(dev)->ref, both->ref);
    free(both);
}

static bool check_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    Check *c = check_of(dev);
    CheckWeight *both = calloc(1, sizeof *both);
    if (!both)
        return false;
    w->prepared = both;
    c->tested->q8 = c->ref->q8 = dev->q8;
    both->tested = sl_weight_new(c->tested, w->kind, host);
    both->ref = sl_weight_new(c->ref, w->kind, host);
    if (both->tested && both->ref)
        return true;
    check_weight_clear(dev, w);
    return false;
}

static bool check_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    Check *c = check_of(dev);
    CheckWeight *both = w->prepared;
    c->tested->q8 = c->ref->q8 = dev->q8;
    return sl_weight_fill(c->tested, both->tested, host) && sl_weight_fill(c->ref, both->ref, host);
}

static bool check_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    Check *c = check_of(dev);
    const CheckWeight *source = from->prepared;
    CheckWeight *both = to->prepared;
    c->tested->q8 = c->ref->q8 = dev->q8;
    if (both)
        return sl_weight_copy(c->tested, both->tested, source->tested) &&
               sl_weight_copy(c->ref, both->ref, source->ref);
    both = to->prepared = calloc(1, sizeof *both);
    if (!both)
        return false;
    both->tested = sl_weight_twin(c->tested, source->tested);
    both->ref = sl_weight_twin(c->ref, source->ref);
    if (both->tested && both->ref)
        return true;
    check_weight_clear(dev, to);
    return false;
}

static void check_close(SlDevice *dev)
{
    Check *c = check_of(dev);
    sl_device_close(&c->tested);
    sl_device_close(&c->ref);
    free(c);
}

static const char *check_describe(const SlDevice *dev)
{
    return ((const Check *)dev)->describe;
}

static void check_use_dtype(SlDevice *dev, SlDtype dtype)
{
    Check *c = check_of(dev);
    sl_device_use_dtype(c->tested, dtype);
    sl_device_use_dtype(c->ref, c->tested->dtype);
    dev->dtype = c->tested->dtype;
}

static const SlOps check_ops = {
    .name = "check",
    .close = check_close,
    .describe = check_describe,
    .alloc = check_alloc,
    .free = check_free,
    .upload = check_upload,
    .download = check_download,
    .weight_init = check_weight_init,
    .weight_fill = check_weight_fill,
    .weight_copy = check_weight_copy,
    .weight_clear = check_weight_clear,
    .copy = check_copy,
    .linear = check_linear,
    .conv2d = check_conv2d,
    .group_norm = check_group_norm,
    .layer_norm = check_layer_norm,
    .attention = check_attention,
    .attention_map = check_attention_map,
    .activation = check_activation,
    .geglu = check_geglu,
    .add = check_add,
    .add_per_channel = check_add_per_channel,
    .scale_shift = check_scale_shift,
    .concat = check_concat,
    .upsample = check_upsample,
    .avg_pool2 = check_avg_pool2,
    .use_dtype = check_use_dtype,
    .embedding = check_embedding,
    .timestep_embedding = check_timestep_embedding,
    .guidance = check_guidance,
    .residual_change = check_residual_change,
    .to_rgb8 = check_to_rgb8,
    .linear_epilogue = check_linear_epilogue,
    .conv2d_epilogue = check_conv2d_epilogue,
    .upsample_conv2d = check_upsample_conv2d,
    .group_norm_silu = check_group_norm_silu,
    .linear_geglu = check_linear_geglu,
};

SlDevice *sl_check_over(SlDevice *tested, SlError *err)
{
    SlDeviceOptions options = {.name = "ref", .dtype = tested->dtype};
    SlDevice *ref = sl_ref_open(&options, err);
    Check *c = ref ? calloc(1, sizeof *c) : NULL;
    if (!c || !sl_arena_open(ref) || !sl_arena_open(&c->base)) {
        if (ref)
            sl_fail(err, SL_MEMORY, "no memory for the device check");
        free(c);
        sl_device_close(&ref);
        sl_device_close(&tested);
        return NULL;
    }
    c->tested = tested;
    c->ref = ref;
    tested->serves = ref->serves = &c->base;
    c->base.ops = &check_ops;
    c->base.name = "check";
    c->base.dtype = tested->dtype;
    c->base.threads = tested->threads;
    c->base.team = tested->team;
    snprintf(c->describe, sizeof c->describe, "check: every operation of %s compared with ref",
             sl_device_describe(tested));
    return &c->base;
}
