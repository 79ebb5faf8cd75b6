/* test_caching.c - evaluations that take over a part of an earlier one, against DeepCache's own helper and
 * diffusers' first-block hook (goldens/caching); and what a run promises of them: to be taken up, branched,
 * looked at, batched and run beside others to the same bytes, with nothing taken over that does not hold.
 *
 *     test_caching [DEVICE [DTYPE [few]]]
 *
 * few: what takes an emulated GPU, and ref, long is left out, and runs are taken up before some of their
 * evaluations alone: after whole ones and after ones in part, as long runs always are.
 */
#include "engine/engine.h"
#include "tests/engine/run/golden.h"

#include <cjson/cJSON.h>
#include <string.h>

static const char *device = "cpu", *dtype = "f32";
static bool few;

static SlModel *open_model_in(const char *name, const char *type)
{
    char relative[100];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model =
        sl_model_open(folder, &(SlModelOptions){.device = device, .dtype = type}, &err);
    if (!model)
        sl_test(false, "%s opens: %s", name, err.message);
    free(folder);
    return model;
}

static SlModel *open_model(const char *name)
{
    return open_model_in(name, dtype);
}

static SlRecipe recipe_for(SlModel *model, const char *scheduler, int steps)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a horse";
    recipe.negative_prompt = "blurry";
    recipe.scheduler = scheduler;
    recipe.steps = steps;
    recipe.seed = 3;
    if (recipe.guidance > 1)
        recipe.guidance = 7.5;
    return recipe;
}

static size_t bytes_of(const SlRun *run)
{
    return (size_t)sl_run_sample_elements(run) * sizeof(float);
}

/* ---- against goldens ---- */

/* The members that name settings, as files do. */
static void read_case(const cJSON *test, SlRecipe *recipe)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, test)
    {
        const SlSettingInfo *s = sl_setting_find(item->string);
        int place = 0;
        if (!s)
            continue;
        while (s->choices && s->choices[place] && strcmp(s->choices[place], item->valuestring))
            place++;
        if (s->kind == SL_KIND_SCHEDULER)
            sl_setting_set_text(s, recipe, item->valuestring);
        else
            sl_setting_set_number(s, recipe, s->choices ? place : item->valuedouble);
    }
}

static const char *text_of(const cJSON *test, const char *key)
{
    return cJSON_GetObjectItem(test, key)->valuestring;
}

/* The last sample of a run without caching; malloc'ed. */
static float *exact_sample(SlModel *model, const SlRecipe *recipe)
{
    SlRecipe exact = *recipe;
    SlError err = {0};
    exact.caching = SL_CACHING_OFF;
    SlRun *run = model ? sl_run_new(model, &exact, NULL, &err) : NULL;
    bool ok = run != NULL;
    while (ok && !sl_run_done(run))
        ok = sl_run_next(run, NULL, &err);
    float *sample = ok ? malloc(bytes_of(run)) : NULL;
    if (sample)
        memcpy(sample, sl_run_sample(run), bytes_of(run));
    else
        sl_test_note("%s", err.message);
    sl_run_free(run);
    return sample;
}

/* How far a run may be from the golden, which is one in f32: in that type by rounding; in another as far as
 * two exact runs are apart for their types alone, twice (these small nets make much of it: of bf16's
 * rounding 7 % of an SDXL sample's largest value, half of that of DDPM). */
static double tolerance_of(SlModel *model, const char *name, const SlRecipe *recipe,
                           const float *latents, size_t n)
{
    if (!strcmp(dtype, "f32"))
        return 2e-3 * fmax(1, golden_top(latents, n));
    SlModel *in_f32 = open_model_in(name, "f32");
    float *right = exact_sample(in_f32, recipe), *rounded = exact_sample(model, recipe);
    double apart = right && rounded ? golden_worst(rounded, right, n) : 0;
    sl_model_close(&in_f32);
    free(right);
    free(rounded);
    return 2 * apart;
}

