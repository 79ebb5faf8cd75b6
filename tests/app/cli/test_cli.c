/* test_cli.c - the program as a script sees it: what it writes, prints and returns. Runs
 * $SAFELIGHT_PROGRAM on the small fixture pipelines of tests/goldens/model.
 */
#include "app/files/safetensors_writer.h"
#include "app/image/png_text.h"
#include "app/recipe/metadata.h"
#include "app/recipe/recipe_text.h"
#include "app/record/record.h"
#include "program.h"
#include "tests/engine/run/scheduler_model.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

static char *sd_model, *ddpm_model;

#define SMALL "--steps", "4", "--width", "32", "--height", "32", "--quiet"
#define SD    "generate", "--model", sd_model, "--prompt", "a red house", SMALL

/* ---- cases ---- */

static void test_usage(void)
{
    expect(RUN("--help"), 0, "", "--help");
    expect(RUN("--version"), 0, "", "--version");
    expect(RUN("generate", "--help"), 0, "", "generate --help");
    expect(RUN("paint"), 2, "paint", "an unknown command");
    expect(RUN("--paint"), 2, "--paint", "an unknown option");
    expect(RUN("generate", "--steps", "0"), 2, "1 to 1000", "steps 0");
    expect(RUN("generate", "--model", sd_model, "--quiet"), 2, "--prompt", "no prompt");
    expect(RUN(SD, "--output", "/nowhere/x.png"), 1, "/nowhere/x.png",
           "a folder that is not there");
    expect(RUN(SD, "--width", "33", "--output", file("x.png")), 2, "33",
           "a width that does not fit");
    expect(RUN("generate", "--model", "no-such-model", "--prompt", "x", "--output", file("x.png")),
           1, "no-such-model", "an unknown model");
    expect(RUN("generate", "--model", "/dev/null", "--prompt", "x", "--output", file("x.png")), 1,
           "/dev/null", "a device as a model");
    expect(RUN("info", "/nowhere.png"), 1, "/nowhere.png", "info on nothing");
    sl_test(access(file("x.png"), F_OK) != 0, "nothing was written by any of these");
}

static void test_generate(void)
{
    expect(RUN(SD, "--output", file("a.png")), 0, "", "generate");
    expect(RUN(SD, "--output", file("b.png"), "--threads", "2"), 0, "", "again, with two threads");
    sl_test(same_bytes(file("a.png"), file("b.png")), "the same bytes");
    expect(RUN(SD, "--output", file("q8.png"), "--dtype", "q8", "--device", "check"), 0, "",
           "with weights in 8 bits, each operation as ref has it");
    expect(RUN(SD, "--output", file("q8.png"), "--dtype", "q8"), 0, "", "on the CPU");
    expect(RUN("replay", file("q8.png"), "--verify", "--model", sd_model), 0, "",
           "replay --verify keeps them so");
    expect(RUN(SD, "--output", file("c.png"), "--seed", "1"), 0, "", "another seed");
    sl_test(!same_bytes(file("a.png"), file("c.png")), "another picture");
    expect(RUN("generate", "--model", ddpm_model, "--prompt", "ignored", "--steps", "3", "--output",
               file("d.png")),
           0, "does not have these settings, which are not used: prompt",
           "a model without a prompt says so");
    expect(RUN("generate", "--model", ddpm_model, "--variance", "fixed_large", "--steps", "3",
               "--output", file("large.png")),
           0, "", "DDPM with the large variance");
    sl_test(!same_bytes(file("d.png"), file("large.png")), "another picture");
    expect(RUN("replay", file("large.png"), "--verify", "--model", ddpm_model), 0, "",
           "which is replayed");
    expect(RUN(SD, "--output", file("x.png"), "--scheduler", "euler", "--variance", "fixed_large"),
           2, "scheduler euler has no choice of variance", "only DDPM has it");
    Run run = RUN(SD, "--output", file("e.png"), "--json", "--scheduler", "euler-a", "--seed",
                  "18446744073709551615");
    cJSON *json = cJSON_Parse(run.out);
    SlMetadata m;
    SlError err = {0};
    bool ok = run.status == 0 && sl_metadata_read(file("e.png"), &m, &err);
    const cJSON *hashes = cJSON_GetObjectItem(json, "sha256");
    sl_test(ok && m.recipe->seed == UINT64_MAX && strcmp(m.recipe->scheduler, "euler-a") == 0 &&
                m.step == 4 && m.steps == 4 && !m.partial && m.files > 0 &&
                strlen(m.file[0].sha256) == 64 &&
                strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(hashes, "pixels")),
                       m.pixels_sha256) == 0,
            "--json and the picture agree %s", err.message);
    if (ok)
        sl_metadata_free(&m);
    cJSON_Delete(json);
    done(&run);
}

/* Whether a picture's prompt, template and seed are these. */
static bool says(const char *path, const char *prompt, const char *template, uint64_t seed)
{
    SlMetadata m;
    SlError err = {0};
    bool ok = sl_metadata_read(path, &m, &err);
    bool same = ok && !strcmp(m.recipe->prompt, prompt) &&
                !strcmp(m.recipe->prompt_template, template) && m.recipe->seed == seed;
    if (ok)
        sl_metadata_free(&m);
    return same;
}

