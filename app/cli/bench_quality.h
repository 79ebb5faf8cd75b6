/* bench_quality.h - `safelight bench --quality TYPE`: what is seen of a type's rounding. */
#ifndef SL_APP_BENCH_QUALITY_H
#define SL_APP_BENCH_QUALITY_H

#include "app/cli/options.h"

/* Makes the same pictures in f32 and in options->quality, one model in memory at a time, and prints how far
 * apart they are. Gives the exit status. */
int sl_bench_quality(const SlOptions *options);

#endif
