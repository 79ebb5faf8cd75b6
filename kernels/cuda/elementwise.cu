/* elementwise.cu - everything that is neither a product nor a norm; mirrors ref/elementwise.c.
 *
 * Rows whose length and addresses allow it are read 16 bytes at a time. Kernels that may run in
 * place (add, activation, add_per_channel) read an element before they write it, and only their own.
 */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define LAUNCH_BOUNDS __launch_bounds__(256)

/* ---- copy ---- */

struct Strides {
    int64_t size[SL_MAX_RANK], x[SL_MAX_RANK], y[SL_MAX_RANK]; /* outermost first, padded with ones */
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
template <class T>
__global__ void LAUNCH_BOUNDS move_kernel(const T *x, T *y, Strides s, int64_t n)
{
    GPU_FLAT_LOOP(i, n) {
        const Places p = places_of(i, s);
        y[p.y] = x[p.x];
    }
}

template <class X, class Y>
__global__ void LAUNCH_BOUNDS convert_kernel(const X *x, Y *y, Strides s, int64_t n)
{
    GPU_FLAT_LOOP(i, n) {
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

/* ---- activations and sums ---- */

template <class X, class Y>
__global__ void LAUNCH_BOUNDS activation_kernel(const X *x, Y *y, int64_t n, int act)
{
    GPU_FLAT_LOOP(i, n)
        y[i] = gpu_from<Y>(gpu_act(gpu_f(x[i]), act));
}

cudaError_t sl_launch_activation(SlDtype tx, const void *x, SlDtype ty, void *y, int64_t n, int act,
                                 cudaStream_t s)
{
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(tx, [&](auto from) {
        return gpu_by_type(ty, [&](auto to) {
            typedef decltype(from) X;
            typedef decltype(to) Y;
            return gpu_launch(activation_kernel<X, Y>, gpu_flat(n, s), (const X *)x, (Y *)y, n,
                              act);
        });
    });
}

/* count vectors of V elements; d: elements in a row of y */
template <class T, int V>
__global__ void LAUNCH_BOUNDS geglu_kernel(const T *x, T *y, int64_t count, int d)
{
    GPU_FLAT_LOOP(i, count) {
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
static cudaError_t geglu(const void *x, void *y, int64_t n, int d, cudaStream_t s)
{
    return gpu_launch(geglu_kernel<T, V>, gpu_flat(n / V, s), (const T *)x, (T *)y, n / V, d);
}

cudaError_t sl_launch_geglu(SlDtype t, const void *x, void *y, int64_t rows, int d, cudaStream_t s)
{
    const int64_t n = rows * d;
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = d % V == 0 && gpu_aligned(x) && gpu_aligned(y);
        return wide ? geglu<T, V>(x, y, n, d, s) : geglu<T, 1>(x, y, n, d, s);
    });
}

template <class T, int V>
__global__ void LAUNCH_BOUNDS add_kernel(const T *a, const T *b, float scale, T *y, int64_t count)
{
    GPU_FLAT_LOOP(i, count) {
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
static cudaError_t add(const void *a, const void *b, float scale, void *y, int64_t n,
                       cudaStream_t s)
{
    return gpu_launch(add_kernel<T, V>, gpu_flat(n / V, s), (const T *)a, (const T *)b, scale,
                      (T *)y, n / V);
}

cudaError_t sl_launch_add(SlDtype t, const void *a, const void *b, float scale, void *y, int64_t n,
                          cudaStream_t s)
{
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = n % V == 0 && gpu_aligned(a) && gpu_aligned(b) && gpu_aligned(y);
        return wide ? add<T, V>(a, b, scale, y, n, s) : add<T, 1>(a, b, scale, y, n, s);
    });
}

template <class T>
__global__ void LAUNCH_BOUNDS add_per_channel_kernel(const T *x, const T *c, T *y, int64_t n,
                                                     int64_t per_item, int channels)
{
    GPU_FLAT_LOOP(i, n)
        y[i] = gpu_from<T>(gpu_f(x[i]) + gpu_f(c[i / per_item * channels + i % channels]));
}

cudaError_t sl_launch_add_per_channel(SlDtype t, const void *x, const void *c, void *y, int64_t n,
                                      int64_t per_item, int channels, cudaStream_t s)
{
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(add_per_channel_kernel<T>, gpu_flat(n, s), (const T *)x, (const T *)c,
                          (T *)y, n, per_item, channels);
    });
}

/* ---- layout ---- */

/* count vectors of y */
template <class T, int V>
__global__ void LAUNCH_BOUNDS concat_kernel(const T *a, const T *b, T *y, int64_t count, int da,
                                            int db)
{
    GPU_FLAT_LOOP(i, count) {
        const int64_t row = i * V / (da + db);
        const int at = (int)(i * V % (da + db));
        float f[V];
        gpu_load<V>(at < da ? a + row * da + at : b + row * db + at - da, f);
        gpu_store<V>(y + i * V, f);
    }
}

template <class T, int V>
static cudaError_t concat(const void *a, const void *b, void *y, int64_t rows, int da, int db,
                          cudaStream_t s)
{
    const int64_t count = rows * (da + db) / V;
    return gpu_launch(concat_kernel<T, V>, gpu_flat(count, s), (const T *)a, (const T *)b, (T *)y,
                      count, da, db);
}

cudaError_t sl_launch_concat(SlDtype t, const void *a, const void *b, void *y, int64_t rows, int da,
                             int db, cudaStream_t s)
{
    if (rows * (da + db) == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide =
            da % V == 0 && db % V == 0 && gpu_aligned(a) && gpu_aligned(b) && gpu_aligned(y);
        return wide ? concat<T, V>(a, b, y, rows, da, db, s) : concat<T, 1>(a, b, y, rows, da, db, s);
    });
}

