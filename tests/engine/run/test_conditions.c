/* test_conditions.c DEVICE DTYPE - what a model is told: texts of different lengths in turn and in
 * one guided run, masks, and runs that do not belong together.
 */
#include "engine/run/run.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

#define STEPS 3

static SlModel *model;
static int64_t elements;

/* Rows of noise; those with an odd number are taken away again where masked. */
static SlCondition text_of(int rows, uint64_t seed, bool masked)
{
    SlError err = {0};
    SlCondition c = {0};
    SlNoise noise;
    const SlUnetConfig *unet = sl_unet_get_config(sl_model_denoiser(model)->net);
    const int64_t size[] = {masked ? 2 * rows : rows, unet->cross_attention_dim[0]};
    float *values = calloc((size_t)(rows * size[1]), sizeof *values);
    sl_noise_init(&noise, SL_NOISE_CPU, seed, 0);
    sl_noise_normal(&noise, values, rows * size[1]);
    SlConditionTensor *t = sl_condition_add(&c, "hidden_states", 2, size, &err);
    if (masked)
        t->mask = calloc((size_t)size[0], sizeof *t->mask);
    for (int i = 0; i < rows; i++) {
        int to = masked ? 2 * i : i;
        memcpy(t->values + to * size[1], values + i * size[1], (size_t)size[1] * sizeof *values);
        if (masked)
            t->mask[to] = true;
    }
    for (int i = 0; masked && i < rows; i++)
        t->values[(2 * i + 1) * size[1]] = 1e6f; /* nobody looks at it */
    sl_condition_finish(&c);
    free(values);
    return c;
}

static SlRun *run_of(double guidance, const SlCondition *first, const SlCondition *second)
{
    SlRecipe recipe;
    SlError err = {0};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.scheduler = "euler";
    recipe.steps = STEPS;
    recipe.guidance = guidance;
    SlRun *run = sl_run_new(model, &recipe, &(SlRunInputs){.condition = {first, second}}, &err);
    if (!run)
        sl_test_note("%s", err.message);
    elements = run ? sl_run_sample_elements(run) : 0;
    return run;
}

static bool step(SlRun *run, SlFrame *frame)
{
    SlError err = {0};
    bool ok = run && sl_run_next(run, frame, &err);
    if (!ok)
        sl_test_note("%s", err.message);
    return ok;
}

/* SHA-256 of the samples at the end of two runs that take turns. */
static void take_turns(const SlCondition *a, const SlCondition *b, char hex[2][65])
{
    SlRun *runs[] = {run_of(1, a, NULL), run_of(1, b, NULL)};
    bool ok = true;
    memset(hex, 0, 2 * 65);
    for (int i = 0; ok && i < STEPS; i++)
        ok = step(runs[0], NULL) && step(runs[1], NULL);
    for (int r = 0; r < 2; r++) {
        if (ok)
            sl_sha256(sl_run_sample(runs[r]), (size_t)elements * sizeof(float), hex[r]);
        sl_run_free(runs[r]);
    }
}

/* Three recorded rounds against one without recording. */
static void test_turns(void)
{
    SlDevice *dev = sl_model_device(model);
    SlCondition a = text_of(7, 1, false), b = text_of(12, 2, false), c = text_of(7, 3, false);
    const SlOps *own = dev->ops;
    SlOps eager = *own;
    char want[2][65], got[2][65], other[2][65];
    eager.capture = NULL;
    dev->ops = &eager;
    take_turns(&a, &b, want);
    take_turns(&c, &b, other);
    dev->ops = own;
    bool same = true, same_other = true;
    for (int round = 0; round < 3; round++) {
        take_turns(&a, &b, got);
        same = same && want[0][0] && !memcmp(want, got, sizeof want);
        take_turns(&c, &b, got);
        same_other = same_other && !memcmp(other, got, sizeof other);
    }
    sl_test(same, "texts of 7 and 12 tokens in turn give what they give without recording");
    sl_test(same_other && strcmp(want[0], other[0]), "so does another text of 7 tokens");
    sl_condition_clear(&a);
    sl_condition_clear(&b);
    sl_condition_clear(&c);
}

/* The model's first prediction for one text. */
static float *said_of(const SlCondition *c)
{
    SlFrame frame;
    SlRun *run = run_of(1, c, NULL);
    float *said = step(run, &frame) ? malloc((size_t)elements * sizeof *said) : NULL;
    if (said)
        memcpy(said, frame.model_output, (size_t)elements * sizeof *said);
    sl_run_free(run);
    return said;
}

