/* timesteps.c - which timesteps and sigmas: linspace, leading, trailing; karras, exponential, beta.
 *
 * Mirrors set_timesteps, _sigma_to_t and _convert_to_* of the schedulers. numpy rounds halves to
 * even, as rint does.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

double sl_linspace(double first, double last, int n, int i)
{
    if (n == 1)
        return first;
    return i == n - 1 ? last : first + (last - first) / (n - 1) * i;
}

/* Value i of numpy's arange(first, 0, -step), which works out its increment anew: where first - i *
 * step is halfway between two whole numbers, the last bit decides. */
static double falling(double first, double step, int i)
{
    return first + i * ((first - step) - first);
}

void sl_timesteps_whole(const SlSchedulerConfig *c, int steps, double *timesteps)
{
    int train = c->num_train_timesteps;
    for (int i = 0; i < steps; i++) {
        int from_low = steps - 1 - i;
        if (c->timestep_spacing == SL_SPACING_LINSPACE)
            timesteps[i] = rint(sl_linspace(0, train - 1, steps, from_low));
        else if (c->timestep_spacing == SL_SPACING_TRAILING)
            timesteps[i] = rint(falling(train, (double)train / steps, i)) - 1;
        else
            timesteps[i] = (double)from_low * (train / steps) + c->steps_offset;
    }
}

/* As f32, not rounded for linspace (euler, lms, heun). */
static void timesteps_fractional(const SlSchedulerConfig *c, int steps, double *timesteps)
{
    if (c->timestep_spacing != SL_SPACING_LINSPACE) {
        sl_timesteps_whole(c, steps, timesteps);
        return;
    }
    for (int i = 0; i < steps; i++)
        timesteps[i] = (float)sl_linspace(0, c->num_train_timesteps - 1, steps, steps - 1 - i);
}

bool sl_timesteps_plus_one(SlScheduler *s, int steps, int last_timestep, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    bool leading = c->timestep_spacing == SL_SPACING_LEADING;
    if (leading && steps > 1 && last_timestep < steps + 1) /* diffusers goes on, to NaN */
        return sl_fail(err, SL_ARGUMENT,
                       "steps is %d; expected at most %d with %s and timestep spacing \"leading\"",
                       steps, last_timestep - 1, s->class->info.id);
    for (int i = 0; i < steps; i++) {
        int from_low = steps - i;
        if (c->timestep_spacing == SL_SPACING_LINSPACE)
            s->timesteps[i] = rint(sl_linspace(0, last_timestep - 1, steps + 1, from_low));
        else if (c->timestep_spacing == SL_SPACING_TRAILING)
            s->timesteps[i] =
                rint(falling(last_timestep, (double)c->num_train_timesteps / steps, i)) - 1;
        else
            s->timesteps[i] = (double)from_low * (last_timestep / (steps + 1)) + c->steps_offset;
    }
    return true;
}

double sl_sigma_interpolated(const SlScheduler *s, double timestep)
{
    int last = s->config.num_train_timesteps - 1;
    if (timestep <= 0)
        return sl_sigma_at(s, 0);
    if (timestep >= last)
        return sl_sigma_at(s, last);
    int low = (int)timestep;
    double a = sl_sigma_at(s, low), b = sl_sigma_at(s, low + 1);
    return (b - a) * (timestep - low) + a;
}

/* numpy's logarithm of f32 arrays (simd_log_FLOAT), whose last bit is not logf's: a timestep
 * between two sigmas feels it. */
float sl_log_f32(float v)
{
    static const float p[] = {2.589979117907922693523e-02f, 3.808837741388407920751e-01f,
                              1.480000633576506585156e+00f, 2.112677543073053063722e+00f,
                              9.999999999999998702752e-01f, 0};
    static const float q[] = {5.875095403124574342950e-03f, 1.546476374983906719538e-01f,
                              9.864942958519418960339e-01f, 2.453006071784736363091e+00f,
                              2.612677543073109236779e+00f, 1};
    int exponent;
    float x = frexpf(v, &exponent), above = 0, below = 0;
    if (x < (float)M_SQRT1_2) {
        x *= 2;
        exponent--;
    }
    for (int i = 0; i < 6; i++) {
        above = fmaf(above, x - 1, p[i]);
        below = fmaf(below, x - 1, q[i]);
    }
    return fmaf((float)exponent, (float)M_LN2, above / below);
}

/* The last timestep whose sigma is not above this one, the last but one at most. From above: with zero
 * terminal SNR the last sigma can be smaller than those before it. */
static int timestep_below(const SlScheduler *s, double log_sigma)
{
    int n = s->config.num_train_timesteps, low = n - 1;
    while (low > 0 && sl_log_f32(sl_sigma_at(s, low)) > log_sigma)
        low--;
    return low < n - 2 ? low : n - 2;
}

double sl_sigma_to_t(const SlScheduler *s, double sigma)
{
    double log_sigma = log(fmax(sigma, 1e-10));
    if (s->config.num_train_timesteps < 2)
        return 0;
    int low = timestep_below(s, log_sigma);
    float below = sl_log_f32(sl_sigma_at(s, low)), above = sl_log_f32(sl_sigma_at(s, low + 1));
    double w = (below - log_sigma) / (double)(below - above);
    w = w < 0 ? 0 : w > 1 ? 1 : w;
    return (1 - w) * low + w * (low + 1);
}

