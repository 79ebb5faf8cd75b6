/* philox.h - Philox4x32-10, the generator of torch's CUDA noise, and its normal values. */
#ifndef SL_ENGINE_PHILOX_H
#define SL_ENGINE_PHILOX_H

#include "engine/noise/noise.h"

/* Ten rounds over a counter of four words with a 64-bit key, in place. */
void sl_philox4x32(uint32_t counter[4], uint64_t key);
void sl_philox_normal(SlNoise *noise, float *out, int64_t n);

#endif
