/* processor.c - in place of the real one in a device for tests: a processor with AVX-512, its BF16 and the matrix unit
 * (avx512.h), where the real one has AVX2. And the tiles of that unit.
 *
 * A tile that was not configured ends the program, as it does on the processor.
 */
#define SL_EMULATED_AMX
#include "kernels/cpu/emu/avx512.h"

#include "kernels/cpu/cpu.h"

#include <stdio.h>

SlCpuIsa sl_cpu_isa(void)
{
    return __builtin_cpu_supports("x86-64-v3") ? SL_CPU_V4 : SL_CPU_BASE;
}

SlCpuBf16 sl_cpu_bf16(void)
{
    return sl_cpu_isa() == SL_CPU_V4 ? SL_CPU_BF16_AMX : SL_CPU_BF16_NONE;
}

void sl_cpu_name(char *out, size_t size)
{
    snprintf(out, size, "emulated");
}

void sl_cpu_features(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
}

_Thread_local SlEmuTile sl_emu_tile[8];

void sl_emu_tile_configure(const void *config)
{
    const uint8_t *c = config;
    memset(sl_emu_tile, 0, sizeof sl_emu_tile);
    for (int i = 0; i < 8 && c; i++) {
        uint16_t bytes;
        memcpy(&bytes, c + 16 + 2 * i, sizeof bytes);
        sl_emu_tile[i].bytes = bytes;
        sl_emu_tile[i].rows = c[48 + i];
    }
}

static SlEmuTile *configured(int tile)
{
    if (sl_emu_tile[tile].rows == 0)
        __builtin_trap();
    return &sl_emu_tile[tile];
}

void sl_emu_tile_zero(int tile)
{
    SlEmuTile *t = configured(tile);
    memset(t->row, 0, sizeof t->row);
}

void sl_emu_tile_load(int tile, const void *from, int64_t stride)
{
    SlEmuTile *t = configured(tile);
    memset(t->row, 0, sizeof t->row);
    for (int i = 0; i < t->rows; i++)
        memcpy(t->row[i], (const char *)from + i * stride, (size_t)t->bytes);
}

void sl_emu_tile_store(int tile, void *to, int64_t stride)
{
    const SlEmuTile *t = configured(tile);
    for (int i = 0; i < t->rows; i++)
        memcpy((char *)to + i * stride, t->row[i], (size_t)t->bytes);
}

/* The lower and the upper products of all pairs of a row are summed up apart, then added to what is there. */
void sl_emu_tile_multiply(int sum, int a, int b)
{
    SlEmuTile *to = configured(sum);
    const SlEmuTile *first = configured(a), *second = configured(b);
    const SlEmuU high = (SlEmuU){0} + 0xffff0000;
    for (int i = 0; i < to->rows; i++) {
        SlEmuF lower = {0}, upper = {0}, whole;
        for (int k = 0; k < first->bytes / 4; k++) {
            uint32_t pair;
            SlEmuU pairs;
            memcpy(&pair, first->row[i] + 4 * k, sizeof pair);
            memcpy(&pairs, second->row[k], sizeof pairs);
            SlEmuU same = (SlEmuU){0} + pair;
            lower += (SlEmuF)(same << 16) * (SlEmuF)(pairs << 16);
            upper += (SlEmuF)(same & high) * (SlEmuF)(pairs & high);
        }
        memcpy(&whole, to->row[i], sizeof whole);
        whole += lower + upper;
        memcpy(to->row[i], &whole, sizeof whole);
    }
}
