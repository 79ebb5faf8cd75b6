/* avx512.h - the instructions of AVX-512, of its BF16 and of the matrix unit (AMX) that kernels/cpu uses, written out
 * for processors that have AVX2 only. Only for tests: with this file included before any other (-include), the
 * sources of the sets of instructions v4, bf16 and amx are compiled as they are, so that every machine can test and
 * sanitize them.
 *
 * What each does is in Intel's Software Developer's Manual, under the instruction's name. Masked loads and stores
 * touch no memory behind their mask. Not followed are: flags of exceptions, subnormal sums of bf16 products (the
 * processor makes 0 of them), and how far the approximation of 1 / x is off (here it is cut to 14 bits).
 *
 * Easy to get wrong: gcc's own header must come first, since it declares these names and asks for the macros that
 * are defined here.
 */
#ifndef SL_KERNELS_EMU_AVX512_H
#define SL_KERNELS_EMU_AVX512_H

#if defined(__AVX512F__) || !defined(__AVX2__)
#error "for a compiler that is told of AVX2 and of no more"
#endif

#include <immintrin.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SL_EMULATED 1
#define __AVX512F__ 1
#ifdef SL_EMULATED_BF16
#define __AVX512BF16__ 1
#endif
#ifdef SL_EMULATED_AMX
#define __AMX_BF16__   1
#define __AVX512VBMI__ 1
#endif
/* Most are not inline: that would take minutes to compile. */
#define SL_EMU         static __attribute__((noinline, unused))
#define SL_EMU_INLINE  static inline __attribute__((always_inline, unused))
#define SL_EMU_FLOATS  16
#define SL_EMU_EACH(i) for (int i = 0; i < SL_EMU_FLOATS; i++)

typedef float SlEmuF __attribute__((vector_size(64), may_alias));
typedef int32_t SlEmuI __attribute__((vector_size(64), may_alias));
typedef uint32_t SlEmuU __attribute__((vector_size(64), may_alias));
typedef int64_t SlEmuL __attribute__((vector_size(64), may_alias));
typedef uint16_t SlEmuH __attribute__((vector_size(64), may_alias));
typedef uint16_t SlEmuHalf __attribute__((vector_size(32), may_alias));
typedef uint8_t SlEmuB __attribute__((vector_size(64), may_alias));

/* ---- numbers that are one and the same, and kinds of bits ---- */

SL_EMU_INLINE __m512 sl_emu_set1_ps(float f)
{
    return (__m512)((SlEmuF){0} + f);
}

SL_EMU_INLINE __m512i sl_emu_set1_epi32(int n)
{
    return (__m512i)((SlEmuI){0} + n);
}

SL_EMU __m512i sl_emu_set1_epi8(char n)
{
    return (__m512i)((SlEmuB){0} + (uint8_t)n);
}

SL_EMU __m512i sl_emu_ints(const int n[SL_EMU_FLOATS])
{
    SlEmuI v;
    memcpy(&v, n, sizeof v);
    return (__m512i)v;
}

SL_EMU_INLINE __m256i sl_emu_half(__m512i v, int which)
{
    __m256i half;
    memcpy(&half, (const char *)&v + which * (int)sizeof half, sizeof half);
    return half;
}

/* The last named is the lowest. */
SL_EMU __m512i sl_emu_words(const short n[32])
{
    SlEmuH v;
    for (int i = 0; i < 32; i++)
        v[i] = (uint16_t)n[31 - i];
    return (__m512i)v;
}

SL_EMU __m512i sl_emu_ints_down(const int n[SL_EMU_FLOATS])
{
    SlEmuI v;
    SL_EMU_EACH(i) v[i] = n[15 - i];
    return (__m512i)v;
}

