/* gemm.h - the register tile that every product of the cpu device ends in, and what follows a
 * product. Private to kernels/cpu; compiled once per instruction set (see vec.h).
 *
 * A strip is some rows times one panel of weights: SL_CPU_PANEL outputs that lie side by side for
 * each element of the depth. Rows are read where they are, an element at a time to all lanes; sums
 * stay in registers over the whole depth. Each sum is taken in the order of the depth, whatever the
 * number of rows, so that how rows are grouped does not show in the result.
 */
#ifndef SL_KERNELS_GEMM_H
#define SL_KERNELS_GEMM_H

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

typedef struct SlStrip {
    const float *a;   /* rows */
    int64_t a_stride; /* in floats, as the others */
    const void *panel;
    SlDtype type; /* of the panel: f32 or bf16 */
    int64_t depth;
    float *sum;
    int64_t sum_stride;
    bool go_on; /* add to the sums that are there */
} SlStrip;

/* rows and vectors are constants wherever this is called, or the sums would not be registers. */
SL_INLINE void sl_tile(const SlStrip *s, int64_t first, int column, int rows, int vectors,
                       SlDtype type)
{
    SlVec acc[12][4];
    const float *a = s->a + first * s->a_stride;
    float *sum = s->sum + first * s->sum_stride + column;
    int64_t stride = s->a_stride, depth = s->depth;
    const void *panel = s->panel;
    for (int i = 0; i < rows; i++)
        for (int b = 0; b < vectors; b++)
            acc[i][b] =
                s->go_on ? *(SlVec *)(sum + i * s->sum_stride + b * SL_VEC_FLOATS) : sl_vec_set(0);
    for (int64_t k = 0; k < depth; k++) {
        SlVec w[4];
        for (int b = 0; b < vectors; b++)
            w[b] = sl_vec_load(panel, type, k * SL_CPU_PANEL + column + b * SL_VEC_FLOATS);
        for (int i = 0; i < rows; i++) {
            SlVec x = sl_vec_set(a[i * stride + k]);
            for (int b = 0; b < vectors; b++)
                acc[i][b] += x * w[b];
        }
    }
    for (int i = 0; i < rows; i++)
        for (int b = 0; b < vectors; b++)
            *(SlVec *)(sum + i * s->sum_stride + b * SL_VEC_FLOATS) = acc[i][b];
}

/* The tallest tile first: how many sums fit the registers beside the weights and a row. There are 32
 * registers with AVX-512 and with NEON, else 16. */
#define SL_TILES(ROWS, VECTORS, TYPE)                              \
    for (; rows - i >= ROWS; i += ROWS)                            \
        for (int c = 0; c < columns; c += (VECTORS)*SL_VEC_FLOATS) \
            sl_tile(s, i, c, ROWS, VECTORS, TYPE);

SL_INLINE void sl_strip_of(const SlStrip *s, int64_t rows, int columns, SlDtype type)
{
    int64_t i = 0;
#if defined(__AVX512F__)
    if (columns > SL_VEC_FLOATS) {
        SL_TILES(12, 2, type)
        SL_TILES(8, 2, type)
        SL_TILES(4, 2, type)
        SL_TILES(1, 2, type)
    }
    SL_TILES(12, 1, type)
    SL_TILES(4, 1, type)
    SL_TILES(1, 1, type)
#elif defined(__aarch64__)
    SL_TILES(6, 4, type)
    SL_TILES(2, 4, type)
    SL_TILES(1, 4, type)
#else
    SL_TILES(6, 2, type)
    SL_TILES(4, 2, type)
    SL_TILES(2, 2, type)
    SL_TILES(1, 2, type)
#endif
}

/* All rows of the strip by the panel's first `outputs` outputs, in whole halves of the panel. */
SL_INLINE void sl_strip(const SlStrip *s, int64_t rows, int64_t outputs)
{
    int columns = outputs > SL_CPU_PANEL / 2 ? SL_CPU_PANEL : SL_CPU_PANEL / 2;
    if (s->type == SL_F32)
        sl_strip_of(s, rows, columns, SL_F32);
    else
        sl_strip_of(s, rows, columns, SL_BF16);
}

/* ---- what follows a product ---- */

SL_INLINE SlVec sl_load_some(const void *p, SlDtype dtype, int64_t i, int64_t n)
{
    return n >= SL_VEC_FLOATS ? sl_vec_load(p, dtype, i) : sl_vec_load_part(p, dtype, i, n);
}

SL_INLINE void sl_store_some(void *p, SlDtype dtype, int64_t i, int64_t n, SlVec v)
{
    if (n >= SL_VEC_FLOATS)
        sl_vec_store(p, dtype, i, v);
    else
        sl_vec_store_part(p, dtype, i, n, v);
}

typedef struct SlOutputPlace {
    int64_t item, at, channel; /* item of the batch, element of the output, its channel */
    int64_t n;                 /* channels from here on, at least 1 */
} SlOutputPlace;

/* Up to a vector of sums of neighbouring channels become output. */
SL_INLINE void sl_finish(const SlEpilogue *e, SlTensor *out, SlVec v, const SlOutputPlace *p)
{
    if (e->bias)
        v += sl_load_some(e->bias->value.data, SL_F32, p->channel, p->n);
    if (e->per_channel)
        v += sl_load_some(e->per_channel->data, e->per_channel->dtype,
                          p->item * e->per_channel->size[1] + p->channel, p->n);
    if (e->act != SL_ACT_NONE)
        v = sl_vec_act(v, e->act);
    if (e->residual)
        v += sl_load_some(e->residual->data, e->residual->dtype, p->at, p->n);
    if (e->scale != 0)
        v *= e->scale;
    sl_store_some(out->data, out->dtype, p->at, p->n, v);
}

#endif
