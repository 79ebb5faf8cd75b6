/* tile_strip.h - what every product of bf16 ends in: a strip, up to 32 rows, by a part of the depth of one panel
 * of weights (tiles.h); on the matrix unit where the file is compiled for it, else in vectors. Private to
 * products_bf16.c.
 *
 * Sums are taken in the order of the depth, whatever the number of rows. The two ways have other bits: which
 * of a pair comes first, and how often is rounded, is the processor's.
 */
#ifndef SL_KERNELS_TILE_STRIP_H
#define SL_KERNELS_TILE_STRIP_H

#ifdef __AMX_BF16__
#include "kernels/cpu/amx.h"
#else
#include "kernels/cpu/tiles.h"
#endif

typedef struct SlTileStrip {
    /* The first of 8 rows each, two for a tile of rows. On the matrix unit all 16 rows of a tile lie
     * `stride` bytes apart, and only a[0] and a[2] are read. Of a strip of one tile a[2] and a[3] are
     * nothing. */
    const uint16_t *a[4];
    int64_t stride;
    int64_t panel;
    const int64_t *offset; /* of each tile of the depth, in values */
    const uint16_t *weights;
    const SlCpuQ8 *q8; /* that become the weights, in `room`; NULL: they are there */
    uint16_t *room;
    int64_t steps; /* tiles of the depth */
    float *sum; /* four tiles: of a tile of rows by the panel's halves, of the next tile of rows */
    bool first; /* of its part */
    bool go_on; /* adds to the sums that are there */
    const char *next; /* weights that come next, asked for meanwhile */
    int64_t ahead;    /* bytes of them for each tile of the depth */
} SlTileStrip;

#ifdef __AMX_BF16__

#define SL_TILE_RUN  16 /* rows that lie `stride` apart */
#define SL_TILE_SOON 2  /* steps that weights in 8 bits are unpacked before they are multiplied */

/* Before a thread's first strip, and behind its last. */
static inline void sl_tile_begin(void)
{
    sl_amx_begin();
}

static inline void sl_tile_end(void)
{
    sl_amx_end();
}

/* Before they are multiplied, so that both are done at the same time. */
SL_INLINE void sl_tile_unpack_some(const SlTileStrip *s, int64_t k, int64_t count)
{
    if (!s->q8)
        return;
    for (int64_t i = k; i < k + count && i < s->steps; i++)
        SL_FOR_ISA(sl_tile_unpack)(s->q8 + i, s->room + i * 2 * SL_TILE);
    sl_amx_stored();
}

/* Of tiles 0 to 3 are sums, 4 and 5 rows, 6 and 7 weights. tall: two tiles of rows, broad: of outputs;
 * both are constants wherever this is called. */
