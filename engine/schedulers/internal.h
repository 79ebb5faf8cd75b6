/* internal.h - what the schedulers share; private to engine/schedulers.
 *
 * Easy to get wrong: diffusers keeps alphas_cumprod and sigmas in f32, and 1 - alphas_cumprod loses
 * three digits near the end, so the tables here go through f32 at the same places. Coefficients are
 * then double, samples f32.
 */
#ifndef SL_SCHEDULERS_INTERNAL_H
#define SL_SCHEDULERS_INTERNAL_H

#include "engine/schedulers/schedulers.h"

typedef enum SlBetas {
    SL_BETAS_LINEAR,
    SL_BETAS_SCALED_LINEAR,
    SL_BETAS_COSINE,
    SL_BETAS_SIGMOID,
    SL_BETAS_EXP
} SlBetas;
typedef enum SlAlgorithm {
    SL_DPMSOLVER,
    SL_DPMSOLVERPP,
    SL_SDE_DPMSOLVER,
    SL_SDE_DPMSOLVERPP,
} SlAlgorithm;

/* The union of the classes' config keys, under their diffusers names. A class reads only its own.
 */
typedef struct SlSchedulerConfig {
    int num_train_timesteps;
    double beta_start, beta_end;
    SlBetas beta_schedule;
    double *trained_betas; /* num_train_timesteps of them, or NULL */
    SlPrediction prediction_type;
    SlSpacing timestep_spacing;
    int steps_offset;
    bool rescale_betas_zero_snr;
    bool set_alpha_to_one;
    bool clip_sample, thresholding;
    double clip_sample_range, dynamic_thresholding_ratio, sample_max_value;
    SlVariance variance_type;
    bool skip_prk_steps;
    SlSigmas sigmas;    /* MODEL: none of them */
    double *own_sigmas; /* of OWN, own_count with the 0 at the end */
    int own_count;
    bool use_lu_lambdas;
    bool final_sigma_min;        /* final_sigmas_type "sigma_min" */
    bool log_linear;             /* interpolation_type */
    bool continuous;             /* timestep_type */
    double sigma_min, sigma_max; /* NaN: none */
    int solver_order;
    bool solver_heun; /* solver_type "heun" instead of "midpoint" */
    bool solver_bh1;  /* solver_type "bh1" instead of "bh2" */
    SlAlgorithm algorithm_type;
    bool lower_order_final, euler_at_final;
    double lambda_min_clipped;
    bool predict_x0;
    int64_t disable_corrector[32];
    int disable_corrector_count;
    double eta;
    int original_inference_steps;
    double timestep_scaling;
    int only_timestep; /* of a single step; -1: as the others are laid out */
    /* of models that predict flow */
    double shift; /* shift of the FlowMatch classes, flow_shift of the solvers */
    bool use_dynamic_shifting;
    bool time_shift_linear; /* time_shift_type "linear" instead of "exponential" */
    double base_shift, max_shift;
    int base_image_seq_len, max_image_seq_len;
    bool invert_sigmas;
    double shift_terminal; /* 0: none */
    bool stochastic_sampling;
    double sigma_data, rho; /* of models trained as EDM is */
} SlSchedulerConfig;

/* What changes from evaluation to evaluation, besides the arrays in slots. Plain data: saved and
 * restored as bytes. */
typedef struct SlSchedulerState {
    int32_t position; /* evaluations done; step_index in diffusers */
    int32_t filled;   /* history entries, newest in slot 0 */
    int32_t lower_order_nums;
    int32_t this_order;
} SlSchedulerState;

#define SL_SCHEDULER_SLOTS 6

typedef struct SlSchedulerClass SlSchedulerClass;

struct SlScheduler {
    const SlSchedulerClass *class;
    SlSchedulerConfig config;
    float *alphas_cumprod; /* [num_train_timesteps] */
    int steps, evaluations;
    double *timesteps; /* [evaluations] */
    double *levels;    /* [evaluations]: what sl_scheduler_sigma says */
    double *sigmas;    /* [sigma_count], f32 values */
    int sigma_count;
    int64_t size;
    SlSchedulerRun run; /* what set_timesteps was asked for */
    SlSchedulerState state;
    float *slots[SL_SCHEDULER_SLOTS]; /* [size] each, the first class->slots of them */
    const float *noise_output;        /* of the next step: sl_scheduler_take_noise_of; NULL: none */
};

/* One evaluation's arrays. */
typedef struct SlSchedulerStep {
    const float *model_output;
    const float *noise_output; /* what the noise is taken from: model_output, or of CFG++ another */
    float *sample;             /* before and after */
    float *x0;                 /* never NULL */
    const float *noise;        /* drawn if the class asked for it, else NULL */
} SlSchedulerStep;