float sl_sigma_to_t_f32(const SlScheduler *s, float sigma)
{
    float log_sigma = sl_log_f32(fmaxf(sigma, 1e-10f));
    if (s->config.num_train_timesteps < 2)
        return 0;
    int low = timestep_below(s, log_sigma);
    float below = sl_log_f32(sl_sigma_at(s, low)), above = sl_log_f32(sl_sigma_at(s, low + 1));
    float w = (below - log_sigma) / (below - above);
    w = w < 0 ? 0 : w > 1 ? 1 : w;
    float from_below = (1 - w) * (float)low, from_above = w * (float)(low + 1);
    return from_below + from_above;
}

/* ---- the beta distribution's quantile, as scipy.stats.beta.ppf ---- */

/* Continued fraction of the incomplete beta function (Lentz's method; DLMF 8.17.22). */
static double beta_fraction(double x, double a, double b)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1), f;
    d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    f = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double terms[2] = {even, odd};
        double change = 1;
        for (int k = 0; k < 2; k++) {
            d = 1 / (1 + terms[k] * d);
            c = 1 + terms[k] / c;
            change = c * d;
            f *= change;
        }
        if (fabs(change - 1) < 1e-16)
            break;
    }
    return f;
}

static double beta_cdf(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    int sign; /* all positive here; lgamma's global one would not be safe between threads */
    double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) +
                       a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

static double beta_quantile(double p, double a, double b)
{
    double low = 0, high = 1;
    if (p <= 0 || p >= 1)
        return p <= 0 ? 0 : 1;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (beta_cdf(middle, a, b) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- schedules of noise levels ---- */

/* Point i of n of the schedule from high to low, with numpy's linspace (i times the step). Karras
 * et al. 2022, equation 5, rho 7. */
static double converted(SlSigmas kind, double high, double low, int i, int n)
{
    switch (kind) {
    case SL_SIGMAS_KARRAS: {
        double a = pow(high, 1 / 7.0), b = pow(low, 1 / 7.0);
        return pow(a + sl_linspace(0, 1, n, i) * (b - a), 7);
    }
    case SL_SIGMAS_EXPONENTIAL:
        return exp(sl_linspace(log(high), log(low), n, i));
    case SL_SIGMAS_BETA:
        return low + beta_quantile(1 - sl_linspace(0, 1, n, i), 0.6, 0.6) * (high - low);
    default:
        break;
    }
    return high;
}

void sl_sigmas_convert(const SlSchedulerConfig *c, double high, double low, int n, double *sigmas)
{
    if (!isnan(c->sigma_max))
        high = c->sigma_max;
    if (!isnan(c->sigma_min))
        low = c->sigma_min;
    for (int i = 0; i < n; i++)
        sigmas[i] = converted(c->sigmas, high, low, i, n);
}

void sl_sigmas_converted(SlScheduler *s, double high, double low, int steps)
{
    if (sl_is_preset(s->config.sigmas))
        sl_sigmas_preset(s, steps, s->sigmas);
    else
        sl_sigmas_convert(&s->config, high, low, steps, s->sigmas);
    for (int i = 0; i < steps; i++) {
        s->timesteps[i] = (float)sl_sigma_to_t(s, s->sigmas[i]);
        s->levels[i] = s->sigmas[i] = (float)s->sigmas[i];
    }
}

void sl_sigmas_fractional(SlScheduler *s, int steps, double last)
{
    const SlSchedulerConfig *c = &s->config;
    double *sigmas = s->sigmas;
    timesteps_fractional(c, steps, s->timesteps);
    for (int i = 0; i < steps; i++)
        sigmas[i] = sl_sigma_interpolated(s, s->timesteps[i]);
    if (c->sigmas != SL_SIGMAS_MODEL)
        sl_sigmas_converted(s, sigmas[0], sigmas[steps - 1], steps);
    sigmas[steps] = last;
    for (int i = 0; i <= steps; i++)
        sigmas[i] = (float)sigmas[i];
    for (int i = 0; i < steps; i++)
        s->levels[i] = sigmas[i];
    s->evaluations = steps;
    s->sigma_count = steps + 1;
}

bool sl_alpha_at(const SlScheduler *s, double timestep, double *alpha, SlError *err)
{
    if (!(timestep >= 0 && timestep < s->config.num_train_timesteps))
        return sl_fail(err, SL_ARGUMENT,
                       "%s: timestep %g is outside of 0 to %d; another number of steps or "
                       "steps_offset is needed",
                       s->class->info.id, timestep, s->config.num_train_timesteps - 1);
    *alpha = s->alphas_cumprod[(int)timestep];
    return true;
}

bool sl_levels_from_alphas(SlScheduler *s, SlError *err)
{
    for (int i = 0; i < s->evaluations; i++) {
        double alpha;
        if (!sl_alpha_at(s, s->timesteps[i], &alpha, err))
            return false;
        s->levels[i] = s->sigmas[i] = sl_sigma_at(s, (int)s->timesteps[i]);
    }
    s->sigmas[s->evaluations] = 0;
    s->sigma_count = s->evaluations + 1;
    return true;
}
