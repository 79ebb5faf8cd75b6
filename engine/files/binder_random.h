/* binder_random.h - weights for a shape that has no file: random, the same on every machine. */
#ifndef SL_ENGINE_BINDER_RANDOM_H
#define SL_ENGINE_BINDER_RANDOM_H

#include "kernels/kernels.h"

/* Fills host (float, in memory) with uniform values of variance 1 / fan_in, the same for the same
 * name everywhere; norms are 1 and biases 0. */
void sl_fill_random(SlDevice *dev, SlWeightKind kind, const char *name, SlTensor *host);

#endif
