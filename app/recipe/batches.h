/* batches.h - which evaluations of a run were made as one batch with those of other runs
 * (sl_runs_next).
 *
 * Batching changes last bits, by the size of the batch and the run's place in it but not by what
 * the others are: with these numbers a run is computed again to the same bytes by itself.
 */
#ifndef SL_APP_BATCHES_H
#define SL_APP_BATCHES_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

/* So many evaluations, one behind the other, each made as number `place` of `together` runs. */
typedef struct SlBatch {
    int evaluations, place, together;
} SlBatch;

/* Of a run's own evaluations, from its first; all behind the last were made alone. {0} is none. */
typedef struct SlBatches {
    int count;
    SlBatch *batch; /* owned */
} SlBatches;

void sl_batches_free(SlBatches *batches);
/* The next evaluation. False without memory. */
bool sl_batches_add(SlBatches *batches, int place, int together);
/* *to is overwritten. False without memory. */
bool sl_batches_copy(const SlBatches *from, SlBatches *to);
/* Evaluation i; evaluations is 1. */
SlBatch sl_batches_at(const SlBatches *batches, int i);
/* Whether any evaluation was made with others. */
bool sl_batches_any(const SlBatches *batches);

/* The run's own evaluation i again, as it was made. */
bool sl_batches_next(const SlBatches *batches, int i, SlRun *run, SlFrame *frame, SlError *err);

/* [[evaluations, place, together], ...]; NULL without memory. */
struct cJSON *sl_batches_to_json(const SlBatches *batches);
/* False and *err when anything is wrong. Free in any case. */
bool sl_batches_from_json(const struct cJSON *list, SlBatches *batches, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
