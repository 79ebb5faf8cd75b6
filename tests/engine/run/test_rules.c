/* test_rules.c - what pipelines change before they use a folder's parts, and what they pass to
 * them: every case of goldens/rules/rules.json, with diffusers' last sample of the same call.
 *
 * A case is a fixture of goldens/model, copied as links, in which some files are changed as
 * goldens/rules/make.py changes them.
 *
 * usage: test_rules [CASE]: all but that one.
 */
#include "engine/engine.h"
#include "tests/engine/files/util.h"
#include "tests/engine/run/golden.h"

#include <cjson/cJSON.h>
#include <ftw.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char copy[500], target[600];
static size_t source_length;

static int link_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char to[900];
    snprintf(to, sizeof to, "%s%s", target, path + source_length);
    return type == FTW_D ? mkdir(to, 0700) : symlink(path, to);
}

/* A folder of tests/ as links, at the target. */
static bool copy_folder(const char *folder, const char *name)
{
    char relative[120], source[900];
    snprintf(relative, sizeof relative, "%s/%s", folder, name);
    char *path = sl_test_path(relative);
    bool ok = realpath(path, source) != NULL;
    free(path);
    source_length = strlen(source);
    return ok && nftw(source, link_one, 16, FTW_PHYS) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static bool replace_part(const char *part, const char *name)
{
    snprintf(target, sizeof target, "%s/%s", copy, part);
    return nftw(target, remove_one, 16, FTW_PHYS | FTW_DEPTH) == 0 &&
           copy_folder("goldens/rules/parts", name);
}

static char *read_text(const char *file, char path[900])
{
    size_t bytes = 0;
    snprintf(path, 900, "%s/%s", copy, file);
    char *text = (char *)test_read(path, &bytes);
    if (text)
        text[bytes] = 0;
    return text;
}

static void write_text(const char *path, const char *text)
{
    unlink(path);
    test_write_text(path, text);
}

static void change_config(const char *file, const cJSON *set, const cJSON *drop)
{
    char path[900], *text = read_text(file, path);
    cJSON *config = cJSON_Parse(text);
    const cJSON *item;
    cJSON_ArrayForEach(item, drop)
        cJSON_DeleteItemFromObjectCaseSensitive(config, item->valuestring);
    cJSON_ArrayForEach(item, set)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(config, item->string);
        cJSON_AddItemToObject(config, item->string, cJSON_Duplicate(item, true));
    }
    free(text);
    text = cJSON_PrintUnformatted(config);
    write_text(path, text);
    free(text);
    cJSON_Delete(config);
}

static void cut_lines(const char *file, int lines)
{
    char path[900], *text = read_text(file, path), *end = text + strlen(text);
    while (lines-- > 0)
        do
            *--end = 0;
        while (end > text && end[-1] != '\n');
    write_text(path, text);
    free(text);
}

static const cJSON *get(const cJSON *json, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(json, key);
}

