/* check_private.h - the state of the check device, shared by its files. */
#ifndef SL_KERNELS_CHECK_PRIVATE_H
#define SL_KERNELS_CHECK_PRIVATE_H

#include "kernels/kernels.h"

typedef struct Check {
    SlDevice base;
    SlDevice *tested, *ref;
    uint64_t index; /* operations compared */
    char describe[300];
} Check;

/* The same view over a copy in ref's memory (malloc'ed data). NULL data is a failure. */
SlTensor sl_check_mirror(Check *c, const SlTensor *t);
/* Counts the operation; where it differs by more than rounding does, the check device fails. */
void sl_check_judge(Check *c, const char *op, const SlTensor *x, const SlTensor *tested,
                    const SlTensor *ref);
/* A failure of either device becomes the check device's. What can be survived is forgotten there,
 * so that sl_device_clear of this one is enough. */
bool sl_check_healthy(Check *c);

#endif
