/* elementwise.c - everything that is not a product or a norm. */
#include "kernels/ref/ref.h"

#include <math.h>
#include <string.h>

float sl_ref_act(float x, SlActivation act)
{
    double v = x;
    switch (act) {
    case SL_ACT_SILU:
        return (float)(v / (1 + exp(-v)));
    case SL_ACT_GELU:
        return (float)(0.5 * v * (1 + erf(v * 0.70710678118654752440)));
    case SL_ACT_GELU_TANH:
        return (float)(0.5 * v * (1 + tanh(0.79788456080286535588 * (v + 0.044715 * v * v * v))));
    case SL_ACT_QUICK_GELU:
        return (float)(v / (1 + exp(-1.702 * v)));
    case SL_ACT_RELU:
        return x > 0 ? x : 0;
    case SL_ACT_TANH:
        return (float)tanh(v);
    case SL_ACT_MISH:
        return (float)(v * tanh(v > 30 ? v : log1p(exp(v))));
    case SL_ACT_COUNT:
    case SL_ACT_NONE:
        break;
    }
    return x;
}

void sl_ref_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    int64_t n = sl_tensor_elements(x), at[SL_MAX_RANK] = {0};
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++) {
        int64_t from = 0, to = 0;
        for (int a = 0; a < x->rank; a++) {
            from += at[a] * x->stride[a];
            to += at[a] * out->stride[a];
        }
        if (x->dtype == out->dtype) {
            size_t size = sl_dtype_size(x->dtype);
            memcpy((char *)out->data + to * (int64_t)size, (char *)x->data + from * (int64_t)size,
                   size);
        } else {
            sl_ref_set(out, to, sl_ref_at(x, from));
        }
        for (int a = x->rank - 1; a >= 0 && ++at[a] == x->size[a]; a--)
            at[a] = 0;
    }
}

void sl_ref_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    int64_t n = sl_tensor_elements(x);
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++)
        sl_ref_set(out, i, sl_ref_act(sl_ref_at(x, i), act));
}

void sl_ref_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    int64_t d = out->size[out->rank - 1], rows = sl_tensor_elements(out) / d;
    for (int64_t r = 0; r < rows && sl_ref_goes_on(dev, r, 8 * out->size[out->rank - 1]); r++)
        for (int64_t i = 0; i < d; i++) {
            float gate = sl_ref_act(sl_ref_at(x, r * 2 * d + d + i), SL_ACT_GELU);
            sl_ref_set(out, r * d + i, sl_ref_at(x, r * 2 * d + i) * gate);
        }
}

void sl_ref_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out)
{
    int64_t n = sl_tensor_elements(a);
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++)
        sl_ref_set(out, i, (sl_ref_at(a, i) + sl_ref_at(b, i)) * scale);
}

void sl_ref_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    int64_t channels = c->size[1], n = sl_tensor_elements(x), per_item = n / x->size[0];
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++)
        sl_ref_set(out, i, sl_ref_at(x, i) + sl_ref_at(c, i / per_item * channels + i % channels));
}

void sl_ref_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    int64_t channels = c->size[1] / 2, n = sl_tensor_elements(x), per_item = n / x->size[0];
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++) {
        int64_t at = i / per_item * 2 * channels + i % channels;
        sl_ref_set(out, i, sl_ref_at(x, i) * (1 + sl_ref_at(c, at)) + sl_ref_at(c, at + channels));
    }
}

void sl_ref_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    int64_t da = a->size[a->rank - 1], db = b->size[b->rank - 1];
    int64_t rows = sl_tensor_elements(out) / (da + db);
    for (int64_t r = 0; r < rows && sl_ref_goes_on(dev, r, 8 * out->size[out->rank - 1]); r++) {
        for (int64_t i = 0; i < da; i++)
            sl_ref_set(out, r * (da + db) + i, sl_ref_at(a, r * da + i));
        for (int64_t i = 0; i < db; i++)
            sl_ref_set(out, r * (da + db) + da + i, sl_ref_at(b, r * db + i));
    }
}

void sl_ref_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    int64_t h = x->size[1], w = x->size[2], channels = x->size[3], i = 0;
    for (int64_t n = 0; n < out->size[0]; n++)
        for (int64_t y = 0; y < out->size[1] && sl_ref_goes_on(dev, y, 8 * out->size[2] * channels);
             y++)
            for (int64_t z = 0; z < out->size[2]; z++) {
                int64_t sy = y * h / out->size[1], sx = z * w / out->size[2];
                for (int64_t c = 0; c < channels; c++)
                    sl_ref_set(out, i++, sl_ref_at(x, ((n * h + sy) * w + sx) * channels + c));
            }
}

