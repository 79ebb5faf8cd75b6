/* scheduler.c - the parts of a scheduler's life that all classes share. */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE ((int64_t)1 << 31)

/* ---- life ---- */

static bool choose_prediction(SlScheduler *s, const SlSchedulerChoice *choice, SlError *err)
{
    bool prediction = choice->prediction != SL_PREDICTION_MODEL;
    bool snr = choice->zero_snr != SL_ZERO_SNR_MODEL;
    if ((prediction || snr) && sl_is_flow(s))
        return sl_fail(err, SL_ARGUMENT,
                       "the model predicts flow; what it predicts and zero terminal SNR cannot "
                       "be chosen");
    if (sl_is_edm(s) && (snr || choice->prediction == SL_PREDICTION_SAMPLE))
        return sl_fail(err, SL_ARGUMENT, "the model is trained as EDM is; %s cannot be chosen%s",
                       snr ? sl_words("zero terminal SNR")
                           : sl_words("that it predicts the sample"),
                       snr ? "" : sl_words(", only epsilon and v"));
    if (prediction && sl_is_edm(s))
        s->config.prediction_type =
            choice->prediction == SL_PREDICTION_V ? SL_PREDICT_EDM_V : SL_PREDICT_EDM_EPSILON;
    else if (prediction)
        s->config.prediction_type = (SlPrediction)(choice->prediction - SL_PREDICTION_EPSILON);
    if (snr)
        s->config.rescale_betas_zero_snr = choice->zero_snr == SL_ZERO_SNR_YES;
    return true;
}

/* The presets that are not diffusers', and lists. */
static bool choose_preset(SlScheduler *s, const SlSchedulerChoice *choice, SlError *err)
{
    const char *list = choice->own_sigmas ? choice->own_sigmas : "";
    if (!*list && !sl_is_preset(choice->sigmas))
        return true;
    if (sl_is_flow(s) || sl_is_edm(s))
        return sl_fail(err, SL_ARGUMENT, "the model %s; these sigmas are for models of other kinds",
                       sl_is_flow(s) ? sl_words("predicts flow")
                                     : sl_words("is trained as EDM is"));
    if (!*list)
        return true;
    if (choice->sigmas != SL_SIGMAS_MODEL)
        return sl_fail(err, SL_ARGUMENT,
                       "there is a list of sigmas and a schedule of sigmas; expected one of them");
    s->config.own_sigmas = malloc(SL_SIGMAS_MAX * sizeof(double));
    if (!s->config.own_sigmas)
        return sl_fail(err, SL_MEMORY, "out of memory for the scheduler");
    s->config.sigmas = SL_SIGMAS_OWN;
    return sl_sigmas_parse(list, s->config.own_sigmas, &s->config.own_count, err);
}

static bool choose(SlScheduler *s, const SlSchedulerChoice *choice, SlError *err)
{
    const SlSchedulerInfo of = sl_scheduler_for(&s->class->info, s->config.prediction_type);
    const SlSchedulerInfo *info = &of;
    if (!choice)
        return true;
    bool list = choice->own_sigmas && *choice->own_sigmas;
    if ((choice->sigmas != SL_SIGMAS_MODEL || list) && !info->takes_sigmas)
        return sl_fail(err, SL_ARGUMENT, "%s has no choice of sigmas", info->id);
    if (!sl_scheduler_takes_sigmas(info, choice->sigmas))
        return sl_fail(err, SL_ARGUMENT, "%s has no beta sigmas; expected karras or exponential",
                       info->id);
    if (choice->spacing != SL_SPACING_MODEL && !info->takes_spacing)
        return sl_fail(err, SL_ARGUMENT, "%s has no choice of timestep spacing", info->id);
    if (choice->variance != SL_VARIANCE_MODEL && !info->takes_variance)
        return sl_fail(err, SL_ARGUMENT, "%s has no choice of variance", info->id);
    if (choice->sigmas != SL_SIGMAS_MODEL)
        s->config.sigmas = choice->sigmas;
    if (choice->spacing != SL_SPACING_MODEL)
        s->config.timestep_spacing = choice->spacing;
    if (choice->variance != SL_VARIANCE_MODEL)
        s->config.variance_type = choice->variance;
    if (choice->eta >= 0)
        s->config.eta = choice->eta;
    return choose_prediction(s, choice, err) && choose_preset(s, choice, err);
}

