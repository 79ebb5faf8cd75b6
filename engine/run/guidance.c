/* guidance.c - what is made of a prediction with the prompt and one without it.
 *
 * The plain sum u + g (c - u) is the device's (step.c), to the bytes that it always had; every other
 * method is here, on host arrays: a latent is small, and the arithmetic is the same on every device.
 * A method is a row of the table below. What it leaves is rescaled in the end (diffusers'
 * rescale_noise_cfg).
 *
 * apg mirrors diffusers' guiders/adaptive_projected_guidance.py, the interval its start and stop; cfg++
 * is ComfyUI's (the scheduler does the rest, sl_scheduler_take_noise_of) with the guidance divided as
 * A1111 and Forge do; perp-neg is ComfyUI's nodes_perpneg.py (Armandpour et al. 2023), whose third
 * prediction is made as the parts of a prompt are (run.c); dynamic thresholding is sd-dynamic-thresholding's dynthres_core.py with its
 * defaults (channels apart, the mean, the largest value).
 *
 * Easy to get wrong: dynamic thresholding is of x_0, the others of what the model predicts; momentum
 * is part of a run's state, and goes on with every guided evaluation, whoever computed it.
 */
#include "engine/run/run_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- where there is guidance ---- */

bool sl_run_guides(const SlRun *run, const SlRunSide *side, int evaluation)
{
    bool ends;
    return side->batch == 2 &&
           sl_recipe_guides(&run->recipe, sl_scheduler_step_of(side->scheduler, evaluation, &ends));
}

int sl_run_batch(const SlRun *run, const SlRunSide *side, int evaluation)
{
    return sl_run_guides(run, side, evaluation) ? 2 : 1;
}

SlStepShape sl_run_shape(const SlRun *run, const SlRunSide *side, int evaluation)
{
    SlStepShape shape = side->shape;
    if (shape.batch == 2 && !sl_run_guides(run, side, evaluation)) {
        shape.batch = 1;
        shape.rule = SL_GUIDANCE_NONE;
        shape.told[0] = shape.told[1];
        shape.told[1] = (SlConditionShape){0};
    }
    return shape;
}

int sl_run_parts(const SlRun *run, const SlRunSide *side, int evaluation)
{
    return sl_run_guides(run, side, evaluation) ? side->parts : 1;
}

bool sl_run_is_guided(const SlRun *run)
{
    return run->side[0].batch == 2;
}

/* ---- the methods ---- */

/* What a method works on. */
typedef struct Call {
    SlRun *run;
    const SlRunSide *side;
    int evaluation;
    const float *u, *c; /* without the prompt, with it */
} Call;

/* A weight of a single part multiplies the guidance, as in the plain sum. */
static double scale_of(const Call *call)
{
    const SlRunSide *side = call->side;
    double weight = side->parts == 1 && side->part_weight ? side->part_weight[0] : 1;
    return call->run->recipe.guidance * weight;
}

/* A guidance of 12.5 is a whole step from u to c. */
#define CFG_PP_WHOLE 12.5

static bool cfg_pp(const Call *call, SlError *err)
{
    float *out = call->run->output, lambda = (float)(scale_of(call) / CFG_PP_WHOLE);
    for (int64_t i = 0; i < call->run->elements; i++)
        out[i] = call->u[i] + lambda * (call->c[i] - call->u[i]);
    return true;
}

/* x becomes its distance from its mean, which is returned. */
static double centre(double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    for (int64_t i = 0; i < n; i++)
        x[i] -= sum / (double)n;
    return sum / (double)n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* torch.quantile of the absolute values, linear between neighbours; x is used up. */
static double quantile(double *x, int64_t n, double q)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = fabs(x[i]);
    qsort(x, (size_t)n, sizeof *x, by_value);
    double rank = q * (double)(n - 1);
    int64_t low = (int64_t)rank, high = low + 1 < n ? low + 1 : low;
    return x[low] + (rank - (double)low) * (x[high] - x[low]);
}

/* One channel: strong is x_0 with the guidance that was asked for, mimic with the one whose contrast it
 * gets, and used up. */
static void limit_channel(const SlRecipe *r, double *strong, double *mimic, int64_t n)
{
    double mean = centre(strong, n);
    centre(mimic, n);
    double to = quantile(mimic, n, 1);
    memcpy(mimic, strong, (size_t)n * sizeof *mimic);
    double most = fmax(to, quantile(mimic, n, r->mimic_quantile));
    for (int64_t i = 0; i < n; i++) {
        double value = fmin(fmax(strong[i], -most), most);
        strong[i] = (most > 0 ? value / most * to : 0) + mean;
    }
}

/* In double: at the end of a run the noise is a small part of what it is taken out of. */
static bool dynamic(const Call *call, SlError *err)
{
    SlRun *run = call->run;
    SlOriginalOf of = sl_scheduler_original_of(call->side->scheduler, call->evaluation);
    int64_t n = run->elements, each = n / run->channels;
    if (!isfinite(of.input) || of.output == 0) /* nothing of x_0 is in what was said */
        return true;
    double *strong = malloc(2 * (size_t)n * sizeof *strong);
    if (!strong)
        return sl_fail(err, SL_MEMORY, "out of memory for dynamic thresholding");
    double *mimic = strong + n;
    for (int64_t i = 0; i < n; i++) {
        double u = of.input * run->input[i] + of.output * call->u[i];
        double apart = of.output * ((double)call->c[i] - call->u[i]);
        strong[i] = u + scale_of(call) * apart;
        mimic[i] = u + run->recipe.mimic_guidance * apart;
    }
    for (int c = 0; c < run->channels; c++)
        limit_channel(&run->recipe, strong + c * each, mimic + c * each, each);
    for (int64_t i = 0; i < n; i++)
        run->output[i] = (float)((strong[i] - of.input * run->input[i]) / of.output);
    free(strong);
    return true;
}

