/* conv_f32.cu - convolution in f32, without tensor cores (their f32 is tf32, which has ten bits).
 *
 * 64 pixels by 64 filters for a block, 16 along k at a time, 4 by 4 sums for a thread.
 */
#include "kernels/cuda/conv.cuh"

#define TILE   64
#define TILE_K 16

__global__ void __launch_bounds__(256)
    conv_f32_kernel(const float *x, const float *w, const float *bias, const float *per_channel,
                    const float *residual, float *y, ConvShape s)
{
    GPU_SHARED(float, a, [TILE_K][TILE + 4]);
    GPU_SHARED(float, b, [TILE_K][TILE + 4]);
    const int p0 = blockIdx.x * TILE, c0 = blockIdx.y * TILE, length = s.kh * s.kw * s.cinp;
    const int column = threadIdx.x % TILE_K, row = threadIdx.x / TILE_K; /* of what it fetches */
    const int tp = threadIdx.x % 16 * 4, tc = threadIdx.x / 16 * 4;      /* of its sums */
    ConvPixel pixel[4];
    ConvTap tap = conv_tap(s, column);
    float sum[4][4] = {};
    GPU_UNROLL
    for (int i = 0; i < 4; i++)
        pixel[i] = conv_pixel(s, p0 + row + i * 16);
    for (int k0 = 0; k0 < length; k0 += TILE_K) {
        GPU_UNROLL
        for (int i = 0; i < 4; i++) {
            const int from = conv_source(s, pixel[i], tap), c = c0 + row + i * 16;
            a[column][row + i * 16] = from < 0 ? 0.0f : x[from + tap.c];
            b[column][row + i * 16] =
                c < s.cout && k0 + column < length ? w[(int64_t)c * length + k0 + column] : 0.0f;
        }
        conv_advance(s, tap, TILE_K);
        __syncthreads();
        GPU_UNROLL
        for (int k = 0; k < TILE_K; k++) {
            float p[4], q[4];
            gpu_load<4>(&a[k][tp], p);
            gpu_load<4>(&b[k][tc], q);
            GPU_UNROLL
            for (int i = 0; i < 4; i++) {
                GPU_UNROLL
                for (int j = 0; j < 4; j++)
                    sum[i][j] += p[i] * q[j];
            }
        }
        __syncthreads(); /* before the tiles are filled again */
    }
    GPU_UNROLL
    for (int i = 0; i < 4; i++) {
        GPU_UNROLL
        for (int j = 0; j < 4; j++) {
            const int p = p0 + tp + i, c = c0 + tc + j;
            if (p < s.pixels && c < s.cout) {
                float v[1] = {sum[i][j]};
                conv_finish<1>(s, v, p, c, bias, per_channel, residual);
                y[(int64_t)p * s.cout + c] = v[0];
            }
        }
    }
}

cudaError_t sl_launch_conv_f32(const SlConvLaunch *c, cudaStream_t stream)
{
    const ConvShape s = conv_shape(c, TILE_K);
    const GpuGrid grid = {dim3((s.pixels + TILE - 1) / TILE, (s.cout + TILE - 1) / TILE), dim3(256),
                          0, stream};
    return gpu_launch(conv_f32_kernel, grid, (const float *)c->x, (const float *)c->w, c->bias,
                      (const float *)c->per_channel, (const float *)c->residual, (float *)c->y, s);
}
