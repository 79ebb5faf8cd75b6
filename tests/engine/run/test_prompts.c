/* test_prompts.c - what a model is told of prompts in the language of other programs, against those
 * programs' own code (goldens/prompt/make_encoded.py), whole pictures from that, and what a run
 * promises about them.
 *
 * usage: test_prompts DEVICE DTYPE */
#include "engine/engine.h"
#include "engine/pipelines/pipelines.h"
#include "tests/engine/run/golden.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <string.h>

static const char *device, *dtype;

static SlModel *open_model(const char *name)
{
    char relative[100];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *path = sl_test_path(relative);
    SlModel *model = sl_model_open(path, &(SlModelOptions){.device = device, .dtype = dtype}, &err);
    if (!model)
        sl_test(false, "%s opens: %s", name, err.message);
    free(path);
    return model;
}

static int mode_of(const char *name)
{
    const char *const *choices = sl_setting(SL_SETTING_PROMPT_MODE)->choices;
    int mode = 0;
    while (strcmp(choices[mode], name))
        mode++;
    return mode;
}

/* The greatest error against an array, in f32 the number itself, in 16 bits its share of the signal. */
static double error_of(const float *got, const float *want, size_t n)
{
    double worst = 0, noise = 0, signal = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)got[i] - want[i]));
        noise += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        signal += (double)want[i] * want[i];
    }
    return strcmp(dtype, "f32") ? noise / signal : worst;
}

static double limit(void)
{
    return strcmp(dtype, "f32") ? 1e-3 : 1e-4;
}

/* ---- embeddings ---- */

/* A tensor of a condition beside the golden's; negative where the sizes differ. */
static double compare(const Golden *golden, const SlCondition *c, const char *name, const char *key)
{
    size_t n;
    float *want = golden_read(golden, key, &n);
    const SlConditionTensor *t = sl_condition_find(c, name);
    size_t own = t ? (size_t)(t->size[0] * (t->rank > 1 ? t->size[1] : 1)) : 0;
    double error = want && own == n ? error_of(t->values, want, n) : -1;
    free(want);
    return error;
}

static bool check_case(SlModel *model, const Golden *golden, const cJSON *one, int number)
{
    SlError err = {0};
    SlRecipe recipe;
    SlAsk ask = {0};
    char key[32];
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.width = recipe.height = 16;
    recipe.prompt = cJSON_GetArrayItem(one, 2)->valuestring;
    recipe.prompt_mode = mode_of(cJSON_GetArrayItem(one, 1)->valuestring);
    SlPrompt *prompt =
        sl_prompt_read(&(SlPromptAsk){recipe.prompt_mode, recipe.prompt, false, 6}, &err);
    ask.prompt = prompt;
    bool ok = prompt && model->kind->ask(model, &recipe, false, &ask, &err);
    int texts = ok ? sl_ask_texts(&ask) : 0;
    SlCondition *made = calloc((size_t)texts + 1, sizeof *made);
    ok = ok && sl_model_encode(model, &ask, NULL, made, &err);
    double worst = 0;
    for (int t = 0; ok && t < texts; t++) {
        snprintf(key, sizeof key, "%d.%d", number, t);
        double error = compare(golden, &made[t], "hidden_states", key);
        ok = error >= 0;
        worst = fmax(worst, error);
    }
    snprintf(key, sizeof key, "%d.pooled", number);
    if (ok && model->kind->two_texts) {
        double error = compare(golden, &made[0], "text_embeds", key);
        ok = error >= 0;
        worst = fmax(worst, error);
    }
    for (int t = 0; t < texts; t++)
        sl_condition_clear(&made[t]);
    free(made);
    sl_ask_clear(&ask);
    sl_prompt_free(prompt);
    return sl_test(ok && worst <= limit(), "%s %s \"%.40s\": %.3g %s", model->info.name,
                   cJSON_GetArrayItem(one, 1)->valuestring, recipe.prompt, worst, err.message);
}

static void test_embeddings(const cJSON *json, const Golden *golden)
{
    const cJSON *cases = cJSON_GetObjectItem(json, "cases"), *one;
    SlModel *model = NULL;
    int number = 0;
    cJSON_ArrayForEach(one, cases)
    {
        const char *name = cJSON_GetArrayItem(one, 0)->valuestring;
        if (!model || strcmp(model->info.name, name)) {
            sl_model_close(&model);
            if (!(model = open_model(name)))
                return;
        }
        check_case(model, golden, one, number++);
    }
    sl_test(number >= 30, "%d cases", number);
    sl_model_close(&model);
}

/* ---- emphasis ---- */

