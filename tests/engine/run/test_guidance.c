/* test_guidance.c - what guidance makes of predictions, against diffusers' guiders and formulas
 * (goldens/guidance); the interval, which costs what it says; and that a prediction which is known
 * gives what an evaluation with other guidance would have given, to the same bytes.
 *
 *     test_guidance [DEVICE [DTYPE [few]]]: few leaves out the last of them
 */
#include "engine/engine.h"
#include "tests/engine/run/golden.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#define STEPS 5

static const char *device = "cpu", *dtype = "f32";

static SlModel *open_model(const char *path)
{
    SlError err = {0};
    char *folder = sl_test_path(path);
    const SlModelOptions options = {.device = device, .dtype = dtype};
    SlModel *model = sl_model_open(folder, &options, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
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
        if (!s)
            continue;
        int place = 0;
        while (s->choices && s->choices[place] && item->valuestring &&
               strcmp(s->choices[place], item->valuestring))
            place++;
        if (s->kind == SL_KIND_SCHEDULER)
            sl_setting_set_text(s, recipe, item->valuestring);
        else
            sl_setting_set_number(s, recipe, s->choices ? place : item->valuedouble);
    }
}

static float *read_array(const Golden *golden, const char *name, const char *what, size_t expected)
{
    char key[80];
    size_t n;
    snprintf(key, sizeof key, "%s.%s", name, what);
    float *values = golden_read(golden, key, &n);
    if (n == expected)
        return values;
    free(values);
    sl_test(false, "%s has %zu values; expected %zu", key, n, expected);
    return NULL;
}

static bool close_to(const float *a, const float *b, size_t n, double tolerance)
{
    return golden_worst(a, b, n) <= tolerance * fmax(1, golden_top(b, n));
}

/* Each step from what is said of it. */
static void test_said(SlModel *model, const cJSON *test, const Golden *golden)
{
    const char *name = cJSON_GetObjectItem(test, "name")->valuestring;
    SlRecipe recipe = recipe_for(model, "euler", STEPS);
    SlError err = {0};
    read_case(test, &recipe);
    const size_t n = 4 * 8 * 8;
    float *noise = read_array(golden, name, "noise", n);
    float *said = read_array(golden, name, "said", STEPS * 2 * n);
    float *output = read_array(golden, name, "output", STEPS * n);
    float *samples = read_array(golden, name, "samples", STEPS * n);
    const SlRunInputs inputs = {.latents = noise};
    SlRun *run = sl_run_new(model, &recipe, &inputs, &err);
    bool ok = run && said && output && samples;
    double worst = 0;
    for (int i = 0; ok && i < STEPS; i++) {
        SlFrame f;
        const float *both = said + 2 * n * (size_t)i, *expected = output + n * (size_t)i;
        bool guided = (int)(recipe.guidance_to * STEPS) > i;
        ok = guided ? sl_run_say(run, both, &f, &err)
                    : sl_run_advance(run, &(SlKnown){.output = both + n}, &f, &err);
        worst = ok ? fmax(worst, golden_worst(f.model_output, expected, n)) : INFINITY;
        ok = ok && close_to(f.model_output, expected, n, 2e-6) &&
             close_to(f.x_t, samples + n * (size_t)i, n, 2e-6);
    }
    sl_test(ok, "%s: as it is said, worst difference %.2g %s", name, worst, err.message);
    sl_run_free(run);
    free(noise);
    free(said);
    free(output);
    free(samples);
}

static void test_run(SlModel *model, const cJSON *test, const Golden *golden)
{
    const char *name = cJSON_GetObjectItem(test, "name")->valuestring;
    SlRecipe recipe = recipe_for(model, "euler", STEPS);
    SlError err = {0};
    read_case(test, &recipe);
    float *latents = read_array(golden, name, "latents", 4 * 8 * 8);
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    bool ok = run && latents;
    while (ok && !sl_run_done(run))
        ok = sl_run_next(run, NULL, &err);
    double tolerance = strcmp(dtype, "f32") ? 5e-2 : 2e-3;
    sl_test(ok && close_to(sl_run_sample(run), latents, 4 * 8 * 8, tolerance),
            "%s: a whole run, worst difference %.2g %s", name,
            ok ? golden_worst(sl_run_sample(run), latents, 4 * 8 * 8) : INFINITY, err.message);
    sl_run_free(run);
    free(latents);
}

