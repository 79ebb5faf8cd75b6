/* flow_match.c - FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler and
 * FlowMatchLCMScheduler (schedulers/scheduling_flow_match_*.py): for models that predict flow,
 * noise - x_0, the direction in which a sample moves as sigma grows (flow.c).
 *
 * Easy to get wrong: with invert_sigmas (Mochi) sigma counts from 0 to 1 and is the share of x_0,
 * and the model says x_0 - noise; diffusers' stochastic steps and LCM do not know that and find x_0
 * as if sigma were the noise's share. stochastic_sampling and LCM draw noise in the last step, too,
 * where it is multiplied by 0. diffusers' Heun has no key but shift; here it takes the others as
 * its sisters do.
 */
#include "engine/schedulers/internal.h"

#include <string.h>

/* What diffusers takes for x_0 where it needs it. */
static double original(double sigma, double sample, double said)
{
    return sample - sigma * said;
}

static double true_original(const SlScheduler *s, double sigma, double sample, double said)
{
    return s->config.invert_sigmas ? sample + (1 - sigma) * said : original(sigma, sample, said);
}

/* x_0, noised anew for the next sigma. */
static void noise_anew(SlScheduler *s, const SlSchedulerStep *x)
{
    double sigma = s->sigmas[s->state.position], next = s->sigmas[s->state.position + 1];
    for (int64_t i = 0; i < s->size; i++) {
        double x0 = original(sigma, x->sample[i], x->model_output[i]);
        x->x0[i] = (float)x0;
        x->sample[i] = (float)((1 - next) * x0 + next * x->noise[i]);
    }
}

/* ---- euler ---- */

static bool euler_needs_noise(const SlScheduler *s)
{
    return s->config.stochastic_sampling;
}

static bool euler_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position], next = s->sigmas[s->state.position + 1];
    if (x->noise) {
        noise_anew(s, x);
        return true;
    }
    for (int64_t i = 0; i < s->size; i++) {
        double sample = x->sample[i], said = x->model_output[i];
        x->x0[i] = (float)true_original(s, sigma, sample, said);
        x->sample[i] = (float)(sample + (next - sigma) * said);
    }
    return true;
}

const SlSchedulerClass sl_flow_euler_class = {
    .info = {.id = "flow-euler",
             .class_name = "FlowMatchEulerDiscreteScheduler",
             .name = "Flow Euler",
             .good_for = "For models that predict flow: the one they are made for",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_flow = true,
             .only_flow = true},
    .set_timesteps = sl_flow_timesteps,
    .needs_noise = euler_needs_noise,
    .step = euler_step,
};

/* ---- heun ---- */

/* Every sigma but the first twice, as in pairs.c. */
static bool heun_timesteps(SlScheduler *s, int steps, SlError *err)
{
    if (!sl_flow_timesteps(s, steps, err))
        return false;
    s->evaluations = 2 * steps - 1;
    s->sigma_count = 2 * steps;
    s->sigmas[2 * steps - 1] = s->sigmas[steps];
    for (int i = s->evaluations - 1; i >= 0; i--) {
        s->timesteps[i] = s->timesteps[(i + 1) / 2];
        s->levels[i] = s->levels[(i + 1) / 2];
        s->sigmas[i] = s->sigmas[(i + 1) / 2];
    }
    return true;
}

/* Slot 0 keeps the sample that the step started with, slot 1 what the model said of it. */
static bool heun_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    int at = s->state.position;
    bool first = at % 2 == 0;
    double from = s->sigmas[first ? at : at - 1], to = s->sigmas[first ? at + 1 : at];
    size_t bytes = (size_t)s->size * sizeof(float);
    if (first) {
        memcpy(s->slots[0], x->sample, bytes);
        memcpy(s->slots[1], x->model_output, bytes);
    }
    for (int64_t i = 0; i < s->size; i++) {
        double said = x->model_output[i], along = ((double)s->slots[1][i] + said) / 2;
        x->x0[i] = (float)true_original(s, first ? from : to, x->sample[i], said);
        x->sample[i] = (float)(s->slots[0][i] + along * (to - from));
    }
    return true;
}

const SlSchedulerClass sl_flow_heun_class = {
    .info = {.id = "flow-heun",
             .class_name = "FlowMatchHeunDiscreteScheduler",
             .name = "Flow Heun",
             .good_for =
                 "For models that predict flow: second order, half as many steps for the same cost",
             .evaluations_per_step = 2,
             .takes_sigmas = true,
             .takes_flow = true,
             .only_flow = true},
    .slots = 2,
    .set_timesteps = heun_timesteps,
    .step = heun_step,
    .step_of = sl_pairs_step_of,
};

/* ---- lcm ---- */

static bool always(const SlScheduler *s)
{
    return true;
}

static bool lcm_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    noise_anew(s, x);
    return true;
}

const SlSchedulerClass sl_flow_lcm_class = {
    .info = {.id = "flow-lcm",
             .class_name = "FlowMatchLCMScheduler",
             .name = "Flow LCM",
             .good_for = "For flow models distilled to few steps: fresh noise at every step",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_sigmas = true,
             .takes_flow = true,
             .only_flow = true},
    .set_timesteps = sl_flow_timesteps,
    .needs_noise = always,
    .step = lcm_step,
};
