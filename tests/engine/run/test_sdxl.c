/* test_sdxl.c - what the family of Stable Diffusion XL has beside its pictures (test_pictures.c):
 * a refiner goes on with a run, texts that are told other sizes are not encoded again, a VAE that overflows computes in f32, parts
 * that do not belong together are refused. */
#include "engine/pipelines/latent_parts.h"
#include "engine/run/share.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static SlModel *open_on(const char *device, const char *name, const char *dtype)
{
    char relative[100];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model =
        sl_model_open(folder, &(SlModelOptions){.device = device, .dtype = dtype}, &err);
    sl_test(model != NULL, "%s opens %s", name, err.message);
    free(folder);
    return model;
}

static SlModel *open_model(const char *name, const char *dtype)
{
    return open_on("cpu", name, dtype);
}

/* The first sample of a run over a share; the caller frees the run. */
static SlRun *first_step(SlModel *model, const SlRecipe *recipe, SlShare *share)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, &(SlRunInputs){.share = share}, &err);
    sl_test(run && sl_run_next(run, NULL, &err), "a step %s", err.message);
    return run;
}

static void test_sharing(void)
{
    SlModel *model = open_model("sdxl", "f32");
    SlShare *share = model ? sl_share_new(model) : NULL;
    SlRecipe recipe, cropped;
    if (!share)
        return;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a cat";
    cropped = recipe;
    cropped.crop_left = 8;
    SlRun *first = first_step(model, &recipe, share), *same = first_step(model, &recipe, share);
    SlShareCounts counts = sl_share_counts(share);
    sl_test(counts.texts == 2 && counts.texts_shared == 2 && counts.evaluations_shared == 1,
            "equal lanes share: %d texts, %d shared, %d evaluations shared", counts.texts,
            counts.texts_shared, counts.evaluations_shared);
    SlRun *other = first_step(model, &cropped, share);
    counts = sl_share_counts(share);
    sl_test(counts.texts == 2 && counts.texts_shared == 4 && counts.evaluations_shared == 1,
            "told another crop: %d texts, %d shared, %d evaluations shared", counts.texts,
            counts.texts_shared, counts.evaluations_shared);
    size_t bytes = (size_t)sl_run_sample_elements(first) * sizeof(float);
    sl_test(!memcmp(sl_run_sample(first), sl_run_sample(same), bytes), "the same sample");
    sl_test(memcmp(sl_run_sample(first), sl_run_sample(other), bytes) != 0,
            "and another where another crop is told");
    SlError err = {0};
    SlRun *alone = sl_run_new(model, &cropped, NULL, &err);
    sl_test(alone && sl_run_next(alone, NULL, &err) &&
                !memcmp(sl_run_sample(alone), sl_run_sample(other), bytes),
            "which is what it gives alone %s", err.message);
    sl_run_free(first);
    sl_run_free(same);
    sl_run_free(other);
    sl_run_free(alone);
    sl_share_free(share);
    sl_model_close(&model);
}

/* On the device that computes in every type itself. */
static SlDtype vae_type(const char *name, const char *dtype)
{
    SlModel *model = open_on("ref", name, dtype);
    SlDtype type = model ? model->part[sl_model_part_for(model, SL_USE_DECODE)].dtype : SL_I32;
    sl_model_close(&model);
    return type;
}

static void test_upcast(void)
{
    sl_test(vae_type("sdxl", "f16") == SL_F32, "force_upcast: f16 is decoded in f32");
    sl_test(vae_type("sdxl", "bf16") == SL_BF16, "bf16 does not overflow");
    sl_test(vae_type("sdxl_turbo", "f16") == SL_F16, "a VAE mended for f16 says so");
    sl_test(vae_type("sd1", "f16") == SL_F16, "Stable Diffusion 1 needs nothing of it");
}