#undef _mm512_set1_ps
#undef _mm512_set1_epi32
#undef _mm512_set1_epi8
#undef _mm512_setzero_ps
#undef _mm512_setzero_si512
#undef _mm512_setr_epi32
#undef _mm512_set_epi32
#undef _mm512_set_epi16
#undef _mm512_castps_si512
#undef _mm512_castsi512_ps
#undef _mm512_castsi512_si256
#undef _mm512_castps512_ps256
#define _mm512_set1_ps            sl_emu_set1_ps
#define _mm512_set1_epi32         sl_emu_set1_epi32
#define _mm512_set1_epi8          sl_emu_set1_epi8
#define _mm512_setzero_ps()       ((__m512)(SlEmuF){0})
#define _mm512_setzero_si512()    ((__m512i)(SlEmuI){0})
#define _mm512_setr_epi32(...)    sl_emu_ints((const int[]){__VA_ARGS__})
#define _mm512_set_epi32(...)     sl_emu_ints_down((const int[]){__VA_ARGS__})
#define _mm512_set_epi16(...)     sl_emu_words((const short[]){__VA_ARGS__})
#define _mm512_castps_si512(v)    ((__m512i)(v))
#define _mm512_castsi512_ps(v)    ((__m512)(v))
#define _mm512_castsi512_si256(v) sl_emu_half(v, 0)
#define _mm512_castps512_ps256(v) ((__m256)sl_emu_half((__m512i)(v), 0))

/* ---- memory ---- */

SL_EMU_INLINE __m512i sl_emu_load(const void *p) /* of whole cache lines */
{
    return *(const __m512i *)p;
}

SL_EMU_INLINE __m512i sl_emu_loadu(const void *p)
{
    __m512i v;
    memcpy(&v, p, sizeof v);
    return v;
}

SL_EMU_INLINE void sl_emu_store(void *p, __m512i v)
{
    *(__m512i *)p = v;
}

SL_EMU_INLINE void sl_emu_storeu(void *p, __m512i v)
{
    memcpy(p, &v, sizeof v);
}

/* Those of `count` words whose bit is there, else zeros. */
SL_EMU_INLINE void sl_emu_load_words(uint32_t mask, const void *p, uint16_t *to, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = 0;
    for (int i = 0; i < count; i++)
        if (mask >> i & 1)
            memcpy(to + i, (const uint16_t *)p + i, sizeof *to);
}

SL_EMU __m512i sl_emu_maskz_loadu_epi16(__mmask32 mask, const void *p)
{
    __m512i v;
    sl_emu_load_words(mask, p, (uint16_t *)&v, 32);
    return v;
}

SL_EMU __m256i sl_emu_256_maskz_loadu_epi16(__mmask16 mask, const void *p)
{
    __m256i v;
    sl_emu_load_words(mask, p, (uint16_t *)&v, 16);
    return v;
}

SL_EMU __m128i sl_emu_128_maskz_loadu_epi16(__mmask8 mask, const void *p)
{
    __m128i v;
    sl_emu_load_words(mask, p, (uint16_t *)&v, 8);
    return v;
}

SL_EMU __m512 sl_emu_maskz_loadu_ps(__mmask16 mask, const void *p)
{
    SlEmuF v = {0};
    SL_EMU_EACH(i)
    if (mask >> i & 1)
        v[i] = ((const float *)p)[i];
    return (__m512)v;
}

SL_EMU void sl_emu_mask_storeu_ps(void *p, __mmask16 mask, __m512 from)
{
    SlEmuF v = (SlEmuF)from;
    SL_EMU_EACH(i)
    if (mask >> i & 1)
        ((float *)p)[i] = v[i];
}

SL_EMU void sl_emu_256_mask_storeu_epi16(void *p, __mmask16 mask, __m256i from)
{
    SlEmuHalf v = (SlEmuHalf)from;
    SL_EMU_EACH(i)
    if (mask >> i & 1)
        ((uint16_t *)p)[i] = v[i];
}

SL_EMU __m512 sl_emu_mask_i32gather_ps(__m512 src, __mmask16 mask, __m512i index, const void *base,
                                       int scale)
{
    SlEmuF v = (SlEmuF)src;
    SL_EMU_EACH(i)
    if (mask >> i & 1) {
        float f;
        memcpy(&f, (const char *)base + (int64_t)((SlEmuI)index)[i] * scale, sizeof f);
        v[i] = f;
    }
    return (__m512)v;
}

