/* cublas.cpp - the stand-in for cuBLASLt: products in f32, with the argument rules of the real one.
 *
 * It refuses what the real one refuses: a leading dimension that is too small, matrices that leave
 * their allocation, types that do not go together, a workspace that is not aligned.
 */
#include "emu.h"

#include "cublasLt.h"

#include <cmath>
#include <cstring>
#include <vector>

using namespace cuda_emu;

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

static size_t size_of(cudaDataType t)
{
    return t == CUDA_R_32F ? 4 : 2;
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

struct Matrix {
    const void *p;
    cudaDataType type;
    int ld;
    long long stride;

    size_t span(int rows, int columns, int batch) const // bytes that it covers
    {
        return ((size_t)(batch - 1) * stride + (size_t)ld * (columns - 1) + rows) * size_of(type);
    }

    const void *item(int i) const // one of the batch, where it can be read
    {
        return (const char *)real(p) + (size_t)i * stride * size_of(type);
    }
};

struct Gemm {
    bool ta, tb;
    int m, n, k, batch;
    float alpha, beta;
    Matrix a, b, c, d;
    int epilogue;
    const void *bias;
    cudaDataType bias_type;
};

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

static int run(const Gemm &g)
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

/* ---- descriptors ---- */

struct Description {
    cublasComputeType_t compute;
    int ta, tb;
    uint32_t epilogue;
    const void *bias;
    int bias_type; // -1: that of D
};

struct Layout {
    cudaDataType type;
    uint64_t rows, columns;
    int64_t ld;
    int32_t batch;
    int64_t stride;
};

static bool types_fit(cudaDataType a, cudaDataType b, cudaDataType d)
{
    return a == b && (d == a || d == CUDA_R_32F);
}

static bool make_gemm(Gemm &g, const Description *what, const Layout *a, const Layout *b,
                      const Layout *c, const Layout *d)
{
    uint64_t m = what->ta ? a->columns : a->rows, k = what->ta ? a->rows : a->columns;
    uint64_t n = what->tb ? b->rows : b->columns, k2 = what->tb ? b->columns : b->rows;
    if (what->compute == CUBLAS_COMPUTE_16F || !types_fit(a->type, b->type, d->type) ||
        c->type != d->type)
        return false;
    if (k != k2 || d->rows != m || d->columns != n || c->rows != m || c->columns != n ||
        a->batch != d->batch || b->batch != d->batch) {
        report("gemm-args", nullptr, "cublasLtMatmul: the layouts do not fit together");
        return false;
    }
    g = {what->ta != 0, what->tb != 0, (int)m, (int)n, (int)k, d->batch, 1, 0,
         {nullptr, a->type, (int)a->ld, a->stride}, {nullptr, b->type, (int)b->ld, b->stride},
         {nullptr, c->type, (int)c->ld, c->stride}, {nullptr, d->type, (int)d->ld, d->stride},
         (int)what->epilogue & ~CUBLASLT_EPILOGUE_DEFAULT, what->bias,
         what->bias_type < 0 ? d->type : (cudaDataType)what->bias_type};
    return true;
}

static bool arguments_fit(const Gemm &g)
{
    if (g.a.ld < (g.ta ? g.k : g.m) || g.b.ld < (g.tb ? g.n : g.k) || g.d.ld < g.m ||
        g.c.ld < g.m) {
        report("gemm-args", nullptr, "cublasLtMatmul: a leading dimension is too small");
        return false;
    }
    bool bias_there = !(g.epilogue & CUBLASLT_EPILOGUE_BIAS) || is_dev(g.bias);
    if (is_dev(g.a.p) && is_dev(g.b.p) && is_dev(g.d.p) && bias_there)
        return true;
    report("host-pointer", nullptr, "cublasLtMatmul: an operand is not in device memory");
    return false;
}

extern "C" {
const char *cublasLtGetStatusName(cublasStatus_t s)
{
    switch ((int)s) {
    case CUBLAS_STATUS_SUCCESS:
        return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
        return "another cuBLAS status";
    }
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *h)
{
    init_once();
    *h = (cublasLtHandle_t) new char;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t h)
{
    delete (char *)h;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t compute,
                                        cudaDataType)
{
    *d = (cublasLtMatmulDesc_t) new Description{
        compute, 0, 0, CUBLASLT_EPILOGUE_DEFAULT, nullptr, -1};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
    delete (Description *)d;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                              cublasLtMatmulDescAttributes_t which,
                                              const void *value, size_t n)
{
    Description *d = (Description *)desc;
    void *to = which == CUBLASLT_MATMUL_DESC_TRANSA           ? (void *)&d->ta
               : which == CUBLASLT_MATMUL_DESC_TRANSB         ? (void *)&d->tb
               : which == CUBLASLT_MATMUL_DESC_EPILOGUE       ? (void *)&d->epilogue
               : which == CUBLASLT_MATMUL_DESC_BIAS_POINTER   ? (void *)&d->bias
               : which == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE ? (void *)&d->bias_type
                                                              : nullptr;
    if (!to)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (n != (which == CUBLASLT_MATMUL_DESC_BIAS_POINTER ? sizeof(void *) : 4))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, value, n);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t ld)
{
    *l = (cublasLtMatrixLayout_t) new Layout{type, rows, columns, ld, 1, 0};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
    delete (Layout *)l;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t which,
                                                const void *value, size_t n)
{
    Layout *l = (Layout *)layout;
    if (which == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT && n == sizeof l->batch)
        memcpy(&l->batch, value, n);
    else if (which == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET && n == sizeof l->stride)
        memcpy(&l->stride, value, n);
    else
        return CUBLAS_STATUS_INVALID_VALUE;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p)
{
    *p = (cublasLtMatmulPreference_t) new char;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
    delete (char *)p;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t which,
                                                    const void *, size_t n)
{
    size_t wanted = which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES ? 8 : 4;
    return n == wanted ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t what,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int *got)
{
    Gemm g;
    *got = 0;
    if (wanted < 1 ||
        !make_gemm(g, (Description *)what, (Layout *)a, (Layout *)b, (Layout *)c, (Layout *)d))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    memset(&results[0], 0, sizeof results[0]);
    results[0].state = CUBLAS_STATUS_SUCCESS;
    results[0].wavesCount = 1;
    *got = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t what, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t la, const void *b,
                              cublasLtMatrixLayout_t lb, const void *beta, const void *c,
                              cublasLtMatrixLayout_t lc, void *d, cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *, void *workspace, size_t bytes,
                              cudaStream_t stream)
{
    Gemm g;
    if (!make_gemm(g, (Description *)what, (Layout *)la, (Layout *)lb, (Layout *)lc, (Layout *)ld))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (bytes && (!dev_live(workspace, bytes) || (uintptr_t)workspace % 256))
        return CUBLAS_STATUS_INVALID_VALUE;
    g.alpha = *(const float *)alpha;
    g.beta = *(const float *)beta;
    g.a.p = a;
    g.b.p = b;
    g.c.p = c;
    g.d.p = d;
    if (!arguments_fit(g))
        return CUBLAS_STATUS_INVALID_VALUE;
    return stream_op(stream, "cublasLtMatmul", [g]() -> int { return run(g); })
               ? CUBLAS_STATUS_EXECUTION_FAILED
               : CUBLAS_STATUS_SUCCESS;
}
}
