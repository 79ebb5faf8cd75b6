/* test_dtypes.c - parts of one model that compute in different types: each gives what it gives in a
 * model that is in its type as a whole.
 *
 * usage: test_dtypes DEVICE DTYPE: the model is in DTYPE, its VAE, and then its text encoder, in
 * f32.
 */
#include "engine/pipelines/pipelines.h"
#include "engine/run/stages.h"
#include "tests/engine/run/golden.h"

#include <string.h>

static const char *device;

static SlModel *open_with(const SlModelOptions *options, SlError *err)
{
    char *folder = sl_test_path("goldens/model/sd1");
    SlModel *model = sl_model_open(folder, options, err);
    free(folder);
    return model;
}

/* parts: "vae=f32"; NULL: none. */
static SlModel *open_model(const char *dtype, const char *parts, SlError *err)
{
    char text[100];
    snprintf(text, sizeof text, "%s%s%s", dtype, parts ? "," : "", parts ? parts : "");
    return open_with(&(SlModelOptions){.device = device, .dtype = text}, err);
}

/* Types by the parts' names, and what is recorded of them. */
static bool computes_in(const SlModel *model, const char *part, SlDtype dtype, const char *recorded)
{
    for (int i = 0; i < model->parts; i++)
        if (!strcmp(model->part[i].kind->name, part))
            return model->part[i].dtype == dtype && !strcmp(sl_model_dtypes(model), recorded);
    return false;
}

enum { SIDE = 8 };

/* A picture of fixed latents, f32 [3, H, W]; malloc'ed. */
static float *decode(SlModel *model, size_t *n)
{
    const SlModelInfo *info = sl_model_info(model);
    size_t latents = (size_t)info->channels * SIDE * SIDE;
    *n = (size_t)3 * SIDE * SIDE * (size_t)(info->factor * info->factor);
    float *sample = calloc(latents, sizeof *sample), *image = calloc(*n, sizeof *image);
    SlNoise noise;
    SlError err = {0};
    sl_noise_init(&noise, SL_NOISE_CPU, 3, 0);
    sl_noise_normal(&noise, sample, (int64_t)latents);
    if (!sl_decode(model, sample, SIDE, SIDE, image, NULL, &err))
        sl_test_note("%s", err.message);
    free(sample);
    return image;
}

/* The prompt's embeddings and the sample after one step, one behind the other; malloc'ed. */
static float *one_step(SlModel *model, size_t *text, size_t *n)
{
    SlRecipe recipe;
    SlError err = {0};
    int64_t size[3] = {0};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a horse";
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    bool ok = run && sl_run_next(run, NULL, &err);
    const float *states = ok ? sl_run_text_embeddings(run, size) : NULL;
    *text = (size_t)(size[0] * size[1] * size[2]);
    *n = ok ? *text + (size_t)sl_run_sample_elements(run) : 0;
    float *values = calloc(*n + 1, sizeof *values);
    if (ok) {
        memcpy(values, states, *text * sizeof *values);
        memcpy(values + *text, sl_run_sample(run), (*n - *text) * sizeof *values);
    } else {
        sl_test_note("%s", err.message);
    }
    sl_run_free(run);
    return values;
}

static bool same(const float *a, const float *b, size_t n)
{
    return !memcmp(a, b, n * sizeof *a);
}

static void test_vae(const char *dtype)
{
    SlError err = {0};
    SlModel *all = open_model("f32", NULL, &err), *plain = open_model(dtype, NULL, &err);
    SlModel *mixed = open_model(dtype, "vae=f32", &err);
    if (sl_test(all && plain && mixed, "the VAE in f32, the rest in %s %s", dtype, err.message)) {
        size_t n, text, values;
        float *want = decode(all, &n), *half = decode(plain, &n), *got = decode(mixed, &n);
        sl_test(same(got, want, n) && !same(got, half, n),
                "the picture has the bytes of a model in f32, which %s alone would not give",
                dtype);
        float *steps = one_step(plain, &text, &values), *again = one_step(mixed, &text, &values);
        sl_test(values && same(steps, again, values), "text and step have the bytes of %s", dtype);
        free(want);
        free(got);
        got = decode(mixed, &n);
        sl_test(!same(got, half, n), "and the picture after it is still made in f32");
        free(got);
        free(half);
        free(steps);
        free(again);
    }
    sl_model_close(&all);
    sl_model_close(&plain);
    sl_model_close(&mixed);
}

