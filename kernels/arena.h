/* arena.h - what a device's arena is; private to kernels/. */
#ifndef SL_KERNELS_ARENA_H
#define SL_KERNELS_ARENA_H

#include "kernels/kernels.h"

/* Made with the device; false when memory is out. */
bool sl_arena_open(SlDevice *dev);
void sl_arena_close(SlDevice *dev);
/* Changes when blocks are given back: addresses from before are good for nothing. */
uint64_t sl_arena_generation(const SlDevice *dev);

#endif