/* The states and tokens of a text with one of A1111's rules for weights. */
typedef struct Emphasized {
    SlAsk ask;
    SlCondition made;
    const float *states;
    int rows, columns;
} Emphasized;

static bool emphasize(SlModel *model, SlEmphasis emphasis, Emphasized *e)
{
    static const char text[] = "a (red:1.4) horse [riding] BREAK (by:0.5) a house";
    SlError err = {0};
    SlRecipe recipe;
    *e = (Emphasized){0};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = text;
    SlPrompt *prompt = sl_prompt_read(
        &(SlPromptAsk){SL_PROMPT_A1111, text, .evaluations = 6, .emphasis = emphasis}, &err);
    e->ask.prompt = prompt;
    bool ok = prompt && model->kind->ask(model, &recipe, false, &e->ask, &err) &&
              sl_model_encode(model, &e->ask, NULL, &e->made, &err);
    const SlConditionTensor *t = ok ? sl_condition_find(&e->made, "hidden_states") : NULL;
    sl_prompt_free(prompt);
    e->ask.prompt = NULL;
    if (!t)
        return sl_test(false, "the text is encoded: %s", err.message);
    e->states = t->values;
    e->rows = (int)t->size[0];
    e->columns = (int)t->size[1];
    return true;
}

/* The greatest difference between the first columns of a, times the weight of each row and the
 * chunk's factor, and b; the factor is what makes the chunk's mean what it was (NULL: 1). */
static double differs(const Emphasized *a, const Emphasized *b, int columns, bool mean)
{
    const SlPromptTokens *tokens = b->ask.tokens[0];
    const SlTokenRow *row = tokens->text[0].section[0].term[0].row;
    double worst = 0;
    for (int chunk = 0; chunk < a->rows; chunk += tokens->length) {
        double before = 0, after = 0;
        for (int i = chunk; i < chunk + tokens->length; i++)
            for (int k = 0; k < columns; k++) {
                before += a->states[i * a->columns + k];
                after += (double)a->states[i * a->columns + k] * row[i].weight;
            }
        for (int i = chunk; i < chunk + tokens->length; i++)
            for (int k = 0; k < columns; k++) {
                double want = (double)a->states[i * a->columns + k] * row[i].weight *
                              (mean ? before / after : 1);
                worst =
                    fmax(worst, fabs(want - b->states[i * b->columns + k]) / fmax(1, fabs(want)));
            }
    }
    return worst;
}

static int words_of(const Emphasized *e)
{
    const SlTokenRow *row = e->ask.tokens[0]->text[0].section[0].term[0].row;
    int count = 0;
    for (int i = 0; i < e->rows; i++)
        count += row[i].piece >= 0;
    return count;
}

/* "Ignore" gives what the encoder says, the others are computed from it by their rules. */
static void test_emphasis(const char *name)
{
    SlModel *model = open_model(name);
    Emphasized ignored, plain, original, none;
    if (!model)
        return;
    bool ok = emphasize(model, SL_EMPHASIS_IGNORE, &ignored) &
              emphasize(model, SL_EMPHASIS_NO_NORM, &plain) &
              emphasize(model, SL_EMPHASIS_ORIGINAL, &original) &
              emphasize(model, SL_EMPHASIS_NONE, &none);
    if (ok) {
        int first = sl_text_encoder_get_config(sl_model_net(model, "text_encoder"))->hidden_size;
        double no_norm = differs(&ignored, &plain, first, false),
               mean = differs(&ignored, &original, first, true);
        sl_test(no_norm < 1e-6, "%s: no norm is states times weights: %.3g", name, no_norm);
        sl_test(mean < 1e-5, "%s: original keeps the chunk's mean: %.3g", name, mean);
        sl_test(differs(&ignored, &original, first, false) > 1e-3, "%s: the two differ", name);
        sl_test(words_of(&none) > words_of(&ignored) && words_of(&plain) == words_of(&ignored),
                "%s: without emphasis brackets and BREAK are words: %d tokens, not %d", name,
                words_of(&none), words_of(&ignored));
        sl_test(strcmp(plain.ask.tokens[0]->identity, original.ask.tokens[0]->identity) != 0,
                "%s: texts of other rules are not shared", name);
    }
    Emphasized *all[] = {&ignored, &plain, &original, &none};
    for (int i = 0; i < 4; i++) {
        sl_condition_clear(&all[i]->made);
        sl_ask_clear(&all[i]->ask);
    }
    sl_model_close(&model);
}

/* ---- pictures ---- */

static bool finish(SlRun *run, SlError *err)
{
    while (run && !sl_run_done(run))
        if (!sl_run_next(run, NULL, err))
            return false;
    return run != NULL;
}

