/* ops.c - the fronts: every operation's shape check, in one place for all devices.
 *
 * A wrong shape is a fault in a model's code or config, never in the numbers: it becomes the
 * device's sticky status with the operation, the block and the shapes.
 */
#include "kernels/devices.h"

/* Counts the operation and says whether it is to be computed. */
static bool begin(SlDevice *dev)
{
    if (dev->status == SL_OK && dev->ops->look)
        dev->ops->look(dev);
    return sl_device_go_on(dev);
}

static bool require_weight(SlDevice *dev, bool ok, const char *op, const SlTensor *x,
                           const SlWeight *w, const SlTensor *out)
{
    if (ok && x->data && out->data)
        return true;
    SlTensor weight = {.dtype = dev->dtype};
    if (w)
        weight = sl_tensor_view(NULL, dev->dtype, w->rank, w->size);
    sl_device_fail(dev, SL_FORMAT, "%s%s%s: the sizes do not fit: input %s, %s%s%soutput %s",
                   dev->scope ? dev->scope : "", dev->scope ? ": " : "", op, sl_shape_text(x).text,
                   w ? "weight " : "", w ? sl_shape_text(&weight).text : "", w ? ", " : "",
                   sl_shape_text(out).text);
    return false;
}

static bool require(SlDevice *dev, bool ok, const char *op, const SlTensor *x, const SlTensor *out)
{
    return require_weight(dev, ok, op, x, NULL, out);
}

/* 0 for a view that could not be made. */
static int64_t last(const SlTensor *t)
{
    return t->rank > 0 ? t->size[t->rank - 1] : 0;
}

/* The same but for the last axis. */
static bool same_rows(const SlTensor *a, const SlTensor *b)
{
    if (a->rank != b->rank || a->rank < 1)
        return false;
    for (int i = 0; i < a->rank - 1; i++)
        if (a->size[i] != b->size[i])
            return false;
    return true;
}

static bool vector_of(const SlWeight *w, int64_t n)
{
    return !w || (w->rank == 1 && w->size[0] == n);
}

static bool epilogue_fits(const SlEpilogue *e, const SlTensor *out)
{
    if (!e)
        return true;
    const SlTensor *c = e->per_channel, *r = e->residual;
    return vector_of(e->bias, last(out)) &&
           (!r || (r->data && sl_same_shape(r, out) && sl_tensor_contiguous(r))) &&
           (!c || (c->data && c->rank == 2 && c->size[0] == out->size[0] &&
                   c->size[1] == last(out) && sl_tensor_contiguous(c)));
}

/* Nothing beyond a bias? */
static bool plain(const SlEpilogue *e)
{
    return !e || (!e->per_channel && !e->residual && e->act == SL_ACT_NONE &&
                  (e->scale == 0 || e->scale == 1));
}

void sl_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    if (begin(dev) && require(dev, sl_same_shape(x, out), "copy", x, out))
        dev->ops->copy(dev, x, out);
}

void sl_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
               SlTensor *out)
{
    if (!begin(dev) ||
        !require_weight(dev,
                        w && w->rank == 2 && last(x) == w->size[1] && last(out) == w->size[0] &&
                            same_rows(x, out) && sl_tensor_contiguous(x) &&
                            sl_tensor_contiguous(out) && epilogue_fits(e, out),
                        "linear", x, w, out) ||
        !sl_weight_want(dev, w))
        return;
    dev->flops_done += sl_product_flops(w, out);
    if (plain(e))
        dev->ops->linear(dev, x, w, e ? e->bias : NULL, out);
    else
        dev->ops->linear_epilogue(dev, x, w, e, out);
    sl_weight_pass(dev, w);
}

static bool conv_fits(const SlTensor *x, const SlWeight *w, const SlConv *c, const SlTensor *out)
{
    if (!w || x->rank != 4 || out->rank != 4 || w->rank != 4 || c->stride < 1)
        return false;
    int64_t h = x->size[1] + c->pad_top + c->pad_bottom - w->size[2];
    int64_t wide = x->size[2] + c->pad_left + c->pad_right - w->size[3];
    return h >= 0 && wide >= 0 && x->size[0] == out->size[0] && x->size[3] == w->size[1] &&
           out->size[3] == w->size[0] && out->size[1] == h / c->stride + 1 &&
           out->size[2] == wide / c->stride + 1 && sl_tensor_contiguous(x) &&
           sl_tensor_contiguous(out);
}

void sl_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
               const SlEpilogue *e, SlTensor *out)
{
    if (!begin(dev) ||
        !require_weight(dev, conv_fits(x, w, conv, out) && epilogue_fits(e, out), "conv2d", x, w,
                        out) ||
        !sl_weight_want(dev, w))
        return;
    dev->flops_done += sl_product_flops(w, out);
    if (plain(e))
        dev->ops->conv2d(dev, x, w, e ? e->bias : NULL, conv, out);
    else
        dev->ops->conv2d_epilogue(dev, x, w, conv, e, out);
    sl_weight_pass(dev, w);
}