static void test_case(SlModel *model, const cJSON *test, const Golden *golden)
{
    const char *name = text_of(test, "name");
    SlRecipe recipe = recipe_for(model, "ddim", 1);
    SlError err = {0};
    char key[80];
    size_t n, count;
    snprintf(key, sizeof key, "%s.latents", name);
    float *latents = golden_read(golden, key, &n);
    snprintf(key, sizeof key, "%s.cached", name);
    float *cached = golden_read(golden, key, &count);
    read_case(test, &recipe);
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    bool ok = run && latents && cached && n == (size_t)sl_run_sample_elements(run) &&
              (int)count == sl_run_evaluations(run),
         as_said = true;
    for (size_t i = 0; ok && i < count; i++) {
        SlFrame f;
        ok = sl_run_next(run, &f, &err);
        as_said = as_said && f.cached == (cached[i] != 0);
    }
    double worst = ok ? golden_worst(sl_run_sample(run), latents, n) : INFINITY;
    double most = ok ? tolerance_of(model, text_of(test, "model"), &recipe, latents, n) : 0;
    sl_test(ok && worst <= most, "%s: a whole run, worst difference %.2g of %.2g %s", name, worst,
            most, err.message);
    sl_test(ok && as_said, "%s: the same evaluations are made in part", name);
    sl_run_free(run);
    free(latents);
    free(cached);
}

static void test_goldens(void)
{
    char *path = sl_test_path("goldens/caching/cases.json");
    SlError err = {0};
    SlJson *file = sl_json_open(path, &err);
    cJSON *cases = file ? sl_json_root(file) : NULL;
    Golden golden = golden_open("goldens/caching/caching.safetensors");
    const cJSON *test;
    SlModel *model = NULL;
    char open[40] = "";
    sl_test(cases != NULL, "the cases are read %s", err.message);
    cJSON_ArrayForEach(test, cJSON_GetObjectItem(cases, "runs"))
    {
        if (few && strcmp(text_of(test, "model"), "sd1") && strcmp(text_of(test, "model"), "odd"))
            continue;
        if (strcmp(open, text_of(test, "model"))) {
            snprintf(open, sizeof open, "%s", text_of(test, "model"));
            sl_model_close(&model);
            model = open_model(open);
        }
        if (model)
            test_case(model, test, &golden);
    }
    sl_model_close(&model);
    golden_close(&golden);
    sl_json_close(file);
    free(path);
}

/* ---- what a run promises ---- */

typedef struct Way {
    const char *name;
    SlCaching caching;
    int interval, branch;
    double threshold;
    const char *scheduler, *prompt;
    double guidance_to;
    bool like_another; /* left out of few */
} Way;

static const Way ways[] = {
    {"deep", SL_CACHING_DEEP, 3, 0, 0.05, "ddim", "a horse", 1},
    {"deep, two evaluations a step", SL_CACHING_DEEP, 2, 2, 0.05, "heun", "a horse", 1, true},
    {"deep, an end of the guidance", SL_CACHING_DEEP, 4, 1, 0.05, "euler", "a horse", 0.5, true},
    {"deep, texts of two lengths", SL_CACHING_DEEP, 2, 4, 0.05, "ddim", "a horse BREAK a cat", 1},
    {"deep, a prompt that changes", SL_CACHING_DEEP, 4, 0, 0.05, "ddim", "[a horse:a cat:0.5]", 1,
     true},
    {"first block", SL_CACHING_FIRST_BLOCK, 3, 0, 0.4, "ddim", "a horse", 1},
    {"first block, texts of two lengths", SL_CACHING_FIRST_BLOCK, 3, 0, 0.4, "euler",
     "a horse BREAK a cat", 1},
    {"first block, an end of the guidance", SL_CACHING_FIRST_BLOCK, 3, 0, 1.5, "ddim", "a horse",
     0.5, true},
};
#define WAYS (sizeof ways / sizeof ways[0])

static SlRecipe recipe_of(SlModel *model, const Way *way)
{
    SlRecipe recipe = recipe_for(model, way->scheduler, 8);
    recipe.caching = way->caching;
    recipe.caching_interval = way->interval;
    recipe.caching_branch = way->branch;
    recipe.caching_threshold = way->threshold;
    recipe.prompt = way->prompt;
    recipe.prompt_mode = SL_PROMPT_A1111;
    recipe.guidance_to = way->guidance_to;
    return recipe;
}

