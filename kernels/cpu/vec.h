/* vec.h - vectors, loads and stores of f32 and bf16 rows, exp. Private to kernels/cpu.
 *
 * A vector is a register of the instruction set: 16 floats with AVX-512, 8 with AVX2, 4 with SSE or
 * NEON. Easy to get wrong: GCC compiles wider ones, too, but keeps them in memory, also in a loop
 * whose sums would fit the registers. Which bits a function of each lane has does not depend on the
 * width; what adds up lanes does it as if there were SL_SUM_LANES of them (SlSum).
 *
 * The files that include this are compiled once per instruction set (see meson.build), with SL_ISA
 * as suffix of what they export; cpu.c picks one when a device is opened. Easy to get wrong: GCC's
 * target_clones do not do this job. GCC cuts vector types into what the file's target has before it
 * makes the clones, so a clone for AVX-512 would compute on SSE registers.
 */
#ifndef SL_KERNELS_VEC_H
#define SL_KERNELS_VEC_H

#include "kernels/kernels.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define SL_VEC_FLOATS 16
#elif defined(__AVX__)
#define SL_VEC_FLOATS 8
#else
#define SL_VEC_FLOATS 4
#endif
#define SL_VEC_BYTES (4 * SL_VEC_FLOATS)
typedef float SlVec __attribute__((vector_size(SL_VEC_BYTES), aligned(4), may_alias));
typedef int32_t SlVecI __attribute__((vector_size(SL_VEC_BYTES), aligned(4), may_alias));
typedef uint32_t SlVecU __attribute__((vector_size(SL_VEC_BYTES), aligned(4), may_alias));
typedef uint16_t SlVecH __attribute__((vector_size(SL_VEC_BYTES / 2), aligned(2), may_alias));

#ifndef SL_ISA
#define SL_ISA base
#endif
#define SL_ISA_PASTE(name, isa)  name##_##isa
#define SL_ISA_EXPAND(name, isa) SL_ISA_PASTE(name, isa)
/* name_v4, name_v3 or name_base */
#define SL_FOR_ISA(name) SL_ISA_EXPAND(name, SL_ISA)
#define SL_INLINE        static inline __attribute__((always_inline))

/* The two ways between f32 and bf16 are most of the time of what is bound by memory: gcc 12 makes two halves
 * of them for AVX-512. */
SL_INLINE SlVec sl_vec_of_bf16(SlVecH h)
{
#if defined(__AVX512F__)
    return (SlVec)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)h), 16);
#else
    return (SlVec)(__builtin_convertvector(h, SlVecU) << 16);
#endif
}

SL_INLINE SlVec sl_vec_load(const void *p, SlDtype dtype, int64_t i)
{
    if (dtype == SL_F32)
        return *(const SlVec *)((const float *)p + i);
    return sl_vec_of_bf16(*(const SlVecH *)((const uint16_t *)p + i));
}

