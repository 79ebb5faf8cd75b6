/* attention_plain.cu - attention in f32 arithmetic, for f32 and for any head size.
 *
 * A block has 32 queries of a head and 64 channels of the output; a head with more channels is more
 * blocks, each of which computes the scores again. Keys come 64 at a time, with the sums scaled
 * down as the maximum grows, as in attention.cu.
 */
#include "kernels/cuda/attention.cuh"

#define THREADS  256
#define QUERIES  32
#define KEYS     64
#define CHANNELS 64
#define STEP     16 /* channels of queries and keys at a time */

struct PlainTiles {
    float q[STEP][QUERIES + 4], k[STEP][KEYS + 4]; /* by channel */
    float p[QUERIES][KEYS + 4];                    /* scores, then probabilities */
    float v[KEYS][CHANNELS + 4];
    float shrink[QUERIES]; /* factor for the sums so far; at the end 1 / sum */
};

/* Scores of 4 queries and 2 keys for each thread, written to p. */
template <class T>
GPU_DEV void plain_scores(PlainTiles &s, const T *q, const T *k, const AttentionShape &a, int first,
                          int key)
{
    const int column = threadIdx.x % STEP, row = threadIdx.x / STEP;
    const int tq = threadIdx.x % 8 * 4, tk = threadIdx.x / 8 * 2;
    float sum[4][2] = {};
    for (int c0 = 0; c0 < a.d; c0 += STEP) {
        const int c = c0 + column;
        for (int i = row; i < QUERIES; i += THREADS / STEP)
            s.q[column][i] =
                c < a.d && first + i < a.lq ? gpu_f(q[(first + i) * a.q_row + c]) : 0.0f;
        for (int i = row; i < KEYS; i += THREADS / STEP)
            s.k[column][i] = c < a.d && key + i < a.lk ? gpu_f(k[(key + i) * a.k_row + c]) : 0.0f;
        __syncthreads();
        GPU_UNROLL
        for (int j = 0; j < STEP; j++) {
            GPU_UNROLL
            for (int x = 0; x < 4; x++) {
                sum[x][0] += s.q[j][tq + x] * s.k[j][tk];
                sum[x][1] += s.q[j][tq + x] * s.k[j][tk + 1];
            }
        }
        __syncthreads(); /* before the pieces are fetched again */
    }
    GPU_UNROLL
    for (int x = 0; x < 4; x++) {
        GPU_UNROLL
        for (int y = 0; y < 2; y++) {
            const int at = key + tk + y;
            const bool seen = at < a.lk && (!a.causal || at <= first + tq + x);
            s.p[tq + x][tk + y] = seen ? sum[x][y] * a.scale_log2 : -INFINITY;
        }
    }
}

/* Eight threads for a query: its maximum and sum so far are in each of them. */
GPU_DEV void plain_soften(PlainTiles &s, float &top, float &total)
{
    const int row = threadIdx.x / 8, column = threadIdx.x % 8 * 8;
    float next = top, sum = 0;
    for (int j = 0; j < 8; j++)
        next = fmaxf(next, s.p[row][column + j]);
    next = gpu_butterfly<1, 2, 4>(next, GpuLarger());
    for (int j = 0; j < 8; j++) {
        const float p = exp2f(s.p[row][column + j] - next);
        s.p[row][column + j] = p;
        sum += p;
    }
    sum = gpu_butterfly<1, 2, 4>(sum, GpuSum());
    const float shrink = exp2f(top - next);
    total = total * shrink + sum;
    top = next;
    if (threadIdx.x % 8 == 0)
        s.shrink[row] = shrink;
}

template <class T>
GPU_DEV void plain_load_values(PlainTiles &s, const T *v, const AttentionShape &a, int key, int c0)
{
    for (int i = threadIdx.x; i < KEYS * CHANNELS; i += THREADS) {
        const int row = i / CHANNELS, c = i % CHANNELS;
        s.v[row][c] =
            key + row < a.lk && c0 + c < a.d ? gpu_f(v[(key + row) * a.v_row + c0 + c]) : 0.0f;
    }
}

/* blockIdx: queries; head and piece of its channels; item. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    attention_plain_kernel(const T *q, const T *k, const T *v, T *o, AttentionShape a, int pieces)
{
    GPU_SHARED(PlainTiles, tiles, [1]);
    PlainTiles &s = tiles[0];
    const int first = blockIdx.x * QUERIES, head = blockIdx.y / pieces;
    const int c0 = blockIdx.y % pieces * CHANNELS, end = attention_keys(a, first + QUERIES);
    const int tq = threadIdx.x % 8 * 4, tc = threadIdx.x / 8 * 2;
    float sum[4][2] = {}, top = -INFINITY, total = 0;
    q += blockIdx.z * a.q_item + head * a.d;
    k += blockIdx.z * a.k_item + head * a.d;
    v += blockIdx.z * a.v_item + head * a.d;
    o += blockIdx.z * a.o_item + head * a.d;
    for (int key = 0; key < end; key += KEYS) {
        plain_scores(s, q, k, a, first, key);
        plain_load_values(s, v, a, key, c0);
        __syncthreads(); /* now scores and values are visible to all threads */
        plain_soften(s, top, total);
        __syncthreads();                       /* so are probabilities */
        const int keys = min(KEYS, end - key); /* those behind have probability 0 */
        for (int x = 0; x < 4; x++) {
            const float shrink = s.shrink[tq + x];
            sum[x][0] *= shrink;
            sum[x][1] *= shrink;
        }
        GPU_NO_UNROLL
        for (int j = 0; j < keys; j++) {
            const float low = s.v[j][tc], high = s.v[j][tc + 1];
            GPU_UNROLL
            for (int x = 0; x < 4; x++) {
                sum[x][0] += s.p[tq + x][j] * low;
                sum[x][1] += s.p[tq + x][j] * high;
            }
        }
        __syncthreads(); /* all are done with the tiles */
    }
    if (threadIdx.x % 8 == 0)
        s.shrink[threadIdx.x / 8] = 1.0f / total;
    __syncthreads();
    for (int x = 0; x < 4; x++)
        for (int y = 0; y < 2; y++)
            if (first + tq + x < a.lq && c0 + tc + y < a.d)
                o[(first + tq + x) * a.o_row + c0 + tc + y] =
                    gpu_from<T>(sum[x][y] * s.shrink[tq + x]);
}

cudaError_t sl_launch_attention_plain(const SlAttentionLaunch *l, cudaStream_t stream)
{
    const int pieces = (l->d + CHANNELS - 1) / CHANNELS;
    const GpuGrid grid = {dim3((l->lq + QUERIES - 1) / QUERIES, l->heads * pieces, l->n),
                          dim3(THREADS), 0, stream};
    if ((int64_t)l->heads * pieces > 65535)
        return cudaErrorInvalidValue;
    return gpu_by_type(l->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(attention_plain_kernel<T>, grid, (const T *)l->q, (const T *)l->k,
                          (const T *)l->v, (T *)l->o, attention_shape(l), pieces);
    });
}
