/* bench_print.h - what `safelight bench` says, for people and as JSON. */
#ifndef SL_APP_BENCH_PRINT_H
#define SL_APP_BENCH_PRINT_H

#include "app/cli/bench.h"

/* Both give the exit status. They sort the rows of the profiles. */
int sl_bench_print(const SlBench *bench);
int sl_bench_print_json(const SlBench *bench);

#endif
