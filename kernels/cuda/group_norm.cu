/* group_norm.cu - group normalisation; mirrors ref/norms.c.
 *
 * Sums of values and of squares lose the variance where values are far from zero. So a thread sums
 * the differences from the first value that it sees, and what threads and blocks have is put
 * together as means and squares about them, of which the rounding of a first mean is taken off
 * again. All in f32, in a fixed order.
 *
 * A group that fits a block's registers is read once, any other twice.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define GROUP_THREADS 512
#define GROUP_WARPS   (GROUP_THREADS / 32)
#define KEPT_VALUES   8 /* of a small group in the registers of a thread */

struct GroupShape {
    int hw, c, groups, per_group; /* channels in a group */
    float eps;
    int silu;
    int chunks, per_chunk; /* positions that a block sums */
};

/* Of some values of a group: how many, their mean less the group's first value, and the sum of
 * squares about the mean. */
struct Moments {
    float count, mean, squares;
};

/* A group's mean, the rounding error of that mean, and 1 / deviation. */
struct Normal {
    float mean, rest, inverse;
};

/* From sums over differences from `from`, which itself is less the group's first value. */
GPU_DEV Moments moments_of(float count, float from, float sum, float squares)
{
    if (count == 0)
        return {0, 0, 0};
    const float mean = sum / count;
    return {count, from + mean, squares - sum * mean};
}

/* Of all parts, for every lane of a warp; part(i) gives the i-th. */
template <class F> GPU_DEV Moments warp_moments(int parts, F part)
{
    const int lane = threadIdx.x & 31;
    float count = 0, sum = 0, squares = 0, rest = 0;
    for (int i = lane; i < parts; i += 32) {
        const Moments m = part(i);
        count += m.count;
        sum += m.count * m.mean;
    }
    count = gpu_warp_sum(count);
    const float mean = gpu_warp_sum(sum) / count;
    for (int i = lane; i < parts; i += 32) {
        const Moments m = part(i);
        const float d = m.mean - mean;
        rest += m.count * d;
        squares += m.squares + m.count * d * d;
    }
    rest = gpu_warp_sum(rest) / count;
    return {count, mean + rest, gpu_warp_sum(squares) - count * rest * rest};
}

/* Of a part in each thread, for every thread of a block; count: of all together. */
GPU_DEV Moments block_moments(const Moments &m, float count, float *partial)
{
    const float mean = gpu_block_sum(m.count * m.mean, partial) / count, d = m.mean - mean;
    const float rest = gpu_block_sum(m.count * d, partial) / count;
    const float squares = gpu_block_sum(m.squares + m.count * d * d, partial);
    return {count, mean + rest, squares - count * rest * rest};
}

GPU_DEV Normal normal_of(const Moments &m, float first, float eps)
{
    const float mean = first + m.mean;
    return {mean, first - mean + m.mean, gpu_inverse_deviation(m.squares / m.count, eps)};
}

/* ---- a group in one block: few positions, or channels that 16 bytes do not divide ---- */

/* Vectors of V channels in the group of this block. */
template <class T, int V> struct GroupPlace {
    int first, across, count; /* the group's first channel; vectors in a position, and in all */
    int64_t base;

    GPU_DEV GroupPlace(const GroupShape &g)
    {
        first = blockIdx.x * g.per_group;
        across = g.per_group / V;
        count = g.hw * across;
        base = (int64_t)blockIdx.y * g.hw * g.c + first;
    }

    GPU_DEV int64_t at(const GroupShape &g, int i) const
    {
        return base + (int64_t)(i / across) * g.c + i % across * V;
    }

    GPU_DEV void finish(const GroupShape &g, int i, const Normal &n, const float *gamma,
                        const float *beta, float (&f)[V], T *y) const
    {
        const int channel = first + i % across * V;
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            const float scale = n.inverse * (gamma ? gamma[channel + k] : 1.0f);
            const float v = (f[k] - n.mean - n.rest) * scale + (beta ? beta[channel + k] : 0.0f);
            f[k] = g.silu ? gpu_silu(v) : v;
        }
        gpu_store<V>(y + at(g, i), f);
    }
};

/* What a thread has seen of a group. */
struct GroupSums {
    float from, sum, squares;
    int count;

    template <int V> GPU_DEV void add(const float (&f)[V])
    {
        if (count == 0)
            from = f[0];
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            const float d = f[k] - from;
            sum += d;
            squares += d * d;
        }
        count += V;
    }

    GPU_DEV Normal normal(float first, const GroupShape &g, float *partial) const
    {
        const Moments m = moments_of((float)count, from - first, sum, squares);
        return normal_of(block_moments(m, (float)g.hw * (float)g.per_group, partial), first, g.eps);
    }
};

