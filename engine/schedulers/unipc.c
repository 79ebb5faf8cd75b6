/* unipc.c - UniPCMultistepScheduler (schedulers/scheduling_unipc_multistep.py): "UniPC: A Unified
 * Predictor-Corrector Framework", in its B(h) form, order 1 to 3.
 *
 * Before each prediction the corrector improves the sample that the previous prediction reached,
 * with what the model has just said about it. Slots 0 to 2 hold the predictions, newest first; 3
 * the sample that the last prediction started from; 4 the converted output of this evaluation.
 */
#include "engine/schedulers/internal.h"

#include <math.h>
#include <string.h>

static bool set_timesteps(SlScheduler *s, int steps, SlError *err)
{
    const SlSolverSigmas how = {.last_timestep = s->config.num_train_timesteps,
                                .round_karras = true,
                                .last_of_schedule = true};
    if (sl_is_flow(s) && !s->config.predict_x0)
        return sl_fail(err, SL_UNSUPPORTED,
                       "unipc: predict_x0 is false; expected true with prediction_type "
                       "\"flow_prediction\"");
    s->config.use_lu_lambdas = false; /* not a key of this class */
    return sl_scheduler_betas(s, 0x1p-24, err) && sl_sigmas_solver(s, steps, &how, err);
}

static bool convert(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    SlLambda now = sl_lambda_at(s, s->state.position);
    float *converted = s->slots[4];
    bool first = s->config.predict_x0;
    sl_predict_vp(s, now.alpha, now.sigma, x->model_output, x->sample, x->x0,
                  first ? NULL : converted);
    if (!first)
        return true;
    if (!sl_threshold_x0(s, x->x0, err))
        return false;
    memcpy(converted, x->x0, (size_t)s->size * sizeof(float));
    return true;
}

/* One side of the method: from sigmas[target - 1] to sigmas[target]. In f32 like diffusers: the phi
 * functions lose digits for small h, and 1e-6 of a step feels which. */
typedef struct Solve {
    SlLambda from, to;
    float h, hh, b_h, h_phi_1;
    float rk[3], b[3];
} Solve;

static Solve prepare(const SlScheduler *s, int target, int order)
{
    Solve v = {.from = sl_lambda_at(s, target - 1), .to = sl_lambda_at(s, target)};
    v.h = v.to.lambda - v.from.lambda;
    v.hh = s->config.predict_x0 ? -v.h : v.h;
    v.h_phi_1 = (float)expm1(v.hh); /* expm1f is an ulp off, which small h multiplies */
    v.b_h = s->config.solver_bh1 ? v.hh : v.h_phi_1;
    for (int i = 1; i < order; i++)
        v.rk[i - 1] = (sl_lambda_at(s, target - 1 - i).lambda - v.from.lambda) / v.h;
    v.rk[order - 1] = 1;
    float phi = v.h_phi_1 / v.hh - 1;
    double factorial = 1;
    for (int i = 1; i <= order; i++) {
        v.b[i - 1] = phi * (float)factorial / v.b_h;
        factorial *= i + 1;
        phi = phi / v.hh - (float)(1 / factorial);
    }
    return v;
}

/* Solves sum over k of rk[k]^i rho[k] = b[i], i = 0 .. n - 1, by elimination with the largest
 * pivot. */
static void solve_rhos(const Solve *v, int n, double *rho)
{
    float a[3][4];
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++)
            a[i][k] = powf(v->rk[k], (float)i);
        a[i][n] = v->b[i];
    }
    for (int c = 0; c < n; c++) {
        int pivot = c;
        for (int i = c + 1; i < n; i++)
            if (fabs(a[i][c]) > fabs(a[pivot][c]))
                pivot = i;
        for (int k = 0; k <= n; k++) {
            float t = a[c][k];
            a[c][k] = a[pivot][k];
            a[pivot][k] = t;
        }
        for (int i = 0; i < n; i++) {
            float f = i == c ? 0 : a[i][c] / a[c][c];
            for (int k = c; k <= n; k++)
                a[i][k] -= f * a[c][k];
        }
    }
    for (int i = 0; i < n; i++)
        rho[i] = a[i][n] / a[i][i];
}

