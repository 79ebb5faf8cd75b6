/* dpmpp_2s_a.c - DPM++ 2S ancestral, sample_dpmpp_2s_ancestral of k_diffusion/sampling.py: two
 * evaluations a step, the second half way in log sigma to where the step lands before its noise.
 *
 * Easy to get wrong: the second evaluation's step starts over from the sample of the first, which
 * slot 0 keeps, and uses its own x_0 alone; the last step has one evaluation and no noise.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

static void defaults(SlSchedulerConfig *c)
{
    sl_pairs_defaults(c);
    c->eta = 1;
}

/* Of the step that begins at evaluation `at`. */
static SlLanding landing(const SlScheduler *s, int at)
{
    return sl_ancestral(s->sigmas[at], s->sigmas[at + 1], s->config.eta);
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    if (!sl_pairs_timesteps(s, steps, err))
        return false;
    for (int i = 1; i < s->evaluations; i += 2) {
        s->levels[i] = (float)sqrt(s->sigmas[i - 1] * landing(s, i - 1).down);
        s->timesteps[i] = (float)sl_sigma_to_t(s, s->levels[i]);
    }
    return true;
}

static bool needs_noise(const SlScheduler *s)
{
    return s->state.position % 2 == 1 && s->config.eta > 0;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    int at = s->state.position, begin = at - at % 2;
    double sigma = s->sigmas[begin], level = s->levels[at];
    SlLanding land = landing(s, begin);
    double to = at > begin ? land.down : at + 1 < s->evaluations ? s->levels[at + 1] : 0;
    double kept = to / sigma;
    float *start = s->slots[0];
    if (at == begin)
        memcpy(start, x->sample, (size_t)s->size * sizeof(float));
    for (int64_t i = 0; i < s->size; i++) {
        double x0 = sl_original_ve(s, level, x->model_output[i], x->sample[i]);
        double next = kept * start[i] + (1 - kept) * x0;
        x->x0[i] = (float)x0;
        x->sample[i] = (float)(x->noise ? next + land.up * x->noise[i] : next);
    }
    return true;
}

const SlSchedulerClass sl_dpmpp_2s_a_class = {
    .info = {.id = "dpmpp-2s-a",
             .class_name = "k_diffusion.sample_dpmpp_2s_ancestral",
             .name = "DPM++ 2S ancestral",
             .good_for = "DPM++ 2S with fresh noise in each step: lively, good from 15 steps",
             .evaluations_per_step = 2,
             .draws_noise = true,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_eta = true,
             .default_eta = 1},
    .slots = 1,
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .input = sl_pairs_input,
    .needs_noise = needs_noise,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
    .step_of = sl_pairs_step_of,
};
