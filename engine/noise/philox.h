/* philox.h - Philox4x32-10, the generator of torch's CUDA noise, and its normal values. */
#ifndef SL_ENGINE_PHILOX_H
#define SL_ENGINE_PHILOX_H

#include "engine/noise/noise.h"

void sl_philox_normal(SlNoise *noise, float *out, int64_t n);

#endif
