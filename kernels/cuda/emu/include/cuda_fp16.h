/* cuda_fp16.h - f16 as far as kernels use it: explicit conversions; arithmetic is in f32. */
#ifndef SL_CUDA_EMU_FP16_H
#define SL_CUDA_EMU_FP16_H

#include "cuda_emu.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

struct __half {
    uint16_t v;
};

struct alignas(4) __half2 {
    __half x, y;
};

static inline float emu_h2f(uint16_t h)
{
#ifdef __F16C__
    return _cvtsh_ss(h);
#else
    uint32_t s = (uint32_t)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 1023, u;
    if (e == 31)
        u = s | 0x7f800000u | m << 13;
    else if (e)
        u = s | (e + 112) << 23 | m << 13;
    else {
        float f = (float)m * 5.9604644775390625e-8f;
        __builtin_memcpy(&u, &f, 4);
        u |= s;
    }
    float f;
    __builtin_memcpy(&f, &u, 4);
    return f;
#endif
}

static inline uint16_t emu_f2h(float f)
{
#ifdef __F16C__
    return _cvtss_sh(f, 0); /* to nearest, ties to even */
#else
    uint32_t u;
    __builtin_memcpy(&u, &f, 4);
    uint16_t s = (uint16_t)(u >> 16 & 0x8000);
    u &= 0x7fffffffu;
    if (u > 0x7f800000u)
        return s | 0x7fff;
    if (u >= 0x477ff000u)
        return s | 0x7c00;
    if (u < 0x38800000u) {
        float g;
        __builtin_memcpy(&g, &u, 4);
        g += 0.5f;
        __builtin_memcpy(&u, &g, 4);
        return s | (uint16_t)(u - 0x3f000000u);
    }
    u += 0xc8000fffu + (u >> 13 & 1);
    return s | (uint16_t)(u >> 13);
#endif
}

static inline float __half2float(__half h)
{
    return emu_h2f(h.v);
}

static inline __half __float2half_rn(float f)
{
    return {emu_f2h(f)};
}

static inline __half2 __floats2half2_rn(float a, float b)
{
    return {{emu_f2h(a)}, {emu_f2h(b)}};
}

static inline float2 __half22float2(__half2 h)
{
    return {emu_h2f(h.x.v), emu_h2f(h.y.v)};
}

#endif
