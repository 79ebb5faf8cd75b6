/* share.h - what runs of one model compute once: conditions, what the denoiser makes of them, and
 * first evaluations. Private to engine/; see SlShare in engine.h.
 */
#ifndef SL_ENGINE_SHARE_H
#define SL_ENGINE_SHARE_H

#include "engine/run/run.h"

/* What a run's evaluations are told. Lives as long as the share. */
typedef struct SlTold {
    const SlCondition *condition
        [2]; /* per sample of the run's batch: of the negative prompt first where there are two */
    int conditions;
    /* Conditions of one shape are one batch and have one context; others have one each and are
     * evaluated one by one. */
    SlContext *context[2];
    int contexts;
    unsigned mix; /* of adapters, which the contexts were made with */
    float *
        text; /* [conditions, L, D]: the hidden states, NULL where the lengths differ or there are none */
    int64_t size[3];
} SlTold;

/* The conditions that the model's family makes of an ask with the adapters that are wanted
 * (sl_model_want), as many as sl_ask_texts says, computed once. What the ask owns is the share's then, and gone from *ask. NULL and *err on failure. */
const SlCondition *sl_share_conditions(SlShare *share, SlAsk *ask, SlError *err);
/* A condition that was made elsewhere; copied. */
const SlCondition *sl_share_given(SlShare *share, const SlCondition *condition, SlError *err);
/* count conditions of the share, which become what a run is told by the denoiser's wanted set of
 * adapters. Of many sets only the last asked for keep their contexts: a run with adapters asks before
 * each evaluation. */
const SlTold *sl_share_told(SlShare *share, const SlCondition *const *conditions, int count,
                            SlError *err);

/* What runs of the model's refiner compute once; the share's. NULL without memory, or a refiner. */
SlShare *sl_share_refiner(SlShare *share);

/* A first evaluation: what the model was fed, and what it said before guidance, [batch,
 * elements]. */
typedef struct SlShareKey {
    const SlTold *told; /* NULL: nothing */
    float timestep;
    double guidance; /* where it is told to the model, else 0 */
    int label;
    int64_t elements;
    int width; /* of the sample: turned by 90 degrees it has as many elements */
    int batch;
    const float *input;
} SlShareKey;

const float *sl_share_find(SlShare *share, const SlShareKey *key); /* NULL: not known */
/* Copies; nothing is kept when memory is out. */
void sl_share_keep(SlShare *share, const SlShareKey *key, const float *said);

#endif
