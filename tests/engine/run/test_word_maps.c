/* test_word_maps.c - word maps of an evaluation against softmax(q k^T) written out in PyTorch
 * (goldens/model/make_word_maps.py), which words they are of, and what a run promises about them.
 *
 * usage: test_word_maps DEVICE [DTYPE [MODEL...]]: of those models; none: all */
#include "engine/engine.h"
#include "tests/engine/run/golden.h"
#include "tests/test.h"

#include <string.h>

static const char *device, *dtype;

static double limit(void)
{
    return strcmp(dtype, "f32") ? 3e-3 : 1e-5;
}

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

static SlRecipe recipe_for(const SlModel *model)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.width = recipe.height = 16;
    recipe.steps = 2;
    recipe.guidance = 7.5;
    recipe.prompt = "a photograph of an astronaut, riding a horse";
    recipe.negative_prompt = "blurry, low quality";
    return recipe;
}

/* ---- against PyTorch ---- */

/* The golden holds the first tokens of both halves. */
static double level_error(const Golden *golden, const SlWordMaps *maps, int i)
{
    char key[32];
    size_t n;
    snprintf(key, sizeof key, "level.%d", i);
    float *want = golden_read(golden, key, &n);
    const SlWordMapLevel *level = &maps->level[i];
    size_t half = (size_t)16 * (size_t)(level->height * level->width);
    double worst = want && n == 2 * half ? 0 : INFINITY;
    for (size_t k = 0; worst < INFINITY && k < half; k++) {
        worst = fmax(worst, fabs((double)level->negative[k] * level->layers - want[k]));
        worst = fmax(worst, fabs((double)level->text[k] * level->layers - want[half + k]));
    }
    free(want);
    return worst;
}

static double word_error(const Golden *golden, const SlWordMaps *maps, const SlWords *words, int i,
                         const SlFrame *frame)
{
    char key[32];
    size_t n, m;
    float out[64];
    snprintf(key, sizeof key, "word.%d", i);
    float *want = golden_read(golden, key, &n);
    snprintf(key, sizeof key, "share.%d", i);
    float *share = golden_read(golden, key, &m);
    bool ok = want && share && n == (size_t)(frame->height * frame->width) && n <= 64 &&
              sl_word_map(maps, words, i, SL_ALL_LEVELS, frame->height, frame->width, out, NULL);
    double worst = ok ? fabs(sl_word_share(maps, words, i, SL_ALL_LEVELS) - share[0]) : INFINITY;
    for (size_t k = 0; ok && k < n; k++)
        worst = fmax(worst, fabs((double)out[k] - want[k]));
    free(want);
    free(share);
    return worst;
}

static void test_golden(const char *name)
{
    char path[100];
    SlError err = {0};
    SlFrame frame = {0};
    SlWords words = {0};
    size_t n, layers = 0;
    snprintf(path, sizeof path, "goldens/model/%s_maps.safetensors", name);
    Golden golden = golden_open(path);
    float *latents = golden_read(&golden, "latents", &n);
    float *counts = golden_read(&golden, "layers", &layers);
    SlModel *model = open_model(name);
    SlRecipe recipe = recipe_for(model);
    SlRun *run = sl_run_new(model, &recipe, &(SlRunInputs){.latents = latents}, &err);
    bool ok = run != NULL;
    if (ok)
        sl_run_want_maps(run, SL_MAPS_BOTH);
    ok = ok && sl_run_next(run, &frame, &err) && sl_run_words(run, 0, &words, &err);
    const SlWordMaps *maps = ok ? frame.maps : NULL;
    sl_test(maps && maps->levels == (int)layers && words.words == 8, "%s: %d levels, %d words: %s",
            name, maps ? maps->levels : 0, words.words, err.message);
    for (int i = 0; maps && i < maps->levels; i++) {
        double error = level_error(&golden, maps, i);
        sl_test(error <= limit() * maps->level[i].layers && maps->level[i].layers == (int)counts[i],
                "%s: level %d of %d layers, off by %.2g", name, i, maps->level[i].layers, error);
    }
    double worst = 0;
    for (int i = 0; maps && i < words.words; i++)
        worst = fmax(worst, word_error(&golden, maps, &words, i, &frame));
    sl_test(maps && worst <= limit(), "%s: words, off by %.2g", name, worst);
    sl_words_free(&words);
    sl_run_free(run);
    sl_model_close(&model);
    golden_close(&golden);
    free(latents);
    free(counts);
}

/* ---- which words ---- */