/* The whole group lies in the block's registers: it is read once. */
template <class T, int V>
__global__ void __launch_bounds__(GROUP_THREADS, 2)
    kept_group_kernel(const T *x, T *y, const float *gamma, const float *beta, GroupShape g)
{
    constexpr int kept = KEPT_VALUES / V;
    GPU_SHARED(float, partial, [GROUP_WARPS]);
    const GroupPlace<T, V> place(g);
    GroupSums sums = {0, 0, 0, 0};
    float f[kept][V];
    GPU_UNROLL
    for (int j = 0; j < kept; j++) {
        const int i = threadIdx.x + j * blockDim.x;
        if (i < place.count) {
            gpu_load<V>(x + place.at(g, i), f[j]);
            sums.add(f[j]);
        }
    }
    const Normal n = sums.normal(gpu_f(x[place.base]), g, partial);
    GPU_UNROLL
    for (int j = 0; j < kept; j++) {
        const int i = threadIdx.x + j * blockDim.x;
        if (i < place.count)
            place.finish(g, i, n, gamma, beta, f[j], y);
    }
}

/* For the rest: large groups whose channels 16 bytes do not divide, which real models do not
 * have. */
template <class T>
__global__ void __launch_bounds__(GROUP_THREADS)
    whole_group_kernel(const T *x, T *y, const float *gamma, const float *beta, GroupShape g)
{
    GPU_SHARED(float, partial, [GROUP_WARPS]);
    const GroupPlace<T, 1> place(g);
    GroupSums sums = {0, 0, 0, 0};
    float f[1];
    for (int i = threadIdx.x; i < place.count; i += GROUP_THREADS) {
        gpu_load<1>(x + place.at(g, i), f);
        sums.add(f);
    }
    const Normal n = sums.normal(gpu_f(x[place.base]), g, partial);
    for (int i = threadIdx.x; i < place.count; i += GROUP_THREADS) {
        gpu_load<1>(x + place.at(g, i), f);
        place.finish(g, i, n, gamma, beta, f, y);
    }
}

/* ---- many positions: moments of chunks by one kernel, the rest by another ---- */

/* Threads side by side have the channels of a position, 16 bytes each; what is left over of the
 * block takes further positions at the same time. */
template <class T> struct GroupThread {
    static constexpr int V = Wide<T>::count;
    int channel, row, rows;
    int first, end; /* the chunk's positions; this thread's are every rows-th from begin() on */

    GPU_DEV GroupThread(const GroupShape &g)
    {
        const int columns = g.c / V;
        channel = threadIdx.x % columns * V;
        row = threadIdx.x / columns;
        rows = GROUP_THREADS / columns;
        first = blockIdx.x * g.per_chunk;
        end = min(first + g.per_chunk, g.hw);
    }

    /* The end where there is nothing to do. */
    GPU_DEV int begin() const
    {
        return row < rows ? first + row : end;
    }

    GPU_DEV int positions(int of_row) const
    {
        return (end - first - of_row + rows - 1) / rows;
    }
};

template <class T> GPU_DEV float group_first(const T *x, const GroupShape &g, int group)
{
    return gpu_f(x[(int64_t)blockIdx.y * g.hw * g.c + group * g.per_group]);
}

/* partial: [items][chunks][groups][mean, squares] */
template <class T>
__global__ void __launch_bounds__(GROUP_THREADS)
    group_sums_kernel(const T *x, float *partial, GroupShape g)
{
    constexpr int V = Wide<T>::count;
    GPU_SHARED(float, means, [GROUP_THREADS * V]);
    GPU_SHARED(float, squares, [GROUP_THREADS * V]);
    const GroupThread<T> t(g);
    const T *item = x + (int64_t)blockIdx.y * g.hw * g.c + t.channel;
    float f[V], from[V] = {}, sum[V] = {}, square[V] = {};
    int p = t.begin(), count = 0;
    if (p < t.end) {
        gpu_load<V>(item + (int64_t)p * g.c, from);
        count = t.positions(t.row);
    }
    for (p += t.rows; p < t.end; p += t.rows) {
        gpu_load<V>(item + (int64_t)p * g.c, f);
        GPU_UNROLL
        for (int k = 0; k < V; k++) {
            const float d = f[k] - from[k];
            sum[k] += d;
            square[k] += d * d;
        }
    }
    GPU_UNROLL
    for (int k = 0; k < V; k++) {
        const float first = group_first(x, g, (t.channel + k) / g.per_group);
        const Moments m = moments_of((float)count, from[k] - first, sum[k], square[k]);
        means[threadIdx.x * V + k] = m.mean;
        squares[threadIdx.x * V + k] = m.squares;
    }
    __syncthreads();
    for (int group = threadIdx.x >> 5; group < g.groups; group += GROUP_WARPS) {
        const Moments m = warp_moments(t.rows * g.per_group, [&](int i) -> Moments {
            const int row = i / g.per_group, at = row * g.c + group * g.per_group + i % g.per_group;
            return {(float)t.positions(row), means[at], squares[at]};
        });
        const int64_t chunk = (int64_t)blockIdx.y * g.chunks + blockIdx.x;
        if ((threadIdx.x & 31) == 0) {
            partial[2 * (chunk * g.groups + group)] = m.mean;
            partial[2 * (chunk * g.groups + group) + 1] = m.squares;
        }
    }
}

