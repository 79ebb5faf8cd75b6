/* gpu.h - the one layer between the kernels and a compiler: the same .cu files compile with nvcc
 * and, against emu/include, with g++.
 *
 * Rules that make this work:
 *  - shared memory through GPU_SHARED and GPU_SHARED_DYN, launches through gpu_launch;
 *  - kernel parameters are scalars, structs of scalars, and pointers as parameters of their own
 * (the emulation translates those); nothing is found through a pointer in a struct;
 *  - warp operations by whole warps; blocks of whole warps; no return before a barrier;
 *  - 16-byte accesses through gpu_ld16 and gpu_st16; arithmetic in f32;
 *  - no atomics, at most 99 KiB of shared memory (the least of sm_80 to sm_120).
 *
 * Not run by any test without a GPU: the branches for nvcc of this file (the inline PTX).
 */
#ifndef SL_KERNELS_CUDA_GPU_H
#define SL_KERNELS_CUDA_GPU_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <math.h>
#include <stdint.h>

/* More than 48 KiB of dynamic shared memory must be asked for. */
template <class... P> static inline cudaError_t gpu_allow_shared(void (*k)(P...), size_t bytes)
{
    if (bytes <= 48 << 10)
        return cudaSuccess;
    return cudaFuncSetAttribute(k, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
}

/* How a kernel is launched. */
struct GpuGrid {
    dim3 grid, block;
    size_t shared; /* bytes of dynamic shared memory */
    cudaStream_t stream;
};

#ifdef CUDA_EMU
#define GPU_DEV inline
#define GPU_UNROLL
#define GPU_NO_UNROLL
#define GPU_NO_CHECK __attribute__((no_sanitize("thread")))
#define GPU_SHARED(type, name, dims)                                                           \
    static const char name##_key = 0;                                                          \
    typedef type name##_arr dims;                                                              \
    name##_arr &name = *(name##_arr *)cuda_emu::shared_static(&name##_key, sizeof(name##_arr), \
                                                              alignof(name##_arr), #name)
#define GPU_SHARED_DYN(type, name) type *name = (type *)cuda_emu::shared_dynamic()
#define GPU_AT                     const char *file = __builtin_FILE(), int line = __builtin_LINE()

template <class... P, class... A>
static inline cudaError_t gpu_launch(void (*k)(P...), const GpuGrid &g, A... a)
{
    if (cudaError_t e = gpu_allow_shared(k, g.shared))
        return e;
    cuda_emu::launch({g.grid, g.block, g.shared, g.stream, (const void *)k},
                     [=]() GPU_NO_CHECK { k(cuda_emu::arg<P>(a)...); });
    return cudaGetLastError(); /* of whatever came before, too, as with nvcc */
}

GPU_NO_CHECK GPU_DEV uint4 gpu_ld16(const void *p, GPU_AT)
{
    cuda_emu::vec_access(p, 16, false, file, line);
    const unsigned *u = (const unsigned *)p;
    return make_uint4(u[0], u[1], u[2], u[3]);
}

GPU_NO_CHECK GPU_DEV void gpu_st16(void *p, uint4 v, GPU_AT)
{
    cuda_emu::vec_access(p, 16, true, file, line);
    unsigned *u = (unsigned *)p;
    u[0] = v.x;
    u[1] = v.y;
    u[2] = v.z;
    u[3] = v.w;
}

template <int NI, int NJ>
GPU_DEV void mma_tile(float (&d)[NI][NJ][4], const uint32_t (&a)[NI][4], const uint32_t (&b)[NJ][2],
                      __half, GPU_AT)
{
    cuda_emu::mma_tile(d[0], a, NI, b, NJ, false, file, line);
}

template <int NI, int NJ>
GPU_DEV void mma_tile(float (&d)[NI][NJ][4], const uint32_t (&a)[NI][4], const uint32_t (&b)[NJ][2],
                      __nv_bfloat16, GPU_AT)
{
    cuda_emu::mma_tile(d[0], a, NI, b, NJ, true, file, line);
}

template <int N, class T> GPU_DEV void ldmatrix_x4(uint32_t *r, const T *row, int step, GPU_AT)
{
    cuda_emu::ldmatrix(r, row, N, step * sizeof(T), false, file, line);
}

template <int N, class T>
GPU_DEV void ldmatrix_x4_trans(uint32_t *r, const T *row, int step, GPU_AT)
{
    cuda_emu::ldmatrix(r, row, N, step * sizeof(T), true, file, line);
}

template <int... BITS, class F> GPU_DEV float gpu_butterfly(float v, F, GPU_AT)
{
    return cuda_emu::exchange(
        v,
        [](float *lanes) GPU_NO_CHECK {
            for (int bit : {BITS...}) {
                float others[32];
                for (int l = 0; l < 32; l++)
                    others[l] = lanes[l ^ bit];
                for (int l = 0; l < 32; l++)
                    lanes[l] = F::of(lanes[l], others[l]);
            }
        },
        file, line);
}

GPU_DEV void cp_async16(void *dst, const void *src, bool valid, GPU_AT)
{
    cuda_emu::cp_async(dst, src, 16, valid ? 16 : 0, file, line);
}

GPU_DEV void cp_async_commit()
{
    cuda_emu::cp_async_commit();
}

template <int N> GPU_DEV void cp_async_wait()
{
    cuda_emu::cp_async_wait(N);
}
#else
#define GPU_DEV       __device__ __forceinline__
#define GPU_UNROLL    _Pragma("unroll")
#define GPU_NO_UNROLL _Pragma("unroll 1")
#define GPU_NO_CHECK
#define GPU_SHARED(type, name, dims) __shared__ __align__(16) type name dims
#define GPU_SHARED_DYN(type, name)                                  \
    extern __shared__ __align__(16) unsigned char gpu_dyn_shared[]; \
    type *name = reinterpret_cast<type *>(gpu_dyn_shared)

template <class... P, class... A>
static inline cudaError_t gpu_launch(void (*k)(P...), const GpuGrid &g, A... a)
{
    if (cudaError_t e = gpu_allow_shared(k, g.shared))
        return e;
    k<<<g.grid, g.block, g.shared, g.stream>>>(static_cast<P>(a)...);
    return cudaGetLastError();
}

GPU_DEV uint4 gpu_ld16(const void *p)
{
    return *reinterpret_cast<const uint4 *>(p);
}

GPU_DEV void gpu_st16(void *p, uint4 v)
{
    *reinterpret_cast<uint4 *>(p) = v;
}

GPU_DEV uint32_t gpu_shared_address(const void *p)
{
    return (uint32_t)__cvta_generic_to_shared(p);
}

#define GPU_MMA(type)                                                           \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 " \
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"        \
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])               \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

GPU_DEV void gpu_mma(float d[4], const uint32_t a[4], const uint32_t b[2], __half)
{
    GPU_MMA("f16");
}

GPU_DEV void gpu_mma(float d[4], const uint32_t a[4], const uint32_t b[2], __nv_bfloat16)
{
    GPU_MMA("bf16");
}

/* d[i][j] += a[i] b[j], each 16 x 16 by 16 x 8: one call for a warp's tile keeps the emulation
 * fast. */
template <int NI, int NJ, class T>
GPU_DEV void mma_tile(float (&d)[NI][NJ][4], const uint32_t (&a)[NI][4], const uint32_t (&b)[NJ][2],
                      T t)
{
    GPU_UNROLL
    for (int i = 0; i < NI; i++) {
        GPU_UNROLL
        for (int j = 0; j < NJ; j++)
            gpu_mma(d[i][j], a[i], b[j], t);
    }
}

/* Four 8 x 8 matrices of 16-bit elements; lane l says where row l % 8 of matrix l / 8 lies. */
GPU_DEV void gpu_ldmatrix(uint32_t *r, const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(gpu_shared_address(row))
                 : "memory");
}

GPU_DEV void gpu_ldmatrix_trans(uint32_t *r, const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(gpu_shared_address(row))
                 : "memory");
}

