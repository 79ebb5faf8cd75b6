/* pairs.c - what the schedulers with two evaluations a step share (heun, dpmpp_sde, dpm2).
 *
 * Easy to get wrong: every sigma but the first is kept twice, so that a position counts
 * evaluations: even ones begin a step, odd ones end it. The last step leads to sigma 0 and has only
 * the first.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

void sl_pairs_defaults(SlSchedulerConfig *c)
{
    c->beta_start = 0.00085;
    c->beta_end = 0.012;
}

bool sl_pairs_timesteps(SlScheduler *s, int steps, SlError *err)
{
    s->config.rescale_betas_zero_snr = false; /* not a key of these classes */
    if (!sl_scheduler_betas(s, 0, err))
        return false;
    sl_sigmas_fractional(s, steps, 0);
    s->evaluations = 2 * steps - 1;
    s->sigma_count = 2 * steps;
    s->sigmas[2 * steps - 1] = 0;
    for (int i = s->evaluations - 1; i >= 0; i--) {
        s->timesteps[i] = s->timesteps[(i + 1) / 2];
        s->levels[i] = s->sigmas[i] = s->sigmas[(i + 1) / 2];
    }
    return true;
}

double sl_pairs_end(const SlScheduler *s)
{
    int at = s->state.position;
    return s->sigmas[at % 2 == 0 ? at + 1 : at];
}

void sl_pairs_input(const SlScheduler *s, const float *sample, float *input)
{
    double sigma = s->levels[s->state.position], scale = sqrt(sigma * sigma + 1);
    for (int64_t i = 0; i < s->size; i++)
        input[i] = (float)(sample[i] / scale);
}

int sl_pairs_step_of(const SlScheduler *s, int evaluation, bool *ends)
{
    *ends = evaluation % 2 == 1 || evaluation == s->evaluations - 1;
    return evaluation / 2;
}
