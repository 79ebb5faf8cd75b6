/* test_embeddings.c - textual inversions: every layout of files, the words of each prompt mode, against
 * diffusers' hidden states (tests/goldens/embeddings/make.py); what prompts find by themselves, what a
 * recipe says then, and what is refused. usage: test_embeddings DEVICE [DTYPE] */
#include "engine/pipelines/pipelines.h"
#include "engine/run/share.h"
#include "tests/engine/run/golden.h"
#include "tests/test.h"

#include <string.h>

static const char *device, *dtype;
static char folder[500]; /* goldens/embeddings */

/* As docs/design.md has it for a text encoder: the largest difference, or the error's share of the energy in
 * 16 bits, to its limit. */
static double how_wrong(const float *states, const float *expected, size_t n)
{
    double error = 0, energy = 0;
    if (!strcmp(dtype, "f32"))
        return golden_worst(states, expected, n) / 1e-4;
    for (size_t i = 0; i < n; i++) {
        error += ((double)states[i] - expected[i]) * ((double)states[i] - expected[i]);
        energy += (double)expected[i] * expected[i];
    }
    return error / energy / 1e-5;
}

/* ---- what a run is told ---- */

typedef struct Case {
    const char *prompt, *negative, *embedding, *lora;
    SlPromptMode mode;
} Case;

static bool list_files(void (*each)(void *arg, const char *name, const char *path), void *arg,
                       SlError *err)
{
    static const char *const files[] = {"sd1.pt",           "sd1_old.pt",      "sd2.bin",
                                        "sdxl.safetensors", "two.safetensors", "nothing.pt"};
    char path[700], name[200];
    (void)err;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        snprintf(name, sizeof name, "styles/%.*s", (int)strcspn(files[i], "."), files[i]);
        each(arg, name, path);
    }
    return true;
}

/* In the folder of the goldens, whatever the hash. */
static char *find_file(const char *name, const char *hash, SlError *err)
{
    char *path;
    (void)hash;
    (void)err;
    return asprintf(&path, "%s/%s%s", folder, name, strchr(name, '.') ? "" : ".pt") < 0 ? NULL
                                                                                        : path;
}

static SlModel *open_model(const char *name)
{
    SlError err = {0};
    char relative[100];
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *path = sl_test_path(relative);
    SlModel *model = sl_model_open(path,
                                   &(SlModelOptions){.device = device,
                                                     .dtype = dtype,
                                                     .threads = 1,
                                                     .find_embedding = find_file,
                                                     .list_embeddings = list_files},
                                   &err);
    sl_test(model != NULL, "%s opens on %s %s", name, device, err.message);
    free(path);
    return model;
}

static SlRun *new_run(SlModel *model, const Case *c, SlError *err)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = c->prompt;
    recipe.negative_prompt = c->negative;
    recipe.prompt_mode = c->mode;
    recipe.embedding = c->embedding;
    recipe.lora = c->lora;
    recipe.scheduler = "euler";
    recipe.steps = 2;
    return sl_run_new(model, &recipe, NULL, err);
}

/* ---- how many tokens a prompt has ---- */

static char *find_lora(const char *name, const char *hash, SlError *err)
{
    (void)hash;
    (void)err;
    return strdup(name);
}

/* As whoever shows the prompt counts them; of the words, with the sum of theirs. */
static int shown_tokens(SlModel *model, const Case *c, int *words)
{
    const SlRecipe recipe = {.prompt = c->prompt,
                             .negative_prompt = "",
                             .prompt_mode = (int)c->mode,
                             .steps = 2,
                             .embedding = c->embedding,
                             .lora = c->lora};
    const SlPromptAsk ask = {.mode = c->mode, .text = c->prompt, .evaluations = 2};
    const SlEmbeddingPlaces places = {find_file, find_lora, list_files};
    SlNamedVectors names;
    SlPromptSpans spans = {0};
    SlError err = {0};
    bool ok = sl_recipe_embeddings(&recipe, &places, &names, &err) &&
              sl_prompt_spans(&ask, model->tokenizer, &names, &spans, &err);
    int tokens = ok ? spans.tokens : -1;
    *words = 0;
    for (int i = 0; i < spans.spans; i++)
        *words += spans.span[i].tokens;
    sl_prompt_spans_free(&spans);
    sl_named_vectors_free(&names);
    return tokens;
}