static SlRecipe recipe_of(const SlModel *model, const cJSON *json, const char *mode)
{
    SlRecipe recipe;
    const cJSON *texts = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "pictures"), mode);
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.width = recipe.height = 4 * model->info.factor;
    recipe.steps = cJSON_GetObjectItem(json, "steps")->valueint;
    recipe.guidance = cJSON_GetObjectItem(json, "guidance")->valuedouble;
    recipe.prompt = cJSON_GetArrayItem(texts, 0)->valuestring;
    recipe.negative_prompt = cJSON_GetArrayItem(texts, 1)->valuestring;
    recipe.prompt_mode = mode_of(mode);
    return recipe;
}

static void test_pictures(const cJSON *json, const Golden *golden)
{
    static const char *const modes[] = {"a1111", "comfyui", "compel"};
    SlModel *model = open_model("sd2");
    size_t n;
    float *start = golden_read(golden, "start", &n);
    for (int m = 0; model && start && m < 3; m++) {
        SlError err = {0};
        char key[32];
        size_t count;
        SlRecipe recipe = recipe_of(model, json, modes[m]);
        SlRun *run = sl_run_new(model, &recipe, &(SlRunInputs){.latents = start}, &err);
        bool ok = finish(run, &err);
        snprintf(key, sizeof key, "%s.latents", modes[m]);
        float *want = golden_read(golden, key, &count);
        double error = ok && want && count == n ? error_of(sl_run_sample(run), want, n) : INFINITY;
        sl_test(error <= (strcmp(dtype, "f32") ? 1e-2 : 1e-3), "a picture of %s: %.3g %s", modes[m],
                error, err.message);
        sl_run_free(run);
        free(want);
    }
    free(start);
    sl_model_close(&model);
}

/* ---- what it costs ---- */

static SlCost cost_with(const SlModel *model, const char *prompt, int mode, const char *negative,
                        SlGuidanceMethod method)
{
    SlCost cost = {0};
    SlRecipe recipe;
    SlError err = {0};
    sl_recipe_defaults(&recipe, &model->info);
    recipe.prompt = prompt;
    recipe.prompt_mode = mode;
    recipe.negative_prompt = negative;
    recipe.guidance_method = method;
    if (!sl_model_cost(&model->info, &recipe, "f32", &cost, &err))
        sl_test(false, "the cost of \"%.40s\": %s", prompt, err.message);
    return cost;
}

static SlCost cost_of(const SlModel *model, const char *prompt, int mode)
{
    return cost_with(model, prompt, mode, "", SL_METHOD_PLAIN);
}

static void test_cost(const char *name)
{
    SlModel *model = open_model(name);
    if (!model)
        return;
    SlCost plain = cost_of(model, "a horse", SL_PROMPT_PLAIN);
    SlCost same = cost_of(model, "a horse", SL_PROMPT_A1111);
    SlCost longer = cost_of(model, "a horse BREAK a cat BREAK a dog", SL_PROMPT_A1111);
    SlCost parts = cost_of(model, "a horse AND a cat", SL_PROMPT_A1111);
    sl_test(plain.text_flops == same.text_flops && plain.step_flops == same.step_flops &&
                plain.peak_bytes == same.peak_bytes,
            "%s: a short prompt costs the same in each mode", name);
    /* two more chunks for the prompt, and their keys and values for both */
    sl_test(longer.text_flops > 1.9 * plain.text_flops &&
                longer.text_flops < 3.1 * plain.text_flops &&
                longer.step_flops > plain.step_flops && longer.step_bytes >= plain.step_bytes,
            "%s: three chunks cost more: text %.3g of %.3g, a step %.3g of %.3g", name,
            longer.text_flops, plain.text_flops, longer.step_flops, plain.step_flops);
    sl_test(parts.step_flops == 2 * plain.step_flops, "%s: two parts are two evaluations", name);
    for (int mode = SL_PROMPT_PLAIN; mode <= SL_PROMPT_A1111; mode++) {
        SlCost without = cost_with(model, "a horse", mode, "", SL_METHOD_PERP_NEG);
        SlCost with = cost_with(model, "a horse", mode, "blurry", SL_METHOD_PERP_NEG);
        sl_test(without.step_flops == plain.step_flops && without.text_flops == plain.text_flops &&
                    with.step_flops == 2 * plain.step_flops && with.text_flops > plain.text_flops,
                "%s: perp-neg is two evaluations where there is a negative prompt", name);
    }
    sl_model_close(&model);
}

/* ---- promises ---- */

