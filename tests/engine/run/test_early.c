/* test_early.c - models whose weights wait for the first evaluation (SlModelOptions.early): the same
 * samples, memory only from the second evaluation on, and what goes wrong meanwhile.
 * usage: test_early [DTYPE]
 *
 * sl_model_open lays out the weights of models as small as these, whose previews are decoded, so the parts
 * are loaded anew as those of a large one are. */
#include "engine/pipelines/pipelines.h"
#include "engine/run/run_private.h"
#include "tests/engine/files/util.h"
#include "tests/engine/run/canceller.h"

#include <stdlib.h>
#include <unistd.h>

#define STEPS 4

static const char *dtype = "f32";

static SlModel *open_model(const char *path)
{
    SlError err = {0};
    SlModel *model =
        sl_model_open(path, &(SlModelOptions){.device = "cpu", .dtype = dtype, .threads = 2}, &err);
    if (!sl_test(model != NULL, "opens in %s %s", dtype, err.message))
        exit(sl_test_done());
    return model;
}

static bool load_anew(SlModel *model, bool early, SlError *err)
{
    const SlModelOptions options = {.device = "cpu", .dtype = dtype, .early = early};
    sl_step_free(model->step);
    model->step = NULL;
    sl_model_free_parts(model);
    model->parts = 0;
    model->cheap_decode = false;
    return sl_model_load_parts(model, &options, err);
}

static SlModel *open_early(const char *path)
{
    SlError err = {0};
    SlModel *model = open_model(path);
    sl_test(load_anew(model, true, &err), "its parts are loaded %s", err.message);
    return model;
}

static bool is_waiting(const SlModel *model, SlPartUse use)
{
    int part = sl_model_part_for(model, use);
    return part >= 0 && model->part[part].binder && sl_binder_waits(model->part[part].binder);
}

typedef struct Case {
    const char *name, *scheduler, *prompt, *lora;
    SlPromptMode mode;
} Case;

static SlRun *new_run(SlModel *model, const Case *c, SlError *err)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = c->prompt;
    recipe.negative_prompt = "grey";
    recipe.prompt_mode = c->mode;
    recipe.scheduler = c->scheduler;
    recipe.lora = c->lora;
    recipe.steps = STEPS;
    recipe.guidance = 3;
    return sl_run_new(model, &recipe, NULL, err);
}

static float *copy_sample(const SlRun *run)
{
    size_t bytes = (size_t)sl_run_sample_elements(run) * sizeof(float);
    float *sample = malloc(bytes);
    if (!sample)
        abort();
    return memcpy(sample, sl_run_sample(run), bytes);
}

/* The last sample, malloc'ed; NULL and *err. first: weights' bytes behind the first evaluation. */
static float *sample_of(SlModel *model, const Case *c, uint64_t *first, SlError *err)
{
    SlRun *run = new_run(model, c, err);
    bool ok = run != NULL;
    while (ok && !sl_run_done(run)) {
        ok = sl_run_next(run, NULL, err);
        if (first && sl_run_evaluation(run) == 1)
            *first = model->dev->work.weight_bytes;
    }
    float *sample = ok ? copy_sample(run) : NULL;
    sl_run_free(run);
    return sample;
}

static bool same(const SlModel *model, const float *a, const float *b)
{
    const SlModelInfo *info = sl_model_info(model);
    size_t n = (size_t)info->channels * (size_t)(info->width / info->factor) *
               (size_t)(info->height / info->factor);
    return a && b && !memcmp(a, b, n * sizeof *a);
}

