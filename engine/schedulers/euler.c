/* euler.c - EulerDiscreteScheduler and EulerAncestralDiscreteScheduler
 * (schedulers/scheduling_euler_discrete.py, scheduling_euler_ancestral_discrete.py): algorithm 2 of
 * Karras et al. 2022 without churn, and its ancestral form.
 *
 * Easy to get wrong: the ancestral one draws noise at every step, the last too, where it is
 * multiplied by 0.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

#define ZERO_SNR_END 0x1p-24

/* diffusers lays steps + 1 points here and puts the final sigma behind them, where no step reaches
 * it. */
static void log_linear_sigmas(SlScheduler *s, int steps)
{
    float low = logf(sl_sigma_at(s, s->config.num_train_timesteps - 1));
    float high = logf(sl_sigma_at(s, 0));
    double last = s->sigmas[steps];
    for (int i = 0; i <= steps; i++)
        s->sigmas[i] = expf(low + (high - low) * (float)i / (float)steps);
    memcpy(s->levels, s->sigmas, (size_t)steps * sizeof *s->levels);
    s->sigmas[steps + 1] = last;
    s->sigma_count = steps + 2;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    if (!sl_scheduler_betas(s, ZERO_SNR_END, err))
        return false;
    sl_sigmas_fractional(s, steps, c->final_sigma_min ? sl_sigma_at(s, 0) : 0);
    if (c->log_linear && c->sigmas == SL_SIGMAS_MODEL)
        log_linear_sigmas(s, steps);
    if (c->continuous && c->prediction_type == SL_PREDICT_V)
        for (int i = 0; i < steps; i++)
            s->timesteps[i] = (float)(0.25 * log(s->sigmas[i]));
    return true;
}

static bool euler_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position], next = s->sigmas[s->state.position + 1];
    sl_step_ve(s, x, sigma, next - sigma);
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
             .good_for = "simple and robust, good from 20 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true},
    .set_timesteps = set_timesteps,
    .input = sl_input_ve,
    .step = euler_step,
    .init_noise_sigma = sl_init_sigma_ve,
};

const SlSchedulerClass sl_euler_a_class = {
    .info = {.id = "euler-a",
             .class_name = "EulerAncestralDiscreteScheduler",
             .name = "Euler ancestral",
             .good_for = "lively: fresh noise at every step, so more steps give another picture",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_spacing = true},
    .set_timesteps = ancestral_set_timesteps,
    .input = sl_input_ve,
    .needs_noise = always,
    .step = ancestral_step,
    .init_noise_sigma = sl_init_sigma_ve,
};
