/* attention.cu - flash attention for 16-bit types on tensor cores (sm_80 and newer).
 *
 * A block has 64 queries of a head, 16 for each warp, and walks over the keys 64 at a time; scores
 * never leave the registers. There is one tile for keys and one for values: while scores become
 * probabilities the next keys are on their way, and the next values during the next scores. Head
 * sizes are padded with zeros to a multiple of 16 in shared memory only.
 *
 * Easy to get wrong: a tile may be refilled only behind the barrier after its last use, and the
 * two groups of copies in flight alternate, so that waiting for all but one is always right. A row
 * with no visible key in a tile keeps its maximum; the first tile always has one (key 0).
 *
 * Head sizes that are not a multiple of 8 or over 160, and f32, are attention_plain.cu's. Speed
 * cannot be seen without a GPU.
 */
#include "kernels/cuda/attention.cuh"

#define THREADS 128
#define TILE    64 /* queries, and keys */

template <int DP> struct Shape {
    static constexpr int pitch = DP + 8; /* an odd number of 16-byte pieces: no bank conflicts */
    static constexpr int shared = 3 * TILE * pitch * 2;
};

/* 64 rows from first on; zeros beyond rows and beyond d. */
template <class T, int DP>
GPU_DEV void load_tile(T *tile, const T *from, int first, int rows, int64_t stride, int d)
{
    constexpr int pieces = DP / 8;
    for (int i = threadIdx.x; i < TILE * pieces; i += THREADS) {
        const int r = i / pieces, c = i % pieces * 8;
        const bool there = first + r < rows && c < d;
        cp_async16(tile + r * Shape<DP>::pitch + c, there ? from + (first + r) * stride + c : from,
                   there);
    }
}

/* Sixteen queries by 64 keys: lane's rows are lane / 4 and 8 more, its columns 2 (lane % 4) + 8
 * j. */
typedef float Scores[1][TILE / 8][4];

template <class T, int DP>
GPU_DEV void multiply_keys(Scores &s, const uint32_t (&q)[DP / 16][1][4], const T *keys)
{
    const int lane = threadIdx.x & 31;
    GPU_UNROLL
    for (int j = 0; j < TILE / 8; j++) {
        GPU_UNROLL
        for (int e = 0; e < 4; e++)
            s[0][j][e] = 0;
    }
    GPU_UNROLL
    for (int k = 0; k < DP / 16; k++) {
        uint32_t b[TILE / 8][2];
        ldmatrix_x4<TILE / 16>(b[0],
                               keys + ((lane >> 4) * 8 + (lane & 7)) * Shape<DP>::pitch + k * 16 +
                                   (lane >> 3 & 1) * 8,
                               16 * Shape<DP>::pitch);
        mma_tile(s, q[k], b, T());
    }
}

/* Scores in place to probabilities times exp2(-top); what came before is to be scaled by shrink. */
GPU_DEV void soften(Scores &s, const AttentionShape &a, int query, int key, float (&top)[2],
                    float (&sum)[2], float (&shrink)[2])
{
    const int column = key + (threadIdx.x & 3) * 2;
    float next[2] = {top[0], top[1]};
    GPU_UNROLL
    for (int j = 0; j < TILE / 8; j++) {
        GPU_UNROLL
        for (int e = 0; e < 4; e++) {
            const int at = column + j * 8 + (e & 1);
            const bool seen = at < a.lk && (!a.causal || at <= query + (e >> 1) * 8);
            s[0][j][e] = seen ? s[0][j][e] * a.scale_log2 : -INFINITY;
            next[e >> 1] = fmaxf(next[e >> 1], s[0][j][e]);
        }
    }
    GPU_UNROLL
    for (int r = 0; r < 2; r++) {
        next[r] = gpu_butterfly<1, 2>(next[r], GpuLarger());
        shrink[r] = exp2f(top[r] - next[r]); /* 0 for the first tile */
        top[r] = next[r];
        sum[r] *= shrink[r];
    }
    GPU_UNROLL
    for (int j = 0; j < TILE / 8; j++) {
        GPU_UNROLL
        for (int e = 0; e < 4; e++) {
            s[0][j][e] = exp2f(s[0][j][e] - top[e >> 1]);
            sum[e >> 1] += s[0][j][e];
        }
    }
}

template <class T, int DP>
GPU_DEV void multiply_values(float (&o)[1][DP / 8][4], const Scores &s, const T *values)
{
    const int lane = threadIdx.x & 31;
    GPU_UNROLL
    for (int k = 0; k < TILE / 16; k++) {
        const float *low = s[0][2 * k], *high = s[0][2 * k + 1];
        const uint32_t p[1][4] = {{gpu_pack(low[0], low[1], T()), gpu_pack(low[2], low[3], T()),
                                   gpu_pack(high[0], high[1], T()),
                                   gpu_pack(high[2], high[3], T())}};
        uint32_t b[DP / 8][2];
        ldmatrix_x4_trans<DP / 16>(
            b[0],
            values + (k * 16 + (lane >> 3 & 1) * 8 + (lane & 7)) * Shape<DP>::pitch +
                (lane >> 4) * 8,
            16);
        mma_tile(o, p, b, T());
    }
}

