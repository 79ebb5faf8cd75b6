/* arena.h - what a device's arena is; private to kernels/. */
#ifndef SL_KERNELS_ARENA_H
#define SL_KERNELS_ARENA_H

#include "kernels/kernels.h"

/* Creates the device's arena; false without memory. */
bool sl_arena_open(SlDevice *dev);
void sl_arena_close(SlDevice *dev);
/* Counts how often the arena's blocks were freed: addresses from before that are invalid. */
uint64_t sl_arena_generation(const SlDevice *dev);

#endif