/* Text encoders that take shorter texts than the tokenizers make. */
static void test_parts(void)
{
    SlModel *model = open_model("sdxl", "f32"), *other = open_model("sdxl_turbo", "f32");
    SlError unet = {0}, tokenizer = {0};
    if (!model || !other)
        return;
    char *path = strdup(model->info.path);
    snprintf(model->info.path, sizeof model->info.path, "%s", other->info.path);
    sl_test(!model->kind->check(model, &tokenizer) && strstr(tokenizer.message, "model_max_length"),
            "tokenizers of longer texts: %s", tokenizer.message);
    snprintf(model->info.path, sizeof model->info.path, "%s", path);
    sl_test(model->kind->check(model, &unet), "the model's own parts fit %s", unet.message);
    free(path);
    sl_model_close(&model);
    sl_model_close(&other);
}

/* ---- a refiner ---- */

static SlModel *open_refined(void)
{
    SlError err = {0};
    char *base = sl_test_path("goldens/model/sdxl"),
         *refiner = sl_test_path("goldens/model/sdxl_refiner");
    const SlPartFrom from[] = {{"refiner", refiner}, {NULL, NULL}};
    SlModel *model =
        sl_model_open(base, &(SlModelOptions){.device = "cpu", .dtype = "f32", .from = from}, &err);
    sl_test(model != NULL, "a model and its refiner %s", err.message);
    free(base);
    free(refiner);
    return model;
}

#define MOST 16 /* evaluations */

/* A run to its end: what each evaluation said and left, in malloc'ed arrays. */
typedef struct Made {
    int count, refined; /* evaluations, and the first of the refiner; -1: none */
    bool in_order;      /* one behind the other, and none of the model's behind the refiner's */
    float *output[MOST];
    void *state[MOST];
    size_t bytes[MOST], sample_bytes;
    float *last;
} Made;

static bool make(SlRun *run, Made *made)
{
    SlFrame frame;
    SlError err = {0};
    *made = (Made){.refined = -1, .in_order = true};
    made->sample_bytes = (size_t)sl_run_sample_elements(run) * sizeof(float);
    while (!sl_run_done(run) && made->count < MOST) {
        int i = made->count++;
        made->state[i] = sl_run_save(run, &made->bytes[i]);
        if (!sl_run_next(run, &frame, &err))
            return false;
        made->output[i] = malloc(made->sample_bytes);
        memcpy(made->output[i], frame.model_output, made->sample_bytes);
        if (frame.refined && made->refined < 0)
            made->refined = i;
        made->in_order =
            made->in_order && frame.evaluation == i && frame.refined == (made->refined >= 0);
    }
    made->last = malloc(made->sample_bytes);
    memcpy(made->last, sl_run_sample(run), made->sample_bytes);
    return sl_run_done(run);
}

static void forget(Made *made)
{
    for (int i = 0; i < made->count; i++) {
        free(made->output[i]);
        free(made->state[i]);
    }
    free(made->last);
}

static bool ends_as(SlRun *run, const Made *made)
{
    SlError err = {0};
    while (!sl_run_done(run))
        if (!sl_run_next(run, NULL, &err))
            return false;
    return !memcmp(sl_run_sample(run), made->last, made->sample_bytes);
}

/* Taken up again at any evaluation, or brought there by what was said. */
static void test_taken_up(SlModel *model, const SlRecipe *recipe, const Made *made)
{
    bool restored = true, advanced = true;
    for (int i = 0; i < made->count; i++) {
        SlError err = {0};
        SlRun *run = sl_run_new(model, recipe, NULL, &err),
              *again = sl_run_new(model, recipe, NULL, &err);
        restored = restored && sl_run_restore(run, made->state[i], made->bytes[i], &err) &&
                   ends_as(run, made);
        for (int k = 0; k < i; k++)
            advanced = advanced &&
                       sl_run_advance(again, &(SlKnown){.output = made->output[k]}, NULL, &err);
        advanced = advanced && ends_as(again, made);
        sl_run_free(run);
        sl_run_free(again);
    }
    sl_test(restored, "%s: saved before each of %d evaluations, it goes on to the same bytes",
            recipe->scheduler, made->count);
    sl_test(advanced, "%s: and from what was said before each", recipe->scheduler);
}