static void test_dynamic(void)
{
    expect(RUN("generate", "--model", sd_model, "--prompt", "a {red|blue} house", "--steps", "1",
               "--seed", "3", "--dynamic", "all", "--output", file("dynamic.png")),
           0, "", "all that a template stands for");
    sl_test(says(file("dynamic-0001.png"), "a red house", "a {red|blue} house", 3) &&
                says(file("dynamic-0002.png"), "a blue house", "a {red|blue} house", 3) &&
                access(file("dynamic.png"), F_OK) != 0,
            "with prompt and template in each");
    Run run = RUN("generate", "--model", sd_model, "--prompt", "{a|b|c|d} {e|f|g|h}", "--steps",
                  "1", "--seed", "5", "--dynamic", "2", "--json", "--output", file("drawn.png"));
    cJSON *json = cJSON_Parse(run.out);
    sl_test(run.status == 0 && cJSON_GetArraySize(json) == 2, "--json is a list");
    const cJSON *recipe = cJSON_GetObjectItem(cJSON_GetArrayItem(json, 1), "recipe");
    const char *prompt = cJSON_GetStringValue(cJSON_GetObjectItem(recipe, "prompt"));
    expect(RUN("generate", "--model", sd_model, "--prompt", "{a|b|c|d} {e|f|g|h}", "--steps", "1",
               "--seed", "6", "--dynamic", "1", "--output", file("again.png")),
           0, "", "the second seed alone");
    sl_test(prompt && says(file("again.png"), prompt, "{a|b|c|d} {e|f|g|h}", 6),
            "a seed draws the same prompt: %s", prompt ? prompt : "none");
    sl_test(same_bytes(file("again.png"), file("drawn-0002.png")), "and makes the same picture");
    cJSON_Delete(json);
    done(&run);
    expect(RUN("replay", file("drawn-0001.png"), "--verify", "--model", sd_model), 0, "",
           "which is replayed");
    expect(RUN(SD, "--dynamic", "2", "--dump", file("x.safetensors")), 2,
           "--dump is for one picture", "a dump of two pictures");
    expect(RUN("generate", "--model", sd_model, "--prompt", "a {b", "--dynamic", "all"), 2,
           "not closed: \"{b\"", "a brace that is not closed");
    expect(RUN("generate", "--model", sd_model, "--prompt", "__no_file__", "--dynamic", "all",
               "--wildcards", "/nowhere"),
           1, "no_file.txt was looked for in /nowhere", "a wildcard file that is not there");
}

/* Lanes of templates: the common one's choices, and a lane's own. */
static void test_dynamic_lanes(void)
{
#define OF \
    "compare", "--model", sd_model, "--prompt", "a {red|blue} house", "--steps", "1", "--seed", "3"
    Run run = RUN(OF, "--dynamic", "all", "--schedulers", "euler", "--lane",
                  "scheduler=euler,prompt={a green|a green} hut", "--json", "--save",
                  file("choices.safelight"));
    cJSON *json = cJSON_Parse(run.out);
    const cJSON *lanes = cJSON_GetObjectItem(json, "lanes");
    static const struct {
        const char *prompt, *template;
    } wanted[] = {{"a red house", "a {red|blue} house"},
                  {"a green hut", "{a green|a green} hut"},
                  {"a blue house", "a {red|blue} house"},
                  {"a green hut", "{a green|a green} hut"}};
    sl_test(run.status == 0 && cJSON_GetArraySize(lanes) == 4, "two lanes for each of two choices");
    for (int i = 0; i < 4; i++) {
        const cJSON *recipe = cJSON_GetObjectItem(cJSON_GetArrayItem(lanes, i), "recipe");
        const char *prompt = cJSON_GetStringValue(cJSON_GetObjectItem(recipe, "prompt"));
        const char *of = cJSON_GetStringValue(cJSON_GetObjectItem(recipe, "prompt_template"));
        sl_test(prompt && of && !strcmp(prompt, wanted[i].prompt) &&
                    !strcmp(of, wanted[i].template),
                "lane %d: %s of %s", i + 1, prompt ? prompt : "none", of ? of : "none");
    }
    cJSON_Delete(json);
    done(&run);
    expect(RUN("replay", file("choices.safelight"), "--verify", "--model", sd_model), 0, "",
           "which are replayed");
    expect(RUN(OF, "--dynamic", "2", "--schedulers", "euler"), 2, "expected 1",
           "a comparison of two draws");
    expect(RUN(OF, "--dynamic", "1", "--lane", "prompt=a {b"), 2, "not closed",
           "a lane's brace that is not closed");
#undef OF
}

/* The emulated GPU fails at a launch in the middle of the run ($CUDAEMU_FAIL). */
static void test_gpu_fails(void)
{
    const char *module = getenv("SAFELIGHT_EMULATED_CUDA"),
               *before = getenv("SAFELIGHT_CUDA_MODULE");
    if (!module)
        return;
    char *own = before ? strdup(before) : NULL;
    setenv("SAFELIGHT_CUDA_MODULE", module, 1);
    setenv("CUDAEMU_FAIL", "1300", 1);
    expect(RUN(SD, "--output", file("gpu.png")), 0, "going on with the CPU", "the GPU fails");
    expect(RUN(SD, "--output", file("cpu.png"), "--device", "cpu"), 0, "", "the CPU by itself");
    sl_test(same_bytes(file("cpu.png"), file("gpu.png")), "the same picture");
    expect(RUN(SD, "--output", file("x.png"), "--device", "cuda"), 1, "the GPU failed in",
           "the GPU was asked for: 1");
    sl_test(access(file("x.png"), F_OK) != 0, "no picture of it");
    unsetenv("CUDAEMU_FAIL");
    unsetenv("SAFELIGHT_CUDA_MODULE");
    if (own)
        setenv("SAFELIGHT_CUDA_MODULE", own, 1);
    free(own);
}

static void test_arrays(void)
{
    expect(RUN(SD, "--dump", file("d.safetensors"), "--output", file("f.png")), 0, "", "--dump");
    SlError err = {0};
    SlWeightSource *dump = sl_weights_open_file(file("d.safetensors"), &err);
    static const char *const names[] = {"latents.0", "latents.3",       "x0.0",  "x0.3",
                                        "timesteps", "text_embeddings", "image", "sigmas"};
    bool ok = dump != NULL;
    for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++)
        ok = sl_weights_find(dump, names[i]) != NULL;
    const SlTensorInfo *image = ok ? sl_weights_find(dump, "image") : NULL;
    sl_test(image && image->rank == 3 && image->size[0] == 3 && image->size[1] == 32 &&
                image->size[2] == 32,
            "its tensors %s", err.message);
    sl_weights_close(dump);

    /* the seed's noise from a file gives the same pixels */
    const SlModelInfo *info;
    SlModelInfo inspected;
    info = sl_model_inspect(sd_model, &inspected, &err) ? &inspected : NULL;
    float noise[4 * 32 * 32];
    int64_t side = info ? 32 / info->factor : 1, size[4] = {1, 4, side, side};
    SlNoise generator;
    sl_noise_init(&generator, SL_NOISE_CPU, 0, 0);
    sl_noise_normal(&generator, noise, 4 * side * side);
    SlTensorWriter *w = sl_tensor_writer_new();
    sl_tensor_writer_add(w, "latents", 4, size, noise);
    sl_test(sl_tensor_writer_save(w, file("n.safetensors"), &err), "noise written %s", err.message);
    sl_tensor_writer_free(w);
    expect(RUN(SD, "--latents", file("n.safetensors"), "--output", file("g.png")), 0, "",
           "--latents");
    int width, height;
    uint8_t *a = sl_png_read(file("a.png"), &width, &height, &err);
    uint8_t *g = sl_png_read(file("g.png"), &width, &height, &err);
    sl_test(a && g && memcmp(a, g, 32 * 32 * 3) == 0, "the same pixels");
    free(a);
    free(g);
    expect(RUN("replay", file("g.png"), "--verify"), 1, "--latents", "which cannot be replayed");
    expect(RUN("generate", "--model", sd_model, "--prompt", "x", "--width", "64", "--height", "32",
               "--latents", file("n.safetensors"), "--output", file("x.png")),
           1, "latents", "latents of another size");
    expect(RUN(SD, "--latents", file("d.safetensors"), "--output", file("x.png")), 1, "latents",
           "a file without latents");
    expect(RUN(SD, "--scheduler", "heun", "--previews", file("steps"), "--output", file("h.png")),
           0, "", "--previews");
    uint8_t *preview = sl_png_read(file("steps/0002.png"), &width, &height, &err);
    sl_test(preview && access(file("steps/0001.png"), R_OK) == 0 &&
                access(file("steps/0007.png"), R_OK) == 0 &&
                access(file("steps/0008.png"), R_OK) != 0,
            "one PNG per evaluation");
    free(preview);
}