template <class T, int DP>
GPU_DEV void store_rows(const float (&o)[1][DP / 8][4], float (&sum)[2], T *to, int query,
                        const AttentionShape &a)
{
    GPU_UNROLL
    for (int r = 0; r < 2; r++) {
        sum[r] = gpu_butterfly<1, 2>(sum[r], GpuSum());
        const float inverse = 1.0f / sum[r];
        const int row = query + r * 8;
        if (row < a.lq) {
            GPU_UNROLL
            for (int j = 0; j < DP / 8; j++) {
                const int c = j * 8 + (threadIdx.x & 3) * 2;
                if (c < a.d)
                    *reinterpret_cast<uint32_t *>(to + row * a.o_row + c) =
                        gpu_pack(o[0][j][r * 2] * inverse, o[0][j][r * 2 + 1] * inverse, T());
            }
        }
    }
}

template <class T, int DP>
__global__ void __launch_bounds__(THREADS)
    attention_kernel(const T *q, const T *k, const T *v, T *o, AttentionShape a)
{
    constexpr int pitch = Shape<DP>::pitch;
    GPU_SHARED_DYN(T, queries);
    T *keys = queries + TILE * pitch, *values = keys + TILE * pitch;
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, first = blockIdx.x * TILE;
    const int query = first + warp * 16 + (lane >> 2);
    const int tiles = (attention_keys(a, first + TILE) + TILE - 1) / TILE;
    q += blockIdx.z * a.q_item + blockIdx.y * a.d;
    k += blockIdx.z * a.k_item + blockIdx.y * a.d;
    v += blockIdx.z * a.v_item + blockIdx.y * a.d;
    o += blockIdx.z * a.o_item + blockIdx.y * a.d;
    load_tile<T, DP>(queries, q, first, a.lq, a.q_row, a.d);
    load_tile<T, DP>(keys, k, 0, a.lk, a.k_row, a.d);
    cp_async_commit();
    load_tile<T, DP>(values, v, 0, a.lk, a.v_row, a.d);
    cp_async_commit();

    uint32_t fq[DP / 16][1][4];
    float fo[1][DP / 8][4] = {}, top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0}, shrink[2];
    for (int t = 0; t < tiles; t++) {
        Scores s;
        cp_async_wait<1>();
        __syncthreads(); /* now the tile's keys have arrived for all threads */
        if (t == 0)
            ldmatrix_x4<DP / 16>(fq[0][0],
                                 queries + (warp * 16 + (lane & 15)) * pitch + (lane >> 4) * 8, 16);
        multiply_keys<T, DP>(s, fq, keys);
        __syncthreads(); /* all are done with the keys */
        if (t + 1 < tiles)
            load_tile<T, DP>(keys, k, (t + 1) * TILE, a.lk, a.k_row, a.d);
        cp_async_commit();
        soften(s, a, query, t * TILE, top, sum, shrink);
        GPU_UNROLL
        for (int j = 0; j < DP / 8; j++) {
            GPU_UNROLL
            for (int e = 0; e < 4; e++)
                fo[0][j][e] *= shrink[e >> 1];
        }
        cp_async_wait<1>();
        __syncthreads(); /* values of this tile are there for all */
        multiply_values<T, DP>(fo, s, values);
        __syncthreads(); /* all are done with the values */
        if (t + 1 < tiles)
            load_tile<T, DP>(values, v, (t + 1) * TILE, a.lk, a.v_row, a.d);
        cp_async_commit();
    }
    store_rows<T, DP>(fo, sum, o, query, a);
}

/* ---- choosing ---- */

template <class T, int DP> static cudaError_t run(const SlAttentionLaunch *l, cudaStream_t stream)
{
    const GpuGrid grid = {dim3((l->lq + TILE - 1) / TILE, l->heads, l->n), dim3(THREADS),
                          Shape<DP>::shared, stream};
    return gpu_launch(attention_kernel<T, DP>, grid, (const T *)l->q, (const T *)l->k,
                      (const T *)l->v, (T *)l->o, attention_shape(l));
}

template <class T> static cudaError_t choose(const SlAttentionLaunch *l, cudaStream_t stream)
{
    return l->d <= 48    ? run<T, 48>(l, stream)
           : l->d <= 64  ? run<T, 64>(l, stream)
           : l->d <= 80  ? run<T, 80>(l, stream)
           : l->d <= 128 ? run<T, 128>(l, stream)
                         : run<T, 160>(l, stream);
}

/* Whether every row of every head begins at a multiple of 16 bytes. */
static bool pieces_of_16(const SlAttentionLaunch *l)
{
    int64_t strides = 0;
    for (int i = 0; i < 2; i++)
        strides |= l->qs[i] | l->ks[i] | l->vs[i] | l->os[i];
    return (strides | l->d) % 8 == 0 && gpu_aligned(l->q) && gpu_aligned(l->k) &&
           gpu_aligned(l->v) && gpu_aligned(l->o);
}

cudaError_t sl_launch_attention(const SlAttentionLaunch *l, cudaStream_t s)
{
    if (l->n < 1 || l->heads < 1 || l->lq < 1 || l->d < 1)
        return cudaSuccess;
    if (l->lk < 1 || l->n > 65535 || l->heads > 65535)
        return cudaErrorInvalidValue;
    if (l->dtype == SL_F32 || l->d > 160 || !pieces_of_16(l))
        return sl_launch_attention_plain(l, s);
    return l->dtype == SL_F16    ? choose<__half>(l, s)
           : l->dtype == SL_BF16 ? choose<__nv_bfloat16>(l, s)
                                 : cudaErrorInvalidValue;
}