static void test_goldens(SlModel *model)
{
    char *path = sl_test_path("goldens/guidance/cases.json");
    SlError err = {0};
    SlJson *file = sl_json_open(path, &err);
    cJSON *cases = file ? sl_json_root(file) : NULL;
    Golden golden = golden_open("goldens/guidance/guidance.safetensors");
    const cJSON *test;
    sl_test(cases != NULL, "the cases are read %s", err.message);
    cJSON_ArrayForEach(test, cJSON_GetObjectItem(cases, "said")) test_said(model, test, &golden);
    cJSON_ArrayForEach(test, cJSON_GetObjectItem(cases, "runs")) test_run(model, test, &golden);
    golden_close(&golden);
    sl_json_close(file);
    free(path);
}

/* ---- what if ---- */

/* Ways of guidance. All but the last can be tried on each other's steps. */
static const SlRecipe ways[] = {
    {.guidance = 7.5, .guidance_to = 1},
    {.guidance = 3, .guidance_to = 1, .guidance_rescale = 0.7},
    {.guidance = 12,
     .guidance_to = 1,
     .guidance_method = SL_METHOD_DYNAMIC,
     .mimic_guidance = 5,
     .mimic_quantile = 1},
    {.guidance = 9,
     .guidance_to = 1,
     .guidance_method = SL_METHOD_APG,
     .apg_norm = 5,
     .apg_momentum = -0.5},
    {.guidance = 7.5, .guidance_to = 1, .guidance_method = SL_METHOD_CFG_PP},
    {.guidance = 9,
     .guidance_to = 1,
     .guidance_method = SL_METHOD_PERP_NEG,
     .perp_neg_scale = 1.5,
     .guidance_rescale = 0.3},
};
#define WAYS     (int)(sizeof ways / sizeof ways[0])
#define PERP_NEG (WAYS - 1)

/* The state of a run before an evaluation. */
typedef struct Before {
    void *state;
    size_t bytes;
} Before;

/* What one evaluation of a run said, taken for a way by `tried`, and an evaluation by `branch`, a run with
 * that way. */
static bool says_alike(SlRun *tried, SlRun *branch, const SlRecipe *way, const Before *before,
                       const float *said)
{
    SlError err = {0};
    SlFrame a, b;
    bool ok = sl_run_set_guidance(tried, way, &err) &&
              sl_run_restore(tried, before->state, before->bytes, &err) &&
              sl_run_say(tried, said, &a, &err) &&
              sl_run_restore(branch, before->state, before->bytes, &err) &&
              sl_run_next(branch, &b, &err) && !memcmp(a.x_t, b.x_t, bytes_of(tried)) &&
              !memcmp(a.x_0, b.x_0, bytes_of(tried)) &&
              !memcmp(a.guidance_term, b.guidance_term, bytes_of(tried)) &&
              !memcmp(a.model_output, b.model_output, bytes_of(tried));
    if (!ok)
        sl_test_note("%s", err.message);
    return ok;
}

/* A run, and at each of its steps several ways: alike says of each whether it was at all of them. */
static void try_ways(SlModel *model, const SlRecipe *recipe, const SlRecipe *tries, int count,
                     bool alike[])
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err), *branches[WAYS] = {0};
    SlRun *tried = sl_run_new(model, recipe, NULL, &err);
    bool ok = run && tried;
    for (int way = 0; way < count; way++) {
        SlRecipe other = *recipe;
        sl_recipe_change(&other, &tries[way], SL_SETTINGS_GUIDANCE);
        branches[way] = sl_run_new(model, &other, NULL, &err);
        alike[way] = ok && branches[way];
    }
    while (ok && !sl_run_done(run)) {
        Before before = {0};
        SlFrame f;
        before.state = sl_run_save(run, &before.bytes);
        ok = before.state && sl_run_next(run, &f, &err) && f.said;
        for (int way = 0; way < count; way++)
            alike[way] =
                ok && alike[way] && says_alike(tried, branches[way], &tries[way], &before, f.said);
        free(before.state);
    }
    if (!ok)
        sl_test_note("%s", err.message);
    for (int way = 0; way < count; way++)
        sl_run_free(branches[way]);
    sl_run_free(run);
    sl_run_free(tried);
}