/* Copies a PNG of ours with one change. */
static void tamper(const char *from, const char *to, bool pixels, uint64_t seed)
{
    SlMetadata m;
    SlError err = {0};
    int width, height;
    uint8_t *rgb = sl_png_read(from, &width, &height, &err);
    bool ok = rgb && sl_metadata_read(from, &m, &err);
    if (ok) {
        rgb[100] ^= pixels ? 1 : 0;
        m.recipe->seed += seed;
        ok = sl_metadata_write(to, rgb, width, height, &m, &err);
        sl_metadata_free(&m);
    }
    if (!ok)
        sl_test(false, "tampering: %s", err.message);
    free(rgb);
}

/* Other guidance is recorded, of a picture and of lanes that are told apart by it, and made again from that. */
static void test_guidance(void)
{
    expect(RUN(SD, "--scheduler", "ddim", "--guidance-method", "cfg++", "--guidance-to", "0.5",
               "--output", file("cfgpp.png")),
           0, "", "guidance in half of the steps, as CFG++ has it");
    expect(RUN("replay", file("cfgpp.png"), "--verify", "--quiet", "--model", sd_model), 0, "",
           "which is replayed");
    expect(RUN("compare", "--model", sd_model, "--prompt", "a red house", SMALL, "--lane",
               "guidance-method=apg,apg-momentum=-0.5", "--lane", "guidance-from=0.5", "--lane",
               "guidance-method=dynamic,mimic-guidance=3", "--output", file("guided.png"), "--save",
               file("guided.safelight")),
           0, "", "lanes with other guidance");
    expect(RUN("replay", file("guided.safelight"), "--verify", "--quiet", "--model", sd_model), 0,
           "", "which are replayed");
    expect(RUN(SD, "--scheduler", "unipc", "--guidance-method", "cfg++", "--output", file("n.png")),
           2, "expected ddim or euler", "CFG++ with another scheduler");
    expect(RUN(SD, "--guidance-from", "0.6", "--guidance-to", "0.4", "--output", file("n.png")), 2,
           "guidance from is 0.6 and guidance to 0.4", "an interval that is none");
}

static void test_replay(void)
{
    expect(RUN("replay", file("a.png"), "--verify", "--quiet", "--model", sd_model), 0, "",
           "replay --verify: identical");
    char *models = strdup(sd_model);
    *strrchr(models, '/') = '\0';
    setenv("SAFELIGHT_MODELS", models, 1);
    free(models);
    expect(RUN("replay", file("a.png"), "--verify", "--quiet"), 0, "", "the model found by name");
    expect(RUN("replay", file("e.png"), "--verify", "--quiet", "--output", file("e2.png")), 0, "",
           "a scheduler that draws noise");
    sl_test(same_bytes(file("e.png"), file("e2.png")), "and its copy is the same file");
    tamper(file("a.png"), file("t.png"), true, 0);
    Run run = RUN("replay", file("t.png"), "--verify", "--quiet");
    sl_test(run.status == 3 && strstr(run.out, "changed after it was saved"), "a changed pixel: 3");
    done(&run);
    tamper(file("a.png"), file("t.png"), false, 1);
    run = RUN("replay", file("t.png"), "--verify", "--quiet");
    sl_test(run.status == 3 && strstr(run.out, "different from the noise on"), "a changed seed: 3");
    done(&run);
    run = RUN("replay", file("t.png"), "--quiet", "--json");
    sl_test(run.status == 0 && strstr(run.out, "\"identical\":\tfalse"),
            "without --verify it only says so");
    done(&run);
    expect(RUN("replay", file("steps/0001.png"), "--verify"), 1, "not made by Safelight",
           "a picture without settings");
    unsetenv("SAFELIGHT_MODELS");
}

static cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static double figure(const cJSON *lane, const char *key)
{
    return cJSON_GetNumberValue(member(member(lane, "difference"), key));
}

/* ---- word maps ---- */

static cJSON *read_json_file(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    return cJSON_Parse(text);
}

