/* test_lora.c - LoRAs in runs beside their pictures (test_pictures.c): strengths come and go without a
 * trace, only what they touch is read again and what comes back is kept, lanes with different ones are each what they are alone,
 * and the strength may follow the steps. On a GPU an evaluation with LoRAs is the cpu device's, which is proven
 * by goldens, within the limits of its type (docs/design.md, "Tolerances"). usage: test_lora DEVICE [DTYPE [FIXTURE]], the
 * fixture: that comparison alone */
#include "engine/pipelines/pipelines.h"
#include "engine/run/run_private.h"
#include "engine/run/share.h"
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

static const char *device, *dtype;
static char kohya[500], peft[500]; /* paths */

static SlModel *open_on(const char *fixture, const char *name, const char *type)
{
    char relative[100];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", fixture);
    char *folder = sl_test_path(relative);
    SlModel *model =
        sl_model_open(folder, &(SlModelOptions){.device = name, .dtype = type, .threads = 1}, &err);
    sl_test(model != NULL, "%s opens on %s %s", fixture, name, err.message);
    free(folder);
    return model;
}

static const char *prompt = "a cat";
static int prompt_mode = SL_PROMPT_PLAIN;

static SlRun *new_run(SlModel *model, const char *lora, SlShare *share, SlError *err)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = prompt;
    recipe.prompt_mode = prompt_mode;
    recipe.scheduler = "euler";
    recipe.steps = 4;
    recipe.lora = lora;
    return sl_run_new(model, &recipe, &(SlRunInputs){.share = share}, err);
}

/* The last sample of a run of its own, malloc'ed. */
static float *sample_of(SlModel *model, const char *lora)
{
    SlError err = {0};
    SlRun *run = new_run(model, lora, NULL, &err);
    bool ok = run != NULL;
    while (ok && !sl_run_done(run))
        ok = sl_run_next(run, NULL, &err);
    size_t bytes = ok ? (size_t)sl_run_sample_elements(run) * sizeof(float) : 0;
    float *sample = ok ? malloc(bytes) : NULL;
    if (sample)
        memcpy(sample, sl_run_sample(run), bytes);
    sl_test(sample != NULL, "a run with \"%s\" %s", lora, err.message);
    sl_run_free(run);
    return sample;
}

static bool same(const float *a, const float *b)
{
    return a && b && !memcmp(a, b, 4 * 4 * 4 * sizeof *a);
}

static const char *text(char out[600], const char *path, const char *strengths)
{
    snprintf(out, 600, "%s%s", path, strengths);
    return out;
}

