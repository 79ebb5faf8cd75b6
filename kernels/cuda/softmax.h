/* softmax.h - the softmax between the two products of device_attention.c. */
#ifndef SL_KERNELS_CUDA_SOFTMAX_H
#define SL_KERNELS_CUDA_SOFTMAX_H

#include "kernels/cuda/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* p [rows, pitch] = softmax of the first `keys` of s [rows, pitch], zeros behind them. causal: row
 * r sees keys 0 .. first + r % queries. */
typedef struct SlSoftmaxLaunch {
    SlDtype dtype; /* of p */
    const float *s;
    void *p;
    int64_t rows;
    int keys, pitch, queries, first;
    int causal;
} SlSoftmaxLaunch;
cudaError_t sl_launch_softmax(const SlSoftmaxLaunch *a, cudaStream_t s);

/* out [queries, keys] = the mean over the heads of the softmax of s [heads, queries, pitch]; add: it is
 * added to what is there. */
typedef struct SlSoftmaxMeanLaunch {
    const float *s;
    float *out;
    int heads, queries, keys, pitch;
    int add;
} SlSoftmaxMeanLaunch;
cudaError_t sl_launch_softmax_mean(const SlSoftmaxMeanLaunch *a, cudaStream_t s);

#ifdef __cplusplus
}
#endif

#endif
