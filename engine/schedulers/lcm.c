/* lcm.c - LCMScheduler (schedulers/scheduling_lcm.py) and TCDScheduler (scheduling_tcd.py): "Latent
 * Consistency Models" (Luo et al. 2023), "Trajectory Consistency Distillation" (Zheng et al. 2024).
 * For models that were distilled to jump to the end (or, tcd, to any later time) in one evaluation.
 *
 * Easy to get wrong: the timesteps are a choice among original_inference_steps that the model was
 * distilled on, whatever timestep_spacing says; lcm's x_0 leans on the sample by the boundary
 * condition and tcd's is not limited; tcd's jump goes below the next timestep, in f32, and noise
 * brings it back up.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

static void defaults(SlSchedulerConfig *c)
{
    c->beta_start = 0.00085;
    c->beta_end = 0.012;
    c->beta_schedule = SL_BETAS_SCALED_LINEAR;
    c->timestep_spacing = SL_SPACING_LEADING;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    int trained = s->config.num_train_timesteps, original = s->config.original_inference_steps;
    const char *id = s->class->info.id;
    if (original > trained)
        return sl_fail(err, SL_FORMAT,
                       "%s: original_inference_steps is %d; expected at most the %d of "
                       "num_train_timesteps",
                       id, original, trained);
    if (steps > original)
        return sl_fail(err, SL_ARGUMENT,
                       "steps is %d; expected 1 to %d with %s (original_inference_steps)", steps,
                       original, id);
    double apart = (double)original / steps;
    for (int i = 0; i < steps; i++)
        s->timesteps[i] = (original - floor(i * apart)) * (trained / original) - 1;
    if (steps == 1 && s->config.only_timestep >= 0)
        s->timesteps[0] = s->config.only_timestep;
    s->evaluations = steps;
    return sl_scheduler_betas(s, 0, err) && sl_levels_from_alphas(s, err);
}

static bool ends(const SlScheduler *s)
{
    return s->state.position == s->evaluations - 1;
}

/* abar at this evaluation and at the next one (0 after the last). */
static bool alphas(const SlScheduler *s, double *abar, double *abar_next, SlError *err)
{
    int at = s->state.position;
    return sl_alpha_at(s, s->timesteps[at], abar, err) &&
           sl_alpha_at(s, ends(s) ? 0 : s->timesteps[at + 1], abar_next, err);
}

/* ---- lcm ---- */

static bool lcm_needs_noise(const SlScheduler *s)
{
    return !ends(s);
}

static bool lcm_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double abar, abar_next, t = s->timesteps[s->state.position] * s->config.timestep_scaling;
    if (!alphas(s, &abar, &abar_next, err))
        return false;
    sl_predict_vp(s, sqrt(abar), sqrt(1 - abar), x->model_output, x->sample, x->x0, NULL);
    if (!sl_limit_x0(s, x->x0, err))
        return false;
    const double data2 = 0.5 * 0.5; /* sigma_data of the boundary condition */
    const double boundary[2] = {t / sqrt(t * t + data2), data2 / (t * t + data2)};
    const float *from[2] = {x->x0, x->sample};
    sl_combine(s->size, 2, boundary, from, x->x0);
    const double k[2] = {x->noise ? sqrt(abar_next) : 1, sqrt(1 - abar_next)};
    const float *terms[2] = {x->x0, x->noise};
    sl_combine(s->size, 2, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_lcm_class = {
    .info = {.id = "lcm",
             .class_name = "LCMScheduler",
             .name = "LCM",
             .good_for = "For models distilled to few steps (LCM): 4 to 8, guidance near 1",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .few_steps = true},
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .needs_noise = lcm_needs_noise,
    .step = lcm_step,
};

/* ---- tcd ---- */

/* Of the class's step; a pipeline's call says 0 where nobody says otherwise. */
#define TCD_ETA 0.3

static void tcd_defaults(SlSchedulerConfig *c)
{
    defaults(c);
    c->eta = TCD_ETA;
}

static bool tcd_needs_noise(const SlScheduler *s)
{
    return s->config.eta > 0 && !ends(s);
}

static bool tcd_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double abar, abar_next, abar_below;
    float next = ends(s) ? 0 : (float)s->timesteps[s->state.position + 1];
    float below = floorf((float)(1 - s->config.eta) * next);
    if (!alphas(s, &abar, &abar_next, err) || !sl_alpha_at(s, below, &abar_below, err))
        return false;
    float *epsilon = s->slots[0];
    sl_predict_vp(s, sqrt(abar), sqrt(1 - abar), x->model_output, x->sample, x->x0, epsilon);
    float kept = x->noise ? (float)abar_next / (float)abar_below : 1; /* f32 as in diffusers */
    double back = sqrt(kept);
    const double k[3] = {back * sqrt(abar_below), back * sqrt(1 - abar_below), sqrt(1 - kept)};
    const float *terms[3] = {x->x0, epsilon, x->noise};
    sl_combine(s->size, 3, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_tcd_class = {
    .info = {.id = "tcd",
             .class_name = "TCDScheduler",
             .name = "TCD",
             .good_for = "For models distilled to few steps (TCD): more steps, more detail",
             .evaluations_per_step = 1,
             .takes_eta = true,
             .few_steps = true},
    .slots = 1,
    .defaults = tcd_defaults,
    .set_timesteps = set_timesteps,
    .needs_noise = tcd_needs_noise,
    .step = tcd_step,
};