/* N times four matrices, each `step` elements behind the one before: one call keeps the emulation
 * fast. */
template <int N, class T> GPU_DEV void ldmatrix_x4(uint32_t *r, const T *row, int step)
{
    GPU_UNROLL
    for (int i = 0; i < N; i++)
        gpu_ldmatrix(r + 4 * i, row + i * step);
}

template <int N, class T> GPU_DEV void ldmatrix_x4_trans(uint32_t *r, const T *row, int step)
{
    GPU_UNROLL
    for (int i = 0; i < N; i++)
        gpu_ldmatrix_trans(r + 4 * i, row + i * step);
}

/* v = F::of(v, that of the lane whose number differs in the bit), for each of BITS in turn; by all
 * lanes of a warp. One call keeps the emulation fast. */
template <int... BITS, class F> GPU_DEV float gpu_butterfly(float v, F)
{
    ((v = F::of(v, __shfl_xor_sync(0xffffffffu, v, BITS))), ...);
    return v;
}

/* 16 bytes on their way to shared memory; zeros when not valid (src must be an address all the
 * same). */
GPU_DEV void cp_async16(void *dst, const void *src, bool valid)
{
    int n = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(gpu_shared_address(dst)),
                 "l"(src), "r"(n)
                 : "memory");
}

GPU_DEV void cp_async_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Until all but the newest N groups of this thread have arrived; other threads need a barrier,
 * too. */
template <int N> GPU_DEV void cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}
#endif

/* ---- elements ---- */

GPU_DEV float gpu_f(float x)
{
    return x;
}

GPU_DEV float gpu_f(__half h)
{
    return __half2float(h);
}

GPU_DEV float gpu_f(__nv_bfloat16 h)
{
    return __bfloat162float(h);
}

template <class T> GPU_DEV T gpu_from(float f);

template <> GPU_DEV float gpu_from<float>(float f)
{
    return f;
}

template <> GPU_DEV __half gpu_from<__half>(float f)
{
    return __float2half_rn(f);
}

template <> GPU_DEV __nv_bfloat16 gpu_from<__nv_bfloat16>(float f)
{
    return __float2bfloat16_rn(f);
}

/* Two 16-bit elements in a register, x in the low half. */
GPU_DEV uint32_t gpu_pack(float x, float y, __half)
{
    __half2 h = __floats2half2_rn(x, y);
    return *reinterpret_cast<uint32_t *>(&h);
}

GPU_DEV uint32_t gpu_pack(float x, float y, __nv_bfloat16)
{
    __nv_bfloat162 h = __floats2bfloat162_rn(x, y);
    return *reinterpret_cast<uint32_t *>(&h);
}

GPU_DEV float2 gpu_unpack(uint32_t v, __half)
{
    return __half22float2(*reinterpret_cast<__half2 *>(&v));
}

GPU_DEV float2 gpu_unpack(uint32_t v, __nv_bfloat16)
{
    return __bfloat1622float2(*reinterpret_cast<__nv_bfloat162 *>(&v));
}

#endif