static void test_text_encoder(const char *dtype)
{
    SlError err = {0};
    SlModel *all = open_model("f32", NULL, &err);
    SlModel *mixed = open_model(dtype, "text_encoder=f32,vae=f32", &err);
    if (sl_test(all && mixed, "text encoder and VAE in f32 %s", err.message)) {
        size_t text, n, other;
        float *want = one_step(all, &text, &n), *got = one_step(mixed, &text, &other);
        sl_test(n && n == other && same(want, got, text), "the embeddings are those of f32");
        sl_test(n && !same(want + text, got + text, n - text), "and the step is %s's", dtype);
        free(want);
        free(got);
    }
    sl_model_close(&all);
    sl_model_close(&mixed);
}

static void test_auto(const char *dtype)
{
    SlError err = {0};
    SlModel *plain = open_model(dtype, NULL, &err);
    SlModel *same_types = open_model(dtype, "vae=f32,vae=auto,text_encoder=auto", &err);
    bool ok = plain && same_types && plain->parts == same_types->parts;
    for (int i = 0; ok && i < plain->parts; i++)
        ok = plain->part[i].dtype == same_types->part[i].dtype;
    sl_test(ok, "auto is the type that a part has anyway %s", err.message);
    sl_model_close(&plain);
    sl_model_close(&same_types);
}

/* What "auto" is, told by who opens the model: on cpu alone, and not of what says its type. */
static void test_told(const char *dtype)
{
    static const struct {
        const char *said, *on;
        bool told;
    } cases[] = {{NULL, "cpu", true},   {"auto", "cpu", true}, {"auto", "check", true},
                 {"f32", "cpu", false}, {"q8", "cpu", false},  {"auto", "ref", false}};
    char told[100], recorded[100];
    SlDtype type = !strcmp(dtype, "bf16") ? SL_BF16 : SL_F32;
    snprintf(told, sizeof told, "%s,decode=f32", dtype);
    snprintf(recorded, sizeof recorded, "%s,vae=f32", dtype);
    for (size_t i = 0; type == SL_BF16 && i < sizeof cases / sizeof cases[0]; i++) {
        SlError err = {0};
        const SlModelOptions options = {
            .device = cases[i].on, .dtype = cases[i].said, .auto_dtype = told};
        SlModel *model = open_with(&options, &err);
        bool q8 = cases[i].said && !strcmp(cases[i].said, "q8");
        SlDtype alone = q8 ? sl_q8_dtype() : SL_F32;
        const char *own = q8 ? sl_q8_name(alone) : "f32";
        bool unet = model && computes_in(model, "unet", cases[i].told ? type : alone,
                                         cases[i].told ? recorded : own);
        bool vae = model && computes_in(model, "vae", cases[i].told ? SL_F32 : alone,
                                        cases[i].told ? recorded : own);
        sl_test(unet && vae, "%s on %s where auto is \"%s\": %s %s",
                cases[i].said ? cases[i].said : "nothing said", cases[i].on, told,
                model ? sl_model_dtypes(model) : "", err.message);
        sl_model_close(&model);
    }
}

/* What the device usually computes in beside weights in 8 bits, and what f16 is there. */
static SlDtype usual_beside_q8(void)
{
    return strcmp(device, "cuda") ? sl_q8_dtype() : SL_F16;
}

static SlDtype f16_here(void)
{
    return strcmp(device, "cuda") ? SL_F32 : SL_F16; /* the cpu has none */
}