static void test_say(SlModel *model)
{
    for (int from = 0; from < PERP_NEG; from++) {
        SlRecipe recipe = recipe_for(model, "euler", 3);
        bool alike[WAYS];
        sl_recipe_change(&recipe, &ways[from], SL_SETTINGS_GUIDANCE);
        try_ways(model, &recipe, ways, PERP_NEG, alike);
        for (int to = 0; to < PERP_NEG; to++)
            sl_test(alike[to],
                    "way %d of a run with way %d is what an evaluation makes, to the same bytes",
                    to, from);
    }
}

/* Saved before each evaluation, and advanced by what was recorded: the same bytes. */
static void test_taken_up(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "ddim", 4);
    SlError err = {0};
    for (int way = 0; way < WAYS; way++) {
        sl_recipe_change(&recipe, &ways[way], SL_SETTINGS_GUIDANCE);
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        SlRun *again = sl_run_new(model, &recipe, NULL, &err);
        SlRun *restored = sl_run_new(model, &recipe, NULL, &err);
        bool ok = run && again && restored;
        while (ok && !sl_run_done(run)) {
            size_t bytes = 0;
            SlFrame f;
            void *before = sl_run_save(run, &bytes);
            ok = before && sl_run_next(run, &f, &err) &&
                 sl_run_restore(restored, before, bytes, &err) &&
                 sl_run_next(restored, NULL, &err) &&
                 sl_run_advance(again, &(SlKnown){.output = f.model_output, .said = f.said}, NULL,
                                &err) &&
                 !memcmp(sl_run_sample(restored), f.x_t, bytes_of(run)) &&
                 !memcmp(sl_run_sample(again), f.x_t, bytes_of(run));
            free(before);
        }
        sl_test(ok,
                "way %d: taken up before each evaluation, and brought to it by what was said %s",
                way, err.message);
        bool needs =
            recipe.guidance_method == SL_METHOD_CFG_PP || recipe.guidance_method == SL_METHOD_APG;
        sl_run_free(again);
        again = sl_run_new(model, &recipe, NULL, &err);
        SlError refused = {0};
        ok = again &&
             sl_run_advance(again, &(SlKnown){.output = sl_run_noise(again)}, NULL, &refused);
        sl_test(ok == !needs && (ok || strstr(refused.message, "not known of evaluation 1")),
                "way %d: an output alone is %s %s", way, needs ? "not enough" : "enough",
                refused.message);
        sl_run_free(run);
        sl_run_free(again);
        sl_run_free(restored);
    }
}

/* ---- perpendicular negative ---- */

static SlRun *evaluated(SlModel *model, const SlRecipe *recipe, SlMapHalves maps, SlFrame *f)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    if (run)
        sl_run_want_maps(run, maps);
    bool ok = run && sl_run_next(run, f, &err);
    sl_test(ok && f->said, "an evaluation is made %s", err.message);
    if (ok && f->said)
        return run;
    sl_run_free(run);
    return NULL;
}

/* The formula, of what three prompts say by themselves. */
static void formula(const float *u, const float *c, const float *n, double scale, float *out,
                    int64_t count)
{
    double dot = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        dot += ((double)n[i] - u[i]) * ((double)c[i] - u[i]);
        squares += ((double)c[i] - u[i]) * ((double)c[i] - u[i]);
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)(c[i] - scale * (n[i] - u[i] - dot / squares * (c[i] - u[i])));
}