SL_INLINE void sl_tile_multiply(const SlTileStrip *s, const bool tall, const bool broad)
{
    float *sum = s->sum;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (s->go_on) {
        _tile_loadd(0, sum, SL_TILE_ROW);
        if (broad)
            _tile_loadd(1, sum + SL_TILE / 2, SL_TILE_ROW);
        if (tall)
            _tile_loadd(2, sum + SL_TILE, SL_TILE_ROW);
        if (tall && broad)
            _tile_loadd(3, sum + 3 * SL_TILE / 2, SL_TILE_ROW);
    }
    const uint16_t *w = s->weights;
    const char *next = s->next;
    sl_amx_stored();
    sl_tile_unpack_some(s, 0, SL_TILE_SOON);
    for (int64_t k = 0; k < s->steps; k++, w += 2 * SL_TILE, next += s->ahead) {
        int64_t offset = s->offset[k];
        sl_tile_unpack_some(s, k + SL_TILE_SOON, 1);
        _tile_loadd(6, w, SL_TILE_ROW);
        _tile_loadd(4, s->a[0] + offset, s->stride);
        _tile_dpbf16ps(0, 4, 6);
        if (broad) {
            _tile_loadd(7, w + SL_TILE, SL_TILE_ROW);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (tall) {
            _tile_loadd(5, s->a[2] + offset, s->stride);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (tall && broad)
            _tile_dpbf16ps(3, 5, 7);
        for (int64_t i = 0; i < s->ahead; i += 64)
            _mm_prefetch(next + i, _MM_HINT_T1);
    }
    _tile_stored(0, sum, SL_TILE_ROW);
    if (broad)
        _tile_stored(1, sum + SL_TILE / 2, SL_TILE_ROW);
    if (tall)
        _tile_stored(2, sum + SL_TILE, SL_TILE_ROW);
    if (tall && broad)
        _tile_stored(3, sum + 3 * SL_TILE / 2, SL_TILE_ROW);
}

#else

#define SL_TILE_RUN   8 /* rows that lie `stride` apart */
#define SL_TILE_LINES 8 /* rows whose sums are in registers at a time */

static inline void sl_tile_begin(void)
{
}

static inline void sl_tile_end(void)
{
}

/* Rows 8 i to 8 i + 7 of the strip. */
SL_INLINE void sl_tile_lines(const SlTileStrip *s, int64_t i, const bool broad)
{
    const int halves = broad ? 2 : 1;
    __m512 acc[SL_TILE_LINES][2];
    float *sum = s->sum + i / 2 * SL_TILE + i % 2 * SL_TILE_LINES * SL_TILE_SIDE;
    const uint16_t *w = s->weights;
    int64_t stride = s->stride;
    for (int r = 0; r < SL_TILE_LINES; r++)
        for (int n = 0; n < halves; n++)
            acc[r][n] = s->go_on ? _mm512_load_ps(sum + r * SL_TILE_SIDE + n * SL_TILE / 2)
                                 : _mm512_setzero_ps();
    for (int64_t k = 0; k < s->steps; k++, w += 2 * SL_TILE) {
        const char *a = (const char *)(s->a[i] + s->offset[k]);
        /* the same rows of the next tile; weights of the next part */
        const char *soon = (const char *)(s->a[i] + s->offset[k + 1 < s->steps ? k + 1 : k]);
        for (int r = 0; r < SL_TILE_LINES; r++)
            _mm_prefetch(soon + r * stride, _MM_HINT_T0);
        for (int64_t b = 0; b < s->ahead && i == 0; b += 64)
            _mm_prefetch(s->next + k * s->ahead + b, _MM_HINT_T1);
        for (int pair = 0; pair < SL_TILE_SIDE; pair++) {
            __m512bh first = (__m512bh)_mm512_load_si512(w + pair * SL_TILE_DEPTH), second = first;
            if (broad)
                second = (__m512bh)_mm512_load_si512(w + SL_TILE + pair * SL_TILE_DEPTH);
            /* of the next tiles */
            _mm_prefetch(w + 2 * SL_TILE + pair * SL_TILE_DEPTH, _MM_HINT_T0);
            _mm_prefetch(w + 3 * SL_TILE + pair * SL_TILE_DEPTH, _MM_HINT_T0);
            for (int r = 0; r < SL_TILE_LINES; r++) {
                int32_t two;
                memcpy(&two, a + r * stride + pair * (int64_t)sizeof two, sizeof two);
                __m512bh x = (__m512bh)_mm512_set1_epi32(two);
                acc[r][0] = _mm512_dpbf16_ps(acc[r][0], x, first);
                if (broad)
                    acc[r][1] = _mm512_dpbf16_ps(acc[r][1], x, second);
            }
        }
    }
    for (int r = 0; r < SL_TILE_LINES; r++)
        for (int n = 0; n < halves; n++)
            _mm512_store_ps(sum + r * SL_TILE_SIDE + n * SL_TILE / 2, acc[r][n]);
}

/* tall: two tiles of rows, broad: of outputs; both are constants wherever this is called. */
SL_INLINE void sl_tile_multiply(const SlTileStrip *s, const bool tall, const bool broad)
{
    for (int64_t k = 0; k < s->steps && s->q8; k++)
        SL_FOR_ISA(sl_tile_unpack)(s->q8 + k, s->room + k * 2 * SL_TILE);
    for (int64_t i = 0; i < (tall ? 4 : 2); i++)
        sl_tile_lines(s, i, broad);
}

#endif

static inline void sl_tile_strip(const SlTileStrip *s, bool tall, bool broad)
{
    if (tall && broad)
        sl_tile_multiply(s, true, true);
    else if (tall)
        sl_tile_multiply(s, true, false);
    else if (broad)
        sl_tile_multiply(s, false, true);
    else
        sl_tile_multiply(s, false, false);
}

#endif
