/* conv.cu - convolution of 16-bit types on tensor cores (sm_80 and newer), sums in f32.
 *
 * A block computes BM pixels by BN filters, 32 along k at a time through a ring of tiles in shared
 * memory: while one is multiplied the next three are on their way (cp.async). Where few pixels make
 * few blocks, k is split between blocks; the parts are added in a fixed order by a second kernel,
 * if the caller has memory for them.
 *
 * The sums leave through shared memory, so that 16 bytes of a row are written at a time, and the
 * code that follows them is there for 8 values instead of all that a thread has.
 *
 * Easy to get wrong: the ring needs its one barrier between the wait for a tile and the refill of
 * the tile before it; rows of a tile are 8 elements longer than they hold, or ldmatrix conflicts.
 *
 * Speed, occupancy and bank conflicts cannot be seen without a GPU.
 */
#include "kernels/cuda/conv.cuh"

#define TILE_K 32
#define PITCH  (TILE_K + 8)
#define STAGES 4

/* WM x WN warps, each with NI x NJ products of 16 x 8. */
template <int WM_, int WN_, int NI_, int NJ_> struct ConvTile {
    static constexpr int WM = WM_, WN = WN_, NI = NI_, NJ = NJ_;
    static constexpr int BM = WM * NI * 16, BN = WN * NJ * 8, threads = WM * WN * 32;
    static constexpr int stage = (BM + BN) * PITCH; /* elements */
    static constexpr int shared = STAGES * stage * 2;
    static constexpr int pitch = BN + 8; /* of the sums: the writers of a row use other banks */
    static_assert(BM * pitch * 4 <= shared, "the sums fit the ring");
};

typedef ConvTile<2, 4, 4, 4> LargeTile;  /* 128 x 128 */
typedef ConvTile<4, 2, 2, 4> MediumTile; /* 128 x 64 */
typedef ConvTile<2, 2, 2, 4> SmallTile;  /* 64 x 64 */

/* Eight channels of x from tap.c on, where 16-byte pieces of x do not exist. */
template <class T>
GPU_DEV void fetch_pieces(T *to, const T *x, int from, const ConvTap &tap, int cin)
{
    float f[8];
    GPU_UNROLL
    for (int j = 0; j < 8; j++)
        f[j] = from >= 0 && tap.c + j < cin ? gpu_f(x[from + tap.c + j]) : 0.0f;
    gpu_store<8>(to, f);
}

/* What one thread fetches of each tile: a column of 8 elements, in the same rows every time. */
template <class T, class Tile> struct ConvFetch {
    static constexpr int rows = Tile::threads / 4; /* at a time */
    static constexpr int na = Tile::BM / rows, nb = Tile::BN / rows;
    int row, column;
    ConvPixel pixel[na];
    ConvTap tap;
    int k; /* where the next tile begins for this thread */

    GPU_DEV void start(const ConvShape &s, int tile)
    {
        row = threadIdx.x >> 2;
        column = (threadIdx.x & 3) * 8;
        k = tile * TILE_K + column;
        tap = conv_tap(s, k);
        GPU_UNROLL
        for (int i = 0; i < na; i++)
            pixel[i] = conv_pixel(s, blockIdx.x * Tile::BM + row + i * rows);
    }

    template <bool ALIGNED> GPU_DEV void next(const ConvShape &s, const T *x, const T *w, T *stage)
    {
        const int length = s.kh * s.kw * s.cinp;
        GPU_UNROLL
        for (int i = 0; i < na; i++) {
            const int from = conv_source(s, pixel[i], tap);
            T *to = stage + (row + i * rows) * PITCH + column;
            if constexpr (ALIGNED)
                cp_async16(to, x + (from < 0 ? 0 : from + tap.c), from >= 0);
            else
                fetch_pieces(to, x, from, tap, s.cin);
        }
        GPU_UNROLL
        for (int i = 0; i < nb; i++) {
            const int filter = blockIdx.y * Tile::BN + row + i * rows;
            const bool there = k < length && filter < s.cout;
            cp_async16(stage + (Tile::BM + row + i * rows) * PITCH + column,
                       there ? w + (int64_t)filter * length + k : w, there);
        }
        conv_advance(s, tap, TILE_K);
        k += TILE_K;
    }
};

