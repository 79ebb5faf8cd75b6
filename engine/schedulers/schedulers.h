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

/* What a model says: the noise, v, x_0, or (flow matching) noise - x_0. Models trained as EDM is
 * count noise in a way of their own, and what diffusers calls epsilon and v there are both v of x_0 /
 * sigma_data, the former with the other sign. */
typedef enum SlPrediction {
    SL_PREDICT_EPSILON,
    SL_PREDICT_V,
    SL_PREDICT_SAMPLE,
    SL_PREDICT_FLOW,
    SL_PREDICT_EDM_EPSILON,
    SL_PREDICT_EDM_V
} SlPrediction;
/* Whether it is one of a model that was trained as EDM is (Karras et al. 2022). */
bool sl_prediction_is_edm(SlPrediction prediction);
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
    SL_SIGMAS_BETA,
    /* those that diffusers lacks (presets.c), for models that do not predict flow: */
    SL_SIGMAS_NORMAL,
    SL_SIGMAS_SIMPLE,
    SL_SIGMAS_SGM_UNIFORM,
    SL_SIGMAS_KL_OPTIMAL,
    SL_SIGMAS_LINEAR_QUADRATIC,
    SL_SIGMAS_AYS,
    SL_SIGMAS_AYS_SDXL,
    SL_SIGMAS_OWN, /* a list; no word of the setting "sigmas" */
} SlSigmas;

/* Numbers in a list of sigmas of one's own, with the 0 at the end. */
#define SL_SIGMAS_MAX 1001

/* "14.6,3.9,0.7,0": falling, 0 at the end, a step to each but the first. sigmas (may be NULL) has
 * room for SL_SIGMAS_MAX. False and *err when it is not such a list. */
bool sl_sigmas_parse(const char *text, double *sigmas, int *count, SlError *err);
/* As many digits as sl_sigmas_parse needs to find the same numbers again; 0 at the end is added.
 * malloc'ed; NULL without memory. */
char *sl_sigmas_text(const double *sigmas, int steps);
bool sl_sigmas_check(const char *text, SlError *err); /* the same; "" is right, too */

/* Of the noise that DDPM adds at a step (diffusers' variance_type). */
typedef enum SlVariance {
    SL_VARIANCE_MODEL,
    SL_VARIANCE_SMALL,
    SL_VARIANCE_SMALL_LOG,
    SL_VARIANCE_LARGE
} SlVariance;

/* What a person says that a model predicts, and whether it starts from nothing but noise. */
typedef enum SlPredictionChoice {
    SL_PREDICTION_MODEL,
    SL_PREDICTION_EPSILON,
    SL_PREDICTION_V,
    SL_PREDICTION_SAMPLE
} SlPredictionChoice;
typedef enum SlZeroSnr { SL_ZERO_SNR_MODEL, SL_ZERO_SNR_NO, SL_ZERO_SNR_YES } SlZeroSnr;

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
    double default_eta; /* what a pipeline's call makes it when nothing is asked for */
    bool takes_variance;
    bool takes_cfg_pp; /* its step is defined for CFG++: sl_scheduler_take_noise_of */
    bool takes_flow;   /* works with models that predict flow */
    bool only_flow;    /* and with no others */
    bool only_edm;     /* for models trained as EDM is, and no others */
    bool few_steps;    /* for models that were distilled to need few steps */
} SlSchedulerInfo;

/* What people choose between first. A scheduler's group follows from what it is: a new one needs no
 * word here. */
typedef enum SlSchedulerGroup {
    SL_GROUP_STEADY, /* more steps refine the same picture */
    SL_GROUP_TWICE,  /* the same, with two evaluations a step */
    SL_GROUP_LIVELY, /* fresh noise at every step */
    SL_GROUP_FEW,    /* for distilled models */
    SL_GROUP_FLOW,   /* for models that predict flow */
    SL_GROUP_EDM,    /* for models trained as EDM is */
    SL_SCHEDULER_GROUPS
} SlSchedulerGroup;
typedef struct SlSchedulerGroupInfo {
    const char *id;       /* "steady" */
    const char *name;     /* N_(): "Steady" */
    const char *good_for; /* N_(): one line for people */
} SlSchedulerGroupInfo;
const SlSchedulerGroupInfo *sl_scheduler_group_info(SlSchedulerGroup group);
SlSchedulerGroup sl_scheduler_group(const SlSchedulerInfo *info);

int sl_scheduler_count(void);
const SlSchedulerInfo *sl_scheduler_info(int i);
/* The same, group after group: what people are shown. */
const SlSchedulerInfo *sl_scheduler_grouped(int i);
const SlSchedulerInfo *sl_scheduler_find(const char *id); /* NULL when unknown */
const SlSchedulerInfo *sl_scheduler_find_class(const char *class_name);

/* Whether a scheduler can work with what a model predicts: the one rule of what is offered for a
 * model. */
bool sl_scheduler_suits(const SlSchedulerInfo *info, SlPrediction prediction);
/* Whether it can lay out its sigmas so, or (SL_SIGMAS_MODEL) as the model's configuration says. */
bool sl_scheduler_takes_sigmas(const SlSchedulerInfo *info, SlSigmas sigmas);
/* The plainest scheduler for the models of a prediction: "ddim", "flow-euler" or "edm-euler". */
const SlSchedulerInfo *sl_scheduler_plain(SlPrediction prediction);
/* The same as a check: false and one sentence that names what would suit. */
bool sl_scheduler_check(const SlSchedulerInfo *info, SlPrediction prediction, SlError *err);
/* What a scheduler has to choose from with such a model: solvers lay out flow in one way only. */
SlSchedulerInfo sl_scheduler_for(const SlSchedulerInfo *info, SlPrediction prediction);