SlScheduler *sl_scheduler_new(const char *id, const SlJson *config, const SlSchedulerChoice *choice,
                              SlError *err)
{
    const SlSchedulerClass *class = sl_scheduler_class(id);
    if (!class) {
        sl_fail(err, SL_ARGUMENT,
                "scheduler is \"%s\"; `safelight schedulers` lists the known ones", id);
        return NULL;
    }
    SlScheduler *s = calloc(1, sizeof *s);
    if (!s) {
        sl_fail(err, SL_MEMORY, "out of memory for the scheduler");
        return NULL;
    }
    s->class = class;
    if (!sl_scheduler_config(&s->config, class, config, err) ||
        !sl_scheduler_check(&class->info, s->config.prediction_type, err) ||
        !choose(s, choice, err)) {
        sl_scheduler_free(s);
        return NULL;
    }
    if (class == &sl_dpmpp_2m_sde_class || class == &sl_edm_dpmpp_sde_class)
        s->config.algorithm_type = SL_SDE_DPMSOLVERPP; /* what the id stands for */
    if (sl_is_flow(s) && !sl_flow_check(s, err)) {
        sl_scheduler_free(s);
        return NULL;
    }
    return s;
}

static void free_arrays(SlScheduler *s)
{
    for (int i = 0; i < SL_SCHEDULER_SLOTS; i++) {
        free(s->slots[i]);
        s->slots[i] = NULL;
    }
    free(s->alphas_cumprod);
    free(s->timesteps);
    free(s->levels);
    free(s->sigmas);
    s->alphas_cumprod = NULL;
    s->timesteps = s->levels = s->sigmas = NULL;
}

void sl_scheduler_free(SlScheduler *s)
{
    if (!s)
        return;
    free_arrays(s);
    free(s->config.trained_betas);
    free(s->config.own_sigmas);
    free(s);
}

SlPrediction sl_scheduler_prediction(const SlScheduler *s)
{
    return s->config.prediction_type;
}

bool sl_scheduler_clips(const SlScheduler *s)
{
    return s->config.clip_sample;
}

static bool make_arrays(SlScheduler *s, int steps, int64_t size)
{
    size_t room = (size_t)steps * 2 + 16;
    s->timesteps = calloc(room, sizeof *s->timesteps);
    s->levels = calloc(room, sizeof *s->levels);
    s->sigmas = calloc(room, sizeof *s->sigmas);
    bool ok = s->timesteps && s->levels && s->sigmas;
    for (int i = 0; i < s->class->slots; i++) {
        s->slots[i] = calloc((size_t)size, sizeof(float));
        ok = ok && s->slots[i];
    }
    return ok;
}

bool sl_scheduler_set_timesteps(SlScheduler *s, const SlSchedulerRun *run, SlError *err)
{
    int steps = run->steps;
    int64_t size = run->size;
    if (steps < 1 || steps > s->config.num_train_timesteps)
        return sl_fail(err, SL_ARGUMENT, "steps is %d; expected 1 to %d, the steps of training",
                       steps, s->config.num_train_timesteps);
    if (s->config.sigmas == SL_SIGMAS_OWN && steps != s->config.own_count - 1)
        return sl_fail(
            err, SL_ARGUMENT,
            "steps is %d; expected %d, since the list of sigmas has as many before its 0", steps,
            s->config.own_count - 1);
    if (size < 1 || size > MAX_SIZE)
        return sl_fail(err, SL_ARGUMENT, "a sample of %lld values is out of range",
                       (long long)size);
    free_arrays(s);
    memset(&s->state, 0, sizeof s->state);
    s->steps = steps;
    s->size = size;
    s->run = *run;
    if (!make_arrays(s, steps, size))
        return sl_fail(err, SL_MEMORY, "out of memory for the scheduler's history");
    return s->class->set_timesteps(s, steps, err);
}

/* ---- looking ---- */

int sl_scheduler_evaluations(const SlScheduler *s)
{
    return s->evaluations;
}

int sl_scheduler_position(const SlScheduler *s)
{
    return s->state.position;
}

double sl_scheduler_timestep(const SlScheduler *s, int evaluation)
{
    return s->timesteps[evaluation];
}

const double *sl_scheduler_sigmas(const SlScheduler *s, int *count)
{
    *count = s->sigma_count;
    return s->sigmas;
}

