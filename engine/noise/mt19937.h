/* mt19937.h - the Mersenne Twister of torch's CPU generator and torch's way from its bits to normal
 * values. The state lives in SlNoise. */
#ifndef SL_ENGINE_MT19937_H
#define SL_ENGINE_MT19937_H

#include "engine/noise/noise.h"

/* Only the low 32 bits of the seed enter the state, as in torch. */
void sl_mt19937_seed(SlNoise *noise, uint64_t seed);
/* n values; 16 or more and fewer than 16 take different paths. */
void sl_mt19937_normal(SlNoise *noise, float *out, int64_t n);

#endif
