/* launch.h - the kernels as plain C functions: each launches one kernel on a stream and returns.
 *
 * Pointers are device memory, sizes are in elements, tensors are contiguous unless strides are
 * given, dtype is f32, f16 or bf16, and vectors (bias, gamma, beta) are f32 or NULL. Nothing to do
 * (no elements) is no error. An error is a launch that the device refused, or cudaErrorInvalidValue
 * for what a kernel cannot do. The same functions launch on the CPU in the emulation.
 */
#ifndef SL_KERNELS_CUDA_LAUNCH_H
#define SL_KERNELS_CUDA_LAUNCH_H

#include "kernels/kernels.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- conv.cu ---- */

/* y [n, oh, ow, cout] = (act(conv(x [n, h, wd, cin]) + bias + per_channel [n, cout]) + residual) *
 * scale. w is [cout, kh, kw, cin_padded]; for 16-bit types cin_padded is cin rounded up to 8 and
 * what is beyond cin is zero; for f32 it is cin. residual may be y. */
typedef struct SlConvLaunch {
    SlDtype dtype;
    const void *x, *w;
    const float *bias;
    const void *per_channel, *residual; /* NULL: none */
    void *y;
    int n, h, wd, cin, cin_padded;
    int oh, ow, cout;
    int kh, kw, stride, pad_top, pad_left;
    int up_h, up_w; /* the size to which x is upsampled (nearest) first; 0: it is not */
    int act;        /* SlActivation */
    float scale;
    float *partial; /* scratch, so that few pixels can use a whole GPU; NULL: k is not split */
    size_t partial_bytes;
} SlConvLaunch;
cudaError_t sl_launch_conv(const SlConvLaunch *c, cudaStream_t s);

/* ---- attention.cu ---- */

/* softmax(q k^T scale) v; q and o [n, lq, heads * d], k and v [n, lk, heads * d]; strides (of n and
 * of a row) in elements, the last axis dense. causal: query i sees keys 0 .. i. */
typedef struct SlAttentionLaunch {
    SlDtype dtype;
    const void *q, *k, *v;
    void *o;
    int n, heads, d, lq, lk;
    int64_t qs[2], ks[2], vs[2], os[2];
    float scale;
    int causal;
} SlAttentionLaunch;
cudaError_t sl_launch_attention(const SlAttentionLaunch *a, cudaStream_t s);

/* ---- group_norm.cu, layer_norm.cu ---- */

/* x and y [n, hw, c] */
typedef struct SlGroupNormLaunch {
    SlDtype dtype;
    const void *x;
    const float *gamma, *beta;
    void *y;
    int n, hw, c, groups;
    float eps;
    int act; /* NONE or SILU */
    float
        *partial; /* scratch for sums, so that pictures use a whole GPU; NULL: a block per group */
    size_t partial_bytes;
} SlGroupNormLaunch;
cudaError_t sl_launch_group_norm(const SlGroupNormLaunch *l, cudaStream_t s);

/* x and y [rows, c] */
typedef struct SlLayerNormLaunch {
    SlDtype dtype;
    const void *x;
    const float *gamma, *beta;
    void *y;
    int rows, c;
    float eps;
} SlLayerNormLaunch;
cudaError_t sl_launch_layer_norm(const SlLayerNormLaunch *l, cudaStream_t s);

/* ---- layout.cu ---- */

/* Any strides and dtypes, the same sizes: permutes and casts. */
cudaError_t sl_launch_copy(const SlTensor *x, const SlTensor *y, cudaStream_t s);
/* Along the last axis. */
cudaError_t sl_launch_concat(const SlTensor *a, const SlTensor *b, const SlTensor *y,
                             cudaStream_t s);
/* nearest: x [n, h, w, c], y [n, oh, ow, c] */
cudaError_t sl_launch_upsample(const SlTensor *x, const SlTensor *y, cudaStream_t s);
/* 2 x 2, stride 2: x [n, h, w, c], y [n, h / 2, w / 2, c] */
cudaError_t sl_launch_avg_pool2(const SlTensor *x, const SlTensor *y, cudaStream_t s);

/* ---- elementwise.cu ---- */

/* x and y may be of different dtypes. */
cudaError_t sl_launch_activation(const SlTensor *x, int act, const SlTensor *y, cudaStream_t s);
/* x [..., 2d], y [..., d] = x[:d] * gelu(x[d:]) */
cudaError_t sl_launch_geglu(const SlTensor *x, const SlTensor *y, cudaStream_t s);
/* y = (a + b) * scale */
cudaError_t sl_launch_add(const SlTensor *a, const SlTensor *b, float scale, const SlTensor *y,
                          cudaStream_t s);
/* x [n, ..., channels], c [n, channels] */
cudaError_t sl_launch_add_per_channel(const SlTensor *x, const SlTensor *c, const SlTensor *y,
                                      cudaStream_t s);
/* y = x (1 + c[:, :C]) + c[:, C:] */
cudaError_t sl_launch_scale_shift(const SlTensor *x, const SlTensor *c, const SlTensor *y,
                                  cudaStream_t s);
/* said [2, C, H, W] of any strides, scale f32 [1], y f32 [3, C, H, W]: u + scale * (t - u), u, t */
cudaError_t sl_launch_guidance(const SlTensor *said, const SlTensor *scale, const SlTensor *y,
                               cudaStream_t s);
/* now and was [2 n, ...]: a block's input, then its output; y f32 [2] as sl_residual_change says it.
 * partial: scratch for SL_CHANGE_SUMS floats. */
#define SL_CHANGE_SUMS 2048
cudaError_t sl_launch_residual_change(const SlTensor *now, const SlTensor *was, float *partial,
                                      const SlTensor *y, cudaStream_t s);
/* round half to even of clamp(x / 2 + 0.5, 0, 1) * 255; NaN gives 0 */
cudaError_t sl_launch_to_rgb8(const SlTensor *x, const SlTensor *y, cudaStream_t s);

/* ---- embedding.cu ---- */

/* ids [n, length], all of them in the table; tokens [vocab, d], positions [>= length, d] or NULL,
 * y [n, length, d] */
cudaError_t sl_launch_embedding(const SlTensor *ids, const SlTensor *tokens,
                                const SlTensor *positions, const SlTensor *y, cudaStream_t s);
/* diffusers get_timestep_embedding: times [n], y [n, dim] */
cudaError_t sl_launch_timestep_embedding(const SlTensor *times, const SlTimestepEmbedding *e,
                                         const SlTensor *y, cudaStream_t s);

/* ---- q8.cu ---- */

/* A product's weights in 8 bits: blocks of 32 elements of an output's window (kernels/q8.h). */
typedef struct SlQ8Launch {
    int64_t outputs;
    int channels, taps, padded; /* padded: channels of the plain weights */
    uint16_t *scale;            /* [outputs][blocks of a window], f16 */
    signed char *value;         /* [outputs][blocks of a window][32] */
} SlQ8Launch;

/* from [outputs, channels, taps], of any of the three types */
cudaError_t sl_launch_q8_round(const SlQ8Launch *q, const SlTensor *from, cudaStream_t s);
/* to [outputs, taps, padded] */
cudaError_t sl_launch_q8_plain(const SlQ8Launch *q, const SlTensor *to, cudaStream_t s);

#ifdef __cplusplus
}
#endif

#endif