void sl_ref_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    int64_t h = x->size[1], w = x->size[2], channels = x->size[3], i = 0;
    for (int64_t n = 0; n < out->size[0]; n++)
        for (int64_t y = 0; y < out->size[1] && sl_ref_goes_on(dev, y, 8 * out->size[2] * channels);
             y++)
            for (int64_t z = 0; z < out->size[2]; z++)
                for (int64_t c = 0; c < channels; c++) {
                    int64_t from = ((n * h + 2 * y) * w + 2 * z) * channels + c;
                    float sum = sl_ref_at(x, from) + sl_ref_at(x, from + channels) +
                                sl_ref_at(x, from + w * channels) +
                                sl_ref_at(x, from + (w + 1) * channels);
                    sl_ref_set(out, i++, sum / 4);
                }
}

void sl_ref_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                      const SlWeight *positions, SlTensor *out)
{
    int64_t d = tokens->size[1], length = ids->size[1], n = sl_tensor_elements(ids);
    const int32_t *id = ids->data;
    for (int64_t r = 0; r < n && sl_ref_goes_on(dev, r, 4 * d); r++) {
        if (id[r] < 0 || id[r] >= tokens->size[0]) {
            sl_device_fail(dev, SL_FORMAT, "token %d is not in the table of %lld embeddings",
                           (int)id[r], (long long)tokens->size[0]);
            return;
        }
        for (int64_t i = 0; i < d; i++) {
            float v = sl_ref_at(&tokens->value, id[r] * d + i);
            if (positions)
                v += sl_ref_at(&positions->value, r % length * d + i);
            sl_ref_set(out, r * d + i, v);
        }
    }
}

void sl_ref_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                               SlTensor *out)
{
    int64_t dim = out->size[1], half = dim / 2;
    for (int64_t n = 0; n < out->size[0]; n++) {
        for (int64_t i = 0; i < half; i++) {
            /* in f32, as torch does: the argument reaches 1000, where f32 steps are visible */
            float exponent = -logf(e->max_period) * (float)i;
            exponent = exponent / ((float)half - e->downscale_freq_shift);
            float angle = sl_ref_at(t, n) * expf(exponent);
            int64_t sine = e->flip_sin_to_cos ? half + i : i;
            int64_t cosine = e->flip_sin_to_cos ? i : half + i;
            sl_ref_set(out, n * dim + sine, sinf(angle));
            sl_ref_set(out, n * dim + cosine, cosf(angle));
        }
        if (dim % 2)
            sl_ref_set(out, n * dim + dim - 1, 0);
    }
}

void sl_ref_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out)
{
    const int64_t *size = said->size, *stride = said->stride, n = size[1] * size[2] * size[3];
    float *o = out->data, g = sl_ref_at(scale, 0);
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++) {
        int64_t x = i % size[3], y = i / size[3] % size[2], c = i / size[3] / size[2];
        int64_t at = c * stride[1] + y * stride[2] + x * stride[3];
        float u = sl_ref_at(said, at), t = sl_ref_at(said, at + stride[0]);
        o[i] = u + g * (t - u);
        o[n + i] = u;
        o[2 * n + i] = t;
    }
}

void sl_ref_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was, SlTensor *out)
{
    int64_t n = sl_tensor_elements(now) / 2;
    double apart = 0, size = 0;
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++) {
        float before = sl_ref_at(was, n + i) - sl_ref_at(was, i);
        apart += fabsf(sl_ref_at(now, n + i) - sl_ref_at(now, i) - before);
        size += fabsf(before);
    }
    sl_ref_set(out, 0, (float)apart);
    sl_ref_set(out, 1, (float)size);
}

void sl_ref_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    uint8_t *o = out->data;
    int64_t n = sl_tensor_elements(x);
    for (int64_t i = 0; i < n && sl_ref_goes_on(dev, i, 8); i++) {
        float v = sl_ref_at(x, i) / 2 + 0.5f;
        v = v > 0 ? v : 0; /* NaN becomes 0 */
        o[i] = (uint8_t)lrintf((v < 1 ? v : 1) * 255);
    }
}
