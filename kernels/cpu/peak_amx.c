/* peak_amx.c - how many bf16 operations the matrix unit does in a second when all it does is multiply tiles
 * that it holds. Numbers that differ: zeros would let the processor run faster than any product does.
 */
#include "kernels/clock.h"
#include "kernels/cpu/amx.h"
#include "kernels/cpu/cpu.h"

#define ROUNDS  8
#define LOOPS   20000
#define CHAINS  4
#define THREADS 256

typedef struct Job {
    uint16_t factor[SL_TILE];
    float sum[THREADS][SL_TILE / 2]; /* somebody wants the result */
} Job;

static void chains(void *arg, int64_t first, int64_t last)
{
    Job *j = arg;
    sl_amx_begin();
    for (int64_t i = first; i < last; i++) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        _tile_loadd(4, j->factor, SL_TILE_ROW);
        _tile_loadd(5, j->factor, SL_TILE_ROW);
        for (int k = 0; k < LOOPS; k++) {
            _tile_dpbf16ps(0, 4, 5);
            _tile_dpbf16ps(1, 5, 4);
            _tile_dpbf16ps(2, 4, 5);
            _tile_dpbf16ps(3, 5, 4);
        }
        _tile_stored(0, j->sum[i], SL_TILE_ROW);
    }
    sl_amx_end();
}

/* Numbers of either sign between 1/2 and 1, all of whose digits are used. */
static void fill(Job *j)
{
    uint32_t state = 1;
    for (int i = 0; i < SL_TILE; i++) {
        state = state * 1664525 + 1013904223;
        j->factor[i] = (uint16_t)(0x3f00 | (state >> 24 & 0x7f) | (state >> 16 & 0x8000));
    }
}

static double amx_peak(SlDevice *dev)
{
    int threads = dev->threads < THREADS ? dev->threads : THREADS;
    double best = 0;
    if (dev->dtype != SL_BF16)
        return ((SlCpuDevice *)dev)->rest.peak(dev);
    size_t mark = sl_arena_mark(dev);
    SlTensor memory = sl_tensor_new(dev, SL_U8, 1, (const int64_t[]){sizeof(Job)});
    Job *job = memory.data;
    if (job)
        fill(job);
    for (int i = 0; job && i < ROUNDS; i++) {
        double start = sl_clock_now();
        sl_parallel_for(dev, threads, 1, chains, job);
        double products = 2.0 * SL_TILE * SL_TILE_SIDE * CHAINS * LOOPS;
        double rate = products * threads / (sl_clock_now() - start);
        best = rate > best ? rate : best;
    }
    sl_arena_reset(dev, mark);
    return best;
}

void sl_cpu_peak_slots_amx(SlOps *ops)
{
    ops->peak = amx_peak;
}
