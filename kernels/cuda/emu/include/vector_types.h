/* vector_types.h - the small vectors of CUDA. */
#ifndef SL_CUDA_EMU_VECTOR_TYPES_H
#define SL_CUDA_EMU_VECTOR_TYPES_H

#ifdef __cplusplus
#define EMU_ALIGN(n) alignas(n)
#else
#define EMU_ALIGN(n) __attribute__((aligned(n)))
#endif

struct uint3 {
    unsigned x, y, z;
};

struct EMU_ALIGN(8) uint2 {
    unsigned x, y;
};

struct EMU_ALIGN(16) uint4 {
    unsigned x, y, z, w;
};

struct EMU_ALIGN(8) float2 {
    float x, y;
};

struct EMU_ALIGN(16) float4 {
    float x, y, z, w;
};
#ifdef __cplusplus
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c)
    {
    }
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z)
    {
    }
};

static inline uint2 make_uint2(unsigned x, unsigned y)
{
    return {x, y};
}

static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)
{
    return {x, y, z, w};
}

static inline float2 make_float2(float x, float y)
{
    return {x, y};
}

static inline float4 make_float4(float x, float y, float z, float w)
{
    return {x, y, z, w};
}
#endif

#endif
