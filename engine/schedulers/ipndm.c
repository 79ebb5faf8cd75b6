/* ipndm.c - IPNDMScheduler (schedulers/scheduling_ipndm.py): Adams-Bashforth of order 1 to 4 over
 * noise levels.
 *
 * diffusers' class counts time from 1 to 0 on a sine, which only its own models (for sound) were
 * trained with; no model that is read here is. Its step is taken here over the model's own noise
 * levels, laid out as Euler's, which is also what other programs call iPNDM: sample / alpha goes
 * from sigma to the next by a weighted sum of the newest epsilons. Slots 0 to 3 hold those. Easy to
 * get wrong: the weights are those of even steps, whatever the steps are (LMS takes the right
 * ones).
 */
#include "engine/schedulers/internal.h"

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    s->config.rescale_betas_zero_snr = false; /* sigma would be infinite */
    if (!sl_scheduler_betas(s, 0, err))
        return false;
    sl_sigmas_fractional(s, steps, 0);
    return true;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position], dt = s->sigmas[s->state.position + 1] - sigma;
    float *epsilon = sl_push_slot(s, 3);
    for (int64_t i = 0; i < s->size; i++) {
        double original = sl_original_ve(s, sigma, x->model_output[i], x->sample[i]);
        x->x0[i] = (float)original;
        epsilon[i] = (float)((x->sample[i] - original) / sigma);
    }
    int order = s->state.filled = s->state.filled < 4 ? s->state.filled + 1 : 4;
    double weights[4], k[5] = {1};
    const float *terms[5] = {x->sample};
    sl_adams_bashforth(order, weights);
    for (int i = 0; i < order; i++) {
        k[i + 1] = weights[i] * dt;
        terms[i + 1] = s->slots[i];
    }
    sl_combine(s->size, order + 1, k, terms, x->sample);
    return true;
}

const SlSchedulerClass sl_ipndm_class = {
    .info = {.id = "ipndm",
             .class_name = "IPNDMScheduler",
             .name = "iPNDM",
             .good_for = "PNDM without its warm-up: fourth order, good from 30 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true},
    .slots = 4,
    .set_timesteps = set_timesteps,
    .input = sl_input_ve,
    .step = step,
    .init_noise_sigma = sl_init_sigma_ve,
};
