/* heun.c - HeunDiscreteScheduler (schedulers/scheduling_heun_discrete.py): algorithm 2 of Karras et
 * al. 2022, two evaluations a step.
 *
 * And "Restart Sampling" (Xu et al. 2023) over it, as sample_restart of A1111
 * (modules/sd_samplers_extra.py): some of the last steps are made again, from more noise.
 *
 * Easy to get wrong: the evaluations that end a step (see pairs.c) correct from the sample that the
 * step started with. Slot 0 keeps that sample, slot 1 the x_0 predicted from it.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <stdlib.h>
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
                 "Second order, two evaluations a step: half as many steps for the same cost",
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

/* ---- restart ---- */

/* The place among n sigmas that is nearest to one. */
static int nearest(const double *sigmas, int n, double sigma)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (fabs(sigmas[i] - sigma) < fabs(sigmas[best] - sigma))
            best = i;
    return best;
}

/* sl_pairs' arrays of the next step, from one sigma to another. */
static void add_step(SlScheduler *s, int *step, double from, double to)
{
    int at = 2 * (*step)++;
    double pair[2] = {(float)from, (float)to};
    for (int i = 0; i < 2; i++) {
        s->sigmas[at + i] = s->levels[at + i] = pair[i];
        s->timesteps[at + i] = (float)sl_sigma_to_t(s, pair[i]);
    }
}

/* As many steps as asked for, with the repeated ones: of 20 and more 9 are made again once, of 36
 * and more a quarter twice; between the sigmas that are nearest to 0.1 and to 2. Always Karras'. */
static bool restart_set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    int again = steps < 20 ? 0 : steps < 36 ? 9 : steps / 4, times = steps < 36 ? 1 : 2, step = 0;
    int plain = steps - again * times;
    s->config.sigmas = SL_SIGMAS_KARRAS;
    if (!sl_pairs_timesteps(s, steps, err))
        return false;
    double high = s->sigmas[0], low = s->sigmas[2 * steps - 2];
    double *sigmas = malloc(((size_t)plain + (size_t)again + 2) * sizeof *sigmas);
    if (!sigmas)
        return sl_fail(err, SL_MEMORY, "out of memory for the scheduler's sigmas");
    double *repeated = sigmas + plain + 1;
    sl_sigmas_convert(&s->config, high, low, plain, sigmas);
    sigmas[plain] = 0;
    int end = nearest(sigmas, plain, 0.1), begin = nearest(sigmas, plain, 2);
    bool repeats = again > 0 && begin < end;
    if (repeats)
        sl_sigmas_convert(&s->config, sigmas[begin], sigmas[end], again + 1, repeated);
    else if (again > 0)
        sl_sigmas_convert(&s->config, high, low, plain = steps, sigmas);
    for (int i = 0; i < plain; i++) {
        add_step(s, &step, sigmas[i], sigmas[i + 1]);
        for (int k = 0; repeats && i + 1 == end && k < again * times; k++)
            add_step(s, &step, repeated[k % again], repeated[k % again + 1]);
    }
    s->sigmas[2 * steps - 1] = s->levels[2 * steps - 1] = 0;
    free(sigmas);
    return true;
}

/* How much noise leads to the next step's sigma, where that is above this one's end. */
static double restart_noise(const SlScheduler *s)
{
    int at = s->state.position;
    if (at % 2 == 0 || at + 1 >= s->evaluations || s->sigmas[at + 1] <= s->sigmas[at])
        return 0;
    return sqrt(s->sigmas[at + 1] * s->sigmas[at + 1] - s->sigmas[at] * s->sigmas[at]);
}

static bool restarts(const SlScheduler *s)
{
    return restart_noise(s) > 0;
}

static bool restart_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double up = restart_noise(s);
    if (!step(s, x, err))
        return false;
    for (int64_t i = 0; x->noise && i < s->size; i++)
        x->sample[i] = (float)(x->sample[i] + up * x->noise[i]);
    return true;
}

const SlSchedulerClass sl_restart_class = {
    .info = {.id = "restart",
             .class_name = "A1111.restart_sampler",
             .name = "Restart",
             .good_for = "Heun that goes back into the noise and mends its errors: from 20 steps",
             .evaluations_per_step = 2,
             .draws_noise = true,
             .takes_spacing = true},
    .slots = 2,
    .defaults = sl_pairs_defaults,
    .set_timesteps = restart_set_timesteps,
    .input = sl_input_ve,
    .needs_noise = restarts,
    .step = restart_step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = sl_pairs_step_of,
};