template <class T, class Tile>
GPU_DEV void multiply_tile(float (&sum)[Tile::NI][Tile::NJ][4], const T *a, const T *b)
{
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    const int m = warp % Tile::WM * Tile::NI * 16, n = warp / Tile::WM * Tile::NJ * 8;
    GPU_UNROLL
    for (int k = 0; k < TILE_K; k += 16) {
        uint32_t fa[Tile::NI][4], fb[Tile::NJ][2];
        ldmatrix_x4<Tile::NI>(fa[0], a + (m + (lane & 15)) * PITCH + k + (lane >> 4) * 8,
                              16 * PITCH);
        ldmatrix_x4<Tile::NJ / 2>(
            fb[0], b + (n + (lane >> 4) * 8 + (lane & 7)) * PITCH + k + (lane >> 3 & 1) * 8,
            16 * PITCH);
        mma_tile(sum, fa, fb, T());
    }
}

/* This thread's sums to where they can be read by rows: over the ring, which has done its work. */
template <class Tile>
GPU_DEV void store_sums(float *rows, const float (&sum)[Tile::NI][Tile::NJ][4])
{
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    const int m = warp % Tile::WM * Tile::NI * 16 + (lane >> 2);
    const int n = warp / Tile::WM * Tile::NJ * 8 + (lane & 3) * 2;
    GPU_UNROLL
    for (int i = 0; i < Tile::NI * 2; i++) {
        GPU_UNROLL
        for (int j = 0; j < Tile::NJ; j++) {
            const float *v = sum[i / 2][j] + i % 2 * 2;
            float2 *to = reinterpret_cast<float2 *>(rows + (m + i * 8) * Tile::pitch + n + j * 8);
            *to = make_float2(v[0], v[1]);
        }
    }
}

/* V filters of a pixel at a time. */
template <class T, class Tile, int V>
GPU_DEV void finish_rows(const ConvShape &s, const float *rows, const float *bias,
                         const T *per_channel, const T *residual, T *y, float *partial)
{
    constexpr int across = Tile::BN / V;
    GPU_NO_UNROLL
    for (int i = threadIdx.x; i < Tile::BM * across; i += Tile::threads) {
        const int row = i / across, column = i % across * V;
        const int p = blockIdx.x * Tile::BM + row, c = blockIdx.y * Tile::BN + column;
        if (p < s.pixels && c < s.cout) {
            float f[V];
            gpu_load<V>(rows + row * Tile::pitch + column, f);
            if (partial) {
                gpu_store<V>(partial + (int64_t)p * s.cout + c, f);
            } else {
                conv_finish<V>(s, f, p, c, bias, per_channel, residual);
                gpu_store<V>(y + (int64_t)p * s.cout + c, f);
            }
        }
    }
}

/* blockIdx: pixels, filters, part of k. partial: [parts][pixels][cout], NULL for a single part. */
template <class T, class Tile, bool ALIGNED>
__global__ void __launch_bounds__(Tile::threads)
    conv_kernel(const T *x, const T *w, const float *bias, const T *per_channel, const T *residual,
                T *y, float *partial, ConvShape s)
{
    GPU_SHARED_DYN(T, ring);
    ConvFetch<T, Tile> fetch;
    const int first = blockIdx.z * s.tiles_per_split;
    const int count = min(s.tiles_per_split, s.tiles - first);
    float sum[Tile::NI][Tile::NJ][4] = {};
    fetch.start(s, first);
    for (int t = 0; t < STAGES - 1; t++) {
        if (t < count)
            fetch.template next<ALIGNED>(s, x, w, ring + t * Tile::stage);
        cp_async_commit();
    }
    for (int t = 0; t < count; t++) {
        cp_async_wait<STAGES - 2>();
        __syncthreads(); /* tile t has arrived for all, and tile t - 1 is used up */
        if (t + STAGES - 1 < count)
            fetch.template next<ALIGNED>(s, x, w, ring + (t + STAGES - 1) % STAGES * Tile::stage);
        cp_async_commit();
        const T *a = ring + t % STAGES * Tile::stage;
        multiply_tile<T, Tile>(sum, a, a + Tile::BM * PITCH);
    }
    float *rows = reinterpret_cast<float *>(ring);
    __syncthreads(); /* all are done with the ring */
    store_sums<Tile>(rows, sum);
    __syncthreads();
    if (partial)
        partial += (int64_t)blockIdx.z * s.pixels * s.cout;
    if (s.wide)
        finish_rows<T, Tile, 8>(s, rows, bias, per_channel, residual, y, partial);
    else
        finish_rows<T, Tile, 1>(s, rows, bias, per_channel, residual, y, partial);
}