/* What is enlarged: the difference, and what is left of those before. */
static float difference(const Call *call, int64_t i)
{
    float momentum = (float)call->run->recipe.apg_momentum;
    return call->c[i] - call->u[i] + (momentum != 0 ? momentum * call->run->momentum[i] : 0);
}

static bool apg(const Call *call, SlError *err)
{
    SlRun *run = call->run;
    const SlRecipe *r = &run->recipe;
    double squares = 0, along = 0, c_squares = 0;
    int64_t n = run->elements;
    for (int64_t i = 0; i < n; i++) {
        double d = difference(call, i), c = call->c[i];
        squares += d * d;
        along += d * c;
        c_squares += c * c;
    }
    double norm = sqrt(squares), shorter = 1;
    if (r->apg_norm > 0 && norm > r->apg_norm)
        shorter = r->apg_norm / norm;
    double parallel = c_squares > 0 ? along / c_squares : 0; /* of c, in the difference */
    double scale = scale_of(call);
    for (int64_t i = 0; i < n; i++) {
        double d = shorter * difference(call, i), with_c = shorter * parallel * call->c[i];
        run->output[i] = (float)(call->u[i] + scale * (d - with_c + r->apg_parallel * with_c));
    }
    return true;
}

static bool (*const methods[])(const Call *call, SlError *err) = {
    [SL_METHOD_PLAIN] = NULL, /* the device's */
    [SL_METHOD_CFG_PP] = cfg_pp, [SL_METHOD_DYNAMIC] = dynamic, [SL_METHOD_APG] = apg,
    [SL_METHOD_PERP_NEG] = NULL, /* the plain sum, of what sl_run_less_negative leaves */
};

void sl_run_less_negative(const SlRun *run, const float *u, const float *negative, float *said)
{
    double along = 0, squares = 0;
    for (int64_t i = 0; i < run->elements; i++) {
        double of_prompt = (double)said[i] - u[i];
        along += ((double)negative[i] - u[i]) * of_prompt;
        squares += of_prompt * of_prompt;
    }
    double parallel = squares > 0 ? along / squares : 0;
    for (int64_t i = 0; i < run->elements; i++) {
        double of_prompt = (double)said[i] - u[i], of_negative = (double)negative[i] - u[i];
        said[i] =
            (float)(said[i] - run->recipe.perp_neg_scale * (of_negative - parallel * of_prompt));
    }
}

bool sl_run_remembers(const SlRun *run)
{
    return run->recipe.guidance_method == SL_METHOD_APG && run->recipe.apg_momentum != 0;
}

void sl_run_follow(SlRun *run)
{
    if (!run->has_said || !sl_run_remembers(run))
        return;
    const Call call = {.run = run, .u = run->said, .c = run->said + run->elements};
    for (int64_t i = 0; i < run->elements; i++)
        run->momentum[i] = difference(&call, i);
}

/* ---- the whole ---- */

/* Of the plain sum by what came of it, as it has always been recorded. */
static void find_term(SlRun *run)
{
    const float *u = run->said, *c = run->said + run->elements;
    float g = (float)run->recipe.guidance;
    bool plain = run->recipe.guidance_method == SL_METHOD_PLAIN;
    for (int64_t k = 0; k < run->elements; k++)
        run->term[k] = plain ? (run->output[k] - u[k]) / g : c[k] - u[k];
}

/* How far n values a - less b spread: their deviation, but for what depends on n alone. */
static double spread(const float *a, const float *b, double less, int64_t n)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] - less * b[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        double d = a[i] - less * b[i] - mean;
        squares += d * d;
    }
    return sqrt(squares);
}

/* diffusers' rescale_noise_cfg: the guided prediction gets back, in part, the deviation of the
 * text's own, which of the plain sum is the guided one without (g - 1) times the term. */
static void rescale(SlRun *run)
{
    const SlRecipe *r = &run->recipe;
    double part = r->guidance_rescale;
    if (!(part > 0))
        return;
    double guided = spread(run->output, run->term, 0, run->elements);
    double text = r->guidance_method == SL_METHOD_PLAIN
                      ? spread(run->output, run->term, r->guidance - 1, run->elements)
                      : spread(run->said + run->elements, run->term, 0, run->elements);
    double factor = guided > 0 ? text / guided : 1;
    float scale = (float)(part * factor + 1 - part);
    for (int64_t k = 0; k < run->elements; k++)
        run->output[k] *= scale;
}

bool sl_run_guide(SlRun *run, const SlRunSide *side, int evaluation, SlError *err)
{
    if (!run->has_said)
        return true;
    const Call call = {run, side, evaluation, run->said, run->said + run->elements};
    find_term(run);
    bool ok =
        !methods[run->recipe.guidance_method] || methods[run->recipe.guidance_method](&call, err);
    if (ok)
        rescale(run);
    return ok;
}
