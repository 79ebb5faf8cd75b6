/* device_ops.c - the slots that are one launch of a kernel of our own; 1x1 convolutions are
 * products. */
#include "kernels/cuda/launch.h"
#include "kernels/cuda/product.h"
#include "kernels/devices.h"

#include <stdlib.h>

#define LAUNCH(what, CALL)                 \
    do {                                   \
        SlCudaDevice *d = sl_cuda_of(dev); \
        sl_cuda_check(d, CALL, what);      \
    } while (0)

static void cuda_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    size_t bytes = (size_t)sl_tensor_elements(x) * sl_dtype_size(x->dtype);
    if (bytes > 0 && x->dtype == out->dtype && sl_tensor_contiguous(x) && sl_tensor_contiguous(out))
        LAUNCH(SL_WORDS("a copy"),
               cudaMemcpyAsync(out->data, x->data, bytes, cudaMemcpyDeviceToDevice, d->stream));
    else
        LAUNCH(SL_WORDS("a copy"), sl_launch_copy(x, out, d->stream));
}

static const float *vector(const SlWeight *w)
{
    return w ? w->value.data : NULL;
}

/* ---- convolutions ---- */

/* A pixel's channels times a matrix: a plain product, for which cuBLASLt has what a GPU is best
 * at. */
static bool is_product(const SlWeight *w, const SlConv *conv, const SlEpilogue *e,
                       const SlTensor *out)
{
    return w->size[2] == 1 && w->size[3] == 1 && conv->stride == 1 &&
           !(conv->pad_top | conv->pad_left | conv->pad_bottom | conv->pad_right) &&
           w->value.size[3] == w->size[1] && sl_cuda_product_takes(e, out);
}

/* Some rows of one picture at a time. A part's window begins above its first row, which is what the
 * padding says: it is negative for all parts but the first. */
static void convolve_in_parts(SlDevice *dev, const SlConvLaunch *whole, double flops)
{
    int64_t size = (int64_t)sl_dtype_size(whole->dtype), row = (int64_t)whole->ow * whole->cout;
    int64_t rows = whole->oh, most = sl_cuda_rows_at_once(dev, flops / whole->n, rows, 1);
    int64_t picture = (int64_t)whole->h * whole->wd * whole->cin;
    for (int64_t n = 0; n < whole->n; n++)
        for (int64_t first = 0; first < rows && sl_cuda_go_on(dev); first += most) {
            SlConvLaunch part = *whole;
            int64_t to = (n * rows + first) * row * size;
            part.n = 1;
            part.x = (const char *)whole->x + n * picture * size;
            part.oh = (int)(rows - first < most ? rows - first : most);
            part.pad_top = whole->pad_top - (int)first * whole->stride;
            part.y = (char *)whole->y + to;
            if (whole->residual)
                part.residual = (const char *)whole->residual + to;
            if (whole->per_channel)
                part.per_channel = (const char *)whole->per_channel + n * whole->cout * size;
            LAUNCH(SL_WORDS("a convolution"), sl_launch_conv(&part, d->stream));
        }
}

/* up_h, up_w: the size that x is upsampled to on the way, 0 for none. */
static void convolve(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
                     const SlEpilogue *e, int64_t up_h, int64_t up_w, SlTensor *out)
{
    if (up_h == 0 && is_product(w, conv, e, out)) {
        sl_cuda_product(dev, x, w, e, out);
        return;
    }
    size_t mark = sl_arena_mark(dev);
    SlConvLaunch c = {
        .dtype = x->dtype,
        .x = x->data,
        .w = sl_cuda_plain_weight(dev, w, x->dtype),
        .bias = vector(e->bias),
        .per_channel = e->per_channel ? e->per_channel->data : NULL,
        .residual = e->residual ? e->residual->data : NULL,
        .y = out->data,
        .n = (int)x->size[0],
        .h = (int)x->size[1],
        .wd = (int)x->size[2],
        .cin = (int)x->size[3],
        .cin_padded = (int)w->value.size[3],
        .oh = (int)out->size[1],
        .ow = (int)out->size[2],
        .cout = (int)out->size[3],
        .kh = (int)w->size[2],
        .kw = (int)w->size[3],
        .up_h = (int)up_h,
        .up_w = (int)up_w,
        .stride = conv->stride,
        .pad_top = conv->pad_top,
        .pad_left = conv->pad_left,
        .act = e->act,
        .scale = e->scale == 0 ? 1 : e->scale,
        .partial = sl_cuda_of(dev)->workspace,
        .partial_bytes = SL_CUDA_WORKSPACE,
    };
    if (c.w && sl_product_flops(w, out) <= dev->cut_flops)
        LAUNCH(SL_WORDS("a convolution"), sl_launch_conv(&c, d->stream));
    else if (c.w)
        convolve_in_parts(dev, &c, sl_product_flops(w, out));
    sl_arena_reset(dev, mark);
}

static void cuda_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                        const SlConv *conv, SlTensor *out)
{
    SlEpilogue e = {.bias = bias};
    convolve(dev, x, w, conv, &e, 0, 0, out);
}

static void cuda_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    convolve(dev, x, w, conv, e, 0, 0, out);
}

static void cuda_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlEpilogue *e, SlTensor *out)
{
    static const SlConv same = {1, 1, 1, 1, 1};
    static const SlEpilogue plain;
    convolve(dev, x, w, &same, e ? e : &plain, out->size[1], out->size[2], out);
}

/* ---- norms ---- */

static int64_t last(const SlTensor *t)
{
    return t->size[t->rank - 1];
}