int sl_scheduler_step_of(const SlScheduler *s, int evaluation, bool *ends_step)
{
    if (s->class->step_of)
        return s->class->step_of(s, evaluation, ends_step);
    *ends_step = true;
    return evaluation;
}

double sl_scheduler_init_noise_sigma(const SlScheduler *s)
{
    return s->class->init_noise_sigma ? s->class->init_noise_sigma(s) : 1;
}

/* ---- one evaluation ---- */

void sl_scheduler_input(const SlScheduler *s, const float *sample, float *input)
{
    if (s->class->input)
        s->class->input(s, sample, input);
    else if (input != sample)
        memmove(input, sample, (size_t)s->size * sizeof(float));
}

void sl_scheduler_input_at(const SlScheduler *s, int evaluation, const float *sample, float *input)
{
    SlScheduler there = *s;
    there.state.position = evaluation;
    sl_scheduler_input(&there, sample, input);
}

int64_t sl_first_bad(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return i;
    return -1;
}

static bool finite_values(const SlScheduler *s, const float *x, const char *what, SlError *err)
{
    bool ends;
    if (sl_first_bad(x, s->size) < 0)
        return true;
    return sl_fail(err, SL_FORMAT,
                   "%s is not a finite number at step %d of %d (evaluation %d of %d, timestep %g, "
                   "scheduler %s)",
                   what, sl_scheduler_step_of(s, s->state.position, &ends) + 1, s->steps,
                   s->state.position + 1, s->evaluations, s->timesteps[s->state.position],
                   s->class->info.id);
}

/* The tree's ends are those of the whole schedule, so that the noise between two sigmas is the same
 * in every run that begins and ends alike. */
static bool draw_brownian(const SlScheduler *s, const SlNoise *generator, float *out)
{
    int at = s->state.position;
    SlBrownian path = {.kind = generator->kind,
                       .cuda_threads = generator->cuda_threads,
                       .seed = generator->seed,
                       .low = s->sigmas[0],
                       .high = s->sigmas[0]};
    for (int i = 0; i < s->sigma_count; i++) {
        path.high = fmax(path.high, s->sigmas[i]);
        path.low = s->sigmas[i] > 0 ? fmin(path.low, s->sigmas[i]) : path.low;
    }
    return sl_brownian_noise(&path, s->sigmas[at], s->sigmas[at + 1], out, s->size);
}

/* The noise of this evaluation: the next given array, or drawn into scratch. */
static const float *take_noise(const SlScheduler *s, SlNoiseSource *source, float *scratch,
                               SlError *err)
{
    if (!source || (!source->given && !source->generator)) {
        sl_fail(err, SL_ARGUMENT, "%s draws noise, but there is no source", s->class->info.id);
        return NULL;
    }
    if (!source->given && s->class->brownian) {
        if (draw_brownian(s, source->generator, scratch))
            return scratch;
        sl_fail(err, SL_MEMORY, "out of memory for a step");
        return NULL;
    }
    if (!source->given) {
        sl_noise_normal(source->generator, scratch, s->size);
        return scratch;
    }
    if (source->given_used >= source->given_count) {
        sl_fail(err, SL_ARGUMENT,
                "%s needs more noise than the %d arrays given (evaluation %d of %d)",
                s->class->info.id, source->given_count, s->state.position + 1, s->evaluations);
        return NULL;
    }
    return source->given + s->size * source->given_used++;
}

void sl_scheduler_take_noise_of(SlScheduler *s, const float *model_output)
{
    s->noise_output = model_output;
}

bool sl_scheduler_step(SlScheduler *s, const float *model_output, float *sample, float *x0,
                       SlNoiseSource *noise, SlError *err)
{
    if (s->state.position >= s->evaluations)
        return sl_fail(err, SL_ARGUMENT, "%s: all %d evaluations are done", s->class->info.id,
                       s->evaluations);
    if (!finite_values(s, model_output, sl_words("the UNet's output"), err))
        return false;
    float *scratch = malloc((size_t)s->size * 2 * sizeof *scratch);
    if (!scratch)
        return sl_fail(err, SL_MEMORY, "out of memory for a step");
    SlSchedulerStep step = {.model_output = model_output,
                            .noise_output = s->noise_output ? s->noise_output : model_output,
                            .sample = sample,
                            .x0 = x0 ? x0 : scratch + s->size};
    s->noise_output = NULL;
    bool ok = true;
    if (s->class->needs_noise && s->class->needs_noise(s)) {
        step.noise = take_noise(s, noise, scratch, err);
        ok = step.noise != NULL;
    }
    ok = ok && s->class->step(s, &step, err) &&
         finite_values(s, sample, sl_words("the sample"), err);
    if (ok)
        s->state.position++;
    free(scratch);
    return ok;
}

