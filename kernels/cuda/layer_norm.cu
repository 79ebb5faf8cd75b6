/* layer_norm.cu - layer normalisation, a warp for a row; mirrors ref/norms.c.
 *
 * A variance from squares alone is lost where values are far from zero, so it is taken from the
 * mean. All in f32, in a fixed order.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define ROW_THREADS 128 /* four rows */

template <class T, int V>
__global__ void __launch_bounds__(ROW_THREADS)
    layer_norm_kernel(const T *x, T *y, const float *gamma, const float *beta, int rows, int c,
                      float eps)
{
    const int row = blockIdx.x * (ROW_THREADS / 32) + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    if (row >= rows) /* a whole warp, and no barrier of the block follows */
        return;
    const T *p = x + (int64_t)row * c;
    float f[V], sum = 0, squares = 0, rest = 0;
    for (int i = lane * V; i < c; i += 32 * V) {
        gpu_load<V>(p + i, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++)
            sum += f[k];
    }
    const float rough = gpu_warp_sum(sum) / (float)c;
    for (int i = lane * V; i < c; i += 32 * V) {
        gpu_load<V>(p + i, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            squares += (f[k] - rough) * (f[k] - rough);
            rest += f[k] - rough;
        }
    }
    /* The rounding error of a mean that is far from zero. */
    const float off = gpu_warp_sum(rest) / (float)c;
    const float variance = gpu_warp_sum(squares) / (float)c - off * off;
    const float inverse = gpu_inverse_deviation(variance, eps);
    for (int i = lane * V; i < c; i += 32 * V) {
        gpu_load<V>(p + i, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            f[k] = (f[k] - rough - off) * inverse;
            if (gamma)
                f[k] *= gamma[i + k];
            if (beta)
                f[k] += beta[i + k];
        }
        gpu_store<V>(y + (int64_t)row * c + i, f);
    }
}

template <class T, int V> static cudaError_t run(const SlLayerNormLaunch *l, cudaStream_t s)
{
    const GpuGrid grid = {dim3((l->rows + 3) / 4), dim3(ROW_THREADS), 0, s};
    return gpu_launch(layer_norm_kernel<T, V>, grid, (const T *)l->x, (T *)l->y, l->gamma, l->beta,
                      l->rows, l->c, l->eps);
}

cudaError_t sl_launch_layer_norm(const SlLayerNormLaunch *l, cudaStream_t s)
{
    if (l->rows < 1 || l->c < 1)
        return cudaSuccess;
    return gpu_by_type(l->dtype, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = l->c % V == 0 && gpu_aligned(l->x) && gpu_aligned(l->y);
        return wide ? run<T, V>(l, s) : run<T, 1>(l, s);
    });
}
