/* softmax.cu - see softmax.h. A warp for a row: the largest score, the sum of the weights, the
 * weights. */
#include "kernels/cuda/softmax.h"

#include "kernels/cuda/elements.h"

template <class T>
__global__ void __launch_bounds__(32)
    softmax_kernel(const float *s, T *p, int keys, int pitch, int queries, int first, int causal)
{
    const int64_t row = blockIdx.x;
    const int lane = threadIdx.x, query = first + (int)(row % queries);
    const int seen = causal && query + 1 < keys ? query + 1 : keys;
    const float *from = s + row * pitch;
    T *to = p + row * pitch;
    float top = -INFINITY, sum = 0;
    for (int k = lane; k < seen; k += 32)
        top = fmaxf(top, from[k]);
    top = gpu_butterfly<16, 8, 4, 2, 1>(top, GpuLarger());
    for (int k = lane; k < seen; k += 32)
        sum += expf(from[k] - top);
    const float inverse = 1.0f / gpu_warp_sum(sum);
    for (int k = lane; k < pitch; k += 32)
        to[k] = gpu_from<T>(k < seen ? expf(from[k] - top) * inverse : 0.0f);
}

/* A warp for a query, which goes through its heads: each lane alone writes its keys of the output. */
__global__ void __launch_bounds__(32) softmax_mean_kernel(const float *s, float *out, int heads,
                                                          int queries, int keys, int pitch, int add)
{
    const int lane = threadIdx.x, query = blockIdx.x;
    float *to = out + (int64_t)query * keys;
    for (int head = 0; head < heads; head++) {
        const float *from = s + ((int64_t)head * queries + query) * pitch;
        float top = -INFINITY, sum = 0;
        for (int k = lane; k < keys; k += 32)
            top = fmaxf(top, from[k]);
        top = gpu_butterfly<16, 8, 4, 2, 1>(top, GpuLarger());
        for (int k = lane; k < keys; k += 32)
            sum += expf(from[k] - top);
        const float scale = 1.0f / (gpu_warp_sum(sum) * (float)heads);
        for (int k = lane; k < keys; k += 32)
            to[k] = (add || head > 0 ? to[k] : 0.0f) + expf(from[k] - top) * scale;
    }
}

cudaError_t sl_launch_softmax_mean(const SlSoftmaxMeanLaunch *a, cudaStream_t s)
{
    const GpuGrid grid = {dim3((unsigned)a->queries), dim3(32), 0, s};
    return a->queries < 1 ? cudaSuccess
                          : gpu_launch(softmax_mean_kernel, grid, a->s, a->out, a->heads,
                                       a->queries, a->keys, a->pitch, a->add);
}

cudaError_t sl_launch_softmax(const SlSoftmaxLaunch *a, cudaStream_t s)
{
    const GpuGrid grid = {dim3((unsigned)a->rows), dim3(32), 0, s};
    if (a->rows < 1)
        return cudaSuccess;
    return gpu_by_type(a->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(softmax_kernel<T>, grid, a->s, (T *)a->p, a->keys, a->pitch, a->queries,
                          a->first, a->causal);
    });
}
