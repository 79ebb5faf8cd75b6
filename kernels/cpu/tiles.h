/* tiles.h - products of bf16 by tiles. Private to kernels/cpu; only for files that are compiled for AVX-512
 * BF16 or for the matrix unit (AMX).
 *
 * A tile has 16 rows of 64 bytes. As the first factor it is 16 rows of 32 values in bf16; as the second it is 16
 * pairs of neighbouring values for each of 16 outputs; as sums it is 16 x 16 floats. That is what the matrix unit
 * multiplies, and what the processor's products in vectors (vdpbf16ps) multiply is the same: a pair of a row by
 * the pairs of 16 outputs. So weights are packed in one way for both.
 */
#ifndef SL_KERNELS_TILES_H
#define SL_KERNELS_TILES_H

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define SL_TILE_SIDE  16                             /* rows of a tile, and outputs of one */
#define SL_TILE_DEPTH 32                             /* bf16 values of a tile's row */
#define SL_TILE       (SL_TILE_SIDE * SL_TILE_DEPTH) /* values; one of sums has half as many */
#define SL_TILE_ROW   64                             /* bytes of a tile's row */

/* Rows to columns of 32 bits. */
SL_INLINE void sl_tile_transpose(__m512i r[SL_TILE_SIDE])
{
    __m512i t[SL_TILE_SIDE];
    for (int i = 0; i < SL_TILE_SIDE; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < SL_TILE_SIDE; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

/* unpack_tiles.c: weights in 8 bits as they are multiplied, in bf16. To the tiles of 32 channels of a panel: two,
 * of 16 outputs each, one behind the other. A block's elements are these channels; */
void SL_FOR_ISA(sl_tile_unpack)(const SlCpuQ8 *block, uint16_t *to);
/* or they are elements of several blocks of the panel's window: `tile` is the channels' number by taps, and the
 * tap. Zeros behind the last channel. */
void SL_FOR_ISA(sl_tile_gather)(const SlCpuQ8 *panel, int64_t channels, int64_t taps, int64_t tile,
                                uint16_t *to);

#endif
