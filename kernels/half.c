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

float sl_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent == 0) {
        float f = (float)mantissa * 0x1p-24f;
        return sign ? -f : f;
    }
    return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t sl_f32_to_f16(float f)
{
    uint32_t u = bits_of(f), sign = u >> 16 & 0x8000;
    u &= 0x7fffffff;
    if (u > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (u >> 13 & 0x3ff)); /* NaN stays NaN */
    if (u >= 0x477ff000)
        return (uint16_t)(sign | 0x7c00); /* 65520 and more round to infinity */
    if (u < 0x38800000) {
        /* subnormal: adding 0.5 leaves the rounded mantissa in the low bits */
        float shifted = from_bits(u) + 0.5f;
        return (uint16_t)(sign | (bits_of(shifted) - 0x3f000000));
    }
    u += 0xfff + (u >> 13 & 1);
    return (uint16_t)(sign | (u - 0x38000000) >> 13);
}

float sl_bf16_to_f32(uint16_t h)
{
    return from_bits((uint32_t)h << 16);
}

uint16_t sl_f32_to_bf16(float f)
{
    uint32_t u = bits_of(f);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static float load(const void *p, SlDtype type, size_t i)
{
    if (type == SL_F32)
        return ((const float *)p)[i];
    uint16_t h = ((const uint16_t *)p)[i];
    return type == SL_F16 ? sl_f16_to_f32(h) : sl_bf16_to_f32(h);
}

void sl_convert(const void *from, SlDtype from_type, void *to, SlDtype to_type, size_t n)
{
    if (from_type == to_type) {
        memcpy(to, from, n * sl_dtype_size(to_type));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float f = load(from, from_type, i);
        if (to_type == SL_F32)
            ((float *)to)[i] = f;
        else
            ((uint16_t *)to)[i] = to_type == SL_F16 ? sl_f32_to_f16(f) : sl_f32_to_bf16(f);
    }
}
