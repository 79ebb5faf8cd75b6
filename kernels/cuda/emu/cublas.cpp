/* cublas.cpp - the stand-in for cuBLASLt: descriptors, and the argument rules of the real one.
 *
 * It refuses what the real one refuses: a leading dimension that is too small, matrices that leave
 * their allocation, types that do not go together, a workspace that is not aligned.
 */
#include "gemm.h"

#include <cstring>

using namespace cuda_emu;

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
    g = {what->ta != 0,
         what->tb != 0,
         (int)m,
         (int)n,
         (int)k,
         d->batch,
         1,
         0,
         {nullptr, a->type, (int)a->ld, a->stride},
         {nullptr, b->type, (int)b->ld, b->stride},
         {nullptr, c->type, (int)c->ld, c->stride},
         {nullptr, d->type, (int)d->ld, d->stride},
         (int)what->epilogue & ~CUBLASLT_EPILOGUE_DEFAULT,
         what->bias,
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
    *d = (cublasLtMatmulDesc_t) new Description{compute, 0, 0, CUBLASLT_EPILOGUE_DEFAULT,
                                                nullptr, -1};
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
    if (wanted < 1 || cfg.refuse == 1 ||
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
    if (cfg.refuse == 2)
        return CUBLAS_STATUS_NOT_SUPPORTED;
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
    return stream_op(stream, "cublasLtMatmul", [g]() -> int { return run_gemm(g); })
               ? CUBLAS_STATUS_EXECUTION_FAILED
               : CUBLAS_STATUS_SUCCESS;
}
}