/* The frames of a run by itself. */
#define MOST 20
typedef struct Told {
    int count;
    bool cached[MOST];
    float *x_t[MOST], *output[MOST], *said[MOST];
    void *before[MOST]; /* the run's state */
    size_t bytes[MOST], sample;
} Told;

static void *copy(const void *from, size_t bytes)
{
    void *to = from ? malloc(bytes) : NULL;
    return to ? memcpy(to, from, bytes) : NULL;
}

static bool tell(SlModel *model, const SlRecipe *recipe, Told *t)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    *t = (Told){.sample = run ? bytes_of(run) : 0};
    bool ok = run != NULL;
    while (ok && !sl_run_done(run)) {
        SlFrame f;
        t->before[t->count] = sl_run_save(run, &t->bytes[t->count]);
        ok = sl_run_next(run, &f, &err);
        if (!ok)
            break;
        t->cached[t->count] = f.cached;
        t->x_t[t->count] = copy(f.x_t, t->sample);
        t->output[t->count] = copy(f.model_output, t->sample);
        t->said[t->count++] = copy(f.said, 2 * t->sample);
    }
    if (!ok)
        sl_test_note("%s", err.message);
    sl_run_free(run);
    return ok;
}

static void forget(Told *t)
{
    for (int i = 0; i < MOST; i++) {
        free(t->x_t[i]);
        free(t->output[i]);
        free(t->said[i]);
        free(t->before[i]);
    }
}

static int cached_of(const Told *t)
{
    int count = 0;
    for (int i = 0; i < t->count; i++)
        count += t->cached[i];
    return count;
}

/* A run goes on from evaluation i as it was told. */
static bool goes_on(SlRun *run, int i, const Told *t, SlError *err)
{
    bool ok = run != NULL;
    for (; ok && i < t->count; i++) {
        SlFrame f;
        ok = sl_run_next(run, &f, err) && f.cached == t->cached[i] &&
             !memcmp(f.x_t, t->x_t[i], t->sample) &&
             !memcmp(f.model_output, t->output[i], t->sample);
    }
    return ok;
}

static void test_taken_up(SlModel *model, const Way *way, const SlRecipe *recipe, const Told *t)
{
    bool restored = true, known = true, branched = true;
    SlError err = {0};
    int apart = t->count > 8 ? 3 : few ? 2 : 1;
    for (int i = 1; i < t->count; i += apart) {
        SlRun *run = sl_run_new(model, recipe, NULL, &err);
        restored = restored && run && sl_run_restore(run, t->before[i], t->bytes[i], &err) &&
                   goes_on(run, i, t, &err);
        sl_run_free(run);

        run = sl_run_new(model, recipe, NULL, &err);
        for (int k = 0; known && k < i; k++)
            known =
                run && sl_run_advance(run, &(SlKnown){t->output[k], t->said[k], t->cached[k], 0, 1},
                                      NULL, &err);
        SlRun *branch = sl_run_new(model, recipe, NULL, &err);
        branched = branched && known && branch && sl_run_continue(branch, run, &err) &&
                   goes_on(branch, i, t, &err);
        known = known && goes_on(run, i, t, &err);
        sl_run_free(run);
        sl_run_free(branch);
    }
    sl_test(restored, "%s: taken up before any evaluation, to the same bytes %s", way->name,
            err.message);
    sl_test(known, "%s: brought to any evaluation by what is known %s", way->name, err.message);
    sl_test(branched, "%s: a branch from any evaluation with the same settings %s", way->name,
            err.message);
}

/* With a state of other values in between, what is on the device must not be taken for its own. */
static void test_not_mixed_up(SlModel *model, const Way *way, const SlRecipe *recipe, const Told *t)
{
    SlRecipe seeded = *recipe;
    SlError err = {0};
    Told other;
    seeded.seed = 4;
    bool ok = tell(model, &seeded, &other);
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    for (int i = t->count - 2; ok && i > 0; i -= few ? 4 : 2)
        ok = run && sl_run_restore(run, other.before[i], other.bytes[i], &err) &&
             goes_on(run, i, &other, &err) &&
             sl_run_restore(run, t->before[i], t->bytes[i], &err) && goes_on(run, i, t, &err);
    sl_test(ok, "%s: what another state's evaluation left is not taken %s", way->name, err.message);
    sl_run_free(run);
    forget(&other);
}

