/* noise.c - which generator draws; see noise.h. */
#include "engine/noise/noise.h"

#include "engine/noise/mt19937.h"
#include "engine/noise/philox.h"

#include <string.h>

void sl_noise_init(SlNoise *noise, SlNoiseKind kind, uint64_t seed, int64_t cuda_threads)
{
    memset(noise, 0, sizeof *noise); /* padding too: saved runs are compared as bytes */
    noise->kind = kind;
    noise->seed = seed;
    noise->cuda_threads = cuda_threads;
    if (kind == SL_NOISE_CPU)
        sl_mt19937_seed(noise, seed);
}

void sl_noise_normal(SlNoise *noise, float *out, int64_t n)
{
    if (noise->kind == SL_NOISE_CPU)
        sl_mt19937_normal(noise, out, n);
    else
        sl_philox_normal(noise, out, n);
}
