/* weights_storage.c - see weights_storage.h: the table of storage types and what is done by its
 * rows. */
#include "engine/files/weights_storage.h"

#include <math.h>
#include <string.h>

static bool finite_f32(const void *blocks, size_t count)
{
    const uint32_t *v = blocks;
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (v[i] & 0x7f800000u) == 0x7f800000u; /* all bits of the exponent */
    return !bad;
}

static bool finite_16(const uint16_t *v, size_t count, uint16_t exponent)
{
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (v[i] & exponent) == exponent;
    return !bad;
}

static bool finite_f16(const void *blocks, size_t count)
{
    return finite_16(blocks, count, 0x7c00);
}

static bool finite_bf16(const void *blocks, size_t count)
{
    return finite_16(blocks, count, 0x7f80);
}

static void decode_f32(const void *blocks, float *out, size_t count)
{
    memcpy(out, blocks, count * sizeof *out);
}

static void decode_f16(const void *blocks, float *out, size_t count)
{
    sl_convert(blocks, SL_F16, out, SL_F32, count);
}

static void decode_bf16(const void *blocks, float *out, size_t count)
{
    sl_convert(blocks, SL_BF16, out, SL_F32, count);
}

/* Rounded to nearest, as torch's .to(float32). */
static void decode_f64(const void *blocks, float *out, size_t count)
{
    const char *v = blocks;
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, v + i * sizeof value, sizeof value);
        out[i] = (float)value;
    }
}

/* Also false for a finite value that is larger than any f32. */
static bool finite_f64(const void *blocks, size_t count)
{
    const char *v = blocks;
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, v + i * sizeof value, sizeof value);
        bad |= !isfinite((float)value);
    }
    return !bad;
}

/* torch's float8_e4m3fn: sign, 4 bits of exponent (bias 7), 3 of mantissa; no infinity, and NaN
 * only where all bits but the sign are set. */
static void decode_e4m3(const void *blocks, float *out, size_t count)
{
    const uint8_t *v = blocks;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = ((v[i] >> 3 & 15u) + 120) << 23 | (v[i] & 7u) << 20;
        float size;
        memcpy(&size, &bits, sizeof size);
        if (!(v[i] & 0x78))
            size = (float)(v[i] & 7) * 0x1p-9f;
        if ((v[i] & 0x7f) == 0x7f)
            size = NAN;
        out[i] = v[i] & 0x80 ? -size : size;
    }
}

static bool finite_e4m3(const void *blocks, size_t count)
{
    const uint8_t *v = blocks;
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (v[i] & 0x7f) == 0x7f;
    return !bad;
}

/* torch's float8_e5m2: the upper byte of an f16. */
static void decode_e5m2(const void *blocks, float *out, size_t count)
{
    const uint8_t *v = blocks;
    for (size_t i = 0; i < count; i++) {
        uint16_t half = (uint16_t)(v[i] << 8);
        sl_convert(&half, SL_F16, &out[i], SL_F32, 1);
    }
}

static bool finite_e5m2(const void *blocks, size_t count)
{
    const uint8_t *v = blocks;
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (v[i] & 0x7c) == 0x7c;
    return !bad;
}

static const SlStorage table[] = {
    {"F32", 1, 4, true, SL_F32, decode_f32, finite_f32},
    {"F16", 1, 2, true, SL_F16, decode_f16, finite_f16},
    {"BF16", 1, 2, true, SL_BF16, decode_bf16, finite_bf16},
    {"F64", 1, 8, false, SL_F32, decode_f64, finite_f64},
    {"F8_E4M3", 1, 1, false, SL_F32, decode_e4m3, finite_e4m3},
    {"F8_E5M2", 1, 1, false, SL_F32, decode_e5m2, finite_e5m2},
};
#define ROWS (sizeof table / sizeof table[0])

const SlStorage *sl_storage_find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!strcmp(table[i].name, name))
            return &table[i];
    return NULL;
}

const SlStorage *sl_storage_of(SlDtype dtype)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].plain && table[i].dtype == dtype)
            return &table[i];
    return NULL;
}

const char *sl_storage_names(void)
{
    static _Thread_local char names[200];
    names[0] = 0;
    for (size_t i = 0; i < ROWS; i++)
        strcat(strcat(names, i == 0 ? "" : i + 1 < ROWS ? ", " : sl_words(" or ")), table[i].name);
    return names;
}

void sl_storage_convert(const SlStorage *storage, const void *blocks, SlDtype to, void *out,
                        size_t count)
{
    enum { HELD = 2048 }; /* elements; a multiple of every block */
    const char *from = blocks;
    char *at = out;
    _Alignas(64) float held[HELD];
    if (storage->plain) {
        sl_convert(blocks, storage->dtype, out, to, count);
        return;
    }
    while (count > 0) {
        size_t n = count < HELD ? count : HELD;
        storage->decode(from, held, n);
        sl_convert(held, SL_F32, at, to, n);
        from += n / storage->elements * storage->bytes;
        at += n * sl_dtype_size(to);
        count -= n;
    }
}
