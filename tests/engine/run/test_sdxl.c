/* test_sdxl.c - what the family of Stable Diffusion XL has beside its pictures (test_pictures.c):
 * texts that are told other sizes are not encoded again, a VAE that overflows computes in f32, parts
 * that do not belong together are refused. */
#include "engine/pipelines/pipelines.h"
#include "engine/run/share.h"
#include "tests/test.h"

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

int main(void)
{
    test_sharing();
    test_upcast();
    test_parts();
    return sl_test_done();
}
