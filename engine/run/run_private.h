/* run_private.h - a timeline's insides, for run.c, run_new.c and branch.c. Private to engine/. */
#ifndef SL_ENGINE_RUN_PRIVATE_H
#define SL_ENGINE_RUN_PRIVATE_H

#include "engine/run/share.h"
#include "engine/run/step.h"

struct SlRun {
    SlModel *model;
    SlRecipe recipe;
    char *prompt, *negative_prompt, *lora;
    SlScheduler *scheduler;
    SlNoise generator;
    SlNoiseSource noise_source;
    int channels, height, width; /* of the sample */
    int64_t elements;
    SlGuidanceRule rule;
    int batch; /* 2 with classifier-free guidance */
    SlStepShape shape;
    int evaluation;
    bool shared;   /* the last evaluation was another run's */
    float *memory; /* one block for the six arrays below; term stays behind output */
    float *noise, *sample, *x0, *input, *output, *term;
    SlShare *share;
    bool own_share;                  /* of this run alone */
    const SlCondition *condition[2]; /* the share's, `batch` of them */
    const SlTold *told;              /* the share's; NULL where the model is told nothing */
    SlAdapterUses adapters;          /* that the recipe names, */
    int adapter[SL_ADAPTERS_MAX];    /* their places among the model's, */
    unsigned text_mix;               /* the set of their strengths for the texts, */
    unsigned mix;                    /* and for the denoiser at the evaluation that is asked for */
    unsigned times_mix;              /* that the times were made with */
    SlTimes *times;                  /* of SL_TIMES evaluations, */
    int times_first;                 /* from this one on */
    char warning[1000];
};

/* From here on the model is to have the run's adapters, as strong as they are at evaluation i. */
bool sl_run_want(SlRun *run, int i, SlError *err);
/* What the denoiser derives from the timesteps: of evaluation i and its neighbours. Which those are
 * does not depend on where a run was taken up, so that its bytes do not either. */
bool sl_run_need_times(SlRun *run, int i, SlError *err);

#endif