static void test_traces(SlModel *model)
{
    char weak[600], strong[600], later[600], twice[1300], unet[600];
    unsigned loads[SL_MAX_PARTS];
    float *none = sample_of(model, "");
    for (int i = 0; i < model->parts; i++)
        loads[i] = model->part[i].loads;
    float *first = sample_of(model, text(strong, kohya, ":0.8"));
    float *other = sample_of(model, text(weak, kohya, ":0.3:0"));
    float *again = sample_of(model, strong), *off = sample_of(model, "");
    snprintf(twice, sizeof twice, "%s; %s:0.5", strong, peft);
    float *both = sample_of(model, twice), *zero = sample_of(model, text(later, kohya, ":0"));
    sl_test(!same(none, first) && !same(first, other) && !same(first, both),
            "each is another picture");
    sl_test(same(first, again), "the same strength again gives the same bytes");
    sl_test(same(none, off) && same(none, zero), "and nothing stays of it");
    for (int i = 0; i < model->parts; i++)
        sl_test(model->part[i].loads == loads[i], "%s is not loaded again",
                model->part[i].kind->name);
    float *half = sample_of(model, text(later, kohya, ":0.8:0@0-0.5"));
    float *whole = sample_of(model, text(unet, kohya, ":0.8:0"));
    snprintf(twice, sizeof twice, "%s:0.8:0@0-0.5; %s:0.8:0@0.5-1", kohya, kohya);
    float *pieces = sample_of(model, twice);
    sl_test(!same(half, whole) && !same(half, none), "half of the steps");
    sl_test(same(pieces, whole), "two halves are the whole");
    float *all[] = {none, first, other, again, off, both, zero, half, whole, pieces};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

#define LANES 5

/* Runs that take turns over one model, with one share. */
static void test_lanes(SlModel *model)
{
    char strengths[LANES][600];
    SlShare *share = sl_share_new(model);
    SlRun *run[LANES] = {NULL};
    SlError err = {0};
    bool ok = share != NULL;
    for (int i = 0; ok && i < LANES; i++) {
        static const char *const said[] = {":0", ":0.5:0", ":0.5:0", ":1@0:1,0.5:0.3",
                                           ":0.5:0@0-0.5"};
        run[i] = new_run(model, text(strengths[i], kohya, said[i]), share, &err);
        ok = run[i] != NULL;
    }
    sl_test(ok && sl_runs_match(run[1], run[2]) && !sl_runs_match(run[0], run[1]),
            "lanes of one set of strengths may be a batch, others not");
    for (int step = 0; ok && step < 4; step++)
        for (int i = 0; ok && i < LANES; i++)
            ok = sl_run_next(run[i], NULL, &err);
    sl_test(ok, "all lanes %s", err.message);
    for (int i = 0; ok && i < LANES; i++) {
        float *alone = sample_of(model, strengths[i]);
        sl_test(same(alone, sl_run_sample(run[i])), "lane %d is what it is alone", i + 1);
        free(alone);
    }
    sl_test(ok && sl_share_counts(share).texts == 4, "texts are encoded once for each strength: %d",
            sl_share_counts(share).texts);
    for (int i = 0; i < LANES; i++)
        sl_run_free(run[i]);
    sl_share_free(share);
}

/* A copy of the LoRA, which can be cut short. */
static bool copy_lora(char *path)
{
    char block[4096];
    int place = mkstemps(path, 12);
    FILE *from = fopen(kohya, "rb"), *to = place < 0 ? NULL : fdopen(place, "wb");
    bool ok = from && to;
    for (size_t n; ok && (n = fread(block, 1, sizeof block, from)) > 0;)
        ok = fwrite(block, 1, n, to) == n;
    if (from)
        fclose(from);
    return to && fclose(to) == 0 && ok;
}

/* Sets of strengths that come back are copied, not added again: it goes without the file, and that it does
 * not without the copies. */
static void test_kept(SlModel *model)
{
    char strengths[3][600], path[] = "/tmp/safelight-lora-XXXXXX.safetensors";
    SlRun *run[3] = {NULL};
    SlError err = {0};
    bool ok = copy_lora(path);
    for (int i = 0; ok && i < 3; i++) {
        static const char *const said[] = {":0", ":0.5:0", ":0.3:0"};
        run[i] = new_run(model, text(strengths[i], path, said[i]), NULL, &err);
        ok = run[i] && sl_run_next(run[i], NULL, &err);
    }
    uint64_t with = model->dev->work.weight_bytes;
    sl_test(ok && sl_model_kept(model) > 0, "two sets are kept beside the third %s", err.message);
    float *alone[3] = {sample_of(model, ""), sample_of(model, strengths[1]),
                       sample_of(model, strengths[2])};
    ok = ok && truncate(path, 0) == 0;
    for (int step = 1; ok && step < 4; step++)
        for (int i = 0; ok && i < 3; i++)
            ok = sl_run_next(run[i], NULL, &err);
    sl_test(ok, "further turns do not read the file %s", err.message);
    for (int i = 0; i < 3; i++) {
        sl_test(ok && same(alone[i], sl_run_sample(run[i])), "lane %d is what it is alone", i + 1);
        free(alone[i]);
        sl_run_free(run[i]);
    }
    size_t kept = sl_model_kept(model);
    sl_test(sl_model_forget(model) && sl_model_kept(model) == 0 && !sl_model_forget(model) &&
                model->dev->work.weight_bytes <= with - kept / 2,
            "copies are given back");
    SlRun *last = new_run(model, strengths[1], NULL, &err);
    sl_test(!last && strstr(err.message, "safelight-lora"), "then it is read: %s", err.message);
    sl_run_free(last);
    remove(path);
}

/* What a prompt of A1111 names counts as what the recipe names; what is not there is a warning. */
static void test_tags(SlModel *model)
{
    char tag[700], said[600];
    SlError err = {0};
    prompt_mode = SL_PROMPT_A1111;
    float *recipe = sample_of(model, text(said, kohya, ":0.8:0.3"));
    snprintf(tag, sizeof tag, "a cat<lora:%s:0.3:0.8>", kohya);
    prompt = tag;
    float *prompts = sample_of(model, "");
    sl_test(same(recipe, prompts), "a tag is what the recipe's line is");
    prompt = "a cat<lora:/nothing/here:1>";
    SlRun *run = new_run(model, "", NULL, &err);
    sl_test(run && strstr(sl_run_warning(run), "has no effect"), "what is not here is said %s",
            err.message);
    sl_run_free(run);
    prompt = "a cat";
    prompt_mode = SL_PROMPT_PLAIN;
    free(recipe);
    free(prompts);
}

static void test_refusals(SlModel *model)
{
    static const struct {
        const char *file, *said;
    } bad[] = {{"goldens/adapters/sdxl_kohya_lora.safetensors", "does not fit the model"},
               {"goldens/adapters/unet.safetensors", "expected a LoRA"},
               {"goldens/adapters/nothing.safetensors", "nothing.safetensors"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SlError err = {0};
        char *path = sl_test_path(bad[i].file);
        SlRun *run = new_run(model, path, NULL, &err);
        sl_test(!run && strstr(err.message, bad[i].said), "refused: %s", err.message);
        sl_run_free(run);
        free(path);
    }
    SlError err = {0};
    SlAdapterCounts counts;
    sl_test(sl_model_adapter(model, kohya, "", &counts, &err) && counts.matched == counts.modules &&
                counts.matched == 136,
            "%d of %d modules are the model's %s", counts.matched, counts.modules, err.message);
}

/* ---- a GPU against the CPU ---- */

static double nmse(const float *a, const float *b, size_t n)
{
    double error = 0, signal = 0;
    for (size_t i = 0; a && b && i < n; i++) {
        error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        signal += (double)b[i] * b[i];
    }
    return signal > 0 ? error / signal : 1;
}

/* An evaluation without guidance; told: another run's condition, or NULL. */
static SlRun *evaluated(SlModel *model, const char *lora, const SlRun *told)
{
    SlError err = {0};
    SlRecipe recipe;
    SlRunInputs inputs = {.share = NULL};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = prompt;
    recipe.scheduler = "euler";
    recipe.guidance = 1;
    recipe.lora = lora;
    if (told)
        inputs.condition[0] = told->side[0].told->condition[0];
    SlRun *run = sl_run_new(model, &recipe, &inputs, &err);
    sl_test(run && sl_run_next(run, NULL, &err), "an evaluation %s", err.message);
    return run;
}

/* The text encoders and the UNet, each within its own limit: the UNet is told the same. */
static void test_against_cpu(const char *fixture)
{
    double limit = !strcmp(dtype, "f32") ? 1e-8 : !strcmp(dtype, "bf16") ? 1e-3 : 1e-5;
    char relative[100], lora[600];
    int64_t size[3];
    snprintf(relative, sizeof relative, "goldens/adapters/%s_kohya_lora.safetensors", fixture);
    char *path = sl_test_path(relative);
    text(lora, path, ":0.7"); /* about what the goldens have */
    free(path);
    SlModel *gpu = open_on(fixture, device, dtype), *cpu = open_on(fixture, "cpu", "f32");
    SlRun *right = cpu ? evaluated(cpu, lora, NULL) : NULL;
    SlRun *without = right ? evaluated(cpu, "", right) : NULL;
    SlRun *texts = gpu && without ? evaluated(gpu, lora, NULL) : NULL;
    SlRun *said = texts ? evaluated(gpu, lora, right) : NULL;
    if (said) {
        const float *words = sl_run_text_embeddings(right, size);
        double far =
            nmse(sl_run_text_embeddings(texts, size), words, (size_t)(size[0] * size[1] * size[2]));
        sl_test(far <= limit, "texts of %s with a LoRA in %s: NMSE %.2g", fixture, dtype, far);
        size_t n = (size_t)sl_run_sample_elements(right);
        far = nmse(said->output, right->output, n);
        double apart = nmse(without->output, right->output, n);
        sl_test(far <= limit, "its UNet: NMSE %.2g", far);
        sl_test(apart > 10 * limit, "... where the LoRA makes a difference of %.2g", apart);
    }
    SlRun *const all[] = {right, without, texts, said};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sl_run_free(all[i]);
    sl_model_close(&gpu);
    sl_model_close(&cpu);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : "cpu";
    dtype = argc > 2 ? argv[2] : "f32";
    char *path = sl_test_path("goldens/adapters");
    snprintf(kohya, sizeof kohya, "%s/sd1_kohya_lora.safetensors", path);
    snprintf(peft, sizeof peft, "%s/sd1_peft_lora.safetensors", path);
    free(path);
    if (strcmp(device, "cpu") != 0)
        test_against_cpu(argc > 3 ? argv[3] : "sd1");
    SlModel *model = argc > 3 ? NULL : open_on("sd1", device, dtype);
    if (model) {
        test_traces(model);
        test_lanes(model);
        test_kept(model);
        test_tags(model);
        test_refusals(model);
        sl_model_close(&model);
    }
    return sl_test_done();
}
