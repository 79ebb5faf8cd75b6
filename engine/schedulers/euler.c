/* euler.c - EulerDiscreteScheduler and EulerAncestralDiscreteScheduler
 * (schedulers/scheduling_euler_discrete.py, scheduling_euler_ancestral_discrete.py): algorithm 2 of
 * Karras et al. 2022 without churn, and its ancestral form.
 *
 * Easy to get wrong: the ancestral one draws noise at every step, the last too, where it is
 * multiplied by 0.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

#define ZERO_SNR_END 0x1p-24

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    if (!sl_scheduler_betas(s, ZERO_SNR_END, err))
        return false;
    sl_sigmas_fractional(s, steps, c->final_sigma_min ? sl_sigma_at(s, 0) : 0);
    if (c->log_linear && c->sigmas == SL_SIGMAS_MODEL) {
        /* steps + 1 points of which the last is dropped by the final sigma */
        double low = sl_sigma_at(s, c->num_train_timesteps - 1), high = sl_sigma_at(s, 0);
        for (int i = 0; i < steps; i++)
            s->levels[i] = s->sigmas[i] = (float)exp(log(low) + (log(high) - log(low)) * i / steps);
    }
    if (c->continuous && c->prediction_type == SL_PREDICT_V)
        for (int i = 0; i < steps; i++)
            s->timesteps[i] = (float)(0.25 * log(s->sigmas[i]));
    return true;
}

static bool euler_step(SlScheduler *s, const SlStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position], next = s->sigmas[s->state.position + 1];
    double dt = next - sigma;
    sl_predict_ve(s, sigma, x->model_output, x->sample, x->x0);
    /* x + (x - x_0) / sigma dt */
    const double k[2] = {1 + dt / sigma, -dt / sigma};
    const float *terms[2] = {x->sample, x->x0};
    sl_combine(s->size, 2, k, terms, x->sample);
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

static bool ancestral_step(SlScheduler *s, const SlStep *x, SlError *err)
{
    double from = s->sigmas[s->state.position], to = s->sigmas[s->state.position + 1];
    double up = sqrt(to * to * (from * from - to * to) / (from * from));
    double down = sqrt(to * to - up * up), dt = down - from;
    sl_predict_ve(s, from, x->model_output, x->sample, x->x0);
    const double k[3] = {1 + dt / from, -dt / from, up};
    const float *terms[3] = {x->sample, x->x0, x->noise};
    sl_combine(s->size, 3, k, terms, x->sample);
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