static void test_case(const char *path, const Case *c)
{
    SlError err = {0};
    SlModel *model = open_model(path), *early = open_early(path);
    uint64_t before = early->dev->work.weight_bytes, first = 0;
    size_t waiting = sl_model_waiting_bytes(early);
    if (!load_anew(model, false, &err))
        abort();
    bool waits = is_waiting(early, SL_USE_DENOISE) && is_waiting(early, SL_USE_ENCODE);
    float *wanted = sample_of(model, c, NULL, &err), *sample = sample_of(early, c, &first, &err);
    sl_test(waits && same(model, wanted, sample), "%s: the same sample %s", c->name, err.message);
    sl_test(early->dev->waits == 0 && !is_waiting(early, SL_USE_DENOISE) && waiting > before &&
                sl_model_waiting_bytes(early) == 0,
            "%s: none waits any more of %zu bytes", c->name, waiting);
    Case other = *c;
    other.prompt = "a house"; /* whose text is encoded, too */
    float *next = sample_of(model, &other, NULL, &err),
          *early_next = sample_of(early, &other, NULL, &err);
    sl_test(same(model, next, early_next), "%s: and of another prompt %s", c->name, err.message);
    uint64_t all = model->dev->work.weight_bytes, after = early->dev->work.weight_bytes;
    if (!c->lora && c->mode == SL_PROMPT_PLAIN)
        sl_test(first == before && before < all / 2,
                "%s: of %llu bytes %llu are held before and %llu behind the first evaluation",
                c->name, (unsigned long long)all, (unsigned long long)before,
                (unsigned long long)first);
    sl_test(after == all, "%s: and at the end all are (%llu of %llu)", c->name,
            (unsigned long long)after, (unsigned long long)all);
    free(wanted);
    free(sample);
    free(next);
    free(early_next);
    sl_model_close(&model);
    sl_model_close(&early);
}

/* ---- what goes wrong meanwhile ---- */

static const Case plain = {"plain", "euler", "a cat", NULL, SL_PROMPT_PLAIN};

static const char *copy_model(const char *folder)
{
    char command[1500];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", test_file("model"), folder,
             test_file("model"));
    if (system(command) != 0)
        abort();
    return test_file("model");
}

/* One file that cannot be read, or is not what it should be, when the first evaluation wants it. */
static void test_damaged(const char *folder, bool cut)
{
    SlError err = {0};
    SlModel *good = open_model(folder), *model = open_early(copy_model(folder));
    const char *unet = test_file("model/unet/diffusion_pytorch_model.safetensors");
    size_t bytes;
    unsigned char *data = test_read(unet, &bytes), *bad = malloc(bytes);
    if (!data || !bad)
        abort();
    memcpy(bad, data, bytes);
    memset(bad + bytes / 2, 0xff, bytes - bytes / 2); /* NaN */
    test_write(unet, bad, cut ? bytes / 2 : bytes);
    float *none = sample_of(model, &plain, NULL, &err);
    const char *const says[] = {"diffusion_pytorch_model.safetensors", cut ? NULL : "finite", NULL};
    test_refused(cut ? "a file that was cut meanwhile" : "a file that was spoilt meanwhile", !none,
                 &err, cut ? SL_IO : SL_FORMAT, says);
    test_write(unet, data, bytes);
    float *wanted = sample_of(good, &plain, NULL, &err);
    float *sample = sample_of(model, &plain, NULL, &err);
    sl_test(same(good, wanted, sample), "when it is right again, so is the sample %s", err.message);
    free(data);
    free(bad);
    free(none);
    free(wanted);
    free(sample);
    sl_model_close(&good);
    sl_model_close(&model);
}

/* Runs that are stopped at some moment of their first evaluations, of which each reads some weights. */
static void test_cancelled(const char *folder)
{
    SlError err = {0};
    SlModel *good = open_model(folder);
    float *wanted = sample_of(good, &plain, NULL, &err);
    int right = 0, cancelled = 0, wrong = 0;
    for (long us = 200; us < 100000 && right < 3; us = us * 5 / 4) {
        SlModel *model = open_model(folder);
        Canceller c;
        if (!load_anew(model, true, &err))
            abort();
        canceller_begin(&c, model, us);
        float *stopped = sample_of(model, &plain, NULL, &err);
        canceller_end(&c);
        cancelled += !stopped && err.code == SL_CANCELLED;
        right += stopped != NULL;
        float *sample = sample_of(model, &plain, NULL, &err);
        wrong += !same(good, wanted, sample);
        free(stopped);
        free(sample);
        sl_model_close(&model);
    }
    sl_test(cancelled > 0 && wrong == 0, "%d were stopped, and the next run of each is right",
            cancelled);
    free(wanted);
    sl_model_close(&good);
}

/* A model of one step: what waits is laid out when the next picture begins. */
static void test_one_step(const char *folder)
{
    SlError err = {0};
    SlModel *model = open_early(folder);
    bool ok = true, waits[2] = {false, true};
    for (int i = 0; ok && i < 2; i++) {
        SlRun *run = new_run(model, &plain, &err);
        ok = run && sl_run_next(run, NULL, &err);
        waits[i] = is_waiting(model, SL_USE_DENOISE) && sl_model_waiting_bytes(model) > 0;
        sl_run_free(run);
    }
    sl_test(ok && waits[0] && !waits[1], "the second of two single evaluations finds it settled %s",
            err.message);
    sl_model_close(&model);
}

