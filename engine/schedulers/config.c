/* config.c - scheduler_config.json to SlSchedulerConfig.
 *
 * As diffusers' from_config: a config of another class is read for the keys both know; what it
 * lacks takes the class's default. Solver types of a neighbouring class are mapped as the
 * constructors do it.
 */
#include "engine/schedulers/internal.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool trained_betas(SlSchedulerConfig *c, const SlJson *json, SlError *err)
{
    if (!json || !sl_json_has(json, "trained_betas"))
        return true;
    c->trained_betas = malloc((size_t)c->num_train_timesteps * sizeof(double));
    if (!c->trained_betas)
        return sl_fail(err, SL_MEMORY, "%s: out of memory", sl_json_name(json));
    int n = sl_json_doubles(json, "trained_betas", c->trained_betas, c->num_train_timesteps, err);
    if (err->code == SL_OK && n != c->num_train_timesteps)
        sl_fail(err, SL_FORMAT, "%s: \"trained_betas\" has %d numbers; expected %d",
                sl_json_name(json), n, c->num_train_timesteps);
    return err->code == SL_OK;
}

static void read_noise(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    static const char *const schedules[] = {"linear",  "scaled_linear", "squaredcos_cap_v2",
                                            "sigmoid", "exp",           NULL};
    static const char *const spacings[] = {"model", "linspace", "leading", "trailing", NULL};
    c->num_train_timesteps =
        (int)sl_json_int(j, "num_train_timesteps", c->num_train_timesteps, 1, 1000000, err);
    c->beta_start = sl_json_double(j, "beta_start", c->beta_start, 0, 1, err);
    c->beta_end = sl_json_double(j, "beta_end", c->beta_end, 0, 1, err);
    c->beta_schedule =
        (SlBetas)sl_json_choice(j, "beta_schedule", schedules, c->beta_schedule, err);
    c->timestep_spacing =
        (SlSpacing)sl_json_choice(j, "timestep_spacing", spacings, c->timestep_spacing, err);
    c->steps_offset = (int)sl_json_int(j, "steps_offset", c->steps_offset, 0, 1000000, err);
    c->rescale_betas_zero_snr =
        sl_json_bool(j, "rescale_betas_zero_snr", c->rescale_betas_zero_snr, err);
}

static void read_limits(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    c->set_alpha_to_one = sl_json_bool(j, "set_alpha_to_one", c->set_alpha_to_one, err);
    c->clip_sample = sl_json_bool(j, "clip_sample", c->clip_sample, err);
    c->thresholding = sl_json_bool(j, "thresholding", c->thresholding, err);
    c->clip_sample_range =
        sl_json_double(j, "clip_sample_range", c->clip_sample_range, 0, 1e30, err);
    c->dynamic_thresholding_ratio =
        sl_json_double(j, "dynamic_thresholding_ratio", c->dynamic_thresholding_ratio, 0, 1, err);
    c->sample_max_value = sl_json_double(j, "sample_max_value", c->sample_max_value, 0, 1e30, err);
    c->skip_prk_steps = sl_json_bool(j, "skip_prk_steps", c->skip_prk_steps, err);
}

static bool read_sigmas(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    static const char *const finals[] = {"zero", "sigma_min", NULL};
    static const char *const interpolations[] = {"linear", "log_linear", NULL};
    static const char *const types[] = {"discrete", "continuous", NULL};
    bool karras = sl_json_bool(j, "use_karras_sigmas", false, err);
    bool exponential = sl_json_bool(j, "use_exponential_sigmas", false, err);
    bool beta = sl_json_bool(j, "use_beta_sigmas", false, err);
    if (karras + exponential + beta > 1)
        return sl_fail(err, SL_FORMAT,
                       "%s: only one of use_karras_sigmas, use_exponential_sigmas and "
                       "use_beta_sigmas can be true",
                       sl_json_name(j));
    c->sigmas = karras        ? SL_SIGMAS_KARRAS
                : exponential ? SL_SIGMAS_EXPONENTIAL
                : beta        ? SL_SIGMAS_BETA
                              : SL_SIGMAS_MODEL;
    c->use_lu_lambdas = sl_json_bool(j, "use_lu_lambdas", false, err);
    c->final_sigma_min =
        sl_json_choice(j, "final_sigmas_type", finals, c->final_sigma_min, err) == 1;
    c->log_linear = sl_json_choice(j, "interpolation_type", interpolations, 0, err) == 1;
    c->continuous = sl_json_choice(j, "timestep_type", types, 0, err) == 1;
    c->sigma_min = sl_json_double(j, "sigma_min", NAN, 0, 1e30, err);
    c->sigma_max = sl_json_double(j, "sigma_max", NAN, 0, 1e30, err);
    return true;
}