static void test_looked_at(SlModel *model, const Way *way, const SlRecipe *recipe, const Told *t)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    bool ok = run != NULL;
    for (int i = 0; ok && i < t->count; i++) {
        SlFrame f;
        float *x_t = copy(sl_run_sample(run), t->sample);
        ok = x_t && sl_run_look(run, i, x_t, &f, &err) && f.cached == t->cached[i] &&
             !memcmp(f.model_output, t->output[i], t->sample) && sl_run_next(run, &f, &err) &&
             !memcmp(f.x_t, t->x_t[i], t->sample);
        free(x_t);
    }
    sl_test(ok, "%s: looked at it is what it was, and changes nothing %s", way->name, err.message);
    sl_run_free(run);
}

/* Exact runs and others take turns over the model; the first evaluation is shared. */
static void test_beside_others(SlModel *model, const Way *way, const SlRecipe *recipe,
                               const Told *t)
{
    SlError err = {0};
    SlShare *share = sl_share_new(model);
    const SlRunInputs inputs = {.share = share};
    SlRecipe exact = *recipe, other = *recipe;
    Told alone;
    exact.caching = SL_CACHING_OFF;
    other.caching_branch = 5;
    other.seed = 9;
    SlRun *a = sl_run_new(model, &exact, &inputs, &err),
          *b = sl_run_new(model, recipe, &inputs, &err);
    SlRun *c = sl_run_new(model, &other, &inputs, &err);
    bool ok = tell(model, &exact, &alone) && a && b && c, apart = false;
    for (int i = 0; ok && i < t->count; i++) {
        SlFrame of_a, of_b;
        ok = sl_run_next(i % 2 ? b : a, i % 2 ? &of_b : &of_a, &err) &&
             sl_run_next(c, NULL, &err) &&
             sl_run_next(i % 2 ? a : b, i % 2 ? &of_a : &of_b, &err) && !of_a.cached &&
             of_b.cached == t->cached[i] && !memcmp(of_b.x_t, t->x_t[i], t->sample) &&
             !memcmp(of_a.x_t, alone.x_t[i], t->sample);
        apart = apart || (ok && memcmp(of_a.x_t, of_b.x_t, t->sample));
    }
    sl_test(ok && apart == (cached_of(t) > 0),
            "%s: beside an exact run, and one of another branch, all are what they are alone %s",
            way->name, err.message);
    sl_run_free(a);
    sl_run_free(b);
    sl_run_free(c);
    sl_share_free(share);
    forget(&alone);
}

/* No maps where nothing looked at the words, and no other bytes. */
static void test_maps(SlModel *model, const Way *way, const SlRecipe *recipe, const Told *t)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    bool ok = run != NULL;
    if (run)
        sl_run_want_maps(run, SL_MAPS_TEXT);
    for (int i = 0; ok && i < t->count; i++) {
        SlFrame f;
        ok = sl_run_next(run, &f, &err) && (f.maps != NULL) != f.cached &&
             !memcmp(f.x_t, t->x_t[i], t->sample);
    }
    sl_test(ok, "%s: whole evaluations alone have maps of the words %s", way->name, err.message);
    sl_run_free(run);
}