/* Adds the parts of k. */
template <class T>
__global__ void __launch_bounds__(256)
    conv_sum_kernel(const float *partial, int parts, const float *bias, const T *per_channel,
                    const T *residual, T *y, ConvShape s)
{
    const int64_t n = (int64_t)s.pixels * s.cout;
    GPU_FLAT_LOOP (i, n) {
        float v[1] = {};
        for (int part = 0; part < parts; part++)
            v[0] += partial[part * n + i];
        conv_finish<1>(s, v, (int)(i / s.cout), (int)(i % s.cout), bias, per_channel, residual);
        y[i] = gpu_from<T>(v[0]);
    }
}

/* ---- choosing ---- */

template <class Tile> static int64_t blocks_of(const ConvShape &s)
{
    return (int64_t)((s.pixels + Tile::BM - 1) / Tile::BM) * ((s.cout + Tile::BN - 1) / Tile::BN);
}

/* In how many parts k is computed: enough for about 128 blocks, parts of 8 tiles or more, and no
 * more than there is memory for. By the shape alone, so that it is the same everywhere. */
static int parts_of(const SlConvLaunch *c, const ConvShape &s)
{
    const int64_t blocks = blocks_of<SmallTile>(s), wanted = 128 / blocks;
    const int64_t longest = s.tiles / 8;
    const int64_t room = (int64_t)(c->partial_bytes / sizeof(float)) / ((int64_t)s.pixels * s.cout);
    int64_t parts = wanted < longest ? wanted : longest;
    parts = parts < room ? parts : room;
    return parts > 16 ? 16 : (int)parts;
}

template <class T, class Tile, bool ALIGNED>
static cudaError_t run(const SlConvLaunch *c, ConvShape s, int parts, cudaStream_t stream)
{
    float *partial = parts > 1 ? c->partial : NULL;
    if (parts > 1) {
        s.tiles_per_split = (s.tiles + parts - 1) / parts;
        parts = (s.tiles + s.tiles_per_split - 1) / s.tiles_per_split;
    }
    const GpuGrid grid = {dim3((s.pixels + Tile::BM - 1) / Tile::BM,
                               (s.cout + Tile::BN - 1) / Tile::BN, partial ? parts : 1),
                          dim3(Tile::threads), Tile::shared, stream};
    const T *per_channel = (const T *)c->per_channel, *residual = (const T *)c->residual;
    cudaError_t e =
        gpu_launch(conv_kernel<T, Tile, ALIGNED>, grid, (const T *)c->x, (const T *)c->w, c->bias,
                   per_channel, residual, (T *)c->y, partial, s);
    if (e != cudaSuccess || !partial)
        return e;
    return gpu_launch(conv_sum_kernel<T>, gpu_flat((int64_t)s.pixels * s.cout, stream),
                      (const float *)partial, parts, c->bias, per_channel, residual, (T *)c->y, s);
}

template <class T> static cudaError_t choose(const SlConvLaunch *c, cudaStream_t stream)
{
    const ConvShape s = conv_shape(c, TILE_K);
    if (c->cin % 8 != 0 || !gpu_aligned(c->x)) /* the first layers of a model */
        return run<T, SmallTile, false>(c, s, 1, stream);
    if (s.cout % 128 == 0 && blocks_of<LargeTile>(s) >= 256)
        return run<T, LargeTile, true>(c, s, 1, stream);
    if (blocks_of<MediumTile>(s) >= 128)
        return run<T, MediumTile, true>(c, s, 1, stream);
    return run<T, SmallTile, true>(c, s, parts_of(c, s), stream);
}

cudaError_t sl_launch_conv(const SlConvLaunch *c, cudaStream_t s)
{
    const int64_t largest = 0x7fffffff;
    if ((int64_t)c->n * c->oh * c->ow * c->cout == 0)
        return cudaSuccess;
    if ((int64_t)c->n * c->h * c->wd * c->cin > largest ||
        (int64_t)c->n * c->oh * c->ow > largest - 128 ||
        (int64_t)c->kh * c->kw * c->cin_padded > largest - TILE_K || c->cout > 64 * 65535)
        return cudaErrorInvalidValue;
    switch (c->dtype) {
    case SL_F32:
        return sl_launch_conv_f32(c, s);
    case SL_F16:
        return c->cin_padded % 8 ? cudaErrorInvalidValue : choose<__half>(c, s);
    case SL_BF16:
        return c->cin_padded % 8 ? cudaErrorInvalidValue : choose<__nv_bfloat16>(c, s);
    default:
        return cudaErrorInvalidValue;
    }
}
