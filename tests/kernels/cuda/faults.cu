/* faults.cu - kernels that are wrong, one in each way that the check build is to find, and one that
 * is right. A test of the tests. */
#include "kernels/cuda/emu/report.h"
#include "kernels/cuda/gpu.h"
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 64

__global__ void right(float *o)
{
    GPU_SHARED(float, s, [THREADS]);
    s[threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    const float v = s[63 - threadIdx.x];
    __syncthreads();
    s[threadIdx.x] = v;
    __syncwarp();
    o[threadIdx.x] = s[threadIdx.x ^ 1];
}

__global__ void writes_past_the_end(float *o)
{
    o[threadIdx.x + 1] = 1;
}

__global__ void reads_what_was_never_written(float *o)
{
    o[threadIdx.x] = fmaxf(o[threadIdx.x], 0.0f);
}

__global__ void overruns_shared_memory(float *o)
{
    GPU_SHARED(float, s, [THREADS]);
    float *p = s;
    p[threadIdx.x + 1] = 1;
    o[threadIdx.x] = 0;
}

__global__ void reads_shared_memory_never_written(float *o)
{
    GPU_SHARED(float, s, [THREADS]);
    if (threadIdx.x < 60)
        s[threadIdx.x] = 1;
    __syncthreads();
    o[threadIdx.x] = s[threadIdx.x];
}

__global__ void no_barrier_before_reading(float *o)
{
    GPU_SHARED(float, s, [THREADS]);
    s[threadIdx.x] = 1;
    o[threadIdx.x] = threadIdx.x ? s[threadIdx.x - 1] : 0;
}

__global__ void no_barrier_before_writing(float *o)
{
    GPU_SHARED(float, s, [THREADS]);
    s[threadIdx.x] = 1;
    __syncthreads();
    o[threadIdx.x] = s[(threadIdx.x + 1) % THREADS];
    s[threadIdx.x] = 2;
}

__global__ void no_syncwarp(float *o)
{
    GPU_SHARED(float, s, [THREADS]);
    s[threadIdx.x] = 1;
    o[threadIdx.x] = s[threadIdx.x ^ 1];
}

__global__ void barrier_for_half(float *o)
{
    o[threadIdx.x] = 1;
    if (threadIdx.x < 32)
        __syncthreads();
}

__global__ void two_barriers_met(float *o)
{
    o[threadIdx.x] = 1;
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

__global__ void shuffle_by_half_a_warp(float *o)
{
    float v = 1;
    if (threadIdx.x % 32 < 16)
        v = __shfl_xor_sync(0xffffffffu, v, 1);
    o[threadIdx.x] = v;
}

__global__ void copy_not_waited_for(const float *a, float *o)
{
    GPU_SHARED(float, s, [THREADS * 4]);
    cp_async16(s + threadIdx.x * 4, a + threadIdx.x * 4, true);
    cp_async_commit();
    cp_async_wait<1>();
    __syncthreads();
    o[threadIdx.x] = s[threadIdx.x];
    cp_async_wait<0>();
}

__global__ void copy_without_barrier(const float *a, float *o)
{
    GPU_SHARED(float, s, [THREADS * 4]);
    cp_async16(s + threadIdx.x * 4, a + threadIdx.x * 4, true);
    cp_async_commit();
    cp_async_wait<0>();
    o[threadIdx.x] = s[threadIdx.x];
}

__global__ void misaligned_piece(const float *a, float *o)
{
    o[threadIdx.x] = (float)gpu_ld16(a + 1).x;
}

__global__ void block_needs_another(float *o)
{
    if (threadIdx.x == 0)
        o[blockIdx.x] = blockIdx.x ? o[blockIdx.x - 1] + 1 : 0;
}

/* ---- */

static float *output()
{
    void *p = NULL;
    return cudaMalloc(&p, THREADS * sizeof(float)) == cudaSuccess ? (float *)p : NULL;
}

static float *input()
{
    void *p = NULL;
    if (cudaMalloc(&p, THREADS * 4 * sizeof(float)) != cudaSuccess)
        return NULL;
    cudaMemset(p, 0, THREADS * 4 * sizeof(float));
    return (float *)p;
}

typedef void (*Writes)(float *);
typedef void (*Copies)(const float *, float *);

struct Fault {
    const char *name, *kind; /* what is reported first; "": nothing */
    Writes writes;
    Copies copies;
    unsigned blocks;
};

static const Fault faults[] = {
    {"a kernel that is right", "", right, NULL, 1},
    {"a write past the end", "global-oob", writes_past_the_end, NULL, 1},
    {"memory never written", "global-uninit", reads_what_was_never_written, NULL, 1},
    {"shared memory overrun", "shared-oob", overruns_shared_memory, NULL, 1},
    {"shared memory never written", "shared-uninit", reads_shared_memory_never_written, NULL, 1},
    {"no barrier before reading", "shared-race-RAW", no_barrier_before_reading, NULL, 1},
    {"no barrier before writing", "shared-race-WAR", no_barrier_before_writing, NULL, 1},
    {"no __syncwarp", "shared-", no_syncwarp, NULL, 1},
    {"a barrier for half of the block", "exited-before-barrier", barrier_for_half, NULL, 1},
    {"two barriers met", "divergent-barrier", two_barriers_met, NULL, 1},
    {"a shuffle by half of the warp", "warp-mask", shuffle_by_half_a_warp, NULL, 1},
    {"a copy not waited for", "cp.async-race", NULL, copy_not_waited_for, 1},
    {"a copy without a barrier", "shared-race-RAW", NULL, copy_without_barrier, 1},
    {"a misaligned piece of 16 bytes", "misaligned", NULL, misaligned_piece, 1},
    {"a block that needs another's result", "global-race-blocks", block_needs_another, NULL, 8},
};

static const char *first_report(const Fault &f)
{
    const GpuGrid grid = {dim3(f.blocks), dim3(THREADS), 0, 0};
    float *o = output();
    if (f.writes)
        gpu_launch(f.writes, grid, o);
    else
        gpu_launch(f.copies, grid, (const float *)input(), o);
    cudaDeviceSynchronize();
    return cuda_emu_first_kind();
}

/* Each in a process of its own, as reports stay. Their text on stderr is expected. */
static void test_fault(const Fault &f)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        const char *kind = first_report(f);
        bool found = f.kind[0] ? !strncmp(kind, f.kind, strlen(f.kind)) : !kind[0];
        if (!found) {
            sl_test_note("reported: %s", kind);
            fflush(stdout);
        }
        _exit(!found);
    }
    int status = -1;
    waitpid(child, &status, 0);
    sl_test(status == 0, "%s", f.name);
}

int main()
{
    for (const Fault &f : faults)
        test_fault(f);
    return sl_test_done();
}