/* Before the first picture, a little at a time, and stopped in between. */
static void test_some(const char *folder)
{
    SlError err = {0};
    SlModel *good = open_model(folder), *model = open_early(folder);
    float *wanted = sample_of(good, &plain, NULL, &err);
    bool more = true, ok = true;
    int turns = 0;
    for (; ok && turns < 3; turns++)
        ok = sl_model_settle_some(model, 1, &more, &err) && more;
    sl_test(ok && is_waiting(model, SL_USE_DENOISE), "some of its weights are laid out %s",
            err.message);
    float *sample = sample_of(model, &plain, NULL, &err);
    sl_test(same(good, wanted, sample), "a run goes on with the others waiting %s", err.message);
    free(sample);
    sl_test(load_anew(model, true, &err), "its parts are loaded %s", err.message);
    sl_model_cancel(model);
    sl_test(!sl_model_settle_some(model, SIZE_MAX, &more, &err) && err.code == SL_CANCELLED &&
                is_waiting(model, SL_USE_DENOISE),
            "a cancel stops it");
    sl_model_clear_cancel(model);
    for (more = ok = true, turns = 0; ok && more; turns++)
        ok = sl_model_settle_some(model, 10000, &more, &err);
    sl_test(ok && turns > 10 && sl_model_waiting_bytes(model) == 0 && model->dev->waits == 0,
            "all are, in %d turns %s", turns, err.message);
    sample = sample_of(model, &plain, NULL, &err);
    sl_test(same(good, wanted, sample), "to the same sample %s", err.message);
    free(wanted);
    free(sample);
    sl_model_close(&good);
    sl_model_close(&model);
}

/* A decoder that cannot be read while nothing is asked for is told of behind a run's first frame. */
static void test_some_damaged(const char *folder)
{
    SlError err = {0};
    SlModel *model = open_early(copy_model(folder));
    bool more = true, ok = true;
    test_write(test_file("model/vae/diffusion_pytorch_model.safetensors"), "none", 4);
    while (ok && more)
        ok = sl_model_settle_some(model, SIZE_MAX, &more, &err);
    sl_test(!ok && !is_waiting(model, SL_USE_DENOISE) && sl_model_waiting_bytes(model) > 0,
            "a decoder that cannot be loaded goes on waiting: %s", err.message);
    err = (SlError){0};
    SlRun *run = new_run(model, &plain, &err);
    sl_test(run && sl_run_next(run, NULL, &err), "the first evaluation goes on %s", err.message);
    const char *const says[] = {"vae", "diffusion_pytorch_model.safetensors", NULL};
    test_refused("and behind it the decoder is told of", run && !sl_run_next(run, NULL, &err), &err,
                 SL_FORMAT, says);
    sl_run_free(run);
    sl_model_close(&model);
}

/* What becomes of parts whose weights nobody wanted yet. */
static void test_dropped(const char *folder)
{
    SlError err = {0};
    SlModel *model = open_early(folder);
    int unet = sl_model_part_for(model, SL_USE_DENOISE);
    sl_model_drop_part(model, unet);
    float *sample = sample_of(model, &plain, NULL, &err);
    sl_test(sample != NULL, "one that was dropped is loaded again %s", err.message);
    free(sample);
    sl_model_close(&model);
    model = open_early(folder);
    sl_model_close(&model);
    sl_test(true, "and one that is closed without a run is gone");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        dtype = argv[1];
    char *folder = sl_test_path("goldens/model/sd1"), *sdxl = sl_test_path("goldens/model/sdxl");
    char *lora = sl_test_path("goldens/adapters/sd1_kohya_lora.safetensors");
    const Case cases[] = {
        plain,
        {"heun", "heun", "a cat", NULL, SL_PROMPT_PLAIN},
        {"two parts", "euler", "a cat AND a dog", NULL, SL_PROMPT_A1111},
        {"a LoRA", "euler", "a cat", lora, SL_PROMPT_PLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_case(folder, &cases[i]);
    test_case(sdxl, &plain);
    test_damaged(folder, true);
    test_damaged(folder, false);
    test_cancelled(folder);
    test_one_step(folder);
    test_some(folder);
    test_some_damaged(folder);
    test_dropped(folder);
    free(folder);
    free(sdxl);
    free(lora);
    return sl_test_done();
}
