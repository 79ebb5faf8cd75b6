/* mt19937.c - torch.randn(float32) on the CPU, bit for bit as torch draws it on x86 with AVX2 and
 * FMA (also on AVX-512 machines, where torch takes the same path).
 *
 * Mirrors at::mt19937, at::normal_distribution<double> and normal_fill_AVX2 of torch 2.9.1. Easy to
 * get wrong: the logarithm, sine and cosine there are Cephes polynomials, not libm's, and torch's
 * compiler contracts them to fused multiply-adds, so each fmaf below is one that torch has and
 * each plain product one that it rounds; theta is a float product; the tail of a length that is no
 * multiple of 16 draws 16 new uniforms over the last 16 places, the earlier ones among them already
 * being normal values.
 */
#include "engine/noise/mt19937.h"

#include <math.h>

#define SIZE 624
#define MID  397

void sl_mt19937_seed(SlNoise *noise, uint64_t seed)
{
    noise->mt[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < SIZE; i++)
        noise->mt[i] = 1812433253u * (noise->mt[i - 1] ^ (noise->mt[i - 1] >> 30)) + i;
    noise->mt_index = SIZE;
}

static uint32_t twist(uint32_t far, uint32_t u, uint32_t v)
{
    uint32_t mixed = (u & 0x80000000u) | (v & 0x7fffffffu);
    return far ^ (mixed >> 1) ^ (v & 1 ? 0x9908b0dfu : 0);
}

static uint32_t next32(SlNoise *noise)
{
    uint32_t *mt = noise->mt;
    if (noise->mt_index < 0 || noise->mt_index >= SIZE) {
        for (int i = 0; i < SIZE; i++)
            mt[i] = twist(mt[(i + MID) % SIZE], mt[i], mt[(i + 1) % SIZE]);
        noise->mt_index = 0;
    }
    uint32_t y = mt[noise->mt_index++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* [0, 1) in steps of 2^-24. */
static float uniform_float(SlNoise *noise)
{
    return (float)(next32(noise) & 0xffffffu) * 0x1p-24f;
}

/* [0, 1) in steps of 2^-53; the first draw is the high word. */
static double uniform_double(SlNoise *noise)
{
    uint64_t high = next32(noise), low = next32(noise);
    return (double)(((high << 32) | low) & 0x1fffffffffffffu) * 0x1p-53;
}

/* ---- fewer than 16: pairs of doubles, the second kept in the generator ---- */

static double normal_double(SlNoise *noise)
{
    if (noise->has_cached) {
        noise->has_cached = false;
        return noise->cached;
    }
    double u1 = uniform_double(noise), u2 = uniform_double(noise);
    double radius = sqrt(-2.0 * log1p(-u2)), theta = 2.0 * M_PI * u1;
    noise->cached = radius * sin(theta);
    noise->has_cached = true;
    return radius * cos(theta);
}

/* ---- 16 and more ---- */

/* Horner's scheme, highest power first. */
static float polynomial(float x, const float *coefficients, int count)
{
    float y = coefficients[0];
    for (int i = 1; i < count; i++)
        y = fmaf(y, x, coefficients[i]);
    return y;
}

/* x in (0, 1]. */
static float cephes_log(float x)
{
    static const float p[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                              -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                              2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
    int exponent;
    x = frexpf(x, &exponent); /* [0.5, 1) */
    if (x < 0.707106781186547524f) {
        exponent--;
        x = (x - 1.0f) + x;
    } else {
        x -= 1.0f;
    }
    float e = (float)exponent, z = x * x;
    float y = fmaf(polynomial(x, p, 9) * x, z, e * -2.12194440e-4f);
    y = fmaf(-z, 0.5f, y);
    return fmaf(e, 0.693359375f, x + y);
}

/* x in [0, 2 pi]. */
static void cephes_sincos(float x, float *sine, float *cosine)
{
    static const float sin_p[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
    static const float cos_p[] = {2.443315711809948e-5f, -1.388731625493765e-3f,
                                  4.166664568298827e-2f};
    int octant = ((int)(x * 1.27323954473516f) + 1) & ~1;
    float k = (float)octant;
    x = fmaf(k, -0.78515625f, x); /* x - k pi/4 in three pieces */
    x = fmaf(k, -2.4187564849853515625e-4f, x);
    x = fmaf(k, -3.77489497744594108e-8f, x);
    float z = x * x;
    float c = fmaf(polynomial(z, cos_p, 3) * z, z, -(z * 0.5f)) + 1.0f;
    float s = fmaf(polynomial(z, sin_p, 3) * z, x, x);
    bool swap = octant & 2;
    *sine = swap ? c : s;
    *cosine = swap ? s : c;
    if (octant & 4)
        *sine = -*sine;
    if (!((octant - 2) & 4))
        *cosine = -*cosine;
}

/* 16 uniforms to 16 normals: place j and place j + 8 are a pair. */
static void box_muller_16(float *x)
{
    for (int j = 0; j < 8; j++) {
        float u1 = 1.0f - x[j], sine, cosine;
        float radius = sqrtf(-2.0f * cephes_log(u1));
        cephes_sincos((float)(2.0 * M_PI) * x[j + 8], &sine, &cosine);
        x[j] = radius * cosine + 0.0f; /* + mean: -0 becomes 0 */
        x[j + 8] = radius * sine + 0.0f;
    }
}

void sl_mt19937_normal(SlNoise *noise, float *out, int64_t n)
{
    if (n < 16) {
        for (int64_t i = 0; i < n; i++)
            out[i] = (float)normal_double(noise);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        out[i] = uniform_float(noise);
    for (int64_t i = 0; i + 16 <= n; i += 16)
        box_muller_16(out + i);
    if (n % 16) {
        float *tail = out + n - 16;
        for (int i = 0; i < 16; i++)
            tail[i] = uniform_float(noise);
        box_muller_16(tail);
    }
}
