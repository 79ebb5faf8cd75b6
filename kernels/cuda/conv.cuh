/* conv.cuh - what the convolutions for 16-bit types and for f32 share: where a tap of the filter
 * falls in the picture, the walk over the taps, and what follows the sums.
 *
 * A convolution is a product: a row for each output pixel, a column for each filter, and along k
 * the taps (ky, kx) with their channels. Nothing is laid out in memory for it; every piece of a row
 * is fetched from where its tap falls. Upsampling (nearest) is folded in: taps fall in the large
 * picture, and its source pixel is fetched.
 */
#ifndef SL_KERNELS_CUDA_CONV_CUH
#define SL_KERNELS_CUDA_CONV_CUH

#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

struct ConvShape {
    int h, wd, cin, cinp; /* of x; cinp: channels between taps in the weights */
    int seen_h, seen_w;   /* the picture that taps fall in: x, or x upsampled */
    int oh, ow, cout, pixels;
    int kh, kw, stride, pad_top, pad_left;
    int tiles, tiles_per_split; /* along k */
    int act;
    float scale;
    int wide; /* whether 8 filters of a pixel are 16 aligned bytes wherever they are */
};

/* Where the filter's first tap falls for an output pixel; image -1: there is no such pixel. */
struct ConvPixel {
    int image, y, x;
};

GPU_DEV ConvPixel conv_pixel(const ConvShape &s, int p)
{
    ConvPixel at = {-1, 0, 0};
    if (p < s.pixels) {
        at.image = p / (s.oh * s.ow);
        at.y = p / s.ow % s.oh * s.stride - s.pad_top;
        at.x = p % s.ow * s.stride - s.pad_left;
    }
    return at;
}

/* A place along k. */
struct ConvTap {
    int ky, kx, c;
};

GPU_DEV ConvTap conv_tap(const ConvShape &s, int k)
{
    const int tap = k / s.cinp;
    return {tap / s.kw, tap % s.kw, k % s.cinp};
}

GPU_DEV void conv_advance(const ConvShape &s, ConvTap &t, int by)
{
    t.c += by;
    while (t.c >= s.cinp) {
        t.c -= s.cinp;
        if (++t.kx == s.kw) {
            t.kx = 0;
            t.ky++;
        }
    }
}

/* Index of the first channel of x under a tap; -1 for padding and beyond the end. */
GPU_DEV int conv_source(const ConvShape &s, const ConvPixel &p, const ConvTap &t)
{
    int y = p.y + t.ky, x = p.x + t.kx;
    if (p.image < 0 || t.ky >= s.kh || (unsigned)y >= (unsigned)s.seen_h ||
        (unsigned)x >= (unsigned)s.seen_w)
        return -1;
    if (s.seen_h == 2 * s.h && s.seen_w == 2 * s.wd) {
        y >>= 1;
        x >>= 1;
    } else if (s.seen_h != s.h || s.seen_w != s.wd) {
        y = (int)((int64_t)y * s.h / s.seen_h);
        x = (int)((int64_t)x * s.wd / s.seen_w);
    }
    return ((p.image * s.h + y) * s.wd + x) * s.cin;
}

template <int V, class T> GPU_DEV void conv_add(float (&v)[V], const T *x)
{
    float f[V];
    gpu_load<V>(x, f);
    GPU_UNROLL
    for (int k = 0; k < V; k++)
        v[k] += f[k];
}

/* What follows the sums of pixel p and filters c to c + V - 1. */
template <int V, class T>
GPU_DEV void conv_finish(const ConvShape &s, float (&v)[V], int p, int c, const float *bias,
                         const T *per_channel, const T *residual)
{
    if (bias)
        conv_add(v, bias + c);
    if (per_channel)
        conv_add(v, per_channel + (int64_t)(p / (s.oh * s.ow)) * s.cout + c);
    GPU_UNROLL
    for (int k = 0; k < V; k++)
        v[k] = gpu_act(v[k], s.act);
    if (residual)
        conv_add(v, residual + (int64_t)p * s.cout + c);
    GPU_UNROLL
    for (int k = 0; k < V; k++)
        v[k] *= s.scale;
}

static inline ConvShape conv_shape(const SlConvLaunch *c, int tile_k)
{
    ConvShape s;
    s.h = c->h;
    s.wd = c->wd;
    s.cin = c->cin;
    s.cinp = c->cin_padded;
    s.seen_h = c->up_h ? c->up_h : c->h;
    s.seen_w = c->up_w ? c->up_w : c->wd;
    s.oh = c->oh;
    s.ow = c->ow;
    s.cout = c->cout;
    s.pixels = c->n * c->oh * c->ow;
    s.kh = c->kh;
    s.kw = c->kw;
    s.stride = c->stride;
    s.pad_top = c->pad_top;
    s.pad_left = c->pad_left;
    s.tiles = s.tiles_per_split = (c->kh * c->kw * c->cin_padded + tile_k - 1) / tile_k;
    s.act = c->act;
    s.scale = c->scale;
    s.wide = c->cout % 8 == 0 && gpu_aligned(c->y) && gpu_aligned(c->bias) &&
             gpu_aligned(c->per_channel) && gpu_aligned(c->residual) && gpu_aligned(c->partial);
    return s;
}

cudaError_t sl_launch_conv_f32(const SlConvLaunch *c, cudaStream_t s); /* conv_f32.cu */

#endif
