/* dpmpp_sde.c - DPMSolverSDEScheduler (schedulers/scheduling_dpmsolver_sde.py), k-diffusion's
 * DPM++ SDE: two evaluations a step, the second at the middle of log sigma.
 *
 * diffusers takes the noise of both halves from torchsde's Brownian tree, whose seeds are not the
 * run's. A tree is only needed to look at a Brownian path out of order; here the path is drawn in
 * order from the run's own noise, one array for each half of a step, which is the same process with
 * other numbers. Easy to get wrong: the second half's step starts over from the first sample, so
 * its noise is that of both halves together. Slot 0 keeps that sample, slot 1 the first half's
 * noise.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    if (s->config.prediction_type == SL_PREDICT_SAMPLE)
        return sl_fail(err, SL_UNSUPPORTED,
                       "dpmpp-sde: prediction_type \"sample\" is not possible with this scheduler");
    if (!sl_pairs_timesteps(s, steps, err))
        return false;
    for (int i = 1; i < s->evaluations; i += 2) {
        s->levels[i] = sqrt(s->sigmas[i - 1] * s->sigmas[i]);
        s->timesteps[i] = sl_sigma_to_t(s, s->levels[i]);
    }
    return true;
}

static bool needs_noise(const SlScheduler *s)
{
    return sl_pairs_end(s) > 0;
}

/* The weights of one ancestral step: of the sample it starts from, of x_0, of the first half's
 * noise and of this evaluation's. */
typedef struct Leap {
    double start, x0, first, fresh;
} Leap;

static Leap leap_to(double sigma, double next)
{
    double from = sigma * sigma, to = next * next;
    double up = fmin(next, sqrt(to * (from - to) / from)), ratio = sqrt(to - up * up) / sigma;
    return (Leap){.start = ratio, .x0 = 1 - ratio, .fresh = up};
}

static Leap leap_now(const SlScheduler *s)
{
    int at = s->state.position;
    double here = s->levels[at], to = sl_pairs_end(s);
    if (to == 0)
        return (Leap){.x0 = 1};
    if (at % 2 == 0)
        return leap_to(here, s->levels[at + 1]);
    double from = s->sigmas[at - 1], whole = from - to;
    Leap leap = leap_to(from, to);
    leap.first = leap.fresh * sqrt((from - here) / whole);
    leap.fresh *= sqrt((here - to) / whole);
    return leap;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    int at = s->state.position;
    Leap k = leap_now(s);
    float *start = s->slots[0], *first = s->slots[1];
    size_t bytes = (size_t)s->size * sizeof(float);
    if (at % 2 == 0) {
        memcpy(start, x->sample, bytes);
        if (x->noise)
            memcpy(first, x->noise, bytes);
    }
    for (int64_t i = 0; i < s->size; i++) {
        double x0 = sl_original_ve(s, s->levels[at], x->model_output[i], x->sample[i]);
        double noise = x->noise ? k.first * first[i] + k.fresh * x->noise[i] : 0;
        x->x0[i] = (float)x0;
        x->sample[i] = (float)(k.start * start[i] + k.x0 * x0 + noise);
    }
    return true;
}

const SlSchedulerClass sl_dpmpp_sde_class = {
    .info = {.id = "dpmpp-sde",
             .class_name = "DPMSolverSDEScheduler",
             .name = "DPM++ SDE",
             .good_for = "Rich texture from fresh noise, good from 15 steps",
             .evaluations_per_step = 2,
             .draws_noise = true,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 2,
    .defaults = sl_pairs_defaults,
    .set_timesteps = set_timesteps,
    .input = sl_pairs_input,
    .needs_noise = needs_noise,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = sl_pairs_step_of,
};