static void test_handover(SlModel *model)
{
    static const struct {
        const char *scheduler;
        int steps, evaluations, refined;
    } runs[] = {{"euler", 6, 6, 2}, {"dpmpp-2m", 6, 6, 3}, {"heun", 6, 11, 4}, {"pndm", 6, 15, 8}};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        SlRecipe recipe;
        SlError err = {0};
        Made made;
        sl_recipe_defaults(&recipe, sl_model_info(model));
        recipe.prompt = "a cat";
        recipe.scheduler = runs[i].scheduler;
        recipe.steps = runs[i].steps;
        recipe.refine_from = 0.5;
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        bool ok = run && make(run, &made);
        sl_test(ok && made.in_order && made.count == runs[i].evaluations &&
                    made.refined == runs[i].refined,
                "%s: evaluations in one row, the refiner's from %d of %d on, between steps %s",
                runs[i].scheduler, made.refined, made.count, err.message);
        if (ok)
            test_taken_up(model, &recipe, &made);
        forget(&made);
        sl_run_free(run);
    }
}

/* A branch behind the hand-over, and one that hands over elsewhere. */
static void test_refined_branches(SlModel *model)
{
    SlRecipe recipe, other;
    SlError err = {0};
    Made made = {0};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a cat";
    recipe.steps = 6;
    recipe.refine_from = 0.5;
    other = recipe;
    other.refine_from = 0.3;
    SlRun *run = sl_run_new(model, &recipe, NULL, &err),
          *same = sl_run_new(model, &recipe, NULL, &err),
          *earlier = sl_run_new(model, &other, NULL, &err),
          *alone = sl_run_new(model, &recipe, NULL, &err);
    SlFrame frame;
    for (int i = 0; i < 4; i++)
        sl_run_next(run, NULL, &err);
    bool ok = sl_run_continue(same, run, &err);
    ok = ok && make(alone, &made) && ends_as(same, &made);
    sl_test(ok, "a branch behind the hand-over with the same settings: the same bytes %s",
            err.message);
    sl_run_free(run);
    run = sl_run_new(model, &recipe, NULL, &err);
    for (int i = 0; i < 2; i++)
        sl_run_next(run, NULL, &err);
    ok = sl_run_continue(earlier, run, &err) && sl_run_next(earlier, &frame, &err);
    sl_test(ok && frame.evaluation == 2 && frame.refined,
            "a branch that hands over earlier: the refiner has the next evaluation %s",
            err.message);
    sl_run_free(run);
    sl_run_free(same);
    sl_run_free(earlier);
    sl_run_free(alone);
    forget(&made);
}

static void test_without(SlModel *model)
{
    SlRecipe recipe;
    SlError err = {0};
    SlModel *base = open_model("sdxl", "f32");
    Made refined = {0}, own = {0};
    sl_recipe_defaults(&recipe, sl_model_info(base));
    recipe.prompt = "a cat";
    recipe.steps = 3;
    SlRun *unsaid = sl_run_new(model, &recipe, NULL, &err);
    sl_test(unsaid && sl_run_recipe(unsaid)->refine_from == 0.8,
            "where nothing is said the refiner goes on after 0.8 of the noise %s", err.message);
    sl_run_free(unsaid);
    recipe.refine_from = 1;
    SlRun *a = sl_run_new(model, &recipe, NULL, &err), *b = sl_run_new(base, &recipe, NULL, &err);
    sl_test(a && b && make(a, &refined) && make(b, &own) && refined.refined < 0 &&
                !memcmp(refined.last, own.last, own.sample_bytes),
            "refine from 1: as the model alone %s", err.message);
    recipe.refine_from = 0.99;
    recipe.scheduler = "dpmpp-2m";
    SlRun *none = sl_run_new(model, &recipe, NULL, &err);
    sl_test(!none && strstr(err.message, "none is left to the refiner"), "%s", err.message);
    sl_run_free(none);
    recipe.refine_from = 0.01;
    SlRun *all = sl_run_new(model, &recipe, NULL, &err);
    Made whole = {0};
    sl_test(all && make(all, &whole) && whole.refined == 0,
            "refine from 0.01: all is the refiner's");
    sl_run_free(all);
    forget(&whole);
    sl_run_free(a);
    sl_run_free(b);
    forget(&refined);
    forget(&own);
    sl_model_close(&base);
}

