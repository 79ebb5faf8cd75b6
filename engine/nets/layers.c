/* layers.c - the layers that model parts are made of; see layers.h. */
#include "engine/nets/layers.h"

#include <stdio.h>
#include <string.h>

SlPath sl_path(const char *format, ...)
{
    SlPath path;
    va_list args;
    va_start(args, format);
    vsnprintf(path.text, sizeof path.text, format, args);
    va_end(args);
    return path;
}

SlPath sl_child(SlPath parent, const char *format, ...)
{
    size_t length = strlen(parent.text);
    va_list args;
    va_start(args, format);
    if (length > 0 && length + 1 < sizeof parent.text)
        parent.text[length++] = '.';
    vsnprintf(parent.text + length, sizeof parent.text - length, format, args);
    va_end(args);
    return parent;
}

static SlWeight *bind_vector(SlBinder *b, SlPath path, const char *name, int64_t n)
{
    return sl_bind(b, SL_WEIGHT_VECTOR, sl_child(path, "%s", name).text, 1, &n);
}

SlLayer sl_bind_linear_without_bias(SlBinder *b, SlPath path, int64_t in, int64_t out)
{
    int64_t size[] = {out, in};
    SlLayer layer = {sl_bind(b, SL_WEIGHT_LINEAR, sl_child(path, "weight").text, 2, size), NULL};
    return layer;
}

SlLayer sl_bind_linear(SlBinder *b, SlPath path, int64_t in, int64_t out)
{
    SlLayer layer = sl_bind_linear_without_bias(b, path, in, out);
    layer.bias = bind_vector(b, path, "bias", out);
    return layer;
}

SlLayer sl_bind_conv3(SlBinder *b, SlPath path, int64_t in, int64_t out)
{
    int64_t size[] = {out, in, 3, 3};
    SlLayer layer = {sl_bind(b, SL_WEIGHT_CONV, sl_child(path, "weight").text, 4, size),
                     bind_vector(b, path, "bias", out)};
    return layer;
}

SlLayer sl_bind_conv3_without_bias(SlBinder *b, SlPath path, int64_t in, int64_t out)
{
    int64_t size[] = {out, in, 3, 3};
    return (SlLayer){.weight = sl_bind(b, SL_WEIGHT_CONV, sl_child(path, "weight").text, 4, size)};
}

SlLayer sl_bind_norm(SlBinder *b, SlPath path, int64_t channels)
{
    SlLayer layer = {bind_vector(b, path, "weight", channels),
                     bind_vector(b, path, "bias", channels)};
    return layer;
}

static SlEpilogue with_bias(const SlLayer *layer, const SlEpilogue *e)
{
    SlEpilogue full = {0};
    if (e)
        full = *e;
    full.bias = layer->bias;
    return full;
}

void sl_layer_linear(SlDevice *dev, const SlLayer *layer, const SlTensor *x, const SlEpilogue *e,
                     SlTensor *out)
{
    SlEpilogue full = with_bias(layer, e);
    sl_linear(dev, x, layer->weight, &full, out);
}

void sl_layer_conv3(SlDevice *dev, const SlLayer *layer, const SlTensor *x, const SlEpilogue *e,
                    SlTensor *out)
{
    static const SlConv same = {1, 1, 1, 1, 1};
    SlEpilogue full = with_bias(layer, e);
    sl_conv2d(dev, x, layer->weight, &same, &full, out);
}

void sl_layer_downsample(SlDevice *dev, const SlLayer *layer, bool only_after, const SlTensor *x,
                         SlTensor *out)
{
    static const SlConv around = {2, 1, 1, 1, 1}, after = {2, 0, 0, 1, 1};
    SlEpilogue full = with_bias(layer, NULL);
    sl_conv2d(dev, x, layer->weight, only_after ? &after : &around, &full, out);
}

void sl_layer_group_norm(SlDevice *dev, const SlLayer *layer, const SlGroupNorm *norm,
                         const SlTensor *x, SlTensor *out)
{
    if (norm->act == SL_ACT_NONE || norm->act == SL_ACT_SILU) {
        sl_group_norm(dev, x, layer->weight, layer->bias, norm, out);
        return;
    }
    SlGroupNorm plain = *norm;
    plain.act = SL_ACT_NONE;
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_like(dev, x);
    sl_group_norm(dev, x, layer->weight, layer->bias, &plain, &normed);
    sl_activation(dev, &normed, norm->act, out);
    sl_arena_reset(dev, mark);
}

SlTensor sl_tensor_like(SlDevice *dev, const SlTensor *t)
{
    return sl_tensor_new(dev, dev->dtype, t->rank, t->size);
}

SlTensor sl_in_dtype(SlDevice *dev, const SlTensor *t)
{
    if (t->dtype == dev->dtype)
        return *t;
    SlTensor copy = sl_tensor_like(dev, t);
    sl_copy(dev, t, &copy);
    return copy;
}

SlTensor sl_as_tokens(const SlTensor *t)
{
    int64_t size[] = {t->size[0], t->size[1] * t->size[2], t->size[3]};
    return sl_reshape(t, 3, size);
}
