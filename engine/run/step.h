/* step.h - one guided evaluation of the denoiser as a run asks for it: sample in, prediction out.
 * Private to engine/.
 *
 * Everything between the two lies at fixed places in device memory, so that a device that can
 * (cuda) remembers the whole evaluation and replays it: once per shape, for every prompt of that
 * shape.
 */
#ifndef SL_ENGINE_STEP_H
#define SL_ENGINE_STEP_H

#include "engine/run/run.h"
#include "engine/run/share.h"

/* All that fixes the work of an evaluation: what is not in here may change in memory only. */
typedef struct SlStepShape {
    int runs;  /* evaluated together, 1 .. SL_RUNS_TOGETHER */
    int batch; /* of each: 2 where the guidance wants two evaluations */
    int channels, height, width;
    SlGuidanceRule rule;
    SlDtype dtype;
    SlConditionShape told[2]; /* of each sample of a run; of equal ones a batch is made */
    unsigned loads;           /* which loading of the denoiser it is */
    SlMapHalves maps;         /* that the evaluations leave; not a matter of which runs match */
} SlStepShape;

/* told: NULL where the model is told nothing. */
SlStepShape sl_step_shape(const SlModel *model, SlGuidanceRule rule, const int64_t size[3],
                          const SlTold *told);
unsigned sl_step_loads(const SlModel *model);                        /* as they are now */
bool sl_step_same_shape(const SlStepShape *a, const SlStepShape *b); /* runs aside */
/* How many evaluations of the denoiser it takes: 2 where a run's conditions differ in shape. */
int sl_step_passes(const SlStepShape *shape);

typedef struct SlStep SlStep;

/* NULL and *err when memory is out. */
SlStep *sl_step_new(SlDevice *dev, SlDenoiser *denoiser, const SlStepShape *shape, SlError *err);
void sl_step_free(SlStep *step);                                 /* NULL is fine */
bool sl_step_fits(const SlStep *step, const SlStepShape *shape); /* NULL does not */

/* What a run keeps on the device of an evaluation, for later ones that take it over: of each pass,
 * [samples, ...] in the denoiser's dtype; and of a first block its input, then its output, [2 samples, ...].
 * Zero: nothing. */
typedef struct SlStepKept {
    SlDevice *dev;
    SlTensor tensor[2], block[2];
} SlStepKept;
void sl_step_kept_free(SlStepKept *kept);

/* What belongs to a run that asks. */
typedef struct SlStepRun {
    const SlTold *told;   /* NULL where the model is told nothing */
    const SlTimes *times; /* for the batch of one pass */
    int row;              /* of the times */
    double guidance;
    const float *input; /* [C, h, w] as the scheduler scaled it */
    /* the guided prediction [C, h, w], and behind it, where the batch is 2, the two that it was made of,
     * unconditional first; NULL: not wanted */
    float *output;
    SlStepKept *kept; /* for evaluations in part; NULL: what is left is not wanted */
} SlStepRun;

/* All runs of the shape as one batch. */
bool sl_step_evaluate(SlStep *step, const SlStepRun *runs, SlError *err);
/* The same of a part of it (SlReuse), which the runs have in common: what is taken over is read from
 * kept, what is left is copied to it. Which part that is is not in the shape: each has a recording of its
 * own, and what goes from one to the other lies at fixed places of the step. A first block leaves no
 * output, no maps and nothing in kept; the rest or the skip follows it at once, with the same runs. */
bool sl_step_evaluate_part(SlStep *step, const SlStepRun *runs, SlReusePart part, int branch,
                           SlError *err);
/* Of a single run, behind its first block: how much what that adds differs from what kept's added, as a
 * share of that (the means of absolute values, of all samples together), found on the device; NaN where both
 * are nothing, or nothing that fits is kept. False and *err on failure. */
bool sl_step_first_change(SlStep *step, const SlStepKept *kept, double *share, SlError *err);
/* The same, kept. */
bool sl_step_keep_first(SlStep *step, SlStepKept *kept, SlError *err);
/* Of a single run: what the last evaluation said before guidance, [batch, C, h, w], unconditional
 * first; and the end of an evaluation from that: the same output. */
bool sl_step_said(SlStep *step, float *said, SlError *err);
bool sl_step_guide(SlStep *step, const float *said, double guidance, float *output, SlError *err);

/* The maps that the last evaluation left: at how many levels; for how many tokens a half's are (0: for
 * none), half 0 of the negative prompt, 1 of the prompt; and those of run r at a level, [height width,
 * tokens], the sum of its layers. */
int sl_step_map_levels(const SlStep *step, SlMapLevel levels[SL_MAP_LEVELS]);
int sl_step_map_tokens(const SlStep *step, int half);
bool sl_step_map(SlStep *step, int r, int half, int level, float *out, SlError *err);

#endif
