/* gemm.cpp - matrix products in f32, for the stand-in of cuBLASLt. */
#include "gemm.h"

#include <cmath>
#include <cstring>
#include <vector>

namespace cuda_emu
{
/* Own conversions: this file is also compiled against the toolkit's headers. */
static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000u | mantissa << 13);
    if (exponent)
        return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    return from_bits(sign | bits_of((float)mantissa * 0x1p-24f));
}

static uint16_t f32_to_f16(float f)
{
    uint32_t u = bits_of(f);
    uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
    u &= 0x7fffffffu;
    if (u > 0x7f800000u)
        return sign | 0x7fff;
    if (u >= 0x477ff000u)
        return sign | 0x7c00;
    if (u < 0x38800000u)
        return sign | (uint16_t)(bits_of(from_bits(u) + 0.5f) - 0x3f000000u);
    u += 0xc8000fffu + (u >> 13 & 1);
    return sign | (uint16_t)(u >> 13);
}

static uint16_t f32_to_bf16(float f)
{
    uint32_t u = bits_of(f);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff;
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

static float get(const void *p, cudaDataType t, size_t i)
{
    if (t == CUDA_R_32F)
        return ((const float *)p)[i];
    uint16_t h = ((const uint16_t *)p)[i];
    return t == CUDA_R_16F ? f16_to_f32(h) : from_bits((uint32_t)h << 16);
}

static void put(void *p, cudaDataType t, size_t i, float v)
{
    if (t == CUDA_R_32F)
        ((float *)p)[i] = v;
    else
        ((uint16_t *)p)[i] = t == CUDA_R_16F ? f32_to_f16(v) : f32_to_bf16(v);
}

/* ---- the product ---- */

static bool memory_fits(const Gemm &g)
{
    size_t d = g.d.span(g.m, g.n, g.batch);
    if (!dev_check_read(g.a.p, g.a.span(g.ta ? g.k : g.m, g.ta ? g.m : g.k, g.batch), "gemm A") ||
        !dev_check_read(g.b.p, g.b.span(g.tb ? g.n : g.k, g.tb ? g.k : g.n, g.batch), "gemm B") ||
        (g.beta != 0 && !dev_check_read(g.c.p, g.c.span(g.m, g.n, g.batch), "gemm C")) ||
        ((g.epilogue & CUBLASLT_EPILOGUE_BIAS) &&
         !dev_check_read(g.bias, g.m * size_of(g.bias_type), "gemm bias")))
        return false;
    if (dev_live(g.d.p, d))
        return true;
    report("global-oob", nullptr, "gemm: result is not inside one live allocation");
    return false;
}

static float finish(const Gemm &g, float v, int row)
{
    if (g.epilogue & CUBLASLT_EPILOGUE_BIAS)
        v += get(real(g.bias), g.bias_type, row);
    if (g.epilogue & CUBLASLT_EPILOGUE_RELU)
        v = v > 0 ? v : 0;
    if (g.epilogue & CUBLASLT_EPILOGUE_GELU)
        v = 0.5f * v * (1 + tanhf(0.7978845608f * (v + 0.044715f * v * v * v)));
    return v;
}

typedef float v16 __attribute__((vector_size(64), aligned(4)));

/* The operands once as f32: a as [k][m rounded up to 16], b as [n][k]. */
struct Operands {
    int pitch;
    std::vector<float> a, b;

    Operands(const Gemm &g, int item)
        : pitch((g.m + 15) & ~15), a((size_t)pitch * g.k, 0.f), b((size_t)g.n * g.k)
    {
        const void *pa = g.a.item(item), *pb = g.b.item(item);
        parallel_for((g.k + 63) / 64, [&](long block) {
            int end = (int)block * 64 + 64 < g.k ? (int)block * 64 + 64 : g.k;
            for (int k = (int)block * 64; k < end; k++) {
                for (int i = 0; i < g.m; i++)
                    a[(size_t)k * pitch + i] =
                        get(pa, g.a.type, g.ta ? (size_t)i * g.a.ld + k : (size_t)k * g.a.ld + i);
                for (int j = 0; j < g.n; j++)
                    b[(size_t)j * g.k + k] =
                        get(pb, g.b.type, g.tb ? (size_t)k * g.b.ld + j : (size_t)j * g.b.ld + k);
            }
        });
    }
};

/* 16 rows by up to 4 columns of the result. */
static void small_tile(const Gemm &g, const Operands &o, int item, int i, int j)
{
    v16 sum[4] = {};
    int columns = g.n - j < 4 ? g.n - j : 4;
    const float *b[4];
    for (int q = 0; q < 4; q++)
        b[q] = &o.b[(size_t)(j + (q < columns ? q : 0)) * g.k];
    for (int k = 0; k < g.k; k++) {
        v16 x = *(const v16 *)&o.a[(size_t)k * o.pitch + i];
        for (int q = 0; q < 4; q++)
            sum[q] += x * b[q][k];
    }
    for (int q = 0; q < columns; q++)
        for (int r = 0; r < 16 && i + r < g.m; r++) {
            float v = g.alpha * sum[q][r];
            if (g.beta != 0)
                v += g.beta * get(g.c.item(item), g.c.type, (size_t)(j + q) * g.c.ld + i + r);
            put((void *)g.d.item(item), g.d.type, (size_t)(j + q) * g.d.ld + i + r,
                finish(g, v, i + r));
        }
}

int run_gemm(const Gemm &g)
{
    if (!memory_fits(g))
        return cudaErrorLaunchFailure;
    const int rows = 64, columns = 32;
    long down = (g.m + rows - 1) / rows, across = (g.n + columns - 1) / columns;
    for (int item = 0; item < g.batch; item++) {
        Operands o(g, item);
        parallel_for(down * across, [&](long t) {
            int i0 = (int)(t % down) * rows, j0 = (int)(t / down) * columns;
            for (int i = i0; i < i0 + rows && i < g.m; i += 16)
                for (int j = j0; j < j0 + columns && j < g.n; j += 4)
                    small_tile(g, o, item, i, j);
        });
        dev_written((const char *)g.d.p + (size_t)item * g.d.stride * size_of(g.d.type),
                    g.d.span(g.m, g.n, 1));
    }
    return 0;
}
} // namespace cuda_emu