static void test_word_maps(void)
{
    int width, height, sheet_width, sheet_height;
    SlError err = {0};
    expect(RUN(SD, "--scheduler", "heun", "--output", file("off.png")), 0, "", "without word maps");
    expect(RUN(SD, "--scheduler", "heun", "--word-maps", file("words"), "--output", file("on.png")),
           0, "", "--word-maps");
    uint8_t *off = sl_png_read(file("off.png"), &width, &height, &err);
    uint8_t *on = sl_png_read(file("on.png"), &width, &height, &err);
    sl_test(off && on && !memcmp(off, on, 32 * 32 * 3), "the same picture %s", err.message);
    free(off);
    free(on);
    cJSON *json = read_json_file(file("words/words.json"));
    const cJSON *words = member(json, "words"), *house = cJSON_GetArrayItem(words, 2);
    double share = cJSON_GetNumberValue(member(house, "share")), sum = 0;
    for (int i = 0; i < 7; i++)
        sum += cJSON_GetNumberValue(cJSON_GetArrayItem(member(house, "shares"), i)) / 7;
    sl_test(cJSON_GetArraySize(words) == 3 &&
                !strcmp(member(house, "word")->valuestring, "house") &&
                cJSON_GetArraySize(member(json, "evaluations")) == 7 && share > 0 && share < 1 &&
                fabs(share - sum) < 1e-9,
            "three words, each with its share at seven evaluations");
    cJSON_Delete(json);
    uint8_t *one = sl_png_read(file("words/03-house.png"), &width, &height, &err);
    uint8_t *sheet = sl_png_read(file("words/words.png"), &sheet_width, &sheet_height, &err);
    sl_test(one && sheet && width > 320 && sheet_width > 2 * 224,
            "a picture of each and a sheet %s", err.message);
    free(one);
    free(sheet);
    expect(RUN(SD, "--word-maps", file("words"), "--word-level", "3"), 2, "levels of this picture",
           "a level that there is not");
    expect(RUN(SD, "--word-level", "4"), 2, "--word-maps", "a level of no maps");
    expect(RUN("compare", "--model", sd_model, "--prompt", "a house", SMALL, "--schedulers",
               "euler", "--save", file("with-words.safelight"), "--save-words"),
           0, "", "compare --save-words");
    SlMetadata identity;
    SlLanes *lanes = sl_lanes_load(file("with-words.safelight"), &identity, &err);
    const SlWordRecord *record = lanes ? sl_timeline_words(sl_lanes_timeline(lanes, 0)) : NULL;
    sl_test(record && record->rows == 4 && sl_word_record_has(record, 0),
            "the file has what two words, the beginning and the end did %s", err.message);
    sl_lanes_free(lanes);
    sl_metadata_free(&identity);
    expect(RUN("compare", "--model", sd_model, "--prompt", "a house", SMALL, "--schedulers",
               "euler", "--save-words"),
           2, "--save-words", "words of lanes that are not saved");
    expect(RUN("generate", "--model", ddpm_model, "--steps", "2", "--word-maps", file("words")), 2,
           "a model without one", "word maps of a model without a prompt");
}

static void test_compare(void)
{
    Run run = RUN("compare", "--model", sd_model, "--prompt", "x", SMALL, "--schedulers",
                  "euler,ddim,heun", "--lane", "scheduler=euler", "--lane",
                  "seed=3,prompt=a house, red,scheduler=euler,steps=6", "--sheet",
                  file("sheet.png"), "--animation", file("lanes.webp"), "--align", "step", "--save",
                  file("lanes.safelight"), "--json");
    cJSON *json = cJSON_Parse(run.out), *list = member(json, "lanes");
    int width = 0, height = 0;
    SlError err = {0};
    uint8_t *sheet = sl_png_read(file("sheet.png"), &width, &height, &err);
    sl_test(run.status == 0 && cJSON_GetArraySize(list) == 5 && sheet && width > 400 &&
                height > 400,
            "a sheet of five lanes, %d x %d %s", width, height, run.err);
    const cJSON *first = cJSON_GetArrayItem(list, 0), *again = cJSON_GetArrayItem(list, 3),
                *other = cJSON_GetArrayItem(list, 4);
    sl_test(figure(again, "distance") == 0 &&
                cJSON_IsTrue(member(member(again, "difference"), "equal_pixels")) &&
                figure(again, "differs_at_step") == 0,
            "a lane with the first one's settings does not differ from it");
    sl_test(figure(other, "distance") > 0 && figure(other, "differs_at_step") == 1 &&
                strcmp(cJSON_GetStringValue(member(member(other, "recipe"), "prompt")),
                       "a house, red") == 0 &&
                cJSON_GetNumberValue(member(member(other, "recipe"), "steps")) == 6,
            "a lane has its own seed, prompt (with a comma) and steps");
    sl_test(first && strcmp(cJSON_GetStringValue(member(first, "noise_sha256")),
                            cJSON_GetStringValue(
                                member(cJSON_GetArrayItem(list, 2), "noise_sha256"))) == 0,
            "lanes start from the same noise");
    const cJSON *shared = member(json, "shared");
    sl_test(
        cJSON_GetNumberValue(member(shared, "evaluations")) >= 2 &&
            cJSON_GetNumberValue(member(shared, "texts_encoded")) == 3,
        "two prompts and an empty one are encoded for five lanes, first evaluations are shared");
    free(sheet);
    cJSON_Delete(json);
    done(&run);
}

