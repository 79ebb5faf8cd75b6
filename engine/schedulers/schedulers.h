/* schedulers.h - diffusers' schedulers as state machines.
 *
 * A scheduler owns its history and says, before each model evaluation, which sample and timestep it
 * wants; after it, it advances the sample. One evaluation is one pass of the loop `for t in
 * scheduler.timesteps` in diffusers (heun has two per step, pndm's warm-up more). All arithmetic is
 * on the host in f32 arrays with double coefficients: a latent is 64 KiB, and this keeps every
 * device equal.
 *
 * A scheduler is used in this order: new, set_timesteps, then evaluations() times: input, (model),
 * step.
 */
#ifndef SL_ENGINE_SCHEDULERS_H
#define SL_ENGINE_SCHEDULERS_H

#include "engine/files/files.h"
#include "engine/noise/noise.h"

typedef enum SlPrediction { SL_PREDICT_EPSILON, SL_PREDICT_V, SL_PREDICT_SAMPLE } SlPrediction;
typedef enum SlSpacing {
    SL_SPACING_MODEL,
    SL_SPACING_LINSPACE,
    SL_SPACING_LEADING,
    SL_SPACING_TRAILING
} SlSpacing;
typedef enum SlSigmas {
    SL_SIGMAS_MODEL,
    SL_SIGMAS_KARRAS,
    SL_SIGMAS_EXPONENTIAL,
    SL_SIGMAS_BETA
} SlSigmas;

/* Of the noise that DDPM adds at a step (diffusers' variance_type). */
typedef enum SlVariance {
    SL_VARIANCE_MODEL,
    SL_VARIANCE_SMALL,
    SL_VARIANCE_SMALL_LOG,
    SL_VARIANCE_LARGE
} SlVariance;

/* One row of `safelight schedulers`. */
typedef struct SlSchedulerInfo {
    const char *id;           /* "euler-a" */
    const char *class_name;   /* "EulerAncestralDiscreteScheduler" */
    const char *name;         /* "Euler ancestral" */
    const char *good_for;     /* one line for people */
    int evaluations_per_step; /* 2 for heun, else 1 */
    bool draws_noise;         /* with default settings: the seed matters after the start */
    bool takes_sigmas;        /* karras, exponential, beta are possible */
    bool takes_spacing;
    bool takes_eta;     /* fresh noise in each step can be asked for */
    double default_eta; /* what it is when nothing is asked for */
    bool takes_variance;
} SlSchedulerInfo;

int sl_scheduler_count(void);
const SlSchedulerInfo *sl_scheduler_info(int i);
const SlSchedulerInfo *sl_scheduler_find(const char *id); /* NULL when unknown */
const SlSchedulerInfo *sl_scheduler_find_class(const char *class_name);

typedef struct SlScheduler SlScheduler;

/* What a person may change over the model's own configuration. */
typedef struct SlSchedulerChoice {
    SlSigmas sigmas;
    SlSpacing spacing;
    SlVariance variance;
    double eta; /* < 0: default_eta */
} SlSchedulerChoice;

/* config is the model's scheduler_config.json (of whichever class: keys that the chosen class does
 * not have are ignored, keys that are missing take that class's defaults, as diffusers' from_config
 * does); NULL gives the class's defaults. NULL and *err for a value or a combination that diffusers
 * refuses. */
SlScheduler *sl_scheduler_new(const char *id, const SlJson *config, const SlSchedulerChoice *choice,
                              SlError *err);
void sl_scheduler_free(SlScheduler *s); /* NULL is fine */
const SlSchedulerInfo *sl_scheduler_describe(const SlScheduler *s);
SlPrediction sl_scheduler_prediction(const SlScheduler *s);

/* Must be called before the first evaluation; forgets all history. size is the number of elements
 * of the sample. */
bool sl_scheduler_set_timesteps(SlScheduler *s, int steps, int64_t size, SlError *err);
int sl_scheduler_evaluations(const SlScheduler *s); /* len(timesteps) in diffusers */
int sl_scheduler_position(const SlScheduler *s);    /* evaluations done */
double sl_scheduler_timestep(const SlScheduler *s, int evaluation);
/* Noise level at an evaluation as sqrt((1 - abar) / abar), for every scheduler alike, so that lanes
 * can be aligned. */
double sl_scheduler_sigma(const SlScheduler *s, int evaluation);
/* The scheduler's own `sigmas` (or, where the class has none, the levels as above followed by 0),
 * and how many. */
const double *sl_scheduler_sigmas(const SlScheduler *s, int *count);
/* The step (0-based, of the number asked for) that an evaluation belongs to, and whether it ends
 * that step. */
int sl_scheduler_step_of(const SlScheduler *s, int evaluation, bool *ends_step);
double sl_scheduler_init_noise_sigma(const SlScheduler *s);

/* Where a scheduler's fresh noise comes from: the run's generator, or arrays given by a test, used
 * in order. */
typedef struct SlNoiseSource {
    SlNoise *generator;
    const float *given; /* n arrays of the sample's size, or NULL */
    int given_count;
    int given_used;
} SlNoiseSource;

/* scale_model_input: writes what the model is to be fed (may be the same array as sample). */
void sl_scheduler_input(const SlScheduler *s, const float *sample, float *input);
/* The same for another evaluation than the next one. */
void sl_scheduler_input_at(const SlScheduler *s, int evaluation, const float *sample, float *input);
/* Advances: model_output is the (guided) prediction at the current timestep; sample is x_t before
 * and the next after. x0 (may be NULL) receives the predicted original sample of this evaluation.
 * False and *err when given noise runs out or values are not finite. */
bool sl_scheduler_step(SlScheduler *s, const float *model_output, float *sample, float *x0,
                       SlNoiseSource *noise, SlError *err);

/* The index of the first of n values that is not a finite number, -1 when all are. */
int64_t sl_first_bad(const float *x, int64_t n);

/* Begins in the middle, without any history: what a run that was developed otherwise until here goes
 * on with. After set_timesteps; the evaluation must begin a step. */
bool sl_scheduler_enter(SlScheduler *s, int evaluation, SlError *err);
/* The first evaluation that begins a step at this noise level or below it; -1 when there is none. */
int sl_scheduler_entry(const SlScheduler *s, double sigma);

/* All mutable state as bytes (malloc'ed), to go on from this evaluation later with a scheduler made
 * with the same arguments. */
void *sl_scheduler_save(const SlScheduler *s, size_t *bytes);
bool sl_scheduler_restore(SlScheduler *s, const void *state, size_t bytes, SlError *err);

#endif
