/* sigmas.c - sigma schedules of the solvers that work in lambda = log(alpha / sigma): dpmpp and
 * unipc.
 *
 * Mirrors set_timesteps of scheduling_dpmsolver_multistep.py and scheduling_unipc_multistep.py.
 * Easy to get wrong: the karras, exponential and beta schedules run between the ends of the
 * training schedule, not of the chosen timesteps, and timesteps become whole numbers: rounded for
 * karras, cut off for the others. The final sigma "sigma_min" is one of training's betas, for flow,
 * too; unipc and deis then repeat the last sigma instead, so that deis leaves it in a flow's
 * picture.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

SlLambda sl_lambda_at(const SlScheduler *s, int index)
{
    float sigma = (float)s->sigmas[index];
    SlLambda l;
    l.alpha = sl_is_flow(s) ? 1 - sigma : sl_is_edm(s) ? 1 : 1 / sqrtf(sigma * sigma + 1);
    l.sigma = sl_is_flow(s) ? sigma : sigma * l.alpha;
    l.lambda = logf(l.alpha) - logf(l.sigma);
    return l;
}

/* Lu et al. 2022: evenly spaced in log sigma, between logarithms in f32 as diffusers keeps them: so
 * the first sigma's timestep is the last of training, whose logarithm it has. */
static void lu_lambdas(double high, double low, int n, double *sigmas)
{
    double first = sl_log_f32((float)high), last = sl_log_f32((float)low);
    for (int i = 0; i < n; i++)
        sigmas[i] = exp(n == 1 ? first : first + (last - first) * i / (n - 1));
}

/* timesteps and sigmas of models that do not predict flow, but for the last sigma. */
static bool lay_out(SlScheduler *s, int steps, const SlSolverSigmas *how, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    double *sigmas = s->sigmas;
    if (!sl_timesteps_plus_one(s, steps, how->last_timestep, err))
        return false;
    double high = sl_sigma_at(s, c->num_train_timesteps - 1), low = sl_sigma_at(s, 0);
    bool converted = c->sigmas != SL_SIGMAS_MODEL;
    bool preset = sl_is_preset(c->sigmas);
    bool lu = c->use_lu_lambdas && c->sigmas != SL_SIGMAS_KARRAS && !preset;
    if (lu)
        lu_lambdas(high, low, steps, sigmas);
    else if (preset)
        sl_sigmas_preset(s, steps, sigmas);
    else if (converted)
        sl_sigmas_convert(c, high, low, steps, sigmas);
    for (int i = 0; i < steps; i++) {
        if (!lu && !converted) {
            sigmas[i] = sl_sigma_interpolated(s, s->timesteps[i]);
            continue;
        }
        double t = sl_sigma_to_t(s, sigmas[i]);
        bool rounds = (lu || c->sigmas == SL_SIGMAS_KARRAS) &&
                      (how->round_karras || c->beta_schedule != SL_BETAS_COSINE);
        s->timesteps[i] = rounds || preset ? rint(t) : floor(t);
    }
    return true;
}

bool sl_sigmas_solver(SlScheduler *s, int steps, const SlSolverSigmas *how, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    double *sigmas = s->sigmas, last = 0;
    bool own = sl_is_flow(s) || c->sigmas != SL_SIGMAS_MODEL;
    if (!(sl_is_flow(s) ? sl_flow_solver(s, steps, err) : lay_out(s, steps, how, err)))
        return false;
    if (c->final_sigma_min)
        last = own && how->last_of_schedule ? sigmas[steps - 1] : sl_sigma_at(s, 0);
    sigmas[steps] = last;
    s->evaluations = steps;
    s->sigma_count = steps + 1;
    for (int i = 0; i <= steps; i++)
        sigmas[i] = (float)sigmas[i];
    for (int i = 0; i < steps; i++)
        s->levels[i] = sigmas[i];
    return true;
}
