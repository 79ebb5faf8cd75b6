/* test_pictures.c - whole pictures against diffusers: every small pipeline in tests/goldens/model
 * from the same start noise, 20 steps.
 *
 * usage: test_pictures DEVICE [DTYPE [first] [PIPELINE... | -PIPELINE...]]: those, or all but those;
 * first: with the first of a case's schedulers alone, which compute on no device. The limits are those of docs/design.md: PSNR 50 dB for each picture in f32, a median of 35 dB in 16
 * bits. Schedulers that draw noise get diffusers' noise.
 */
#include "engine/engine.h"
#include "tests/engine/run/golden.h"
#include "tests/engine/run/scheduler_model.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

static const char *device, *dtype;
static bool first; /* of a case's schedulers alone */

/* Of every picture, for the median in 16 bits. */
#define MOST_PICTURES 100
static double psnrs[MOST_PICTURES];
static int pictures;

static bool half_precision(void)
{
    return strcmp(dtype, "f32") != 0;
}

static const char *string_of(const cJSON *json, const char *key, const char *fallback)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, key);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

static double number_of(const cJSON *json, const char *key, double fallback)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, key);
    return cJSON_IsNumber(v) ? v->valuedouble : fallback;
}

static bool run_to_end(SlRun *run, SlError *err)
{
    while (!sl_run_done(run))
        if (!sl_run_next(run, NULL, err))
            return false;
    return true;
}

/* The picture in 0..1; a model with another number of channels than 3 has none, and its sample
 * is compared alone. */
static void compare_picture(SlModel *model, SlRun *run, const Golden *golden, const char *label,
                            const char *scheduler)
{
    const SlRecipe *recipe = sl_run_recipe(run);
    const SlModelInfo *info = sl_model_info(model);
    char key[64];
    snprintf(key, sizeof key, "%s.image", scheduler);
    size_t n = 0;
    float *expected = golden_read(golden, key, &n);
    float *image = calloc((size_t)recipe->width * recipe->height * 3, sizeof *image);
    SlError err = {0};
    if (info->channels == 3 || (info->pipeline->has & SL_HAS_PROMPT)) {
        bool ok = sl_decode(model, sl_run_sample(run), recipe->height / info->factor,
                            recipe->width / info->factor, image, NULL, &err);
        double psnr = ok && expected ? golden_psnr(image, expected, n) : 0;
        if (pictures < MOST_PICTURES)
            psnrs[pictures++] = psnr;
        sl_test(psnr >= (half_precision() ? 1 : 50), "%s %s: picture, PSNR %.1f dB %s", label,
                scheduler, psnr, err.message);
    }
    free(image);
    free(expected);
}

static void compare_sample(SlRun *run, const Golden *golden, const char *label,
                           const char *scheduler)
{
    char key[64];
    snprintf(key, sizeof key, "%s.latents", scheduler);
    size_t n = 0;
    float *expected = golden_read(golden, key, &n);
    bool size = expected && n == (size_t)sl_run_sample_elements(run);
    double worst = size ? golden_worst(sl_run_sample(run), expected, n) : INFINITY;
    double top = size ? golden_top(expected, n) : 1;
    sl_test(worst <= 2e-3 * fmax(top, 1), "%s %s: last sample, worst difference %.2g of %.2g",
            label, scheduler, worst, top);
    free(expected);
}

/* What a case sets beside the prompt, by the settings' keys. */
static void apply_settings(const cJSON *settings, SlRecipe *recipe)
{
    const cJSON *value;
    cJSON_ArrayForEach(value, settings)
    {
        const SlSettingInfo *setting = sl_setting_find(value->string);
        if (sl_test(setting != NULL, "there is a setting %s", value->string))
            sl_setting_set_number(setting, recipe, value->valuedouble);
    }
}

/* The case's adapter with its strength, malloc'ed; NULL: none. */
static char *lora_of(const cJSON *test)
{
    const char *file = string_of(test, "lora", NULL);
    char *path = file ? sl_test_path(file) : NULL, *lora = NULL;
    if (path && asprintf(&lora, "%s:%s", path, string_of(test, "strength", "1")) < 0)
        abort();
    free(path);
    return lora;
}

/* The case's embedding with its word, malloc'ed; NULL: none. */
static char *embedding_of(const cJSON *test)
{
    const char *file = string_of(test, "embedding", NULL), *word = string_of(test, "word", "");
    char *path = file ? sl_test_path(file) : NULL, *embedding = NULL;
    if (path && asprintf(&embedding, "%s%s%s", path, *word ? ":" : "", word) < 0)
        abort();
    free(path);
    return embedding;
}

