/* euler.c - EulerDiscreteScheduler and EulerAncestralDiscreteScheduler
 * (schedulers/scheduling_euler_discrete.py, scheduling_euler_ancestral_discrete.py): algorithm 2 of
 * Karras et al. 2022 without churn, and its ancestral form.
 *
 * Easy to get wrong: the ancestral one draws noise at every step, the last too, where it is
 * multiplied by 0. Only the other one knows interpolation_type and timestep_type. With CFG++
 * (ComfyUI's euler_cfg_pp) x_0 is the guided one and the direction leads away from the other.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

#define ZERO_SNR_END 0x1p-24

static bool is_continuous(const SlScheduler *s)
{
    return s->config.continuous && s->config.prediction_type == SL_PREDICT_V;
}

/* Replaces the sigmas by those of interpolation_type "log_linear": torch's linspace, in f32, of
 * the logarithm. diffusers lays steps + 1 points here and puts the final sigma behind them, so
 * where timesteps follow from sigmas there is one evaluation more than steps, and elsewhere no step
 * reaches the final one. The converted schedules go from the first point to the last, in as many
 * points as steps. */
static void log_linear_sigmas(SlScheduler *s, int steps, double last)
{
    float high = sl_log_f32(sl_sigma_at(s, s->config.num_train_timesteps - 1));
    float low = sl_log_f32(sl_sigma_at(s, 0)), apart = (low - high) / (float)steps;
    if (s->config.sigmas != SL_SIGMAS_MODEL) {
        sl_sigmas_converted(s, expf(high), expf(low), steps);
        return;
    }
    for (int i = 0; i <= steps; i++) {
        bool first_half = i < (steps + 1) / 2;
        float log_sigma =
            first_half ? fmaf(apart, (float)i, high) : fmaf(-apart, (float)(steps - i), low);
        s->levels[i] = s->sigmas[i] = expf(log_sigma);
    }
    s->sigmas[steps + 1] = (float)last;
    s->sigma_count = steps + 2;
    if (is_continuous(s))
        s->evaluations = steps + 1;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    if (!sl_scheduler_betas(s, ZERO_SNR_END, err))
        return false;
    double last = c->final_sigma_min ? sl_sigma_at(s, 0) : 0;
    sl_sigmas_fractional(s, steps, last);
    if (c->log_linear)
        log_linear_sigmas(s, steps, last);
    for (int i = 0; is_continuous(s) && i < s->evaluations; i++)
        s->timesteps[i] = (float)(0.25 * log(s->sigmas[i]));
    return true;
}

/* An evaluation more than steps belongs to the last step: it takes the last of the noise away. */
static int euler_step_of(const SlScheduler *s, int evaluation, bool *ends)
{
    *ends = evaluation != s->steps - 1 || s->evaluations == s->steps;
    return evaluation < s->steps ? evaluation : s->steps - 1;
}

static bool euler_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position], next = s->sigmas[s->state.position + 1];
    if (x->noise_output == x->model_output) {
        sl_step_ve(s, x, sigma, next - sigma);
        return true;
    }
    for (int64_t i = 0; i < s->size; i++) {
        double original = sl_original_ve(s, sigma, x->model_output[i], x->sample[i]);
        double other = sl_original_ve(s, sigma, x->noise_output[i], x->sample[i]);
        x->x0[i] = (float)original;
        x->sample[i] = (float)(original + (x->sample[i] - other) / sigma * next);
    }
    return true;
}

static bool always(const SlScheduler *s)
{
    return true;
}

static bool ancestral_set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    if (s->config.prediction_type == SL_PREDICT_SAMPLE)
        return sl_fail(err, SL_UNSUPPORTED,
                       "euler-a: prediction_type \"sample\" is not possible with this scheduler");
    s->config.sigmas = SL_SIGMAS_MODEL;
    if (!sl_scheduler_betas(s, ZERO_SNR_END, err))
        return false;
    sl_sigmas_fractional(s, steps, 0);
    return true;
}

static bool ancestral_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double from = s->sigmas[s->state.position], to = s->sigmas[s->state.position + 1];
    double up = sqrt(to * to * (from * from - to * to) / (from * from));
    double down = sqrt(to * to - up * up);
    sl_step_ve(s, x, from, down - from);
    for (int64_t i = 0; i < s->size; i++)
        x->sample[i] = (float)(x->sample[i] + up * x->noise[i]);
    return true;
}

const SlSchedulerClass sl_euler_class = {
    .info = {.id = "euler",
             .class_name = "EulerDiscreteScheduler",
             .name = "Euler",
             .good_for = "Simple and robust, good from 20 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_cfg_pp = true},
    .set_timesteps = set_timesteps,
    .input = sl_input_ve,
    .step = euler_step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = euler_step_of,
};

const SlSchedulerClass sl_euler_a_class = {
    .info = {.id = "euler-a",
             .class_name = "EulerAncestralDiscreteScheduler",
             .name = "Euler ancestral",
             .good_for = "Lively: fresh noise at every step, so more steps give another picture",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_spacing = true},
    .set_timesteps = ancestral_set_timesteps,
    .input = sl_input_ve,
    .needs_noise = always,
    .step = ancestral_step,
    .init_noise_sigma = sl_init_sigma_ve,
};
