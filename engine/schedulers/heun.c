/* heun.c - HeunDiscreteScheduler (schedulers/scheduling_heun_discrete.py): algorithm 2 of Karras et
 * al. 2022, two evaluations a step.
 *
 * Easy to get wrong: the evaluations that end a step (see pairs.c) correct from the sample that the
 * step started with. Slot 0 keeps that sample, slot 1 the x_0 predicted from it.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

static double limit(const SlScheduler *s, double x0)
{
    double range = s->config.clip_sample_range;
    return s->config.clip_sample ? fmin(fmax(x0, -range), range) : x0;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
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
    .defaults = sl_pairs_defaults,
    .set_timesteps = sl_pairs_timesteps,
    .input = sl_input_ve,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = sl_pairs_step_of,
};
