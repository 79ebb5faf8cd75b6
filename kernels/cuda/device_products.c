/* device_products.c - linear layers: cuBLASLt with the bias and the residual in its epilogue.
 *
 * The algorithm for a shape is asked for once and remembered, with its descriptors: asking again
 * costs more than a small product, and the same algorithm every time is what makes the same bytes.
 * Where it has none, or takes it back, our own plain kernel computes the product.
 * Easy to get wrong: the heuristic assumes pointers aligned to 256 bytes unless told otherwise; the
 * bias of a 16-bit product is 16-bit itself.
 */
#include "kernels/cuda/product.h"
#include "kernels/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 256 /* of a part of a long product, at least */

/* What makes two products the same to cuBLASLt. */
typedef struct Key {
    int64_t size[4], ld[3], stride[3];
    int32_t transpose_a, transpose_b, in, out, has_bias, has_c, align[4];
} Key;

struct SlCudaProduct {
    Key key;
    cublasLtMatmulDesc_t what;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algo;
    bool plain; /* cuBLASLt refused it */
};

/* These errors are returned before anything is launched, so the product can be computed another
 * way. */
static bool is_refusal(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH;
}

static bool lt_check(SlCudaDevice *d, cublasStatus_t status, const char *what)
{
    if (status == CUBLAS_STATUS_SUCCESS)
        return true;
    /* A fault of a kernel before this product shows here first; a capture that fails is no
     * fault. */
    cudaError_t fault = cudaPeekAtLastError();
    if (fault == cudaSuccess && d->capturing)
        fault = cudaErrorInvalidValue;
    if (!sl_cuda_check(d, fault, what))
        return false;
    SlCode code = status == CUBLAS_STATUS_ALLOC_FAILED    ? SL_MEMORY
                  : status == CUBLAS_STATUS_NOT_SUPPORTED ? SL_UNSUPPORTED
                                                          : SL_DEVICE;
    sl_device_fail(&d->base, code, "cuBLASLt failed in %s%s%s: %s", sl_words(what),
                   d->base.scope ? sl_words(" of ") : "", d->base.scope ? d->base.scope : "",
                   cublasLtGetStatusName(status));
    if (code == SL_DEVICE)
        sl_cuda_set_dead(d->base.message);
    return false;
}

bool sl_cuda_products_open(SlCudaDevice *d, SlError *err)
{
    d->products = calloc(SL_CUDA_PRODUCTS, sizeof *d->products);
    if (!d->products)
        return sl_fail(err, SL_MEMORY, "no memory for the device cuda");
    cublasStatus_t status = cublasLtCreate(&d->lt);
    return status == CUBLAS_STATUS_SUCCESS ||
           sl_fail(err, SL_UNSUPPORTED, "the GPU cannot be used: cuBLASLt: %s",
                   cublasLtGetStatusName(status));
}

static void forget(SlCudaProduct *p)
{
    if (p->what)
        cublasLtMatmulDescDestroy(p->what);
    cublasLtMatrixLayout_t layouts[] = {p->a, p->b, p->d};
    for (int i = 0; i < 3; i++)
        if (layouts[i])
            cublasLtMatrixLayoutDestroy(layouts[i]);
    memset(p, 0, sizeof *p);
}

void sl_cuda_products_close(SlCudaDevice *d)
{
    for (int i = 0; i < d->product_count; i++)
        forget(&d->products[i]);
    free(d->products);
    if (d->lt)
        cublasLtDestroy(d->lt);
}

/* ---- what cuBLASLt wants to know ---- */

static cudaDataType data_type(SlDtype dtype)
{
    return dtype == SL_F32 ? CUDA_R_32F : dtype == SL_F16 ? CUDA_R_16F : CUDA_R_16BF;
}

/* 1 to 256 */
static int32_t alignment(const void *p)
{
    uintptr_t address = (uintptr_t)p;
    return address % 256 == 0 ? 256 : (int32_t)(address & -address);
}

static Key key_of(const SlCudaGemm *g)
{
    Key key;
    memset(&key, 0, sizeof key); /* compared as bytes */
    key = (Key){
        .size = {g->m, g->n, g->k, g->batch},
        .ld = {g->lda, g->ldb, g->ldd},
        .stride = {g->stride_a, g->stride_b, g->stride_d},
        .transpose_a = g->transpose_a,
        .transpose_b = g->transpose_b,
        .in = (int32_t)g->in,
        .out = (int32_t)g->out,
        .has_bias = g->has_bias,
        .has_c = g->has_c,
        .align = {alignment(g->a), alignment(g->b), alignment(g->has_c ? g->c : g->d),
                  alignment(g->d)},
    };
    return key;
}