struct SlSchedulerClass {
    SlSchedulerInfo info;
    int slots;
    void (*defaults)(SlSchedulerConfig *config);
    /* Fills timesteps, sigmas and levels; they are allocated with room for 2 * steps + 16. */
    bool (*set_timesteps)(SlScheduler *s, int steps, SlError *err);
    /* Of classes whose samples are x_0 + sigma noise; NULL: the model sees the sample as it is */
    void (*input)(const SlScheduler *s, const float *sample, float *input);
    bool (*needs_noise)(const SlScheduler *s); /* NULL: never */
    /* The noise is that of a Brownian path from this evaluation's sigma to the next one's. */
    bool brownian;
    bool (*step)(SlScheduler *s, const SlSchedulerStep *step, SlError *err);
    double (*init_noise_sigma)(const SlScheduler *s);                 /* NULL: 1 */
    int (*step_of)(const SlScheduler *s, int evaluation, bool *ends); /* NULL: one to one */
};

extern const SlSchedulerClass sl_ddpm_class, sl_ddim_class, sl_pndm_class, sl_lms_class,
    sl_euler_class, sl_euler_a_class, sl_heun_class, sl_dpmpp_2m_class, sl_dpmpp_2m_sde_class,
    sl_unipc_class, sl_dpmpp_2s_class, sl_deis_class, sl_ipndm_class, sl_dpmpp_sde_class,
    sl_dpm2_class, sl_dpm2_a_class, sl_lcm_class, sl_tcd_class, sl_flow_euler_class,
    sl_flow_heun_class, sl_flow_lcm_class, sl_dpmpp_2m_sde_bt_class, sl_dpmpp_3m_sde_class,
    sl_dpmpp_2s_a_class, sl_res_multistep_class, sl_er_sde_class, sl_restart_class,
    sl_edm_euler_class, sl_edm_dpmpp_class, sl_edm_dpmpp_sde_class;

/* registry.c: NULL when the id is unknown. */
const SlSchedulerClass *sl_scheduler_class(const char *id);

/* config.c */
bool sl_scheduler_config(SlSchedulerConfig *config, const SlSchedulerClass *class,
                         const SlJson *json, SlError *err);
/* betas.c: fills alphas_cumprod; zero_snr_end is what the last value becomes after rescaling (2^-24
 * in the sigma classes), 0 keeps it. */
bool sl_scheduler_betas(SlScheduler *s, double zero_snr_end, SlError *err);

/* flow.c */
bool sl_is_flow(const SlScheduler *s);
/* A set_timesteps of the FlowMatch classes. */
bool sl_flow_timesteps(SlScheduler *s, int steps, SlError *err);
/* timesteps, levels and sigmas[steps] of the solvers, with room for a last sigma; betas are
 * there. */
bool sl_flow_solver(SlScheduler *s, int steps, SlError *err);
/* Whether the configuration and the choice fit together for a model that predicts flow. */
bool sl_flow_check(const SlScheduler *s, SlError *err);

/* timesteps.c */
/* Point i of numpy's linspace of n. */
double sl_linspace(double first, double last, int n, int i);
/* num_inference_steps whole timesteps, falling (ddim, ddpm, pndm). */
void sl_timesteps_whole(const SlSchedulerConfig *c, int steps, double *timesteps);
/* Of n + 1 points without the last (dpmpp, unipc); last_timestep is usually num_train_timesteps.
 * False where the points are too many for leading spacing. */
bool sl_timesteps_plus_one(SlScheduler *s, int steps, int last_timestep, SlError *err);
/* np.interp over all of them. */
double sl_sigma_interpolated(const SlScheduler *s, double timestep);
double sl_sigma_to_t(const SlScheduler *s, double sigma);
/* numpy's logarithm of an f32 array. */
float sl_log_f32(float v);
/* The same with every intermediate in f32, as where diffusers hands it a tensor. */
float sl_sigma_to_t_f32(const SlScheduler *s, float sigma);
/* Replaces n sigmas by the karras, exponential or beta schedule between high and low, as
 * config.sigmas says. */
void sl_sigmas_convert(const SlSchedulerConfig *c, double high, double low, int n, double *sigmas);
/* presets.c: whether it is one of those that are not diffusers', and n of its sigmas. */
bool sl_is_preset(SlSigmas kind);
void sl_sigmas_preset(const SlScheduler *s, int n, double *sigmas);
/* The same to sigmas, levels and timesteps, `steps` of each. */
void sl_sigmas_converted(SlScheduler *s, double high, double low, int steps);
/* The common set_timesteps of euler, lms and heun: sigmas[steps + 1] with `last` behind,
 * timesteps[steps]. */
void sl_sigmas_fractional(SlScheduler *s, int steps, double last);
/* abar at a timestep; false and *err outside the table. */
bool sl_alpha_at(const SlScheduler *s, double timestep, double *alpha, SlError *err);
bool sl_levels_from_alphas(SlScheduler *s, SlError *err);

/* pairs.c: schedulers with two evaluations a step, of which the second ends it. */
void sl_pairs_defaults(SlSchedulerConfig *c);
/* sl_sigmas_fractional's with every sigma but the first twice: sigmas[2 * steps], timesteps and
 * levels [2 * steps - 1]. A set_timesteps of its own. */
