/* test_family.c - a family of models made up here (the first two sections): what adding one takes.
 * It works on pixels and is told two things, a label and a guidance number; its prediction is W x +
 * w t + number * label, which is computed once more without the engine.
 */
#include "engine/pipelines/pipelines.h"
#include "tests/engine/files/util.h"

#include <math.h>
#include <sys/stat.h>

#define SIDE 8
#define N    (SIDE * SIDE)

static const float weights[12] = {0.5f,  0.1f,  -0.2f, 0.05f, 0.4f, 0.1f, -0.1f, 0.2f, 0.3f, /* W */
                                  1e-4f, 2e-4f, -1e-4f};                                     /* w */

/* ---- the net ---- */

typedef struct Toy {
    SlWeight *mix, *time;
} Toy;

static void *toy_build(const SlJson *config, SlBinder *b, SlError *err)
{
    Toy *toy = calloc(1, sizeof *toy);
    if (!toy) {
        sl_fail(err, SL_MEMORY, "out of memory for the net");
        return NULL;
    }
    toy->mix = sl_bind(b, SL_WEIGHT_LINEAR, "mix.weight", 2, (const int64_t[]){3, 3});
    toy->time = sl_bind(b, SL_WEIGHT_LINEAR, "time.weight", 2, (const int64_t[]){3, 1});
    return toy;
}

static SlContext *toy_prepare(SlDevice *dev, const void *net, const SlCondition *const *conditions,
                              int count, SlError *err)
{
    float told[8][3];
    SlContext *context = sl_context_new(count, 1);
    if (!context) {
        sl_fail(err, SL_MEMORY, "out of memory for a prompt");
        return NULL;
    }
    for (int i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            told[i][c] = sl_condition_find(conditions[i], "number")->values[0] *
                         sl_condition_find(conditions[i], "label")->values[c];
    context->tensor[0] = sl_buffer_new(dev, dev->dtype, 2, (const int64_t[]){count, 3});
    if (sl_device_ok(dev))
        sl_upload(dev, told, &context->tensor[0]);
    if (sl_device_check(dev, err))
        return context;
    sl_context_free(dev, context);
    return NULL;
}

static int64_t toy_time_values(const void *net)
{
    return 3;
}

static void toy_times(SlDevice *dev, const void *net, const SlTensor *t, const SlTimesOf *of,
                      SlTensor *table)
{
    SlTensor column = sl_reshape(t, 2, (const int64_t[]){t->size[0], 1});
    for (int64_t i = 0; i < of->batch; i++) {
        SlTensor values = sl_tensor_new2(dev, t->size[0], 3), place = sl_slice(table, 1, 3 * i, 3);
        sl_linear(dev, &column, ((const Toy *)net)->time, NULL, &values);
        sl_copy(dev, &values, &place);
    }
}

static bool toy_evaluate(SlDevice *dev, void *net, const SlEvaluation *e, SlError *err)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor time = sl_reshape(e->row, 2, (const int64_t[]){e->x->size[0], 3});
    SlTensor shift = sl_tensor_like(dev, &time), mixed = sl_tensor_like(dev, e->x);
    sl_add(dev, &time, &e->context->tensor[0], 1, &shift);
    sl_linear(dev, e->x, ((Toy *)net)->mix, NULL, &mixed);
    sl_add_per_channel(dev, &mixed, &shift, e->out);
    sl_arena_reset(dev, mark);
    return sl_device_check(dev, err);
}

static uint64_t toy_operations(const void *net)
{
    return 3;
}

static const SlDenoiserClass toy_denoiser = {toy_build,       free,           toy_prepare,
                                             toy_time_values, toy_times,      NULL,
                                             toy_evaluate,    toy_operations, NULL};

/* ---- the family ---- */

static void *build(const SlJson *config, SlBinder *b, SlError *err)
{
    return sl_denoiser_new(&toy_denoiser, config, b, err);
}

static void free_part(void *net)
{
    sl_denoiser_free(net);
}