/* A vector of numbers in f16, which no activation of this device is in: only weights. */
SL_INLINE SlVec sl_vec_load_f16(const void *p, int64_t i)
{
    const uint16_t *from = (const uint16_t *)p + i;
#if defined(__AVX512F__)
    return (SlVec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
#elif defined(__F16C__)
    return (SlVec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
#elif defined(__aarch64__)
    return (SlVec)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
#else
    SlVec v;
    sl_convert(from, SL_F16, &v, SL_F32, SL_VEC_FLOATS);
    return v;
#endif
}

/* A vector of whole numbers of a byte, with their signs. */
SL_INLINE SlVec sl_vec_load_i8(const int8_t *p)
{
#if defined(__AVX512F__)
    return (SlVec)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
#elif defined(__AVX2__)
    return (SlVec)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
#else
    SlVec v;
    for (int i = 0; i < SL_VEC_FLOATS; i++)
        v[i] = (float)p[i];
    return v;
#endif
}

/* To the nearest, of two the even one; NaN stays NaN. The processor's own instruction makes 0 of
 * what is subnormal. */
SL_INLINE SlVecH sl_vec_to_bf16(SlVec v)
{
#if defined(__AVX512BF16__)
    return (SlVecH)_mm512_cvtneps_pbh((__m512)v);
#else
    SlVecU u = (SlVecU)v, rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
#if defined(__AVX512F__)
    __mmask16 nan = _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q);
    return (SlVecH)_mm512_cvtepi32_epi16(
        _mm512_mask_or_epi32((__m512i)rounded, nan, (__m512i)(u >> 16), _mm512_set1_epi32(0x40)));
#else
    SlVecU nan = (SlVecU)((u & 0x7fffffff) > 0x7f800000);
    rounded = (rounded & ~nan) | ((u >> 16 | 0x40) & nan);
    return __builtin_convertvector(rounded, SlVecH);
#endif
#endif
}

SL_INLINE void sl_vec_store(void *p, SlDtype dtype, int64_t i, SlVec v)
{
    if (dtype == SL_F32)
        *(SlVec *)((float *)p + i) = v;
    else
        *(SlVecH *)((uint16_t *)p + i) = sl_vec_to_bf16(v);
}

SL_INLINE SlVec sl_vec_set(float f)
{
#if SL_VEC_FLOATS == 16
    return (SlVec){f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f};
#elif SL_VEC_FLOATS == 8
    return (SlVec){f, f, f, f, f, f, f, f};
#else
    return (SlVec){f, f, f, f};
#endif
}

/* A product that is rounded before something is added to it: what is written as v * a + b is else one
 * multiply-add or not, as the compiler sees the code around it. */
SL_INLINE SlVec sl_vec_rounded(SlVec v)
{
#if defined(SL_EMULATED)
    __asm__("" : "+m"(v));
#elif defined(__AVX512F__)
    __asm__("" : "+v"(v));
#elif defined(__x86_64__)
    __asm__("" : "+x"(v));
#elif defined(__aarch64__)
    __asm__("" : "+w"(v));
#endif
    return v;
}

/* The first n elements of a vector, the rest zero. */
SL_INLINE SlVec sl_vec_load_part(const void *p, SlDtype dtype, int64_t i, int64_t n)
{
#if defined(__AVX512F__)
    if (dtype == SL_F32)
        return (SlVec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), (const float *)p + i);
    return sl_vec_of_bf16(
        (SlVecH)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), (const uint16_t *)p + i));
#else
    uint32_t whole[SL_VEC_FLOATS] = {0};
    size_t size = sl_dtype_size(dtype);
    memcpy(whole, (const char *)p + i * (int64_t)size, (size_t)n * size);
    return sl_vec_load(whole, dtype, 0);
#endif
}

/* count elements of t at i, as f32, the rest of the padded row zero */
SL_INLINE void sl_vec_load_row(const SlTensor *t, int64_t i, int64_t count, int64_t padded,
                               float *to)
{
    for (int64_t c = 0; c < padded; c += SL_VEC_FLOATS) {
        int64_t n = count - c;
        SlVec v = n >= SL_VEC_FLOATS ? sl_vec_load(t->data, t->dtype, i + c)
                  : n > 0            ? sl_vec_load_part(t->data, t->dtype, i + c, n)
                                     : sl_vec_set(0);
        *(SlVec *)(to + c) = v;
    }
}

SL_INLINE void sl_vec_store_part(void *p, SlDtype dtype, int64_t i, int64_t n, SlVec v)
{
#if defined(__AVX512F__)
    __mmask16 mask = (__mmask16)((1u << n) - 1);
    if (dtype == SL_F32)
        _mm512_mask_storeu_ps((float *)p + i, mask, (__m512)v);
    else
        _mm256_mask_storeu_epi16((uint16_t *)p + i, mask, (__m256i)sl_vec_to_bf16(v));
#else
    uint32_t whole[SL_VEC_FLOATS];
    size_t size = sl_dtype_size(dtype);
    sl_vec_store(whole, dtype, 0, v);
    memcpy((char *)p + i * (int64_t)size, whole, (size_t)n * size);
#endif
}