static bool read_solver(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    static const char *const algorithms[] = {"dpmsolver",       "dpmsolver++", "sde-dpmsolver",
                                             "sde-dpmsolver++", "deis",        NULL};
    static const char *const solvers[] = {"midpoint", "heun", "bh1", "bh2", "logrho", NULL};
    c->solver_order = (int)sl_json_int(j, "solver_order", c->solver_order, 1, 3, err);
    int solver = sl_json_choice(j, "solver_type", solvers, 0, err);
    c->solver_heun = solver == 1;
    c->solver_bh1 = solver == 2;
    int algorithm = sl_json_choice(j, "algorithm_type", algorithms, c->algorithm_type, err);
    c->algorithm_type = algorithm == 4 ? SL_DPMSOLVERPP : (SlAlgorithm)algorithm;
    c->lower_order_final = sl_json_bool(j, "lower_order_final", c->lower_order_final, err);
    c->euler_at_final = sl_json_bool(j, "euler_at_final", c->euler_at_final, err);
    /* Python writes -Infinity, which is no JSON: a string in some files, otherwise a number */
    const cJSON *clipped = cJSON_GetObjectItemCaseSensitive(sl_json_root(j), "lambda_min_clipped");
    if (cJSON_IsNumber(clipped))
        c->lambda_min_clipped = clipped->valuedouble;
    c->predict_x0 = sl_json_bool(j, "predict_x0", c->predict_x0, err);
    c->disable_corrector_count =
        sl_json_ints(j, "disable_corrector", c->disable_corrector, 32, 0, -1000000, 1000000, err);
    if (sl_json_has(j, "solver_p"))
        return sl_fail(err, SL_UNSUPPORTED, "%s: solver_p is not supported; expected null",
                       sl_json_name(j));
    return true;
}

/* Of a model trained as EDM is, which the class says by its name: it has two of the keys' values. */
static bool read_edm_prediction(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    static const char *const predictions[] = {"epsilon", "v_prediction", NULL};
    bool v = sl_json_choice(j, "prediction_type", predictions, 0, err) == 1;
    c->prediction_type = v ? SL_PREDICT_EDM_V : SL_PREDICT_EDM_EPSILON;
    return true;
}

/* What the model predicts: a FlowMatch or an EDM class says it by its name, a solver with two
 * keys. */
static bool read_prediction(SlSchedulerConfig *c, const SlSchedulerClass *class, const SlJson *j,
                            SlError *err)
{
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample",
                                              "flow_prediction", NULL};
    const SlSchedulerInfo *of = sl_scheduler_find_class(sl_json_string(j, "_class_name", "", err));
    bool sigmas = sl_json_bool(j, "use_flow_sigmas", false, err);
    if (of && of->only_flow) {
        c->prediction_type = SL_PREDICT_FLOW;
        return true;
    }
    if (of ? of->only_edm : class->info.only_edm)
        return read_edm_prediction(c, j, err);
    int none = of ? SL_PREDICT_EPSILON : c->prediction_type;
    c->prediction_type = (SlPrediction)sl_json_choice(j, "prediction_type", predictions, none, err);
    bool said = sl_json_has(j, "prediction_type") && c->prediction_type == SL_PREDICT_FLOW;
    if (sigmas && c->prediction_type != SL_PREDICT_FLOW)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: use_flow_sigmas is true, but prediction_type is \"%s\"; expected "
                       "\"flow_prediction\"",
                       sl_json_name(j), predictions[c->prediction_type]);
    return sigmas || !said ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: prediction_type is \"flow_prediction\", but use_flow_sigmas is not true",
                   sl_json_name(j));
}

/* The shift of a file of another class counts, too, but a file may have both keys: diffusers keeps
 * those of the class that a scheduler was made from. */
static void read_shift(SlSchedulerConfig *c, const SlJson *j, bool solver, SlError *err)
{
    static const char *const keys[] = {"shift", "flow_shift"};
    c->shift = sl_json_double(j, keys[!solver], c->shift, 1e-6, 1e6, err);
    c->shift = sl_json_double(j, keys[solver], c->shift, 1e-6, 1e6, err);
}

static bool read_flow(SlSchedulerConfig *c, const SlSchedulerClass *class, const SlJson *j,
                      SlError *err)
{
    static const char *const types[] = {"exponential", "linear", NULL};
    const SlSchedulerInfo *of = sl_scheduler_find_class(sl_json_string(j, "_class_name", "", err));
    if (c->prediction_type != SL_PREDICT_FLOW)
        return true;
    read_shift(c, j, !(of ? of : &class->info)->only_flow, err);
    c->use_dynamic_shifting = sl_json_bool(j, "use_dynamic_shifting", false, err);
    c->time_shift_linear = sl_json_choice(j, "time_shift_type", types, 0, err) == 1;
    c->base_shift = sl_json_double(j, "base_shift", c->base_shift, -100, 100, err);
    c->max_shift = sl_json_double(j, "max_shift", c->max_shift, -100, 100, err);
    c->base_image_seq_len =
        (int)sl_json_int(j, "base_image_seq_len", c->base_image_seq_len, 0, 1 << 30, err);
    c->max_image_seq_len =
        (int)sl_json_int(j, "max_image_seq_len", c->max_image_seq_len, 0, 1 << 30, err);
    c->invert_sigmas = sl_json_bool(j, "invert_sigmas", false, err);
    c->shift_terminal = sl_json_double(j, "shift_terminal", 0, 0, 1, err);
    c->stochastic_sampling = sl_json_bool(j, "stochastic_sampling", false, err);
    if (sl_json_has(j, "scale_factors"))
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: scale_factors is not supported: a sample keeps its size; expected null",
                       sl_json_name(j));
    return true;
}