/* An embedding counts with its vectors, in each mode and wherever its name comes from. */
static void test_counts(SlModel *model)
{
    char bundle[600];
    snprintf(bundle, sizeof bundle, "%s/bundle.safetensors", folder);
    const struct {
        Case with, without;
    } cases[] = {
        {{"a <cat> on", "", "sd1", "", SL_PROMPT_PLAIN}, {"a on", "", "", "", SL_PROMPT_PLAIN}},
        {{"a <cat>++ on", "", "sd1", "", SL_PROMPT_COMPEL}, {"a on", "", "", "", SL_PROMPT_COMPEL}},
        {{"a (sd1:1.2) on", "", "", "", SL_PROMPT_A1111}, {"a on", "", "", "", SL_PROMPT_A1111}},
        {{"a my word on", "", "sd1:my word", "", SL_PROMPT_A1111},
         {"a on", "", "", "", SL_PROMPT_A1111}},
        {{"a embedding:styles/sd1.pt, on", "", "", "", SL_PROMPT_COMFYUI},
         {"a , on", "", "", "", SL_PROMPT_COMFYUI}}};
    SlError err = {0};
    char path[600];
    snprintf(path, sizeof path, "%s/sd1.pt", folder);
    SlEmbeddingFile *file = sl_embedding_open(path, &err);
    int vectors = file ? sl_embedding_get(file, 0)->vectors : 0;
    sl_test(vectors > 1, "sd1.pt has %d vectors", vectors);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int words, less;
        int all = shown_tokens(model, &cases[i].with, &words);
        int rest = shown_tokens(model, &cases[i].without, &less);
        sl_test(all == rest + vectors, "\"%s\": %d tokens, of which %d without",
                cases[i].with.prompt, all, rest);
        sl_test(words == all, "... %d of them in its words", words);
    }
    SlEmbeddingFile *of = sl_embedding_open(bundle, &err);
    const char *word = of ? sl_embedding_get(of, 0)->word : NULL;
    char prompt[300];
    int words;
    snprintf(prompt, sizeof prompt, "a %s on", word ? word : "none");
    const Case named = {prompt, "", "", bundle, SL_PROMPT_A1111};
    const Case alone = {"a on", "", "", bundle, SL_PROMPT_A1111};
    sl_test(word && shown_tokens(model, &named, &words) ==
                        shown_tokens(model, &alone, &words) + sl_embedding_get(of, 0)->vectors,
            "\"%s\", which a LoRA brings", prompt);
    sl_embedding_close(of);
    sl_embedding_close(file);
}

/* The hidden states of both prompts, malloc'ed. */
static float *states_of(SlModel *model, const Case *c, size_t *n, char *said, size_t said_size)
{
    SlError err = {0};
    int64_t size[3] = {0};
    SlRun *run = new_run(model, c, &err);
    const float *states = run ? sl_run_text_embeddings(run, size) : NULL;
    *n = (size_t)(size[0] * size[1] * size[2]);
    float *copy = states ? malloc(*n * sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, states, *n * sizeof *copy);
    if (said)
        snprintf(said, said_size, "%s",
                 run ? sl_setting_text(sl_setting(SL_SETTING_EMBEDDING), sl_run_recipe(run)) : "");
    sl_test(copy != NULL, "\"%s\" is encoded: %s%s", c->prompt, err.message,
            run && sl_run_warning(run) ? sl_run_warning(run) : "");
    sl_run_free(run);
    return copy;
}

static void expect_warning(SlModel *model, const Case *c, const char *says)
{
    SlError err = {0};
    SlRun *run = new_run(model, c, &err);
    const char *warning = run ? sl_run_warning(run) : NULL;
    sl_test(warning && strstr(warning, says), "warned: %s %s", warning ? warning : "nothing",
            err.message);
    sl_run_free(run);
}

/* ---- against diffusers ---- */

