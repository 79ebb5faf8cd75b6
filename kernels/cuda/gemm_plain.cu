/* gemm_plain.cu - a product for which cuBLASLt has no algorithm, one thread per element. Slow
 * and rarely used: versions of cuBLASLt differ in what they refuse (odd sizes, types, a bias),
 * and a refusal must not end a run. */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/gemm.h"

struct GemmShape {
    int64_t m, n, k, count; /* count: elements of all of the batch */
    int64_t a_row, a_column, b_row, b_column, ldd, a_item, b_item, d_item;
    float alpha;
};

template <class T, class Y>
__global__ void __launch_bounds__(256)
    gemm_plain_kernel(const T *a, const T *b, const Y *c, const Y *bias, Y *d, GemmShape s)
{
    GPU_FLAT_LOOP (i, s.count) {
        const int64_t row = i % s.m, column = i / s.m % s.n, item = i / s.m / s.n;
        const int64_t at = item * s.d_item + column * s.ldd + row;
        const T *p = a + item * s.a_item + row * s.a_row;
        const T *q = b + item * s.b_item + column * s.b_column;
        float sum = 0;
        for (int64_t j = 0; j < s.k; j++)
            sum += gpu_f(p[j * s.a_column]) * gpu_f(q[j * s.b_row]);
        sum *= s.alpha;
        if (c)
            sum += gpu_f(c[at]);
        if (bias)
            sum += gpu_f(bias[row]);
        d[at] = gpu_from<Y>(sum);
    }
}

static GemmShape shape_of(const SlCudaGemm *g)
{
    GemmShape s = {g->m,    g->n,        g->k,        g->m * g->n * g->batch,
                   1,       g->lda,      1,           g->ldb,
                   g->ldd,  g->stride_a, g->stride_b, g->stride_d,
                   g->alpha};
    if (g->transpose_a) {
        s.a_row = g->lda;
        s.a_column = 1;
    }
    if (g->transpose_b) {
        s.b_row = g->ldb;
        s.b_column = 1;
    }
    return s;
}

template <class T, class Y> static cudaError_t run(const SlCudaGemm *g, cudaStream_t stream)
{
    const GemmShape s = shape_of(g);
    return gpu_launch(gemm_plain_kernel<T, Y>, gpu_flat(s.count, stream), (const T *)g->a,
                      (const T *)g->b, (const Y *)(g->has_c ? g->c : NULL),
                      (const Y *)(g->has_bias ? g->bias : NULL), (Y *)g->d, s);
}

cudaError_t sl_launch_gemm_plain(const SlCudaGemm *g, cudaStream_t stream)
{
    if (g->m * g->n * g->batch == 0)
        return cudaSuccess;
    if (g->out != g->in && g->out != SL_F32)
        return cudaErrorInvalidValue;
    return gpu_by_type(g->in, [&](auto e) {
        typedef decltype(e) T;
        return g->out == g->in ? run<T, T>(g, stream) : run<T, float>(g, stream);
    });
}
