/* dpmpp.c - DPMSolverMultistepScheduler (schedulers/scheduling_dpmsolver_multistep.py): DPM-Solver
 * and DPM-Solver++ of order 1 to 3 and their stochastic forms.
 *
 * Every update is a sum over the sample, the newest three predictions (x_0 for ++, epsilon
 * otherwise) and noise; the functions below give its coefficients. Slots 0 to 2 hold the
 * predictions, newest first. Easy to get wrong: a final sigma of 0 makes the last step first order,
 * since lambda is infinite there.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

static bool predicts_x0(const SlScheduler *s)
{
    return s->config.algorithm_type == SL_DPMSOLVERPP ||
           s->config.algorithm_type == SL_SDE_DPMSOLVERPP;
}

bool sl_dpm_stochastic(const SlScheduler *s)
{
    return s->config.algorithm_type == SL_SDE_DPMSOLVER ||
           s->config.algorithm_type == SL_SDE_DPMSOLVERPP;
}

bool sl_dpm_suits_flow(const SlScheduler *s, SlError *err)
{
    return !sl_is_flow(s) || predicts_x0(s) ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: algorithm_type is dpmsolver or sde-dpmsolver; expected dpmsolver++ or "
                   "sde-dpmsolver++ with prediction_type \"flow_prediction\"",
                   s->class->info.id);
}

int sl_dpm_last_timestep(const SlScheduler *s)
{
    int n = s->config.num_train_timesteps, clipped = 0;
    for (int t = n - 1; t >= 0; t--) {
        float abar = s->alphas_cumprod[t];
        float lambda = logf(sqrtf(abar)) - logf(sqrtf(1 - abar));
        if (!(lambda < s->config.lambda_min_clipped))
            break;
        clipped++;
    }
    return n - clipped;
}

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    SlSolverSigmas how = {0};
    const SlSchedulerConfig *c = &s->config;
    if (!predicts_x0(s) && !c->final_sigma_min)
        return sl_fail(err, SL_UNSUPPORTED,
                       "dpmpp-2m: algorithm_type dpmsolver needs final_sigmas_type \"sigma_min\"; "
                       "the model's configuration says \"zero\"");
    if (!sl_dpm_suits_flow(s, err) || !sl_scheduler_betas(s, 0x1p-24, err))
        return false;
    how.last_timestep = sl_dpm_last_timestep(s);
    return sl_sigmas_solver(s, steps, &how, err);
}

bool sl_dpm_convert(SlScheduler *s, const SlSchedulerStep *x, int keep, SlError *err)
{
    SlLambda now = sl_lambda_at(s, s->state.position);
    float *kept = sl_push_slot(s, keep);
    sl_predict_vp(s, now.alpha, now.sigma, x->model_output, x->sample, x->x0,
                  predicts_x0(s) ? NULL : kept);
    if (!sl_threshold_x0(s, x->x0, err))
        return false;
    if (predicts_x0(s)) {
        memcpy(kept, x->x0, (size_t)s->size * sizeof(float));
    } else if (s->config.thresholding) {
        const double k[2] = {1 / (double)now.sigma, -(double)now.alpha / now.sigma};
        const float *terms[2] = {x->sample, x->x0};
        sl_combine(s->size, 2, k, terms, kept);
    }
    return true;
}

static SlDpmUpdate deterministic_update(const SlScheduler *s, int order, SlLambda from, SlLambda to)
{
    bool first = predicts_x0(s);
    double h = to.lambda - from.lambda;
    /* x_0: e^-h - 1 on alpha; epsilon: e^h - 1 on sigma */
    double scale = first ? to.alpha : to.sigma, g = first ? -h : h, e = expm1(g);
    SlDpmUpdate u = {.sample =
                         first ? (double)to.sigma / from.sigma : (double)to.alpha / from.alpha};
    u.d[0] = -scale * e;
    u.d[1] = first ? scale * (e / h + 1) : -scale * (e / h - 1);
    u.d[2] = -scale * ((e - g) / (h * h) - 0.5);
    if (order == 2 && !s->config.solver_heun)
        u.d[1] = -0.5 * scale * e;
    return u;
}

