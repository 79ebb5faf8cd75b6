/* k_multistep.c - the samplers of k-diffusion and ComfyUI that look back at the x_0 of earlier steps,
 * one evaluation a step: sample_dpmpp_2m_sde (solver "midpoint") and sample_dpmpp_3m_sde of
 * k_diffusion/sampling.py; res_multistep and er_sde of ComfyUI
 * (comfy/k_diffusion/sampling.py). diffusers has none of them with this noise or at all.
 *
 * "Refined Exponential Solver" (Zhang et al. 2023), "Extended Reverse-Time SDE" (Cui et al. 2023).
 * Each is a function from the sigmas to the weights of what is known;
 * slots 0 to 2 hold the newest predictions of x_0.
 *
 * Easy to get wrong: without history the order is lower, also where a branch enters in the middle;
 * res_multistep's logarithms of its last step end where that landed before its noise.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

/* Of the sample, of x_0 now and before, of fresh noise. */
typedef struct Weights {
    double sample, x0[3], noise;
} Weights;

typedef Weights Weigh(const SlScheduler *s, double from, double to);

/* Sigma some evaluations ago. */
static double before(const SlScheduler *s, int ago)
{
    return s->sigmas[s->state.position - ago];
}

/* ---- DPM++ SDE ---- */

/* The ratio of the step that ended some steps ago to this one, in log sigma. */
static double ratio(const SlScheduler *s, int ago, double h)
{
    return log(before(s, ago) / before(s, ago - 1)) / h;
}

/* Order 1 of both. */
static Weights sde_base(const SlScheduler *s, double from, double to)
{
    double h = log(from / to), eta = s->config.eta;
    return (Weights){.sample = to / from * exp(-eta * h),
                     .x0 = {-expm1(-h - eta * h)},
                     .noise = to * sqrt(-expm1(-2 * eta * h))};
}

static Weights sde_2m(const SlScheduler *s, double from, double to)
{
    Weights w = sde_base(s, from, to);
    if (s->state.filled >= 2) {
        double more = 0.5 * w.x0[0] / ratio(s, 1, log(from / to));
        w.x0[0] += more;
        w.x0[1] = -more;
    }
    return w;
}

static Weights sde_3m(const SlScheduler *s, double from, double to)
{
    Weights w = sde_base(s, from, to);
    double h = log(from / to), all = h * (1 + s->config.eta);
    double phi2 = expm1(-all) / all + 1, phi3 = phi2 / all - 0.5;
    if (s->state.filled < 2)
        return w;
    double r0 = ratio(s, 1, h), newer = phi2 / r0, older = 0;
    if (s->state.filled >= 3) {
        double r1 = ratio(s, 2, h), bend = (phi2 * r0 - phi3) / (r0 + r1);
        newer = (phi2 + bend) / r0;
        older = -bend / r1;
    }
    w.x0[0] += newer;
    w.x0[1] = older - newer;
    w.x0[2] = -older;
    return w;
}

/* ---- res_multistep ---- */

static Weights res_multistep(const SlScheduler *s, double from, double to)
{
    SlLanding land = sl_ancestral(from, to, s->config.eta);
    Weights w = {.sample = land.down / from, .x0 = {1 - land.down / from}, .noise = land.up};
    if (s->state.filled < 2 || land.down == 0)
        return w;
    double h = log(from / land.down);
    double landed = sl_ancestral(before(s, 1), from, s->config.eta).down;
    double back = log(landed / before(s, 1)) / h;
    double phi1 = -expm1(-h) / h, phi2 = (1 - phi1) / h;
    w.sample = exp(-h);
    w.x0[0] = h * (phi1 - phi2 / back);
    w.x0[1] = h * phi2 / back;
    return w;
}

/* ---- ER-SDE ---- */

#define ER_POINTS 200

/* How much noise the process has at a sigma. */
static double er_scale(double sigma)
{
    return sigma * (exp(pow(sigma, 0.3)) + 10);
}

static Weights er_sde(const SlScheduler *s, double from, double to)
{
    double scale = er_scale(to), r = scale / er_scale(from), width = (from - to) / ER_POINTS;
    double sum = 0, sum_u = 0, left = to * to - from * from * r * r;
    Weights w = {.sample = r, .x0 = {1 - r}, .noise = left > 0 ? sqrt(left) : 0};
    if (s->state.filled < 2)
        return w;
    for (int i = 0; i < ER_POINTS; i++) {
        double at = to + i * width;
        sum += width / er_scale(at);
        sum_u += width * (at - from) / er_scale(at);
    }
    double slope = (to - from + sum * scale) / (from - before(s, 1)), bend = 0;
    if (s->state.filled >= 3) {
        double second = (to - from) * (to - from) / 2 + sum_u * scale;
        bend = 2 * second / (from - before(s, 2));
        slope += bend / (from - before(s, 1));
        bend /= before(s, 1) - before(s, 2);
    }
    w.x0[0] += slope;
    w.x0[1] = -slope - bend;
    w.x0[2] = bend;
    return w;
}

