/* deis.c - DEISMultistepScheduler (schedulers/scheduling_deis_multistep.py): exponential integrator
 * of order 1 to 3, polynomials in log rho (Zhang and Chen 2023).
 *
 * Slots 0 to 2 hold epsilon, newest first. The weight of each is the integral over rho of its
 * Lagrange polynomial in log rho.
 * Easy to get wrong: these weights are differences of large terms. diffusers takes them in f32,
 * which costs it up to some 1e-5 of a step; here they are double. There is no final sigma of 0. The
 * last one is that of training's first timestep, or with a converted schedule the schedule's own
 * last once more.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    SlSchedulerConfig *c = &s->config;
    const SlSolverSigmas how = {
        .last_timestep = c->num_train_timesteps, .round_karras = true, .last_of_schedule = true};
    if (c->algorithm_type == SL_SDE_DPMSOLVER || c->algorithm_type == SL_SDE_DPMSOLVERPP)
        return sl_fail(err, SL_UNSUPPORTED,
                       "deis: algorithm_type is a stochastic one; expected deis, dpmsolver or "
                       "dpmsolver++");
    c->rescale_betas_zero_snr = c->use_lu_lambdas = false; /* keys of its neighbours */
    c->final_sigma_min = true;
    return sl_scheduler_betas(s, 0, err) && sl_sigmas_solver(s, steps, &how, err);
}

static double alpha_at(const SlScheduler *s, int index)
{
    double sigma = s->sigmas[index];
    return sl_is_flow(s) ? 1 - sigma : 1 / sqrt(sigma * sigma + 1);
}

/* rho is sigma / alpha, which is what sigmas hold except of flow. */
static double log_rho(const SlScheduler *s, int index)
{
    double sigma = s->sigmas[index];
    return log(sl_is_flow(s) ? sigma / (1 - sigma) : sigma);
}

/* x_0 into x->x0, and epsilon into slot 0. */
static bool convert(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double alpha = alpha_at(s, s->state.position), sigma = s->sigmas[s->state.position];
    float *epsilon = sl_push_slot(s, 2);
    if (!sl_is_flow(s))
        sigma *= alpha;
    sl_predict_vp(s, alpha, sigma, x->model_output, x->sample, x->x0, epsilon);
    if (!s->config.thresholding)
        return true;
    const double k[2] = {1 / sigma, -alpha / sigma};
    const float *terms[2] = {x->sample, x->x0};
    if (!sl_threshold_x0(s, x->x0, err))
        return false;
    sl_combine(s->size, 2, k, terms, epsilon);
    return true;
}

/* The antiderivative at rho = e^u of the product of (log rho - root). */
static double antiderivative(double u, const double *root, int roots)
{
    if (roots == 0)
        return exp(u);
    double a = root[0], b = root[roots - 1];
    if (roots == 1)
        return exp(u) * (u - a - 1);
    return exp(u) * ((u - a) * (u - b) - (2 * u - a - b) + 2);
}

/* Of prediction k (0: the newest), over the step. */
static double weight(const SlScheduler *s, int order, int k)
{
    int at = s->state.position, roots = 0;
    double root[3] = {0}, scale = 1, own = log_rho(s, at - k);
    for (int i = 0; i < order; i++)
        if (i != k) {
            root[roots] = log_rho(s, at - i);
            scale *= own - root[roots++];
        }
    return (antiderivative(log_rho(s, at + 1), root, roots) -
            antiderivative(log_rho(s, at), root, roots)) /
           scale;
}

static int order_now(const SlScheduler *s)
{
    const SlSchedulerConfig *c = &s->config;
    int order = c->solver_order, left = s->evaluations - s->state.position;
    if (c->lower_order_final && s->evaluations < 15 && left < order)
        order = left;
    return order < s->state.filled ? order : s->state.filled;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    if (!convert(s, x, err))
        return false;
    s->state.filled = s->state.filled < 3 ? s->state.filled + 1 : 3;
    int at = s->state.position, order = order_now(s);
    double alpha = alpha_at(s, at + 1), k[4] = {alpha / alpha_at(s, at)};
    const float *terms[4] = {x->sample, s->slots[0], s->slots[1], s->slots[2]};
    for (int i = 0; i < order; i++)
        k[i + 1] = alpha * weight(s, order, i);
    sl_combine(s->size, order + 1, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_deis_class = {
    .info = {.id = "deis",
             .class_name = "DEISMultistepScheduler",
             .name = "DEIS",
             .good_for = "Exponential integrator: clean pictures from 10 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_flow = true},
    .slots = 3,
    .set_timesteps = set_timesteps,
    .step = step,
};
