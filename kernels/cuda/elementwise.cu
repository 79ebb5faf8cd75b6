/* elementwise.cu - activations, sums, guidance, how residuals change, pixels; mirrors ref/elementwise.c.
 *
 * Rows whose length and addresses allow it are read 16 bytes at a time. Kernels that may run in
 * place (add, activation, add_per_channel, guidance) read an element before they write it, and only
 * their own.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define LAUNCH_BOUNDS __launch_bounds__(256)

/* ---- activations and sums ---- */

template <class X, class Y>
__global__ void LAUNCH_BOUNDS activation_kernel(const X *x, Y *y, int64_t n, int act)
{
    GPU_FLAT_LOOP (i, n)
        y[i] = gpu_from<Y>(gpu_act(gpu_f(x[i]), act));
}

cudaError_t sl_launch_activation(const SlTensor *x, int act, const SlTensor *y, cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(x);
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto from) {
        return gpu_by_type(y->dtype, [&](auto to) {
            typedef decltype(from) X;
            typedef decltype(to) Y;
            return gpu_launch(activation_kernel<X, Y>, gpu_flat(n, s), (const X *)x->data,
                              (Y *)y->data, n, act);
        });
    });
}

/* count vectors of V elements; d: elements in a row of y */
template <class T, int V>
__global__ void LAUNCH_BOUNDS geglu_kernel(const T *x, T *y, int64_t count, int d)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t row = i * V / d, at = row * 2 * d + i * V % d;
        float value[V], gate[V];
        gpu_load<V>(x + at, value);
        gpu_load<V>(x + at + d, gate);
        GPU_UNROLL
        for (int k = 0; k < V; k++)
            value[k] *= gpu_gelu(gate[k]);
        gpu_store<V>(y + i * V, value);
    }
}

template <class T, int V>
static cudaError_t geglu(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    const int64_t count = sl_tensor_elements(y) / V;
    return gpu_launch(geglu_kernel<T, V>, gpu_flat(count, s), (const T *)x->data, (T *)y->data,
                      count, (int)y->size[y->rank - 1]);
}

cudaError_t sl_launch_geglu(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    if (sl_tensor_elements(y) == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide =
            y->size[y->rank - 1] % V == 0 && gpu_aligned(x->data) && gpu_aligned(y->data);
        return wide ? geglu<T, V>(x, y, s) : geglu<T, 1>(x, y, s);
    });
}

template <class T, int V>
__global__ void LAUNCH_BOUNDS add_kernel(const T *a, const T *b, float scale, T *y, int64_t count)
{
    GPU_FLAT_LOOP (i, count) {
        float p[V], q[V];
        gpu_load<V>(a + i * V, p);
        gpu_load<V>(b + i * V, q);
        GPU_UNROLL
        for (int k = 0; k < V; k++)
            p[k] = (p[k] + q[k]) * scale;
        gpu_store<V>(y + i * V, p);
    }
}

template <class T, int V>
static cudaError_t add(const SlTensor *a, const SlTensor *b, float scale, const SlTensor *y,
                       cudaStream_t s)
{
    const int64_t count = sl_tensor_elements(y) / V;
    return gpu_launch(add_kernel<T, V>, gpu_flat(count, s), (const T *)a->data, (const T *)b->data,
                      scale, (T *)y->data, count);
}

cudaError_t sl_launch_add(const SlTensor *a, const SlTensor *b, float scale, const SlTensor *y,
                          cudaStream_t s)
{
    if (sl_tensor_elements(y) == 0)
        return cudaSuccess;
    return gpu_by_type(a->dtype, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = sl_tensor_elements(y) % V == 0 && gpu_aligned(a->data) &&
                          gpu_aligned(b->data) && gpu_aligned(y->data);
        return wide ? add<T, V>(a, b, scale, y, s) : add<T, 1>(a, b, scale, y, s);
    });
}

template <class T>
__global__ void LAUNCH_BOUNDS add_per_channel_kernel(const T *x, const T *c, T *y, int64_t n,
                                                     int64_t per_item, int channels)
{
    GPU_FLAT_LOOP (i, n)
        y[i] = gpu_from<T>(gpu_f(x[i]) + gpu_f(c[i / per_item * channels + i % channels]));
}

cudaError_t sl_launch_add_per_channel(const SlTensor *x, const SlTensor *c, const SlTensor *y,
                                      cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(x);
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(add_per_channel_kernel<T>, gpu_flat(n, s), (const T *)x->data,
                          (const T *)c->data, (T *)y->data, n, n / x->size[0], (int)c->size[1]);
    });
}

template <class T>
__global__ void LAUNCH_BOUNDS scale_shift_kernel(const T *x, const T *c, T *y, int64_t n,
                                                 int64_t per_item, int channels)
{
    GPU_FLAT_LOOP (i, n) {
        const T *scale = c + i / per_item * 2 * channels + i % channels;
        y[i] = gpu_from<T>(gpu_f(x[i]) * (1.0f + gpu_f(scale[0])) + gpu_f(scale[channels]));
    }
}