#undef _mm512_load_ps
#undef _mm512_loadu_ps
#undef _mm512_load_si512
#undef _mm512_loadu_si512
#undef _mm512_store_ps
#undef _mm512_store_si512
#undef _mm512_storeu_si512
#undef _mm512_maskz_loadu_epi16
#undef _mm256_maskz_loadu_epi16
#undef _mm_maskz_loadu_epi16
#undef _mm512_maskz_loadu_ps
#undef _mm512_mask_storeu_ps
#undef _mm512_mask_store_ps
#undef _mm256_mask_storeu_epi16
#undef _mm512_mask_i32gather_ps
#define _mm512_load_ps(p)        ((__m512)sl_emu_load(p))
#define _mm512_loadu_ps(p)       ((__m512)sl_emu_loadu(p))
#define _mm512_load_si512        sl_emu_load
#define _mm512_loadu_si512       sl_emu_loadu
#define _mm512_store_ps(p, v)    sl_emu_store(p, (__m512i)(v))
#define _mm512_store_si512       sl_emu_store
#define _mm512_storeu_si512      sl_emu_storeu
#define _mm512_maskz_loadu_epi16 sl_emu_maskz_loadu_epi16
#define _mm256_maskz_loadu_epi16 sl_emu_256_maskz_loadu_epi16
#define _mm_maskz_loadu_epi16    sl_emu_128_maskz_loadu_epi16
#define _mm512_maskz_loadu_ps    sl_emu_maskz_loadu_ps
#define _mm512_mask_storeu_ps    sl_emu_mask_storeu_ps
#define _mm512_mask_store_ps     sl_emu_mask_storeu_ps
#define _mm256_mask_storeu_epi16 sl_emu_256_mask_storeu_epi16
#define _mm512_mask_i32gather_ps sl_emu_mask_i32gather_ps

/* ---- whole numbers and bits ---- */

SL_EMU __m512i sl_emu_mask_or_epi32(__m512i src, __mmask16 mask, __m512i a, __m512i b)
{
    SlEmuI v = (SlEmuI)src;
    SL_EMU_EACH(i)
    if (mask >> i & 1)
        v[i] = ((SlEmuI)a)[i] | ((SlEmuI)b)[i];
    return (__m512i)v;
}

/* Bit 4 a + 2 b + c of the table. */
SL_EMU __m512i sl_emu_ternary(__m512i a, __m512i b, __m512i c, int table)
{
    SlEmuU v = {0};
    for (int n = 0; n < 8; n++)
        if (table >> n & 1)
            v |= (n & 4 ? (SlEmuU)a : ~(SlEmuU)a) & (n & 2 ? (SlEmuU)b : ~(SlEmuU)b) &
                 (n & 1 ? (SlEmuU)c : ~(SlEmuU)c);
    return (__m512i)v;
}

/* Of each quarter of the two, its lower or its upper half, in turn. */
SL_EMU __m512i sl_emu_unpack_epi32(__m512i a, __m512i b, int upper)
{
    SlEmuI v;
    SL_EMU_EACH(i) v[i] = ((SlEmuI)(i % 2 ? b : a))[i / 4 * 4 + 2 * upper + i % 4 / 2];
    return (__m512i)v;
}

SL_EMU __m512i sl_emu_unpack_epi64(__m512i a, __m512i b, int upper)
{
    SlEmuL v;
    for (int i = 0; i < 8; i++)
        v[i] = ((SlEmuL)(i % 2 ? b : a))[i / 2 * 2 + upper];
    return (__m512i)v;
}

/* Two quarters of a, then two of b. */
SL_EMU __m512i sl_emu_shuffle_i32x4(__m512i a, __m512i b, int which)
{
    SlEmuL v;
    for (int i = 0; i < 8; i++)
        v[i] = ((SlEmuL)(i < 4 ? a : b))[(which >> i / 2 * 2 & 3) * 2 + i % 2];
    return (__m512i)v;
}

SL_EMU __m512i sl_emu_permutexvar_epi16(__m512i index, __m512i a)
{
    SlEmuH v;
    for (int i = 0; i < 32; i++)
        v[i] = ((SlEmuH)a)[((SlEmuH)index)[i] & 31];
    return (__m512i)v;
}

SL_EMU __m512i sl_emu_mask_permutexvar_epi32(__m512i src, __mmask16 mask, __m512i index, __m512i a)
{
    SlEmuI v = (SlEmuI)src;
    SL_EMU_EACH(i)
    if (mask >> i & 1)
        v[i] = ((SlEmuI)a)[((SlEmuI)index)[i] & 15];
    return (__m512i)v;
}