/* An exact lane and two that take over a part: which evaluations did is said, and all is computed again. */
static void test_caching(void)
{
    Run run = RUN("compare", "--model", sd_model, "--prompt", "x", SMALL, "--steps", "6",
                  "--scheduler", "euler", "--lane", "caching=off", "--lane", "caching=deep",
                  "--lane", "caching=first-block,caching-threshold=2,caching-from=0.5", "--save",
                  file("cached.safelight"), "--json");
    static const char *const expected[] = {"[]", "[2,3,5,6]", "[5,6]"};
    cJSON *json = cJSON_Parse(run.out), *list = member(json, "lanes");
    sl_test(run.status == 0 && cJSON_GetArraySize(list) == 3, "three lanes %s", run.err);
    for (int i = 0; i < 3; i++) {
        char *cached = cJSON_PrintUnformatted(member(cJSON_GetArrayItem(list, i), "cached"));
        sl_test(cached && !strcmp(cached, expected[i]), "lane %d: cached %s", i + 1,
                cached ? cached : "");
        free(cached);
    }
    cJSON_Delete(json);
    done(&run);
    expect(RUN("replay", file("cached.safelight"), "--model", sd_model, "--verify", "--quiet"), 0,
           "", "they are repeated");
    expect(RUN(SD, "--caching", "deep", "--output", file("cached.png")), 0, "", "deep");
    expect(RUN("replay", file("cached.png"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "a cached picture is repeated");
    expect(RUN(SD, "--caching", "deep", "--caching-branch", "9"), 2,
           "caching branch is 9; expected 0 to 8", "a branch that the model has not");
    expect(RUN(SD, "--caching", "deep", "--caching-interval", "1"), 2,
           "--caching-interval is \"1\"; expected a whole number from 2 to 100",
           "an interval of 1");
    expect(RUN("bench", "--model", sd_model, "--steps", "2", "--cached"), 0, "", "bench --cached");
}

/* Every pair of two settings; the sheet with their names is repeated, and opened again it is the same. */
static void test_grid(void)
{
    Run run = RUN("compare", "--model", sd_model, "--prompt", "x", SMALL, "--grid",
                  "x=scheduler:euler,ddim,heun", "y=steps:1..2", "--sheet", file("grid.png"),
                  "--save", file("grid.safelight"), "--report", file("grid.html"), "--json");
    cJSON *json = cJSON_Parse(run.out), *list = member(json, "lanes");
    const cJSON *fifth = cJSON_GetArrayItem(list, 4), *recipe = member(fifth, "recipe");
    const cJSON *x = member(member(json, "grid"), "x");
    sl_test(run.status == 0 && cJSON_GetArraySize(list) == 6 &&
                cJSON_GetArraySize(member(x, "values")) == 3,
            "a grid of six cells %s", run.err);
    sl_test(fifth && cJSON_GetNumberValue(member(fifth, "cell")) == 4 &&
                cJSON_GetNumberValue(member(recipe, "steps")) == 2 &&
                strcmp(cJSON_GetStringValue(member(recipe, "scheduler")), "ddim") == 0,
            "a cell has the values of its column and its row");
    cJSON_Delete(json);
    done(&run);
    expect(RUN("replay", file("grid.png"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "a grid's sheet is repeated");
    expect(RUN("compare", "--open", file("grid.safelight"), "--model", sd_model, "--sheet",
               file("grid-2.png"), "--quiet"),
           0, "", "a saved grid is opened");
    sl_test(same_bytes(file("grid.png"), file("grid-2.png")), "and gives the same sheet");
    size_t bytes = 0;
    SlError err = {0};
    char *html = (char *)sl_read_file(file("grid.html"), 1 << 26, &bytes, &err);
    static const char *const wanted[] = {"grid-row:3\">Steps 2</strong>",
                                         "grid-column:4;grid-row:1\">Heun</strong>",
                                         "<figure style=\"grid-column:4;grid-row:3\">"};
    bool found = html != NULL;
    for (size_t i = 0; found && i < sizeof wanted / sizeof wanted[0]; i++)
        found = memmem(html, bytes, wanted[i], strlen(wanted[i])) != NULL;
    sl_test(found, "its report has the pictures under and beside the names %s", err.message);
    free(html);
    run = RUN("info", file("grid.safelight"));
    sl_test(run.status == 0 && strstr(run.out, "scheduler euler, ddim, heun") &&
                strstr(run.out, "steps 1, 2"),
            "info says what stands across and down %s", run.err);
    done(&run);
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--grid", "x=steps:1"), 2,
           "no y=", "a grid of one axis");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--grid", "x=steps:1", "y=stepz:1"),
           2, "the grid's y is \"stepz:1\"", "a grid of no setting");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--grid", "x=steps:0", "y=seed:1"),
           2, "the grid's x: steps is \"0\"", "a grid's wrong value");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--grid", "x=steps:1", "y=seed:1",
               "--lane", "steps=2"),
           2, "--grid or --lane", "a grid and lanes");
    expect(RUN("compare", "--model", sd_model, "--prompt", "{a|b}", "--dynamic", "all", "--grid",
               "x=steps:1", "y=seed:1"),
           2, "--grid or --dynamic", "a grid and a template's choices");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--grid",
               "x=scheduler:ddim,flow-euler", "y=seed:1"),
           2, "the grid's cell x=scheduler:flow-euler, y=seed:1", "a cell that does not suit");
    expect(RUN("compare", "--model", ddpm_model, "--grid", "x=guidance:1,2", "y=seed:1"), 2,
           "the grid's x, guidance:1,2", "a setting that the model does not have");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--grid", "x=steps:900..1000",
               "y=seed:0..9", "--save", file("large.safelight")),
           2, "evaluations", "a grid that is too large for its file");
}

/* Lanes are called by what differs: one with a list of sigmas by it, the other by what it has instead. */
static void test_lane_of_sigmas(void)
{
    Run run = RUN("compare", "--model", sd_model, "--prompt", "x", SMALL, "--lane",
                  "scheduler=euler,sigmas=14.6,3.9,0.7,0", "--lane", "scheduler=euler", "--sheet",
                  file("sigmas.png"));
    sl_test(run.status == 0 && strstr(run.out, "Euler, 3 steps, sigmas 14.6,3.9,0.7,0 ") &&
                strstr(run.out, "Euler, the model’s sigmas, 4 steps "),
            "sigmas: %s%s", run.out, run.err);
    done(&run);
}

