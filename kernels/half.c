/* half.c - f16 and bf16 on the host, exact in both directions (round to nearest, ties to even).
 *
 * Written with integers only, so that the results do not depend on the processor having F16C.
 */
#include "kernels/kernels.h"

#include <string.h>

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Without branches, so that a loop over them is vector code. Easy to get wrong: of `c ? a : b` gcc makes
 * a branch where one side calculates with floats, since that might trap; so both are calculated and masked. */

static inline uint32_t choose(bool which, uint32_t a, uint32_t b)
{
    uint32_t mask = -(uint32_t)which;
    return (a & mask) | (b & ~mask);
}

static inline float widen_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h & 0x7c00, mantissa = h & 0x3ff;
    float small = (float)(int32_t)mantissa * 0x1p-24f;
    uint32_t u = (uint32_t)(h & 0x7fff) << 13;
    u +=
        choose(exponent == 0x7c00, 224u << 23, 112u << 23); /* infinity and NaN keep all bits set */
    return from_bits(sign | choose(exponent != 0, u, bits_of(small)));
}

static inline uint16_t narrow_f16(float f)
{
    uint32_t u = bits_of(f), sign = u >> 16 & 0x8000, size = u & 0x7fffffff;
    /* subnormal: adding 0.5 leaves the rounded mantissa in the low bits */
    uint32_t small = bits_of(from_bits(size) + 0.5f) - 0x3f000000;
    uint32_t h = (size + 0xfff + (size >> 13 & 1) - 0x38000000) >> 13;
    h = choose(size < 0x38800000, small, h);
    h = choose(size >= 0x477ff000, 0x7c00, h);                       /* 65520 and more: infinity */
    h = choose(size > 0x7f800000, 0x7e00 | (size >> 13 & 0x3ff), h); /* NaN stays NaN */
    return (uint16_t)(sign | h);
}

static inline float widen_bf16(uint16_t h)
{
    return from_bits((uint32_t)h << 16);
}

static inline uint16_t narrow_bf16(float f)
{
    uint32_t u = bits_of(f), rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    return (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? u >> 16 | 0x40 : rounded);
}

float sl_f16_to_f32(uint16_t h)
{
    return widen_f16(h);
}

uint16_t sl_f32_to_f16(float f)
{
    return narrow_f16(f);
}

float sl_bf16_to_f32(uint16_t h)
{
    return widen_bf16(h);
}

uint16_t sl_f32_to_bf16(float f)
{
    return narrow_bf16(f);
}

#define CONVERT(name, From, To, value)                                     \
    static void name(const From *restrict from, To *restrict to, size_t n) \
    {                                                                      \
        for (size_t i = 0; i < n; i++)                                     \
            to[i] = value;                                                 \
    }

CONVERT(f16_to_f32, uint16_t, float, widen_f16(from[i]))
CONVERT(bf16_to_f32, uint16_t, float, widen_bf16(from[i]))
CONVERT(f32_to_f16, float, uint16_t, narrow_f16(from[i]))
CONVERT(f32_to_bf16, float, uint16_t, narrow_bf16(from[i]))
CONVERT(f16_to_bf16, uint16_t, uint16_t, narrow_bf16(widen_f16(from[i])))
CONVERT(bf16_to_f16, uint16_t, uint16_t, narrow_f16(widen_bf16(from[i])))

void sl_convert(const void *from, SlDtype from_type, void *to, SlDtype to_type, size_t n)
{
    if (from_type == to_type)
        memcpy(to, from, n * sl_dtype_size(to_type));
    else if (from_type == SL_F32 && to_type == SL_F16)
        f32_to_f16(from, to, n);
    else if (from_type == SL_F32)
        f32_to_bf16(from, to, n);
    else if (to_type == SL_F16)
        bf16_to_f16(from, to, n);
    else if (to_type == SL_BF16)
        f16_to_bf16(from, to, n);
    else if (from_type == SL_F16)
        f16_to_f32(from, to, n);
    else
        bf16_to_f32(from, to, n);
}
