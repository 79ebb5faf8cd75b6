/* norm.cu - group and layer normalisation; mirrors ref/norms.c.
 *
 * A variance from squares alone is lost where values are far from zero, so it is taken from the mean,
 * or where that would be a pass more from one of the values. All in f32, in a fixed order.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define GROUP_THREADS 512
#define ROW_THREADS   128 /* of a layer norm: four rows, a warp each */

struct GroupShape {
    int hw, c, groups, per_group; /* channels in a group */
    float eps;
    int silu;
    int chunks, per_chunk; /* positions that a block sums */
};

/* Rounding may leave a variance a little below zero; NaN stays NaN, as on the other devices. */
GPU_DEV float inverse_deviation(float variance, float eps)
{
    return 1.0f / sqrtf((variance < 0 ? 0.0f : variance) + eps);
}

/* ---- a group in one block: few positions, or channels that 16 bytes do not divide ---- */

template <class T, int V>
__global__ void __launch_bounds__(GROUP_THREADS)
    small_group_kernel(const T *x, T *y, const float *gamma, const float *beta, GroupShape g)
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
            const float v = (f[k] - mean) * inverse * (gamma ? gamma[first + channel + k] : 1.0f) +
                            (beta ? beta[first + channel + k] : 0.0f);
            f[k] = g.silu ? gpu_silu(v) : v;
        }
        gpu_store<V>(y + at, f);
    }
}

/* ---- many positions: sums of chunks by one kernel, the rest by another ---- */

/* Threads side by side have the channels of a position, 16 bytes each; what is left over of the
 * block takes further positions at the same time. */
template <class T> struct GroupThread {
    static constexpr int V = Wide<T>::count;
    int channel, row, rows, first, end; /* its positions: first + row, and every rows-th from there */

    GPU_DEV GroupThread(const GroupShape &g)
    {
        const int columns = g.c / V;
        channel = threadIdx.x % columns * V;
        row = threadIdx.x / columns;
        rows = GROUP_THREADS / columns;
        first = blockIdx.x * g.per_chunk;
        end = row < rows ? min(first + g.per_chunk, g.hw) : 0;
    }
};

/* Sums are of differences from this, so that what is far from zero does not lose its variance. */
template <class T> GPU_DEV float group_shift(const T *x, const GroupShape &g, int group)
{
    return gpu_f(x[(int64_t)blockIdx.y * g.hw * g.c + group * g.per_group]);
}

/* partial: [items][chunks][groups][sum, squares] */
template <class T>
__global__ void __launch_bounds__(GROUP_THREADS)
    group_sums_kernel(const T *x, float *partial, GroupShape g)
{
    constexpr int V = Wide<T>::count;
    GPU_SHARED(float, sums, [GROUP_THREADS * V]);
    GPU_SHARED(float, squares, [GROUP_THREADS * V]);
    const GroupThread<T> t(g);
    float f[V], shift[V], sum[V] = {}, square[V] = {};
    GPU_UNROLL
    for (int k = 0; k < V; k++)
        shift[k] = group_shift(x, g, (t.channel + k) / g.per_group);
    for (int p = t.first + t.row; p < t.end; p += t.rows) {
        gpu_load<V>(x + ((int64_t)blockIdx.y * g.hw + p) * g.c + t.channel, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            const float d = f[k] - shift[k];
            sum[k] += d;
            square[k] += d * d;
        }
    }
    GPU_UNROLL
    for (int k = 0; k < V; k++) {
        sums[threadIdx.x * V + k] = sum[k];
        squares[threadIdx.x * V + k] = square[k];
    }
    __syncthreads();
    for (int group = threadIdx.x; group < g.groups; group += GROUP_THREADS) {
        float s = 0, q = 0;
        for (int row = 0; row < t.rows; row++)
            for (int i = 0; i < g.per_group; i++) {
                s += sums[row * g.c + group * g.per_group + i];
                q += squares[row * g.c + group * g.per_group + i];
            }
        float *to = partial + 2 * (((int64_t)blockIdx.y * g.chunks + blockIdx.x) * g.groups + group);
        to[0] = s;
        to[1] = q;
    }
}

/* The mean and 1 / deviation of every group of this block's picture: a warp for a group. */
template <class T>
GPU_DEV void group_statistics(const T *x, const float *partial, const GroupShape &g, float *mean,
                              float *inverse)
{
    const int lane = threadIdx.x & 31;
    for (int group = threadIdx.x >> 5; group < g.groups; group += GROUP_THREADS / 32) {
        const float *from = partial + 2 * ((int64_t)blockIdx.y * g.chunks * g.groups + group);
        float sum = 0, square = 0;
        for (int i = lane; i < g.chunks; i += 32) {
            sum += from[(int64_t)2 * i * g.groups];
            square += from[(int64_t)2 * i * g.groups + 1];
        }
        const float scale = 1.0f / ((float)g.hw * (float)g.per_group);
        const float d = gpu_warp_sum(sum) * scale, q = gpu_warp_sum(square) * scale;
        if (lane == 0) {
            mean[group] = group_shift(x, g, group) + d;
            inverse[group] = inverse_deviation(q - d * d, g.eps);
        }
    }
}