static void compare(SlModel *model, const char *golden, const Case *c)
{
    char relative[200];
    size_t n = 0, expected_n = 0;
    snprintf(relative, sizeof relative, "goldens/embeddings/%s_picture.safetensors", golden);
    Golden g = golden_open(relative);
    float *expected = golden_read(&g, "hidden_states", &expected_n);
    float *states = states_of(model, c, &n, NULL, 0);
    double wrong = states && n == expected_n ? how_wrong(states, expected, n) : INFINITY;
    sl_test(wrong <= 1, "%s, mode %d, %s: %.2g of the limit", golden, (int)c->mode,
            c->embedding ? c->embedding : "found", wrong);
    free(states);
    free(expected);
    golden_close(&g);
}

static void test_sd1(SlModel *model)
{
    static const char plain[] = "a photograph of a <cat>, riding a horse";
    static const Case cases[] = {
        {plain, "blurry <cat>, low quality", "sd1.pt", NULL, SL_PROMPT_PLAIN},
        {plain, "blurry <cat>, low quality", "sd1_old.pt", NULL, SL_PROMPT_PLAIN},
        {plain, "blurry <cat>, low quality", "sd1_old.pt", NULL, SL_PROMPT_COMPEL},
        {"a photograph of a kitty!, riding a horse", "blurry kitty!, low quality", "sd1.pt:kitty!",
         NULL, SL_PROMPT_PLAIN},
        {"a photograph of a sd1_old, riding a horse", "blurry SD1_OLD, low quality", "sd1_old.pt",
         NULL, SL_PROMPT_A1111},
        {"a photograph of a sd1_old, riding a horse", "blurry sd1_Old, low quality", NULL, NULL,
         SL_PROMPT_A1111},
        {"a photograph of a my house, riding a horse", "blurry my   house, low quality",
         "sd1_old.pt:my house", NULL, SL_PROMPT_A1111},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        compare(model, "sd1", &cases[i]);
    /* in ComfyUI the comma behind a name is text by itself */
    static const char *const names[] = {"sd1_old", "sd1_old.pt", "styles/sd1_old",
                                        "styles/sd1_old.pt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char prompt[200], negative[200];
        snprintf(prompt, sizeof prompt, "a photograph of a embedding:%s , riding a horse",
                 names[i]);
        snprintf(negative, sizeof negative, "blurry embedding:%s, low quality", names[i]);
        compare(model, "sd1", &(Case){prompt, negative, NULL, NULL, SL_PROMPT_COMFYUI});
    }
}

/* A word of a LoRA's own; and the vectors count in the chunk, and are weighed. */
/* Vectors within compel's weights, against compel itself (tests/goldens/embeddings/make_compel.py). */
static void test_compel(SlModel *model)
{
    const char *prompts[16];
    SlError err = {0};
    Golden g = golden_open("goldens/embeddings/compel.safetensors");
    const char *said = g.weights ? sl_weights_metadata(g.weights, "cases") : NULL;
    SlJson *json = said ? sl_json_parse("cases", said, strlen(said), &err) : NULL;
    int count = json ? sl_json_strings(json, "prompts", prompts, 16, &err) : 0;
    sl_test(count >= 5, "%d prompts of compel %s", count, err.message);
    for (int i = 0; i < count; i++) {
        char name[12];
        size_t n, expected_n;
        snprintf(name, sizeof name, "%d", i);
        const Case c = {prompts[i], "", "sd1.pt", NULL, SL_PROMPT_COMPEL};
        float *expected = golden_read(&g, name, &expected_n);
        float *states = states_of(model, &c, &n, NULL, 0); /* of the negative prompt first */
        double wrong = states && expected && n == 2 * expected_n
                           ? how_wrong(states + expected_n, expected, expected_n)
                           : INFINITY;
        sl_test(wrong <= 1, "compel: %s: %.2g of the limit", prompts[i], wrong);
        free(states);
        free(expected);
    }
    sl_json_close(json);
    golden_close(&g);
}

static void test_bundle(SlModel *model)
{
    char lora[700], said[200];
    size_t n = 0, other_n = 0;
    snprintf(lora, sizeof lora, "%s/bundle.safetensors:1:0", folder);
    const Case said_case = {"a bird", "", "two.safetensors:<bird>", NULL, SL_PROMPT_PLAIN};
    float *without =
        states_of(model, &(Case){"a bird", "", NULL, NULL, SL_PROMPT_A1111}, &n, said, 200);
    sl_test(!*said, "nothing is found, and nothing said: \"%s\"", said);
    const Case bird = {"a photograph of a bird, riding a horse", "blurry bird, low quality", NULL,
                       lora, SL_PROMPT_A1111};
    compare(model, "sd1", &bird);
    expect_warning(model, &bird, "fish");
    expect_warning(model, &bird, "have 16 and 24 numbers; expected 32");
    float *two = states_of(model, &said_case, &other_n, NULL, 0);
    sl_test(two && without && n == other_n && golden_worst(two, without, n) == 0,
            "a word that the prompt does not have changes nothing");
    free(two);
    free(without);
}

static int count_rows(SlModel *model, const char *prompt, SlPromptMode mode)
{
    size_t n = 0;
    const Case c = {prompt, prompt, "sd1.pt:xyz", NULL, mode};
    float *states = states_of(model, &c, &n, NULL, 0);
    free(states);
    return (int)(n / 2 / 32);
}

/* 73 words and an embedding of three vectors are more than a chunk; it is not split. */
static void test_chunks(SlModel *model)
{
    char prompt[1000] = "";
    for (int i = 0; i < 73; i++)
        strcat(prompt, "a ");
    strcat(prompt, "xyz");
    sl_test(count_rows(model, prompt, SL_PROMPT_A1111) == 154, "a1111 counts each vector");
    sl_test(count_rows(model, prompt + 2, SL_PROMPT_A1111) == 77, "and 75 fit into a chunk");
    char comfy[1100];
    snprintf(comfy, sizeof comfy, "%.*sembedding:xyz", 146, prompt);
    sl_test(count_rows(model, comfy, SL_PROMPT_COMFYUI) == 154, "comfyui counts them, too");
}

/* ---- what a recipe says ---- */

static void test_settled(SlModel *model)
{
    char said[300], again[300], hash[65], path[700], expected[300];
    size_t n = 0, again_n = 0;
    SlError err = {0};
    snprintf(path, sizeof path, "%s/sd1_old.pt", folder);
    sl_sha256_file(path, hash, NULL, &err);
    const Case found = {"a (sd1_old:1.3) house", "low quality", NULL, NULL, SL_PROMPT_A1111};
    float *states = states_of(model, &found, &n, said, sizeof said);
    snprintf(expected, sizeof expected, "sd1_old#%.10s", hash);
    sl_test(!strcmp(said, expected), "what was found is said with its hash: \"%s\"", said);
    Case replay = found;
    replay.embedding = said;
    SlListEmbeddings list = model->list_embeddings;
    model->list_embeddings = NULL;
    float *same = states_of(model, &replay, &again_n, again, sizeof again);
    model->list_embeddings = list;
    sl_test(states && same && n == again_n && !memcmp(states, same, n * sizeof *states) &&
                !strcmp(said, again),
            "and a replay of that looks nowhere else: \"%s\"", again);
    free(states);
    free(same);
    Case typed = {"an <cat>", "", "sd1.pt", NULL, SL_PROMPT_PLAIN};
    states = states_of(model, &typed, &n, said, sizeof said);
    sl_test(strstr(said, "sd1.pt#") == said && strlen(said) == 17, "a hash is put in: \"%s\"",
            said);
    free(states);
}

/* ---- what is refused, or warned of ---- */

static void refuse(SlModel *model, const Case *c, SlCode code, const char *says,
                   const char *says_too)
{
    SlError err = {0};
    SlRun *run = new_run(model, c, &err);
    sl_test(!run && err.code == code && strstr(err.message, says) && strstr(err.message, says_too),
            "refused: %s", err.message);
    sl_run_free(run);
}

static void test_refusals(SlModel *sd1)
{
    const SlPromptMode plain = SL_PROMPT_PLAIN, a1111 = SL_PROMPT_A1111;
    refuse(sd1, &(Case){"a", "", "sd2.bin", NULL, plain}, SL_FORMAT, "sd2.bin",
           "have 40 numbers; expected 32 for the model sd1");
    refuse(sd1, &(Case){"a", "", "sdxl.safetensors", NULL, plain}, SL_FORMAT, "16 and 24", "sd1");
    refuse(sd1, &(Case){"a", "", "sd1.pt:a", NULL, plain}, SL_ARGUMENT, "sd1.pt",
           "is a token of the model");
    refuse(sd1, &(Case){"a", "", "two.safetensors:dog", NULL, plain}, SL_ARGUMENT,
           "two.safetensors", "no embedding \"dog\"");
    refuse(sd1, &(Case){"a", "", "nothing.pt", NULL, plain}, SL_IO, "nothing.pt", "no such file");
    refuse(sd1, &(Case){"a", "", ":word", NULL, plain}, SL_ARGUMENT, ":word", "names no embedding");
    refuse(sd1, &(Case){"a", "", "make.py", NULL, plain}, SL_FORMAT, "make.py", "");
    refuse(sd1, &(Case){"a", "", "sd1_picture.safetensors", NULL, plain}, SL_UNSUPPORTED,
           "sd1_picture.safetensors", "expected an embedding");
    expect_warning(sd1, &(Case){"a sd2 house", "", NULL, NULL, a1111},
                   "have 40 numbers; expected 32");
    expect_warning(sd1, &(Case){"nothing", "", NULL, NULL, a1111}, "nothing.pt");
    expect_warning(sd1, &(Case){"a embedding:who, x", "", NULL, NULL, SL_PROMPT_COMFYUI},
                   "the embedding who, which is not here");
}

static void test_text(void)
{
    static const char *const same[] = {"", "a", "a#0123456789", "a:<b c>",
                                       "/x/a.pt#01234567:b; c d:e"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        SlEmbeddingUses uses;
        SlError err = {0};
        bool ok = sl_embedding_uses_parse(same[i], &uses, &err);
        char *text = sl_embedding_uses_text(&uses);
        sl_test(ok && !strcmp(text, same[i]), "\"%s\" is \"%s\" %s", same[i], text, err.message);
        free(text);
        sl_embedding_uses_free(&uses);
    }
    SlEmbeddingUses uses;
    bool ok = sl_embedding_uses_parse(" x/a:b.pt ;; ABC#ABCDEF01 ", &uses, NULL);
    sl_test(ok && uses.count == 2 && !strcmp(uses.use[0].name, "x/a") &&
                !strcmp(uses.use[0].word, "b.pt") && !strcmp(uses.use[1].hash, "abcdef01"),
            "blanks, empty ones, large digits");
    sl_embedding_uses_free(&uses);
}

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : "cpu";
    dtype = argc > 2 ? argv[2] : "f32";
    SlError err = {0};
    char *path = sl_test_path("goldens/embeddings");
    snprintf(folder, sizeof folder, "%s", path);
    free(path);
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = device}, &err);
    if (!dev) {
        printf("1..0 # SKIP %s\n", err.message);
        return 0;
    }
    sl_device_close(&dev);
    test_text();
    SlModel *sd1 = open_model("sd1"), *sd2 = open_model("sd2"), *sdxl = open_model("sdxl");
    if (!sd1 || !sd2 || !sdxl)
        return sl_test_done();
    test_counts(sd1);
    test_sd1(sd1);
    test_compel(sd1);
    test_bundle(sd1);
    test_chunks(sd1);
    test_settled(sd1);
    test_refusals(sd1);
    compare(sd2, "sd2",
            &(Case){"a photograph of a <dog>, riding a horse", "blurry <dog>, low quality",
                    "sd2.bin", NULL, SL_PROMPT_PLAIN});
    compare(sdxl, "sdxl",
            &(Case){"a photograph of a <xl>, riding a horse", "blurry <xl>, low quality",
                    "sdxl.safetensors:<xl>", NULL, SL_PROMPT_PLAIN});
    compare(sdxl, "sdxl",
            &(Case){"a photograph of a sdxl, riding a horse", "blurry sdxl, low quality", NULL,
                    NULL, SL_PROMPT_A1111});
    sl_model_close(&sd1);
    sl_model_close(&sd2);
    sl_model_close(&sdxl);
    return sl_test_done();
}
