/* product.h - matrix products through cuBLASLt; private to kernels/cuda/.
 *
 * Easy to get wrong: cuBLASLt counts by columns. A row-major y [rows, out] = x [rows, in] w [out,
 * in]^T is its y^T = w x^T: m = out, n = rows, k = in, w transposed.
 */
#ifndef SL_KERNELS_CUDA_PRODUCT_H
#define SL_KERNELS_CUDA_PRODUCT_H

#include "kernels/cuda/device.h"

/* d (m x n) = alpha a (m x k) b (k x n) + beta c + bias (m), by columns; ld and stride in elements.
 */
typedef struct SlCudaGemm {
    int64_t m, n, k, batch;
    bool transpose_a, transpose_b;
    int64_t lda, ldb, ldd; /* c has d's */
    int64_t stride_a, stride_b, stride_d;
    SlDtype in, out; /* of a and b; of c and d */
    bool has_bias, has_c;
    /* not part of what is remembered about a product */
    float alpha;
    const void *a, *b, *c, *bias;
    void *d;
} SlCudaGemm;

/* bias is in the type of d. The device's status tells. */
void sl_cuda_gemm(SlCudaDevice *d, const SlCudaGemm *gemm);

/* Whether sl_cuda_product can do all of an epilogue: a bias and a residual of out's type. */
bool sl_cuda_product_takes(const SlEpilogue *e, const SlTensor *out);
/* out [..., N] = x [..., K] w^T + bias + residual; w is [N, K], or [N, K, 1, 1] without padding. */
void sl_cuda_product(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
                     SlTensor *out);

#endif
