/* peak.c - how many f32 operations the processor does in a second when all it does is multiply and
 * add in registers. */
#include "kernels/clock.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define ROUNDS 8
#define LOOPS  100000
/* As many as the registers hold and the latency of a multiply-add needs. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define CHAINS 24
#else
#define CHAINS 12
#endif

static void chains(void *arg, int64_t first, int64_t last)
{
    float *out = arg;
    SlVec acc[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        acc[i] = sl_vec_set((float)i);
    SlVec factor = sl_vec_set(out[0]), term = sl_vec_set(out[1]);
    for (int k = 0; k < LOOPS; k++)
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++)
            acc[i] = acc[i] * factor + term;
    SlVec sum = acc[0];
    for (int i = 1; i < CHAINS; i++)
        sum += acc[i];
    out[2 + first] = sl_vec_sum(sum); /* somebody wants the result */
}

static double cpu_peak(SlDevice *dev)
{
    int threads = dev->threads < 256 ? dev->threads : 256;
    float values[2 + 256] = {0.999f, 0.001f};
    double best = 0;
    if (dev->dtype != SL_F32)
        return 0; /* other units: a product tells */
    for (int i = 0; i < ROUNDS; i++) {
        double start = sl_clock_now();
        sl_parallel_for(dev, threads, 1, chains, values);
        double rate = 2.0 * CHAINS * SL_VEC_FLOATS * LOOPS * threads / (sl_clock_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

void SL_FOR_ISA(sl_cpu_peak_slots)(SlOps *ops)
{
    ops->peak = cpu_peak;
}
