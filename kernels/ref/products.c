/* products.c - linear, convolution and attention, as the definitions say, accumulated in double.
 *
 * Values and weights are turned into doubles first, so that many sums can be added up side by side;
 * the order within each sum is that of the definition. */
#include "kernels/ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double bias_of(const SlWeight *bias, int64_t i)
{
    return bias ? sl_ref_at(&bias->value, i) : 0;
}

/* Room for count doubles. NULL and the device failed where there is none. */
static double *doubles(SlDevice *dev, int64_t count)
{
    double *room = malloc((size_t)count * sizeof *room + 1);
    if (!room)
        sl_device_fail(dev, SL_MEMORY, "%s: no memory for a product", dev->name);
    return room;
}

static double *as_doubles(SlDevice *dev, const SlTensor *t)
{
    int64_t count = sl_tensor_elements(t);
    double *values = doubles(dev, count);
    for (int64_t i = 0; values && i < count && sl_ref_goes_on(dev, i, 1); i++)
        values[i] = sl_ref_at(t, i);
    return values;
}

/* A weight [n][k][places] (one place in a linear one, the filter's pixels in a convolution) as
 * doubles [places][k][n]. */
static double *turned(SlDevice *dev, const SlTensor *w, int64_t places)
{
    int64_t n = w->size[0], k = w->size[1];
    double *values = doubles(dev, n * k * places), *next = values;
    for (int64_t place = 0; values && place < places; place++)
        for (int64_t j = 0; j < k; j++)
            for (int64_t i = 0; i < n; i++)
                *next++ = sl_ref_at(w, (i * k + j) * places + place);
    return values;
}

typedef double Doubles __attribute__((vector_size(64), aligned(8), may_alias));

/* sums[i] += x[j] * w[j][i] for n sums at once; each of them is added up in the order of j. (Eight at
 * once, where the sanitizers otherwise look at every number by itself.) */
static void add_products(double *sums, const double *x, const double *w, int64_t k, int64_t n)
{
    for (int64_t j = 0; j < k; j++, w += n) {
        int64_t i = 0;
        for (; i + 8 <= n; i += 8)
            *(Doubles *)(sums + i) += x[j] * *(const Doubles *)(w + i);
        for (; i < n; i++)
            sums[i] += x[j] * w[i];
    }
}

void sl_ref_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   SlTensor *out)
{
    int64_t n = w->size[0], k = w->size[1], rows = sl_tensor_elements(x) / k;
    double *values = as_doubles(dev, x), *weights = turned(dev, &w->value, 1);
    double *sums = doubles(dev, n);
    if (values && weights && sums)
        for (int64_t r = 0; r < rows && sl_ref_goes_on(dev, r, k * n); r++) {
            for (int64_t i = 0; i < n; i++)
                sums[i] = bias_of(bias, i);
            add_products(sums, values + r * k, weights, k, n);
            for (int64_t i = 0; i < n; i++)
                sl_ref_set(out, r * n + i, (float)sums[i]);
        }
    free(values);
    free(weights);
    free(sums);
}

/* One convolution: the input [h][w][channels] and the filters as add_products wants them. */
typedef struct Filters {
    const double *x, *weights;
    double *sums;                  /* room for one of each filter */
    int64_t h, w, channels, count; /* count: filters */
    int64_t rows, columns;         /* of a filter */
} Filters;

/* All filters' sums over the window whose first pixel is (top, left); what lies outside is 0. */
static void add_window(double *sums, const Filters *f, int64_t top, int64_t left)
{
    for (int64_t ky = 0; ky < f->rows; ky++)
        for (int64_t kx = 0; kx < f->columns; kx++) {
            int64_t y = top + ky, x = left + kx;
            if (y < 0 || y >= f->h || x < 0 || x >= f->w)
                continue;
            add_products(sums, f->x + (y * f->w + x) * f->channels,
                         f->weights + (ky * f->columns + kx) * f->channels * f->count, f->channels,
                         f->count);
        }
}

static void filter_picture(SlDevice *dev, const Filters *f, const SlConv *conv,
                           const SlWeight *bias, int64_t n, SlTensor *out)
{
    int64_t e = n * out->size[1] * out->size[2] * f->count;
    int64_t cost = f->count * f->channels * f->rows * f->columns;
    for (int64_t y = 0; y < out->size[1]; y++)
        for (int64_t x = 0; x < out->size[2]; x++) {
            if (!sl_ref_goes_on(dev, y * out->size[2] + x, cost))
                return;
            memset(f->sums, 0, (size_t)f->count * sizeof *f->sums);
            add_window(f->sums, f, y * conv->stride - conv->pad_top,
                       x * conv->stride - conv->pad_left);
            for (int64_t o = 0; o < f->count; o++)
                sl_ref_set(out, e++, (float)(bias_of(bias, o) + f->sums[o]));
        }
}

void sl_ref_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   const SlConv *conv, SlTensor *out)
{
    Filters f = {.h = x->size[1],
                 .w = x->size[2],
                 .channels = x->size[3],
                 .count = w->size[0],
                 .rows = w->size[2],
                 .columns = w->size[3]};
    double *values = as_doubles(dev, x), *weights = turned(dev, &w->value, f.rows * f.columns);
    f.sums = doubles(dev, f.count);
    f.weights = weights;
    if (values && weights && f.sums)
        for (int64_t n = 0; n < out->size[0]; n++) {
            f.x = values + n * f.h * f.w * f.channels;
            filter_picture(dev, &f, conv, bias, n, out);
        }
    free(values);
    free(weights);
    free(f.sums);
}