static cublasStatus_t make_layout(cublasLtMatrixLayout_t *layout, SlDtype dtype, int64_t rows,
                                  int64_t columns, int64_t ld, int64_t stride, int64_t batch)
{
    int32_t count = (int32_t)batch;
    cublasStatus_t s =
        cublasLtMatrixLayoutCreate(layout, data_type(dtype), (uint64_t)rows, (uint64_t)columns, ld);
    if (s == CUBLAS_STATUS_SUCCESS && batch > 1)
        s = cublasLtMatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                             sizeof count);
    if (s == CUBLAS_STATUS_SUCCESS && batch > 1)
        s = cublasLtMatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                             &stride, sizeof stride);
    return s;
}

static cublasStatus_t make_layouts(SlCudaProduct *p, const SlCudaGemm *g)
{
    bool ta = g->transpose_a, tb = g->transpose_b;
    cublasStatus_t s = make_layout(&p->a, g->in, ta ? g->k : g->m, ta ? g->m : g->k, g->lda,
                                   g->stride_a, g->batch);
    if (s == CUBLAS_STATUS_SUCCESS)
        s = make_layout(&p->b, g->in, tb ? g->n : g->k, tb ? g->k : g->n, g->ldb, g->stride_b,
                        g->batch);
    if (s == CUBLAS_STATUS_SUCCESS)
        s = make_layout(&p->d, g->out, g->m, g->n, g->ldd, g->stride_d, g->batch);
    return s;
}

