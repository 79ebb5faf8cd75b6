/* dpmpp_singlestep.c - DPMSolverSinglestepScheduler
 * (schedulers/scheduling_dpmsolver_singlestep.py): DPM-Solver and DPM-Solver++ whose steps of order
 * 1, 2 and 3 take turns, each group starting from the same sample.
 *
 * Slots 0 to 2 hold the predictions, newest first, slot 3 the sample that the group started from.
 * Easy to get wrong: where the group does not divide the number of steps, or the last sigma is 0,
 * lower_order_final is set whatever the configuration says; a beginning in the middle of a group
 * has no predictions yet and starts a group of its own.
 */
#include "engine/schedulers/internal.h"

#include <string.h>

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    SlSolverSigmas how = {.round_karras = true};
    SlSchedulerConfig *c = &s->config;
    if (c->algorithm_type == SL_SDE_DPMSOLVER)
        return sl_fail(err, SL_UNSUPPORTED,
                       "dpmpp-2s: algorithm_type is \"sde-dpmsolver\"; expected dpmsolver++, "
                       "sde-dpmsolver++ or dpmsolver");
    if (c->algorithm_type == SL_DPMSOLVER && !c->final_sigma_min)
        return sl_fail(err, SL_UNSUPPORTED,
                       "dpmpp-2s: algorithm_type dpmsolver needs final_sigmas_type \"sigma_min\"; "
                       "the model's configuration says \"zero\"");
    c->rescale_betas_zero_snr = c->use_lu_lambdas = false; /* keys of its neighbour */
    c->timestep_spacing = SL_SPACING_LINSPACE;
    if (!sl_dpm_suits_flow(s, err) || !sl_scheduler_betas(s, 0, err))
        return false;
    how.last_timestep = sl_dpm_last_timestep(s);
    return sl_sigmas_solver(s, steps, &how, err);
}

/* The class's order_list. */
static int listed_order(const SlScheduler *s, int at)
{
    const SlSchedulerConfig *c = &s->config;
    int n = s->evaluations, group = c->solver_order;
    bool lower = c->lower_order_final || n % group || !c->final_sigma_min;
    if (at == n - 1 && (!c->final_sigma_min || (lower && n % group == 0)))
        return 1;
    return at % group + 1;
}

/* The derivatives' weights become weights of the predictions: D0 is the group's first. */
static void prediction_weights(const SlScheduler *s, const SlDpmUpdate *u, int order, double h,
                               double m[3])
{
    int at = s->state.position;
    double start = sl_lambda_at(s, at - order + 1).lambda;
    memset(m, 0, 3 * sizeof *m);
    m[order - 1] = u->d[0];
    if (order == 1)
        return;
    double r0 = (sl_lambda_at(s, at).lambda - start) / h, newest = u->d[1], middle = 0;
    if (order == 3 && s->config.solver_heun) {
        double r1 = (sl_lambda_at(s, at - 1).lambda - start) / h;
        newest = (2 * u->d[2] - r1 * u->d[1]) / (r0 - r1) / r0;
        middle = (r0 * u->d[1] - 2 * u->d[2]) / (r0 - r1) / r1;
    } else {
        newest /= r0;
    }
    m[0] += newest;
    m[1] += middle;
    m[order - 1] -= newest + middle;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    if (!sl_dpm_convert(s, x, 2, err))
        return false;
    int at = s->state.position, order = listed_order(s, at);
    s->state.filled = s->state.filled < 3 ? s->state.filled + 1 : 3;
    order = order < s->state.filled ? order : s->state.filled;
    if (order == 1)
        memcpy(s->slots[3], x->sample, (size_t)s->size * sizeof(float));
    SlLambda from = sl_lambda_at(s, at - order + 1), to = sl_lambda_at(s, at + 1);
    SlDpmUpdate u = sl_dpm_update(s, order, from, to);
    double m[3];
    prediction_weights(s, &u, order, to.lambda - from.lambda, m);
    const double k[5] = {u.sample, m[0], m[1], m[2], u.noise};
    const float *terms[5] = {s->slots[3], s->slots[0], order > 1 ? s->slots[1] : NULL,
                             order > 2 ? s->slots[2] : NULL, x->noise};
    sl_combine(s->size, 5, k, terms, x->sample);
    return true;
}

static void defaults(SlSchedulerConfig *c)
{
    c->lower_order_final = false;
}

const SlSchedulerClass sl_dpmpp_2s_class = {
    .info = {.id = "dpmpp-2s",
             .class_name = "DPMSolverSinglestepScheduler",
             .name = "DPM++ 2S",
             .good_for = "DPM++ 2M's single-step sister: pairs of steps from one sample",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_flow = true},
    .slots = 4,
    .defaults = defaults,
    .set_timesteps = set_timesteps,
    .needs_noise = sl_dpm_stochastic,
    .step = step,
};
