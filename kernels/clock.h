/* clock.h - seconds for timing operations. Private to kernels/. */
#ifndef SL_KERNELS_CLOCK_H
#define SL_KERNELS_CLOCK_H

#include <time.h>

/* Seconds since some moment of the past, never backwards. */
static inline double sl_clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif
