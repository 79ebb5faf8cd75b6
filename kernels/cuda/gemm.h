/* gemm.h - a matrix product as cuBLASLt counts it, and the kernel for what cuBLASLt refuses.
 *
 * Easy to get wrong: cuBLASLt counts by columns. A row-major y [rows, out] = x [rows, in] w [out,
 * in]^T is its y^T = w x^T: m = out, n = rows, k = in, w transposed.
 */
#ifndef SL_KERNELS_CUDA_GEMM_H
#define SL_KERNELS_CUDA_GEMM_H

#include "kernels/kernels.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* d (m x n) = alpha a (m x k) b (k x n) + beta c + bias (m), by columns; ld and stride in elements.
 */
typedef struct SlCudaGemm {
    int64_t m, n, k, batch;
    bool transpose_a, transpose_b;
    int64_t lda, ldb, ldd; /* c has d's */
    int64_t stride_a, stride_b, stride_d;
    SlDtype in, out; /* of a and b; of c and d: the same, or f32 */
    bool has_bias, has_c;
    /* not part of what is remembered about a product */
    float alpha;
    const void *a, *b, *c, *bias; /* bias is in the type of d; c may be d */
    void *d;
} SlCudaGemm;

/* gemm_plain.cu; errors as in launch.h */
cudaError_t sl_launch_gemm_plain(const SlCudaGemm *g, cudaStream_t s);

#ifdef __cplusplus
}
#endif

#endif