typedef struct SlScheduler SlScheduler;

/* What a person may change over the model's own configuration. */
typedef struct SlSchedulerChoice {
    SlSigmas sigmas;
    const char *own_sigmas; /* a list, as many steps as it has after its first; NULL, "": none */
    SlSpacing spacing;
    SlVariance variance;
    SlPredictionChoice prediction; /* not of models that predict flow */
    SlZeroSnr zero_snr;            /* the same; for the classes that have rescale_betas_zero_snr */
    double eta;                    /* < 0: the class's own */
} SlSchedulerChoice;

/* A key of our own, for models that were distilled to a single step which lies nowhere that LCM would
 * lay it: the argument `timesteps` of diffusers' pipelines, of one number. With more steps it does not
 * count. */
#define SL_ONLY_TIMESTEP "only_timestep"

/* config is the model's scheduler_config.json (of whichever class: keys that the chosen class does
 * not have are ignored, keys that are missing take that class's defaults, as diffusers' from_config
 * does); NULL gives the class's defaults. Of a model that predicts flow, every scheduler that suits
 * it takes over the shift, too. NULL and *err for a value or a combination that diffusers refuses,
 * and for a scheduler that does not suit the model. */
SlScheduler *sl_scheduler_new(const char *id, const SlJson *config, const SlSchedulerChoice *choice,
                              SlError *err);
void sl_scheduler_free(SlScheduler *s); /* NULL is fine */
SlPrediction sl_scheduler_prediction(const SlScheduler *s);
bool sl_scheduler_clips(const SlScheduler *s); /* clip_sample: x_0 is limited to a range */

/* What the evaluations are laid out for. */
typedef struct SlSchedulerRun {
    int steps;
    int64_t size;      /* elements of the sample */
    int height, width; /* of the sample */
    /* for flow: */
    int patch; /* a token of the model is a square of patch x patch; 0: 1 */
    bool
        even_sigmas; /* the pipeline lays out linspace(1, 1 / steps, steps), as FLUX's does; otherwise
                          the scheduler does, as for Stable Diffusion 3 */
    const double *mu; /* how much dynamic shifting shifts; NULL: by the number of tokens */
} SlSchedulerRun;

/* Must be called before the first evaluation; forgets all history. */
bool sl_scheduler_set_timesteps(SlScheduler *s, const SlSchedulerRun *run, SlError *err);
int sl_scheduler_evaluations(const SlScheduler *s); /* len(timesteps) in diffusers */
int sl_scheduler_position(const SlScheduler *s);    /* evaluations done */
double sl_scheduler_timestep(const SlScheduler *s, int evaluation);
/* A sample is x_t = alpha x_0 + sigma noise. */
typedef struct SlNoiseLevel {
    double alpha, sigma;
} SlNoiseLevel;

/* The level before an evaluation, in the form in which the scheduler keeps its sample: alpha^2 +
 * sigma^2 = 1 (ddim, dpmpp and others), alpha = 1 (k-diffusion: euler, heun and others), or alpha +
 * sigma = 1 (all, for models that predict flow). */
SlNoiseLevel sl_scheduler_level(const SlScheduler *s, int evaluation);
/* The same as one number that falls from start to end and that all schedulers of a model have in
 * common, so that they can be aligned by it: sigma / alpha, or for flow sigma. */
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

/* CFG++ (Chung et al. 2024): the next step takes x_0 from its model_output as always, but the noise that
 * it goes on with from this prediction, the one without the prompt. Borrowed until that step is done;
 * only of schedulers that take_cfg_pp. */
void sl_scheduler_take_noise_of(SlScheduler *s, const float *model_output);

/* The index of the first of n values that is not a finite number, -1 when all are. */
int64_t sl_first_bad(const float *x, int64_t n);

/* Begins in the middle, without any history: what a run that was developed otherwise until here
 * goes on with. After set_timesteps; the evaluation must begin a step. */
bool sl_scheduler_enter(SlScheduler *s, int evaluation, SlError *err);
/* The first evaluation that begins a step at this noise level or below it; -1 when there is
 * none. */
int sl_scheduler_entry(const SlScheduler *s, double sigma);

/* The first evaluation that begins a step below the timestep at which this share of the noise is
 * taken, as diffusers' denoising_end and denoising_start count it; their number when there is
 * none. */
int sl_scheduler_cut(const SlScheduler *s, double share);

/* Brings a sample from where `from` stands to where `to` does (after enter): x_0 stays, and so does
 * the noise, only their shares become those of `to`. x0 is from's last prediction. out may be
 * sample. Both schedulers are of one size. */
void sl_scheduler_cross(const SlScheduler *to, const SlScheduler *from, const float *sample,
                        const float *x0, float *out);
/* x_0 = input * what the model saw + output * what it said, at an evaluation. */
typedef struct SlOriginalOf {
    double input, output;
} SlOriginalOf;
SlOriginalOf sl_scheduler_original_of(const SlScheduler *s, int evaluation);
/* The prediction as noise, whatever the model was trained to say. input is what the model saw at
 * this evaluation (sl_scheduler_input_at); noise may be the same array. */
void sl_scheduler_noise_of(const SlScheduler *s, int evaluation, const float *model_output,
                           const float *input, float *noise);

/* All mutable state as bytes (malloc'ed), to go on from this evaluation later with a scheduler made
 * with the same arguments. */
void *sl_scheduler_save(const SlScheduler *s, size_t *bytes);
bool sl_scheduler_restore(SlScheduler *s, const void *state, size_t bytes, SlError *err);

#endif