/* ---- beginning in the middle ---- */

static bool begins_step(const SlScheduler *s, int evaluation)
{
    bool ends = true;
    if (evaluation > 0)
        sl_scheduler_step_of(s, evaluation - 1, &ends);
    return ends;
}

bool sl_scheduler_enter(SlScheduler *s, int evaluation, SlError *err)
{
    if (evaluation < 0 || evaluation >= s->evaluations || !begins_step(s, evaluation))
        return sl_fail(err, SL_ARGUMENT, "%s with %d steps cannot begin at evaluation %d of %d",
                       s->class->info.id, s->steps, evaluation + 1, s->evaluations);
    memset(&s->state, 0, sizeof s->state);
    s->state.position = evaluation;
    return true;
}

int sl_scheduler_entry(const SlScheduler *s, double sigma)
{
    for (int i = 0; i < s->evaluations; i++)
        if (begins_step(s, i) && s->levels[i] <= sigma * (1 + 1e-4))
            return i;
    return -1;
}

int sl_scheduler_cut(const SlScheduler *s, double share)
{
    double trained = s->config.num_train_timesteps, cut = rint(trained - share * trained);
    int i = 0;
    while (i < s->evaluations && !(begins_step(s, i) && s->timesteps[i] < cut))
        i++;
    return i;
}

/* ---- saving ---- */

typedef struct StateHead {
    char magic[8], id[16];
    int64_t size;
    int32_t steps, evaluations;
    SlSchedulerState state;
} StateHead;

static StateHead head_of(const SlScheduler *s)
{
    StateHead head;
    memset(&head, 0, sizeof head);
    memcpy(head.magic, "SLSCHD1", 8);
    strncpy(head.id, s->class->info.id, sizeof head.id - 1);
    head.size = s->size;
    head.steps = s->steps;
    head.evaluations = s->evaluations;
    head.state = s->state;
    return head;
}

void *sl_scheduler_save(const SlScheduler *s, size_t *bytes)
{
    StateHead head = head_of(s);
    size_t slot = (size_t)s->size * sizeof(float);
    *bytes = sizeof head + slot * (size_t)s->class->slots;
    char *out = malloc(*bytes);
    if (!out)
        return NULL;
    memcpy(out, &head, sizeof head);
    for (int i = 0; i < s->class->slots; i++)
        memcpy(out + sizeof head + slot * (size_t)i, s->slots[i], slot);
    return out;
}

static bool state_fits(const SlScheduler *s, const StateHead *head)
{
    StateHead own = head_of(s);
    return !memcmp(head->magic, own.magic, sizeof own.magic) &&
           !memcmp(head->id, own.id, sizeof own.id) && head->size == own.size &&
           head->steps == own.steps && head->evaluations == own.evaluations &&
           head->state.position >= 0 && head->state.position <= own.evaluations &&
           head->state.filled >= 0 && head->state.filled <= 4 &&
           head->state.lower_order_nums >= 0 &&
           head->state.lower_order_nums <= head->state.position &&
           head->state.lower_order_nums <= 3 && head->state.this_order >= 0 &&
           head->state.this_order <= 3 && head->state.this_order <= head->state.position;
}

bool sl_scheduler_restore(SlScheduler *s, const void *state, size_t bytes, SlError *err)
{
    StateHead head;
    size_t slot = (size_t)s->size * sizeof(float);
    size_t expected = sizeof head + slot * (size_t)s->class->slots;
    if (bytes != expected)
        return sl_fail(err, SL_FORMAT, "a saved state of %s has %zu bytes; expected %zu",
                       s->class->info.id, bytes, expected);
    memcpy(&head, state, sizeof head);
    if (!state_fits(s, &head))
        return sl_fail(err, SL_FORMAT,
                       "a saved scheduler state does not belong to %s with %d steps",
                       s->class->info.id, s->steps);
    s->state = head.state;
    for (int i = 0; i < s->class->slots; i++)
        memcpy(s->slots[i], (const char *)state + sizeof head + slot * (size_t)i, slot);
    return true;
}