/* Which type is computed in beside weights in 8 bits, said or not, and what is recorded of it. */
static void test_q8_types(void)
{
    const SlDtype usual = usual_beside_q8();
    const struct {
        const char *said;
        SlDtype dtype;
        const char *recorded;
    } cases[] = {{"q8/f32", SL_F32, "q8/f32"},
                 {"q8/bf16", SL_BF16, "q8/bf16"},
                 {"q8/f16", f16_here(), sl_q8_name(f16_here())},
                 {"q8", usual, sl_q8_name(usual)},
                 {"q8/bf16,unet=auto", SL_BF16, "q8/bf16"},
                 {"q8/bf16,text=f32", SL_BF16, "q8/bf16,text_encoder=f32"},
                 {"q8/f32,decode=bf16", SL_F32, "q8/f32,vae=bf16"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SlError err = {0};
        SlModel *model = open_model(cases[i].said, NULL, &err);
        bool ok = model && computes_in(model, "unet", cases[i].dtype, cases[i].recorded);
        for (int k = 0; ok && k < model->parts; k++)
            if (!strcmp(model->part[k].kind->name, "unet"))
                ok = model->part[k].q8;
        sl_test(ok, "%s is recorded as %s %s", cases[i].said, cases[i].recorded, err.message);
        sl_model_close(&model);
    }
}

/* A step in the types that were recorded of another has its bytes, and not those of one in `than`. */
static void test_q8_again(const char *said, const char *than)
{
    SlError err = {0};
    SlModel *model = open_model(said, NULL, &err), *other = open_model(than, NULL, &err);
    SlModel *again = model ? open_model(sl_model_dtypes(model), NULL, &err) : NULL;
    if (sl_test(again && other, "%s and again %s", said, err.message)) {
        size_t text, n, values, others;
        float *want = one_step(model, &text, &n), *got = one_step(again, &text, &values),
              *different = one_step(other, &text, &others);
        sl_test(n && n == values && same(want, got, n), "a step in %s is repeated as %s", said,
                sl_model_dtypes(model));
        sl_test(n == others && !same(want, different, n), "and is not that of %s", than);
        free(want);
        free(got);
        free(different);
    }
    sl_model_close(&model);
    sl_model_close(&again);
    sl_model_close(&other);
}

/* What it would need counts the type beside 8 bits, and for "q8" the usual one. */
static void test_q8_cost(void)
{
    SlError err = {0};
    SlModel *model = open_model("q8/bf16", NULL, &err);
    SlRecipe recipe;
    SlCost f32, bf16, said, measured, usual = {0};
    if (model)
        sl_recipe_defaults(&recipe, sl_model_info(model));
    bool ok = model && sl_model_cost(sl_model_info(model), &recipe, "q8/f32", &f32, &err) &&
              sl_model_cost(sl_model_info(model), &recipe, "q8/bf16", &bf16, &err) &&
              sl_model_cost(sl_model_info(model), &recipe, "q8", &said, &err) &&
              sl_model_measure(model, &recipe, &measured, &err);
    if (ok)
        usual = sl_q8_dtype() == SL_BF16 ? bf16 : f32;
    sl_test(ok && bf16.step_bytes < f32.step_bytes && bf16.decode_bytes < f32.decode_bytes &&
                bf16.weight_bytes < f32.weight_bytes,
            "beside 8 bits bf16 needs less than f32 %s", err.message);
    sl_test(ok && said.step_bytes == usual.step_bytes && said.peak_bytes == usual.peak_bytes,
            "q8 needs what %s needs", sl_q8_name(sl_q8_dtype()));
    sl_test(ok && measured.step_bytes == bf16.step_bytes && measured.peak_bytes == bf16.peak_bytes,
            "and a model in q8/bf16 what was foreseen of it");
    sl_model_close(&model);
}

static void test_q8(void)
{
    test_q8_types();
    test_q8_again("q8/f32", "q8/bf16");
    test_q8_again("q8/bf16", "q8/f32");
    test_q8_again("q8", usual_beside_q8() == SL_BF16 ? "q8/f32" : "q8/bf16");
    test_q8_cost();
}

/* All that is for a stage; and what is recorded gives the same types again. */
static void test_stages(const char *dtype)
{
    SlError err = {0};
    SlModel *stages = open_model(dtype, "text=f32,decode=f32", &err);
    SlModel *again =
        stages
            ? open_with(&(SlModelOptions){.device = device, .dtype = sl_model_dtypes(stages)}, &err)
            : NULL;
    char recorded[100];
    snprintf(recorded, sizeof recorded, "%s,text_encoder=f32,vae=f32", dtype);
    bool ok = again && computes_in(stages, "text_encoder", SL_F32, recorded) &&
              computes_in(again, "vae", SL_F32, recorded) &&
              computes_in(again, "unet", again->dev->dtype, recorded);
    sl_test(ok, "text and decode in f32, recorded as %s %s", recorded, err.message);
    sl_model_close(&stages);
    sl_model_close(&again);
    SlModel *mixed = open_model("f32", "step=bf16", &err), *all = open_model("bf16", NULL, &err);
    size_t text, n, other;
    if (sl_test(mixed && all, "a step in bf16, the rest in f32 %s", err.message)) {
        float *want = one_step(all, &text, &n), *got = one_step(mixed, &text, &other);
        sl_test(n && n == other && !same(want, got, text) &&
                    computes_in(mixed, "unet", SL_BF16, "f32,unet=bf16"),
                "its texts are not those of bf16, and it is recorded");
        free(want);
        free(got);
    }
    sl_model_close(&mixed);
    sl_model_close(&all);
}

/* A refiner's parts go with those of its base, also where a picture is made again from what is recorded. */
static void test_refiner(const char *dtype)
{
    char *folder = sl_test_path("goldens/model/sdxl"),
         *path = sl_test_path("goldens/model/sdxl_refiner");
    const SlPartFrom from[] = {{"refiner", path}, {NULL, NULL}};
    SlError err = {0};
    char text[100];
    snprintf(text, sizeof text, "%s,text_encoder_2=f32", dtype);
    SlModel *model = sl_model_open(
        folder, &(SlModelOptions){.device = device, .dtype = text, .from = from}, &err);
    const SlModel *refiner = model ? model->refiner : NULL;
    int found = 0;
    for (int i = 0; refiner && i < refiner->parts; i++) { /* a VAE may have a rule of its own */
        const SlPart *part = &refiner->part[i];
        found += !strcmp(part->kind->name, "text_encoder_2") && part->dtype == SL_F32;
        found += !strcmp(part->kind->name, "unet") && part->dtype == model->dev->dtype;
    }
    sl_test(found == 2, "a refiner's text encoder is in f32 with its base's, its UNet in %s %s",
            dtype, err.message);
    sl_model_close(&model);
    free(folder);
    free(path);
}

/* What a model would need follows the types of its parts. */
static void test_cost(const char *dtype)
{
    SlError err = {0};
    SlModel *model = open_model("f32", NULL, &err);
    SlRecipe recipe;
    SlCost f32, half, mixed;
    char text[100];
    snprintf(text, sizeof text, "%s,vae=f32", dtype);
    if (model)
        sl_recipe_defaults(&recipe, sl_model_info(model));
    bool ok = model && sl_model_cost(sl_model_info(model), &recipe, "f32", &f32, &err) &&
              sl_model_cost(sl_model_info(model), &recipe, dtype, &half, &err) &&
              sl_model_cost(sl_model_info(model), &recipe, text, &mixed, &err);
    sl_test(ok && half.weight_bytes <= mixed.weight_bytes &&
                mixed.weight_bytes < f32.weight_bytes && half.decode_bytes < mixed.decode_bytes &&
                mixed.decode_bytes <= f32.decode_bytes && mixed.step_bytes < f32.step_bytes,
            "with its VAE in f32 it needs more than in %s and less than in f32 %s", dtype,
            err.message);
    if (ok)
        sl_test_note("weights %zu %zu %zu, decode %zu %zu %zu, step %zu %zu %zu", half.weight_bytes,
                     mixed.weight_bytes, f32.weight_bytes, half.decode_bytes, mixed.decode_bytes,
                     f32.decode_bytes, half.step_bytes, mixed.step_bytes, f32.step_bytes);
    sl_model_close(&model);
}

static void test_refusals(const char *dtype)
{
    static const char *const bad[] = {"vea=f32", "vae",    "vae=f33",   "=f32",
                                      "vae=",    "vae=q8", "vae=f32,,", "unet=q8/f32"};
    static const char *const whole[] = {"q8/",      "q8/f64", "q8/auto", "q8/q8",
                                        "q8/bf16,", "q8f32",  "q8-bf16"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        SlError err = {0};
        sl_test(!sl_dtype_check(whole[i], &err) && err.code == SL_ARGUMENT, "\"%s\" is refused: %s",
                whole[i], err.message);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SlError err = {0};
        SlModel *model = open_model(dtype, bad[i], &err);
        sl_test(!model && err.code == SL_ARGUMENT, "\"%s\" is refused: %s", bad[i], err.message);
        sl_model_close(&model);
    }
}

int main(int argc, char **argv)
{
    const char *dtype = argc > 2 ? argv[2] : "bf16";
    device = argc > 1 ? argv[1] : "cpu";
    test_vae(dtype);
    test_text_encoder(dtype);
    test_auto(dtype);
    test_told(dtype);
    test_q8();
    test_stages(dtype);
    test_cost(dtype);
    test_refiner(dtype);
    test_refusals(dtype);
    return sl_test_done();
}