/* Sheets, animations of lanes and of one run are repeated from what they say. */
static void test_replay_lanes(void)
{
    expect(RUN("replay", file("sheet.png"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "a sheet is repeated");
    expect(RUN("replay", file("lanes.webp"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "an animation of lanes is repeated");
    expect(RUN(SD, "--animation", file("film.webp")), 0, "", "an animation of one run");
    expect(RUN("replay", file("film.webp"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "and is repeated");
    expect(RUN("generate", "--model", sd_model, "--prompt", "x", SMALL, "--scheduler", "heun",
               "--output", file("one.png")),
           0, "", "the picture of one lane by itself");
    SlPictureTexts texts;
    SlMetadata m = {0};
    SlError err = {0};
    const char *json = sl_png_texts_read(file("sheet.png"), &texts, &err)
                           ? sl_picture_texts_find(&texts, SL_METADATA_KEYWORD)
                           : NULL;
    sl_test(sl_metadata_read(file("one.png"), &m, &err) && json && strstr(json, m.latents_sha256) &&
                strstr(json, m.pixels_sha256),
            "a lane's latents and pixels are those of generate %s", err.message);
    sl_metadata_free(&m);
    sl_picture_texts_free(&texts);
    sl_test(!sl_metadata_read(file("sheet.png"), &m, &err) && strstr(err.message, "lanes"),
            "a sheet is not taken for a picture: %s", err.message);
    sl_metadata_free(&m);
}

/* How an animation looks; whatever that is, it is repeated. */
static void test_animation_looks(void)
{
    SlError err = {0};
    SlWebp webp;
    SlAnimationFormat format;
    expect(RUN(SD, "--animation", file("look.webp"), "--animation-captions", "yes",
               "--animation-size", "100", "--animation-ms", "50"),
           0, "", "captions, size and speed");
    bool read = sl_webp_read(file("look.webp"), &webp, &err);
    sl_test(read && webp.width == 4 * 32 + 32 && webp.height > webp.width &&
                webp.ms == (webp.pictures - 1) * 50 + SL_ANIMATION_LAST_MS,
            "32 pixels four times, with a frame and words: %d x %d, %d pictures, %d ms %s",
            webp.width, webp.height, webp.pictures, (int)webp.ms, err.message);
    sl_webp_free(&webp);
    expect(RUN("replay", file("look.webp"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "it is repeated");
    expect(RUN(SD, "--animation", file("bare.webp"), "--animation-size", "64"), 0, "",
           "without captions");
    read = sl_webp_read(file("bare.webp"), &webp, &err);
    sl_test(read && webp.width == 64 && webp.height == 64, "the pictures alone, enlarged");
    sl_webp_free(&webp);
    expect(RUN("replay", file("bare.webp"), "--model", sd_model, "--verify", "--quiet"), 0, "",
           "and repeated");
    expect(RUN(SD, "--animation-ms", "50"), 2, "expected --animation FILE", "without an animation");
    expect(RUN(SD, "--animation", file("look.mov")), 2, ".webp", "a name of no format");
    if (sl_animation_format("a.gif", &format, &err))
        expect(RUN(SD, "--animation", file("look.gif")), 0, "", "a GIF");
    else
        expect(RUN(SD, "--animation", file("look.gif")), 2, "libavformat", "no GIF in this build");
}

/* A saved comparison gives the same sheet and animation when it is opened, and is repeated. */
static void test_saved(void)
{
    expect(RUN("compare", "--open", file("lanes.safelight"), "--model", sd_model, "--sheet",
               file("opened.png"), "--animation", file("opened.webp"), "--align", "step",
               "--quiet"),
           0, "", "a saved comparison is opened");
    sl_test(same_bytes(file("sheet.png"), file("opened.png")), "it gives the same sheet");
    sl_test(same_bytes(file("lanes.webp"), file("opened.webp")), "and the same animation");
    expect(RUN("replay", file("lanes.safelight"), "--model", sd_model, "--verify", "--quiet"), 0,
           "", "every step of it is repeated");
    size_t bytes = 0;
    SlError err = {0};
    uint8_t *data = sl_read_file(file("lanes.safelight"), 1 << 28, &bytes, &err);
    bool cut = data && sl_write_file(file("cut.safelight"), data, bytes / 2, &err);
    free(data);
    expect(RUN("compare", "--open", file("cut.safelight"), "--model", sd_model, "--quiet"),
           cut ? 1 : 0, "cut.safelight", "half a file is refused");
}

/* The same sheet with one pixel painted over, and one whose settings were changed. */
static void test_changed_sheet(void)
{
    SlPictureTexts texts;
    SlError err = {0};
    int width, height;
    uint8_t *rgb = sl_png_read(file("sheet.png"), &width, &height, &err);
    const char *json = sl_png_texts_read(file("sheet.png"), &texts, &err)
                           ? sl_picture_texts_find(&texts, SL_METADATA_KEYWORD)
                           : NULL;
    char *changed = json ? strdup(json) : NULL,
         *seed = changed ? strstr(changed, "\"seed\":0") : NULL;
    if (!sl_test(rgb && seed, "the sheet has a text"))
        return;
    rgb[0] ^= 1;
    const SlPngText same = {SL_METADATA_KEYWORD, json, true},
                    other = {SL_METADATA_KEYWORD, changed, true};
    sl_png_write(file("painted.png"), rgb, width, height, &same, 1, &err);
    expect(RUN("replay", file("painted.png"), "--model", sd_model, "--verify", "--quiet"), 3, "",
           "a painted sheet is found");
    rgb[0] ^= 1;
    seed[7] = '1';
    sl_png_write(file("changed.png"), rgb, width, height, &other, 1, &err);
    expect(RUN("replay", file("changed.png"), "--model", sd_model, "--verify", "--quiet"), 3, "",
           "a changed seed is found");
    memcpy(strstr(changed, "\"kind\":\"sheet\""), "\"kind\":\"shoet\"", 14);
    sl_png_write(file("wrong.png"), rgb, width, height, &other, 1, &err);
    expect(RUN("replay", file("wrong.png"), "--model", sd_model, "--verify", "--quiet"), 1, "kind",
           "a damaged text is refused in one sentence");
    sl_picture_texts_free(&texts);
    free(changed);
    free(rgb);
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--lane", "stops=4"), 2, "stops=4",
           "an unknown setting of a lane");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x", "--lane", "steps=0"), 2, "\"0\"",
           "a wrong setting of a lane");
    expect(RUN("compare", "--model", sd_model, "--prompt", "x"), 2, "--lane", "no lanes");
}

static void test_info(void)
{
    Run run = RUN("info", file("a.png"), "--json");
    cJSON *json = cJSON_Parse(run.out), *recipe = cJSON_GetObjectItem(json, "recipe");
    sl_test(run.status == 0 && strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(recipe, "prompt")),
                                      "a red house") == 0,
            "info of a picture");
    cJSON_Delete(json);
    done(&run);
    run = RUN("info", sd_model, "--json");
    json = cJSON_Parse(run.out);
    sl_test(run.status == 0 && strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(json, "pipeline")),
                                      "StableDiffusionPipeline") == 0,
            "info of a model");
    cJSON_Delete(json);
    done(&run);
    expect(RUN("info", file("a.png")), 0, "", "info of a picture for people");
    expect(RUN("info", ddpm_model), 0, "", "info of a model for people");
    run = RUN("schedulers", "--json");
    json = cJSON_Parse(run.out);
    sl_test(run.status == 0 && cJSON_GetArraySize(json) == sl_scheduler_count(), "schedulers");
    cJSON_Delete(json);
    done(&run);
    run = RUN("schedulers", "--json", "--model", sd_model);
    json = cJSON_Parse(run.out);
    sl_test(run.status == 0 && cJSON_GetArraySize(json) == 24 && !strstr(run.out, "\"flow-euler\""),
            "schedulers of a model that does not predict flow");
    cJSON_Delete(json);
    done(&run);
    expect(RUN(SD, "--scheduler", "flow-euler", "--output", file("no.png")), 2,
           "scheduler flow-euler is for models that predict flow; expected one of pndm, ", "flow");
    run = RUN("tokenize", "--model", sd_model, "a red house");
    char folder_path[4096];
    int *ids = NULL, count = 0;
    SlError err = {0};
    snprintf(folder_path, sizeof folder_path, "%s/tokenizer", sd_model);
    SlTokenizer *t = sl_tokenizer_open(folder_path, &err);
    bool ok = t && sl_tokenize(t, "a red house", &ids, &count, &err);
    SlText expected = {0};
    for (int i = 0; i < count; i++)
        sl_text_addf(&expected, " %d", ids[i]);
    sl_text_addf(&expected, " %d\n", ok ? sl_tokenizer_end_id(t) : 0);
    sl_test(run.status == 0 && ok && strstr(run.out, expected.data), "tokenize");
    Run broken = RUN("tokenize", "--model", sd_model, "--tokenizer", "ftfy", "dÃ©jÃ\u00a0 vu");
    Run whole = RUN("tokenize", "--model", sd_model, "--tokenizer", "ftfy", "déjà vu");
    Run kept = RUN("tokenize", "--model", sd_model, "--tokenizer=transformers-4", "dÃ©jÃ\u00a0 vu");
    sl_test(broken.status == 0 && !strcmp(broken.out, whole.out) && strcmp(kept.out, whole.out),
            "tokenize --tokenizer: ftfy repairs what transformers 4 leaves");
    done(&broken);
    done(&whole);
    done(&kept);
    sl_text_free(&expected);
    free(ids);
    sl_tokenizer_close(t);
    done(&run);
    run = RUN("bench", "--model", ddpm_model, "--steps", "2", "--json", "--quiet");
    json = cJSON_Parse(run.out);
    sl_test(run.status == 0 && cJSON_GetNumberValue(cJSON_GetObjectItem(json, "step_ms")) > 0 &&
                cJSON_GetNumberValue(cJSON_GetObjectItem(json, "step_gflop")) > 0,
            "bench %s", run.err);
    cJSON_Delete(json);
    done(&run);
    run = RUN("bench", "--model", ddpm_model, "--steps", "2", "--profile", "--quiet");
    sl_test(run.status == 0 && strstr(run.out, "outside operations") &&
                strstr(run.out, "by shape") && strstr(run.out, "conv2d"),
            "bench --profile %s", run.err);
    done(&run);
    run = RUN("bench", "--model", ddpm_model, "--steps", "1", "--profile", "--json", "--quiet");
    json = cJSON_Parse(run.out);
    cJSON *profile = cJSON_GetObjectItem(json, "profile");
    cJSON *step = cJSON_GetObjectItem(profile, "step");
    sl_test(cJSON_GetArraySize(cJSON_GetObjectItem(step, "operations")) > 5 &&
                cJSON_GetNumberValue(cJSON_GetObjectItem(profile, "ceiling_gflops")) > 0,
            "bench --profile --json %s", run.err);
    cJSON_Delete(json);
    done(&run);
    expect(RUN("bench", "--arch", "sd3"), 2, "sd3", "a shape that is not supported");
    expect(RUN("bench", "--arch", "sd15", "--quality", "q8"), 2, "random weights",
           "the quality of random weights");
    run = RUN("bench", "--model", sd_model, "--quality", "q8", "--json", "--quiet");
    json = cJSON_Parse(run.out);
    double least = cJSON_GetNumberValue(cJSON_GetObjectItem(json, "psnr_db_least"));
    sl_test(run.status == 0 && cJSON_GetArraySize(cJSON_GetObjectItem(json, "pictures")) == 12 &&
                least > 38 && least < 100,
            "bench --quality q8: %.1f dB at least; rounded weights are seen, and not much %s",
            least, run.err);
    cJSON_Delete(json);
    done(&run);
}

/* False when the process ends without it. */
static bool wait_for(const char *path, pid_t pid)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < 60000; i++) {
        siginfo_t info = {0};
        if (access(path, F_OK) == 0)
            return true;
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid)
            return false;
        nanosleep(&pause, NULL);
    }
    return false;
}

