/* bench_private.h - what timing a model and timing a shape share. */
#ifndef SL_APP_BENCH_PRIVATE_H
#define SL_APP_BENCH_PRIVATE_H

#include "app/cli/bench.h"

/* With options->profile: the device counts from here on. */
bool sl_bench_start_profile(SlDevice *dev, const SlBenchOptions *options, SlBench *bench,
                            SlError *err);
/* What the device's profile counted since the last clear becomes a stage's; nothing without one. */
void sl_bench_take_profile(const SlDevice *dev, SlBenchProfile *profile, int runs, double seconds);
/* Fills in a stage from the seconds of its steps (count > 0): profile, median and fastest. Sorts
 * times. */
void sl_bench_take_steps(const SlDevice *dev, SlBench *bench, double *times, int count);
/* Sorts the values. */
double sl_bench_median(double *values, int count);

#endif
