/* bench_print.h - what `safelight bench` says, for people and as JSON. */
#ifndef SL_APP_BENCH_PRINT_H
#define SL_APP_BENCH_PRINT_H

#include "app/cli/bench.h"

/* profile: with the tables of the profiles, whose rows are sorted. */
void sl_bench_print(const SlBench *bench, bool profile);
/* The same; NULL without memory. */
struct cJSON *sl_bench_to_json(const SlBench *bench);

#endif
