/* resnet.c - ResnetBlock2D and the plain attention block (diffusers models/resnet.py,
 * attention_processor.py).
 *
 * Easy to get wrong: the time embedding is added after conv1 and before norm2, or comes between
 * norm2 and its activation; resampling happens
 * after norm1 and its activation, to the shortcut as well; the output is divided by the scale
 * factor after the residual.
 */
#include "engine/nets/resnet.h"

#include <math.h>

void sl_resnet_bind(SlResnet *r, SlBinder *b, SlPath path, const SlResnetOptions *options)
{
    int in = options->in_channels, out = options->out_channels;
    r->path = path;
    r->options = *options;
    r->norm1 = sl_bind_norm(b, sl_child(path, "norm1"), in);
    r->conv1 = sl_bind_conv3(b, sl_child(path, "conv1"), in, out);
    if (options->temb_channels > 0)
        r->time_emb_proj = sl_bind_linear(b, sl_child(path, "time_emb_proj"),
                                          options->temb_channels, (int)sl_resnet_shift_channels(r));
    r->norm2 = sl_bind_norm(b, sl_child(path, "norm2"), out);
    r->conv2 = sl_bind_conv3(b, sl_child(path, "conv2"), out, out);
    if (in != out)
        r->conv_shortcut = sl_bind_linear(b, sl_child(path, "conv_shortcut"), in, out);
}

int64_t sl_resnet_shift_channels(const SlResnet *r)
{
    return (r->options.scale_shift ? 2 : 1) * (int64_t)r->options.out_channels;
}

static void resample(SlDevice *dev, SlResample how, const SlTensor *x, SlTensor *out)
{
    if (how == SL_RESAMPLE_UP)
        sl_upsample(dev, x, out);
    else
        sl_avg_pool2(dev, x, out);
}

/* What goes into conv1: the normed and activated input, at the output's size. */
static void normed_input(SlDevice *dev, const SlResnet *r, const SlTensor *x, SlTensor *out)
{
    if (r->options.resample == SL_RESAMPLE_NONE) {
        sl_layer_group_norm(dev, &r->norm1, &r->options.norm, x, out);
        return;
    }
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_like(dev, x);
    sl_layer_group_norm(dev, &r->norm1, &r->options.norm, x, &normed);
    resample(dev, r->options.resample, &normed, out);
    sl_arena_reset(dev, mark);
}

/* conv1 and the time embedding that is added (NULL: none) */
static void first_half(SlDevice *dev, const SlResnet *r, const SlTensor *x, const SlTensor *shift,
                       SlTensor *out)
{
    const SlResnetOptions *o = &r->options;
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_new4(dev, out->size[0], out->size[1], out->size[2], o->in_channels);
    normed_input(dev, r, x, &normed);
    SlEpilogue e = {.per_channel = shift};
    sl_layer_conv3(dev, &r->conv1, &normed, &e, out);
    sl_arena_reset(dev, mark);
}

/* norm2 with its activation, and before that what the time embedding does to its output. */
static void second_norm(SlDevice *dev, const SlResnet *r, const SlTensor *x, const SlTensor *shift,
                        SlTensor *out)
{
    SlGroupNorm norm = r->options.norm;
    if (!r->options.scale_shift || !shift) {
        sl_layer_group_norm(dev, &r->norm2, &norm, x, out);
        return;
    }
    norm.act = SL_ACT_NONE;
    sl_layer_group_norm(dev, &r->norm2, &norm, x, out);
    sl_scale_shift(dev, out, shift, out);
    sl_activation(dev, out, r->options.norm.act, out);
}

/* What is added to the second half: the input, resampled and brought to the output's channels. The
 * convolved one is put into out, onto which conv2 then adds. */
static SlTensor shortcut(SlDevice *dev, const SlResnet *r, const SlTensor *x, SlTensor *out)
{
    SlTensor input = *x;
    if (r->options.resample != SL_RESAMPLE_NONE) {
        input =
            sl_tensor_new4(dev, out->size[0], out->size[1], out->size[2], r->options.in_channels);
        resample(dev, r->options.resample, x, &input);
    }
    if (!r->conv_shortcut.weight)
        return input;
    sl_layer_linear(dev, &r->conv_shortcut, &input, NULL, out);
    return *out;
}

void sl_resnet_forward(SlDevice *dev, const SlResnet *r, const SlTensor *x, const SlTensor *shift,
                       SlTensor *out)
{
    if (!sl_device_ok(dev))
        return;
    dev->scope = r->path.text;
    size_t mark = sl_arena_mark(dev);
    SlTensor hidden_states = sl_tensor_like(dev, out);
    first_half(dev, r, x, r->options.scale_shift ? NULL : shift, &hidden_states);
    SlTensor normed = sl_tensor_like(dev, out);
    second_norm(dev, r, &hidden_states, shift, &normed);
    SlTensor residual = shortcut(dev, r, x, out);
    SlEpilogue e = {.residual = &residual, .scale = 1 / r->options.output_scale_factor};
    sl_layer_conv3(dev, &r->conv2, &normed, &e, out);
    sl_arena_reset(dev, mark);
}

void sl_attention_block_bind(SlAttentionBlock *a, SlBinder *b, SlPath path)
{
    int c = a->channels;
    a->path = path;
    a->norm.act = SL_ACT_NONE;
    if (a->norm.groups > 0)
        a->group_norm = sl_bind_norm(b, sl_child(path, "group_norm"), c);
    a->to_q = sl_bind_linear(b, sl_child(path, "to_q"), c, c);
    a->to_k = sl_bind_linear(b, sl_child(path, "to_k"), c, c);
    a->to_v = sl_bind_linear(b, sl_child(path, "to_v"), c, c);
    a->to_out = sl_bind_linear(b, sl_child(path, "to_out.0"), c, c);
}

void sl_attention_block_forward(SlDevice *dev, const SlAttentionBlock *a, const SlTensor *x,
                                SlTensor *out)
{
    if (!sl_device_ok(dev))
        return;
    dev->scope = a->path.text;
    size_t mark = sl_arena_mark(dev);
    SlTensor tokens = sl_as_tokens(x), out_tokens = sl_as_tokens(out);
    SlTensor normed = sl_tensor_like(dev, &tokens);
    SlTensor query = sl_tensor_like(dev, &tokens);
    SlTensor key = sl_tensor_like(dev, &tokens);
    SlTensor value = sl_tensor_like(dev, &tokens);
    if (a->norm.groups > 0)
        sl_layer_group_norm(dev, &a->group_norm, &a->norm, &tokens, &normed);
    else
        sl_copy(dev, &tokens, &normed);
    sl_layer_linear(dev, &a->to_q, &normed, NULL, &query);
    sl_layer_linear(dev, &a->to_k, &normed, NULL, &key);
    sl_layer_linear(dev, &a->to_v, &normed, NULL, &value);
    SlAttention attention = {a->heads, 1 / sqrtf((float)(a->channels / a->heads)), false};
    sl_attention(dev, &query, &key, &value, &attention, &normed);
    SlEpilogue e = {.residual = &tokens, .scale = 1 / a->output_scale_factor};
    sl_layer_linear(dev, &a->to_out, &normed, &e, &out_tokens);
    sl_arena_reset(dev, mark);
}
