/* ddim.c - DDIMScheduler (schedulers/scheduling_ddim.py): formulas (12) and (16) of "Denoising
 * Diffusion Implicit Models".
 *
 * Easy to get wrong: the previous timestep is t - num_train_timesteps / steps, not the next of the
 * list; epsilon stays unclipped when x_0 is clipped.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <stdlib.h>

static void defaults(SlSchedulerConfig *c)
{
    c->timestep_spacing = SL_SPACING_LEADING;
    c->clip_sample = true;
    c->set_alpha_to_one = true;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    sl_timesteps_whole(&s->config, steps, s->timesteps);
    s->evaluations = steps;
    return sl_scheduler_betas(s, 0, err) && sl_levels_from_alphas(s, err);
}

static bool needs_noise(const SlScheduler *s)
{
    return s->config.eta > 0;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    double t = s->timesteps[s->state.position], abar, abar_prev;
    double prev_t = t - c->num_train_timesteps / s->steps;
    if (!sl_alpha_at(s, t, &abar, err))
        return false;
    abar_prev = c->set_alpha_to_one ? 1 : s->alphas_cumprod[0];
    if (prev_t >= 0 && !sl_alpha_at(s, prev_t, &abar_prev, err))
        return false;
    float *epsilon = s->slots[0];
    sl_predict_vp(s, sqrt(abar), sqrt(1 - abar), x->model_output, x->sample, x->x0, epsilon);
    if (x->noise_output != x->model_output) /* CFG++ */
        sl_predict_vp(s, sqrt(abar), sqrt(1 - abar), x->noise_output, x->sample, NULL, epsilon);
    if (!sl_limit_x0(s, x->x0, err))
        return false;
    double variance = (1 - abar_prev) / (1 - abar) * (1 - abar / abar_prev);
    double std_dev = c->eta > 0 ? c->eta * sqrt(variance) : 0;
    const double k[3] = {sqrt(abar_prev), sqrt(1 - abar_prev - std_dev * std_dev), std_dev};
    const float *terms[3] = {x->x0, epsilon, x->noise};
    sl_combine(s->size, 3, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_ddim_class = {
    .info = {.id = "ddim",
             .class_name = "DDIMScheduler",
             .name = "DDIM",
             .good_for = "The plain first-order road: even, predictable, the usual reference",
             .evaluations_per_step = 1,
             .takes_spacing = true,
             .takes_eta = true,
             .takes_cfg_pp = true},
    .slots = 1,
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .needs_noise = needs_noise,
    .step = step,
};