/* Two runs as one batch; then one of them by itself, as it was made among two. */
static void test_together(SlModel *model)
{
    SlError err = {0}, errs[2];
    SlRecipe one = recipe_of(model, &ways[0]), two = one;
    two.seed = 8;
    SlRun *run[] = {sl_run_new(model, &one, NULL, &err), sl_run_new(model, &two, NULL, &err)};
    SlRun *again = sl_run_new(model, &two, NULL, &err);
    SlFrame f[2], alone;
    bool ok = run[0] && run[1] && again, matches = true;
    int cached = 0;
    for (int i = 0; ok && i < one.steps; i++) {
        size_t bytes;
        void *before = sl_run_save(run[1], &bytes);
        matches = matches && sl_runs_match(run[0], run[1]);
        SlRun *taken_up = sl_run_new(model, &two, NULL, &err);
        ok = before && taken_up && sl_runs_next(run, 2, f, errs, &err) &&
             sl_run_next_among(again, 1, 2, &alone, &err) &&
             !memcmp(alone.x_t, f[1].x_t, bytes_of(again)) && alone.cached == f[1].cached &&
             sl_run_restore(taken_up, before, bytes, &err) &&
             sl_run_next_among(taken_up, 1, 2, &alone, &err) &&
             !memcmp(alone.x_t, f[1].x_t, bytes_of(again));
        cached += ok && f[0].cached && f[1].cached;
        sl_run_free(taken_up);
        free(before);
    }
    sl_test(ok && matches && cached == 5, "a batch, and one of it computed again: %d cached %s",
            cached, err.message);
    for (int i = 0; i < 2; i++)
        sl_run_free(run[i]);
    sl_run_free(again);
    two.caching_interval = 2;
    run[0] = sl_run_new(model, &one, NULL, &err);
    run[1] = sl_run_new(model, &two, NULL, &err);
    matches = run[0] && run[1];
    for (int i = 0; ok && matches && i < 4; i++) {
        bool same = i == 0 || i == 1; /* whole, in part; then the one is in part, the other whole */
        matches = sl_runs_match(run[0], run[1]) == same;
        ok = sl_run_next(run[0], NULL, &err) && sl_run_next(run[1], NULL, &err);
    }
    sl_test(ok && matches, "runs are one batch only where both take over or neither does");
    for (int i = 0; i < 2; i++)
        sl_run_free(run[i]);
    one.caching = two.caching = SL_CACHING_FIRST_BLOCK;
    run[0] = sl_run_new(model, &one, NULL, &err);
    run[1] = sl_run_new(model, &two, NULL, &err);
    sl_test(run[0] && run[1] && !sl_runs_match(run[0], run[1]),
            "what the first block decides is decided one by one");
    for (int i = 0; i < 2; i++)
        sl_run_free(run[i]);
}

/* ---- what voids it ---- */

static void expect(SlModel *model, const SlRecipe *recipe, const char *expected, const char *what)
{
    char made[MOST + 1] = "";
    Told t;
    bool ok = tell(model, recipe, &t);
    for (int i = 0; i < t.count; i++)
        made[i] = t.cached[i] ? '1' : '0';
    made[t.count] = '\0';
    sl_test(ok && !strcmp(made, expected), "%s: %s, expected %s", what, made, expected);
    forget(&t);
}

static void test_void(SlModel *model)
{
    SlRecipe recipe = recipe_of(model, &ways[0]);
    char *lora = sl_test_path("goldens/adapters/sd1_kohya_lora.safetensors"), text[600];
    recipe.caching_interval = 8;
    expect(model, &recipe, "01111111", "one whole evaluation");
    recipe.prompt = "[a horse:a cat:0.5]";
    expect(model, &recipe, "01111011", "another prompt");
    recipe.prompt = "a horse";
    recipe.guidance_to = 0.75;
    expect(model, &recipe, "01111101", "an end of the guidance");
    recipe.guidance_from = 0.25;
    expect(model, &recipe, "01011101", "an interval of the guidance");
    recipe.guidance_from = 0;
    recipe.guidance_to = 1;
    recipe.caching_from = 0.25;
    recipe.caching_to = 0.75;
    expect(model, &recipe, "00011100", "an interval of caching");
    recipe.caching_from = 0;
    recipe.caching_to = 1;
    snprintf(text, sizeof text, "%s:0.8:0@0-0.5", lora);
    recipe.lora = text;
    expect(model, &recipe, "01110111", "a LoRA that ends");
    recipe.caching = SL_CACHING_FIRST_BLOCK;
    recipe.caching_threshold = 2;
    expect(model, &recipe, "01110111", "the same before the first block is asked");
    snprintf(text, sizeof text, "%s:1@0:1,1:0.3", lora);
    expect(model, &recipe, "00000000", "a LoRA that is weaker at each step");
    free(lora);
}

