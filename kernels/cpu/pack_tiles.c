/* pack_tiles.c - weights as tiles (tiles.h): [tap][half of a panel][pair of channels][16 outputs][2].
 *
 * Loading a model is little but this and reading, so it is done in vectors. A tile is 16 outputs with 16
 * pairs of channels each, which are transposed as numbers of 32 bits; a file has the channels of a
 * window's element as far apart as the window is large, so they are gathered.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tiles.h"

#define SIDE  SL_TILE_SIDE
#define DEPTH SL_TILE_DEPTH
#define TILE  SL_TILE

static void convert(const void *from, SlDtype dtype, float *to, int64_t count)
{
    for (int64_t i = 0; i < count; i += SL_VEC_FLOATS) {
        int64_t n = count - i < SL_VEC_FLOATS ? count - i : SL_VEC_FLOATS;
        __mmask16 some = (__mmask16)((1u << n) - 1);
        __m256i half = _mm256_maskz_loadu_epi16(some, (const uint16_t *)from + i);
        __m512 v = dtype == SL_F16 ? _mm512_cvtph_ps(half) : (__m512)sl_vec_of_bf16((SlVecH)half);
        _mm512_mask_storeu_ps(to + i, some, v);
    }
}

/* The block's elements of 16 outputs as f32, one output behind the other; returns where. */
static const float *as_f32(const SlTilePack *p, int64_t first, int64_t outputs, int64_t *step)
{
    int64_t count = p->channels * p->taps;
    *step = p->step;
    if (p->dtype == SL_F32)
        return (const float *)(const void *)p->from + first * p->step;
    *step = count;
    for (int64_t o = 0; o < outputs; o++)
        convert(p->from + (first + o) * p->step * (int64_t)sizeof(uint16_t), p->dtype,
                p->room + o * count, count);
    return p->room;
}

/* One element of the window: pairs of channels of one output; zeros for channels that are not there. */
static __m512i pairs_of(const SlTilePack *p, const float *from)
{
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i place = _mm512_mullo_epi32(lane, _mm512_set1_epi32((int)(2 * p->taps)));
    int64_t even = (p->channels + 1) / 2, odd = p->channels / 2;
    __mmask16 first = (__mmask16)((1u << even) - 1), second = (__mmask16)((1u << odd) - 1);
    __m512 none = _mm512_setzero_ps();
    __m512 a = _mm512_mask_i32gather_ps(none, first, place, from, 4);
    __m512 b = _mm512_mask_i32gather_ps(none, second, place, from + p->taps, 4);
    /* a's halves of the lanes are the first of each pair */
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(a));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(b));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/* The same of a window of one element and all channels, which lie side by side. */
static __m512i pairs_in_place(const float *from)
{
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + SIDE), _mm512_loadu_ps(from));
}

static void pack_half(const SlTilePack *p, int64_t half)
{
    int64_t outputs = p->outputs - half * SIDE, step;
    outputs = outputs < 0 ? 0 : outputs < SIDE ? outputs : SIDE;
    const float *from = as_f32(p, half * SIDE, outputs, &step);
    bool side_by_side = p->taps == 1 && p->channels == DEPTH;
    for (int64_t tap = 0; tap < p->taps; tap++) {
        uint16_t *to = p->to + (2 * tap + half) * TILE;
        __m512i row[SIDE];
        for (int64_t o = 0; o < SIDE; o++)
            row[o] = o >= outputs   ? _mm512_setzero_si512()
                     : side_by_side ? pairs_in_place(from + o * step)
                                    : pairs_of(p, from + o * step + tap);
        sl_tile_transpose(row);
        for (int64_t i = 0; i < SIDE; i++)
            _mm512_store_si512(to + i * DEPTH, row[i]);
    }
}

void sl_cpu_pack_tiles(const SlTilePack *p)
{
    pack_half(p, 0);
    pack_half(p, 1);
}