SL_EMU __m512i sl_emu_mask_permutexvar_epi8(__m512i src, __mmask64 mask, __m512i index, __m512i a)
{
    SlEmuB v = (SlEmuB)src;
    for (int i = 0; i < 64; i++)
        if (mask >> i & 1)
            v[i] = ((SlEmuB)a)[((SlEmuB)index)[i] & 63];
    return (__m512i)v;
}

#undef _mm512_add_epi32
#undef _mm512_mullo_epi32
#undef _mm512_slli_epi32
#undef _mm512_srli_epi32
#undef _mm512_or_si512
#undef _mm512_xor_si512
#undef _mm512_mask_or_epi32
#undef _mm512_ternarylogic_epi32
#undef _mm512_unpacklo_epi32
#undef _mm512_unpackhi_epi32
#undef _mm512_unpacklo_epi64
#undef _mm512_unpackhi_epi64
#undef _mm512_shuffle_i32x4
#undef _mm512_permutexvar_epi16
#undef _mm512_permutexvar_ps
#undef _mm512_mask_permutexvar_epi32
#undef _mm512_mask_permutexvar_epi8
#undef _mm512_extracti64x4_epi64
#undef _mm512_extractf32x8_ps
#define _mm512_add_epi32(a, b)      ((__m512i)((SlEmuU)(a) + (SlEmuU)(b)))
#define _mm512_mullo_epi32(a, b)    ((__m512i)((SlEmuU)(a) * (SlEmuU)(b)))
#define _mm512_slli_epi32(a, n)     ((__m512i)((SlEmuU)(a) << (n)))
#define _mm512_srli_epi32(a, n)     ((__m512i)((SlEmuU)(a) >> (n)))
#define _mm512_or_si512(a, b)       ((__m512i)((SlEmuU)(a) | (SlEmuU)(b)))
#define _mm512_xor_si512(a, b)      ((__m512i)((SlEmuU)(a) ^ (SlEmuU)(b)))
#define _mm512_mask_or_epi32        sl_emu_mask_or_epi32
#define _mm512_ternarylogic_epi32   sl_emu_ternary
#define _mm512_unpacklo_epi32(a, b) sl_emu_unpack_epi32(a, b, 0)
#define _mm512_unpackhi_epi32(a, b) sl_emu_unpack_epi32(a, b, 1)
#define _mm512_unpacklo_epi64(a, b) sl_emu_unpack_epi64(a, b, 0)
#define _mm512_unpackhi_epi64(a, b) sl_emu_unpack_epi64(a, b, 1)
#define _mm512_shuffle_i32x4        sl_emu_shuffle_i32x4
#define _mm512_permutexvar_epi16    sl_emu_permutexvar_epi16
#define _mm512_permutexvar_ps(index, a) \
    ((__m512)sl_emu_mask_permutexvar_epi32(index, 0xffff, index, (__m512i)(a)))
#define _mm512_mask_permutexvar_epi32   sl_emu_mask_permutexvar_epi32
#define _mm512_mask_permutexvar_epi8    sl_emu_mask_permutexvar_epi8
#define _mm512_extracti64x4_epi64(v, n) sl_emu_half(v, n)
#define _mm512_extractf32x8_ps(v, n)    ((__m256)sl_emu_half((__m512i)(v), n))

/* ---- conversions ---- */

SL_EMU __m512 sl_emu_cvtph_ps(__m256i h)
{
    SlEmuF v;
    __m256 low = _mm256_cvtph_ps(_mm256_castsi256_si128(h)),
           high = _mm256_cvtph_ps(_mm256_extracti128_si256(h, 1));
    memcpy(&v, &low, sizeof low);
    memcpy((char *)&v + sizeof low, &high, sizeof high);
    return (__m512)v;
}

SL_EMU __m512i sl_emu_cvtepi8_epi32(__m128i b)
{
    SlEmuI v;
    int8_t from[SL_EMU_FLOATS];
    memcpy(from, &b, sizeof from);
    SL_EMU_EACH(i) v[i] = from[i];
    return (__m512i)v;
}