/* A branch that is told something else, has other weights, or caches otherwise. */
static void test_branches(SlModel *model)
{
    static const char *const what[] = {
        "with other guidance goes on in part",      "with another prompt begins as a whole",
        "of an exact run begins as a whole",        "with another LoRA begins as a whole",
        "of another depth begins as a whole",       "that tests the first block begins as a whole",
        "with another scheduler begins as a whole",
    };
    char *lora = sl_test_path("goldens/adapters/sd1_kohya_lora.safetensors"), strong[600],
         weak[600];
    SlError err = {0};
    SlFrame f[3];
    snprintf(strong, sizeof strong, "%s:0.8", lora);
    snprintf(weak, sizeof weak, "%s:0.3", lora);
    for (int k = 0; k < (int)(sizeof what / sizeof *what); k++) {
        SlRecipe from = recipe_of(model, &ways[0]), other;
        from.caching_interval = 8;
        from.lora = k == 3 ? strong : NULL;
        other = from;
        if (k == 0)
            other.guidance = 3;
        if (k == 1)
            other.prompt = "a cat";
        if (k == 2)
            from.caching = SL_CACHING_OFF;
        if (k == 3)
            other.lora = weak;
        if (k == 4)
            other.caching_branch = 3;
        if (k == 5) {
            other.caching = SL_CACHING_FIRST_BLOCK;
            other.caching_threshold = 2;
        }
        if (k == 6)
            other.scheduler = "dpmpp-2m";
        SlRun *run = sl_run_new(model, &from, NULL, &err),
              *branch = sl_run_new(model, &other, NULL, &err);
        bool ok = run && branch, goes_on = k == 0;
        for (int i = 0; ok && i < 3; i++)
            ok = sl_run_next(run, NULL, &err);
        ok = ok && sl_run_continue(branch, run, &err) && sl_run_next(branch, &f[0], &err) &&
             sl_run_next(branch, &f[1], &err);
        sl_test(ok && f[0].cached == goes_on && f[1].cached, "a branch %s %s", what[k],
                err.message);
        sl_run_free(run);
        sl_run_free(branch);
    }
    free(lora);
}

/* Two runs whose LoRA is of another strength take turns over the same model. */
static void test_loras_beside(SlModel *model)
{
    char *lora = sl_test_path("goldens/adapters/sd1_kohya_lora.safetensors"), text[2][600];
    SlError err = {0};
    SlRecipe recipe[2];
    SlRun *run[2];
    Told alone[2];
    bool ok = true;
    for (int k = 0; k < 2; k++) {
        snprintf(text[k], sizeof text[k], "%s:%g", lora, k == 0 ? 0.9 : 0.2);
        recipe[k] = recipe_of(model, &ways[k == 0 ? 0 : 5]);
        recipe[k].lora = text[k];
        ok = tell(model, &recipe[k], &alone[k]) && cached_of(&alone[k]) > 0 && ok;
        run[k] = sl_run_new(model, &recipe[k], NULL, &err);
    }
    for (int i = 0; ok && i < alone[0].count; i++)
        for (int k = 0; ok && k < 2; k++) {
            SlFrame f;
            ok = run[k] && sl_run_next(run[k], &f, &err) && f.cached == alone[k].cached[i] &&
                 !memcmp(f.x_t, alone[k].x_t[i], alone[k].sample);
        }
    sl_test(ok, "runs with a LoRA of two strengths take turns and are what they are alone %s",
            err.message);
    for (int k = 0; k < 2; k++) {
        sl_run_free(run[k]);
        forget(&alone[k]);
    }
    free(lora);
}

/* What a run would need has what is kept in it: the last up layer's input of 2 x 8 x 8 x 12 values, in the
 * step and in the run. */
static void test_cost(SlModel *model)
{
    SlRecipe exact = recipe_of(model, &ways[0]), deep = exact, first = exact;
    SlError err = {0};
    SlCost cost[3];
    exact.caching = SL_CACHING_OFF;
    first.caching = SL_CACHING_FIRST_BLOCK;
    bool ok = sl_model_cost(sl_model_info(model), &exact, "f32", &cost[0], &err) &&
              sl_model_cost(sl_model_info(model), &deep, "f32", &cost[1], &err) &&
              sl_model_cost(sl_model_info(model), &first, "f32", &cost[2], &err);
    size_t kept = 2 * 8 * 8 * 12 * sizeof(float);
    sl_test(ok && cost[0].cached_flops == 0 && cost[1].cached_flops > 0 &&
                cost[1].cached_flops < cost[1].step_flops / 3,
            "a cached step takes %.2g of a whole one's operations",
            cost[1].cached_flops / cost[1].step_flops);
    sl_test(ok && cost[1].step_bytes == cost[0].step_bytes + 2 * kept &&
                cost[2].step_bytes == cost[0].step_bytes + 6 * kept,
            "what is kept takes memory: %zu and %zu bytes %s",
            cost[1].step_bytes - cost[0].step_bytes, cost[2].step_bytes - cost[0].step_bytes,
            err.message);
}

