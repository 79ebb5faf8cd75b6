/* levels.c - how much of a sample is noise: every question outside of a scheduler's own step about
 * alpha and sigma is answered here.
 *
 * Has no counterpart in diffusers. Easy to get wrong: s->levels is sigma / alpha, but for flow
 * sigma itself, since alpha begins at 0 there. A scheduler whose samples grow with the noise
 * (k-diffusion) shows the model a scaled one, kept in f32, and what is taken from one scheduler to
 * another goes through that form: recorded branches depend on its last bit.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

/* Of the sample as the model sees it: alpha^2 + sigma^2 = 1, or for flow alpha + sigma = 1, or for
 * EDM (sigma_data alpha)^2 + sigma^2 = 1. */
static SlNoiseLevel seen_level(const SlScheduler *s, int evaluation)
{
    double data = sl_is_edm(s) ? s->config.sigma_data : 1;
    double level = s->levels[evaluation], alpha = 1 / sqrt(data * data + level * level);
    if (sl_is_flow(s))
        return (SlNoiseLevel){1 - level, level};
    return (SlNoiseLevel){alpha, level * alpha};
}

/* Of samples that are x_0 + sigma noise, only the classes that have an input of their own. */
SlNoiseLevel sl_scheduler_level(const SlScheduler *s, int evaluation)
{
    if (s->class->input)
        return (SlNoiseLevel){1, s->levels[evaluation]};
    return seen_level(s, evaluation);
}

double sl_scheduler_sigma(const SlScheduler *s, int evaluation)
{
    return s->levels[evaluation];
}

void sl_scheduler_noise_of(const SlScheduler *s, int evaluation, const float *model_output,
                           const float *input, float *noise)
{
    SlNoiseLevel level = seen_level(s, evaluation);
    for (int64_t i = 0; i < s->size; i++) {
        double said = model_output[i];
        switch (s->config.prediction_type) {
        case SL_PREDICT_EPSILON:
            break;
        case SL_PREDICT_V:
            said = level.alpha * said + level.sigma * input[i];
            break;
        case SL_PREDICT_SAMPLE:
            said = level.sigma > 0 ? (input[i] - level.alpha * said) / level.sigma : 0;
            break;
        case SL_PREDICT_FLOW: {
            /* invert_sigmas: the model was trained to say x_0 - noise */
            double x0_to_noise = s->config.invert_sigmas ? -said : said;
            said = input[i] + level.alpha * x0_to_noise;
            break;
        }
        case SL_PREDICT_EDM_EPSILON:
            said = level.sigma * input[i] - s->config.sigma_data * level.alpha * said;
            break;
        case SL_PREDICT_EDM_V:
            said = level.sigma * input[i] + s->config.sigma_data * level.alpha * said;
            break;
        }
        noise[i] = (float)said;
    }
}

SlOriginalOf sl_scheduler_original_of(const SlScheduler *s, int evaluation)
{
    SlNoiseLevel level = seen_level(s, evaluation);
    double data = s->config.sigma_data;
    switch (s->config.prediction_type) {
    case SL_PREDICT_EPSILON:
        return (SlOriginalOf){1 / level.alpha, -level.sigma / level.alpha};
    case SL_PREDICT_V:
        return (SlOriginalOf){level.alpha, -level.sigma};
    case SL_PREDICT_SAMPLE:
        break;
    case SL_PREDICT_FLOW:
        return (SlOriginalOf){1, s->config.invert_sigmas ? level.sigma : -level.sigma};
    case SL_PREDICT_EDM_EPSILON:
        return (SlOriginalOf){data * data * level.alpha, level.sigma * data};
    case SL_PREDICT_EDM_V:
        return (SlOriginalOf){data * data * level.alpha, -level.sigma * data};
    }
    return (SlOriginalOf){0, 1};
}

/* ---- from one scheduler to another ---- */

/* 1, or what the model's input is of a sample of a scheduler whose samples grow with the noise. */
static double input_scale(const SlScheduler *s)
{
    SlScheduler one = *s;
    float scale = 1;
    one.size = 1;
    sl_scheduler_input(&one, &scale, &scale);
    return scale;
}

/* The noise in a sample as the model sees it, whose x_0 is known, and such a sample of both. The
 * order in which the terms of the first form are taken is part of what recorded branches are
 * made of. */
static double noise_in(const SlScheduler *s, double seen, double x0)
{
    SlNoiseLevel level = seen_level(s, s->state.position);
    if (sl_is_flow(s))
        return (seen - level.alpha * x0) / level.sigma;
    return (seen / level.alpha - x0) / s->levels[s->state.position];
}

static double mixed(const SlScheduler *s, double x0, double noise)
{
    SlNoiseLevel level = seen_level(s, s->state.position);
    if (sl_is_flow(s))
        return level.alpha * x0 + level.sigma * noise;
    return level.alpha * (x0 + s->levels[s->state.position] * noise);
}

void sl_scheduler_cross(const SlScheduler *to, const SlScheduler *from, const float *sample,
                        const float *x0, float *out)
{
    bool same = sl_is_flow(to) == sl_is_flow(from) &&
                to->levels[to->state.position] == from->levels[from->state.position];
    double scale = input_scale(to);
    sl_scheduler_input(from, sample, out);
    for (int64_t i = 0; i < to->size; i++) {
        double seen = same ? out[i] : mixed(to, x0[i], noise_in(from, out[i], x0[i]));
        out[i] = (float)(seen / scale);
    }
}