static void test_interrupt(void)
{
    const char *const words[] = {
        "generate", "--model",     sd_model,     "--prompt", "x",           "--steps",
        "1000",     "--scheduler", "euler",      "--width",  "32",          "--height",
        "32",       "--previews",  file("many"), "--output", file("p.png"), NULL};
    pid_t pid = start(words);
    sl_test(wait_for(file("many/0003.png"), pid), "a long run is under way");
    kill(pid, SIGINT);
    expect(finish(pid), 130, "interrupted", "Ctrl-C: 130");
    SlMetadata m;
    SlError err = {0};
    bool ok = sl_metadata_read(file("p.png"), &m, &err);
    sl_test(ok && m.partial && m.step >= 3 && m.step < 1000 && m.steps == 1000,
            "the last finished step is saved, marked partial %s", err.message);
    if (ok)
        sl_metadata_free(&m);
    expect(RUN("replay", file("p.png"), "--verify", "--quiet", "--model", sd_model), 0, "",
           "and can be verified");
}

/* A branch with nothing changed is the picture that it left; a changed one is replayed. */
static void test_branch(void)
{
    char *root = strdup(file("root.png")), *same = strdup(file("same.png")),
         *other = strdup(file("other.png")), *third = strdup(file("third.png"));
    SlMetadata a = {0}, b = {0}, c = {0};
    SlError err = {0};
    expect(RUN(SD, "--scheduler", "unipc", "--output", root), 0, "", "a picture to branch from");
    expect(RUN("branch", root, "--model", sd_model, "--step", "2", "--quiet", "--output", same), 0,
           "", "branch with nothing changed");
    bool ok = sl_metadata_read(root, &a, &err) && sl_metadata_read(same, &b, &err);
    sl_test(ok && !strcmp(a.pixels_sha256, b.pixels_sha256) &&
                !strcmp(a.latents_sha256, b.latents_sha256),
            "goes on to the same bytes %s", err.message);
    expect(RUN("branch", root, "--model", sd_model, "--step", "2", "--scheduler", "euler",
               "--steps", "6", "--guidance", "2", "--quiet", "--output", other),
           0, "", "branch with another scheduler, number of steps and guidance");
    ok = ok && sl_metadata_read(other, &c, &err);
    char parent[65] = "", id[65] = "-";
    ok = ok && c.origin && sl_origin_parent_id(c.origin, parent) && sl_run_id(a.recipe, NULL, id);
    sl_test(ok && !strcmp(parent, id) && c.origin->step == 2 && strlen(c.origin->sha256) == 64 &&
                strcmp(c.pixels_sha256, a.pixels_sha256) && c.recipe->steps == 6,
            "it names its parent and the step %s", err.message);
    expect(RUN("replay", other, "--model", sd_model, "--verify", "--quiet"), 0, "",
           "replay --verify of a branch");
    expect(RUN("branch", other, "--model", sd_model, "--step", "4", "--prompt", "a blue house",
               "--quiet", "--output", third),
           0, "", "a branch of a branch");
    expect(RUN("replay", third, "--model", sd_model, "--verify", "--quiet"), 0, "",
           "replay --verify of that");
    expect(RUN("branch", root, "--model", sd_model, "--step", "4", "--quiet", "--output", same), 2,
           "--step is 4; expected 0 to 3", "after the last step");
    expect(RUN("branch", root, "--output", same), 2, "needs --step", "without --step");
    sl_metadata_free(&a);
    sl_metadata_free(&b);
    sl_metadata_free(&c);
    free(root);
    free(same);
    free(other);
    free(third);
}