/* A guided step against the two evaluations that it stands for. */
static void test_guided(int negative_rows, bool masked, int rows, double limit)
{
    const float g = 5;
    SlFrame frame;
    SlCondition negative = text_of(negative_rows, 4, masked), text = text_of(rows, 5, false);
    float *u = said_of(&negative), *t = said_of(&text);
    double worst = INFINITY;
    SlRun *run = run_of(g, &negative, &text);
    for (int round = 0; u && t && round < 2; round++) { /* the second is remembered */
        bool ok = run && sl_run_look(run, 0, sl_run_sample(run), &frame, NULL);
        worst = ok ? 0 : INFINITY;
        for (int64_t i = 0; ok && i < elements; i++)
            worst = fmax(worst, fabs(frame.model_output[i] - (u[i] + g * (t[i] - u[i]))));
    }
    sl_test(worst <= limit, "guided, %d%s and %d tokens: as two evaluations (%.3g)", negative_rows,
            masked ? " of a masked text" : "", rows, worst);
    int64_t size[3] = {0};
    sl_test(!run || !sl_run_text_embeddings(run, size) == (rows != negative_rows),
            "one array of both only where it exists");
    sl_run_free(run);
    free(u);
    free(t);
    sl_condition_clear(&negative);
    sl_condition_clear(&text);
}

static void test_mask(void)
{
    SlCondition plain = text_of(6, 6, false), masked = text_of(6, 6, true);
    float *a = said_of(&plain), *b = said_of(&masked);
    sl_test(a && b && !memcmp(a, b, (size_t)elements * sizeof *a),
            "what a mask takes away has no part in the prediction");
    sl_test(strcmp(plain.identity, masked.identity) != 0, "and the two are not the same condition");
    free(a);
    free(b);
    sl_condition_clear(&plain);
    sl_condition_clear(&masked);
}

static void test_together(void)
{
    SlError err = {0}, errs[2];
    SlFrame frames[2];
    SlCondition a = text_of(7, 1, false), b = text_of(12, 2, false), c = text_of(7, 3, false);
    SlRun *runs[] = {run_of(1, &a, NULL), run_of(1, &b, NULL)}, *other = run_of(1, &c, NULL);
    sl_test(sl_runs_match(runs[0], other) && !sl_runs_match(runs[0], runs[1]),
            "runs match that are told texts of one length");
    sl_test(!sl_runs_next(runs, 2, frames, errs, &err) && strstr(err.message, "run 2"),
            "others are refused: %s", err.message);
    /* An array of one run and a count beyond all bounds: nothing behind it may be looked at. */
    SlRun **one = malloc(sizeof(SlRun *));
    one[0] = runs[0];
    err = (SlError){0};
    sl_test(!sl_runs_next(one, SL_RUNS_TOGETHER + 1000, frames, errs, &err) &&
                strstr(err.message, "expected 1 to"),
            "too many runs are refused before they are looked at: %s", err.message);
    free(one);
    sl_run_free(runs[0]);
    sl_run_free(runs[1]);
    sl_run_free(other);
    sl_condition_clear(&a);
    sl_condition_clear(&b);
    sl_condition_clear(&c);
}

/* A model without texts, and guidance with one condition of the two. */
static void test_refusals(const char *device)
{
    SlError err = {0};
    SlRecipe recipe;
    SlCondition c = text_of(4, 1, false);
    char *folder = sl_test_path("goldens/model/ddpm");
    SlModel *plain = sl_model_open(folder, &(SlModelOptions){.device = device}, &err);
    free(folder);
    sl_recipe_defaults(&recipe, sl_model_info(plain));
    SlRun *run = sl_run_new(plain, &recipe, &(SlRunInputs){.condition = {&c}}, &err);
    sl_test(!run && strstr(err.message, "told nothing"), "a condition for ddpm: %s", err.message);
    sl_run_free(run);
    sl_model_close(&plain);
    err = (SlError){0};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    run = sl_run_new(model, &recipe, &(SlRunInputs){.condition = {&c}}, &err);
    sl_test(!run && strstr(err.message, "two conditions"), "one condition for two: %s",
            err.message);
    sl_run_free(run);
    recipe.guidance_method = SL_METHOD_PERP_NEG;
    run = sl_run_new(model, &recipe, &(SlRunInputs){.condition = {&c, &c}}, &err);
    sl_test(!run && strstr(err.message, "perp-neg needs prompts"), "none for a third: %s",
            err.message);
    sl_run_free(run);
    sl_condition_clear(&c);
}

int main(int argc, char **argv)
{
    SlError err = {0};
    char *folder = sl_test_path("goldens/model/sd1");
    model = sl_model_open(
        folder, &(SlModelOptions){.device = argv[1], .dtype = argc > 2 ? argv[2] : NULL}, &err);
    free(folder);
    if (!sl_test(model != NULL, "the model opens %s", err.message))
        return sl_test_done();
    bool half = argc > 2 && strcmp(argv[2], "f32");
    test_turns();
    test_guided(5, false, 9, 1e-5);
    test_guided(6, true, 6, half ? 0.1 : 1e-4);
    test_guided(6, false, 6, half ? 0.1 : 1e-4); /* as one batch */
    test_mask();
    test_together();
    test_refusals(argv[1]);
    sl_model_close(&model);
    return sl_test_done();
}