/* To the nearest, of two the even one; of what is subnormal 0; NaN stays NaN. */
SL_EMU SlEmuU sl_emu_to_bf16(__m512 v)
{
    SlEmuU u = (SlEmuU)v, size = u & 0x7fffffff, sign = u >> 16 & 0x8000;
    SlEmuU rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    SlEmuU nan = (SlEmuU)(size > 0x7f800000), small = (SlEmuU)(size < 0x00800000);
    rounded = (rounded & ~nan) | ((u >> 16 | 0x40) & nan);
    return (rounded & ~small) | (sign & small);
}

SL_EMU __m256bh sl_emu_cvtneps_pbh(__m512 v)
{
    return (__m256bh) __builtin_convertvector(sl_emu_to_bf16(v), SlEmuHalf);
}

/* b below, a above */
SL_EMU __m512bh sl_emu_cvtne2ps_pbh(__m512 a, __m512 b)
{
    SlEmuH v;
    SlEmuHalf half[2] = {__builtin_convertvector(sl_emu_to_bf16(b), SlEmuHalf),
                         __builtin_convertvector(sl_emu_to_bf16(a), SlEmuHalf)};
    memcpy(&v, half, sizeof v);
    return (__m512bh)v;
}

typedef double SlEmuD __attribute__((vector_size(64), may_alias));
typedef float SlEmuFloats __attribute__((vector_size(32), may_alias));

SL_EMU double sl_emu_reduce_add_pd(__m512d v)
{
    double sum[4];
    for (int i = 0; i < 4; i++)
        sum[i] = ((SlEmuD)v)[i] + ((SlEmuD)v)[i + 4];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

#undef _mm512_cvtph_ps
#undef _mm512_cvtepi8_epi32
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtepi32_ps
#undef _mm512_cvtepi32_epi16
#undef _mm512_cvtps_pd
#undef _mm512_cvtneps_pbh
#undef _mm512_cvtne2ps_pbh
#undef _mm512_reduce_add_pd
#define _mm512_cvtph_ps          sl_emu_cvtph_ps
#define _mm512_cvtepi8_epi32     sl_emu_cvtepi8_epi32
#define _mm512_cvtepu16_epi32(h) ((__m512i) __builtin_convertvector((SlEmuHalf)(h), SlEmuU))
#define _mm512_cvtepi32_ps(n)    ((__m512) __builtin_convertvector((SlEmuI)(n), SlEmuF))
#define _mm512_cvtepi32_epi16(n) ((__m256i) __builtin_convertvector((SlEmuU)(n), SlEmuHalf))
#define _mm512_cvtps_pd(v)       ((__m512d) __builtin_convertvector((SlEmuFloats)(v), SlEmuD))
#define _mm512_cvtneps_pbh       sl_emu_cvtneps_pbh
#define _mm512_cvtne2ps_pbh      sl_emu_cvtne2ps_pbh
#define _mm512_reduce_add_pd     sl_emu_reduce_add_pd

/* ---- numbers ---- */

SL_EMU_INLINE __m512 sl_emu_choose(SlEmuI which, __m512 a, __m512 b)
{
    return (__m512)(((SlEmuI)a & which) | ((SlEmuI)b & ~which));
}

/* b where one of the two is NaN */
SL_EMU_INLINE __m512 sl_emu_max_ps(__m512 a, __m512 b)
{
    return sl_emu_choose((SlEmuF)a > (SlEmuF)b, a, b);
}

SL_EMU_INLINE __m512 sl_emu_min_ps(__m512 a, __m512 b)
{
    return sl_emu_choose((SlEmuF)a < (SlEmuF)b, a, b);
}

SL_EMU float sl_emu_reduce_max_ps(__m512 v)
{
    float most = ((SlEmuF)v)[0];
    SL_EMU_EACH(i) most = most > ((SlEmuF)v)[i] ? most : ((SlEmuF)v)[i];
    return most;
}

SL_EMU __mmask16 sl_emu_cmp_ps_mask(__m512 a, __m512 b, int how)
{
    unsigned mask = 0;
    SL_EMU_EACH(i)
    {
        float x = ((SlEmuF)a)[i], y = ((SlEmuF)b)[i];
        mask |= (unsigned)(how == _CMP_UNORD_Q ? x != x || y != y : x > y) << i;
    }
    return (__mmask16)mask;
}

SL_EMU __m512 sl_emu_rcp14_ps(__m512 v)
{
    SlEmuF r = 1.0f / (SlEmuF)v;
    SlEmuI number = r == r;
    return sl_emu_choose(number, (__m512)((SlEmuU)r & 0xfffffe00), (__m512)r);
}

/* What is above the next lower whole number; nothing of what is infinite. */
SL_EMU __m512 sl_emu_reduce_ps(__m512 v)
{
    SlEmuF r;
    SL_EMU_EACH(i)
    {
        float f = ((SlEmuF)v)[i];
        r[i] = isinf(f) ? 0 : f - floorf(f);
    }
    return (__m512)r;
}

/* a 2^floor(b) */
SL_EMU __m512 sl_emu_scalef_ps(__m512 a, __m512 b)
{
    SlEmuF r;
    SL_EMU_EACH(i)
    {
        float f = ((SlEmuF)a)[i], power = floorf(((SlEmuF)b)[i]);
        r[i] = power != power ? power
                              : ldexpf(f, power < -1000  ? -1000
                                          : power > 1000 ? 1000
                                                         : (int)power);
    }
    return (__m512)r;
}

/* Pairs: the upper products first, each sum rounded. */
SL_EMU_INLINE __m512 sl_emu_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b)
{
    const SlEmuU high = (SlEmuU){0} + 0xffff0000;
    SlEmuF v = (SlEmuF)sum;
    v += (SlEmuF)((SlEmuU)a & high) * (SlEmuF)((SlEmuU)b & high);
    v += (SlEmuF)((SlEmuU)a << 16) * (SlEmuF)((SlEmuU)b << 16);
    return (__m512)v;
}