/* A model that does not count noise as most do is offered the schedulers that can, and nothing
 * else. */
typedef struct OtherKind {
    const char *name, *config;
    int count;           /* of its schedulers */
    const char *refusal; /* of another one */
    const char *branch, *prediction, *own;
} OtherKind;

static void test_other_kind(const OtherKind *kind)
{
    char *model = strdup(file(kind->name)), *root = strdup(file("kind.png"));
    bool made = mkdir(model, 0700) == 0 && scheduler_model_named(model, "sd1", kind->config);
    if (!sl_test(made, "a model of the kind %s", kind->name))
        return;
    Run run = RUN("schedulers", "--json", "--model", model);
    cJSON *json = cJSON_Parse(run.out);
    sl_test(run.status == 0 && cJSON_GetArraySize(json) == kind->count &&
                !strstr(run.out, "\"ddim\""),
            "%d schedulers are offered", kind->count);
    cJSON_Delete(json);
    done(&run);
#define OF_MODEL "--model", model, "--prompt", "a house", "--steps", "4", "--quiet"
    expect(RUN("generate", OF_MODEL, "--scheduler", "euler", "--output", root), 2, kind->refusal,
           "a scheduler of other models");
    expect(RUN("generate", OF_MODEL, "--output", root), 0, "", "a picture");
    expect(RUN("branch", root, "--model", model, "--step", "2", "--scheduler", kind->branch,
               "--steps", "6", "--quiet", "--output", file("kind2.png")),
           0, "", "a branch");
    expect(RUN("replay", file("kind2.png"), "--model", model, "--verify", "--quiet"), 0, "",
           "replay --verify of it");
    run = RUN("compare", OF_MODEL, "--schedulers", "all", "--json", "--save", file("f.safelight"));
    json = cJSON_Parse(run.out);
    sl_test(run.status == 0 &&
                cJSON_GetArraySize(cJSON_GetObjectItem(json, "lanes")) == kind->count,
            "all schedulers are %d lanes", kind->count);
    cJSON_Delete(json);
    done(&run);
    expect(RUN("replay", file("f.safelight"), "--model", model, "--verify", "--quiet"), 0, "",
           "replay --verify of them");
    run = RUN("info", model);
    sl_test(strstr(run.out, kind->prediction) && strstr(run.out, kind->own), "info of it");
    done(&run);
    scheduler_model_remove(model);
    free(model);
    free(root);
}

static void test_other_kinds(void)
{
    static const OtherKind kinds[] = {
        {"flow", FLOW_SCHEDULER, 8,
         "scheduler euler is for models that do not predict flow; expected one of dpmpp-2m, ",
         "unipc", "flow_prediction", "flow-euler"},
        {"edm", COSXL_SCHEDULER, 3,
         "scheduler euler is for models that are not trained as EDM is; expected one of "
         "edm-euler, ",
         "edm-dpmpp", "edm_v_prediction", "edm-euler"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        test_other_kind(&kinds[i]);
}

/* A word of a prompt finds its file in the folder; what it found is the picture's, by its hash. */
static void test_embeddings(void)
{
    char *from = sl_test_path("goldens/embeddings/sd1.pt"), *before = getenv("SAFELIGHT_MODELS");
    char *saved = before ? strdup(before) : NULL;
    char path[4096], other[4096];
    size_t bytes;
    SlError err = {0};
    void *data = sl_read_file(from, 1 << 20, &bytes, &err);
    mkdir(file("embeddings"), 0700);
    snprintf(path, sizeof path, "%s/embeddings/nice.pt", folder);
    snprintf(other, sizeof other, "%s/embeddings/other.pt", folder);
    sl_test(data && sl_write_file(path, data, bytes, &err), "a folder of embeddings %s",
            err.message);
    setenv("SAFELIGHT_MODELS", folder, 1);
    char picture[4096];
    snprintf(picture, sizeof picture, "%s/nice.png", folder);
    expect(RUN("generate", "--model", sd_model, "--prompt", "a Nice house", "--prompt-mode",
               "a1111", SMALL, "--output", picture),
           0, "", "a prompt names an embedding");
    Run info = RUN("info", picture);
    sl_test(strstr(info.out, "embedding         nice#"), "the picture says so");
    done(&info);
    expect(RUN("replay", picture, "--model", sd_model, "--verify"), 0, "", "replayed");
    rename(path, other);
    expect(RUN("replay", picture, "--model", sd_model, "--verify"), 0, "", "under another name");
    unlink(other);
    expect(RUN("replay", picture, "--model", sd_model, "--verify"), 1, "no embedding \"nice\"",
           "it is gone");
    expect(RUN("replay", picture, "--model", sd_model, "--verify", "--embedding", from), 0, "",
           "and where it is can be said");
    rmdir(file("embeddings"));
    if (saved)
        setenv("SAFELIGHT_MODELS", saved, 1);
    else
        unsetenv("SAFELIGHT_MODELS");
    free(saved);
    free(data);
    free(from);
}

int main(void)
{
    if (!program_begin())
        return 1;
    sd_model = sl_test_path("goldens/model/sd1");
    ddpm_model = sl_test_path("goldens/model/ddpm");
    test_usage();
    test_branch();
    test_generate();
    test_dynamic();
    test_dynamic_lanes();
    test_gpu_fails();
    test_arrays();
    test_word_maps();
    test_replay();
    test_guidance();
    test_compare();
    test_caching();
    test_grid();
    test_lane_of_sigmas();
    test_replay_lanes();
    test_animation_looks();
    test_saved();
    test_changed_sheet();
    test_info();
    test_interrupt();
    test_other_kinds();
    test_embeddings();
    free(sd_model);
    free(ddpm_model);
    return program_end();
}