static void test_no_refiner(void)
{
    static const struct {
        const char *model, *refiner, *says;
    } wrongs[] = {{"sdxl", "sdxl_v", "expected a refiner"},
                  {"sd1", "sdxl_refiner", "is a StableDiffusionPipeline"},
                  {"sdxl_refiner", "sdxl_refiner", "cannot go on"},
                  {"sdxl", "nothing", "no such file"}};
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        static SlModelInfo info;
        char path[100];
        SlError err = {0};
        snprintf(path, sizeof path, "goldens/model/%s", wrongs[i].model);
        char *model = sl_test_path(path);
        snprintf(path, sizeof path, "goldens/model/%s", wrongs[i].refiner);
        char *refiner = sl_test_path(path);
        const SlPartFrom from[] = {{"refiner", refiner}, {NULL, NULL}};
        sl_test(!sl_model_inspect_with(model, from, &info, &err) &&
                    strstr(err.message, wrongs[i].says),
                "%s refines %s: %s", wrongs[i].refiner, wrongs[i].model, err.message);
        free(model);
        free(refiner);
    }
}

static void test_refiner(void)
{
    SlModel *model = open_refined();
    if (!model)
        return;
    test_handover(model);
    test_refined_branches(model);
    test_without(model);
    sl_model_close(&model);
    test_no_refiner();
}

/* ---- texts ---- */

static void test_pooled(void)
{
    float values[3] = {1, NAN, 2};
    const SlConditionTensor pooled = {.rank = 1, .size = {3}, .values = values};
    SlError err = {0};
    sl_test(!sl_check_finite_text(&pooled, &err) && strstr(err.message, "pooled"), "%s",
            err.message);
    values[1] = 0;
    sl_test(sl_check_finite_text(&pooled, &err), "a pooled text of numbers");
}

/* What finds no room is other tokens for another vocabulary. */
static void test_warnings(void)
{
    SlModel *model = open_model("sdxl", "f32");
    char text[800] = "";
    SlRecipe recipe;
    SlError err = {0};
    SlAsk same = {0}, other = {0};
    for (int i = 0; i < 90; i++)
        strcat(text, i % 2 ? "horses " : "red ");
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = text;
    bool ok = model->kind->ask(model, &recipe, false, &same, &err);
    sl_test(ok && *same.warning && !strstr(same.warning, "tokenizer"),
            "tokens that no encoder has room for are named once: %.60s %s", same.warning,
            err.message);
    sl_tokenizer_close(model->tokenizer_2);
    model->tokenizer_2 = sl_tokenizer_open_clip(SL_CLIP_PAD_BANG, &err);
    ok = model->tokenizer_2 && model->kind->ask(model, &recipe, false, &other, &err);
    sl_test(ok && strstr(other.warning, "tokenizer: ") && strstr(other.warning, "\ntokenizer_2: "),
            "and for each tokenizer where they differ %s", err.message);
    free(same.ids);
    free(other.ids);
    sl_model_close(&model);
}

int main(void)
{
    test_pooled();
    test_warnings();
    test_refiner();
    test_sharing();
    test_upcast();
    test_parts();
    return sl_test_done();
}