/* b where one of the two is NaN. */
SL_INLINE SlVec sl_vec_max(SlVec a, SlVec b)
{
#if defined(__AVX512F__)
    return (SlVec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (SlVec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
    return (SlVec)_mm_max_ps((__m128)a, (__m128)b);
#else
    SlVecI m = a > b;
    return (SlVec)(((SlVecI)a & m) | ((SlVecI)b & ~m));
#endif
}

/* The same: b where one of the two is NaN. */
SL_INLINE SlVec sl_vec_min(SlVec a, SlVec b)
{
#if defined(__AVX512F__)
    return (SlVec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (SlVec)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
    return (SlVec)_mm_min_ps((__m128)a, (__m128)b);
#else
    SlVecI m = a < b;
    return (SlVec)(((SlVecI)a & m) | ((SlVecI)b & ~m));
#endif
}

#if __has_builtin(__builtin_shufflevector)
#define SL_LANES(v, ...) __builtin_shufflevector(v, v, __VA_ARGS__)
#else /* gcc 11 */
#define SL_LANES(v, ...) __builtin_shuffle(v, (SlVecI){__VA_ARGS__})
#endif
/* The other half of a vector, of its halves and so on: 8, 4, 2 and 1 lanes away. */
#if SL_VEC_FLOATS == 16
#define SL_SWAP8(v) SL_LANES(v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define SL_SWAP4(v) SL_LANES(v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define SL_SWAP2(v) SL_LANES(v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define SL_SWAP1(v) SL_LANES(v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#elif SL_VEC_FLOATS == 8
#define SL_SWAP4(v) SL_LANES(v, 4, 5, 6, 7, 0, 1, 2, 3)
#define SL_SWAP2(v) SL_LANES(v, 2, 3, 0, 1, 6, 7, 4, 5)
#define SL_SWAP1(v) SL_LANES(v, 1, 0, 3, 2, 5, 4, 7, 6)
#else
#define SL_SWAP2(v) SL_LANES(v, 2, 3, 0, 1)
#define SL_SWAP1(v) SL_LANES(v, 1, 0, 3, 2)
#endif

SL_INLINE float sl_vec_sum(SlVec v)
{
#if SL_VEC_FLOATS == 16
    v += SL_SWAP8(v);
#endif
#if SL_VEC_FLOATS >= 8
    v += SL_SWAP4(v);
#endif
    v += SL_SWAP2(v);
    v += SL_SWAP1(v);
    return v[0];
}

/* Sums of 16 lanes in as many vectors as that takes: neighbouring vectors of a row go to
 * neighbouring parts. So the bits of a sum do not depend on the width of a register. */
#define SL_SUM_LANES 16
#define SL_SUM_PARTS (SL_SUM_LANES / SL_VEC_FLOATS)
typedef struct SlSum {
    SlVec part[SL_SUM_PARTS];
} SlSum;

SL_INLINE float sl_sum_of(SlSum s)
{
    for (int n = SL_SUM_PARTS / 2; n > 0; n /= 2)
        for (int i = 0; i < n; i++)
            s.part[i] += s.part[i + n];
    return sl_vec_sum(s.part[0]);
}

SL_INLINE float sl_vec_top(SlVec v)
{
#if SL_VEC_FLOATS == 16
    v = sl_vec_max(v, SL_SWAP8(v));
#endif
#if SL_VEC_FLOATS >= 8
    v = sl_vec_max(v, SL_SWAP4(v));
#endif
    v = sl_vec_max(v, SL_SWAP2(v));
    v = sl_vec_max(v, SL_SWAP1(v));
    return v[0];
}

/* exp of x <= 0: relative error under 2e-7, 1e-38 instead of what is less. NaN stays NaN. */
SL_INLINE SlVec sl_vec_exp_below(SlVec x)
{
    x = sl_vec_max(sl_vec_set(-87.33f), x);
    SlVec shifted = x * 1.44269504f + 12582912.0f; /* its last bits are the exponent */
    SlVec n = shifted - 12582912.0f;
    SlVec r = x - n * 0.693359375f + n * 2.12194440e-4f;
    SlVec p = sl_vec_set(8.31252337e-3f);
    p = p * r + 4.18901145e-2f;
    p = p * r + 1.66671142e-1f;
    p = p * r + 4.99992311e-1f;
    p = p * r * r + r + 1.0f;
    return (SlVec)((SlVecI)p + ((SlVecI)shifted << 23));
}

/* 1 / x, relative error under 2e-7, of what is not subnormal. */
SL_INLINE SlVec sl_vec_reciprocal(SlVec x)
{
#if defined(__AVX512F__)
    SlVec r =
        (SlVec)_mm512_rcp14_ps((__m512)x); /* a division is as long as all the rest of a SiLU */
    return r * (2.0f - x * r);
#else
    return 1.0f / x;
#endif
}

/* erf, absolute error under 5e-7: Abramowitz and Stegun 7.1.26 refined; odd. */
SL_INLINE SlVec sl_vec_erf(SlVec x)
{
    SlVecI sign = (SlVecI)x & (SlVecI)sl_vec_set(-0.0f);
    SlVec a = (SlVec)((SlVecI)x & 0x7fffffff);
    SlVec t = sl_vec_reciprocal(1.0f + 0.3275911f * a);
    SlVec p = sl_vec_set(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    SlVec y = 1.0f - p * t * sl_vec_exp_below(-a * a);
    return (SlVec)((SlVecI)y | sign);
}

/* 1 / (1 + exp(-x)); NaN stays NaN. */
SL_INLINE SlVec sl_vec_logistic(SlVec x)
{
    x = sl_vec_max(sl_vec_set(-87.33f), x);
    return sl_vec_reciprocal(1.0f + sl_vec_exp_below(-x));
}

/* x tanh(log(1 + exp(x))). With e = exp(x) the second factor is (e e + 2 e) / (e e + 2 e + 2); of a
 * positive x it is written with 1 / e, so that nothing overflows. NaN stays NaN. */
SL_INLINE SlVec sl_vec_mish(SlVec x)
{
    SlVec most = sl_vec_set(87.33f);
    SlVecI over = x < -most, negative = x < sl_vec_set(0);
    x = (SlVec)(((SlVecI)-most & over) | ((SlVecI)x & ~over));
    SlVec a = sl_vec_exp_below(-(SlVec)((SlVecI)x & 0x7fffffff));
    SlVec below = a * a + 2.0f * a, above = 1.0f + 2.0f * a;
    SlVec top = (SlVec)(((SlVecI)below & negative) | ((SlVecI)above & ~negative));
    SlVec more = (SlVec)(((SlVecI)sl_vec_set(2) & negative) | ((SlVecI)(2.0f * a * a) & ~negative));
    return x * top * sl_vec_reciprocal(top + more);
}

SL_INLINE SlVec sl_vec_act(SlVec x, SlActivation act)
{
    switch (act) {
    case SL_ACT_SILU:
        return x * sl_vec_logistic(x);
    case SL_ACT_QUICK_GELU:
        return x * sl_vec_logistic(1.702f * x);
    case SL_ACT_GELU:
        return 0.5f * x * (1.0f + sl_vec_erf(x * 0.70710678f));
    case SL_ACT_GELU_TANH:
        /* 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u)) */
        return x * sl_vec_logistic(1.5957691216f * (x + 0.044715f * x * x * x));
    case SL_ACT_TANH:
        return 2.0f * sl_vec_logistic(2.0f * x) - 1.0f;
    case SL_ACT_RELU:
        return (SlVec)((SlVecI)x & (x > sl_vec_set(0)));
    case SL_ACT_MISH:
        return sl_vec_mish(x);
    case SL_ACT_COUNT:
    case SL_ACT_NONE:
        break;
    }
    return x;
}

/* ---- bf16, several vectors at once ----
 *
 * Easy to get wrong: the processor looks ahead some hundred instructions, and an activation is a
 * chain of twenty that wait for each other. Each step is written for all vectors before the next,
 * else it waits, too. */

#define SL_VECS        4
#define SL_VECS_FLOATS (SL_VECS * SL_VEC_FLOATS)
typedef struct SlVecs {
    SlVec v[SL_VECS];
} SlVecs;
#define SL_EACH_VEC for (int b = 0; b < SL_VECS; b++)

SL_INLINE SlVecs sl_vecs_load(const void *p, SlDtype dtype, int64_t i)
{
    SlVecs x;
    SL_EACH_VEC x.v[b] = sl_vec_load(p, dtype, i + b * SL_VEC_FLOATS);
    return x;
}

SL_INLINE void sl_vecs_store_bf16(uint16_t *p, int64_t i, SlVecs x)
{
#if defined(__AVX512BF16__) /* two are rounded in the time of one */
    for (int b = 0; b < SL_VECS; b += 2)
        _mm512_storeu_si512(p + i + b * SL_VEC_FLOATS,
                            (__m512i)_mm512_cvtne2ps_pbh((__m512)x.v[b + 1], (__m512)x.v[b]));
#else
    SL_EACH_VEC sl_vec_store(p, SL_BF16, i + b * SL_VEC_FLOATS, x.v[b]);
#endif
}

#if defined(__AVX512BF16__)

/* x / (1 + 2^t), relative error under 2e-4: a tenth of what rounding it to bf16 may be. 0 where the
 * power is more than f32 holds; NaN stays NaN. */
SL_INLINE SlVecs sl_vecs_gated(SlVecs x, SlVecs t)
{
    SlVecs r, p;
    SL_EACH_VEC r.v[b] = (SlVec)_mm512_reduce_ps((__m512)t.v[b], _MM_FROUND_TO_NEG_INF);
    SL_EACH_VEC p.v[b] = r.v[b] * 0.07802453f + 0.22606715f;
    SL_EACH_VEC p.v[b] = p.v[b] * r.v[b] + 0.69583354f;
    SL_EACH_VEC p.v[b] = p.v[b] * r.v[b] + 0.99992522f;
    SL_EACH_VEC p.v[b] = (SlVec)_mm512_scalef_ps((__m512)p.v[b], (__m512)t.v[b]) + 1.0f;
    SL_EACH_VEC p.v[b] = (SlVec)_mm512_rcp14_ps((__m512)p.v[b]);
    SL_EACH_VEC x.v[b] *= p.v[b];
    return x;
}

/* Good to bf16. The normal distribution of GELU is 1 / (1 + exp(-x P(x x))) with a polynomial P:
 * its relative error is under 1e-3 from -2 on, 2e-3 to -3, 6e-3 to -5. */
SL_INLINE SlVecs sl_vecs_act(SlVecs x, SlActivation act)
{
    SlVecs square, t;
    SL_EACH_VEC square.v[b] = x.v[b] * x.v[b];
    switch (act) {
    case SL_ACT_SILU:
        SL_EACH_VEC t.v[b] = x.v[b] * -1.44269504f;
        return sl_vecs_gated(x, t);
    case SL_ACT_QUICK_GELU:
        SL_EACH_VEC t.v[b] = x.v[b] * (-1.702f * 1.44269504f);
        return sl_vecs_gated(x, t);
    case SL_ACT_GELU_TANH:
        SL_EACH_VEC t.v[b] = x.v[b] * (square.v[b] * -0.102943240f - 2.30220819f);
        return sl_vecs_gated(x, t);
    case SL_ACT_GELU:
        SL_EACH_VEC t.v[b] = square.v[b] * -1.13457767e-5f + 1.36058898e-3f;
        SL_EACH_VEC t.v[b] = t.v[b] * square.v[b] - 0.108847391f;
        SL_EACH_VEC t.v[b] = x.v[b] * (t.v[b] * square.v[b] - 2.29845394f);
        return sl_vecs_gated(x, t);
    default:
        SL_EACH_VEC x.v[b] = sl_vec_act(x.v[b], act);
        return x;
    }
}

#else

SL_INLINE SlVecs sl_vecs_act(SlVecs x, SlActivation act)
{
    SL_EACH_VEC x.v[b] = sl_vec_act(x.v[b], act);
    return x;
}

#endif

/* An activation that is rounded to this type next. */
SL_INLINE SlVec sl_vec_act_for(SlVec x, SlActivation act, SlDtype dtype)
{
    if (dtype == SL_BF16)
        return sl_vecs_act((SlVecs){{x, x, x, x}}, act).v[0];
    return sl_vec_act(x, act);
}

#endif