template <class T>
__global__ void __launch_bounds__(GROUP_THREADS)
    group_apply_kernel(const T *x, const float *partial, T *y, const float *gamma,
                       const float *beta, GroupShape g)
{
    constexpr int V = Wide<T>::count;
    GPU_SHARED(float, means, [GROUP_THREADS]);
    GPU_SHARED(float, inverses, [GROUP_THREADS]);
    const GroupThread<T> t(g);
    group_statistics(x, partial, g, means, inverses);
    __syncthreads();
    float f[V], mean[V], scale[V], offset[V];
    GPU_UNROLL
    for (int k = 0; k < V; k++) {
        const int c = t.channel + k, group = c / g.per_group;
        mean[k] = means[group];
        scale[k] = inverses[group] * (gamma ? gamma[c] : 1.0f);
        offset[k] = beta ? beta[c] : 0.0f;
    }
    for (int p = t.first + t.row; p < t.end; p += t.rows) {
        const int64_t at = ((int64_t)blockIdx.y * g.hw + p) * g.c + t.channel;
        gpu_load<V>(x + at, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            const float v = (f[k] - mean[k]) * scale[k] + offset[k];
            f[k] = g.silu ? gpu_silu(v) : v;
        }
        gpu_store<V>(y + at, f);
    }
}

/* ---- choosing ---- */

template <class T>
static cudaError_t by_chunks(const SlGroupNormLaunch *l, const GroupShape &g, cudaStream_t s)
{
    const GpuGrid grid = {dim3(g.chunks, l->n), dim3(GROUP_THREADS), 0, s};
    if (cudaError_t e =
            gpu_launch(group_sums_kernel<T>, grid, (const T *)l->x, l->partial, g))
        return e;
    return gpu_launch(group_apply_kernel<T>, grid, (const T *)l->x, (const float *)l->partial,
                      (T *)l->y, l->gamma, l->beta, g);
}

template <class T, int V>
static cudaError_t by_groups(const SlGroupNormLaunch *l, const GroupShape &g, cudaStream_t s)
{
    const GpuGrid grid = {dim3(g.groups, l->n), dim3(GROUP_THREADS), 0, s};
    return gpu_launch(small_group_kernel<T, V>, grid, (const T *)l->x, (T *)l->y, l->gamma,
                      l->beta, g);
}

template <class T>
static cudaError_t choose(const SlGroupNormLaunch *l, const GroupShape &g, cudaStream_t s)
{
    constexpr int V = Wide<T>::count;
    const bool wide = gpu_aligned(l->x) && gpu_aligned(l->y);
    const size_t needed = sizeof(float) * 2 * (size_t)l->n * g.chunks * g.groups;
    if (wide && g.c % V == 0 && g.c / V <= GROUP_THREADS && g.groups <= GROUP_THREADS &&
        (int64_t)g.hw * g.per_group >= 4096 && l->partial && l->partial_bytes >= needed)
        return by_chunks<T>(l, g, s);
    return wide && g.per_group % V == 0 ? by_groups<T, V>(l, g, s)
           : g.per_group % 2 == 0       ? by_groups<T, 2>(l, g, s)
                                        : by_groups<T, 1>(l, g, s);
}

cudaError_t sl_launch_group_norm(const SlGroupNormLaunch *l, cudaStream_t s)
{
    GroupShape g = {l->hw, l->c, l->groups, 0, l->eps, l->act == SL_ACT_SILU, 0, 0};
    if ((int64_t)l->n * l->hw * l->c == 0)
        return cudaSuccess;
    if (l->groups < 1 || l->c % l->groups || l->n > 65535)
        return cudaErrorInvalidValue;
    g.per_group = l->c / l->groups;
    if ((int64_t)l->hw * g.per_group > 0x7fffffff)
        return cudaErrorInvalidValue;
    const int wanted = l->hw / 32; /* chunks of 32 positions or more, up to 256 of them */
    g.chunks = wanted < 1 ? 1 : wanted > 256 ? 256 : wanted;
    g.per_chunk = (l->hw + g.chunks - 1) / g.chunks;
    return gpu_by_type(l->dtype, [&](auto e) { return choose<decltype(e)>(l, g, s); });
}

/* ---- layer norm ---- */

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
    const float inverse = inverse_deviation(variance, eps);
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