/* Sizes of a picture that is made larger or smaller; c in vectors. */
struct Resize {
    int h, w, oh, ow, c;
};

/* count vectors of y */
template <class T, int V>
__global__ void LAUNCH_BOUNDS upsample_kernel(const T *x, T *y, Resize r, int64_t count)
{
    GPU_FLAT_LOOP(i, count) {
        const int64_t pixel = i / r.c;
        const int ox = (int)(pixel % r.ow), oy = (int)(pixel / r.ow % r.oh);
        const int64_t item = pixel / r.ow / r.oh;
        const int64_t from = (item * r.h + (int64_t)oy * r.h / r.oh) * r.w + (int64_t)ox * r.w / r.ow;
        float f[V];
        gpu_load<V>(x + (from * r.c + i % r.c) * V, f);
        gpu_store<V>(y + i * V, f);
    }
}

template <class T, int V>
static cudaError_t upsample(const void *x, void *y, int n, Resize r, cudaStream_t s)
{
    r.c /= V;
    const int64_t count = (int64_t)n * r.oh * r.ow * r.c;
    return gpu_launch(upsample_kernel<T, V>, gpu_flat(count, s), (const T *)x, (T *)y, r, count);
}

cudaError_t sl_launch_upsample(SlDtype t, const void *x, void *y, int n, int h, int w, int oh,
                               int ow, int c, cudaStream_t s)
{
    const Resize r = {h, w, oh, ow, c};
    if ((int64_t)n * oh * ow * c == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        constexpr int V = Wide<T>::count;
        const bool wide = c % V == 0 && gpu_aligned(x) && gpu_aligned(y);
        return wide ? upsample<T, V>(x, y, n, r, s) : upsample<T, 1>(x, y, n, r, s);
    });
}

template <class T>
__global__ void LAUNCH_BOUNDS avg_pool2_kernel(const T *x, T *y, Resize r, int64_t count)
{
    GPU_FLAT_LOOP(i, count) {
        const int64_t pixel = i / r.c, row = (int64_t)r.w * r.c;
        const int ox = (int)(pixel % r.ow), oy = (int)(pixel / r.ow % r.oh);
        const int64_t item = pixel / r.ow / r.oh;
        const T *p = x + ((item * r.h + 2 * oy) * r.w + 2 * ox) * r.c + i % r.c;
        const float sum = gpu_f(p[0]) + gpu_f(p[r.c]) + gpu_f(p[row]) + gpu_f(p[row + r.c]);
        y[i] = gpu_from<T>(sum * 0.25f);
    }
}

cudaError_t sl_launch_avg_pool2(SlDtype t, const void *x, void *y, int n, int h, int w, int c,
                                cudaStream_t s)
{
    const Resize r = {h, w, h / 2, w / 2, c};
    const int64_t count = (int64_t)n * r.oh * r.ow * c;
    if (count == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(avg_pool2_kernel<T>, gpu_flat(count, s), (const T *)x, (T *)y, r, count);
    });
}