static bool inspect(SlModelInfo *info, SlError *err)
{
    info->channels = 3;
    info->factor = info->size_multiple = info->prompt_tokens = 1;
    info->width = info->height = SIDE;
    return true;
}

static bool ask(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *a, SlError *err)
{
    a->ids = calloc(1, sizeof *a->ids);
    if (!a->ids)
        return sl_fail(err, SL_MEMORY, "out of memory for a prompt");
    a->ids[a->length++] = recipe->prompt[0];
    a->number[0] = recipe->guidance;
    return true;
}

static float label(int id, int c)
{
    return (float)(id % 7 - c) * 0.1f;
}

static bool encode(SlModel *model, const SlAsk *a, SlCondition *condition, SlError *err)
{
    SlConditionTensor *number = sl_condition_add(condition, "number", 1, &(int64_t){1}, err);
    SlConditionTensor *labels = sl_condition_add(condition, "label", 1, &(int64_t){3}, err);
    if (!number || !labels)
        return false;
    number->values[0] = (float)a->number[0];
    for (int c = 0; c < 3; c++)
        labels->values[c] = label(a->ids[0], c);
    return true;
}

static const SlPartClass part = {.name = "net",
                                 .base = "model",
                                 .use = SL_USE_DENOISE,
                                 .classes = (const char *const[]){"Toy", NULL},
                                 .build = build,
                                 .free = free_part};
static const SlPipelineClass family = {.info = {.id = "toy",
                                                .class_name = "ToyPipeline",
                                                .has = SL_HAS_PROMPT | SL_HAS_GUIDANCE,
                                                .guidance_rule = SL_GUIDANCE_NUMBER,
                                                .steps = 5,
                                                .guidance = 2,
                                                .bench_scheduler = "euler"},
                                       .class_names = (const char *const[]){"ToyPipeline", NULL},
                                       .parts = (const SlPartClass *const[]){&part, NULL},
                                       .inspect = inspect,
                                       .ask = ask,
                                       .encode = encode};

/* ---- the test ---- */

static void write_model(void)
{
    const char *header =
        "{\"mix.weight\":{\"dtype\":\"F32\",\"shape\":[3,3],\"data_offsets\":[0,36]},"
        "\"time.weight\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[36,48]}}";
    mkdir(test_file("net"), 0700);
    mkdir(test_file("scheduler"), 0700);
    test_write_text(test_file("model_index.json"),
                    "{\"_class_name\":\"ToyPipeline\",\"net\":[\"x\",\"Toy\"],"
                    "\"scheduler\":[\"diffusers\",\"EulerDiscreteScheduler\"]}");
    test_write_text(test_file("net/config.json"), "{}");
    test_write_text(test_file("scheduler/scheduler_config.json"),
                    "{\"_class_name\":\"EulerDiscreteScheduler\"}");
    test_write_safetensors(test_file("net/model.safetensors"), header, strlen(header), weights,
                           sizeof weights);
}

/* The prediction for one sample [3, SIDE, SIDE] in plain C. */
static void predict(const float *x, float t, int id, float number, float *out)
{
    for (int i = 0; i < N; i++)
        for (int c = 0; c < 3; c++) {
            double sum = weights[9 + c] * t + number * label(id, c);
            for (int k = 0; k < 3; k++)
                sum += weights[c * 3 + k] * x[k * N + i];
            out[c * N + i] = (float)sum;
        }
}