void sl_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
                        SlTensor *out)
{
    bool fits = w && x->rank == 4 && out->rank == 4 && w->rank == 4 && w->size[2] == 3 &&
                w->size[3] == 3 && x->size[3] == w->size[1] && out->size[3] == w->size[0] &&
                x->size[0] == out->size[0] && x->size[1] > 0 && x->size[2] > 0 &&
                sl_tensor_contiguous(x) && sl_tensor_contiguous(out);
    if (!begin(dev) ||
        !require_weight(dev, fits && epilogue_fits(e, out), "upsample_conv2d", x, w, out) ||
        !sl_weight_want(dev, w))
        return;
    dev->flops_done += sl_product_flops(w, out);
    dev->ops->upsample_conv2d(dev, x, w, e, out);
    sl_weight_pass(dev, w);
}

void sl_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma, const SlWeight *beta,
                   const SlGroupNorm *norm, SlTensor *out)
{
    bool fits = x->rank >= 2 && sl_same_shape(x, out) && x->dtype == out->dtype &&
                norm->groups > 0 && last(x) % norm->groups == 0 && vector_of(gamma, last(x)) &&
                vector_of(beta, last(x)) && sl_tensor_contiguous(x) && sl_tensor_contiguous(out);
    if (!begin(dev) || !require(dev, fits, "group_norm", x, out))
        return;
    if (norm->act == SL_ACT_SILU)
        dev->ops->group_norm_silu(dev, x, gamma, beta, norm, out);
    else
        dev->ops->group_norm(dev, x, gamma, beta, norm, out);
}

void sl_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma, const SlWeight *beta,
                   float eps, SlTensor *out)
{
    bool fits = sl_same_shape(x, out) && vector_of(gamma, last(x)) && vector_of(beta, last(x)) &&
                sl_tensor_contiguous(x) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "layer_norm", x, out))
        dev->ops->layer_norm(dev, x, gamma, beta, eps, out);
}

void sl_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                  const SlAttention *attn, SlTensor *out)
{
    bool fits = q->rank == 3 && k->rank == 3 && sl_same_shape(q, out) && sl_same_shape(k, v) &&
                q->size[0] == k->size[0] && q->size[2] == k->size[2] && attn->heads > 0 &&
                q->size[2] % attn->heads == 0 && k->size[1] > 0 && q->stride[2] == 1 &&
                k->stride[2] == 1 && v->stride[2] == 1 && out->stride[2] == 1;
    if (!begin(dev) || !require(dev, fits, "attention", q, k))
        return;
    dev->flops_done += sl_attention_flops(q, k);
    dev->ops->attention(dev, q, k, v, attn, out);
}

void sl_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlAttention *attn,
                      bool add, SlTensor *out)
{
    bool fits = q->rank == 3 && k->rank == 3 && out->rank == 3 && out->dtype == SL_F32 &&
                q->dtype == k->dtype && q->size[0] == k->size[0] && q->size[2] == k->size[2] &&
                out->size[0] == q->size[0] && out->size[1] == q->size[1] &&
                out->size[2] == k->size[1] && attn->heads > 0 && !attn->causal &&
                q->size[2] % attn->heads == 0 && k->size[1] > 0 && q->stride[2] == 1 &&
                k->stride[2] == 1 && sl_tensor_contiguous(out);
    if (!begin(dev) || !require(dev, fits, "attention_map", q, out))
        return;
    dev->flops_done += sl_attention_flops(q, k) / 2;
    dev->ops->attention_map(dev, q, k, attn, add, out);
}

void sl_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    bool fits = sl_same_shape(x, out) && sl_tensor_contiguous(x) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "activation", x, out))
        dev->ops->activation(dev, x, act, out);
}

void sl_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    bool fits = same_rows(x, out) && last(x) == 2 * last(out) && sl_tensor_contiguous(x) &&
                sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "geglu", x, out))
        dev->ops->geglu(dev, x, out);
}

void sl_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                     SlTensor *out)
{
    bool fits = w && w->rank == 2 && last(x) == w->size[1] && 2 * last(out) == w->size[0] &&
                same_rows(x, out) && vector_of(bias, w->size[0]) && sl_tensor_contiguous(x) &&
                sl_tensor_contiguous(out);
    if (!begin(dev) || !require_weight(dev, fits, "linear_geglu", x, w, out) ||
        !sl_weight_want(dev, w))
        return;
    dev->flops_done += 2 * sl_product_flops(w, out); /* out is half of the product */
    dev->ops->linear_geglu(dev, x, w, bias, out);
    sl_weight_pass(dev, w);
}

void sl_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out)
{
    bool fits = sl_same_shape(a, b) && sl_same_shape(a, out) && sl_tensor_contiguous(a) &&
                sl_tensor_contiguous(b) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "add", a, b))
        dev->ops->add(dev, a, b, scale, out);
}