bool sl_pairs_timesteps(SlScheduler *s, int steps, SlError *err);
/* The sigma that this evaluation's step leads to in the end. */
double sl_pairs_end(const SlScheduler *s);
/* sample / sqrt(level^2 + 1) */
void sl_pairs_input(const SlScheduler *s, const float *sample, float *input);
int sl_pairs_step_of(const SlScheduler *s, int evaluation, bool *ends);

/* math.c */
/* sqrt((1 - abar) / abar) in f32, at a whole timestep. */
float sl_sigma_at(const SlScheduler *s, int timestep);
bool sl_is_edm(const SlScheduler *s);
/* x_0 and epsilon from the prediction, for samples alpha x_0 + sigma epsilon whose alpha and sigma
 * go with the prediction: of flow 1 - sigma and sigma, of EDM 1 and sigma, otherwise
 * sqrt(abar) and sqrt(1 - abar). Each output may be NULL. */
void sl_predict_vp(const SlScheduler *s, double alpha, double sigma, const float *model_output,
                   const float *sample, float *x0, float *epsilon);
/* x_0 for samples scaled as sample = x_0 + sigma noise (euler, lms, heun), in double: sigma reaches
 * 4096. */
double sl_original_ve(const SlScheduler *s, double sigma, double model_output, double sample);
/* sample + (sample - x_0) / sigma dt, and x_0. */
void sl_step_ve(const SlScheduler *s, const SlSchedulerStep *x, double sigma, double dt);
/* clip_sample or thresholding, as configured. */
bool sl_limit_x0(const SlScheduler *s, float *x0, SlError *err);
bool sl_threshold_x0(const SlScheduler *s, float *x0, SlError *err);
/* Where a step from one sigma to another lands before its fresh noise, and how much noise brings it
 * to its end: k-diffusion's get_ancestral_step. */
typedef struct SlLanding {
    double down, up;
} SlLanding;
SlLanding sl_ancestral(double from, double to, double eta);
/* sample / sqrt(sigma^2 + 1) */
void sl_input_ve(const SlScheduler *s, const float *sample, float *input);
double sl_init_sigma_ve(const SlScheduler *s);
/* out = sum of c[i] * x[i]; terms with a NULL array are left out; out may be one of them. */
void sl_combine(int64_t n, int terms, const double *c, const float *const *x, float *out);
/* Weights of the n newest predictions (1 to 4) for even steps: formulas (12) and (13) of PNDM. */
void sl_adams_bashforth(int n, double k[4]);
/* Makes room in slot 0 by moving the first `keep` slots up by one (the arrays trade places, nothing
 * is copied). */
float *sl_push_slot(SlScheduler *s, int keep);

/* sigmas.c: the sigma schedules of the solvers in lambda = log(alpha / sigma) (dpmpp, unipc). */
typedef struct SlLambda {
    float alpha, sigma, lambda; /* f32, as in diffusers: differences of lambdas feel it */
} SlLambda;
SlLambda sl_lambda_at(const SlScheduler *s, int index);
/* What differs between the classes in how they lay out their sigmas. */
typedef struct SlSolverSigmas {
    int last_timestep;     /* see sl_timesteps_plus_one */
    bool round_karras;     /* dpmpp keeps fractions for squaredcos_cap_v2, unipc never */
    bool last_of_schedule; /* final sigma_min is the schedule's own last (unipc) instead of
                              training's first */
} SlSolverSigmas;
/* Fills timesteps, sigmas[steps + 1] and levels; betas are there. */
bool sl_sigmas_solver(SlScheduler *s, int steps, const SlSolverSigmas *how, SlError *err);

/* dpmpp.c: what the multistep and the singlestep solver share. */
bool sl_dpm_stochastic(const SlScheduler *s);
/* Whether the algorithm is one for models that predict flow, if this is such a model. */
bool sl_dpm_suits_flow(const SlScheduler *s, SlError *err);
/* Timesteps whose lambda is not below lambda_min_clipped: they are cut off at the noisy end. */
int sl_dpm_last_timestep(const SlScheduler *s);
/* A step of the multistep solvers of order 1 to 3, over slots 0 to 2. */
bool sl_dpm_multistep(SlScheduler *s, const SlSchedulerStep *x, SlError *err);
/* x_0 always into x->x0, and what the solver keeps (x_0, or epsilon) into slot 0; the `keep` newest
 * before move on. */
bool sl_dpm_convert(SlScheduler *s, const SlSchedulerStep *x, int keep, SlError *err);
/* Weights of the sample, of the derivatives D0, D1, D2 of the predictions, and of noise. */
typedef struct SlDpmUpdate {
    double sample, d[3], noise;
} SlDpmUpdate;
SlDpmUpdate sl_dpm_update(const SlScheduler *s, int order, SlLambda from, SlLambda to);

#endif
