/* layout.cu - what moves elements: copies of any strides and dtypes, concat, nearest upsampling,
 * 2 x 2 averages; mirrors ref/elementwise.c. Rows whose length and addresses allow it are moved 16
 * bytes at a time.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define LAUNCH_BOUNDS __launch_bounds__(256)

/* ---- copy ---- */

struct Strides {
    int64_t size[SL_MAX_RANK], x[SL_MAX_RANK], y[SL_MAX_RANK]; /* outermost first, ones before */
};

struct Places {
    int64_t x, y;
};

GPU_DEV Places places_of(int64_t i, const Strides &s)
{
    Places p = {0, 0};
    GPU_UNROLL
    for (int a = SL_MAX_RANK - 1; a >= 0; a--) {
        const int64_t at = i % s.size[a];
        i /= s.size[a];
        p.x += at * s.x[a];
        p.y += at * s.y[a];
    }
    return p;
}

/* The same type: any of its size. */
template <class T> __global__ void LAUNCH_BOUNDS move_kernel(const T *x, T *y, Strides s, int64_t n)
{
    GPU_FLAT_LOOP (i, n) {
        const Places p = places_of(i, s);
        y[p.y] = x[p.x];
    }
}

template <class X, class Y>
__global__ void LAUNCH_BOUNDS convert_kernel(const X *x, Y *y, Strides s, int64_t n)
{
    GPU_FLAT_LOOP (i, n) {
        const Places p = places_of(i, s);
        y[p.y] = gpu_from<Y>(gpu_f(x[p.x]));
    }
}

static Strides strides_of(const SlTensor *x, const SlTensor *y)
{
    Strides s;
    for (int a = 0; a < SL_MAX_RANK; a++) {
        const int from = a - (SL_MAX_RANK - x->rank);
        s.size[a] = from < 0 ? 1 : x->size[from];
        s.x[a] = from < 0 ? 0 : x->stride[from];
        s.y[a] = from < 0 ? 0 : y->stride[from];
    }
    return s;
}

template <class T> static cudaError_t move(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(x);
    return gpu_launch(move_kernel<T>, gpu_flat(n, s), (const T *)x->data, (T *)y->data,
                      strides_of(x, y), n);
}

static cudaError_t convert(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    const int64_t n = sl_tensor_elements(x);
    return gpu_by_type(x->dtype, [&](auto from) {
        return gpu_by_type(y->dtype, [&](auto to) {
            typedef decltype(from) X;
            typedef decltype(to) Y;
            return gpu_launch(convert_kernel<X, Y>, gpu_flat(n, s), (const X *)x->data,
                              (Y *)y->data, strides_of(x, y), n);
        });
    });
}

cudaError_t sl_launch_copy(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    if (sl_tensor_elements(x) == 0)
        return cudaSuccess;
    if (x->dtype != y->dtype)
        return convert(x, y, s);
    switch (sl_dtype_size(x->dtype)) {
    case 1:
        return move<uint8_t>(x, y, s);
    case 2:
        return move<uint16_t>(x, y, s);
    default:
        return move<uint32_t>(x, y, s);
    }
}

/* ---- layout ---- */

/* count vectors of y */
template <class T, int V>
__global__ void LAUNCH_BOUNDS concat_kernel(const T *a, const T *b, T *y, int64_t count, int da,
                                            int db)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t row = i * V / (da + db);
        const int at = (int)(i * V % (da + db));
        float f[V];
        gpu_load<V>(at < da ? a + row * da + at : b + row * db + at - da, f);
        gpu_store<V>(y + i * V, f);
    }
}

static int last(const SlTensor *t)
{
    return (int)t->size[t->rank - 1];
}

template <class T, int V>
static cudaError_t concat(const SlTensor *a, const SlTensor *b, const SlTensor *y, cudaStream_t s)
{
    const int64_t count = sl_tensor_elements(y) / V;
    return gpu_launch(concat_kernel<T, V>, gpu_flat(count, s), (const T *)a->data,
                      (const T *)b->data, (T *)y->data, count, last(a), last(b));
}

cudaError_t sl_launch_concat(const SlTensor *a, const SlTensor *b, const SlTensor *y,
                             cudaStream_t s)
{
    if (sl_tensor_elements(y) == 0)
        return cudaSuccess;
    return gpu_by_type(y->dtype, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = last(a) % V == 0 && last(b) % V == 0 && gpu_aligned(a->data) &&
                          gpu_aligned(b->data) && gpu_aligned(y->data);
        return wide ? concat<T, V>(a, b, y, s) : concat<T, 1>(a, b, y, s);
    });
}

/* Sizes of a picture that is made larger or smaller; c in vectors. */
struct Resize {
    int h, w, oh, ow, c;
};

static Resize resize_of(const SlTensor *x, const SlTensor *y)
{
    return {(int)x->size[1], (int)x->size[2], (int)y->size[1], (int)y->size[2], last(x)};
}

/* count vectors of y */
template <class T, int V>
__global__ void LAUNCH_BOUNDS upsample_kernel(const T *x, T *y, Resize r, int64_t count)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t pixel = i / r.c;
        const int ox = (int)(pixel % r.ow), oy = (int)(pixel / r.ow % r.oh);
        const int64_t item = pixel / r.ow / r.oh;
        const int64_t row = item * r.h + (int64_t)oy * r.h / r.oh;
        const int64_t from = row * r.w + (int64_t)ox * r.w / r.ow;
        float f[V];
        gpu_load<V>(x + (from * r.c + i % r.c) * V, f);
        gpu_store<V>(y + i * V, f);
    }
}

template <class T, int V>
static cudaError_t upsample(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    Resize r = resize_of(x, y);
    r.c /= V;
    const int64_t count = sl_tensor_elements(y) / V;
    return gpu_launch(upsample_kernel<T, V>, gpu_flat(count, s), (const T *)x->data, (T *)y->data,
                      r, count);
}

cudaError_t sl_launch_upsample(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    if (sl_tensor_elements(y) == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = last(x) % V == 0 && gpu_aligned(x->data) && gpu_aligned(y->data);
        return wide ? upsample<T, V>(x, y, s) : upsample<T, 1>(x, y, s);
    });
}

template <class T>
__global__ void LAUNCH_BOUNDS avg_pool2_kernel(const T *x, T *y, Resize r, int64_t count)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t pixel = i / r.c, row = (int64_t)r.w * r.c;
        const int ox = (int)(pixel % r.ow), oy = (int)(pixel / r.ow % r.oh);
        const int64_t item = pixel / r.ow / r.oh;
        const T *p = x + ((item * r.h + 2 * oy) * r.w + 2 * ox) * r.c + i % r.c;
        const float sum = gpu_f(p[0]) + gpu_f(p[r.c]) + gpu_f(p[row]) + gpu_f(p[row + r.c]);
        y[i] = gpu_from<T>(sum * 0.25f);
    }
}

cudaError_t sl_launch_avg_pool2(const SlTensor *x, const SlTensor *y, cudaStream_t s)
{
    const int64_t count = sl_tensor_elements(y);
    if (count == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(avg_pool2_kernel<T>, gpu_flat(count, s), (const T *)x->data, (T *)y->data,
                          resize_of(x, y), count);
    });
}