typedef struct Expected {
    SlPromptMode mode;
    const char *prompt, *words; /* "text@row+rows ..." */
} Expected;

/* A chunk of this model is 24 tokens. */
static void test_words(SlModel *model)
{
    static const Expected cases[] = {
        {SL_PROMPT_PLAIN, "a (horse), a house", "a@1 horse@3 a@6 house@7"},
        {SL_PROMPT_A1111, "a (horse:1.3), [a] house", "a@1 horse@2 a@4 house@5"},
        {SL_PROMPT_A1111, "a horse BREAK a house", "a@1 horse@2 a@25 house@26"},
        {SL_PROMPT_A1111, "a horse AND a house :2", "a@1 horse@2 a@25 house@26"},
        {SL_PROMPT_A1111, "a [horse:house:1]", "a@1 horse@2"},
        {SL_PROMPT_COMFYUI, "a (horse:1.3) house", "a@1 horse@2 house@3"},
        {SL_PROMPT_COMPEL, "a horse+ house", "a@1 horse@2 house@3"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        char got[300] = "";
        SlError err = {0};
        SlWords words = {0};
        SlRecipe recipe = recipe_for(model);
        recipe.prompt_mode = (int)cases[c].mode;
        recipe.prompt = cases[c].prompt;
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        if (run)
            sl_run_words(run, 0, &words, &err);
        for (int i = 0; i < words.words; i++) {
            const SlWord *w = &words.word[i];
            size_t used = strlen(got);
            snprintf(got + used, sizeof got - used, "%s%.*s@%d", i ? " " : "", w->end - w->begin,
                     cases[c].prompt + w->begin, w->row);
        }
        sl_test(!strcmp(got, cases[c].words), "words of \"%s\": %s %s", cases[c].prompt, got,
                err.message);
        sl_words_free(&words);
        sl_run_free(run);
    }
}

/* ---- promises ---- */

/* Every place's looks add up to 1 over a text. */
static double off_one(const SlWordMaps *maps, int parts)
{
    double worst = 0;
    for (int i = 0; i < maps->levels; i++) {
        int64_t places = (int64_t)maps->level[i].height * maps->level[i].width;
        for (int64_t p = 0; p < places; p++) {
            double sum = 0;
            for (int t = 0; t < maps->tokens; t++)
                sum += maps->level[i].text[t * places + p];
            worst = fmax(worst, fabs(sum - parts));
        }
    }
    return worst;
}

/* What maps hold of the prompt, added up to one number for each of a few tokens. */
static double difference(const SlWordMaps *a, const SlWordMaps *b)
{
    double worst = a && b && a->levels == b->levels && a->tokens == b->tokens ? 0 : INFINITY;
    for (int i = 0; worst < INFINITY && i < a->levels; i++) {
        int64_t n = (int64_t)a->level[i].height * a->level[i].width * a->tokens;
        for (int64_t k = 0; k < n; k++)
            worst = fmax(worst, fabs((double)a->level[i].text[k] - b->level[i].text[k]));
    }
    return worst;
}

/* Runs to the end with and without maps: the same bytes, and maps of each evaluation. */
static void same_bytes(SlModel *model, const SlRecipe *recipe, int parts, const char *what)
{
    SlError err = {0};
    SlFrame frame = {0};
    SlRun *off = sl_run_new(model, recipe, NULL, &err), *on = sl_run_new(model, recipe, NULL, &err);
    bool ok = off && on;
    double worst = 0;
    if (on)
        sl_run_want_maps(on, SL_MAPS_TEXT);
    while (ok && !sl_run_done(off)) {
        ok = sl_run_next(off, &frame, &err) && !frame.maps && sl_run_next(on, &frame, &err) &&
             frame.maps && !frame.maps->level[0].negative &&
             !memcmp(sl_run_sample(off), sl_run_sample(on),
                     (size_t)sl_run_sample_elements(on) * sizeof(float));
        worst = ok ? fmax(worst, off_one(frame.maps, parts)) : worst;
    }
    sl_test(ok && worst < 1e-2, "%s: the same bytes with maps, %d evaluations, sums off by %.2g %s",
            what, on ? sl_run_evaluations(on) : 0, worst, err.message);
    sl_run_free(off);
    sl_run_free(on);
}

/* Two runs as one batch, one of which wants the other half, too. */
static void test_together(SlModel *model)
{
    SlError err = {0}, errs[2];
    SlFrame frames[2] = {{0}}, alone = {0};
    SlRecipe recipe = recipe_for(model), other = recipe;
    other.prompt = "a horse";
    other.seed = 5;
    SlRun *runs[2] = {sl_run_new(model, &recipe, NULL, &err),
                      sl_run_new(model, &other, NULL, &err)};
    SlRun *single = sl_run_new(model, &other, NULL, &err);
    bool ok = runs[0] && runs[1] && single;
    if (ok) {
        sl_run_want_maps(runs[0], SL_MAPS_BOTH);
        sl_run_want_maps(runs[1], SL_MAPS_TEXT);
        sl_run_want_maps(single, SL_MAPS_TEXT);
        ok = sl_runs_next(runs, 2, frames, errs, &err) && sl_run_next(single, &alone, &err);
    }
    double error = ok ? difference(frames[1].maps, alone.maps) : INFINITY;
    sl_test(error <= 1e-5 && frames[0].maps && frames[0].maps->level[0].negative &&
                !frames[1].maps->level[0].negative && difference(frames[0].maps, alone.maps) > 1e-3,
            "two runs as one batch: off by %.2g of alone %s", error, err.message);
    sl_run_free(runs[0]);
    sl_run_free(runs[1]);
    sl_run_free(single);
}

/* Looked at again, and shared with a run that wants none. */
static void test_again(SlModel *model)
{
    SlError err = {0};
    SlFrame frame = {0}, other = {0};
    SlShare *share = sl_share_new(model);
    SlRecipe recipe = recipe_for(model);
    const SlRunInputs inputs = {.share = share};
    SlRun *a = sl_run_new(model, &recipe, &inputs, &err),
          *b = sl_run_new(model, &recipe, &inputs, &err);
    bool ok = a && b && sl_run_next(a, &frame, &err) && !frame.maps;
    if (b)
        sl_run_want_maps(b, SL_MAPS_TEXT);
    ok = ok && sl_run_next(b, &other, &err) && other.maps && !other.shared;
    sl_test(ok, "an evaluation that another run made has maps where they are wanted: %s",
            err.message);
    float *x_t = ok ? malloc((size_t)sl_run_sample_elements(a) * sizeof *x_t) : NULL;
    if (x_t) {
        memcpy(x_t, other.x_t, (size_t)sl_run_sample_elements(a) * sizeof *x_t);
        sl_run_want_maps(a, SL_MAPS_TEXT);
        ok = sl_run_next(b, &other, &err) && sl_run_look(a, 1, x_t, &frame, &err) &&
             difference(frame.maps, other.maps) == 0;
        sl_test(ok, "an evaluation that is looked at again has the same maps: %s", err.message);
    }
    free(x_t);
    sl_run_free(a);
    sl_run_free(b);
    sl_share_free(share);
}

static void test_promises(SlModel *model)
{
    SlRecipe recipe = recipe_for(model);
    same_bytes(model, &recipe, 1, "guidance");
    recipe.guidance = 1;
    same_bytes(model, &recipe, 1, "no guidance");
    recipe.guidance = 5;
    recipe.scheduler = "heun";
    same_bytes(model, &recipe, 1, "two evaluations a step");
    recipe.scheduler = NULL;
    recipe.prompt_mode = SL_PROMPT_A1111;
    recipe.prompt = "a horse BREAK a house";
    same_bytes(model, &recipe, 1, "texts of two lengths");
    recipe.prompt = "a horse AND a house BREAK a cat";
    same_bytes(model, &recipe, 2, "two parts");
    test_together(model);
    test_again(model);
}

static void test_without_text(void)
{
    SlError err = {0};
    SlFrame frame = {0};
    SlWords words = {0};
    SlModel *model = open_model("ddpm");
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.steps = 2;
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    if (run)
        sl_run_want_maps(run, SL_MAPS_BOTH);
    sl_test(run && sl_run_next(run, &frame, &err) && !frame.maps &&
                sl_run_words(run, 0, &words, &err) && words.words == 0,
            "a model without text has no maps: %s", err.message);
    sl_run_free(run);
    sl_model_close(&model);
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"sd1", "sd2", "sdxl"};
    device = argc > 1 ? argv[1] : "cpu";
    dtype = argc > 2 ? argv[2] : "f32";
    for (int i = 0; i < (argc > 3 ? argc - 3 : 3); i++)
        test_golden(argc > 3 ? argv[3 + i] : all[i]);
    SlModel *model = open_model("sd2");
    test_words(model);
    test_promises(model);
    sl_model_close(&model);
    test_without_text();
    return sl_test_done();
}