void sl_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    bool fits = sl_same_shape(x, out) && c->rank == 2 && c->size[0] == x->size[0] &&
                c->size[1] == last(x) && sl_tensor_contiguous(x) && sl_tensor_contiguous(c) &&
                sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "add_per_channel", x, c))
        dev->ops->add_per_channel(dev, x, c, out);
}

void sl_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    bool fits = sl_same_shape(x, out) && c->rank == 2 && c->size[0] == x->size[0] &&
                c->size[1] == 2 * last(x) && sl_tensor_contiguous(x) && sl_tensor_contiguous(c) &&
                sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "scale_shift", x, c))
        dev->ops->scale_shift(dev, x, c, out);
}

void sl_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    bool fits = same_rows(a, b) && same_rows(a, out) && last(a) + last(b) == last(out) &&
                sl_tensor_contiguous(a) && sl_tensor_contiguous(b) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "concat", a, b))
        dev->ops->concat(dev, a, b, out);
}

void sl_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    bool fits = x->rank == 4 && out->rank == 4 && x->size[0] == out->size[0] &&
                x->size[3] == out->size[3] && x->size[1] > 0 && x->size[2] > 0 &&
                sl_tensor_contiguous(x) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "upsample", x, out))
        dev->ops->upsample(dev, x, out);
}

void sl_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    bool fits = x->rank == 4 && out->rank == 4 && x->size[0] == out->size[0] &&
                x->size[3] == out->size[3] && x->size[1] / 2 == out->size[1] &&
                x->size[2] / 2 == out->size[2] && sl_tensor_contiguous(x) &&
                sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "avg_pool2", x, out))
        dev->ops->avg_pool2(dev, x, out);
}

void sl_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                  const SlWeight *positions, SlTensor *out)
{
    bool fits = ids->rank == 2 && ids->dtype == SL_I32 && out->rank == 3 &&
                ids->size[0] == out->size[0] && ids->size[1] == out->size[1] && tokens &&
                tokens->rank == 2 && tokens->size[1] == last(out) &&
                (!positions || (positions->rank == 2 && positions->size[1] == last(out) &&
                                positions->size[0] >= ids->size[1])) &&
                sl_tensor_contiguous(ids) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "embedding", ids, out))
        dev->ops->embedding(dev, ids, tokens, positions, out);
}

void sl_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                           SlTensor *out)
{
    bool fits = t->rank == 1 && t->dtype == SL_F32 && out->rank == 2 &&
                out->size[0] == t->size[0] && out->size[1] >= 2 && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "timestep_embedding", t, out))
        dev->ops->timestep_embedding(dev, t, e, out);
}

void sl_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out)
{
    bool fits = said->rank == 4 && out->rank == 4 && said->size[0] == 2 && out->size[0] == 3 &&
                said->size[1] == out->size[1] && said->size[2] == out->size[2] &&
                said->size[3] == out->size[3] && out->dtype == SL_F32 &&
                sl_tensor_contiguous(out) && scale->dtype == SL_F32 &&
                sl_tensor_elements(scale) == 1;
    if (begin(dev) && require(dev, fits, "guidance", said, out))
        dev->ops->guidance(dev, said, scale, out);
}

void sl_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was, SlTensor *out)
{
    bool fits = sl_same_shape(now, was) && now->dtype == was->dtype && now->rank > 0 &&
                now->size[0] % 2 == 0 && sl_tensor_contiguous(now) && sl_tensor_contiguous(was) &&
                out->dtype == SL_F32 && out->rank == 1 && out->size[0] == 2 &&
                sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits && was->data, "residual_change", now, out))
        dev->ops->residual_change(dev, now, was, out);
}

void sl_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    bool fits = sl_same_shape(x, out) && out->dtype == SL_U8 && last(x) == 3 &&
                sl_tensor_contiguous(x) && sl_tensor_contiguous(out);
    if (begin(dev) && require(dev, fits, "to_rgb8", x, out))
        dev->ops->to_rgb8(dev, x, out);
}

/* ---- memory and weights ---- */

void sl_upload(SlDevice *dev, const void *host, SlTensor *t)
{
    if (dev->status == SL_OK && t->data)
        dev->ops->upload(dev, host, t->data,
                         (size_t)sl_tensor_elements(t) * sl_dtype_size(t->dtype));
}

void sl_download(SlDevice *dev, const SlTensor *t, void *host)
{
    if (dev->status == SL_OK && t->data)
        dev->ops->download(dev, t->data, host,
                           (size_t)sl_tensor_elements(t) * sl_dtype_size(t->dtype));
}

const void *sl_fetch(SlDevice *dev, const SlTensor *t)
{
    if (dev->status != SL_OK || !t->data || !dev->ops->fetch)
        return NULL;
    return dev->ops->fetch(dev, t->data, (size_t)sl_tensor_elements(t) * sl_dtype_size(t->dtype));
}