static bool same_end(SlModel *model, const SlRecipe *a, const SlRecipe *b)
{
    SlError err = {0};
    SlRun *first = sl_run_new(model, a, NULL, &err), *second = sl_run_new(model, b, NULL, &err);
    bool ok = finish(first, &err) && finish(second, &err);
    bool same = ok && !memcmp(sl_run_sample(first), sl_run_sample(second),
                              (size_t)sl_run_sample_elements(first) * sizeof(float));
    if (!ok)
        sl_test_note("%s", err.message);
    sl_run_free(first);
    sl_run_free(second);
    return same;
}

static void test_promises(const cJSON *json)
{
    SlModel *model = open_model("sd2");
    SlError err = {0};
    if (!model)
        return;
    SlRecipe recipe = recipe_of(model, json, "a1111"), other = recipe;
    recipe.steps = other.steps = 3;
    recipe.prompt = other.prompt = "a red horse";
    recipe.negative_prompt = other.negative_prompt = "";
    other.prompt_mode = SL_PROMPT_PLAIN;
    sl_test(same_end(model, &recipe, &other), "a short prompt without weights is the plain one");
    other = recipe;
    other.prompt = "a red horse :2";
    recipe.guidance *= 2;
    sl_test(same_end(model, &recipe, &other),
            "the weight of a single part multiplies the guidance");
    recipe.guidance /= 2;
    recipe.prompt = "[a|b] horse";
    other.prompt = "[b|a] horse";
    sl_test(!same_end(model, &recipe, &other), "schedules that differ give other pictures");

    /* one encoding for each text, whatever the number of steps and lanes */
    SlShare *share = sl_share_new(model);
    SlRun *one = sl_run_new(model, &recipe, &(SlRunInputs){.share = share}, &err);
    SlRun *two = sl_run_new(model, &recipe, &(SlRunInputs){.share = share}, &err);
    SlShareCounts counts = sl_share_counts(share);
    sl_test(counts.texts == 2 && counts.texts_shared == 2 && finish(one, &err),
            "prompts are encoded once: %d, %d shared %s", counts.texts, counts.texts_shared,
            err.message);
    sl_run_free(one);
    sl_run_free(two);

    /* lanes of different lengths, and those that match together */
    SlRecipe longer = recipe;
    longer.prompt = "a red horse BREAK a cat";
    one = sl_run_new(model, &recipe, &(SlRunInputs){.share = share}, &err);
    two = sl_run_new(model, &longer, &(SlRunInputs){.share = share}, &err);
    sl_test(one && two && !sl_runs_match(one, two), "prompts of one and two chunks are no batch");
    sl_run_free(one);
    one = sl_run_new(model, &longer, &(SlRunInputs){.share = share}, &err);
    SlRun *runs[] = {one, two};
    SlFrame frames[2];
    SlError errs[2];
    bool together = one && two && sl_runs_match(one, two);
    for (int i = 0; together && i < 3; i++)
        together = sl_runs_next(runs, 2, frames, errs, &err);
    sl_test(together && sl_run_done(one), "two chunks twice are one %s", err.message);
    sl_run_free(one);
    sl_run_free(two);
    sl_share_free(share);

    SlRun *none;
    recipe.prompt = "a AND b";
    recipe.guidance = 1;
    err = (SlError){0};
    sl_test(!(none = sl_run_new(model, &recipe, NULL, &err)) && strstr(err.message, "guidance"),
            "AND without guidance: %s", err.message);
    sl_run_free(none);
    recipe.prompt = "(a:1.2) b";
    recipe.prompt_mode = SL_PROMPT_PLAIN;
    none = sl_run_new(model, &recipe, NULL, &err);
    sl_test(none && sl_run_warning(none) && strstr(sl_run_warning(none), "the prompt mode a1111"),
            "weights in plain text: %s", none ? sl_run_warning(none) : err.message);
    sl_run_free(none);
    sl_model_close(&model);
}

static cJSON *read_json(void)
{
    static char text[65536];
    char *path = sl_test_path("goldens/prompt/encoded.json");
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    free(path);
    text[n] = '\0';
    return cJSON_Parse(text);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : "cpu";
    dtype = argc > 2 ? argv[2] : "f32";
    cJSON *json = read_json();
    Golden golden = golden_open("goldens/prompt/encoded.safetensors");
    test_embeddings(json, &golden);
    test_emphasis("sd2");
    test_emphasis("sdxl_v");
    test_cost("sd2");
    test_cost("sdxl_v");
    test_pictures(json, &golden);
    test_promises(json);
    golden_close(&golden);
    cJSON_Delete(json);
    return sl_test_done();
}
