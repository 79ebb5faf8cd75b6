/* dpm2.c - KDPM2DiscreteScheduler and KDPM2AncestralDiscreteScheduler
 * (schedulers/scheduling_k_dpm_2_discrete.py, scheduling_k_dpm_2_ancestral_discrete.py):
 * DPM-Solver-2 and algorithm 2 of Karras et al. 2022, two evaluations a step, the second in the
 * middle of log sigma.
 *
 * Easy to get wrong: the whole step starts over from the first sample, which slot 0 keeps. The
 * ancestral one's middle lies between where the step begins and where it lands before its noise,
 * not where it ends; the noise comes with the second evaluation, so the last step, which has none,
 * adds none. With karras sigmas the timesteps that begin a step are rounded and the others not.
 * Both classes keep two more zeros behind their sigmas than the others. All of this is f32 in
 * diffusers and here: near timestep 1 the middle's timestep feels the last bit.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

/* Where the step that begins at evaluation `at` lands before noise, and how much noise brings it to
 * its end. Plain: the end, and none. */
typedef struct Landing {
    float down, up;
} Landing;

static Landing landing(const SlScheduler *s, int at)
{
    float from = (float)s->sigmas[at], to = (float)s->sigmas[at + 1];
    if (s->class == &sl_dpm2_class)
        return (Landing){.down = to};
    float from2 = from * from, to2 = to * to;
    float up = sqrtf(to2 * (from2 - to2) / from2);
    return (Landing){.down = sqrtf(to2 - up * up), .up = up};
}

/* Half way between both in log sigma, from `at` by half of the way: lerp's order of operations. */
static float middle(float at, float other)
{
    float a = (float)log(at), b = (float)log(other);
    return (float)exp(b - (b - a) / 2);
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    if (s->config.prediction_type == SL_PREDICT_SAMPLE)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: prediction_type \"sample\" is not possible with this scheduler",
                       s->class->info.id);
    if (!sl_pairs_timesteps(s, steps, err))
        return false;
    if (s->config.sigmas == SL_SIGMAS_KARRAS)
        for (int i = 0; i < s->evaluations; i += 2)
            s->timesteps[i] = rint(s->timesteps[i]);
    for (int i = 1; i < s->evaluations; i += 2) {
        float from = (float)s->sigmas[i - 1], down = landing(s, i - 1).down;
        float level = s->class == &sl_dpm2_class ? middle(down, from) : middle(from, down);
        s->levels[i] = level;
        s->timesteps[i] = sl_sigma_to_t_f32(s, level);
    }
    s->sigmas[2 * steps] = s->sigmas[2 * steps + 1] = 0;
    s->sigma_count = 2 * steps + 2;
    return true;
}

static bool ends_with_noise(const SlScheduler *s)
{
    return s->state.position % 2 == 1;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    int at = s->state.position, begin = at - at % 2;
    bool first = at == begin;
    double level = s->levels[at], sigma = s->sigmas[begin];
    Landing land = landing(s, begin);
    double to = !first ? land.down : at + 1 < s->evaluations ? s->levels[at + 1] : 0;
    float *start = s->slots[0];
    if (first)
        memcpy(start, x->sample, (size_t)s->size * sizeof(float));
    for (int64_t i = 0; i < s->size; i++) {
        double x0 = sl_original_ve(s, level, x->model_output[i], x->sample[i]);
        double next = start[i] + (x->sample[i] - x0) / level * (to - sigma);
        x->x0[i] = (float)x0;
        x->sample[i] = (float)(x->noise ? next + land.up * x->noise[i] : next);
    }
    return true;
}

const SlSchedulerClass sl_dpm2_class = {
    .info = {.id = "dpm2",
             .class_name = "KDPM2DiscreteScheduler",
             .name = "DPM2",
             .good_for = "Second order by looking at the middle of each step: good from 10 steps",
             .evaluations_per_step = 2,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 1,
    .defaults = sl_pairs_defaults,
    .set_timesteps = set_timesteps,
    .input = sl_pairs_input,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = sl_pairs_step_of,
};

const SlSchedulerClass sl_dpm2_a_class = {
    .info = {.id = "dpm2-a",
             .class_name = "KDPM2AncestralDiscreteScheduler",
             .name = "DPM2 ancestral",
             .good_for =
                 "DPM2 with fresh noise in each step: lively, more steps give another picture",
             .evaluations_per_step = 2,
             .draws_noise = true,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 1,
    .defaults = sl_pairs_defaults,
    .set_timesteps = set_timesteps,
    .input = sl_pairs_input,
    .needs_noise = ends_with_noise,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = sl_pairs_step_of,
};
