/* peak.c - how many operations the processor does in a second when all it does is multiply and add in
 * registers: in f32, and compiled for AVX-512 BF16 in bf16. */
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

#ifdef __AVX512BF16__
#define DTYPE    SL_BF16
#define PRODUCTS (2 * SL_VEC_FLOATS) /* of a multiply-add */
#else
#define DTYPE    SL_F32
#define PRODUCTS SL_VEC_FLOATS
#endif

SL_INLINE SlVec multiply_add(SlVec acc, SlVec factor, SlVec term)
{
#ifdef __AVX512BF16__
    return (SlVec)_mm512_dpbf16_ps((__m512)acc, (__m512bh)factor, (__m512bh)term);
#else
    return acc * factor + term;
#endif
}

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
            acc[i] = multiply_add(acc[i], factor, term);
    SlVec sum = acc[0];
    for (int i = 1; i < CHAINS; i++)
        sum += acc[i];
    out[2 + first] = sl_vec_sum(sum); /* somebody wants the result */
}

static double other_peak(SlDevice *dev)
{
#ifdef __AVX512BF16__
    return ((SlCpuDevice *)dev)->rest.peak(dev);
#else
    (void)dev;
    return 0; /* other units: a product tells */
#endif
}

static double cpu_peak(SlDevice *dev)
{
    int threads = dev->threads < 256 ? dev->threads : 256;
    float values[2 + 256] = {0.999f, 0.001f};
    double best = 0;
    if (dev->dtype != DTYPE)
        return other_peak(dev);
    for (int i = 0; i < ROUNDS; i++) {
        double start = sl_clock_now();
        sl_parallel_for(dev, threads, 1, chains, values);
        double rate = 2.0 * CHAINS * PRODUCTS * LOOPS * threads / (sl_clock_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

void SL_FOR_ISA(sl_cpu_peak_slots)(SlOps *ops)
{
    ops->peak = cpu_peak;
}
