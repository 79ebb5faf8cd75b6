/* norm.cu - group and layer normalisation; mirrors ref/norms.c.
 *
 * The mean first, then the sum of squared differences from it: a variance from squares alone is lost
 * where values are far from zero. All in f32, in a fixed order.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define GROUP_THREADS 512
#define ROW_THREADS   128 /* of a layer norm: four rows, a warp each */

struct GroupShape {
    int hw, c, per_group; /* channels in a group */
    float eps;
    int silu;
};

/* One block for a group of a picture; V channels at a time. */
template <class T, int V>
__global__ void __launch_bounds__(GROUP_THREADS)
    group_norm_kernel(const T *x, T *y, const float *gamma, const float *beta, GroupShape g)
{
    GPU_SHARED(float, partial, [GROUP_THREADS / 32]);
    const int first = blockIdx.x * g.per_group, across = g.per_group / V, count = g.hw * across;
    const int64_t base = (int64_t)blockIdx.y * g.hw * g.c + first;
    const float scale = 1.0f / ((float)g.hw * (float)g.per_group);
    float f[V], sum = 0, squares = 0;
    for (int i = threadIdx.x; i < count; i += GROUP_THREADS) {
        gpu_load<V>(x + base + (int64_t)(i / across) * g.c + i % across * V, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++)
            sum += f[k];
    }
    const float mean = gpu_block_sum(sum, partial) * scale;
    for (int i = threadIdx.x; i < count; i += GROUP_THREADS) {
        gpu_load<V>(x + base + (int64_t)(i / across) * g.c + i % across * V, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++)
            squares += (f[k] - mean) * (f[k] - mean);
    }
    const float inverse = 1.0f / sqrtf(gpu_block_sum(squares, partial) * scale + g.eps);
    for (int i = threadIdx.x; i < count; i += GROUP_THREADS) {
        const int channel = i % across * V;
        const int64_t at = base + (int64_t)(i / across) * g.c + channel;
        gpu_load<V>(x + at, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            f[k] = (f[k] - mean) * inverse;
            if (gamma)
                f[k] *= gamma[first + channel + k];
            if (beta)
                f[k] += beta[first + channel + k];
            if (g.silu)
                f[k] = gpu_silu(f[k]);
        }
        gpu_store<V>(y + at, f);
    }
}

template <class T, int V>
static cudaError_t group_norm(const void *x, void *y, const float *gamma, const float *beta,
                              const GroupShape &g, const GpuGrid &grid)
{
    return gpu_launch(group_norm_kernel<T, V>, grid, (const T *)x, (T *)y, gamma, beta, g);
}

cudaError_t sl_launch_group_norm(SlDtype t, const void *x, const float *gamma, const float *beta,
                                 void *y, int n, int hw, int c, int groups, float eps, int act,
                                 cudaStream_t s)
{
    const GroupShape g = {hw, c, groups > 0 ? c / groups : 0, eps, act == SL_ACT_SILU};
    const GpuGrid grid = {dim3(groups, n), dim3(GROUP_THREADS), 0, s};
    if ((int64_t)n * hw * c == 0)
        return cudaSuccess;
    if (groups < 1 || c % groups || n > 65535 || (int64_t)hw * g.per_group > 0x7fffffff)
        return cudaErrorInvalidValue;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = g.per_group % V == 0 && gpu_aligned(x) && gpu_aligned(y);
        return wide                     ? group_norm<T, V>(x, y, gamma, beta, g, grid)
               : g.per_group % 2 == 0 ? group_norm<T, 2>(x, y, gamma, beta, g, grid)
                                        : group_norm<T, 1>(x, y, gamma, beta, g, grid);
    });
}

/* A warp for a row. */
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
    /* What rounding took from a mean far from zero. */
    const float off = gpu_warp_sum(rest) / (float)c;
    const float variance = gpu_warp_sum(squares) / (float)c - off * off;
    const float inverse = 1.0f / sqrtf((variance > 0 ? variance : 0) + eps);
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

cudaError_t sl_launch_layer_norm(SlDtype t, const void *x, const float *gamma, const float *beta,
                                 void *y, int rows, int c, float eps, cudaStream_t s)
{
    const GpuGrid grid = {dim3((rows + 3) / 4), dim3(ROW_THREADS), 0, s};
    if (rows < 1 || c < 1)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        if (c % V == 0 && gpu_aligned(x) && gpu_aligned(y))
            return gpu_launch(layer_norm_kernel<T, V>, grid, (const T *)x, (T *)y, gamma, beta,
                              rows, c, eps);
        return gpu_launch(layer_norm_kernel<T, 1>, grid, (const T *)x, (T *)y, gamma, beta, rows, c,
                          eps);
    });
}
