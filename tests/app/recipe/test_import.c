/* test_import.c - settings out of pictures: our own chunk both ways, and the dialects of others. */
#include "app/image/png.h"
#include "app/recipe/import.h"
#include "app/recipe/metadata.h"
#include "app/recipe/recipe_text.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const SlRecipe base = {.prompt = "base",
                              .scheduler = "pndm",
                              .steps = 25,
                              .guidance = 7.5,
                              .guidance_to = 1,
                              .eta = -1,
                              .width = 64,
                              .height = 64,
                              .seed = 1,
                              .caching_interval = 3,
                              .caching_threshold = 0.05,
                              .caching_to = 1};

static SlModelInfo model_info(void)
{
    SlModelInfo info = {.pipeline = sl_pipeline_find("stable-diffusion"),
                        .name = "tiny",
                        .scheduler = "pndm",
                        .width = 64,
                        .height = 64,
                        .size_multiple = 8,
                        .channels = 4,
                        .factor = 8,
                        .prompt_tokens = 77};
    return info;
}

/* The texts of a picture that has one chunk. */
static SlPictureTexts one_text(const char *keyword, const char *text)
{
    SlPictureTexts texts = {.kind = "PNG", .count = 1};
    snprintf(texts.entry[0].keyword, sizeof texts.entry[0].keyword, "%s", keyword);
    texts.entry[0].text = (char *)(uintptr_t)text;
    return texts;
}

