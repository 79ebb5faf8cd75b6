/* bench_against.h - the same operations in two types, side by side: which shapes lose by the first. */
#ifndef SL_APP_BENCH_AGAINST_H
#define SL_APP_BENCH_AGAINST_H

#include "app/cli/bench.h"

/* A shape that both ran; seconds of one run of its stage. */
typedef struct SlBenchPair {
    const char *stage, *op, *shape; /* "step"; the others within the profiles */
    double calls;
    double seconds, against;
    double share; /* of the stage's operations, in the first type */
} SlBenchPair;

/* Whether the first type loses clearly there: what is less is noise. */
bool sl_bench_pair_loses(const SlBenchPair *pair);
/* All shapes of both benches' profiles, those first that lose most time by the first type; malloc'ed.
 * False and *err without memory. */
bool sl_bench_pairs(const SlBench *bench, const SlBench *against, SlBenchPair **pairs,
                    size_t *count, SlError *err);

/* What is printed behind bench's own result; false and *err without memory. */
bool sl_bench_print_against(const SlBench *bench, const SlBench *against, SlError *err);
/* As members of a result: "against". */
struct cJSON;
bool sl_bench_add_against(struct cJSON *root, const SlBench *bench, const SlBench *against,
                          SlError *err);

#endif
