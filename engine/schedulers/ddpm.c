/* ddpm.c - DDPMScheduler (schedulers/scheduling_ddpm.py): formulas (6), (7) and (15) of "Denoising
 * Diffusion Probabilistic Models".
 *
 * Easy to get wrong: the previous timestep is the next of the list, and -1 (abar 1) after the last;
 * noise is drawn at every timestep but 0.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

static void defaults(SlSchedulerConfig *c)
{
    c->timestep_spacing = SL_SPACING_LEADING;
    c->clip_sample = true;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    sl_timesteps_whole(&s->config, steps, s->timesteps);
    s->evaluations = steps;
    return sl_scheduler_betas(s, 0, err) && sl_levels_from_alphas(s, err);
}

static bool needs_noise(const SlScheduler *s)
{
    return s->timesteps[s->state.position] > 0;
}

/* What the drawn noise is multiplied with. */
static double deviation(const SlScheduler *s, double abar, double abar_prev)
{
    float beta = 1 - (float)abar / (float)abar_prev; /* loses digits in f32, as in diffusers */
    double variance = fmax((1 - abar_prev) / (1 - abar) * beta, 1e-20);
    switch (s->config.variance_type) {
    case SL_VARIANCE_LARGE:
        return sqrt(beta);
    case SL_VARIANCE_SMALL_LOG:
        return exp(0.5 * log(variance));
    case SL_VARIANCE_MODEL:
    case SL_VARIANCE_SMALL:
        break;
    }
    return sqrt(variance);
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    int at = s->state.position;
    double abar, abar_prev = 1;
    if (!sl_alpha_at(s, s->timesteps[at], &abar, err) ||
        (at + 1 < s->evaluations && !sl_alpha_at(s, s->timesteps[at + 1], &abar_prev, err)))
        return false;
    sl_predict_vp(s, sqrt(abar), sqrt(1 - abar), x->model_output, x->sample, x->x0, NULL);
    if (!sl_limit_x0(s, x->x0, err))
        return false;
    float alpha = (float)abar / (float)abar_prev, beta = 1 - alpha; /* f32 as in diffusers */
    const double k[3] = {sqrt(abar_prev) * beta / (1 - abar),
                         sqrt(alpha) * (1 - abar_prev) / (1 - abar), deviation(s, abar, abar_prev)};
    const float *terms[3] = {x->x0, x->sample, x->noise};
    sl_combine(s->size, 3, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_ddpm_class = {
    .info = {.id = "ddpm",
             .class_name = "DDPMScheduler",
             .name = "DDPM",
             .good_for =
                 "The original: fresh noise at every step, at its best with hundreds of steps",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_spacing = true,
             .takes_variance = true},
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .needs_noise = needs_noise,
    .step = step,
};