static SlDpmUpdate stochastic_update(const SlScheduler *s, int order, SlLambda from, SlLambda to)
{
    SlDpmUpdate u = {0};
    bool midpoint = order == 2 && !s->config.solver_heun;
    double h = to.lambda - from.lambda;
    if (predicts_x0(s)) {
        double e = -expm1(-2 * h);
        u.sample = (double)to.sigma / from.sigma * exp(-h);
        u.d[0] = to.alpha * e;
        u.d[1] = midpoint ? 0.5 * to.alpha * e : to.alpha * (e / (-2 * h) + 1);
        u.d[2] = to.alpha * ((e - 2 * h) / (4 * h * h) - 0.5);
        u.noise = to.sigma * sqrt(e);
    } else {
        double e = expm1(h);
        u.sample = (double)to.alpha / from.alpha;
        u.d[0] = -2 * to.sigma * e;
        u.d[1] = midpoint ? -to.sigma * e : -2 * to.sigma * (e / h - 1);
        u.noise = to.sigma * sqrt(expm1(2 * h));
    }
    return u;
}

SlDpmUpdate sl_dpm_update(const SlScheduler *s, int order, SlLambda from, SlLambda to)
{
    return sl_dpm_stochastic(s) ? stochastic_update(s, order, from, to)
                                : deterministic_update(s, order, from, to);
}

static int order_now(const SlScheduler *s)
{
    const SlSchedulerConfig *c = &s->config;
    int left = s->evaluations - s->state.position;
    bool few = c->lower_order_final && s->evaluations < 15;
    bool first_at_end = left == 1 && (c->euler_at_final || few || !c->final_sigma_min);
    if (c->solver_order == 1 || s->state.lower_order_nums < 1 || first_at_end)
        return 1;
    if (c->solver_order == 2 || s->state.lower_order_nums < 2 || (left == 2 && few))
        return 2;
    return 3;
}

/* The derivatives' weights become weights of the predictions themselves. */
static void prediction_weights(const SlScheduler *s, const SlDpmUpdate *u, int order, double h,
                               double m[3])
{
    int at = s->state.position;
    m[0] = u->d[0];
    m[1] = m[2] = 0;
    if (order == 1)
        return;
    double here = sl_lambda_at(s, at).lambda, before = sl_lambda_at(s, at - 1).lambda;
    double r0 = (here - before) / h, p = u->d[1], q = 0, r1 = 1;
    if (order == 3) {
        r1 = (before - sl_lambda_at(s, at - 2).lambda) / h;
        double a = r0 / (r0 + r1), b = 1 / (r0 + r1);
        p = u->d[1] * (1 + a) + u->d[2] * b;
        q = -(u->d[1] * a + u->d[2] * b);
    }
    m[0] += p / r0;
    m[1] = -p / r0 + q / r1;
    m[2] = -q / r1;
}

bool sl_dpm_multistep(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    SlLambda from = sl_lambda_at(s, s->state.position), to = sl_lambda_at(s, s->state.position + 1);
    double h = to.lambda - from.lambda;
    int order = order_now(s);
    if (order == 3 && s->config.algorithm_type == SL_SDE_DPMSOLVER)
        return sl_fail(err, SL_UNSUPPORTED,
                       "dpmpp-2m: algorithm_type sde-dpmsolver has no solver_order 3");
    if (!sl_dpm_convert(s, x, s->class->slots - 1, err))
        return false;
    SlDpmUpdate u = sl_dpm_update(s, order, from, to);
    double m[3];
    prediction_weights(s, &u, order, h, m);
    const double k[5] = {u.sample, m[0], m[1], m[2], u.noise};
    const float *terms[5] = {x->sample, s->slots[0], order > 1 ? s->slots[1] : NULL,
                             order > 2 ? s->slots[2] : NULL, x->noise};
    sl_combine(s->size, 5, k, terms, x->sample);
    if (s->state.lower_order_nums < s->config.solver_order)
        s->state.lower_order_nums++;
    return true;
}

static void sde_defaults(SlSchedulerConfig *c)
{
    c->algorithm_type = SL_SDE_DPMSOLVERPP;
}

const SlSchedulerClass sl_dpmpp_2m_class = {
    .info = {.id = "dpmpp-2m",
             .class_name = "DPMSolverMultistepScheduler",
             .name = "DPM++ 2M",
             .good_for = "Second order for the price of one evaluation: good from 15 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_flow = true},
    .slots = 3,
    .set_timesteps = set_timesteps,
    .needs_noise = sl_dpm_stochastic,
    .step = sl_dpm_multistep,
};

const SlSchedulerClass sl_dpmpp_2m_sde_class = {
    .info = {.id = "dpmpp-2m-sde",
             .class_name = "DPMSolverMultistepScheduler",
             .name = "DPM++ 2M SDE",
             .good_for = "DPM++ 2M with fresh noise: more texture, wants 25 steps or more",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_flow = true},
    .slots = 3,
    .defaults = sde_defaults,
    .set_timesteps = set_timesteps,
    .needs_noise = sl_dpm_stochastic,
    .step = sl_dpm_multistep,
};