static bool same_maps(const SlWordMaps *a, const SlWordMaps *b, bool negative)
{
    bool same = a && b && a->levels == b->levels;
    for (int i = 0; same && i < a->levels; i++) {
        size_t n = (size_t)a->level[i].height * (size_t)a->level[i].width * 77;
        const float *x = negative ? a->level[i].negative : a->level[i].text;
        const float *y = negative ? b->level[i].negative : b->level[i].text;
        same = x && y && close_to(x, y, n, strcmp(dtype, "f32") ? 5e-2 : 1e-5);
    }
    return same;
}

/* One evaluation of a model, with prompts as they are, and those that it is made of. */
static void test_three(SlModel *model, const char *what, const char *prompt, const char *negative)
{
    SlRecipe recipe = recipe_for(model, "euler", 3), plain = recipe, other = recipe;
    SlFrame f, of_prompt, of_negative;
    recipe.prompt_mode = plain.prompt_mode = other.prompt_mode = SL_PROMPT_A1111;
    recipe.prompt = plain.prompt = prompt;
    recipe.negative_prompt = other.prompt = negative;
    plain.negative_prompt = other.negative_prompt = "";
    recipe.guidance_method = SL_METHOD_PERP_NEG;
    recipe.perp_neg_scale = 1.5;
    SlRun *run = evaluated(model, &recipe, SL_MAPS_BOTH, &f);
    SlRun *a = evaluated(model, &plain, SL_MAPS_BOTH, &of_prompt);
    SlRun *b = evaluated(model, &other, SL_MAPS_BOTH, &of_negative);
    float *expected = malloc(run ? bytes_of(run) : 1);
    if (run && a && b && expected) {
        int64_t n = sl_run_sample_elements(run);
        const float *u = of_prompt.said, *c = u + n;
        formula(u, c, of_negative.said + n, 1.5, expected, n);
        double tolerance = strcmp(dtype, "f32") ? 2e-2 : 1e-5;
        sl_test(close_to(f.said + n, expected, (size_t)n, tolerance) &&
                    close_to(f.said, u, (size_t)n, tolerance),
                "%s: what is said is the formula, worst difference %.2g", what,
                golden_worst(f.said + n, expected, (size_t)n));
        sl_test(strcmp(dtype, "f32") || !close_to(f.said + n, c, (size_t)n, 10 * tolerance),
                "%s: and not what the prompt says by itself", what);
        sl_test(same_maps(f.maps, of_prompt.maps, false), "%s: the words' maps", what);
        bool turned = f.maps && of_negative.maps;
        SlWordMaps negatives = turned ? *of_negative.maps : (SlWordMaps){0};
        for (int i = 0; i < negatives.levels; i++)
            negatives.level[i].negative = negatives.level[i].text;
        sl_test(turned && same_maps(f.maps, &negatives, true), "%s: the negative words' maps",
                what);
    }
    free(expected);
    sl_run_free(run);
    sl_run_free(a);
    sl_run_free(b);
}

/* 90 words: two chunks. */
static char *long_text(const char *word)
{
    size_t each = strlen(word);
    char *text = calloc(90, each + 1);
    for (int i = 0; text && i < 90; i++) {
        memcpy(text + (size_t)i * (each + 1), word, each);
        text[(size_t)i * (each + 1) + each] = i < 89 ? ' ' : 0;
    }
    return text;
}

/* What a step of one way can be tried with another way. */
static void cannot_try(SlModel *model, const SlRecipe *recipe, const SlRecipe *way,
                       const char *sentence)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    sl_test(run && !sl_run_set_guidance(run, way, &err) && strstr(err.message, sentence),
            "not to be tried: %s", err.message);
    sl_run_free(run);
}

/* A run with one way, and on from its second evaluation with another: what an evaluation of the sample
 * there by the other way makes, and the scheduler's history goes on. */