/* Of every group of this block's picture: a warp for a group. */
template <class T>
GPU_DEV void group_normals(const T *x, const float *partial, const GroupShape &g, Normal *normals)
{
    for (int group = threadIdx.x >> 5; group < g.groups; group += GROUP_WARPS) {
        const float *from = partial + 2 * ((int64_t)blockIdx.y * g.chunks * g.groups + group);
        const Moments m = warp_moments(g.chunks, [&](int i) -> Moments {
            const int positions = min(g.per_chunk, g.hw - i * g.per_chunk);
            const float *part = from + (int64_t)2 * i * g.groups;
            return {(float)positions * (float)g.per_group, part[0], part[1]};
        });
        if ((threadIdx.x & 31) == 0)
            normals[group] = normal_of(m, group_first(x, g, group), g.eps);
    }
}

template <class T>
__global__ void __launch_bounds__(GROUP_THREADS)
    group_apply_kernel(const T *x, const float *partial, T *y, const float *gamma,
                       const float *beta, GroupShape g)
{
    constexpr int V = Wide<T>::count;
    GPU_SHARED(Normal, normals, [GROUP_THREADS]);
    const GroupThread<T> t(g);
    group_normals(x, partial, g, normals);
    __syncthreads();
    float f[V], mean[V], scale[V], offset[V];
    GPU_UNROLL
    for (int k = 0; k < V; k++) {
        const int c = t.channel + k;
        const Normal n = normals[c / g.per_group];
        mean[k] = n.mean;
        scale[k] = n.inverse * (gamma ? gamma[c] : 1.0f);
        offset[k] = (beta ? beta[c] : 0.0f) - n.rest * scale[k];
    }
    for (int p = t.begin(); p < t.end; p += t.rows) {
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
    if (cudaError_t e = gpu_launch(group_sums_kernel<T>, grid, (const T *)l->x, l->partial, g))
        return e;
    return gpu_launch(group_apply_kernel<T>, grid, (const T *)l->x, (const float *)l->partial,
                      (T *)l->y, l->gamma, l->beta, g);
}

template <class T, int V>
static cudaError_t by_kept(const SlGroupNormLaunch *l, const GroupShape &g, cudaStream_t s)
{
    const int warps = (g.hw * (g.per_group / V) + 31) / 32; /* for a vector in each thread */
    const GpuGrid grid = {dim3(g.groups, l->n),
                          dim3(32 * (warps < GROUP_WARPS ? warps : GROUP_WARPS)), 0, s};
    return gpu_launch(kept_group_kernel<T, V>, grid, (const T *)l->x, (T *)l->y, l->gamma, l->beta,
                      g);
}

template <class T>
static cudaError_t by_groups(const SlGroupNormLaunch *l, const GroupShape &g, cudaStream_t s)
{
    constexpr int V = Wide<T>::count;
    const GpuGrid grid = {dim3(g.groups, l->n), dim3(GROUP_THREADS), 0, s};
    if ((int64_t)g.hw * g.per_group > GROUP_THREADS * KEPT_VALUES)
        return gpu_launch(whole_group_kernel<T>, grid, (const T *)l->x, (T *)l->y, l->gamma,
                          l->beta, g);
    return gpu_aligned(l->x) && gpu_aligned(l->y) && g.per_group % V == 0 ? by_kept<T, V>(l, g, s)
           : g.per_group % 2 == 0                                         ? by_kept<T, 2>(l, g, s)
                                                                          : by_kept<T, 1>(l, g, s);
}

/* Whether a group is worth two launches, and can be read 16 bytes at a time. */
template <class T> static bool in_chunks(const SlGroupNormLaunch *l, const GroupShape &g)
{
    constexpr int V = Wide<T>::count;
    const size_t needed = sizeof(float) * 2 * (size_t)l->n * g.chunks * g.groups;
    return gpu_aligned(l->x) && gpu_aligned(l->y) && g.c % V == 0 && g.c / V <= GROUP_THREADS &&
           g.groups <= GROUP_THREADS && (int64_t)g.hw * g.per_group >= 4096 && l->partial &&
           l->partial_bytes >= needed;
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
    const int chunks = wanted < 1 ? 1 : wanted > 256 ? 256 : wanted;
    g.per_chunk = (l->hw + chunks - 1) / chunks;
    g.chunks = (l->hw + g.per_chunk - 1) / g.per_chunk; /* none of them empty */
    return gpu_by_type(l->dtype, [&](auto e) {
        typedef decltype(e) T;
        return in_chunks<T>(l, g) ? by_chunks<T>(l, g, s) : by_groups<T>(l, g, s);
    });
}