static void edm_defaults(SlSchedulerConfig *c)
{
    c->sigmas = SL_SIGMAS_KARRAS;
    c->sigma_min = 0.002;
    c->sigma_max = 80;
}

/* The keys that only the classes of EDM have. They do not know the others' ways to lay out sigmas. */
static bool read_edm(SlSchedulerConfig *c, const SlSchedulerClass *class, const SlJson *j,
                     SlError *err)
{
    static const char *const schedules[] = {"karras", "exponential", NULL};
    if (!class->info.only_edm)
        return true;
    edm_defaults(c);
    c->sigmas = sl_json_choice(j, "sigma_schedule", schedules, 0, err) == 1 ? SL_SIGMAS_EXPONENTIAL
                                                                            : SL_SIGMAS_KARRAS;
    c->sigma_min = sl_json_double(j, "sigma_min", c->sigma_min, 0, 1e30, err);
    c->sigma_max = sl_json_double(j, "sigma_max", c->sigma_max, 0, 1e30, err);
    c->sigma_data = sl_json_double(j, "sigma_data", c->sigma_data, 1e-6, 1e6, err);
    c->rho = sl_json_double(j, "rho", c->rho, 1e-3, 1e3, err);
    return true;
}

static void read_distilled(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    c->original_inference_steps = (int)sl_json_int(j, "original_inference_steps",
                                                   c->original_inference_steps, 1, 1000000, err);
    c->only_timestep = (int)sl_json_int(j, SL_ONLY_TIMESTEP, -1, 0, 1000000, err);
    c->timestep_scaling = sl_json_double(j, "timestep_scaling", c->timestep_scaling, 0, 1e6, err);
}

static bool read_variance(SlSchedulerConfig *c, const SlJson *j, SlError *err)
{
    static const char *const types[] = {
        "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log",
        "learned",     "learned_range",   NULL};
    int type = sl_json_choice(j, "variance_type", types, c->variance_type - SL_VARIANCE_SMALL, err);
    if (type >= 3)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: variance_type is \"%s\"; expected fixed_small, fixed_small_log or "
                       "fixed_large",
                       sl_json_name(j), types[type]);
    c->variance_type = (SlVariance)(SL_VARIANCE_SMALL + type);
    return true;
}

/* IPNDMScheduler's own models count time from 1 to 0 (see ipndm.c). */
static bool own_time(const SlSchedulerClass *class, const SlJson *json, SlError *err)
{
    const char *of = sl_json_string(json, "_class_name", "", err);
    if (class != &sl_ipndm_class || strcmp(of, class->info.class_name) != 0)
        return true;
    return sl_fail(err, SL_UNSUPPORTED,
                   "%s: _class_name is \"IPNDMScheduler\", whose models count time from 1 to 0; "
                   "expected a scheduler with num_train_timesteps whole timesteps",
                   sl_json_name(json));
}

bool sl_scheduler_config(SlSchedulerConfig *c, const SlSchedulerClass *class, const SlJson *json,
                         SlError *err)
{
    SlError first = {0};
    *c = (SlSchedulerConfig){
        .num_train_timesteps = 1000,
        .beta_start = 0.0001,
        .beta_end = 0.02,
        .timestep_spacing = SL_SPACING_LINSPACE,
        .clip_sample_range = 1,
        .variance_type = SL_VARIANCE_SMALL,
        .dynamic_thresholding_ratio = 0.995,
        .sample_max_value = 1,
        .sigma_min = NAN,
        .sigma_max = NAN,
        .solver_order = 2,
        .algorithm_type = SL_DPMSOLVERPP,
        .lower_order_final = true,
        .lambda_min_clipped = -INFINITY,
        .predict_x0 = true,
        .original_inference_steps = 50,
        .timestep_scaling = 10,
        .only_timestep = -1,
        .prediction_type = class->info.only_flow  ? SL_PREDICT_FLOW
                           : class->info.only_edm ? SL_PREDICT_EDM_EPSILON
                                                  : SL_PREDICT_EPSILON,
        .sigma_data = 0.5,
        .rho = 7,
        .shift = 1,
        .base_shift = 0.5,
        .max_shift = 1.15,
        .base_image_seq_len = 256,
        .max_image_seq_len = 4096,
    };
    if (class->defaults)
        class->defaults(c);
    if (class->info.only_edm)
        edm_defaults(c);
    if (!json)
        return true;
    read_noise(c, json, &first);
    read_limits(c, json, &first);
    read_distilled(c, json, &first);
    bool ok = own_time(class, json, &first) && read_prediction(c, class, json, &first) &&
              read_flow(c, class, json, &first) && read_sigmas(c, json, &first) &&
              read_edm(c, class, json, &first) && read_solver(c, json, &first) &&
              read_variance(c, json, &first) && trained_betas(c, json, &first);
    if (!ok || first.code != SL_OK) {
        if (err)
            *err = first;
        return false;
    }
    return true;
}
