/* amx.h - the processor's matrix unit (AMX), as everything here uses it. Private to kernels/cpu; only for files
 * that are compiled for it.
 *
 * Eight tiles, all of one shape (tiles.h).
 *
 * Easy to get wrong: the tiles' configuration belongs to the thread, and while it is there the system saves
 * all tiles at every switch.
 */
#ifndef SL_KERNELS_AMX_H
#define SL_KERNELS_AMX_H

#include "kernels/cpu/tiles.h"

#include <immintrin.h>

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

#endif