/* Weights of the sample and of m0 without any derivative. */
static void base_weights(const SlScheduler *s, const Solve *v, double *sample, double *m0)
{
    bool first = s->config.predict_x0;
    *sample = first ? (double)v->to.sigma / v->from.sigma : (double)v->to.alpha / v->from.alpha;
    *m0 = -(first ? v->to.alpha : v->to.sigma) * v->h_phi_1;
}

/* The derivative (m[i + 1] - m[0]) / rk[i], weighted. */
static void add_derivative(double k[], int i, double weight, double rk)
{
    k[1] -= weight / rk;
    k[2 + i] += weight / rk;
}

/* UniC: sample becomes the corrected one. */
static void correct(SlScheduler *s, float *sample)
{
    int order = s->state.this_order;
    Solve v = prepare(s, s->state.position, order);
    double rho[3] = {0.5}, k[5] = {0};
    double scale = -(s->config.predict_x0 ? v.to.alpha : v.to.sigma) * v.b_h;
    base_weights(s, &v, &k[0], &k[1]);
    if (order > 1)
        solve_rhos(&v, order, rho);
    for (int i = 0; i < order - 1; i++)
        add_derivative(k, i, scale * rho[i], v.rk[i]);
    k[1] -= scale * rho[order - 1];
    k[4] = scale * rho[order - 1];
    const float *terms[5] = {s->slots[3], s->slots[0], order > 1 ? s->slots[1] : NULL,
                             order > 2 ? s->slots[2] : NULL, s->slots[4]};
    sl_combine(s->size, 5, k, terms, sample);
}

/* UniP: sample becomes the next. */
static void predict(SlScheduler *s, float *sample)
{
    int order = s->state.this_order;
    Solve v = prepare(s, s->state.position + 1, order);
    double rho[3] = {0.5}, k[4] = {0};
    double scale = -(s->config.predict_x0 ? v.to.alpha : v.to.sigma) * v.b_h;
    base_weights(s, &v, &k[0], &k[1]);
    if (order > 2)
        solve_rhos(&v, order - 1, rho);
    for (int i = 0; i < order - 1; i++)
        add_derivative(k, i, scale * rho[i], v.rk[i]);
    const float *terms[4] = {sample, s->slots[0], order > 1 ? s->slots[1] : NULL,
                             order > 2 ? s->slots[2] : NULL};
    sl_combine(s->size, 4, k, terms, sample);
}

static bool corrector_disabled(const SlScheduler *s)
{
    for (int i = 0; i < s->config.disable_corrector_count; i++)
        if (s->config.disable_corrector[i] == s->state.position - 1)
            return true;
    return false;
}

static bool step(SlScheduler *s, const SlSchedulerStep *x, SlError *err)
{
    const SlSchedulerConfig *c = &s->config;
    size_t bytes = (size_t)s->size * sizeof(float);
    if (!convert(s, x, err))
        return false;
    /* no order yet: the first step, or the first after a beginning in the middle */
    if (s->state.this_order > 0 && !corrector_disabled(s))
        correct(s, x->sample);
    memcpy(sl_push_slot(s, 2), s->slots[4], bytes);
    int left = s->evaluations - s->state.position, order = c->solver_order;
    if (c->lower_order_final && left < order)
        order = left;
    if (s->state.lower_order_nums + 1 < order)
        order = s->state.lower_order_nums + 1;
    s->state.this_order = order;
    memcpy(s->slots[3], x->sample, bytes);
    predict(s, x->sample);
    if (s->state.lower_order_nums < c->solver_order)
        s->state.lower_order_nums++;
    return true;
}

const SlSchedulerClass sl_unipc_class = {
    .info = {.id = "unipc",
             .class_name = "UniPCMultistepScheduler",
             .name = "UniPC",
             .good_for = "Predictor and corrector: clean pictures from 10 steps",
             .evaluations_per_step = 1,
             .takes_sigmas = true,
             .takes_spacing = true,
             .takes_flow = true},
    .slots = 5,
    .set_timesteps = set_timesteps,
    .step = step,
};
