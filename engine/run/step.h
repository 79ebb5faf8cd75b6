/* step.h - one guided evaluation of the UNet as a run asks for it: sample in, prediction out.
 * Private to engine/.
 *
 * Everything between the two lies at fixed places in device memory, so that a device that can (cuda)
 * remembers the whole evaluation and replays it: once per model, size and batch, for every prompt.
 */
#ifndef SL_ENGINE_STEP_H
#define SL_ENGINE_STEP_H

#include "engine/nets/nets.h"

#define SL_STEP_RUNS 9 /* SL_RUNS_TOGETHER */

typedef struct SlStepShape {
    int runs;  /* evaluated together, 1 .. SL_STEP_RUNS */
    int batch; /* of each: 2 with guidance */
    int channels, height, width;
} SlStepShape;

typedef struct SlStep SlStep;

/* NULL and *err when memory is out. */
SlStep *sl_step_new(SlDevice *dev, SlUnet *unet, const SlStepShape *shape, SlError *err);
void sl_step_free(SlStep *step);                                 /* NULL is fine */
bool sl_step_fits(const SlStep *step, const SlStepShape *shape); /* NULL does not */

/* What belongs to a run that asks. */
typedef struct SlStepRun {
    const void *run; /* whose context it is */
    const SlUnetTimes *times;
    int row;                      /* of the times */
    const SlUnetContext *context; /* NULL without text */
    double guidance;
    const float *input; /* [C, h, w] as the scheduler scaled it */
    /* the guided prediction [C, h, w], and behind it the unconditional one where the batch is 2; NULL:
     * not wanted */
    float *output;
} SlStepRun;

/* All runs of the shape as one batch. */
bool sl_step_evaluate(SlStep *step, const SlStepRun *runs, SlError *err);
/* Of a single run: what the last evaluation said before guidance, [batch, C, h, w], unconditional
 * first; and the end of an evaluation from that: the same output. */
bool sl_step_said(SlStep *step, float *said, SlError *err);
bool sl_step_guide(SlStep *step, const float *said, double guidance, float *output, SlError *err);
/* The run is gone: another one at its address is another one. */
void sl_step_leave(SlStep *step, const void *run);

#endif
