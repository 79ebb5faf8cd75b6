/* philox.c - torch.randn(float32) on CUDA, computed on the CPU.
 *
 * Mirrors aten/src/ATen/native/cuda/DistributionTemplates.h (distribution_nullary_kernel with four
 * values per thread) and curand's Philox4_32_10 with curand_normal4. Easy to get wrong: with blocks
 * of 256 threads and as many of them as the card holds at once, thread `i` computes the elements i,
 * i + T, i + 2T, i + 3T (T threads in all) from one counter, then goes on at i + 4T with the next,
 * so values depend on T once n > T; the offset grows by the same amount for every thread, used or
 * not.
 *
 * The integers are exact. A card takes its logarithm within 1 ulp and its sine and cosine from the
 * fast __sincosf, which is off by up to 2^-21 absolutely; here they are right to the last bit or
 * two, so that values differ from a card's by that error times the radius, about 1e-6.
 */
#include "engine/noise/philox.h"

#include <math.h>

#define BLOCK 256

/* Ten rounds over a counter of four words with a 64-bit key, in place. */
static void philox4x32(uint32_t counter[4], uint64_t key)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)counter[0] * 0xD2511F53u, b = (uint64_t)counter[2] * 0xCD9E8D57u;
        counter[0] = (uint32_t)(b >> 32) ^ counter[1] ^ k0;
        counter[2] = (uint32_t)(a >> 32) ^ counter[3] ^ k1;
        counter[1] = (uint32_t)b;
        counter[3] = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* The words a, b become a pair of normal values, sine first. */
static void box_muller(uint32_t a, uint32_t b, float *out)
{
    const float two_pi_step = 0x1p-32f * 6.2831855f;
    float u = fmaf((float)a, 0x1p-32f, 0x1p-33f);
    float v = fmaf((float)b, two_pi_step, two_pi_step / 2);
    float radius = sqrtf(-2.0f * logf(u));
    out[0] = (float)sin(v) * radius;
    out[1] = (float)cos(v) * radius;
}

static void normal4(uint64_t seed, uint64_t offset, uint64_t thread, float out[4])
{
    uint32_t c[4] = {(uint32_t)offset, (uint32_t)(offset >> 32), (uint32_t)thread,
                     (uint32_t)(thread >> 32)};
    philox4x32(c, seed);
    box_muller(c[0], c[1], out);
    box_muller(c[2], c[3], out + 2);
}

void sl_philox_normal(SlNoise *noise, float *out, int64_t n)
{
    if (n <= 0)
        return;
    int64_t blocks = (n - 1) / BLOCK + 1, held = noise->cuda_threads / BLOCK;
    if (noise->cuda_threads > 0 && blocks > held)
        blocks = held > 0 ? held : 1;
    int64_t threads = blocks * BLOCK;
    for (int64_t base = 0; base < n; base += 4 * threads, noise->offset++) {
        for (int64_t i = 0; i < threads && base + i < n; i++) {
            float values[4];
            normal4(noise->seed, noise->offset, (uint64_t)i, values);
            for (int64_t k = 0; k < 4 && base + i + k * threads < n; k++)
                out[base + i + k * threads] = values[k];
        }
    }
}
