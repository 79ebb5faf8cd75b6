/* heun.c - HeunDiscreteScheduler (schedulers/scheduling_heun_discrete.py): algorithm 2 of Karras et
 * al. 2022, two evaluations a step.
 *
 * Easy to get wrong: sigmas and timesteps are stored twice but for the first (and the last sigma),
 * so that the position counts evaluations: even ones predict, odd ones correct from the sample that
 * the step started with. Slot 0 keeps that sample, slot 1 the x_0 predicted from it.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

static void defaults(SlSchedulerConfig *c)
{
    c->beta_start = 0.00085;
    c->beta_end = 0.012;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    s->config.rescale_betas_zero_snr = false; /* not a key of this class */
    if (!sl_scheduler_betas(s, 0, err))
        return false;
    sl_sigmas_fractional(s, steps, 0);
    s->evaluations = 2 * steps - 1;
    s->sigma_count = 2 * steps;
    s->sigmas[2 * steps - 1] = 0;
    for (int i = s->evaluations - 1; i >= 0; i--) {
        s->timesteps[i] = s->timesteps[(i + 1) / 2];
        s->levels[i] = s->sigmas[i] = s->sigmas[(i + 1) / 2];
    }
    return true;
}

static double limit(const SlScheduler *s, double x0)
{
    double range = s->config.clip_sample_range;
    return s->config.clip_sample ? fmin(fmax(x0, -range), range) : x0;
}

static bool step(SlScheduler *s, const SlStep *x, SlError *err)
{
    int at = s->state.position;
    bool first = at % 2 == 0;
    double sigma = s->sigmas[first ? at : at - 1], next = s->sigmas[first ? at + 1 : at];
    double here = first ? sigma : next;
    float *start = s->slots[0], *first_x0 = s->slots[1];
    if (first)
        memcpy(start, x->sample, (size_t)s->size * sizeof(float));
    for (int64_t i = 0; i < s->size; i++) {
        double original = limit(s, sl_original_ve(s, here, x->model_output[i], x->sample[i]));
        double derivative = (x->sample[i] - original) / here;
        x->x0[i] = (float)original;
        if (first)
            first_x0[i] = x->x0[i];
        else
            derivative = ((start[i] - (double)first_x0[i]) / sigma + derivative) / 2;
        x->sample[i] = (float)(start[i] + derivative * (next - sigma));
    }
    return true;
}

static int step_of(const SlScheduler *s, int evaluation, bool *ends)
{
    *ends = evaluation % 2 == 1 || evaluation == s->evaluations - 1;
    return evaluation / 2;
}

const SlSchedulerClass sl_heun_class = {
    .info = {.id = "heun",
             .class_name = "HeunDiscreteScheduler",
             .name = "Heun",
             .good_for =
                 "second order, two evaluations a step: half as many steps for the same cost",
             .evaluations_per_step = 2,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 2,
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .input = sl_input_ve,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = step_of,
};
