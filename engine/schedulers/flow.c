/* flow.c - sigmas of models that predict flow: x_t = (1 - sigma) x_0 + sigma noise, and the model
 * says noise - x_0.
 *
 * Mirrors set_timesteps of scheduling_flow_match_*.py, use_flow_sigmas of the solvers, and
 * calculate_shift of the pipelines. Easy to get wrong: without sigmas from the pipeline, the
 * FlowMatch classes lay their points from the largest to the smallest sigma of training, both
 * shifted already, and shift them once more; numpy then counts in double, but in f32 with sigmas
 * from the pipeline.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

bool sl_is_flow(const SlScheduler *s)
{
    return s->config.prediction_type == SL_PREDICT_FLOW;
}

bool sl_flow_check(const SlScheduler *s, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    const SlSchedulerInfo *info = &s->class->info;
    if (info->only_flow)
        return true;
    if (c->sigmas != SL_SIGMAS_MODEL)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas are not "
                       "possible together with use_flow_sigmas",
                       info->id);
    if (c->invert_sigmas || c->shift_terminal > 0)
        return sl_fail(
            err, SL_UNSUPPORTED,
            "%s: the model's %s is not possible with this scheduler; expected flow-euler, "
            "flow-heun or flow-lcm",
            info->id, c->invert_sigmas ? "invert_sigmas" : "shift_terminal");
    return true;
}

/* ---- shifting ---- */

/* calculate_shift: mu lies on a line through two numbers of tokens. */
static bool find_mu(const SlScheduler *s, double *mu, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    const SlSchedulerRun *run = &s->run;
    int patch = run->patch > 0 ? run->patch : 1;
    double tokens = (double)(run->height / patch) * (run->width / patch);
    if (run->mu) {
        *mu = *run->mu;
        return true;
    }
    if (c->max_image_seq_len <= c->base_image_seq_len)
        return sl_fail(err, SL_FORMAT,
                       "%s: max_image_seq_len is %d; expected more than base_image_seq_len, %d",
                       s->class->info.id, c->max_image_seq_len, c->base_image_seq_len);
    if (tokens < 1)
        return sl_fail(
            err, SL_ARGUMENT,
            "%s: dynamic shifting needs the sample's size; it is %d x %d, in patches of %d",
            s->class->info.id, run->width, run->height, patch);
    double rise = (c->max_shift - c->base_shift) / (c->max_image_seq_len - c->base_image_seq_len);
    *mu = tokens * rise + (c->base_shift - rise * c->base_image_seq_len);
    return true;
}

/* What dynamic shifting shifts by: e^mu, or mu itself. */
static bool find_factor(const SlScheduler *s, double *factor, SlError *err)
{
    double mu = 0;
    if (!find_mu(s, &mu, err))
        return false;
    *factor = s->config.time_shift_linear ? mu : exp(mu);
    return *factor > 0 || sl_fail(err, SL_UNSUPPORTED,
                                  "%s: time_shift_type \"linear\" shifts by %g at this size; "
                                  "expected a positive number",
                                  s->class->info.id, *factor);
}

static double rounded(bool single, double v)
{
    return single ? (float)v : v;
}

/* k sigma / (1 + (k - 1) sigma), every operation in f32 or all in double. */
static double shifted(double k, double sigma, bool single)
{
    double above = rounded(single, rounded(single, k) * sigma);
    double below = rounded(single, rounded(single, k - 1) * sigma);
    return rounded(single, above / rounded(single, 1 + below));
}

/* k / (k + (1 / sigma - 1)): the same, as dynamic shifting takes it. */
static double shifted_dynamically(double k, double sigma, bool single)
{
    double odds = rounded(single, rounded(single, 1 / sigma) - 1), top = rounded(single, k);
    return rounded(single, top / rounded(single, top + odds));
}

/* Moves the last sigma to shift_terminal, and the others in proportion. */
static bool stretch(SlScheduler *s, int steps, bool single, SlError *err)
{
    double *sigmas = s->sigmas, last = rounded(single, 1 - sigmas[steps - 1]);
    double scale = rounded(single, last / rounded(single, 1 - s->config.shift_terminal));
    if (!(last > 0) || !isfinite(scale))
        return sl_fail(err, SL_ARGUMENT,
                       "%s: shift_terminal %g is not possible with %d step%s, of which the last "
                       "begins at sigma %g",
                       s->class->info.id, s->config.shift_terminal, steps, steps == 1 ? "" : "s",
                       sigmas[steps - 1]);
    for (int i = 0; i < steps; i++)
        sigmas[i] = rounded(single, 1 - rounded(single, rounded(single, 1 - sigmas[i]) / scale));
    return true;
}

/* ---- the FlowMatch classes ---- */

/* The points before they are shifted. */
static double point(const SlScheduler *s, int steps, int i)
{
    const SlSchedulerConfig *c = &s->config;
    double train = c->num_train_timesteps;
    if (s->run.even_sigmas)
        return (float)sl_linspace(1, 1.0 / steps, steps, i);
    double low = (float)(1 / train), high = 1;
    if (!c->use_dynamic_shifting) {
        low = shifted(c->shift, low, true);
        high = shifted(c->shift, high, true);
    }
    return sl_linspace(high * train, low * train, steps, i) / train;
}

bool sl_flow_timesteps(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    double *sigmas = s->sigmas, factor = c->shift;
    bool single = s->run.even_sigmas;
    if (c->use_dynamic_shifting && !find_factor(s, &factor, err))
        return false;
    for (int i = 0; i < steps; i++)
        sigmas[i] = (c->use_dynamic_shifting ? shifted_dynamically
                                             : shifted)(factor, point(s, steps, i), single);
    if (c->shift_terminal > 0 && !stretch(s, steps, single, err))
        return false;
    if (c->sigmas != SL_SIGMAS_MODEL)
        sl_sigmas_convert(c, sigmas[0], sigmas[steps - 1], steps, sigmas);
    for (int i = 0; i < steps; i++) {
        float sigma = (float)sigmas[i];
        sigmas[i] = c->invert_sigmas ? 1 - sigma : sigma;
        s->levels[i] = c->invert_sigmas ? 1 - sigmas[i] : sigma;
        s->timesteps[i] = (float)sigmas[i] * (float)c->num_train_timesteps;
    }
    sigmas[steps] = c->invert_sigmas;
    s->evaluations = steps;
    s->sigma_count = steps + 1;
    return true;
}

/* ---- the solvers ---- */

bool sl_flow_solver(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    double factor = c->shift, train = c->num_train_timesteps;
    if (c->use_dynamic_shifting && !find_factor(s, &factor, err))
        return false;
    for (int i = 0; i < steps; i++) {
        double sigma = shifted(factor, 1 - sl_linspace(1, 1 / train, steps + 1, steps - i), false);
        s->timesteps[i] = floor(sigma * train);
        s->levels[i] = s->sigmas[i] = (float)sigma;
    }
    s->evaluations = steps;
    s->sigma_count = steps + 1;
    return true;
}