static void normalise(SlDevice *dev, const SlTensor *x, const SlWeight *gamma, const SlWeight *beta,
                      const SlGroupNorm *norm, SlActivation act, SlTensor *out)
{
    int64_t n = x->size[0], c = last(x), elements = sl_tensor_elements(x);
    if (elements == 0)
        return;
    SlGroupNormLaunch l = {
        .dtype = x->dtype,
        .x = x->data,
        .gamma = vector(gamma),
        .beta = vector(beta),
        .y = out->data,
        .n = (int)n,
        .hw = (int)(elements / n / c),
        .c = (int)c,
        .groups = norm->groups,
        .eps = norm->eps,
        .act = act,
        .partial = sl_cuda_of(dev)->workspace,
        .partial_bytes = SL_CUDA_WORKSPACE,
    };
    LAUNCH(SL_WORDS("a group norm"), sl_launch_group_norm(&l, d->stream));
}

static void cuda_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                            const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    normalise(dev, x, gamma, beta, norm, SL_ACT_NONE, out);
}

static void cuda_group_norm_silu(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                                 const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    normalise(dev, x, gamma, beta, norm, norm->act, out);
}

static void cuda_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                            const SlWeight *beta, float eps, SlTensor *out)
{
    SlLayerNormLaunch l = {
        .dtype = x->dtype,
        .x = x->data,
        .gamma = vector(gamma),
        .beta = vector(beta),
        .y = out->data,
        .rows = (int)(sl_tensor_elements(x) / last(x)),
        .c = (int)last(x),
        .eps = eps,
    };
    LAUNCH(SL_WORDS("a layer norm"), sl_launch_layer_norm(&l, d->stream));
}

/* ---- element by element ---- */

static void cuda_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    LAUNCH(SL_WORDS("an activation"), sl_launch_activation(x, act, out, d->stream));
}

static void cuda_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    LAUNCH("geglu", sl_launch_geglu(x, out, d->stream));
}

static void cuda_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale,
                     SlTensor *out)
{
    LAUNCH(SL_WORDS("an addition"), sl_launch_add(a, b, scale, out, d->stream));
}

static void cuda_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    LAUNCH(SL_WORDS("an addition"), sl_launch_add_per_channel(x, c, out, d->stream));
}

static void cuda_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    LAUNCH("scale_shift", sl_launch_scale_shift(x, c, out, d->stream));
}

static void cuda_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    LAUNCH("concat", sl_launch_concat(a, b, out, d->stream));
}

static void cuda_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    LAUNCH("upsample", sl_launch_upsample(x, out, d->stream));
}

static void cuda_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    LAUNCH("avg_pool2", sl_launch_avg_pool2(x, out, d->stream));
}

/* The text encoder is outside of what is repeated, so that the ids can be looked at here. */
static bool in_table(SlDevice *dev, const SlTensor *ids, int64_t vocab)
{
    int64_t n = sl_tensor_elements(ids);
    int32_t *host = malloc((size_t)n * sizeof *host + 1);
    if (!host) {
        sl_device_fail(dev, SL_MEMORY, "no memory for the tokens");
        return false;
    }
    dev->ops->download(dev, ids->data, host, (size_t)n * sizeof *host);
    for (int64_t i = 0; i < n && dev->status == SL_OK; i++)
        if (host[i] < 0 || host[i] >= vocab)
            sl_device_fail(dev, SL_FORMAT, "token %d is not in the table of %lld embeddings",
                           host[i], (long long)vocab);
    free(host);
    return dev->status == SL_OK;
}

static void cuda_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                           const SlWeight *positions, SlTensor *out)
{
    if (in_table(dev, ids, tokens->size[0]))
        LAUNCH("embedding",
               sl_launch_embedding(ids, &tokens->value, positions ? &positions->value : NULL, out,
                                   d->stream));
}

static void cuda_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                                    SlTensor *out)
{
    LAUNCH("timestep_embedding", sl_launch_timestep_embedding(t, e, out, d->stream));
}

static void cuda_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out)
{
    LAUNCH("guidance", sl_launch_guidance(said, scale, out, d->stream));
}

static void cuda_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was,
                                 SlTensor *out)
{
    LAUNCH("residual_change",
           sl_launch_residual_change(now, was, sl_cuda_of(dev)->workspace, out, d->stream));
}

static void cuda_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    LAUNCH("to_rgb8", sl_launch_to_rgb8(x, out, d->stream));
}

void sl_cuda_simple_slots(SlOps *ops)
{
    ops->copy = cuda_copy;
    ops->conv2d = cuda_conv2d;
    ops->conv2d_epilogue = cuda_conv2d_epilogue;
    ops->upsample_conv2d = cuda_upsample_conv2d;
    ops->group_norm = cuda_group_norm;
    ops->group_norm_silu = cuda_group_norm_silu;
    ops->layer_norm = cuda_layer_norm;
    ops->activation = cuda_activation;
    ops->geglu = cuda_geglu;
    ops->add = cuda_add;
    ops->add_per_channel = cuda_add_per_channel;
    ops->scale_shift = cuda_scale_shift;
    ops->concat = cuda_concat;
    ops->upsample = cuda_upsample;
    ops->avg_pool2 = cuda_avg_pool2;
    ops->embedding = cuda_embedding;
    ops->timestep_embedding = cuda_timestep_embedding;
    ops->guidance = cuda_guidance;
    ops->residual_change = cuda_residual_change;
    ops->to_rgb8 = cuda_to_rgb8;
}