static void run_case(SlModel *model, const cJSON *test, const Golden *golden, const char *scheduler)
{
    const char *name = string_of(test, "name", "");
    SlRecipe recipe;
    SlError err = {0};
    size_t n = 0, noise_n = 0;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = string_of(test, "prompt", "");
    recipe.negative_prompt = string_of(test, "negative", "");
    recipe.guidance = number_of(test, "guidance", 1);
    recipe.steps = (int)number_of(test, "steps", 20);
    recipe.width = (int)number_of(test, "width", 0);
    recipe.height = (int)number_of(test, "height", 0);
    apply_settings(cJSON_GetObjectItemCaseSensitive(test, "settings"), &recipe);
    if (strcmp(scheduler, "default"))
        recipe.scheduler = scheduler;
    char *lora = lora_of(test);
    recipe.lora = lora;
    char *embedding = embedding_of(test);
    recipe.embedding = embedding;
    SlRunInputs inputs = {.latents = golden_read(golden, "latents", &n)};
    inputs.step_noise = golden_read(golden, "noise", &noise_n);
    inputs.step_noise_count = n ? (int)(noise_n / n) : 0;
    SlRun *run = sl_run_new(model, &recipe, &inputs, &err);
    if (sl_test(run && run_to_end(run, &err), "%s %s: runs to the end %s", name, scheduler,
                err.message)) {
        if (!half_precision())
            compare_sample(run, golden, name, scheduler);
        compare_picture(model, run, golden, name, scheduler);
    }
    sl_run_free(run);
    free((void *)inputs.latents);
    free((void *)inputs.step_noise);
    free(lora);
    free(embedding);
}

static void run_pipeline(const cJSON *test)
{
    const char *name = string_of(test, "name", "");
    char relative[128];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative), place[] = "/tmp/safelight-scheduler-XXXXXX";
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(test, "scheduler_config");
    bool made = config && mkdtemp(place);
    char *text = config ? cJSON_PrintUnformatted(config) : NULL;
    if (config)
        sl_test(made && text && scheduler_model(place, folder, text), "%s: with another scheduler",
                name);
    snprintf(relative, sizeof relative, "goldens/model/%s.safetensors",
             string_of(test, "golden", name));
    Golden golden = golden_open(relative);
    snprintf(relative, sizeof relative, "goldens/model/%s", string_of(test, "refiner", ""));
    char *refiner = sl_test_path(relative);
    const SlPartFrom from[] = {{*string_of(test, "refiner", "") ? "refiner" : NULL, refiner},
                               {NULL, NULL}};
    const SlModelOptions options = {.device = device, .dtype = dtype, .from = from};
    SlModel *model = sl_model_open(made ? place : folder, &options, &err);
    if (sl_test(model && golden.weights, "%s: opens on %s %s", name, device, err.message)) {
        const cJSON *schedulers = cJSON_GetObjectItemCaseSensitive(test, "schedulers");
        for (const cJSON *s = schedulers->child; s; s = first ? NULL : s->next)
            run_case(model, test, &golden, s->valuestring);
    }
    sl_model_close(&model);
    if (made)
        scheduler_model_remove(place);
    golden_close(&golden);
    free(text);
    free(folder);
    free(refiner);
}

static bool is_wanted(const char *pipeline, int argc, char **argv)
{
    for (int i = 3; i < argc; i++)
        if (!strcmp(argv[i] + (argv[i][0] == '-'), pipeline))
            return argv[i][0] != '-';
    return argc <= 3 || argv[argc - 1][0] == '-' || !strcmp(argv[argc - 1], "first");
}

/* The emulated GPU makes one picture with a LoRA. */
static bool is_too_slow(const cJSON *test)
{
    return cJSON_HasObjectItem(test, "not_emulated") && !strcmp(device, "cuda");
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_median(void)
{
    qsort(psnrs, (size_t)pictures, sizeof *psnrs, compare_doubles);
    double median = pictures ? psnrs[pictures / 2] : 0;
    sl_test(median >= 35, "the median of %d pictures is %.1f dB", pictures, median);
}

static void run_cases(const char *relative, int argc, char **argv)
{
    SlError err = {0};
    char *path = sl_test_path(relative);
    SlJson *cases = sl_json_open(path, &err);
    if (sl_test(cases != NULL, "%s can be read %s", relative, err.message)) {
        const cJSON *test = cJSON_GetObjectItemCaseSensitive(sl_json_root(cases), "cases")->child;
        for (; test; test = test->next)
            if (is_wanted(string_of(test, "name", ""), argc, argv) && !is_too_slow(test))
                run_pipeline(test);
    }
    sl_json_close(cases);
    free(path);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : "cpu";
    dtype = argc > 2 ? argv[2] : "f32";
    first = argc > 3 && !strcmp(argv[3], "first");
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = device}, &err);
    if (!dev) {
        printf("1..0 # SKIP %s\n", err.message);
        return 0;
    }
    sl_device_close(&dev);
    run_cases("goldens/model/cases.json", argc, argv);
    run_cases("goldens/model/scheduler_cases.json", argc, argv);
    run_cases("goldens/model/sdxl_cases.json", argc, argv);
    run_cases("goldens/model/edm_cases.json", argc, argv);
    run_cases("goldens/model/lora_cases.json", argc, argv);
    run_cases("goldens/model/embedding_cases.json", argc, argv);
    run_cases("goldens/model/refiner_cases.json", argc, argv);
    if (half_precision())
        test_median();
    return sl_test_done();
}
