/* product.h - matrix products through cuBLASLt; private to kernels/cuda/. */
#ifndef SL_KERNELS_CUDA_PRODUCT_H
#define SL_KERNELS_CUDA_PRODUCT_H

#include "kernels/cuda/device.h"
#include "kernels/cuda/gemm.h"

/* The device's status tells. */
void sl_cuda_gemm(SlCudaDevice *d, const SlCudaGemm *gemm);

/* Whether sl_cuda_product can do all of an epilogue: a bias and a residual of out's type. */
bool sl_cuda_product_takes(const SlEpilogue *e, const SlTensor *out);
/* out [..., N] = x [..., K] w^T + bias + residual; w is [N, K], or [N, K, 1, 1] without padding. */
void sl_cuda_product(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
                     SlTensor *out);

#endif