/* ---- what they share ---- */

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    s->config.rescale_betas_zero_snr = false; /* not a key of k-diffusion */
    if (!sl_scheduler_betas(s, 0, err))
        return false;
    sl_sigmas_fractional(s, steps, 0);
    return true;
}

static void defaults_eta(SlSchedulerConfig *c)
{
    sl_pairs_defaults(c);
    c->eta = 1;
}

/* Fresh noise is asked for where it has a weight. */
static bool with_noise(const SlScheduler *s)
{
    return s->sigmas[s->state.position + 1] > 0 && s->config.eta > 0;
}

static bool always_noise(const SlScheduler *s)
{
    return s->sigmas[s->state.position + 1] > 0;
}

static void step_by(SlScheduler *s, const SlSchedulerStep *x, Weigh *weigh)
{
    int keep = s->class->slots - 1;
    double from = s->sigmas[s->state.position], to = s->sigmas[s->state.position + 1];
    float *newest = sl_push_slot(s, keep);
    s->state.filled = s->state.filled <= keep ? s->state.filled + 1 : s->state.filled;
    Weights w = to > 0 ? weigh(s, from, to) : (Weights){.x0 = {1}};
    for (int64_t i = 0; i < s->size; i++) {
        double x0 = sl_original_ve(s, from, x->model_output[i], x->sample[i]);
        double next = w.sample * x->sample[i] + w.x0[0] * x0;
        newest[i] = x->x0[i] = (float)x0;
        for (int k = 1; k < s->class->slots; k++)
            next += w.x0[k] * s->slots[k][i];
        x->sample[i] = (float)(x->noise ? next + w.noise * x->noise[i] : next);
    }
}

static bool step_2m(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    step_by(s, x, sde_2m);
    return true;
}

static bool step_3m(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    step_by(s, x, sde_3m);
    return true;
}

static bool step_res(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    step_by(s, x, res_multistep);
    return true;
}

static bool step_er(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    step_by(s, x, er_sde);
    return true;
}

/* What all four have, and what the two of DPM++ say. */
#define COMMON \
    .set_timesteps = set_timesteps, .input = sl_input_ve, .init_noise_sigma = sl_init_sigma_ve
#define SDE_INFO                                                                                 \
    .evaluations_per_step = 1, .draws_noise = true, .takes_sigmas = true, .takes_spacing = true, \
    .takes_eta = true, .default_eta = 1

const SlSchedulerClass sl_dpmpp_2m_sde_bt_class = {
    .info = {.id = "dpmpp-2m-sde-bt",
             .class_name = "k_diffusion.sample_dpmpp_2m_sde",
             .name = "DPM++ 2M SDE Brownian",
             .good_for = "DPM++ 2M SDE of other programs: one noise for all numbers of steps",
             SDE_INFO},
    .slots = 2,
    .defaults = defaults_eta,
    .needs_noise = with_noise,
    .brownian = true,
    .step = step_2m,
    COMMON,
};

const SlSchedulerClass sl_dpmpp_3m_sde_class = {
    .info = {.id = "dpmpp-3m-sde",
             .class_name = "k_diffusion.sample_dpmpp_3m_sde",
             .name = "DPM++ 3M SDE",
             .good_for =
                 "Third order with fresh noise: fine texture from 25 steps, overdrawn with fewer",
             SDE_INFO},
    .slots = 3,
    .defaults = defaults_eta,
    .needs_noise = with_noise,
    .brownian = true,
    .step = step_3m,
    COMMON,
};

const SlSchedulerClass sl_res_multistep_class = {
    .info = {.id = "res-multistep",
             .class_name = "ComfyUI.res_multistep",
             .name = "RES multistep",
             .good_for = "Second order, exact for the linear part: good from 12 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_eta = true},
    .slots = 2,
    .defaults = sl_pairs_defaults,
    .needs_noise = with_noise,
    .step = step_res,
    COMMON,
};

const SlSchedulerClass sl_er_sde_class = {
    .info = {.id = "er-sde",
             .class_name = "ComfyUI.er_sde",
             .name = "ER-SDE",
             .good_for = "Third order with little fresh noise: detail in few steps, from 15",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 3,
    .defaults = sl_pairs_defaults,
    .needs_noise = always_noise,
    .step = step_er,
    COMMON,
};
