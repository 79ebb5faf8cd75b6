/* pndm.c - PNDMScheduler (schedulers/scheduling_pndm.py): "Pseudo Numerical Methods for Diffusion
 * Models on Manifolds", formulas (9), (12), (13) and algorithm 2.
 *
 * Easy to get wrong: without the Runge-Kutta start the second timestep is evaluated twice, the
 * second time from the first sample again; with it, three steps of four evaluations come first.
 * Slots 0 to 3 hold the newest predictions, 4 the sample that a step started from, 5 the running
 * Runge-Kutta sum.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

#define PRK 12 /* evaluations of the Runge-Kutta start */

static void defaults(SlSchedulerConfig *c)
{
    c->timestep_spacing = SL_SPACING_LEADING;
}

static bool in_prk(const SlScheduler *s)
{
    return !s->config.skip_prk_steps && s->state.position < PRK;
}

/* t, t - h/2, t - h/2, t - h for each of the first three steps: falling has the timesteps from high
 * to low. */
static void prk_timesteps(SlScheduler *s, const double *falling, int half)
{
    for (int i = 0; i < PRK; i++) {
        int k = i / 4;
        const double four[4] = {falling[k], falling[k + 1] + half, falling[k + 1] + half,
                                falling[k + 1]};
        s->timesteps[i] = four[i % 4];
    }
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    double *t = s->timesteps;
    if (s->config.prediction_type == SL_PREDICT_SAMPLE)
        return sl_fail(err, SL_UNSUPPORTED,
                       "pndm: prediction_type \"sample\" is not possible with this scheduler");
    if (!s->config.skip_prk_steps && steps < 4)
        return sl_fail(err, SL_ARGUMENT,
                       "pndm: steps is %d; with this model's Runge-Kutta start (skip_prk_steps "
                       "false) at least 4 are needed",
                       steps);
    double *falling = t + 2 * steps + 16 - steps; /* the end of the room that there is */
    sl_timesteps_whole(&s->config, steps, falling);
    if (s->config.skip_prk_steps) {
        int n = 0;
        t[n++] = falling[0];
        if (steps > 1)
            t[n++] = falling[1];
        for (int i = 1; i < steps; i++)
            t[n++] = falling[i];
        s->evaluations = n;
    } else {
        prk_timesteps(s, falling, s->config.num_train_timesteps / steps / 2);
        memmove(t + PRK, falling + 3, (size_t)(steps - 3) * sizeof *t);
        s->evaluations = PRK + steps - 3;
    }
    s->config.rescale_betas_zero_snr = false; /* not a key of this class */
    return sl_scheduler_betas(s, 0, err) && sl_levels_from_alphas(s, err);
}

/* Formula (9): from timestep to prev with one (combined) prediction. */
static bool transfer(SlScheduler *s, const float *from, double timestep, double prev,
                     const float *model_output, float *to, SlError *err)
{
    double abar, abar_prev = s->config.set_alpha_to_one ? 1 : s->alphas_cumprod[0];
    if (!sl_alpha_at(s, timestep, &abar, err) ||
        (prev >= 0 && !sl_alpha_at(s, prev, &abar_prev, err)))
        return false;
    double denominator = abar * sqrt(1 - abar_prev) + sqrt(abar * (1 - abar) * abar_prev);
    double k[2] = {sqrt(abar_prev / abar), -(abar_prev - abar) / denominator};
    if (s->config.prediction_type == SL_PREDICT_V) {
        k[0] += k[1] * sqrt(1 - abar);
        k[1] *= sqrt(abar);
    }
    const float *terms[2] = {from, model_output};
    sl_combine(s->size, 2, k, terms, to);
    return true;
}

static bool step_prk(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    static const double weights[4] = {1 / 6., 1 / 3., 1 / 3., 1 / 6.};
    int i = s->state.position, h = s->config.num_train_timesteps / s->steps;
    size_t bytes = (size_t)s->size * sizeof(float);
    float *sum = s->slots[5];
    double from = s->timesteps[i / 4 * 4], prev = s->timesteps[i] - (i % 2 ? 0 : h / 2);
    if (i % 4 == 0) {
        memcpy(sl_push_slot(s, 3), x->model_output, bytes);
        s->state.filled = s->state.filled < 4 ? s->state.filled + 1 : 4;
        memcpy(s->slots[4], x->sample, bytes);
        memset(sum, 0, bytes);
    }
    const double k[2] = {1, weights[i % 4]};
    const float *terms[2] = {sum, x->model_output};
    sl_combine(s->size, 2, k, terms, sum);
    return transfer(s, s->slots[4], from, prev, i % 4 == 3 ? sum : x->model_output, x->sample, err);
}

static bool step_plms(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    int i = s->state.position;
    double h = s->config.num_train_timesteps / s->steps, t = s->timesteps[i], prev = t - h;
    size_t bytes = (size_t)s->size * sizeof(float);
    double k[4];
    if (s->config.skip_prk_steps && i == 1) {
        /* the same step again, with the mean of both predictions */
        const double half[2] = {0.5, 0.5};
        const float *both[2] = {x->model_output, s->slots[0]};
        sl_combine(s->size, 2, half, both, s->slots[5]);
        return transfer(s, s->slots[4], t + h, t, s->slots[5], x->sample, err);
    }
    memcpy(sl_push_slot(s, 3), x->model_output, bytes);
    s->state.filled = s->state.filled < 4 ? s->state.filled + 1 : 4;
    if (i == 0)
        memcpy(s->slots[4], x->sample, bytes);
    sl_adams_bashforth(s->state.filled, k);
    const float *history[4] = {s->slots[0], s->slots[1], s->slots[2], s->slots[3]};
    sl_combine(s->size, s->state.filled, k, history, s->slots[5]);
    return transfer(s, x->sample, t, prev, s->slots[5], x->sample, err);
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double abar;
    if (!sl_alpha_at(s, s->timesteps[s->state.position], &abar, err))
        return false;
    sl_predict_vp(s, sqrt(abar), sqrt(1 - abar), x->model_output, x->sample, x->x0, NULL);
    return in_prk(s) ? step_prk(s, x, err) : step_plms(s, x, err);
}

static int step_of(const SlScheduler *s, int evaluation, bool *ends)
{
    if (s->config.skip_prk_steps) {
        *ends = evaluation > 0 || s->evaluations == 1;
        return evaluation > 0 ? evaluation - 1 : 0;
    }
    *ends = evaluation >= PRK || evaluation % 4 == 3;
    return evaluation < PRK ? evaluation / 4 : evaluation - PRK + 3;
}

const SlSchedulerClass sl_pndm_class = {
    .info = {.id = "pndm",
             .class_name = "PNDMScheduler",
             .name = "PNDM",
             .good_for = "Stable Diffusion's own default: fourth order, good from 25 steps",
             .evaluations_per_step = 1,
             .takes_spacing = true},
    .slots = 6,
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .step = step,
    .step_of = step_of,
};