/* What was found, each line a remark: TAP knows no others. */
static void note_lines(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        sl_test_note("%.*s", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* Takes the prompt mode out of a recipe that was read: it is the program's, whatever else it says. */
static bool take_mode(SlImport *import)
{
    static const struct {
        const char *source;
        int mode;
    } modes[] = {{"parameters", SL_PROMPT_A1111},
                 {"ComfyUI", SL_PROMPT_COMFYUI},
                 {"SwarmUI", SL_PROMPT_COMFYUI},
                 {"InvokeAI", SL_PROMPT_COMPEL},
                 {"Safelight", SL_PROMPT_PLAIN}};
    int found = import->recipe ? import->recipe->prompt_mode : 0, want = found;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (import->recipe && !strcmp(modes[i].source, import->source))
            want = modes[i].mode;
    if (import->recipe)
        import->recipe->prompt_mode = SL_PROMPT_PLAIN;
    return found == want;
}

/* Reads it and puts the recipe's JSON, or the problems, or the error into a text that is compared
 * in full. */
static void check(const char *keyword, const char *text, const char *source, const char *expected,
                  const char *notes, const char *what)
{
    SlPictureTexts texts = one_text(keyword, text);
    SlImport import;
    SlError err = {0};
    SlModelInfo info = model_info();
    char *found = NULL;
    bool ok = sl_import_texts("t.png", &texts, &base, &info, &import, &err);
    bool mode = !ok || take_mode(&import);
    if (ok && import.recipe)
        found = sl_recipe_diff(&base, import.recipe);
    else
        found = strdup(!ok ? err.message : import.problems);
    bool good = mode && strcmp(found, expected) == 0 &&
                (!ok || strcmp(import.source, source) == 0) &&
                strcmp(import.notes ? import.notes : "", notes) == 0;
    if (!sl_test(good, "%s", what)) {
        note_lines(found);
        note_lines(import.notes ? import.notes : "no notes");
    }
    free(found);
    sl_import_free(&import);
}

static void test_webui(void)
{
    check(
        "parameters",
        "a cat, dog\nNegative prompt: blurry\nSteps: 30, Sampler: DPM++ 2M, Schedule type: Karras, "
        "CFG scale: 6.5, Seed: 18446744073709551615, Size: 128x64, Model hash: 6ce0161689, "
        "Model: v1-5-pruned, Clip skip: 2, Version: v1.10.1",
        "parameters",
        "prompt: \"base\", \"a cat, dog\"\nnegative_prompt: \"\", \"blurry\"\n"
        "scheduler: \"pndm\", \"dpmpp-2m\"\nsigmas: model, karras\nsteps: 25, 30\n"
        "guidance: 7.5, 6.5\nseed: 1, 18446744073709551615\nnoise: cpu, cuda\nwidth: 64, 128\n"
        "clip_skip: 0, 1",
        "", "AUTOMATIC1111 1.10");
    check("parameters",
          "x\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 5, Size: 64x64, RNG: CPU",
          "parameters",
          "prompt: \"base\", \"x\"\nscheduler: \"pndm\", \"euler-a\"\nsteps: 25, 20\nseed: 1, 5",
          "", "RNG CPU");
    check(
        "parameters",
        "x\nSteps: 20, Sampler: Euler, CFG scale: 7.5, Seed: 1, Size: 64x64, Denoising strength: "
        "0.5, Hires upscale: 2, Lora hashes: \"a: b, c: d\"",
        "parameters",
        "prompt: \"base\", \"x\"\nscheduler: \"pndm\", \"euler\"\nsteps: 25, 20\nnoise: cpu, cuda",
        "not taken over: Denoising strength, Hires upscale, Lora hashes", "what we do not have");
    check("parameters",
          "a cat\nNegative prompt: \nSteps: 20, CFG scale: 7.500000, Guidance: 3.500000, Eta: "
          "0.000000, Seed: 42, Size: 64x64, Model: sd, RNG: cpu, Sampler: euler_a karras, Version: "
          "stable-diffusion.cpp, SDCPP: {\"a\": 1, \"bb\": 2}",
          "parameters",
          "prompt: \"base\", \"a cat\"\nscheduler: \"pndm\", \"euler-a\"\n"
          "steps: 25, 20\nseed: 1, 42",
          "Euler ancestral has no choice of sigmas here; the model's are taken",
          "stable-diffusion.cpp");
    check("parameters",
          "x\nSteps: 20, Sampler: DDPM, CFG scale: 7.5, Seed: 1, Size: 64x64, Emphasis: No norm",
          "parameters",
          "prompt: \"base\", \"x\"\nscheduler: \"pndm\", \"ddpm\"\nsteps: 25, 20\nnoise: cpu, "
          "cuda\nemphasis: original, no-norm",
          "", "an emphasis");
    check("parameters",
          "x\nSteps: 20, Sampler: DDPM, CFG scale: 7.5, Seed: 1, Size: 64x64, Emphasis: Loud",
          "parameters",
          "prompt: \"base\", \"x\"\nscheduler: \"pndm\", \"ddpm\"\nsteps: 25, 20\nnoise: cpu, cuda",
          "emphasis is \"Loud\"; expected original, no-norm, ignore, none: it stays as it was",
          "an emphasis that nobody knows");
    check("parameters",
          "x\nSteps: 20, Sampler: DDPM, CFG scale: 7.5, Seed: 1, Size: 64x64, Variance type: "
          "fixed_large",
          "parameters",
          "prompt: \"base\", \"x\"\nscheduler: \"pndm\", \"ddpm\"\nvariance: model, "
          "fixed_large\nsteps: 25, 20\nnoise: cpu, cuda",
          "", "a variance");
    check("parameters",
          "fox <lora:x:0.8>\nNegative prompt: bad\nSteps: 20, Sampler: DPM++ 2M - Unknown, CFG "
          "scale: 7.5, Seed: 1, Size: 64x64, Model hash: unknown, Model: m",
          "parameters",
          "prompt: \"base\", \"fox <lora:x:0.8>\"\nnegative_prompt: \"\", \"bad\"\nsteps: 25, 20",
          "the LoRA x, which the prompt names, was not found here\n"
          "scheduler is \"DPM++ 2M - Unknown\"; there is none like it here: it stays as it was",
          "an unknown sampler discards nothing else");
    check("parameters",
          "fox <lora:x:0.8> <lora:x:1> <lora:y>\nNegative prompt: <lyco:z:1>\nSteps: 20, Sampler: "
          "DDPM, CFG "
          "scale: 7.5, Seed: 1, Size: 64x64",
          "parameters",
          "prompt: \"base\", \"fox <lora:x:0.8> <lora:x:1> <lora:y>\"\nnegative_prompt: \"\", "
          "\"<lyco:z:1>\"\nscheduler: \"pndm\", \"ddpm\"\nsteps: 25, 20\nnoise: cpu, cuda",
          "the LoRA x, which the prompt names, was not found here\n"
          "the LoRA y, which the prompt names, was not found here\n"
          "the prompt names a LoRA, which has no effect here",
          "LoRAs that are not here, and a tag that is never taken");
}

/* Embeddings that are here, found by their hashes; the words of the prompt stay. */
static void test_embeddings(void)
{
    char *models = sl_test_path("goldens/model");
    setenv("SAFELIGHT_MODELS", models, 1);
    free(models);
    check("parameters",
          "x nice\nSteps: 20, Sampler: DDPM, CFG scale: 7.5, Seed: 1, Size: 64x64, TI hashes: "
          "\"nice: "
          "b185c8bad5ba, sdxl: 0a023e8f1e44\", TI: \"nice, sdxl\"",
          "parameters",
          "prompt: \"base\", \"x nice\"\nscheduler: \"pndm\", \"ddpm\"\nsteps: 25, 20\nnoise: cpu, "
          "cuda\nembedding: \"\", \"sd1#b185c8bad5ba:nice; sdxl#0a023e8f1e44\"",
          "", "TI hashes");
    check("parameters",
          "x nice\nSteps: 20, Sampler: DDPM, CFG scale: 7.5, Seed: 1, Size: 64x64, TI hashes: "
          "\"nice: "
          "b185c8bad5ba, gone: 0123456789ab\"",
          "parameters",
          "prompt: \"base\", \"x nice\"\nscheduler: \"pndm\", \"ddpm\"\nsteps: 25, 20\nnoise: cpu, "
          "cuda",
          "not taken over: TI hashes", "one that is not here");
}

/* Every value alone out of range or no number at all: it is said, the setting stays as it was, and
 * all the others are taken. */
static void test_bad_values(void)
{
    static const char *const bad[] = {
        "Steps: 0",
        "Steps: -5",
        "Steps: 1000000000",
        "Steps: many",
        "Variance type: wide",
        "CFG scale: nan",
        "CFG scale: 1e308",
        "CFG scale: -1",
        "Seed: -1",
        "Seed: None",
        "Seed: 18446744073709551616",
        "Seed: 1e20",
        "Size: 0x0",
        "Size: 1000000x1000000",
        "Clip skip: 0",
        "Sampler: nobody",
    };
    SlModelInfo info = model_info();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[300];
        SlImport import;
        SlError err = {0};
        snprintf(text, sizeof text, "p\nSteps: 20, Sampler: Euler, Seed: 3, %s", bad[i]);
        SlPictureTexts texts = one_text("parameters", text);
        bool ok = sl_import_texts("t.png", &texts, &base, &info, &import, &err);
        ok = ok && take_mode(&import);
        const char *said = import.notes ? import.notes : "accepted";
        SlRecipe expected = base;
        expected.prompt = "p";
        expected.seed = strncmp(bad[i], "Seed", 4) ? 3 : base.seed;
        expected.scheduler = strncmp(bad[i], "Sampler", 7) ? "euler" : base.scheduler;
        expected.steps = strncmp(bad[i], "Steps", 5) ? 20 : base.steps;
        expected.noise = SL_NOISE_CUDA;
        sl_test(ok && import.recipe && sl_recipe_equal(import.recipe, &expected) && import.notes,
                "%s: %.*s", bad[i], (int)strcspn(said, "\n"), said);
        if (ok && import.recipe && !sl_recipe_equal(import.recipe, &expected)) {
            char *difference = sl_recipe_diff(&expected, import.recipe);
            note_lines(difference);
            free(difference);
        }
        sl_import_free(&import);
    }
}

/* What is understood and does not fit the model is a problem, and no recipe comes back. */
static void test_does_not_fit(void)
{
    SlModelInfo info = model_info();
    SlPictureTexts texts =
        one_text("parameters", "p\nSteps: 20, Sampler: Euler, Seed: 3, Size: 65x64");
    SlImport import;
    SlError err = {0};
    bool ok = sl_import_texts("t.png", &texts, &base, &info, &import, &err);
    sl_test(ok && !import.recipe && import.problems && strstr(import.problems, "65"),
            "a size that the model does not have: %s", ok ? import.problems : err.message);
    sl_import_free(&import);
}

static void test_others(void)
{
    check(
        "invokeai_metadata",
        "{\"generation_mode\": \"txt2img\", \"positive_prompt\": \"a fox\", \"negative_prompt\": "
        "\"bad\", \"width\": 64, \"height\": 128, \"seed\": 4294967295, \"rand_device\": \"cpu\", "
        "\"cfg_scale\": 5.5, \"cfg_rescale_multiplier\": 0, \"steps\": 12, \"scheduler\": "
        "\"euler_k\", \"clip_skip\": 1, \"seamless_x\": false, \"loras\": [], \"model\": "
        "{\"name\": \"sd\", \"hash\": \"blake3:0\"}, \"strength\": NaN}",
        "InvokeAI",
        "prompt: \"base\", \"a fox\"\nnegative_prompt: \"\", \"bad\"\nscheduler: \"pndm\", "
        "\"euler\"\nsigmas: model, karras\nsteps: 25, 12\nguidance: 7.5, 5.5\nseed: 1, "
        "4294967295\nheight: 64, 128\nclip_skip: 0, 1",
        "", "InvokeAI");
    check(
        "parameters",
        "{\"sui_image_params\": {\"prompt\": \"a fox\", \"negativeprompt\": \"\", \"model\": "
        "\"sd15\", \"seed\": 1234567890123456789, \"steps\": \"8\", \"cfgscale\": 4, \"width\": "
        "64, "
        "\"height\": 64, \"sampler\": \"dpmpp_2m\", \"scheduler\": \"karras\", \"loras\": [\"x\"], "
        "\"swarm_version\": \"0.9\"}}",
        "SwarmUI",
        "prompt: \"base\", \"a fox\"\nscheduler: \"pndm\", \"dpmpp-2m\"\nsigmas: model, karras\n"
        "steps: 25, 8\nguidance: 7.5, 4\nseed: 1, 1234567890123456789",
        "the LoRA x, with which it was made, was not found here", "SwarmUI");
    check("parameters", "{\"prompt\": \"x\", \"steps\": 5}", "",
          "t.png: the text \"parameters\" is JSON of an unknown program", "", "JSON of a stranger");
    check("parameters", "only words", "", "t.png: the text \"parameters\" holds no settings", "",
          "words");
    check("Comment", "hello", "",
          "t.png: this PNG holds no settings that are known here, only the text \"Comment\"", "",
          "another text");
    SlPictureTexts none = {.kind = "JPEG"};
    SlImport import;
    SlError err = {0};
    sl_test(!sl_import_texts("t.jpg", &none, &base, NULL, &import, &err) &&
                strcmp(err.message, "t.jpg: this JPEG holds no settings") == 0,
            "%s", err.message);
    sl_import_free(&import);
}

#define NODE(id, type, inputs) \
    "\"" id "\": {\"class_type\": \"" type "\", \"inputs\": {" inputs "}}"
#define TEXTS                                                                                    \
    NODE("6", "CLIPTextEncode", "\"text\": \"a fox\", \"clip\": [\"4\", 1]")                     \
    ", " NODE("7", "CLIPTextEncode", "\"text\": \"bad\", \"clip\": [\"4\", 1]") ", " NODE(       \
        "5", "EmptyLatentImage",                                                                 \
        "\"width\": 128, \"height\": 64, \"batch_size\": 1") ", " NODE("4",                      \
                                                                       "CheckpointLoaderSimple", \
                                                                       "\"ckpt_name\": "         \
                                                                       "\"sd15.safetensors\"")

static void test_comfyui(void)
{
    static const char plain[] = "{" NODE("3", "KSampler",
                                         "\"seed\": 18446744073709551615, \"steps\": 20, \"cfg\": "
                                         "8.0, \"sampler_name\": "
                                         "\"dpmpp_2m\", \"scheduler\": \"karras\", \"denoise\": "
                                         "1.0, \"model\": [\"4\", 0], "
                                         "\"positive\": [\"6\", 0], \"negative\": [\"7\", 0], "
                                         "\"latent_image\": [\"5\", 0]") ", " TEXTS "}";
    static const char
        custom[] =
            "{" NODE(
                "13", "SamplerCustomAdvanced",
                "\"noise\": [\"25\", 0], \"guider\": [\"22\", 0], \"sampler\": [\"16\", 0], "
                "\"sigmas\": [\"17\", 0], \"latent_image\": [\"5\", 0]") ", " NODE("25",
                                                                                   "RandomNoise",
                                                                                   "\"noise_seed\":"
                                                                                   " 77") ", " NODE("22",
                                                                                                    "CFGGuider",
                                                                                                    "\"cfg\": 3, \"model\": [\"9\", 0], \"positive\": [\"8\", 0], \"negative\": "
                                                                                                    "[\"7\", 0]") ", " NODE("8",
                                                                                                                            "ControlNetApply",
                                                                                                                            "\"conditioning\": [\"6\", 0]") ", " NODE("9",
                                                                                                                                                                      "LoraLoader", "\"lora_name\": \"x\", \"model\": [\"4\", 0]") ", " NODE("16", "KSamplerSelect", "\"sampler_name\": \"euler\"") ", " NODE("17",
                                                                                                                                                                                                                                                                                                              "BasicScheduler", "\"scheduler\": \"normal\", \"steps\": 9, \"denoise\": 0.5") ", " TEXTS
                                                                                                                                                                                                                                                                                                                                                                                             "}";
    static const char cycle[] = "{" NODE(
        "3", "KSampler",
        "\"seed\": 1, \"steps\": 25, \"cfg\": 7.5, \"sampler_name\": \"euler\", "
        "\"scheduler\": \"karras\", \"model\": [\"3\", 0], \"positive\": [\"8\", 0], "
        "\"negative\": [\"8\", 0], \"latent_image\": [\"3\", 0]") ", " NODE("8", "Loop",
                                                                            "\"conditioning\": "
                                                                            "[\"8\", 0]") "}";
    check("prompt", plain, "ComfyUI",
          "prompt: \"base\", \"a fox\"\nnegative_prompt: \"\", \"bad\"\nscheduler: \"pndm\", "
          "\"dpmpp-2m\"\nsigmas: model, karras\nsteps: 25, 20\nguidance: 7.5, 8\nseed: 1, "
          "18446744073709551615\nwidth: 64, 128",
          "", "ComfyUI, the plain graph");
    check(
        "prompt", custom, "ComfyUI",
        "prompt: \"base\", \"a fox\"\nnegative_prompt: \"\", \"bad\"\nscheduler: \"pndm\", "
        "\"euler\"\nspacing: model, linspace\nsteps: 25, 9\nguidance: 7.5, 3\nseed: 1, 77\n"
        "width: 64, 128",
        "the node ControlNetApply has no counterpart here\nthe node LoraLoader has no counterpart "
        "here\ndenoise 0.5 was not taken over",
        "ComfyUI, custom sampler, foreign nodes between");
    SlPictureTexts texts = one_text("prompt", cycle);
    SlImport import;
    SlError err = {0};
    sl_test(sl_import_texts("t.png", &texts, &base, NULL, &import, &err) && import.recipe,
            "ComfyUI, a graph that goes in circles ends");
    sl_import_free(&import);
    check("prompt", "{\"a\": [", "",
          "t.png: the text \"prompt\" holds no ComfyUI graph with a known "
          "sampler",
          "", "ComfyUI, cut off");
}

/* ---- our own ---- */

static SlMetadata sample_metadata(void)
{
    SlMetadata m = {.program = "safelight 0.1.0",
                    .model = "tiny",
                    .files = 1,
                    .device = "cpu",
                    .device_description = "two threads",
                    .dtype = "f32",
                    .step = 12,
                    .steps = 25,
                    .partial = true};
    m.pipeline = sl_pipeline_find("stable-diffusion");
    SlRecipe recipe = base;
    recipe.prompt = "caf\xC3\xA9, \"night\"\nsecond";
    recipe.negative_prompt = "bad: worse";
    recipe.seed = UINT64_MAX;
    m.recipe = sl_recipe_copy(&recipe);
    m.warnings = strdup("one\ntwo");
    snprintf(m.file[0].name, sizeof m.file[0].name, "unet/diffusion_pytorch_model.safetensors");
    m.file[0].bytes = 123456789012;
    memset(m.file[0].sha256, 'a', 64);
    memset(m.noise_sha256, 'b', 64);
    memset(m.latents_sha256, 'c', 64);
    memset(m.pixels_sha256, 'd', 64);
    return m;
}

static void test_ours(const char *folder)
{
    char path[4096];
    uint8_t rgb[12] = {0};
    SlMetadata m = sample_metadata(), back;
    SlError err = {0};
    snprintf(path, sizeof path, "%s/m.png", folder);
    sl_test(sl_metadata_write(path, rgb, 2, 2, &m, &err), "written %s", err.message);
    bool ok = sl_metadata_read(path, &back, &err);
    ok = ok && sl_recipe_equal(back.recipe, m.recipe) && strcmp(back.warnings, "one\ntwo") == 0 &&
         back.step == 12 && back.steps == 25 && back.partial && back.files == 1 &&
         memcmp(&back.file[0], &m.file[0], sizeof m.file[0]) == 0 && back.version == 1 &&
         strcmp(back.latents_sha256, m.latents_sha256) == 0 && !back.unknown;
    sl_test(ok, "everything comes back %s", err.message);
    SlImport import;
    SlModelInfo info = model_info();
    ok = sl_import_picture(path, &base, &info, &import, &err);
    sl_test(ok && import.recipe && sl_recipe_equal(import.recipe, m.recipe) && !import.notes &&
                strcmp(import.source, "Safelight") == 0,
            "and as an import %s", err.message);
    sl_import_free(&import);

    char *parameters = sl_metadata_to_parameters(&m);
    sl_test(strcmp(parameters,
                   "caf\xC3\xA9, \"night\"\nsecond\nNegative prompt: bad: worse\nSteps: "
                   "25, Sampler: PLMS, CFG scale: 7.5, Seed: 18446744073709551615, Size: "
                   "64x64, Model hash: aaaaaaaaaa, Model: tiny, RNG: CPU, Version: "
                   "safelight 0.1.0") == 0,
            "the common text is what others read");
    SlPictureTexts texts = one_text("parameters", parameters);
    ok = sl_import_texts(path, &texts, &base, &info, &import, &err);
    sl_test(ok && import.recipe && sl_recipe_equal(import.recipe, m.recipe),
            "the common text alone gives the same recipe");
    if (!ok || import.problems)
        sl_test_note("%s", ok ? import.problems : err.message);
    sl_import_free(&import);
    free(parameters);
    sl_metadata_free(&back);
    sl_metadata_free(&m);
    unlink(path);
}

/* One change to a good chunk; NULL value removes the member. */
static void changed(const char *object, const char *key, cJSON *value, bool good, const char *what)
{
    SlMetadata m = sample_metadata(), back;
    cJSON *root = sl_metadata_to_object(&m);
    cJSON *place = object ? cJSON_GetObjectItem(root, object) : root;
    SlError err = {0};
    cJSON_DeleteItemFromObject(place, key);
    if (value)
        cJSON_AddItemToObject(place, key, value);
    char *json = cJSON_PrintUnformatted(root);
    bool ok = sl_metadata_from_json("t.png", json, &back, &err);
    sl_test(ok == good && (good || strncmp(err.message, "t.png", 5) == 0), "%s: %s", what,
            ok ? "accepted" : err.message);
    free(json);
    cJSON_Delete(root);
    sl_metadata_free(&back);
    sl_metadata_free(&m);
}

static void test_changed(void)
{
    static const char *const needed[] = {"version", "program", "recipe", "model",   "device",
                                         "dtype",   "step",    "steps",  "partial", "sha256"};
    static const char *const recipe[] = {"prompt",   "scheduler", "steps",
                                         "guidance", "width",     "height"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        changed(NULL, needed[i], NULL, false, "a member is missing");
    for (size_t i = 0; i < sizeof recipe / sizeof *recipe; i++)
        changed("recipe", recipe[i], NULL, false, "a setting is missing");
    changed(NULL, "version", cJSON_CreateNumber(0), false, "version 0");
    changed(NULL, "version", cJSON_CreateNumber(99), true, "version 99");
    changed(NULL, "version", cJSON_CreateString("1"), false, "a version in quotes");
    changed(NULL, "future", cJSON_CreateTrue(), true, "a member of the future");
    changed("recipe", "future", cJSON_CreateTrue(), true, "a setting of the future");
    changed(NULL, "step", cJSON_CreateNumber(26), false, "step 26 of 25");
    changed(NULL, "warnings", cJSON_CreateNumber(1), true, "warnings that are no list");
    changed("recipe", "seed", cJSON_CreateNumber(-1), false, "seed -1");
    changed("recipe", "seed", cJSON_CreateString("18446744073709551616"), false, "seed 2^64");
    changed("recipe", "noise", cJSON_CreateString("mps"), false, "an unknown noise");
    changed("sha256", "pixels", cJSON_CreateString("xyz"), false, "a short hash");
    changed("model", "name", cJSON_CreateNull(), false, "no name of the model");
    changed("model", "files", cJSON_CreateString(""), false, "no list of files");
}

/* No file can be opened but those that are. */
static void forbid_files(struct rlimit *before)
{
    int next = dup(0);
    close(next);
    if (next < 0 || getrlimit(RLIMIT_NOFILE, before) != 0)
        abort();
    const struct rlimit now = {(rlim_t)next, before->rlim_max};
    setrlimit(RLIMIT_NOFILE, &now);
}

/* A LoRA and an embedding that are there and cannot be read, before one whose hashes are known. */
static void test_unread(SlMetadata *m, const char *loras)
{
    char path[300], embedding[300];
    struct rlimit before;
    char *lora = sl_test_path("goldens/adapters/locon.safetensors");
    SlRecipe recipe = *m->recipe;
    SlError err = {0}, of_lora = {0}, of_embedding = {0}, of_hash = {0};
    snprintf(path, sizeof path, "%s/here.safetensors", loras);
    if (!sl_lora_remember(path))
        abort();
    snprintf(path, sizeof path, "%s/unread.safetensors", loras);
    snprintf(embedding, sizeof embedding, "%s/new.pt", loras);
    if (!sl_write_file(embedding, "new", 3, &err) || symlink(lora, path) != 0 ||
        !sl_lora_remember(path))
        abort();
    recipe.lora = "unread:1:1; here:0.5:0.8";
    m->recipe = &recipe;
    forbid_files(&before);
    bool found = sl_metadata_find_adapters(m, &err),
         hashed = sl_recipe_hash_adapters(&recipe, &of_lora);
    char *by_hash = sl_lora_find("unread", "0123456789", &of_hash);
    recipe.lora = "";
    recipe.embedding = embedding;
    hashed = sl_recipe_hash_adapters(&recipe, &of_embedding) || hashed;
    setrlimit(RLIMIT_NOFILE, &before);
    sl_test(!found && err.code == SL_IO && strstr(err.message, path) && m->adapters == 1 &&
                !strcmp(m->adapter[0].name, "here"),
            "a LoRA that cannot be read is said, and the other is told: %s", err.message);
    sl_test(!hashed && of_lora.code == SL_IO && of_embedding.code == SL_IO &&
                strstr(of_embedding.message, "new.pt"),
            "and before the work, as is an embedding: %s", of_embedding.message);
    sl_test(!by_hash && strstr(of_hash.message, path), "one with a hash is not said to be gone: %s",
            of_hash.message);
    sl_test(sl_recipe_hash_adapters(&recipe, &err), "then it can be");
    unlink(path);
    unlink(embedding);
    free(lora);
}

/* ComfyUI's graph around LoRA nodes: what the sampler's model and the prompt's clip come from, and they. */
#define GRAPH(model, clip, nodes)                                                                  \
    "{\"3\": {\"class_type\": \"KSampler\", \"inputs\": {\"seed\": 1, \"steps\": 9, \"cfg\": 3, "  \
    "\"sampler_name\": \"euler\", \"scheduler\": \"normal\", \"denoise\": 1, \"model\": [\"" model \
    "\", 0], \"positive\": [\"6\", 0], \"negative\": [\"7\", 0], \"latent_image\": [\"5\", 0]}}, " \
    "\"4\": {\"class_type\": \"CheckpointLoaderSimple\", \"inputs\": {\"ckpt_name\": \"m\"}}, "    \
    "\"5\": {\"class_type\": \"EmptyLatentImage\", \"inputs\": {\"width\": 64, \"height\": 64, "   \
    "\"batch_size\": 1}}, \"6\": {\"class_type\": \"CLIPTextEncode\", \"inputs\": {\"text\": "     \
    "\"fox\", "                                                                                    \
    "\"clip\": [\"" clip "\", 1]}}, \"7\": {\"class_type\": \"CLIPTextEncode\", \"inputs\": "      \
    "{\"text\": \"bad\", \"clip\": [\"" clip "\", 1]}}, " nodes "}"
#define LORA(id, name, model, clip, from)                                                 \
    "\"" id "\": {\"class_type\": \"LoraLoader\", \"inputs\": {\"lora_name\": \"" name    \
    "\", \"strength_model\": " model ", \"strength_clip\": " clip ", \"model\": [\"" from \
    "\", 0], \"clip\": [\"" from "\", 1]}}"

/* LoRAs that other programs name, of which `here` is here: the recipe has it, and of the others is said that they
 * are not. */
static void test_named(const char *sha256)
{
    char fooocus[300], expected[100], ruined[400], ruined_lora[100], hash[11] = "";
    const struct {
        const char *what, *keyword, *text, *lora, *note;
    } cases[] = {
        {"ComfyUI, two in a row", "prompt",
         GRAPH("11", "11",
               LORA("10", "sub/here.safetensors", "0.8", "0.5", "4") ", " LORA("11", "gone", "1",
                                                                               "1", "10")),
         "here:0.8:0.5", "the LoRA gone, with which it was made, was not found here"},
        {"ComfyUI, on the model alone", "prompt",
         GRAPH("10", "4", LORA("10", "sub\\\\here.safetensors", "0.8", "0.5", "4")), "here:0.8:0",
         NULL},
        {"ComfyUI, on the text encoder alone", "prompt",
         GRAPH("4", "10", LORA("10", "here", "0.8", "0.5", "4")), "here:0:0.5", NULL},
        {"ComfyUI, several in one node", "prompt",
         GRAPH("10", "10",
               "\"10\": {\"class_type\": \"Power Lora Loader (rgthree)\", \"inputs\": "
               "{\"lora_1\": {\"on\": true, \"lora\": \"here.safetensors\", \"strength\": 0.7}, "
               "\"lora_2\": {\"on\": false, \"lora\": \"off.safetensors\", \"strength\": 1}, "
               "\"model\": [\"4\", 0], \"clip\": [\"4\", 1]}}"),
         "here:0.7", NULL},
        {"InvokeAI", "invokeai_metadata",
         "{\"positive_prompt\": \"fox\", \"loras\": [{\"model\": {\"name\": \"here\", \"hash\": "
         "\"blake3:00\"}, \"weight\": 0.75}, {\"lora\": {\"model_name\": \"gone\"}, "
         "\"weight\": 1}]}",
         "here:0.75", "the LoRA gone, with which it was made, was not found here"},
        {"SwarmUI", "parameters",
         "{\"sui_image_params\": {\"prompt\": \"fox\", \"loras\": [\"gone\", \"styles/here\"], "
         "\"loraweights\": [\"1\", \"0.5\"]}}",
         "here:0.5", "the LoRA gone, with which it was made, was not found here"},
        {"SwarmUI, texts with commas", "parameters",
         "{\"sui_image_params\": {\"prompt\": \"fox\", \"loras\": \"none, here\", "
         "\"loraweights\": \"1, -0.5\"}}",
         "here:-0.5", NULL},
        {"Draw Things", "XMP UserComment",
         "{\"c\":\"fox\",\"uc\":\"\",\"seed_mode\":\"Torch CPU Compatible\",\"lora\":[{\"model\":"
         "\"here_lora_f16.ckpt\",\"weight\":0.6}]}",
         "here:0.6", NULL},
        {"Draw Things, a name with its own ending in it", "XMP UserComment",
         "{\"c\":\"fox\",\"uc\":\"\",\"seed_mode\":\"Torch CPU Compatible\",\"lora\":[{\"model\":"
         "\"a_lora_fix_lora_f16.ckpt\",\"weight\":0.6}]}",
         "", "the LoRA a_lora_fix, with which it was made, was not found here"},
        {"Easy Diffusion, one with brackets in its name", "EXIF UserComment",
         "{\"prompt\": \"fox\", \"num_inference_steps\": 9, \"use_lora_model\": \"[a] b\"}", "",
         "the LoRA [a] b, with which it was made, was not found here"},
        {"SwarmUI, one of a strength that none can have", "parameters",
         "{\"sui_image_params\": {\"prompt\": \"fox\", \"loras\": [\"here\", \"here\"], "
         "\"loraweights\": [\"150\", \"0.5\"]}}",
         "here:0.5",
         "the LoRA here has the strength 150; expected -100 to 100: it was not taken over"},
        {"AUTOMATIC1111, a strength that none can have", "parameters",
         "<lora:here:-101> fox <lora:here:0.5>\nSteps: 9, Sampler: Euler, Version: v1.10.1",
         "here:0.5",
         "the LoRA here has the strength -101; expected -100 to 100: it was not taken over"},
        {"ComfyUI, a name beside its picture", "prompt",
         GRAPH("10", "10",
               "\"10\": {\"class_type\": \"LoraLoader|pysssss\", \"inputs\": {\"lora_name\": "
               "{\"content\": \"here.safetensors\", \"image\": null}, \"strength_model\": 0.8, "
               "\"strength_clip\": 0.5, \"model\": [\"4\", 0], \"clip\": [\"4\", 1]}}"),
         "here:0.8:0.5", NULL},
        {"ComfyUI, in a loader of models", "prompt",
         GRAPH("10", "10",
               "\"10\": {\"class_type\": \"Efficient Loader\", \"inputs\": {\"ckpt_name\": \"m\", "
               "\"lora_name\": \"one.safetensors\", \"lora_stack\": [\"11\", 0]}}, "
               "\"11\": {\"class_type\": \"LoRA Stacker\", \"inputs\": {\"lora_name_1\": \"a\"}}"),
         "", "not taken over: one.safetensors\nthe node LoRA Stacker has no counterpart here"},
        {"Easy Diffusion", "EXIF UserComment",
         "{\"prompt\": \"fox\", \"num_inference_steps\": 9, \"use_lora_model\": \"['gone', "
         "'here']\", \"lora_alpha\": \"[0.5, 0.9]\"}",
         "here:0.9", "the LoRA gone, with which it was made, was not found here"},
        {"Fooocus", "parameters", fooocus, expected,
         "the LoRA gone, with which it was made, was not found here"},
        {"Fooocus, which says each twice", "parameters",
         "{\"prompt\": \"fox\", \"steps\": 9, \"base_model\": \"m\", \"version\": \"Fooocus "
         "v2.5.5\", \"lora_combined_1\": \"here : 0.5\", \"loras\": [[\"here\", 0.5, \"\"]]}",
         "here:0.5", NULL},
        {"RuinedFooocus", "parameters", ruined, ruined_lora,
         "the LoRA gone, with which it was made, was not found here"},
        {"RuinedFooocus, older", "parameters",
         "{\"Prompt\": \"fox\", \"steps\": 9, \"base_model_name\": \"m\", \"loras\": "
         "\"Loras:<gone.safetensors:1>,<here.safetensors:0.25>\", \"software\": "
         "\"RuinedFooocus\"}",
         "here:0.25", "the LoRA gone, with which it was made, was not found here"},
    };
    for (int i = 0; i < 10; i++)
        hash[i] = (char)toupper(sha256[i]);
    snprintf(ruined, sizeof ruined,
             "{\"Prompt\": \"fox\", \"steps\": 9, \"base_model_name\": \"m\", \"loras\": [[\"%s\", "
             "\"0.5 "
             "- sub\\\\renamed.safetensors\"], [\"0123456789\", \"1.0 - gone.safetensors\"]], "
             "\"software\": \"RuinedFooocus\"}",
             hash);
    snprintf(ruined_lora, sizeof ruined_lora, "renamed#%.10s:0.5", sha256);
    snprintf(
        fooocus, sizeof fooocus,
        "{\"prompt\": \"fox\", \"steps\": 9, \"base_model\": \"m\", \"version\": \"Fooocus "
        "v2.5.5\", \"loras\": [[\"renamed\", 0.25, \"%.10s\"], [\"gone\", 0.5, \"0123456789\"]]}",
        sha256);
    snprintf(expected, sizeof expected, "renamed#%.10s:0.25", sha256);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SlPictureTexts texts = {.kind = "PNG", .count = 1};
        SlImport import = {0};
        SlError err = {0};
        snprintf(texts.entry[0].keyword, sizeof texts.entry[0].keyword, "%s", cases[i].keyword);
        texts.entry[0].text = strdup(cases[i].text);
        bool ok = sl_import_texts("t.png", &texts, &base, NULL, &import, &err) && import.recipe;
        const char *lora = ok && import.recipe->lora ? import.recipe->lora : "";
        const char *notes = ok && import.notes ? import.notes : "";
        bool said = cases[i].note ? strstr(notes, cases[i].note) != NULL
                                  : !strstr(notes, "LoRA") && !strstr(notes, "lora") &&
                                        !strstr(notes, "Lora");
        sl_test(ok && !strcmp(lora, cases[i].lora) && said, "%s: %s%s", cases[i].what, lora,
                err.message);
        if (!said)
            sl_test_note("%s", notes);
        sl_import_free(&import);
        sl_picture_texts_free(&texts);
    }
}

/* LoRAs of a prompt that are here, under their names or by the hash that the text says; and back. */
static void test_loras(const char *folder)
{
    char path[300], loras[200];
    char *golden = sl_test_path("goldens/adapters/kohya.safetensors");
    SlAdapterHashes hashes;
    SlError err = {0};
    snprintf(loras, sizeof loras, "%s/loras", folder);
    snprintf(path, sizeof path, "%s/here.safetensors", loras);
    setenv("SAFELIGHT_MODELS", folder, 1);
    if (mkdir(loras, 0700) != 0 || symlink(golden, path) != 0 ||
        !sl_adapter_hash(golden, &hashes, NULL, &err))
        abort();
    char text[400], expected[400];
    snprintf(
        text, sizeof text,
        "fox <lora:other:0.8:0.5> <lora:gone:1> <lora:here:te=0.3:unet=2>\nSteps: 20, Sampler: "
        "PLMS, CFG scale: 7.5, Seed: 1, Size: 64x64, RNG: CPU, Lora hashes: \"other: %.12s, "
        "gone: 0123456789ab\", Version: v1.10.1",
        hashes.tensors);
    snprintf(expected, sizeof expected,
             "prompt: \"base\", \"fox  <lora:gone:1>\"\nsteps: 25, 20\nlora: \"\", "
             "\"other#%.12s:0.5:0.8; here:2:0.3\"",
             hashes.tensors);
    check("parameters", text, "parameters", expected,
          "the LoRA gone, which the prompt names, was not found here", "LoRAs that are here");
    SlRecipe recipe = base;
    recipe.lora = "here:0.5:0.8";
    SlMetadata *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->recipe = &recipe;
    sl_test(sl_metadata_find_adapters(m, &err), "the LoRAs' files are found: %s", err.message);
    char *parameters = sl_metadata_to_parameters(m);
    snprintf(expected, sizeof expected, "Lora hashes: \"here: %.12s\"", hashes.tensors);
    sl_test(m->adapters == 1 && !strcmp(m->adapter[0].sha256, hashes.sha256) &&
                strstr(parameters, "base <lora:here:0.8:0.5>\n") && strstr(parameters, expected),
            "as AUTOMATIC1111 writes them: %s", expected);
    free(parameters);
    test_named(hashes.sha256);
    test_unread(m, loras);
    free(m);
    free(golden);
    unlink(path);
    rmdir(loras);
}

int main(void)
{
    char folder[] = "/tmp/safelight-import.XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    test_webui();
    test_embeddings();
    test_bad_values();
    test_does_not_fit();
    test_others();
    test_comfyui();
    test_ours(folder);
    test_changed();
    test_loras(folder);
    rmdir(folder);
    return sl_test_done();
}
