/* elements.h - what several kernels share: vectors of elements, sums, activations, and how the host
 * picks a kernel by dtype.
 *
 * Sums have a fixed order (lanes by butterflies, then warps one after the other), so that the same
 * device gives the same bytes. */
#ifndef SL_KERNELS_CUDA_ELEMENTS_H
#define SL_KERNELS_CUDA_ELEMENTS_H

#include "kernels/cuda/gpu.h"
#include "kernels/kernels.h"

/* ---- V elements at a time: a few, or as many as 16 bytes hold (of f32 also twice as many) ---- */

template <class T> struct Wide {
    static constexpr int count = 16 / sizeof(T);
};

template <int V> GPU_DEV void gpu_load(const float *p, float (&f)[V])
{
    GPU_UNROLL
    for (int i = 0; i < V / 4 * 4; i += 4) {
        const uint4 u = gpu_ld16(p + i);
        f[i] = __uint_as_float(u.x);
        f[i + 1] = __uint_as_float(u.y);
        f[i + 2] = __uint_as_float(u.z);
        f[i + 3] = __uint_as_float(u.w);
    }
    GPU_UNROLL
    for (int i = V / 4 * 4; i < V; i++)
        f[i] = p[i];
}

template <int V> GPU_DEV void gpu_store(float *p, const float (&f)[V])
{
    GPU_UNROLL
    for (int i = 0; i < V / 4 * 4; i += 4)
        gpu_st16(p + i, make_uint4(__float_as_uint(f[i]), __float_as_uint(f[i + 1]),
                                   __float_as_uint(f[i + 2]), __float_as_uint(f[i + 3])));
    GPU_UNROLL
    for (int i = V / 4 * 4; i < V; i++)
        p[i] = f[i];
}

template <int V, class T> GPU_DEV void gpu_load(const T *p, float (&f)[V])
{
    if constexpr (V == 8) {
        const uint4 u = gpu_ld16(p);
        const uint32_t half[4] = {u.x, u.y, u.z, u.w};
        GPU_UNROLL
        for (int i = 0; i < 4; i++) {
            const float2 pair = gpu_unpack(half[i], T());
            f[2 * i] = pair.x;
            f[2 * i + 1] = pair.y;
        }
    } else {
        GPU_UNROLL
        for (int i = 0; i < V; i++)
            f[i] = gpu_f(p[i]);
    }
}

template <int V, class T> GPU_DEV void gpu_store(T *p, const float (&f)[V])
{
    if constexpr (V == 8) {
        gpu_st16(p, make_uint4(gpu_pack(f[0], f[1], T()), gpu_pack(f[2], f[3], T()),
                               gpu_pack(f[4], f[5], T()), gpu_pack(f[6], f[7], T())));
    } else {
        GPU_UNROLL
        for (int i = 0; i < V; i++)
            p[i] = gpu_from<T>(f[i]);
    }
}

/* ---- sums ---- */

struct GpuSum {
    GPU_DEV static float of(float a, float b)
    {
        return a + b;
    }
};

struct GpuLarger {
    GPU_DEV static float of(float a, float b)
    {
        return fmaxf(a, b);
    }
};

GPU_DEV float gpu_warp_sum(float v)
{
    return gpu_butterfly<16, 8, 4, 2, 1>(v, GpuSum());
}

/* For every thread of the block; partial has a float for each warp. */
GPU_DEV float gpu_block_sum(float v, float *partial)
{
    v = gpu_warp_sum(v);
    __syncthreads(); /* the sum before this one may still be read */
    if ((threadIdx.x & 31) == 0)
        partial[threadIdx.x >> 5] = v;
    __syncthreads();
    float sum = partial[0];
    for (unsigned i = 1; i < blockDim.x / 32; i++)
        sum += partial[i];
    return sum;
}

/* Rounding may leave a variance a little below zero; NaN stays NaN, as on the other devices. */
GPU_DEV float gpu_inverse_deviation(float variance, float eps)
{
    return 1.0f / sqrtf((variance < 0 ? 0.0f : variance) + eps);
}

/* ---- activations, as sl_ref_act ---- */

GPU_DEV float gpu_silu(float x)
{
    return x / (1.0f + expf(-x));
}

GPU_DEV float gpu_gelu(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
}

/* tanh(log(1 + e)) is (e e + 2 e) / (e e + 2 e + 2); of x > 0 with a = 1 / e, so that nothing
 * overflows. */
GPU_DEV float gpu_mish(float x)
{
    const float a = expf(-fabsf(x));
    return x > 0 ? x * (1 + 2 * a) / (1 + 2 * a + 2 * a * a)
                 : x * (a * a + 2 * a) / (a * a + 2 * a + 2);
}

GPU_DEV float gpu_act(float x, int act)
{
    switch (act) {
    case SL_ACT_SILU:
        return gpu_silu(x);
    case SL_ACT_GELU:
        return gpu_gelu(x);
    case SL_ACT_GELU_TANH:
        return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case SL_ACT_QUICK_GELU:
        return x / (1.0f + expf(-1.702f * x));
    case SL_ACT_RELU:
        return x > 0 ? x : 0;
    case SL_ACT_TANH:
        return tanhf(x);
    case SL_ACT_MISH:
        return gpu_mish(x);
    default:
        return x;
    }
}

/* ---- on the host ---- */

/* f(T()) for the type of dtype. */
template <class F> static cudaError_t gpu_by_type(SlDtype dtype, F f)
{
    switch (dtype) {
    case SL_F32:
        return f(float());
    case SL_F16:
        return f(__half());
    case SL_BF16:
        return f(__nv_bfloat16());
    default:
        return cudaErrorInvalidValue;
    }
}

static inline bool gpu_aligned(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

/* One thread for each of count pieces of work, in blocks of 256; the kernels loop over what is more
 * than a grid takes. */
static inline GpuGrid gpu_flat(int64_t count, cudaStream_t stream)
{
    const int64_t most = 1 << 20, blocks = (count + 255) / 256;
    return {dim3((unsigned)(blocks < most ? blocks : most)), dim3(256), 0, stream};
}

#define GPU_FLAT_LOOP(i, count)                                                   \
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < (count); \
         i += (int64_t)gridDim.x * blockDim.x)

#endif
