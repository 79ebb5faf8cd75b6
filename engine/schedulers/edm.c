/* edm.c - EDMEulerScheduler and EDMDPMSolverMultistepScheduler (schedulers/scheduling_edm_euler.py,
 * scheduling_edm_dpmsolver_multistep.py): for models that were trained as Karras et al. 2022 do
 * (CosXL, Playground v2.5). There are no timesteps of training: noise is counted by sigma alone,
 * from sigma_max to sigma_min, and the model is told a quarter of its logarithm.
 *
 * Easy to get wrong: the model sees samples of variance 1, which sigma_data divides, too, and x_0 is
 * c_skip sample + c_out output, where "v_prediction" turns the sign of c_out. Euler lays out the
 * karras sigmas in double and the solver in f32; the exponential ones are f32 in both. Of a single
 * exponential step diffusers takes the lowest sigma, where its own noise belongs to the highest: here
 * it is the highest. The noise begins a little above sigma_max.
 * diffusers forgets the stochastic form of order 3, which is DPMSolverMultistepScheduler's.
 */
#include "engine/schedulers/internal.h"

#include <math.h>

/* ---- the schedule ---- */

static bool check(const SlScheduler *s, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    if (!(c->sigma_min > 0 && c->sigma_min < c->sigma_max))
        return sl_fail(
            err, SL_FORMAT,
            "%s: sigma_min is %g and sigma_max is %g; expected 0 < sigma_min < sigma_max",
            s->class->info.id, c->sigma_min, c->sigma_max);
    return true;
}

/* torch's linspace in f32: each half is counted from its own end. */
static float linspace_f32(float first, float last, int n, int i)
{
    float apart = n > 1 ? (last - first) / (float)(n - 1) : 0;
    return i < (n + 1) / 2 ? fmaf(apart, (float)i, first) : fmaf(-apart, (float)(n - 1 - i), last);
}

static double karras(const SlSchedulerConfig *c, int steps, int i)
{
    double high = pow(c->sigma_max, 1 / c->rho), low = pow(c->sigma_min, 1 / c->rho);
    return pow(high + sl_linspace(0, 1, steps, i) * (low - high), c->rho);
}

static float karras_f32(const SlSchedulerConfig *c, int steps, int i)
{
    double high = pow(c->sigma_max, 1 / c->rho), low = pow(c->sigma_min, 1 / c->rho);
    float along = linspace_f32(0, 1, steps, i) * (float)(low - high);
    return powf((float)high + along, (float)c->rho);
}

static float exponential_f32(const SlSchedulerConfig *c, int steps, int i)
{
    float low = (float)log(c->sigma_min), high = (float)log(c->sigma_max);
    return expf(steps > 1 ? linspace_f32(low, high, steps, steps - 1 - i) : high);
}

static void lay_out(SlScheduler *s, int steps, bool single)
{
    const SlSchedulerConfig *c = &s->config;
    for (int i = 0; i < steps; i++) {
        float sigma = c->sigmas == SL_SIGMAS_EXPONENTIAL ? exponential_f32(c, steps, i)
                      : single                           ? karras_f32(c, steps, i)
                                                         : (float)karras(c, steps, i);
        s->levels[i] = s->sigmas[i] = sigma;
        s->timesteps[i] = 0.25f * logf(sigma);
    }
    s->evaluations = steps;
    s->sigma_count = steps + 1;
}

static void input(const SlScheduler *s, const float *sample, float *out)
{
    double sigma = s->sigmas[s->state.position], data = s->config.sigma_data;
    double scale = sqrt(sigma * sigma + data * data);
    for (int64_t i = 0; i < s->size; i++)
        out[i] = (float)(sample[i] / scale);
}

static double init_noise_sigma(const SlScheduler *s)
{
    return sqrt(s->config.sigma_max * s->config.sigma_max + 1);
}

/* ---- euler ---- */

static bool euler_timesteps(SlScheduler *s, int steps, SlError *err)
{
    if (!check(s, err))
        return false;
    lay_out(s, steps, false);
    s->sigmas[steps] = s->config.final_sigma_min ? s->sigmas[steps - 1] : 0;
    return true;
}

static bool euler_step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    double sigma = s->sigmas[s->state.position], next = s->sigmas[s->state.position + 1];
    sl_step_ve(s, x, sigma, next - sigma);
    return true;
}

const SlSchedulerClass sl_edm_euler_class = {
    .info = {.id = "edm-euler",
             .class_name = "EDMEulerScheduler",
             .name = "EDM Euler",
             .good_for = "For models trained as EDM is (CosXL): simple and robust",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .only_edm = true},
    .set_timesteps = euler_timesteps,
    .input = input,
    .step = euler_step,
    .init_noise_sigma = init_noise_sigma,
};

/* ---- the solver, whose steps are dpmpp.c's ---- */

static bool solver_timesteps(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    if (c->algorithm_type != SL_DPMSOLVERPP && c->algorithm_type != SL_SDE_DPMSOLVERPP)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: algorithm_type is dpmsolver or sde-dpmsolver; expected dpmsolver++ or "
                       "sde-dpmsolver++",
                       s->class->info.id);
    if (!check(s, err))
        return false;
    lay_out(s, steps, true);
    s->sigmas[steps] = c->final_sigma_min ? (float)c->sigma_min : 0;
    return true;
}

const SlSchedulerClass sl_edm_dpmpp_class = {
    .info = {.id = "edm-dpmpp",
             .class_name = "EDMDPMSolverMultistepScheduler",
             .name = "EDM DPM++ 2M",
             .good_for = "For models trained as EDM is (Playground v2.5): good from 15 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .only_edm = true},
    .slots = 3,
    .set_timesteps = solver_timesteps,
    .input = input,
    .needs_noise = sl_dpm_stochastic,
    .step = sl_dpm_multistep,
    .init_noise_sigma = init_noise_sigma,
};

static void sde_defaults(SlSchedulerConfig *c)
{
    c->algorithm_type = SL_SDE_DPMSOLVERPP;
}

const SlSchedulerClass sl_edm_dpmpp_sde_class = {
    .info = {.id = "edm-dpmpp-sde",
             .class_name = "EDMDPMSolverMultistepScheduler",
             .name = "EDM DPM++ 2M SDE",
             .good_for = "EDM DPM++ 2M with fresh noise: more texture, wants 25 steps or more",
             .evaluations_per_step = 1,
             .draws_noise = true,
             .takes_sigmas = true,
             .only_edm = true},
    .slots = 3,
    .defaults = sde_defaults,
    .set_timesteps = solver_timesteps,
    .input = input,
    .needs_noise = sl_dpm_stochastic,
    .step = sl_dpm_multistep,
    .init_noise_sigma = init_noise_sigma,
};
