/* unpack_tiles.c - weights in 8 bits as tiles: each value its product with the scale, rounded to bf16, which is
 * what ref computes with.
 *
 * A tile's row is a pair of neighbouring channels of 16 outputs, the pair of each output side by side; a
 * block has the outputs of a channel side by side.
 */
#include "kernels/cpu/tiles.h"

#define SIDE  SL_TILE_SIDE
#define DEPTH SL_TILE_DEPTH
#define TILE  SL_TILE
#define ASKED 6 /* blocks further on that are asked for */

static void ask_for(const SlCpuQ8 *block)
{
    for (size_t i = 0; i < sizeof *block; i += 64)
        _mm_prefetch((const char *)block + i, _MM_HINT_T0);
}

/* Two channels of 16 outputs, in bf16, as a row of a tile. */
static void store_pairs(__m512 even, __m512 odd, uint16_t *to)
{
    const __m512i pairs =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(odd, even);
    _mm512_store_si512(to, _mm512_permutexvar_epi16(pairs, both));
}

#ifdef __AVX512VBMI__

/* By what the pairs of 8 outputs are multiplied, and what is taken from that. */
typedef struct Scales {
    __m512 by[4], less[4];
} Scales;

static Scales load_scales(const SlCpuQ8 *block)
{
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    Scales s;
    for (int i = 0; i < 4; i++) {
        __m512 scale = (__m512)sl_vec_load_f16(block->scale, i / 2 * SIDE);
        __m512i at = _mm512_add_epi32(twice, _mm512_set1_epi32(i % 2 * 8));
        s.by[i] = _mm512_mul_ps(_mm512_permutexvar_ps(at, scale), _mm512_set1_ps(256));
        s.less[i] = _mm512_mul_ps(s.by[i], _mm512_set1_ps(128.5f));
    }
    return s;
}

/* Which bytes of two channels of 32 outputs become the second bytes of 16 floats. */
static void find_pairs(__m512i at[4])
{
    const __m512i first = _mm512_setr_epi32(0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39);
    for (int i = 0; i < 4; i++)
        at[i] = _mm512_slli_epi32(_mm512_add_epi32(first, _mm512_set1_epi32(i * 8)), 8);
}

/* A value v is put into a float as 128.5 + v / 256, of which one operation makes the product with the
 * scale: all in between is exact. */
void SL_FOR_ISA(sl_tile_unpack)(const SlCpuQ8 *block, uint16_t *to)
{
    const __m512i base = _mm512_set1_epi32(0x43000000), flip = _mm512_set1_epi8(-128);
    Scales s = load_scales(block);
    __m512i at[4];
    find_pairs(at);
    ask_for(block + ASKED);
    for (int64_t c = 0; c < DEPTH; c += 2, to += DEPTH) {
        __m512i two = _mm512_xor_si512(_mm512_loadu_si512(block->value[c]), flip);
        __m512 v[4];
        for (int i = 0; i < 4; i++) {
            __m512i f = _mm512_mask_permutexvar_epi8(base, 0x2222222222222222, at[i], two);
            v[i] = _mm512_fmsub_ps(_mm512_castsi512_ps(f), s.by[i], s.less[i]);
        }
        _mm512_store_si512(to, (__m512i)_mm512_cvtne2ps_pbh(v[1], v[0]));
        _mm512_store_si512(to + TILE, (__m512i)_mm512_cvtne2ps_pbh(v[3], v[2]));
    }
}

#else

void SL_FOR_ISA(sl_tile_unpack)(const SlCpuQ8 *block, uint16_t *to)
{
    ask_for(block + ASKED);
    for (int64_t o = 0; o < 2; o++) {
        __m512 scale = (__m512)sl_vec_load_f16(block->scale, o * SIDE);
        for (int64_t c = 0; c < DEPTH; c += 2) {
            __m512 even = (__m512)sl_vec_load_i8(block->value[c] + o * SIDE);
            __m512 odd = (__m512)sl_vec_load_i8(block->value[c + 1] + o * SIDE);
            store_pairs(even * scale, odd * scale, to + o * TILE + c / 2 * DEPTH);
        }
    }
}

#endif

/* An element of the window, of 16 outputs. */
static __m512 load_element(const SlCpuQ8 *panel, int64_t element, int64_t output)
{
    const SlCpuQ8 *block = panel + element / DEPTH;
    return (__m512)(sl_vec_load_f16(block->scale, output) *
                    sl_vec_load_i8(block->value[element % DEPTH] + output));
}

void SL_FOR_ISA(sl_tile_gather)(const SlCpuQ8 *panel, int64_t channels, int64_t taps, int64_t tile,
                                uint16_t *to)
{
    int64_t first = tile / taps * DEPTH, tap = tile % taps * channels;
    for (int64_t c = first; c < first + DEPTH; c += 2, to += DEPTH)
        for (int64_t o = 0; o < 2; o++) {
            __m512 even = _mm512_setzero_ps(), odd = even;
            if (c < channels)
                even = load_element(panel, tap + c, o * SIDE);
            if (c + 1 < channels)
                odd = load_element(panel, tap + c + 1, o * SIDE);
            store_pairs(even, odd, to + o * TILE);
        }
}
