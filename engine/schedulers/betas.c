/* betas.c - the noise schedule of training: betas to alphas_cumprod, in f32 where PyTorch is.
 *
 * Mirrors the constructors of schedulers/scheduling_*.py, betas_for_alpha_bar and
 * rescale_zero_terminal_snr. torch.cumprod on the CPU multiplies in double and stores f32.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <stdlib.h>

/* torch.linspace in f32: from the start in the first half, from the end in the second, rounded
 * once. */
static float linspace(float start, float end, int n, int i)
{
    float step = n > 1 ? (end - start) / (float)(n - 1) : 0;
    return i < n / 2 ? fmaf(step, (float)i, start) : fmaf(-step, (float)(n - 1 - i), end);
}

static double alpha_bar(SlBetas schedule, double t)
{
    if (schedule == SL_BETAS_EXP)
        return exp(t * -12.0);
    double c = cos((t + 0.008) / 1.008 * M_PI / 2);
    return c * c;
}

static float beta_at(const SlSchedulerConfig *c, int i)
{
    int n = c->num_train_timesteps;
    if (c->trained_betas)
        return (float)c->trained_betas[i];
    switch (c->beta_schedule) {
    case SL_BETAS_SCALED_LINEAR: {
        float root = linspace((float)sqrt(c->beta_start), (float)sqrt(c->beta_end), n, i);
        return root * root;
    }
    case SL_BETAS_SIGMOID: {
        float x = linspace(-6, 6, n, i);
        return 1 / (1 + expf(-x)) * (float)(c->beta_end - c->beta_start) + (float)c->beta_start;
    }
    case SL_BETAS_COSINE:
    case SL_BETAS_EXP: {
        double t1 = (double)i / n, t2 = (double)(i + 1) / n;
        return (float)fmin(1 - alpha_bar(c->beta_schedule, t2) / alpha_bar(c->beta_schedule, t1),
                           0.999);
    }
    case SL_BETAS_LINEAR:
        break;
    }
    return linspace((float)c->beta_start, (float)c->beta_end, n, i);
}

static void cumprod(const float *betas, float *out, int n)
{
    double product = 1;
    for (int i = 0; i < n; i++) {
        product *= 1.0f - betas[i];
        out[i] = (float)product;
    }
}

/* "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1: shift the last
 * sqrt(abar) to zero, keep the first. */
static void rescale_zero_terminal_snr(float *betas, float *scratch, int n)
{
    cumprod(betas, scratch, n);
    for (int i = 0; i < n; i++)
        scratch[i] = sqrtf(scratch[i]);
    float first = scratch[0], last = scratch[n - 1];
    for (int i = 0; i < n; i++) {
        float root = (scratch[i] - last) * (first / (first - last));
        scratch[i] = root * root;
    }
    for (int i = n - 1; i > 0; i--)
        betas[i] = 1 - scratch[i] / scratch[i - 1];
    betas[0] = 1 - scratch[0];
}

bool sl_scheduler_betas(SlScheduler *s, double zero_snr_end, SlError *err)
{
    int n = s->config.num_train_timesteps;
    float *betas = malloc((size_t)n * sizeof *betas);
    s->alphas_cumprod = malloc((size_t)n * sizeof *s->alphas_cumprod);
    if (!betas || !s->alphas_cumprod) {
        free(betas);
        return sl_fail(err, SL_MEMORY, "out of memory for a schedule of %d timesteps", n);
    }
    for (int i = 0; i < n; i++)
        betas[i] = beta_at(&s->config, i);
    if (s->config.rescale_betas_zero_snr)
        rescale_zero_terminal_snr(betas, s->alphas_cumprod, n);
    cumprod(betas, s->alphas_cumprod, n);
    if (s->config.rescale_betas_zero_snr && zero_snr_end > 0)
        s->alphas_cumprod[n - 1] = (float)zero_snr_end;
    free(betas);
    for (int i = 0; i < n; i++)
        if (!(s->alphas_cumprod[i] >= 0 && s->alphas_cumprod[i] <= 1))
            return sl_fail(err, SL_FORMAT,
                           "the scheduler's betas make alphas_cumprod %g at timestep %d; expected "
                           "0 to 1 (beta_start %g, beta_end %g)",
                           s->alphas_cumprod[i], i, s->config.beta_start, s->config.beta_end);
    return true;
}
