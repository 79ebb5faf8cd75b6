/* ops_fill.c - the composites: a fused slot that a device leaves empty, made of its simple slots.
 *
 * They make a device complete on its first day, and they are the reference that every fused kernel
 * is compared with. Temporaries come from the arena and go back to it.
 */
#include "kernels/kernels.h"

/* Activation, residual and scale of an epilogue, in place on out. */
static void finish(SlDevice *dev, const SlEpilogue *e, SlTensor *out)
{
    if (e->per_channel)
        dev->ops->add_per_channel(dev, out, e->per_channel, out);
    if (e->act != SL_ACT_NONE)
        dev->ops->activation(dev, out, e->act, out);
}

/* The product goes to a temporary when it must be added to a residual that may be the output
 * itself. */
static SlTensor product_place(SlDevice *dev, const SlEpilogue *e, const SlTensor *out)
{
    return e->residual ? sl_tensor_new(dev, out->dtype, out->rank, out->size) : *out;
}

static void scale_and_add(SlDevice *dev, const SlEpilogue *e, const SlTensor *product,
                          SlTensor *out)
{
    float scale = e->scale == 0 ? 1 : e->scale;
    if (e->residual)
        dev->ops->add(dev, product, e->residual, scale, out);
    else if (scale != 1)
        dev->ops->add(dev, product, product, scale / 2, out);
}

static void linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                            const SlEpilogue *e, SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor product = product_place(dev, e, out);
    if (product.data) {
        dev->ops->linear(dev, x, w, e->bias, &product);
        finish(dev, e, &product);
        scale_and_add(dev, e, &product, out);
    }
    sl_arena_reset(dev, mark);
}

static void conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
                            const SlEpilogue *e, SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor product = product_place(dev, e, out);
    if (product.data) {
        dev->ops->conv2d(dev, x, w, e->bias, conv, &product);
        finish(dev, e, &product);
        scale_and_add(dev, e, &product, out);
    }
    sl_arena_reset(dev, mark);
}

static void upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                            const SlEpilogue *e, SlTensor *out)
{
    static const SlConv conv = {1, 1, 1, 1, 1};
    static const SlEpilogue none;
    size_t mark = sl_arena_mark(dev);
    const int64_t size[4] = {out->size[0], out->size[1], out->size[2], x->size[3]};
    SlTensor large = sl_tensor_new(dev, x->dtype, 4, size);
    if (large.data) {
        dev->ops->upsample(dev, x, &large);
        dev->ops->conv2d_epilogue(dev, &large, w, &conv, e ? e : &none, out);
    }
    sl_arena_reset(dev, mark);
}

static void group_norm_silu(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                            const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    dev->ops->group_norm(dev, x, gamma, beta, norm, out);
    dev->ops->activation(dev, out, norm->act, out);
}

static void linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                         SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    int64_t size[SL_MAX_RANK];
    for (int i = 0; i < out->rank; i++)
        size[i] = out->size[i];
    size[out->rank - 1] *= 2;
    SlTensor both = sl_tensor_new(dev, out->dtype, out->rank, size);
    if (both.data) {
        dev->ops->linear(dev, x, w, bias, &both);
        dev->ops->geglu(dev, &both, out);
    }
    sl_arena_reset(dev, mark);
}

void sl_ops_fill(SlOps *ops)
{
    if (!ops->linear_epilogue)
        ops->linear_epilogue = linear_epilogue;
    if (!ops->conv2d_epilogue)
        ops->conv2d_epilogue = conv2d_epilogue;
    if (!ops->upsample_conv2d)
        ops->upsample_conv2d = upsample_conv2d;
    if (!ops->group_norm_silu)
        ops->group_norm_silu = group_norm_silu;
    if (!ops->linear_geglu)
        ops->linear_geglu = linear_geglu;
}
