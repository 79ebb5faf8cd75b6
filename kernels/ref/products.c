/* products.c - linear, convolution and attention, as the definitions say, accumulated in double. */
#include "kernels/ref/ref.h"

#include <math.h>
#include <stdlib.h>

static double bias_of(const SlWeight *bias, int64_t i)
{
    return bias ? sl_ref_at(&bias->value, i) : 0;
}

void sl_ref_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   SlTensor *out)
{
    (void)dev;
    int64_t n = w->size[0], k = w->size[1], rows = sl_tensor_elements(x) / k;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) {
            double sum = bias_of(bias, i);
            for (int64_t j = 0; j < k; j++)
                sum += (double)sl_ref_at(x, r * k + j) * sl_ref_at(&w->value, i * k + j);
            sl_ref_set(out, r * n + i, (float)sum);
        }
}

/* One output value: window at (y, x0) of the input, filter o. */
static double window(const SlTensor *x, const SlWeight *w, const int64_t at[3], int64_t o)
{
    int64_t h = x->size[1], wide = x->size[2], channels = x->size[3];
    double sum = 0;
    for (int64_t ky = 0; ky < w->size[2]; ky++)
        for (int64_t kx = 0; kx < w->size[3]; kx++) {
            int64_t iy = at[1] + ky, ix = at[2] + kx;
            if (iy < 0 || iy >= h || ix < 0 || ix >= wide)
                continue;
            for (int64_t c = 0; c < channels; c++)
                sum +=
                    (double)sl_ref_at(x, ((at[0] * h + iy) * wide + ix) * channels + c) *
                    sl_ref_at(&w->value, ((o * channels + c) * w->size[2] + ky) * w->size[3] + kx);
        }
    return sum;
}

void sl_ref_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   const SlConv *conv, SlTensor *out)
{
    (void)dev;
    int64_t i = 0;
    for (int64_t n = 0; n < out->size[0]; n++)
        for (int64_t y = 0; y < out->size[1]; y++)
            for (int64_t z = 0; z < out->size[2]; z++)
                for (int64_t o = 0; o < out->size[3]; o++) {
                    const int64_t at[3] = {n, y * conv->stride - conv->pad_top,
                                           z * conv->stride - conv->pad_left};
                    sl_ref_set(out, i++, (float)(bias_of(bias, o) + window(x, w, at, o)));
                }
}

/* softmax(q k^T scale) v for one query row of one head; scores has room for all keys. */
static void attend(const SlTensor *t[4], const SlAttention *attn, const int64_t at[3],
                   double *scores)
{
    const SlTensor *q = t[0], *k = t[1], *v = t[2], *out = t[3];
    int64_t d = q->size[2] / attn->heads, first = at[2] * d;
    int64_t keys = attn->causal && at[1] + 1 < k->size[1] ? at[1] + 1 : k->size[1];
    int64_t row = at[0] * q->stride[0] + at[1] * q->stride[1] + first;
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; j++) {
        int64_t key = at[0] * k->stride[0] + j * k->stride[1] + first;
        scores[j] = 0;
        for (int64_t c = 0; c < d; c++)
            scores[j] += (double)sl_ref_at(q, row + c) * sl_ref_at(k, key + c);
        scores[j] *= attn->scale;
        top = scores[j] > top ? scores[j] : top;
    }
    for (int64_t j = 0; j < keys; j++)
        sum += scores[j] = exp(scores[j] - top);
    for (int64_t c = 0; c < d; c++) {
        double value = 0;
        for (int64_t j = 0; j < keys; j++)
            value += scores[j] * sl_ref_at(v, at[0] * v->stride[0] + j * v->stride[1] + first + c);
        sl_ref_set(out, at[0] * out->stride[0] + at[1] * out->stride[1] + first + c,
                   (float)(value / sum));
    }
}

void sl_ref_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out)
{
    const SlTensor *t[4] = {q, k, v, out};
    double *scores = malloc((size_t)k->size[1] * sizeof *scores);
    if (!scores) {
        sl_device_fail(dev, SL_MEMORY, "%s: no memory for attention", dev->name);
        return;
    }
    for (int64_t n = 0; n < q->size[0]; n++)
        for (int64_t i = 0; i < q->size[1]; i++)
            for (int64_t head = 0; head < attn->heads; head++)
                attend(t, attn, (const int64_t[]){n, i, head}, scores);
    free(scores);
}