static void test_turns(SlModel *model, int from, int to)
{
    SlRecipe recipe = recipe_for(model, "dpmpp-2m", 5), other = recipe;
    SlError err = {0};
    SlFrame f = {0}, looked = {0};
    sl_recipe_change(&recipe, &ways[from], SL_SETTINGS_GUIDANCE);
    sl_recipe_change(&other, &ways[to], SL_SETTINGS_GUIDANCE);
    SlRun *run = sl_run_new(model, &recipe, NULL, &err), *by_itself = NULL, *branch = NULL;
    bool ok = run && sl_run_next(run, NULL, &err) && sl_run_next(run, NULL, &err) &&
              (branch = sl_run_new(model, &other, NULL, &err)) &&
              (by_itself = sl_run_new(model, &other, NULL, &err)) &&
              sl_run_continue(branch, run, &err) &&
              sl_run_look(by_itself, 2, sl_run_sample(run), &looked, &err) &&
              sl_run_next(branch, &f, &err) && f.evaluation == 2 &&
              !memcmp(f.model_output, looked.model_output, bytes_of(run)) &&
              sl_run_advance(run, &(SlKnown){.output = looked.model_output}, NULL, &err) &&
              !memcmp(f.x_t, sl_run_sample(run), bytes_of(run));
    sl_test(ok, "way %d goes on with way %d %s", from, to, err.message);
    sl_run_free(run);
    sl_run_free(branch);
    sl_run_free(by_itself);
}

static void test_perp_neg(SlModel *model)
{
    SlModel *xl = open_model("goldens/model/sdxl");
    char *much = long_text("blurry"), *long_prompt = long_text("horse");
    test_three(model, "short", "a horse", "blurry");
    test_three(model, "a long negative prompt", "a horse", much);
    test_three(model, "a long prompt", long_prompt, "blurry");
    if (sl_test(xl != NULL, "the XL model opens"))
        test_three(xl, "XL", "a horse", "blurry");
    free(much);
    free(long_prompt);
    sl_model_close(&xl);

    SlRecipe recipe = recipe_for(model, "euler", 3);
    SlRecipe way = ways[PERP_NEG];
    sl_recipe_change(&recipe, &way, SL_SETTINGS_GUIDANCE);
    way.guidance = 4;
    way.guidance_rescale = 0;
    bool alike;
    try_ways(model, &recipe, &way, 1, &alike);
    sl_test(alike, "other guidance can be tried on its steps");
    way.perp_neg_scale = 2;
    cannot_try(model, &recipe, &way, "those of the Perp-Neg scale 1.5; another one, 2, needs");
    cannot_try(model, &recipe, &ways[0], "with guidance method plain the model is asked otherwise");
    SlRecipe plain = recipe_for(model, "euler", 3);
    cannot_try(model, &plain, &ways[PERP_NEG], "method perp-neg the model is asked otherwise");
    test_turns(model, 0, PERP_NEG);
    test_turns(model, PERP_NEG, 0);

    SlFrame f, g;
    recipe.guidance_rescale = 0;
    recipe.guidance = plain.guidance;
    recipe.negative_prompt = plain.negative_prompt = "";
    SlRun *a = evaluated(model, &recipe, SL_MAPS_NONE, &f);
    SlRun *b = evaluated(model, &plain, SL_MAPS_NONE, &g);
    sl_test(a && b && sl_runs_match(a, b) && !memcmp(f.x_t, g.x_t, bytes_of(a)),
            "without a negative prompt it is plain guidance, to the same bytes");
    sl_run_free(a);
    sl_run_free(b);
}

/* ---- the interval ---- */

/* Outside of it the model is asked once, with the prompt: what a run without guidance is asked. */
static void test_interval(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "euler", 6), plain = recipe_for(model, "euler", 6);
    SlError err = {0};
    SlShare *share = sl_share_new(model);
    const SlRunInputs inputs = {.share = share};
    recipe.guidance_from = 0.34;
    recipe.guidance_to = 0.7;
    plain.guidance = 1;
    SlRun *run = sl_run_new(model, &recipe, &inputs, &err);
    SlRun *without = sl_run_new(model, &plain, &inputs, &err);
    bool ok = run && without;
    SlFrame f = {0}, g = {0};
    for (int i = 0; ok && i < 6; i++) {
        bool guided = i >= 2 && i < 4;
        if (i == 2)
            sl_test(!sl_runs_match(run, without), "inside of it the two cannot be one batch");
        ok = sl_run_next(run, &f, &err) && sl_run_next(without, &g, &err) && !f.said == !guided &&
             !f.guidance_term == !guided && !g.said;
        if (i < 2)
            ok = ok && !memcmp(f.x_t, g.x_t, bytes_of(run)) &&
                 sl_runs_match(run, without) == (i < 1);
    }
    sl_test(ok, "steps 3 and 4 of 6 have guidance; before, the bytes are those without %s",
            err.message);
    SlShareCounts counts = sl_share_counts(share);
    sl_test(counts.evaluations_shared == 1, "the first evaluation is shared (%d)",
            counts.evaluations_shared);
    sl_run_free(run);
    sl_run_free(without);
    sl_share_free(share);
}