/* One head of one picture: q and v by rows [queries|keys][d], k turned to [d][keys], and room for
 * the scores of one query and its sums. */
typedef struct Head {
    double *q, *k, *v, *scores, *sums;
    int64_t queries, keys, d;
} Head;

/* t: queries, keys and values; without values those are left alone. */
static void fill_head(Head *head, const SlTensor *t[3], int64_t picture, int64_t first)
{
    const SlTensor *q = t[0], *k = t[1], *v = t[2];
    for (int64_t i = 0; i < head->queries; i++)
        for (int64_t c = 0; c < head->d; c++)
            head->q[i * head->d + c] =
                sl_ref_at(q, picture * q->stride[0] + i * q->stride[1] + first + c);
    for (int64_t j = 0; j < head->keys; j++)
        for (int64_t c = 0; c < head->d; c++) {
            head->k[c * head->keys + j] =
                sl_ref_at(k, picture * k->stride[0] + j * k->stride[1] + first + c);
            if (v)
                head->v[j * head->d + c] =
                    sl_ref_at(v, picture * v->stride[0] + j * v->stride[1] + first + c);
        }
}

/* scores = exp(q k^T scale) for query i, over their largest; gives their sum. A causal one sees no
 * later keys. */
static double soften(Head *head, const SlAttention *attn, int64_t i)
{
    int64_t keys = attn->causal && i + 1 < head->keys ? i + 1 : head->keys;
    double top = -INFINITY, sum = 0;
    memset(head->scores, 0, (size_t)head->keys * sizeof *head->scores);
    add_products(head->scores, head->q + i * head->d, head->k, head->d, head->keys);
    for (int64_t j = 0; j < keys; j++) {
        head->scores[j] *= attn->scale;
        top = head->scores[j] > top ? head->scores[j] : top;
    }
    for (int64_t j = 0; j < keys; j++)
        sum += head->scores[j] = exp(head->scores[j] - top);
    return sum;
}

/* sums = softmax(q k^T scale) v for query i */
static void attend(Head *head, const SlAttention *attn, int64_t i)
{
    int64_t keys = attn->causal && i + 1 < head->keys ? i + 1 : head->keys;
    double sum = soften(head, attn, i);
    memset(head->sums, 0, (size_t)head->d * sizeof *head->sums);
    add_products(head->sums, head->scores, head->v, keys, head->d);
    for (int64_t c = 0; c < head->d; c++)
        head->sums[c] /= sum;
}

void sl_ref_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out)
{
    const SlTensor *t[3] = {q, k, v};
    int64_t d = q->size[2] / attn->heads, queries = q->size[1], keys = k->size[1];
    double *room = doubles(dev, queries * d + 2 * keys * d + keys + d);
    if (!room)
        return;
    Head head = {.q = room,
                 .k = room + queries * d,
                 .v = room + (queries + keys) * d,
                 .scores = room + (queries + 2 * keys) * d,
                 .sums = room + (queries + 2 * keys) * d + keys,
                 .queries = queries,
                 .keys = keys,
                 .d = d};
    for (int64_t n = 0; n < q->size[0]; n++)
        for (int64_t h = 0; h < attn->heads; h++) {
            fill_head(&head, t, n, h * d);
            for (int64_t i = 0; i < queries && sl_ref_goes_on(dev, i, 4 * keys * d); i++) {
                attend(&head, attn, i);
                for (int64_t c = 0; c < d; c++)
                    sl_ref_set(out, n * out->stride[0] + i * out->stride[1] + h * d + c,
                               (float)head.sums[c]);
            }
        }
    free(room);
}

/* The mean over the heads is taken in double, too: [queries, keys] of one item. */
void sl_ref_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                          const SlAttention *attn, bool add, SlTensor *out)
{
    const SlTensor *t[3] = {q, k, NULL};
    int64_t d = q->size[2] / attn->heads, queries = q->size[1], keys = k->size[1];
    double *room = doubles(dev, queries * (d + keys) + keys * d + keys);
    if (!room)
        return;
    double *mean = room + (queries + keys) * d + keys;
    Head head = {.q = room,
                 .k = room + queries * d,
                 .scores = room + (queries + keys) * d,
                 .queries = queries,
                 .keys = keys,
                 .d = d};
    for (int64_t n = 0; n < q->size[0]; n++) {
        memset(mean, 0, (size_t)(queries * keys) * sizeof *mean);
        for (int64_t h = 0; h < attn->heads; h++) {
            fill_head(&head, t, n, h * d);
            for (int64_t i = 0; i < queries && sl_ref_goes_on(dev, i, 4 * keys * d); i++) {
                double sum = soften(&head, attn, i) * attn->heads;
                for (int64_t j = 0; j < keys; j++)
                    mean[i * keys + j] += head.scores[j] / sum;
            }
        }
        float *to = (float *)out->data + n * queries * keys;
        for (int64_t i = 0; i < queries * keys; i++)
            to[i] = (float)(mean[i] + (add ? to[i] : 0));
    }
    free(room);
}
