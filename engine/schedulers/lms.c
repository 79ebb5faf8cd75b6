/* lms.c - LMSDiscreteScheduler (schedulers/scheduling_lms_discrete.py): linear multistep of order 4
 * over sigmas.
 *
 * The coefficients are integrals of Lagrange polynomials of degree 3 at most; two Gauss-Legendre
 * points integrate those exactly, where diffusers calls scipy's quad. Slots 0 to 3 hold the newest
 * derivatives. Easy to get wrong: exponential and beta sigmas go between a configuration's sigma_min and
 * sigma_max, karras sigmas do not.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    s->config.rescale_betas_zero_snr = false; /* not a key of this class */
    if (s->config.sigmas == SL_SIGMAS_KARRAS)
        s->config.sigma_min = s->config.sigma_max = NAN; /* it asks its own ends */
    if (!sl_scheduler_betas(s, 0, err))
        return false;
    sl_sigmas_fractional(s, steps, 0);
    return true;
}

/* The Lagrange polynomial that is 1 at sigma[at - k] and 0 at the order - 1 others. */
static double lagrange(const SlScheduler *s, int order, int k, double tau)
{
    int at = s->state.position;
    double product = 1;
    for (int j = 0; j < order; j++)
        if (j != k)
            product *= (tau - s->sigmas[at - j]) / (s->sigmas[at - k] - s->sigmas[at - j]);
    return product;
}

static double coefficient(const SlScheduler *s, int order, int k)
{
    double a = s->sigmas[s->state.position], b = s->sigmas[s->state.position + 1];
    double middle = (a + b) / 2, reach = (b - a) / 2 / sqrt(3);
    return (b - a) / 2 *
           (lagrange(s, order, k, middle - reach) + lagrange(s, order, k, middle + reach));
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position];
    float *derivative = sl_push_slot(s, 3);
    for (int64_t i = 0; i < s->size; i++) {
        double original = sl_original_ve(s, sigma, x->model_output[i], x->sample[i]);
        x->x0[i] = (float)original;
        derivative[i] = (float)((x->sample[i] - original) / sigma);
    }
    int order = s->state.filled = s->state.filled < 4 ? s->state.filled + 1 : 4;
    double k[5] = {1};
    const float *terms[5] = {x->sample};
    for (int i = 0; i < order; i++) {
        k[i + 1] = coefficient(s, order, i);
        terms[i + 1] = s->slots[i];
    }
    sl_combine(s->size, order + 1, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_lms_class = {
    .info = {.id = "lms",
             .class_name = "LMSDiscreteScheduler",
             .name = "LMS",
             .good_for = "Linear multistep of order 4: smooth, the tutorial's second picture",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 4,
    .set_timesteps = set_timesteps,
    .input = sl_input_ve,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
};
