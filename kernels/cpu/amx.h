/* amx.h - the processor's matrix unit (AMX), as everything here uses it. Private to kernels/cpu; only for files
 * that are compiled for it.
 *
 * Eight tiles, all of one shape: 16 rows of 64 bytes. As a factor a tile has 16 rows of 32 values in bf16,
 * or 16 pairs of values for each of 16 outputs; as sums it has 16 x 16 floats.
 *
 * Easy to get wrong: the tiles' configuration belongs to the thread, and while it is there the system saves
 * all tiles at every switch.
 */
#ifndef SL_KERNELS_AMX_H
#define SL_KERNELS_AMX_H

#include "kernels/cpu/cpu.h"

#include <immintrin.h>

#define SL_AMX_SIDE  16                           /* rows of a tile, and outputs of one */
#define SL_AMX_DEPTH 32                           /* bf16 values of a tile's row */
#define SL_AMX_TILE  (SL_AMX_SIDE * SL_AMX_DEPTH) /* values; one of sums has half as many */
#define SL_AMX_ROW   64                           /* bytes of a tile's row */

/* Before the first product of a thread. */
static inline void sl_amx_begin(void)
{
    /* constant: gcc 12 and older take no notice that the instruction reads all of it */
    static const struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config __attribute__((aligned(64))) = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    _tile_loadconfig(&config);
}

/* Before tiles are loaded from what was just stored: the compiler does not know that they read memory. */
static inline void sl_amx_stored(void)
{
    __asm__ volatile("" ::: "memory");
}

/* Behind the last. */
static inline void sl_amx_end(void)
{
    _tile_release();
}

/* Rows to columns of 32 bits. */
static inline __attribute__((always_inline)) void sl_amx_transpose(__m512i r[SL_AMX_SIDE])
{
    __m512i t[SL_AMX_SIDE];
    for (int i = 0; i < SL_AMX_SIDE; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < SL_AMX_SIDE; i += 4) {
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

/* unpack_amx.c: weights in 8 bits as they are multiplied, in bf16. To the tiles of 32 channels of a panel: two,
 * of 16 outputs each, one behind the other. A block's elements are these channels; */
void sl_amx_unpack(const SlCpuQ8 *block, uint16_t *to);
/* or they are elements of several blocks of the panel's window: `tile` is the channels' number by taps, and the
 * tap. Zeros behind the last channel. */
void sl_amx_gather(const SlCpuQ8 *panel, int64_t channels, int64_t taps, int64_t tile,
                   uint16_t *to);

#endif