#undef _mm512_mul_ps
#undef _mm512_div_ps
#undef _mm512_fmadd_ps
#undef _mm512_fmsub_ps
#undef _mm512_max_ps
#undef _mm512_min_ps
#undef _mm512_reduce_max_ps
#undef _mm512_cmp_ps_mask
#undef _mm512_rcp14_ps
#undef _mm512_reduce_ps
#undef _mm512_scalef_ps
#undef _mm512_dpbf16_ps
#define _mm512_mul_ps(a, b)      ((__m512)((SlEmuF)(a) * (SlEmuF)(b)))
#define _mm512_div_ps(a, b)      ((__m512)((SlEmuF)(a) / (SlEmuF)(b)))
#define _mm512_fmadd_ps(a, b, c) ((__m512)((SlEmuF)(a) * (SlEmuF)(b) + (SlEmuF)(c)))
#define _mm512_fmsub_ps(a, b, c) ((__m512)((SlEmuF)(a) * (SlEmuF)(b) - (SlEmuF)(c)))
#define _mm512_max_ps            sl_emu_max_ps
#define _mm512_min_ps            sl_emu_min_ps
#define _mm512_reduce_max_ps     sl_emu_reduce_max_ps
#define _mm512_cmp_ps_mask       sl_emu_cmp_ps_mask
#define _mm512_rcp14_ps          sl_emu_rcp14_ps
#define _mm512_reduce_ps(v, how) sl_emu_reduce_ps(v)
#define _mm512_scalef_ps         sl_emu_scalef_ps
#define _mm512_dpbf16_ps         sl_emu_dpbf16_ps

/* ---- the matrix unit: each thread's tiles (processor.c) ---- */

typedef struct SlEmuTile {
    int rows, bytes; /* 0: not configured, which the processor refuses */
    char row[16][64];
} SlEmuTile;
extern _Thread_local SlEmuTile sl_emu_tile[8];

void sl_emu_tile_configure(const void *config); /* NULL: none of them is there any more */
void sl_emu_tile_load(int tile, const void *from, int64_t stride);
void sl_emu_tile_store(int tile, void *to, int64_t stride);
void sl_emu_tile_zero(int tile);
void sl_emu_tile_multiply(int sum, int a, int b);

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig sl_emu_tile_configure
#define _tile_release()  sl_emu_tile_configure(NULL)
#define _tile_zero       sl_emu_tile_zero
#define _tile_loadd      sl_emu_tile_load
#define _tile_stored     sl_emu_tile_store
#define _tile_dpbf16ps   sl_emu_tile_multiply

#endif