/* The picture of a run, and how far the plain computation's sample is from the run's. */
static bool develop(SlModel *model, const SlRecipe *recipe, uint8_t rgb[N * 3], double *far)
{
    SlError err = {0};
    SlSchedulerChoice choice = {.eta = -1};
    float x[N * 3], input[N * 3], out[N * 3];
    const SlSchedulerRun plain = {.steps = recipe->steps, .size = N * 3};
    SlScheduler *s = sl_scheduler_new("euler", model->scheduler_config, &choice, &err);
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    bool ok = s && run && sl_scheduler_set_timesteps(s, &plain, &err);
    for (int i = 0; ok && i < N * 3; i++)
        x[i] = sl_run_noise(run)[i] * (float)sl_scheduler_init_noise_sigma(s);
    for (int i = 0; ok && i < sl_scheduler_evaluations(s); i++) {
        sl_scheduler_input(s, x, input);
        predict(input, (float)sl_scheduler_timestep(s, i), recipe->prompt[0],
                (float)recipe->guidance, out);
        ok = sl_scheduler_step(s, out, x, NULL, NULL, &err) && sl_run_next(run, NULL, &err);
    }
    *far = 0;
    for (int i = 0; ok && i < N * 3; i++)
        *far = fmax(*far, fabs(x[i] - sl_run_sample(run)[i]));
    ok =
        ok && sl_run_done(run) && sl_decode(model, sl_run_sample(run), SIDE, SIDE, NULL, rgb, &err);
    if (!ok)
        sl_test_note("%s", err.message);
    sl_run_free(run);
    sl_scheduler_free(s);
    return ok;
}

/* Two runs as a batch, against each alone. */
static void test_together(SlModel *model, const SlRecipe *recipe)
{
    SlError err = {0}, errs[2];
    SlFrame frames[2], alone;
    SlRecipe other = *recipe;
    other.prompt = "cat";
    other.guidance = 3;
    SlRun *runs[] = {sl_run_new(model, recipe, NULL, &err), sl_run_new(model, &other, NULL, &err)};
    SlRun *single = sl_run_new(model, &other, NULL, &err);
    bool ok = sl_runs_match(runs[0], runs[1]) && sl_runs_next(runs, 2, frames, errs, &err) &&
              sl_run_next(single, &alone, &err);
    double far = ok ? 0 : INFINITY;
    for (int i = 0; ok && i < N * 3; i++)
        far = fmax(far, fabs(frames[1].model_output[i] - alone.model_output[i]));
    sl_test(far < 1e-4, "two runs with other labels and numbers as one batch (%g) %s", far,
            err.message);
    for (int i = 0; i < 2; i++)
        sl_run_free(runs[i]);
    sl_run_free(single);
}

int main(void)
{
    SlError err = {0};
    SlRecipe recipe;
    SlCost cost;
    uint8_t rgb[N * 3], other[N * 3];
    double far = 0;
    bool ok;
    sl_test(sl_pipeline_class_add(&family) && !sl_pipeline_class_add(&family),
            "the family is added once");
    write_model();
    SlModel *model = sl_model_open(test_folder(), &(SlModelOptions){.device = "ref"}, &err);
    if (!sl_test(model != NULL, "its folder is recognised and loaded %s", err.message))
        return sl_test_done();
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "dog";
    recipe.scheduler = "euler";
    recipe.width = recipe.height = SIDE;
    sl_test(recipe.steps == 5 && recipe.guidance == 2, "with the family's defaults");
    ok = develop(model, &recipe, rgb, &far);
    sl_test(ok && far < 1e-3, "a run is what a plain loop makes (%g)", far);
    recipe.guidance = 4;
    ok = develop(model, &recipe, other, &far);
    sl_test(ok && far < 1e-3 && memcmp(rgb, other, sizeof rgb),
            "so is one with another guidance number, which is another picture (%g)", far);
    recipe.prompt = "cat";
    ok = develop(model, &recipe, rgb, &far);
    sl_test(ok && far < 1e-3 && memcmp(rgb, other, sizeof rgb), "and one with another label (%g)",
            far);
    test_together(model, &recipe);
    ok = sl_model_cost(sl_model_info(model), &recipe, NULL, &cost, &err);
    sl_test(ok && cost.step_flops > 0 && cost.weight_bytes > 0,
            "what it needs is measured: %g operations a step %s", cost.step_flops, err.message);
    sl_model_close(&model);
    return sl_test_done();
}