/* ---- embeddings ---- */

struct Lookup {
    int length, d, vocab;
};

template <class T>
__global__ void LAUNCH_BOUNDS embedding_kernel(const int *ids, const T *tokens, const T *positions,
                                               T *y, Lookup l, int64_t count)
{
    GPU_FLAT_LOOP(i, count) {
        const int64_t row = i / l.d, at = i % l.d;
        const int id = ids[row];
        float v = NAN;
        if (id >= 0 && id < l.vocab)
            v = gpu_f(tokens[(int64_t)id * l.d + at]);
        if (positions)
            v += gpu_f(positions[row % l.length * l.d + at]);
        y[i] = gpu_from<T>(v);
    }
}

cudaError_t sl_launch_embedding(SlDtype t, const int *ids, const void *tokens,
                                const void *positions, void *y, int64_t rows, int length, int d,
                                int vocab, cudaStream_t s)
{
    const Lookup l = {length, d, vocab};
    const int64_t count = rows * d;
    if (count == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(embedding_kernel<T>, gpu_flat(count, s), ids, (const T *)tokens,
                          (const T *)positions, (T *)y, l, count);
    });
}

struct Waves {
    int dim, flip;
    float log_period, divisor; /* frequency i is exp(-log_period * i / divisor) */
};

/* In the same f32 steps as torch: the angle reaches 1000, where they show. Only exp is in double, as
 * the device's expf is not rounded as well as the host's. */
template <class T>
__global__ void LAUNCH_BOUNDS timestep_kernel(const float *times, T *y, Waves w, int count)
{
    GPU_FLAT_LOOP(i, count) {
        const int half = w.dim / 2, at = (int)(i % w.dim), k = at % half;
        float v = 0; /* the last of an odd number */
        if (at < 2 * half) {
            const float exponent = -w.log_period * (float)k / w.divisor;
            const float angle = times[i / w.dim] * (float)exp((double)exponent);
            v = (at < half) == (w.flip != 0) ? cosf(angle) : sinf(angle);
        }
        y[i] = gpu_from<T>(v);
    }
}

cudaError_t sl_launch_timestep_embedding(SlDtype t, const float *times, void *y, int n, int dim,
                                         int flip, float shift, float max_period, cudaStream_t s)
{
    const Waves w = {dim, flip, logf(max_period), (float)(dim / 2) - shift};
    if (n * dim == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(timestep_kernel<T>, gpu_flat(n * dim, s), times, (T *)y, w, n * dim);
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
    GPU_FLAT_LOOP(i, n) {
        const int64_t column = i % s.size[2], row = i / s.size[2] % s.size[1];
        const int64_t channel = i / s.size[2] / s.size[1];
        const int64_t at = channel * s.stride[1] + row * s.stride[2] + column * s.stride[3];
        const float u = gpu_f(x[at]), t = gpu_f(x[at + s.stride[0]]);
        y[i] = u + scale[0] * (t - u);
        y[n + i] = u;
        y[2 * n + i] = t;
    }
}

cudaError_t sl_launch_guidance(const SlTensor *x, const float *scale, float *y, cudaStream_t s)
{
    const Said said = {{x->size[1], x->size[2], x->size[3]},
                       {x->stride[0], x->stride[1], x->stride[2], x->stride[3]}};
    const int64_t n = x->size[1] * x->size[2] * x->size[3];
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(x->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(guidance_kernel<T>, gpu_flat(n, s), (const T *)x->data, scale, y, said,
                          n);
    });
}

template <class T>
__global__ void LAUNCH_BOUNDS to_rgb8_kernel(const T *x, unsigned char *y, int64_t n)
{
    GPU_FLAT_LOOP(i, n) {
        const float v = gpu_f(x[i]) * 0.5f + 0.5f;
        y[i] = (unsigned char)(int)rintf(fminf(v > 0 ? v : 0, 1.0f) * 255.0f);
    }
}

cudaError_t sl_launch_to_rgb8(SlDtype t, const void *x, unsigned char *y, int64_t n, cudaStream_t s)
{
    if (n == 0)
        return cudaSuccess;
    return gpu_by_type(t, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(to_rgb8_kernel<T>, gpu_flat(n, s), (const T *)x, y, n);
    });
}