/* A run that goes from the one kind to the other in a batch with others ends as in that batch. */
static void test_together(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "euler", 4);
    SlError err = {0}, errs[2];
    recipe.guidance_from = 0.5;
    SlRun *a = sl_run_new(model, &recipe, NULL, &err),
          *again = sl_run_new(model, &recipe, NULL, &err);
    recipe.guidance = 4;
    recipe.guidance_method = SL_METHOD_APG;
    SlRun *b = sl_run_new(model, &recipe, NULL, &err), *both[] = {a, b};
    bool ok = a && b && again;
    SlFrame frames[2], f;
    while (ok && !sl_run_done(a))
        ok = sl_runs_next(both, 2, frames, errs, &err) &&
             sl_run_next_among(again, 0, 2, &f, &err) && !memcmp(f.x_t, frames[0].x_t, bytes_of(a));
    sl_test(ok && sl_run_done(b), "two runs with other guidance are one batch, in both parts %s",
            err.message);
    sl_run_free(a);
    sl_run_free(b);
    sl_run_free(again);
}

/* ---- refusals ---- */

static void refused(SlModel *model, const SlRecipe *recipe, const char *sentence)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    sl_test(!run && strstr(err.message, sentence), "refused: %s (%s)", sentence, err.message);
    sl_run_free(run);
}

static void test_refusals(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "dpmpp-2m", 4);
    SlError err = {0};
    recipe.guidance_method = SL_METHOD_CFG_PP;
    refused(model, &recipe,
            "cfg++ is not defined for the scheduler dpmpp-2m; expected ddim or euler");
    recipe = recipe_for(model, "euler", 4);
    recipe.guidance_from = recipe.guidance_to = 0.5;
    refused(model, &recipe, "guidance from is 0.5 and guidance to 0.5");
    recipe.guidance_from = 0;
    recipe.prompt_mode = SL_PROMPT_A1111;
    recipe.prompt = "a horse AND a hat";
    refused(model, &recipe, "needs guidance at every step; it is from 0 to 0.5");
    recipe.guidance_to = 1;
    recipe.guidance_method = SL_METHOD_PERP_NEG;
    refused(model, &recipe, "which guidance method perp-neg cannot do");
    recipe.guidance_to = 0.5;
    recipe.guidance_method = SL_METHOD_PLAIN;
    recipe.prompt = "a horse";
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    SlRecipe none = recipe, later = recipe;
    none.guidance = 1;
    later.guidance_from = 0.3;
    float *said = calloc(2, run ? bytes_of(run) : 1);
    sl_test(run && !sl_run_set_guidance(run, &none, &err) &&
                strstr(err.message, "with guidance 1 the model is asked otherwise"),
            "no guidance is another evaluation: %s", err.message);
    sl_test(run && sl_run_set_guidance(run, &later, &err) && !sl_run_say(run, said, NULL, &err) &&
                strstr(err.message, "step 1 would have no guidance"),
            "and so is a step outside of the interval: %s", err.message);
    free(said);
    sl_run_free(run);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : device;
    dtype = argc > 2 ? argv[2] : dtype;
    SlModel *model = open_model("goldens/model/sd1");
    if (!sl_test(model != NULL, "the model opens"))
        return sl_test_done();
    test_goldens(model);
    if (argc < 4 || strcmp(argv[3], "few")) {
        test_say(model);
        test_taken_up(model);
    }
    test_perp_neg(model);
    test_interval(model);
    test_together(model);
    test_refusals(model);
    sl_model_close(&model);
    return sl_test_done();
}
