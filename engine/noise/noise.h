/* noise.h - torch.randn for a seed, as PyTorch draws it on the CPU (mt19937) and on CUDA
 * (Philox4x32-10).
 *
 * Sources: aten/src/ATen/core/MT19937RNGEngine.h, native/cpu/DistributionTemplates.h,
 * native/cuda/DistributionTemplates.h. Easy to get wrong: 16 or more values take another path than
 * fewer; the tail of a length that is no multiple of 16 is drawn again; CUDA values depend on the
 * number of threads of the card once there are more elements than threads.
 *
 * CPU noise equals torch's bit for bit (checked with torch 2.9.1 on a CPU with AVX2). CUDA noise
 * has torch's integers exactly and differs from a card's values by the error of the card's fast
 * sine and cosine, at most about 3e-6; philox.c says more.
 */
#ifndef SL_ENGINE_NOISE_H
#define SL_ENGINE_NOISE_H

#include "kernels/kernels.h"

typedef enum SlNoiseKind { SL_NOISE_CPU, SL_NOISE_CUDA } SlNoiseKind;

/* The state of a generator; plain data, so that it can be saved with a run and restored by copying.
 */
typedef struct SlNoise {
    SlNoiseKind kind;
    uint64_t seed;
    uint32_t mt[624]; /* cpu */
    int mt_index;
    bool has_cached; /* cpu, fewer than 16 values: the second of a Box-Muller pair */
    double cached;
    uint64_t offset;      /* cuda: Philox offset, in units of 4 values */
    int64_t cuda_threads; /* cuda: SMs x threads per SM of the card that is imitated; 0: one thread
                             per element */
} SlNoise;

void sl_noise_init(SlNoise *noise, SlNoiseKind kind, uint64_t seed, int64_t cuda_threads);
/* torch.randn(n, generator=g, dtype=float32), continuing the generator. */
void sl_noise_normal(SlNoise *noise, float *out, int64_t n);

/* One Brownian path of n values between two noise levels, as k-diffusion's BrownianTreeNoiseSampler
 * takes it from torchsde's BrownianTree. It depends on nothing else: not on where it was looked at
 * before, nor on how many steps there are. */
typedef struct SlBrownian {
    SlNoiseKind kind; /* where its normal values are drawn */
    int64_t cuda_threads;
    uint64_t seed;
    double low, high; /* f32 values: the smallest sigma that is not 0, and the largest */
} SlBrownian;

/* How far the path moves from sigma down to next, over the square root of their distance: n values
 * of variance 1. Both are f32 values. False when memory is out. */
bool sl_brownian_noise(const SlBrownian *path, double sigma, double next, float *out, int64_t n);

#endif