static cublasStatus_t make_description(SlCudaProduct *p, const SlCudaGemm *g)
{
    cublasOperation_t ta = g->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t tb = g->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasLtEpilogue_t epilogue = g->has_bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    const struct {
        cublasLtMatmulDescAttributes_t name;
        const void *value;
        size_t size;
    } attributes[] = {
        {CUBLASLT_MATMUL_DESC_TRANSA, &ta, sizeof ta},
        {CUBLASLT_MATMUL_DESC_TRANSB, &tb, sizeof tb},
        {CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue},
    };
    cublasStatus_t s = cublasLtMatmulDescCreate(&p->what, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    for (size_t i = 0; i < 3 && s == CUBLAS_STATUS_SUCCESS; i++)
        s = cublasLtMatmulDescSetAttribute(p->what, attributes[i].name, attributes[i].value,
                                           attributes[i].size);
    return s;
}

static cublasStatus_t set_bias(SlCudaProduct *p, const SlCudaGemm *g)
{
    if (!g->has_bias)
        return CUBLAS_STATUS_SUCCESS;
    return cublasLtMatmulDescSetAttribute(p->what, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &g->bias,
                                          sizeof g->bias);
}

static cublasStatus_t ask(SlCudaDevice *d, SlCudaProduct *p)
{
    static const cublasLtMatmulPreferenceAttributes_t names[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    cublasLtMatmulPreference_t preference;
    cublasStatus_t s = cublasLtMatmulPreferenceCreate(&preference);
    if (s != CUBLAS_STATUS_SUCCESS)
        return s;
    uint64_t workspace = SL_CUDA_WORKSPACE;
    s = cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &workspace, sizeof workspace);
    for (int i = 0; i < 4 && s == CUBLAS_STATUS_SUCCESS; i++) {
        uint32_t bytes = (uint32_t)p->key.align[i];
        s = cublasLtMatmulPreferenceSetAttribute(preference, names[i], &bytes, sizeof bytes);
    }
    cublasLtMatmulHeuristicResult_t found;
    int count = 0;
    if (s == CUBLAS_STATUS_SUCCESS)
        s = cublasLtMatmulAlgoGetHeuristic(d->lt, p->what, p->a, p->b, p->d, p->d, preference, 1,
                                           &found, &count);
    cublasLtMatmulPreferenceDestroy(preference);
    /* PyTorch met the second one for matrices of one row or column. */
    if ((s == CUBLAS_STATUS_SUCCESS && count < 1) || s == CUBLAS_STATUS_INVALID_VALUE)
        s = CUBLAS_STATUS_NOT_SUPPORTED;
    if (s == CUBLAS_STATUS_SUCCESS)
        p->algo = found.algo;
    return s;
}

/* ---- remembering ---- */

static SlCudaProduct *make(SlCudaDevice *d, const SlCudaGemm *g, const Key *key)
{
    if (d->product_count == SL_CUDA_PRODUCTS) /* many sizes were tried: begin again */
        while (d->product_count > 0)
            forget(&d->products[--d->product_count]);
    SlCudaProduct *p = &d->products[d->product_count++];
    p->key = *key;
    cublasStatus_t s = make_description(p, g);
    if (s == CUBLAS_STATUS_SUCCESS)
        s = make_layouts(p, g);
    if (s == CUBLAS_STATUS_SUCCESS)
        s = set_bias(p, g); /* the heuristic looks at it */
    if (s == CUBLAS_STATUS_SUCCESS)
        s = ask(d, p);
    p->plain = is_refusal(s);
    if (p->plain)
        cudaGetLastError();
    if (p->plain || lt_check(d, s, SL_WORDS("choosing a product")))
        return p;
    forget(p);
    d->product_count--;
    return NULL;
}

static SlCudaProduct *find(SlCudaDevice *d, const SlCudaGemm *g)
{
    Key key = key_of(g);
    for (int i = 0; i < d->product_count; i++)
        if (!memcmp(&d->products[i].key, &key, sizeof key))
            return &d->products[i];
    return make(d, g, &key);
}

void sl_cuda_gemm(SlCudaDevice *d, const SlCudaGemm *g)
{
    const float beta = g->has_c ? 1 : 0;
    if (g->m == 0 || g->n == 0 || d->base.status != SL_OK)
        return;
    SlCudaProduct *p = find(d, g);
    if (!p || (!p->plain && !lt_check(d, set_bias(p, g), SL_WORDS("a product's bias"))))
        return;
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    if (!p->plain)
        status = cublasLtMatmul(d->lt, p->what, &g->alpha, g->a, p->a, g->b, p->b, &beta,
                                g->has_c ? g->c : g->d, p->d, g->d, p->d, &p->algo, d->workspace,
                                SL_CUDA_WORKSPACE, d->stream);
    if (is_refusal(status)) {
        p->plain = true;
        cudaGetLastError(); /* what cuBLASLt tried in vain */
    }
    if (p->plain)
        sl_cuda_check(d, sl_launch_gemm_plain(g, d->stream), SL_WORDS("a product"));
    else
        lt_check(d, status, SL_WORDS("a product"));
}

/* ---- slots ---- */

bool sl_cuda_product_takes(const SlEpilogue *e, const SlTensor *out)
{
    return e->act == SL_ACT_NONE && !e->per_channel && (e->scale == 0 || e->scale == 1) &&
           (!e->residual || e->residual->dtype == out->dtype);
}

static void *element(const SlTensor *t, int64_t at)
{
    return (char *)t->data + at * (int64_t)sl_dtype_size(t->dtype);
}

void sl_cuda_product(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
                     SlTensor *out)
{
    int64_t in = w->size[1], n = w->size[0], rows = sl_tensor_elements(out) / n;
    size_t mark = sl_arena_mark(dev);
    SlCudaGemm g = {
        .m = n,
        .k = in,
        .batch = 1,
        .transpose_a = true,
        .lda = in,
        .ldb = in,
        .ldd = n,
        .in = x->dtype,
        .out = out->dtype,
        .has_bias = e->bias != NULL,
        .has_c = e->residual != NULL,
        .alpha = 1,
        .a = sl_cuda_plain_weight(dev, w, x->dtype),
        .bias = sl_cuda_half_vector(e->bias),
    };
    int64_t most = sl_cuda_rows_at_once(dev, sl_product_flops(w, out), rows, ROWS);
    for (int64_t first = 0; g.a && first < rows && (first == 0 || sl_cuda_go_on(dev));
         first += most) {
        g.n = rows - first < most ? rows - first : most;
        g.b = element(x, first * in);
        g.c = e->residual ? element(e->residual, first * n) : NULL;
        g.d = element(out, first * n);
        sl_cuda_gemm(sl_cuda_of(dev), &g);
    }
    sl_arena_reset(dev, mark);
}

static void cuda_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                        SlTensor *out)
{
    sl_cuda_product(dev, x, w, &(SlEpilogue){.bias = bias}, out);
}

/* The residual of most linear layers is added by cuBLASLt; what it cannot do is done after it. */
static void cuda_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlEpilogue *e, SlTensor *out)
{
    if (sl_cuda_product_takes(e, out)) {
        sl_cuda_product(dev, x, w, e, out);
        return;
    }
    SlOps composites = {0};
    sl_ops_fill(&composites);
    composites.linear_epilogue(dev, x, w, e, out);
}

void sl_cuda_product_slots(SlOps *ops)
{
    ops->linear = cuda_linear;
    ops->linear_epilogue = cuda_linear_epilogue;
}
