/* guard.h - calls into C++ libraries that may throw. Private to kernels/cpu. */
#ifndef SL_KERNELS_GUARD_H
#define SL_KERNELS_GUARD_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlGuard {
    bool (*call)(void *arg);
    void *arg;
    bool must_not_throw; /* some memory is put by for it */
} SlGuard;

/* What the call returns; false and *thrown when something in it threw. *thrown is left alone
 * otherwise. */
bool sl_guarded(const SlGuard *guard, bool *thrown);

#ifdef __cplusplus
}
#endif

#endif
