/* cuda_emu.h - the kernel language of CUDA in C++: a CUDA thread is a fiber.
 *
 * Comes with cuda_runtime.h of this folder. What is not here does not compile: atomics (they make
 * sums differ from run to run) and __shared__ (GPU_SHARED of gpu.h is what both compilers know).
 */
#ifndef SL_CUDA_EMU_H
#define SL_CUDA_EMU_H

#include "vector_types.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#define CUDA_EMU 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

namespace cuda_emu
{
struct LaneView {
    uint3 tid;
    int linear;
    int lane;
    int warp;
};

struct BlockView {
    uint3 bid, bdim, gdim;
};

extern __thread LaneView *cur __attribute__((tls_model("initial-exec")));
extern __thread BlockView blk __attribute__((tls_model("initial-exec")));

/* Where the caller stands: meetings on different lines are a fault. */
#define EMU_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

void sync_block(const char *file, int line);
enum Kind { K_SYNCWARP, K_SHFL, K_VOTE, K_MMA, K_LDMATRIX };
typedef void (*Combine)(void **payload, unsigned mask);
void warp_collective(const char *file, int line, int kind, unsigned mask, void *payload,
                     Combine fn);

void *shared_static(const void *key, size_t bytes, size_t align, const char *name);
void *shared_dynamic();
void cp_async(void *dst, const void *src, unsigned bytes, unsigned src_bytes, const char *file,
              int line);
void cp_async_commit();
void cp_async_wait(int newest_left);
/* A vector load or store, which the instrumentation would see in pieces. */
#ifdef EMU_CHECK
void vec_access(const void *p, unsigned n, bool write, const char *file, int line);
#else
void misaligned(const void *p, unsigned n, const char *file, int line);
static inline void vec_access(const void *p, unsigned n, bool, const char *file, int line)
{
    if ((uintptr_t)p % n)
        misaligned(p, n, file, line);
}
#endif

struct ShflArg {
    uint64_t in, out;
    int src;
    int oob;
};

uint64_t shfl_run(unsigned mask, uint64_t v, int mode, int arg, int width, const char *file,
                  int line);
unsigned vote_run(unsigned mask, int pred, const char *file, int line);
/* Shuffles of a whole warp one after the other, in one meeting: all is called with the value of
 * every lane, and leaves what the lanes get. */
typedef void (*Exchange)(float *lanes);
float exchange(float v, Exchange all, const char *file, int line);

void mma_tile(float (*d)[4], const uint32_t (*a)[4], int ni, const uint32_t (*b)[2], int nj,
              bool bf16, const char *file, int line);
/* count times four matrices, the rows of each step bytes behind those before */
void ldmatrix(uint32_t *r, const void *row, int count, size_t step, bool trans, const char *file,
              int line);

/* Kernel parameters that are pointers become those that can be followed. */
void *real_ptr(const void *p);
template <class P> static inline P arg(P v)
{
    if constexpr (std::is_pointer_v<P>)
        return (P)real_ptr((const void *)v);
    else
        return v;
}

struct LaunchInfo {
    dim3 grid, block;
    size_t smem;
    void *stream;
    const void *fn;
};

int launch(const LaunchInfo &li, std::function<void()> body); // returns cudaError_t
} // namespace cuda_emu

#define threadIdx (::cuda_emu::cur->tid)
#define blockIdx  (::cuda_emu::blk.bid)
#define blockDim  (::cuda_emu::blk.bdim)
#define gridDim   (::cuda_emu::blk.gdim)
#define warpSize  32

static inline void __syncthreads(EMU_SITE)
{
    cuda_emu::sync_block(file, line);
}

static inline void __syncwarp(unsigned mask = 0xffffffffu, EMU_SITE)
{
    cuda_emu::warp_collective(file, line, cuda_emu::K_SYNCWARP, mask, nullptr, nullptr);
}

template <class T>
static inline T emu_shfl(unsigned mask, T v, int mode, int arg, int width, const char *file,
                         int line)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffle of 4 or 8 bytes");
    uint64_t u = 0;
    __builtin_memcpy(&u, &v, sizeof(T));
    u = cuda_emu::shfl_run(mask, u, mode, arg, width, file, line);
    __builtin_memcpy(&v, &u, sizeof(T));
    return v;
}

template <class T> static inline T __shfl_sync(unsigned m, T v, int src, int w = 32, EMU_SITE)
{
    return emu_shfl(m, v, 0, src, w, file, line);
}

template <class T> static inline T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, EMU_SITE)
{
    return emu_shfl(m, v, 1, (int)d, w, file, line);
}

template <class T>
static inline T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, EMU_SITE)
{
    return emu_shfl(m, v, 2, (int)d, w, file, line);
}

template <class T> static inline T __shfl_xor_sync(unsigned m, T v, int x, int w = 32, EMU_SITE)
{
    return emu_shfl(m, v, 3, x, w, file, line);
}

static inline unsigned __ballot_sync(unsigned m, int p, EMU_SITE)
{
    return cuda_emu::vote_run(m, p, file, line);
}

static inline int __any_sync(unsigned m, int p, EMU_SITE)
{
    return cuda_emu::vote_run(m, p, file, line) != 0;
}

static inline int __all_sync(unsigned m, int p, EMU_SITE)
{
    return cuda_emu::vote_run(m, p, file, line) == m;
}

static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}
#define __expf(x) expf(x) /* a macro: glibc declares a function of this name */
static inline int min(int a, int b)
{
    return a < b ? a : b;
}

static inline int max(int a, int b)
{
    return a > b ? a : b;
}

static inline unsigned __float_as_uint(float f)
{
    unsigned u;
    __builtin_memcpy(&u, &f, 4);
    return u;
}

static inline float __uint_as_float(unsigned u)
{
    float f;
    __builtin_memcpy(&f, &u, 4);
    return f;
}
#endif
