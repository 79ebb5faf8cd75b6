/* binder_kept.h - copies of bound weights as they were with what was added to them before (adapters), so
 * that what comes back need not be read and added again. Private to engine/files.
 *
 * What is added has a number, a set; of each set those weights are held that it was left with for
 * another one, as far as memory is given for them. */
#ifndef SL_ENGINE_BINDER_KEPT_H
#define SL_ENGINE_BINDER_KEPT_H

#include "kernels/kernels.h"

#define SL_KEPT_SETS 16

typedef struct SlKeptSet {
    unsigned number, used; /* when it was in use last, in changes */
    size_t bytes;
    SlWeight **weight; /* by the binder's count; NULL: the place is free */
} SlKeptSet;

typedef struct SlKept {
    SlKeptSet set[SL_KEPT_SETS];
    SlKeptSet *before, *now; /* of the change in progress; NULL: nothing is kept of it */
    size_t bytes, limit;
    unsigned changes;
} SlKept;

/* What begins to change from one set to another. limit: bytes that all copies may take; 0: `before` is not
 * to be kept. count: of the binder's weights. */
typedef struct SlKeptChange {
    unsigned before, now;
    size_t limit, count;
} SlKeptChange;
void sl_kept_begin(SlKept *kept, SlDevice *dev, const SlKeptChange *change);
/* A copy of weight i as it is with the set before, where there is room for it and there is none yet. */
void sl_kept_keep(SlKept *kept, SlDevice *dev, size_t i, const SlWeight *w);
/* Weight i as it is with the set that is to be; NULL: it is to be read. */
const SlWeight *sl_kept_find(const SlKept *kept, size_t i);
/* Gives all back. */
void sl_kept_free(SlKept *kept, SlDevice *dev, size_t count);

#endif
