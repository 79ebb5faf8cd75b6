/* math.c - a timestep's sigma, predictions, limits and linear combinations over samples. */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float sl_sigma_at(const SlScheduler *s, int timestep)
{
    float abar = s->alphas_cumprod[timestep];
    return sqrtf((1 - abar) / abar);
}

bool sl_prediction_is_edm(SlPrediction prediction)
{
    return prediction == SL_PREDICT_EDM_EPSILON || prediction == SL_PREDICT_EDM_V;
}

bool sl_is_edm(const SlScheduler *s)
{
    return sl_prediction_is_edm(s->config.prediction_type);
}

/* c_skip sample + c_out output, of a sample x_0 + sigma noise. */
static double original_edm(const SlScheduler *s, double sigma, double model_output, double sample)
{
    double data = s->config.sigma_data, square = sigma * sigma + data * data;
    double out = sigma * data / sqrt(square);
    if (s->config.prediction_type == SL_PREDICT_EDM_V)
        out = -out;
    return data * data / square * sample + out * model_output;
}

void sl_predict_vp(const SlScheduler *s, double alpha, double sigma, const float *model_output,
                   const float *sample, float *x0, float *epsilon)
{
    for (int64_t i = 0; i < s->size; i++) {
        double out = model_output[i], x = sample[i], original = out, noise = out;
        switch (s->config.prediction_type) {
        case SL_PREDICT_EPSILON:
            original = (x - sigma * out) / alpha;
            break;
        case SL_PREDICT_SAMPLE:
            noise = (x - alpha * out) / sigma;
            break;
        case SL_PREDICT_V:
            original = alpha * x - sigma * out;
            noise = alpha * out + sigma * x;
            break;
        case SL_PREDICT_FLOW:
            original = x - sigma * out;
            noise = x + alpha * out;
            break;
        case SL_PREDICT_EDM_EPSILON:
        case SL_PREDICT_EDM_V:
            original = original_edm(s, sigma, out, x);
            noise = (x - original) / sigma;
            break;
        }
        if (x0)
            x0[i] = (float)original;
        if (epsilon)
            epsilon[i] = (float)noise;
    }
}

double sl_original_ve(const SlScheduler *s, double sigma, double model_output, double sample)
{
    double square = sigma * sigma + 1;
    switch (s->config.prediction_type) {
    case SL_PREDICT_EPSILON:
        return sample - sigma * model_output;
    case SL_PREDICT_V:
        return model_output * (-sigma / sqrt(square)) + sample / square;
    case SL_PREDICT_EDM_EPSILON:
    case SL_PREDICT_EDM_V:
        return original_edm(s, sigma, model_output, sample);
    case SL_PREDICT_SAMPLE:
    case SL_PREDICT_FLOW: /* samples of flow have another form */
        break;
    }
    return model_output;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* torch.quantile of the absolute values, linear between neighbours. */
static bool quantile(const float *x, int64_t n, double q, float *out)
{
    float *sorted = malloc((size_t)n * sizeof *sorted);
    if (!sorted)
        return false;
    for (int64_t i = 0; i < n; i++)
        sorted[i] = fabsf(x[i]);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    float rank = (float)q * (float)(n - 1), below = floorf(rank), weight = rank - below;
    int64_t low = (int64_t)below, high = low + 1 < n ? low + 1 : n - 1;
    *out = sorted[low] + weight * (sorted[high] - sorted[low]);
    free(sorted);
    return true;
}

void sl_step_ve(const SlScheduler *s, const SlSchedulerStep *x, double sigma, double dt)
{
    for (int64_t i = 0; i < s->size; i++) {
        double original = sl_original_ve(s, sigma, x->model_output[i], x->sample[i]);
        double next = x->sample[i] + (x->sample[i] - original) / sigma * dt;
        x->x0[i] = (float)original;
        x->sample[i] = (float)next;
    }
}

/* "Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding", 2.3: dynamic
 * thresholding. */
bool sl_threshold_x0(const SlScheduler *s, float *x0, SlError *err)
{
    float top;
    if (!s->config.thresholding)
        return true;
    if (!quantile(x0, s->size, s->config.dynamic_thresholding_ratio, &top))
        return sl_fail(err, SL_MEMORY, "out of memory for thresholding");
    top = fmaxf(top, 1);
    top = fminf(top, (float)s->config.sample_max_value);
    for (int64_t i = 0; i < s->size; i++)
        x0[i] = fminf(fmaxf(x0[i], -top), top) / top;
    return true;
}

bool sl_limit_x0(const SlScheduler *s, float *x0, SlError *err)
{
    float range = (float)s->config.clip_sample_range;
    if (s->config.thresholding)
        return sl_threshold_x0(s, x0, err);
    if (s->config.clip_sample)
        for (int64_t i = 0; i < s->size; i++)
            x0[i] = fminf(fmaxf(x0[i], -range), range);
    return true;
}

SlLanding sl_ancestral(double from, double to, double eta)
{
    double up = fmin(to, eta * sqrt(to * to * (from * from - to * to)) / from);
    return (SlLanding){.down = sqrt(to * to - up * up), .up = up};
}

void sl_input_ve(const SlScheduler *s, const float *sample, float *input)
{
    double sigma = s->sigmas[s->state.position], scale = sqrt(sigma * sigma + 1);
    for (int64_t i = 0; i < s->size; i++)
        input[i] = (float)(sample[i] / scale);
}

double sl_init_sigma_ve(const SlScheduler *s)
{
    double top = 0;
    for (int i = 0; i < s->sigma_count; i++)
        top = fmax(top, s->sigmas[i]);
    return s->config.timestep_spacing == SL_SPACING_LEADING ? sqrt(top * top + 1) : top;
}

void sl_combine(int64_t n, int terms, const double *c, const float *const *x, float *out)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < terms; k++)
            if (x[k])
                sum += c[k] * x[k][i];
        out[i] = (float)sum;
    }
}

float *sl_push_slot(SlScheduler *s, int keep)
{
    float *reused = s->slots[keep];
    memmove(s->slots + 1, s->slots, (size_t)keep * sizeof *s->slots);
    s->slots[0] = reused;
    return reused;
}

void sl_adams_bashforth(int n, double k[4])
{
    static const double table[4][4] = {
        {1, 0, 0, 0},
        {3 / 2., -1 / 2., 0, 0},
        {23 / 12., -16 / 12., 5 / 12., 0},
        {55 / 24., -59 / 24., 37 / 24., -9 / 24.},
    };
    memcpy(k, table[n - 1], sizeof table[0]);
}