static const char *text_of(const cJSON *test, const char *key, const char *fallback)
{
    const cJSON *v = get(test, key);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

static double number_of(const cJSON *test, const char *key, double fallback)
{
    const cJSON *v = get(test, key);
    return cJSON_IsNumber(v) ? v->valuedouble : fallback;
}

static void make_folder(const cJSON *test)
{
    const cJSON *set = get(test, "set"), *drop = get(test, "drop"), *item;
    snprintf(copy, sizeof copy, "%s", test_file(text_of(test, "name", "")));
    snprintf(target, sizeof target, "%s", copy);
    if (!copy_folder("goldens/model", text_of(test, "model", "")))
        abort();
    cJSON_ArrayForEach(item, get(test, "parts")) if (!replace_part(item->string, item->valuestring))
        abort();
    cJSON_ArrayForEach(item, get(test, "cut")) cut_lines(item->string, item->valueint);
    cJSON_ArrayForEach(item, set) change_config(item->string, item, get(drop, item->string));
    cJSON_ArrayForEach(item, drop) if (!get(set, item->string))
        change_config(item->string, NULL, item);
}

/* Every text of the list is in a line of its own, and there are no more lines. */
static void test_notes(const cJSON *test, const char *notes, const char *where)
{
    int lines = *notes != 0;
    bool all = true;
    const cJSON *expected = get(test, "notes"), *item;
    for (const char *p = notes; *p; p++)
        lines += *p == '\n';
    cJSON_ArrayForEach(item, expected) all = all && strstr(notes, item->valuestring);
    sl_test(all && lines == cJSON_GetArraySize(expected), "%s: %s says so: \"%s\"",
            text_of(test, "name", ""), where, notes);
}

static bool right_size(const Golden *golden, const SlRun *run, const SlModelInfo *info,
                       const char *name)
{
    char key[80];
    size_t n;
    const SlRecipe *recipe = sl_run_recipe(run);
    snprintf(key, sizeof key, "%s.shape", name);
    float *shape = golden_read(golden, key, &n);
    bool ok = n == 3 && (int)shape[0] == info->channels &&
              (int)shape[1] == recipe->height / info->factor &&
              (int)shape[2] == recipe->width / info->factor;
    free(shape);
    return ok;
}

/* cut: what is expected was cut to -1..1, as the pictures of pixel models are. */
static double difference(const float *sample, const float *expected, size_t n, bool cut)
{
    float *own = malloc(n * sizeof *own);
    for (size_t i = 0; i < n; i++)
        own[i] = cut ? fminf(1, fmaxf(-1, sample[i])) : sample[i];
    double worst = golden_worst(own, expected, n);
    free(own);
    return worst;
}

static void compare(const Golden *golden, SlModel *model, SlRun *run, const char *name,
                    const char *rule)
{
    const SlModelInfo *info = sl_model_info(model);
    const SlRecipe *recipe = sl_run_recipe(run);
    char key[80];
    size_t n, pixels;
    bool cut = !info->prompt_tokens && strstr(name, "class") == NULL;
    snprintf(key, sizeof key, "%s.latents", name);
    float *expected = golden_read(golden, key, &n);
    bool size = right_size(golden, run, info, name) && n <= (size_t)sl_run_sample_elements(run);
    double worst = size && n ? difference(sl_run_sample(run), expected, n, cut) : INFINITY;
    double top = size && n ? golden_top(expected, n) : 1;
    sl_test(worst <= 2e-3 * fmax(top, 1), "%s: %s; last sample, worst difference %.2g of %.2g",
            name, rule, worst, top);
    snprintf(key, sizeof key, "%s.image", name);
    float *picture = golden_read(golden, key, &pixels);
    if (picture) {
        SlError err = {0};
        float *image = calloc((size_t)recipe->width * recipe->height * 3, sizeof *image);
        bool ok = sl_decode(model, sl_run_sample(run), recipe->height / info->factor,
                            recipe->width / info->factor, image, NULL, &err);
        sl_test(ok && golden_psnr(image, picture, pixels) >= 50, "%s: %s; picture, %.1f dB %s",
                name, rule, golden_psnr(image, picture, pixels), err.message);
        free(image);
    }
    free(picture);
    free(expected);
}

/* What the model is run with where nobody says otherwise. */
static void test_defaults(const cJSON *test, const SlRecipe *recipe)
{
    const cJSON *own = get(test, "defaults");
    if (own)
        sl_test(recipe->steps == number_of(own, "steps", 0) &&
                    recipe->guidance == number_of(own, "guidance", 0) &&
                    !strcmp(recipe->scheduler, text_of(own, "scheduler", "")),
                "%s: %s; %d steps, guidance %g, %s", text_of(test, "name", ""),
                text_of(test, "rule", ""), recipe->steps, recipe->guidance, recipe->scheduler);
}

/* What is said by hand of the noise. */
static void change_schedule(const cJSON *test, SlRecipe *recipe)
{
    const char *prediction = text_of(test, "prediction", ""),
               *spacing = text_of(test, "spacing", "");
    recipe->prediction = !strcmp(prediction, "epsilon")        ? SL_PREDICTION_EPSILON
                         : !strcmp(prediction, "v_prediction") ? SL_PREDICTION_V
                                                               : SL_PREDICTION_MODEL;
    if (get(test, "zero_snr"))
        recipe->zero_snr = cJSON_IsTrue(get(test, "zero_snr")) ? SL_ZERO_SNR_YES : SL_ZERO_SNR_NO;
    if (!strcmp(spacing, "trailing"))
        recipe->spacing = SL_SPACING_TRAILING;
}

static void run_case(const cJSON *test, const Golden *golden)
{
    const char *name = text_of(test, "name", "");
    SlError err = {0};
    make_folder(test);
    SlModel *model = sl_model_open(copy, &(SlModelOptions){.device = "cpu", .threads = 1}, &err);
    if (!sl_test(model != NULL, "%s: opens %s", name, err.message))
        return;
    test_notes(test, sl_model_info(model)->notes, "the folder's description");
    test_notes(test, sl_model_warning(model) ? sl_model_warning(model) : "", "a warning");
    SlRecipe recipe;
    const cJSON *own = get(test, "defaults");
    sl_recipe_defaults(&recipe, sl_model_info(model));
    if (sl_model_info(model)->prompt_tokens) {
        recipe.prompt = text_of(test, "prompt", "a horse");
        recipe.negative_prompt = text_of(test, "negative", "blurry");
        recipe.guidance = number_of(test, "guidance", own ? recipe.guidance : 3);
    }
    test_defaults(test, &recipe);
    recipe.steps = (int)number_of(test, "steps", own ? recipe.steps : 4);
    recipe.seed = 3;
    recipe.class_label = (int)number_of(test, "class", 0);
    change_schedule(test, &recipe);
    if (get(test, "scheduler"))
        recipe.scheduler = text_of(test, "scheduler", NULL);
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    bool ok = run != NULL;
    while (ok && !sl_run_done(run))
        ok = sl_run_next(run, NULL, &err);
    if (sl_test(ok, "%s: runs to the end %s", name, err.message))
        compare(golden, model, run, name, text_of(test, "rule", ""));
    sl_run_free(run);
    sl_model_close(&model);
}

int main(int argc, char **argv)
{
    SlError err = {0};
    char *path = sl_test_path("goldens/rules/rules.json");
    SlJson *cases = sl_json_open(path, &err);
    Golden golden = golden_open("goldens/rules/rules.safetensors");
    if (sl_test(cases && golden.weights, "the goldens open %s", err.message)) {
        const cJSON *test;
        cJSON_ArrayForEach(test, get(sl_json_root(cases), "cases"))
        {
            if (argc < 2 || strcmp(get(test, "name")->valuestring, argv[1]))
                run_case(test, &golden);
        }
    }
    golden_close(&golden);
    sl_json_close(cases);
    free(path);
    return sl_test_done();
}
