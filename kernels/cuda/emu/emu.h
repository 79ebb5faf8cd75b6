/* emu.h - what the parts of the emulation know of each other; private to kernels/cuda/emu/.
 *
 * A pointer's kind can be told from its value: every kind of memory has a fixed range. Device
 * memory has two addresses: the one that cudaMalloc returns is never mapped, so that host code
 * which follows it dies at once; kernels and library calls get the other, translated by the launch.
 *
 * From the environment: CUDAEMU_SEED=n another schedule, CUDAEMU_LAZY=1 streams do nothing until
 * somebody waits, CUDAEMU_THREADS=n, CUDAEMU_FATAL=1 abort at the first report, CUDAEMU_POISON=0,
 * CUDAEMU_MEMORY=n MiB of device memory, CUDAEMU_FAIL=n the n-th launch fails,
 * CUDAEMU_REFUSE=1 cuBLASLt has no algorithm for any product, 2 it takes its choice back,
 * CUDAEMU_SKIP_BARRIER=conv.cu:120 the __syncthreads of that line does nothing.
 */
#ifndef SL_CUDA_EMU_EMU_H
#define SL_CUDA_EMU_EMU_H

#include "report.h"

#include "cuda_runtime_api.h"
#ifndef EMU_TOOLKIT_HEADERS
#include "cuda_emu.h"
#endif

#include <cstddef>
#include <cstdint>
#include <functional>

namespace cuda_emu
{
constexpr uintptr_t DEV_BASE = 0x200000000000ull, REAL_BASE = 0x280000000000ull;
constexpr uintptr_t DEV_SIZE = 1ull << 36;
constexpr uintptr_t SH_BASE = 0x210000000000ull; // shared memory, one arena per worker
constexpr uintptr_t SH_STRIDE = 1ull << 20;
constexpr uintptr_t EMU_BASE = 0x220000000000ull; // fibers' stacks and contexts
constexpr uintptr_t EMU_SIZE = 1ull << 36;
constexpr uintptr_t ST_BASE = 0x230000000000ull;  // check build: state of each 2 bytes
constexpr uintptr_t TAG_BASE = 0x240000000000ull; // check build: last writer and reader
constexpr int MAX_WORKERS = 64;

struct Config {
    unsigned long seed;
    bool lazy, poison, fatal;
    int threads, smem_optin;
    size_t memory;
    long fail_at, refuse;
    const char *skip_file; // the barrier left out
    int skip_line;
};
extern Config cfg;
void init_once();

/* ---- device memory: heap.cpp ---- */

void *dev_alloc(size_t n); // NULL when it is used up
bool dev_free(void *p);
bool dev_live(const void *p, size_t n); // whole range inside one live allocation
size_t dev_in_use();
void dev_written(const void *p, size_t n); // by the host API or a library stand-in
bool dev_check_read(const void *p, size_t n, const char *who);

inline bool is_dev(const void *p)
{
    return (uintptr_t)p - DEV_BASE < DEV_SIZE;
}

inline void *real(const void *p)
{
    return is_dev(p) ? (char *)p + (REAL_BASE - DEV_BASE) : (void *)p;
}

/* ---- report.cpp, grid.cpp, stream.cpp ---- */

/* pc: address of the instruction; NULL where the text already names the place. */
void report(const char *kind, const void *pc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct Grid {
    unsigned gx, gy, gz, bx, by, bz;
    size_t smem;
};
bool run_grid(const Grid &g, const std::function<void()> &body); // false: a block failed
void parallel_for(long n, const std::function<void(long)> &f);
double now();

/* Everything that happens on a stream is a closure: done now, queued (lazy) or recorded
 * (capture). */
int stream_op(cudaStream_t s, const char *what, std::function<int()> f);
} // namespace cuda_emu

#endif
