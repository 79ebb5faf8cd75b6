/* cuda_bf16.h - bf16 as far as kernels use it: explicit conversions; arithmetic is in f32. */
#ifndef SL_CUDA_EMU_BF16_H
#define SL_CUDA_EMU_BF16_H

#include "cuda_emu.h"
struct __nv_bfloat16 {
    uint16_t v;
};

struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

static inline float emu_b2f(uint16_t b)
{
    uint32_t u = (uint32_t)b << 16;
    float f;
    __builtin_memcpy(&f, &u, 4);
    return f;
}

static inline uint16_t emu_f2b(float f)
{
    uint32_t u;
    __builtin_memcpy(&u, &f, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff;
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

static inline float __bfloat162float(__nv_bfloat16 h)
{
    return emu_b2f(h.v);
}

static inline __nv_bfloat16 __float2bfloat16_rn(float f)
{
    return {emu_f2b(f)};
}

static inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b)
{
    return {{emu_f2b(a)}, {emu_f2b(b)}};
}

static inline float2 __bfloat1622float2(__nv_bfloat162 h)
{
    return {emu_b2f(h.x.v), emu_b2f(h.y.v)};
}

#endif