static void refuse(SlModel *model, const SlRecipe *recipe, const char *says)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    sl_test(!run && strstr(err.message, says), "refused: %s", err.message);
    sl_run_free(run);
}

static void test_refusals(SlModel *model)
{
    SlRecipe deep = recipe_of(model, &ways[0]), r = deep;
    r.caching_branch = 9;
    refuse(model, &r, "caching branch is 9; expected 0 to 8 for the model sd1");
    r = deep;
    r.caching_from = r.caching_to = 0.5;
    refuse(model, &r, "caching from is 0.5 and caching to 0.5");
    r = deep;
    r.guidance_method = SL_METHOD_PERP_NEG;
    refuse(model, &r, "with guidance method perp-neg");
    r = deep;
    r.prompt = "a horse AND a cat";
    refuse(model, &r, "with a prompt of 2 parts (AND)");
    SlModelInfo *other = malloc(sizeof *other);
    SlError err = {0};
    if (other) {
        *other = *sl_model_info(model);
        other->branches = 0;
        other->also_has &= ~(unsigned)SL_HAS_BRANCHES;
        sl_test(!sl_recipe_check(&deep, other, &err) &&
                    strstr(err.message, "caching is \"deep\"; expected \"off\" for the model sd1"),
                "refused: %s", err.message);
    }
    free(other);
}

/* A refiner begins with a whole evaluation of its own. */
static void test_refiner(void)
{
    SlError err = {0};
    char *folder = sl_test_path("goldens/model/sdxl"),
         *refiner = sl_test_path("goldens/model/sdxl_refiner");
    const SlPartFrom from[] = {{"refiner", refiner}, {NULL, NULL}};
    SlModel *model = sl_model_open(
        folder, &(SlModelOptions){.device = device, .dtype = dtype, .from = from}, &err);
    if (model) {
        const Way way = {"refined", SL_CACHING_DEEP, 8, 1, 0.05, "ddim", "a horse", 1};
        SlRecipe recipe = recipe_of(model, &way);
        Told t;
        bool ok = tell(model, &recipe, &t);
        int wholes = t.count - cached_of(&t);
        sl_test(ok && wholes == 2 && !t.cached[0], "refined: %d whole evaluations", wholes);
        test_taken_up(model, &way, &recipe, &t);
        forget(&t);
    } else {
        sl_test(false, "a model and its refiner: %s", err.message);
    }
    sl_model_close(&model);
    free(folder);
    free(refiner);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : device;
    dtype = argc > 2 ? argv[2] : dtype;
    few = argc > 3 && !strcmp(argv[3], "few");
    test_goldens();
    SlModel *model = open_model("sd1");
    if (!model)
        return sl_test_done();
    for (size_t i = 0; i < WAYS; i++) {
        if (few && ways[i].like_another)
            continue;
        SlRecipe recipe = recipe_of(model, &ways[i]);
        Told t;
        bool ok = tell(model, &recipe, &t);
        sl_test(ok && cached_of(&t) > 0, "%s: %d of %d evaluations are made in part", ways[i].name,
                cached_of(&t), t.count);
        if (ok) {
            test_taken_up(model, &ways[i], &recipe, &t);
            test_not_mixed_up(model, &ways[i], &recipe, &t);
            test_looked_at(model, &ways[i], &recipe, &t);
            test_beside_others(model, &ways[i], &recipe, &t);
            test_maps(model, &ways[i], &recipe, &t);
        }
        forget(&t);
    }
    test_together(model);
    test_void(model);
    test_branches(model);
    test_loras_beside(model);
    test_cost(model);
    test_refusals(model);
    sl_model_close(&model);
    if (!few)
        test_refiner();
    return sl_test_done();
}
