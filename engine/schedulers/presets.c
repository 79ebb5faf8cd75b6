/* presets.c - schedules of noise levels that are not diffusers', and lists of one's own.
 *
 * normal, simple, sgm_uniform, linear_quadratic and kl_optimal are ComfyUI's (comfy/samplers.py);
 * ays is "Align Your Steps" (Sabour et al. 2024) with the sigmas of diffusers' AysSchedules, whose ten
 * steps are interpolated evenly in log sigma for other numbers, as the paper's page and ComfyUI do.
 *
 * Easy to get wrong: all of these run over the whole of training, whatever the timestep spacing, and
 * end with a step to 0 that is not among the n; between two of training's sigmas it is their
 * logarithms that are even.
 */
#include "engine/schedulers/internal.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between training's sigmas at a timestep that may be broken. */
static double sigma_between(const SlScheduler *s, double timestep)
{
    int last = s->config.num_train_timesteps - 1, low = (int)timestep;
    if (low >= last)
        return sl_sigma_at(s, last);
    double a = log(sl_sigma_at(s, low)), b = log(sl_sigma_at(s, low + 1)), w = timestep - low;
    return exp((1 - w) * a + w * b);
}

/* Point i of n that fall from 1, at first slowly and evenly, then faster and faster; the first half
 * of the steps takes 0.025 away. */
static double linear_quadratic(int n, int i)
{
    const double slow = 0.025;
    int even = n / 2, rest = n - even;
    if (n == 1 || i == 0)
        return 1;
    if (i < even)
        return 1 - i * slow / even;
    double apart = even - slow * n, square = apart / (even * (double)rest * rest);
    double slope = slow / even - 2 * apart / ((double)rest * rest);
    return 1 - (square * i * i + slope * i + square * even * even);
}

#define AYS_STEPS 10

static double align_your_steps(SlSigmas kind, int n, int i)
{
    static const double tables[2][AYS_STEPS + 1] = {
        {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029},
        {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029},
    };
    const double *table = tables[kind == SL_SIGMAS_AYS_SDXL];
    double at = (double)i * AYS_STEPS / n;
    int low = (int)at;
    double w = at - low;
    return w > 0 ? exp((1 - w) * log(table[low]) + w * log(table[low + 1])) : table[low];
}

static double point(const SlScheduler *s, int n, int i)
{
    int train = s->config.num_train_timesteps, last = train - 1;
    double high = sl_sigma_at(s, last), low = sl_sigma_at(s, 0);
    switch (s->config.sigmas) {
    case SL_SIGMAS_NORMAL:
        return sigma_between(s, n == 1 ? last : last - (double)last * i / (n - 1));
    case SL_SIGMAS_SGM_UNIFORM:
        return sigma_between(s, last - (double)last * i / n);
    case SL_SIGMAS_SIMPLE:
        return sl_sigma_at(s, last - (int)(i * ((double)train / n)));
    case SL_SIGMAS_KL_OPTIMAL: {
        double w = n == 1 ? 0 : (double)i / (n - 1);
        return tan(w * atan(low) + (1 - w) * atan(high));
    }
    case SL_SIGMAS_LINEAR_QUADRATIC:
        return high * linear_quadratic(n, i);
    case SL_SIGMAS_AYS:
    case SL_SIGMAS_AYS_SDXL:
        return align_your_steps(s->config.sigmas, n, i);
    case SL_SIGMAS_OWN:
        return s->config.own_sigmas[i];
    case SL_SIGMAS_MODEL:
    case SL_SIGMAS_KARRAS:
    case SL_SIGMAS_EXPONENTIAL:
    case SL_SIGMAS_BETA:
        break;
    }
    return high;
}

bool sl_is_preset(SlSigmas kind)
{
    return kind > SL_SIGMAS_BETA;
}

void sl_sigmas_preset(const SlScheduler *s, int n, double *sigmas)
{
    for (int i = 0; i < n; i++)
        sigmas[i] = point(s, n, i);
}

/* ---- a list ---- */

static bool no_list(const char *text, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT,
                   "the list of sigmas is \"%.100s\"; expected falling numbers with commas between "
                   "them, at most %d, and 0 at the end, as in 14.6,3.9,0.7,0",
                   text, SL_SIGMAS_MAX);
}

/* A number in decimal notation, whatever the locale; *end behind it, NULL: there is none. */
static double decimal(const char *text, const char **end)
{
    double number = 0, place = 1;
    int digits = 0, point_seen = 0;
    while (*text == ' ')
        text++;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point_seen); text++) {
        if (*text == '.') {
            point_seen = 1;
            continue;
        }
        number = number * 10 + (*text - '0');
        place *= point_seen ? 10 : 1;
        digits++;
    }
    while (*text == ' ')
        text++;
    *end = digits > 0 && digits <= 17 ? text : NULL;
    return number / place;
}

bool sl_sigmas_parse(const char *text, double *sigmas, int *count, SlError *err)
{
    const char *at = text;
    double previous = INFINITY;
    for (*count = 0; *count < SL_SIGMAS_MAX; at++) {
        const char *end;
        double sigma = (float)decimal(at, &end);
        if (!end || !(sigma < previous) || !isfinite(sigma))
            return no_list(text, err);
        if (sigmas)
            sigmas[*count] = sigma;
        ++*count;
        previous = sigma;
        at = end;
        if (*at != ',')
            break;
    }
    return (*at == '\0' && *count >= 2 && previous == 0) || no_list(text, err);
}

/* No exponent: the list knows none. */
static int write_sigma(double sigma, char *text, size_t size)
{
    const char *end;
    int length = 0;
    for (int digits = 0; digits <= 16; digits++) {
        length = snprintf(text, size, "%.*f,", digits, sigma);
        if ((float)decimal(text, &end) == (float)sigma && end)
            break;
    }
    return length;
}

#define SIGMA_ROOM 64 /* bytes of a number: f32 has up to 39 digits before the point */

char *sl_sigmas_text(const double *sigmas, int steps)
{
    char *text = malloc((size_t)steps * SIGMA_ROOM + 2);
    size_t used = 0;
    if (!text)
        return NULL;
    /* a point before the fractions, whatever the language */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(c);
    for (int i = 0; i < steps; i++)
        used += (size_t)write_sigma(sigmas[i], text + used, SIGMA_ROOM);
    strcpy(text + used, "0");
    uselocale(before);
    if (c)
        freelocale(c);
    return text;
}

bool sl_sigmas_check(const char *text, SlError *err)
{
    int count;
    return !*text || sl_sigmas_parse(text, NULL, &count, err);
}