cudaError_t sl_launch_scale_shift(const SlTensor *x, const SlTensor *c, const SlTensor *y,
                                  cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(x);
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(scale_shift_kernel<T>, gpu_flat(n, s), (const T *)x->data,
                          (const T *)c->data, (T *)y->data, n, n / x->size[0],
                          (int)(c->size[1] / 2));
    });
}

/* ---- guidance and pictures ---- */

struct Said {
    int64_t size[3], stride[4]; /* of channels, rows, columns; of the two answers first */
};

/* The layout, the type and the guidance of a step's end in one: y is what the host gets. */
template <class T>
__global__ void LAUNCH_BOUNDS guidance_kernel(const T *x, const float *scale, float *y, Said s,
                                              int64_t n)
{
    GPU_FLAT_LOOP (i, n) {
        const int64_t column = i % s.size[2], row = i / s.size[2] % s.size[1];
        const int64_t channel = i / s.size[2] / s.size[1];
        const int64_t at = channel * s.stride[1] + row * s.stride[2] + column * s.stride[3];
        const float u = gpu_f(x[at]), t = gpu_f(x[at + s.stride[0]]);
        y[i] = u + scale[0] * (t - u);
        y[n + i] = u;
        y[2 * n + i] = t;
    }
}

cudaError_t sl_launch_guidance(const SlTensor *x, const SlTensor *scale, const SlTensor *y,
                               cudaStream_t s)
{
    const Said said = {{x->size[1], x->size[2], x->size[3]},
                       {x->stride[0], x->stride[1], x->stride[2], x->stride[3]}};
    const int64_t n = x->size[1] * x->size[2] * x->size[3];
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(guidance_kernel<T>, gpu_flat(n, s), (const T *)x->data,
                          (const float *)scale->data, (float *)y->data, said, n);
    });
}

/* ---- how much a block's residual changes ---- */

#define CHANGE_BLOCKS (SL_CHANGE_SUMS / 2)

/* The sums of a block's elements, to a place for each block; n: elements of an input. */
template <class T>
__global__ void LAUNCH_BOUNDS change_kernel(const T *now, const T *was, float *sums, int64_t n)
{
    GPU_SHARED(float, partial, [256 / 32]);
    float apart = 0, size = 0;
    GPU_FLAT_LOOP (i, n) {
        const float before = gpu_f(was[n + i]) - gpu_f(was[i]);
        apart += fabsf(gpu_f(now[n + i]) - gpu_f(now[i]) - before);
        size += fabsf(before);
    }
    apart = gpu_block_sum(apart, partial);
    size = gpu_block_sum(size, partial);
    if (threadIdx.x == 0) {
        sums[2 * blockIdx.x] = apart;
        sums[2 * blockIdx.x + 1] = size;
    }
}

/* The sums of these pairs, by one block. */
__global__ void LAUNCH_BOUNDS change_end_kernel(const float *sums, float *y, int count)
{
    GPU_SHARED(float, partial, [256 / 32]);
    float apart = 0, size = 0;
    GPU_FLAT_LOOP (i, count) {
        apart += sums[2 * i];
        size += sums[2 * i + 1];
    }
    apart = gpu_block_sum(apart, partial);
    size = gpu_block_sum(size, partial);
    if (threadIdx.x == 0) {
        y[0] = apart;
        y[1] = size;
    }
}

cudaError_t sl_launch_residual_change(const SlTensor *now, const SlTensor *was, float *partial,
                                      const SlTensor *y, cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(now) / 2, wanted = (n + 1023) / 1024;
    const int blocks = wanted < 1 ? 1 : wanted < CHANGE_BLOCKS ? (int)wanted : CHANGE_BLOCKS;
    const GpuGrid grid = {dim3((unsigned)blocks), dim3(256), 0, s},
                  one = {dim3(1), dim3(256), 0, s};
    const cudaError_t status = gpu_by_type(now->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(change_kernel<T>, grid, (const T *)now->data, (const T *)was->data,
                          partial, n);
    });
    return status ? status
                  : gpu_launch(change_end_kernel, one, (const float *)partial, (float *)y->data,
                               blocks);
}

template <class T>
__global__ void LAUNCH_BOUNDS to_rgb8_kernel(const T *x, unsigned char *y, int64_t n)
{
    GPU_FLAT_LOOP (i, n) {
        const float v = gpu_f(x[i]) * 0.5f + 0.5f;
        y[i] = (unsigned char)(int)rintf(fminf(v > 0 ? v : 0, 1.0f) * 255.0f);
    }
}

cudaError_t sl_launch_to_rgb8(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(x);
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(to_rgb8_kernel<T>, gpu_flat(n, s), (const T *)x->data,
                          (unsigned char *)y->data, n);
    });
}
