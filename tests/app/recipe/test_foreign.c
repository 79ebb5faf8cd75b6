/* test_foreign.c - settings out of other programs' pictures: files as they write them
 * (tests/fixtures/foreign, made up after public bug reports), texts after their formats, and hostile
 * graphs. What is understood is right, what is not is said, and nothing else is lost by it.
 */
#include "app/files/files.h"
#include "app/image/image.h"
#include "app/recipe/import.h"
#include "app/recipe/recipe_text.h"
#include "test.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What a file does not say stays so. */
static const SlRecipe nothing = {.prompt = "", .negative_prompt = "", .eta = -1};

/* What was found, each line a remark: TAP knows no others. */
static void note_lines(const char *title, const char *text)
{
    for (text = text ? text : ""; *text;) {
        size_t n = strcspn(text, "\n");
        sl_test_note("%s: %.*s", title, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

typedef struct Case {
    const char *what;
    const char *text[6][2]; /* keyword and text; or {file, NULL} */
    const char *source, *model;
    const char *settings; /* key=value, in the table's order, those that are said */
    const char *notes;    /* a line each */
} Case;

/* "steps=20 width=512 ..." of what differs from nothing; malloc'ed. */
static char *said(const SlRecipe *recipe)
{
    SlText out = {0};
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        if (i == SL_SETTING_PROMPT_MODE || sl_setting_equal(sl_setting(i), &nothing, recipe))
            continue; /* the mode is the program's */
        sl_text_addf(&out, "%s%s=", out.length ? " " : "", sl_setting(i)->key);
        sl_setting_add_value(&out, sl_setting(i), recipe);
    }
    return sl_text_take(&out);
}

/* Whose language a program's prompts are in. */
static int mode_of(const char *source)
{
    static const struct {
        const char *source;
        int mode;
    } modes[] = {{"InvokeAI", SL_PROMPT_COMPEL},      {"InvokeAI 2", SL_PROMPT_COMPEL},
                 {"InvokeAI 1", SL_PROMPT_COMPEL},    {"SwarmUI", SL_PROMPT_COMFYUI},
                 {"ComfyUI", SL_PROMPT_COMFYUI},      {"parameters", SL_PROMPT_A1111},
                 {"Draw Things", SL_PROMPT_A1111},    {"Fooocus", SL_PROMPT_A1111},
                 {"Easy Diffusion", SL_PROMPT_A1111}, {"NovelAI", SL_PROMPT_PLAIN}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(modes[i].source, source))
            return modes[i].mode;
    return -1;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static void check(const Case *c)
{
    SlPictureTexts texts = {.kind = "PNG"};
    SlImport import = {0};
    SlError err = {0};
    bool ok;
    if (c->text[0][1]) {
        for (int i = 0; i < 6 && c->text[i][0]; i++, texts.count++) {
            snprintf(texts.entry[i].keyword, sizeof texts.entry[i].keyword, "%s", c->text[i][0]);
            texts.entry[i].text = strdup(c->text[i][1]);
        }
        ok = sl_import_texts("t.png", &texts, &nothing, NULL, &import, &err);
    } else {
        char relative[128];
        snprintf(relative, sizeof relative, "fixtures/foreign/%s", c->text[0][0]);
        char *path = sl_test_path(relative);
        ok = sl_import_picture(path, &nothing, NULL, &import, &err);
        free(path);
    }
    char *found = ok && import.recipe ? said(import.recipe) : NULL;
    bool good = c->source ? ok && same(import.source, c->source) && same(import.model, c->model) &&
                                import.recipe->prompt_mode == mode_of(c->source) &&
                                same(found, c->settings) && same(import.notes, c->notes)
                          : !ok && same(err.message, c->notes);
    if (!sl_test(good, "%s", c->what ? c->what : c->text[0][0])) {
        note_lines("error", err.message);
        note_lines("source", import.source);
        note_lines("model", import.model);
        note_lines("settings", found);
        note_lines("notes", import.notes);
    }
    free(found);
    sl_import_free(&import);
    sl_picture_texts_free(&texts);
}

/* ---- the pictures ---- */

#define PASSES(n)                                                                                 \
    "the graph has " n " samplers in a row; the first was taken, and the picture is not the one " \
    "that it made"
#define NO_NODE(type) "the node " type " has no counterpart here"
#define NO_LORA(name) "the LoRA " name ", with which it was made, was not found here"
#define WORDS(words)  "these have no special meaning in a prompt here: " words
#define NO_NOISE(who) \
    "where " who " drew the noise is not known: the same seed can give another picture"
#define OTHER_VAE(name) "it was decoded by another VAE, " name "; here the model's own does it"
#define NOT_FROM_NOISE  "the picture did not start from noise alone; this cannot be repeated"
#define ONLY_DRAWN                                                                              \
    "only the drawing of the graph is there, not the graph that was run: values can have been " \
    "changed since"

#define BARN                                                                                     \
    "prompt=\"a barn\" scheduler=\"euler-a\" steps=21 guidance=6 seed=314 noise=cuda width=320 " \
    "height=448"
#define COMFY_OF(steps)                                                                           \
    "prompt=\"a barn in the rain\" negative_prompt=\"fog\" scheduler=\"euler\" spacing=linspace " \
    "steps=" steps " guidance=6.5 seed=4242 width=384 height=256"
#define COMFY COMFY_OF("17")
#define HILLS "hills-v2.safetensors"

static const Case pictures[] = {
    {NULL,
     {{"a1111-emphasis.png"}},
     "parameters",
     "hills_v2",
     "prompt=\"(a barn:1.3) BREAK [rain], [fog:sun:0.5] AND a dog\" negative_prompt=\"(bad:1.4)\" "
     "scheduler=\"euler-a\" steps=21 guidance=6 seed=314 noise=cuda width=320 height=448",
     NULL},
    {NULL,
     {{"a1111-eta-euler-a.png"}},
     "parameters",
     "hills_v2",
     BARN,
     "eta 0.67 has no effect with Euler ancestral here and was not taken over"},
    {NULL, {{"a1111-neo.png"}}, "parameters", "hills_v2", BARN, NULL},
    {NULL,
     {{"a1111-no-version.png"}},
     "parameters",
     "hills",
     "prompt=\"a barn\" scheduler=\"euler-a\" steps=20 guidance=7 seed=314 noise=cuda width=512 "
     "height=512",
     NULL},
    {NULL,
     {{"comfy-advanced-base-refiner.png"}},
     "ComfyUI",
     HILLS,
     COMFY_OF("20"),
     "it stopped at step 16 of 20; here all steps are made\n" PASSES("2")},
    {NULL,
     {{"comfy-advanced-starts-late.png"}},
     "ComfyUI",
     HILLS,
     COMFY_OF("20"),
     "it started at step 5; the steps before are not left out here"},
    {NULL,
     {{"comfy-advanced-stops-early.png"}},
     "ComfyUI",
     HILLS,
     COMFY_OF("20"),
     "it stopped at step 10 of 20; here all steps are made"},
    {NULL,
     {{"comfy-batch-4.png"}},
     "ComfyUI",
     HILLS,
     COMFY,
     "it was made in a batch of 4: the picture can be any of them, and only the first has this "
     "seed here"},
    {NULL, {{"comfy-clip-set-last-layer.png"}}, "ComfyUI", HILLS, COMFY " clip_skip=1", NULL},
    {NULL,
     {{"comfy-emphasis.png"}},
     "ComfyUI",
     HILLS,
     "prompt=\"(a barn:1.2) BREAK embedding:easyneg {rain|fog}\" negative_prompt=\"fog\" "
     "scheduler=\"euler\" spacing=linspace steps=17 guidance=6.5 seed=4242 width=384 height=256",
     WORDS("{rain|fog}")},
    {NULL, {{"comfy-hires-first-in-file.png"}}, "ComfyUI", HILLS, COMFY, PASSES("2")},
    {NULL,
     {{"comfy-latent-upscale-of-picture.png"}},
     "ComfyUI",
     HILLS,
     "prompt=\"a barn in the rain\" negative_prompt=\"fog\" scheduler=\"euler\" spacing=linspace "
     "steps=17 guidance=6.5 seed=4242",
     NO_NODE("LatentUpscale") "\n" NOT_FROM_NOISE},
    {NULL, {{"comfy-lora-clip-only.png"}}, "ComfyUI", HILLS, COMFY, NO_LORA("l")},
    {NULL, {{"comfy-other-vae.png"}}, "ComfyUI", HILLS, COMFY, OTHER_VAE("other.safetensors")},
    {NULL, {{"comfy-prompt-through-showtext.png"}}, "ComfyUI", HILLS, COMFY, NULL},
    {NULL,
     {{"comfy-sampler-from-node.png"}},
     "ComfyUI",
     HILLS,
     "prompt=\"a barn in the rain\" negative_prompt=\"fog\" scheduler=\"dpmpp-2m\" sigmas=karras "
     "steps=17 guidance=6.5 seed=4242 width=384 height=256",
     NULL},
    {NULL,
     {{"comfy-unet-loader.png"}},
     "ComfyUI",
     "hills-unet.safetensors",
     COMFY,
     "the text encoder was a file of its own, clip_l.safetensors; here it is the model's"},
    {NULL,
     {{"comfy-unknown-sampler.png"}},
     "ComfyUI",
     HILLS,
     COMFY,
     "the sampler node ClownsharKSampler_Beta is not known; its inputs were taken by their names"},
    {NULL,
     {{"comfy-workflow-only.png"}},
     "ComfyUI",
     NULL,
     "scheduler=\"euler\" spacing=linspace steps=17 guidance=6.5 seed=4242",
     "the prompt was not found in the graph\nthe size was not found in the graph\n" ONLY_DRAWN},
    {NULL,
     {{"easydiffusion.png"}},
     "Easy Diffusion",
     "hills",
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"euler-a\" steps=20 guidance=7.5 seed=9 "
     "width=512 height=512",
     NO_NOISE("Easy Diffusion")},
    {NULL,
     {{"exif-usercomment-utf16.png"}},
     "parameters",
     "hills_v2",
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"euler-a\" steps=21 guidance=6 seed=314 "
     "noise=cuda width=320 height=448",
     NULL},
    {NULL,
     {{"fooocus-json.png"}},
     "Fooocus",
     "hills",
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"dpmpp-2m-sde-bt\" sigmas=karras "
     "steps=30 "
     "guidance=4 seed=9 width=512 height=512",
     "not taken over: sharpness"},
    {NULL,
     {{"invoke-v1-dream.png"}},
     "InvokeAI 1",
     NULL,
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"lms\" steps=30 guidance=7.5 seed=12 "
     "noise=cuda width=512 height=512",
     NULL},
    {NULL,
     {{"invoke-v2-sd-metadata.png"}},
     "InvokeAI 2",
     "hills-1",
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"lms\" steps=30 guidance=7.5 seed=12 "
     "noise=cuda width=512 height=512",
     NULL},
    {NULL,
     {{"invoke-v3.png"}},
     "InvokeAI",
     "hills",
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"euler-a\" steps=25 guidance=7.5 "
     "seed=12 "
     "width=512 height=384",
     NULL},
    {NULL,
     {{"invoke-v5.png"}},
     "InvokeAI",
     "hills",
     "prompt=\"a barn\" negative_prompt=\"fog\" scheduler=\"dpmpp-2m\" sigmas=karras steps=30 "
     "guidance=6.5 seed=12 width=512 height=384 clip_skip=1",
     NULL},
    {NULL,
     {{"novelai.png"}},
     "NovelAI",
     "Stable Diffusion 00000000",
     "prompt=\"a barn, {{rain}}\" negative_prompt=\"fog\" scheduler=\"euler-a\" steps=28 "
     "guidance=11 "
     "seed=4028 width=768 height=512",
     NO_NOISE("NovelAI") "\n" WORDS("{{rain}}")},
    {NULL,
     {{"sdnext-default.png"}},
     "parameters",
     "hills",
     "prompt=\"a barn\" negative_prompt=\"fog\" steps=20 guidance=6 seed=77 noise=cuda width=512 "
     "height=512",
     NULL},
};

/* ---- more of the same kinds ---- */

#define FOX                                                                                  \
    "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler\" spacing=linspace steps=9 " \
    "guidance=3 seed=77 width=128 height=64"
#define NODE(id, type, inputs) \
    "\"" id "\": {\"class_type\": \"" type "\", \"inputs\": {" inputs "}}"
#define LOADER NODE("4", "CheckpointLoaderSimple", "\"ckpt_name\": \"sd15.ckpt\"")
#define EMPTY  NODE("5", "EmptyLatentImage", "\"width\": 128, \"height\": 64, \"batch_size\": 1")
#define TEXTS                                                                              \
    NODE("6", "CLIPTextEncode", "\"text\": \"a fox\", \"clip\": [\"4\", 1]")               \
    ", " NODE("7", "CLIPTextEncode", "\"text\": \"bad\", \"clip\": [\"4\", 1]") ", " EMPTY \
                                                                                ", " LOADER
#define DECODE(from)                                                              \
    NODE("8", "VAEDecode", "\"samples\": [\"" from "\", 0], \"vae\": [\"4\", 2]") \
    ", " NODE("9", "SaveImage", "\"images\": [\"8\", 0]")
#define SAMPLER(id, positive, negative, latent)                                             \
    NODE(id, "KSampler",                                                                    \
         "\"seed\": 77, \"steps\": 9, \"cfg\": 3.0, \"sampler_name\": \"euler\", "          \
         "\"scheduler\": \"normal\", \"denoise\": 1, \"model\": [\"4\", 0], \"positive\": " \
         "[\"" positive "\", 0], \"negative\": [\"" negative                                \
         "\", 0], \"latent_image\": [\"" latent "\", 0]")
#define FIELDS \
    "Steps: 9, Sampler: Euler, Schedule type: Uniform, CFG scale: 3, Seed: 77, Size: 128x64"
#define WEB "a fox\nNegative prompt: bad\n" FIELDS

static const Case comfyui[] = {
    {"concatenated texts, and one from a style",
     {{"prompt",
       "{" SAMPLER(
           "3", "6", "7",
           "5") ", " EMPTY ", " LOADER
                ", " DECODE("3") ", " NODE("6", "CLIPTextEncode", "\"text\": [\"20\", 0], \"clip\": [\"4\", 1]") ", " NODE(
                    "20", "StringConcatenate",
                    "\"string_a\": \"a\", \"string_b\": [\"21\", 0], \"delimiter\": \" "
                    "\"") ", " NODE("21", "PrimitiveStringMultiline",
                                    "\"value\": \"fox\"") ", " NODE("7", "CLIPTextEncode",
                                                                    "\"text\": "
                                                                    "[\"22\", 1], "
                                                                    "\"clip\": [\"4\", "
                                                                    "1]") ", " NODE("2"
                                                                                    "2",
                                                                                    "SD"
                                                                                    "XL"
                                                                                    "Pr"
                                                                                    "om"
                                                                                    "pt"
                                                                                    "St"
                                                                                    "yl"
                                                                                    "e"
                                                                                    "r",
                                                                                    "\""
                                                                                    "te"
                                                                                    "xt"
                                                                                    "_p"
                                                                                    "os"
                                                                                    "it"
                                                                                    "iv"
                                                                                    "e"
                                                                                    "\""
                                                                                    ": "
                                                                                    "\""
                                                                                    "x"
                                                                                    "\""
                                                                                    ", "
                                                                                    "\""
                                                                                    "te"
                                                                                    "xt"
                                                                                    "_n"
                                                                                    "eg"
                                                                                    "at"
                                                                                    "iv"
                                                                                    "e"
                                                                                    "\""
                                                                                    ": "
                                                                                    "\""
                                                                                    "ba"
                                                                                    "d"
                                                                                    "\""
                                                                                    ", "
                                                                                    "\""
                                                                                    "st"
                                                                                    "yl"
                                                                                    "e"
                                                                                    "\""
                                                                                    ": "
                                                                                    "\""
                                                                                    "s"
                                                                                    "\"") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX,
     NO_NODE("SDXLPromptStyler")},
    {"conditioning that is combined, set to an area and zeroed",
     {{"prompt", "{" SAMPLER("3", "20", "22", "5") ", " TEXTS ", " DECODE("3") ", " NODE(
                     "20", "ConditioningSetArea",
                     "\"conditioning\": [\"21\", 0], \"width\": 64, "
                     "\"height\": 64") ", " NODE("21", "ConditioningCombine",
                                                 "\"conditioning_1\": [\"6\", "
                                                 "0], \"conditioning_2\": "
                                                 "[\"7\", 0]") ", " NODE("22",
                                                                         "Cond"
                                                                         "itio"
                                                                         "ning"
                                                                         "Zero"
                                                                         "Out",
                                                                         "\"co"
                                                                         "ndit"
                                                                         "ioni"
                                                                         "ng\""
                                                                         ": "
                                                                         "[\"7"
                                                                         "\", "
                                                                         "0]") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     "prompt=\"a fox\" scheduler=\"euler\" spacing=linspace steps=9 guidance=3 seed=77 "
     "width=128 "
     "height=64",
     NO_NODE("ConditioningSetArea") "\n" NO_NODE(
         "ConditioningCombine") "\nseveral prompts were put together in the graph; "
                                "only the first was taken\n" NO_NODE("ConditioningZeroO"
                                                                     "ut")},
    {"custom sampler: Karras' sigmas cut in two, noise and solver from nodes",
     {{"prompt",
       "{" TEXTS ", " DECODE("3") ", " NODE(
           "3", "SamplerCustomAdvanced",
           "\"noise\": [\"20\", 0], \"guider\": [\"21\", 0], "
           "\"sampler\": [\"22\", 0], \"sigmas\": [\"23\", 0], \"latent_image\": "
           "[\"5\", 0]") ", " NODE("20", "RandomNoise",
                                   "\"noise_seed\": 77") ", " NODE("21", "CFGGuider",
                                                                   "\"cfg\": 3, "
                                                                   "\"model\": [\"4\", "
                                                                   "0], \"positive\": "
                                                                   "[\"6\", 0], "
                                                                   "\"negative\": "
                                                                   "[\"7\", 0]") ","
                                                                                 " " NODE(
                                                                                     "22",
                                                                                     "SamplerEulerA"
                                                                                     "ncestral",
                                                                                     "\"eta\": "
                                                                                     "0.5, "
                                                                                     "\"s_noise\": "
                                                                                     "1") ", " NODE("23",
                                                                                                    "SplitSigmas",
                                                                                                    "\"sigmas\": "
                                                                                                    "[\"24\", 0], "
                                                                                                    "\"step\": 4") ", " NODE("24",
                                                                                                                             "KarrasScheduler",
                                                                                                                             "\"steps\": 9, \"sigma_max\": 14.6, \"sigma_min\": 0.03, \"rho\": 7") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler-a\" steps=9 "
     "guidance=3 seed=77 "
     "width=128 height=64",
     NO_NODE("SplitSigmas") "\nthe sigmas that the node KarrasScheduler sets were not "
                            "taken over\n"
                            "Euler ancestral has no choice of sigmas here; the model's "
                            "are taken\n"
                            "eta 0.5 has no effect with Euler ancestral here and was "
                            "not taken over"},
    {"a loader that encodes and has the size, seed and steps from nodes",
     {{"prompt",
       "{" NODE(
           "3",
           "KSampler (Efficient)",
           "\"seed\": [\"20\", 3], \"steps\": [\"21\", 0], \"cfg\": 3, "
           "\"sampler_name\": \"euler\", \"scheduler\": \"normal\", \"denoise\": "
           "1.0, \"model\": [\"4\", 0], "
           "\"positive\": [\"4\", 1], \"negative\": [\"4\", 2], \"latent_image\": "
           "[\"4\", 3]") ", " NODE("4", "Efficient Loader",
                                   "\"ckpt_name\": \"sd15.ckpt\", \"vae_name\": "
                                   "\"Baked VAE\", \"clip_skip\": -2, "
                                   "\"positive\": \"a fox\", \"negative\": "
                                   "\"bad\", \"empty_latent_width\": 128, "
                                   "\"empty_latent_height\": 64, \"batch_size\": "
                                   "1") ", " NODE("20", "Seed (rgthree)",
                                                  "\"seed\": 77") ", " NODE("21",
                                                                            "Primi"
                                                                            "tiveI"
                                                                            "nt",
                                                                            "\"val"
                                                                            "ue\":"
                                                                            " 9") ", " NODE("9",
                                                                                            "SaveIm"
                                                                                            "age",
                                                                                            "\"imag"
                                                                                            "es\": "
                                                                                            "[\"3\""
                                                                                            ", 5]") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX " clip_skip=1",
     NULL},
    {"a number that is computed",
     {{"prompt", "{" TEXTS ", " DECODE("3") ", " NODE(
                     "3", "KSampler",
                     "\"seed\": 77, \"steps\": [\"20\", 0], \"cfg\": 3, "
                     "\"sampler_name\": \"euler\", "
                     "\"scheduler\": \"normal\", \"denoise\": 1.0, "
                     "\"model\": [\"4\", 0], \"positive\": [\"6\", 0], "
                     "\"negative\": [\"7\", 0], \"latent_image\": [\"5\", "
                     "0]") ", " NODE("20", "SimpleMath+", "\"value\": \"a*3\", \"a\": 3") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler\" spacing=linspace "
     "guidance=3 "
     "seed=77 width=128 height=64",
     "steps comes from the node SimpleMath+, which is not understood"},
    {"faces painted over and the picture made larger afterwards",
     {{"prompt",
       "{" SAMPLER("3", "6", "7", "5") ", " TEXTS ", " NODE("8", "VAEDecode", "\"samples\": [\"3\", 0], \"vae\": [\"4\", 2]") ", " NODE(
           "1", "FaceDetailer",
           "\"image\": [\"8\", 0], \"model\": [\"4\", 0], \"clip\": "
           "[\"4\", 1], \"vae\": [\"4\", 2], "
           "\"positive\": [\"6\", 0], \"negative\": [\"7\", 0], "
           "\"seed\": 5, \"steps\": 20, \"cfg\": 8, "
           "\"sampler_name\": \"heun\", \"scheduler\": \"normal\", "
           "\"denoise\": 0.5") ", " NODE("2", "ImageScaleBy",
                                         "\"image\": [\"1\", 0], "
                                         "\"scale_by\": 2, "
                                         "\"upscale_method\": "
                                         "\"area\"") ", " NODE("9",
                                                               "SaveIm"
                                                               "age",
                                                               "\"imag"
                                                               "es\": "
                                                               "[\"2\""
                                                               ", 0]") ", " NODE("10",
                                                                                 "PreviewImage",
                                                                                 "\"images\": "
                                                                                 "[\"8\", 0]") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX,
     NO_NODE("ImageScaleBy") "\n" PASSES("2")},
    {"another sampler that has no part in the saved picture",
     {{"prompt",
       "{" SAMPLER("1", "7", "6", "5") ", " SAMPLER("3", "6", "7", "5") ", " TEXTS ", " DECODE(
           "3") ", " NODE("10", "PreviewImage",
                          "\"images\": [\"11\", 0]") ", " NODE("11", "VAEDecode",
                                                               "\"samples\": [\"1\", 0], "
                                                               "\"vae\": [\"4\", 2]") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX,
     "the graph has 2 samplers; the one before the saved picture was taken"},
    {"a photograph as the start, LoRA on the model, denoise",
     {{"prompt",
       "{" TEXTS ", " DECODE("3") ", " NODE(
           "3", "KSampler",
           "\"seed\": 77, \"steps\": 9, "
           "\"cfg\": 3, \"sampler_name\": "
           "\"euler\", "
           "\"scheduler\": \"beta57\", "
           "\"denoise\": 0.6, \"model\": "
           "[\"20\", 0], \"positive\": "
           "[\"6\", 0], "
           "\"negative\": [\"7\", 0], "
           "\"latent_image\": [\"21\", 0]") ", " NODE("20", "LoraLoaderModelOnly",
                                                      "\"lora_name\": \"l\", "
                                                      "\"strength_model\": 1, \"model\": "
                                                      "[\"4\", 0]") ", " NODE("21", "VAEEncode",
                                                                              "\"pixels\""
                                                                              ": "
                                                                              "[\"22\", "
                                                                              "0], "
                                                                              "\"vae\": "
                                                                              "[\"4\", "
                                                                              "2]") ","
                                                                                    " " NODE(
                                                                                        "22",
                                                                                        "LoadImage",
                                                                                        "\"image\":"
                                                                                        " \"i."
                                                                                        "png\"") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler\" steps=9 guidance=3 "
     "seed=77",
     "the schedule \"beta57\" has no counterpart here; the model's is taken\n" NO_LORA(
         "l") "\n" NOT_FROM_NOISE "\ndenoise 0.6 was not taken over"},
    {"in EXIF, as ComfyUI writes it into WebP",
     {{"EXIF Make", "workflow:{}"},
      {"EXIF Model", "prompt:{" SAMPLER("3", "6", "7", "5") ", " TEXTS ", " DECODE("3") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX,
     NULL},
    {"a sampler that is not here, and a value that is none: the rest is taken",
     {{"prompt", "{" TEXTS ", " DECODE("3") ", " NODE(
                     "3", "KSampler",
                     "\"seed\": 77, \"steps\": 0, \"cfg\": 3, \"sampler_name\": "
                     "\"seeds_2\", "
                     "\"scheduler\": \"normal\", \"denoise\": 1, \"model\": [\"4\", "
                     "0], \"positive\": [\"6\", 0], "
                     "\"negative\": [\"7\", 0], \"latent_image\": [\"5\", 0]") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     "prompt=\"a fox\" negative_prompt=\"bad\" guidance=3 seed=77 width=128 height=64",
     "steps is \"0\"; expected a whole number from 1 to 1000: it stays as it was\n"
     "scheduler is \"seeds_2\"; there is none like it here: it stays as it was"},
    {"a drawing with links, a reroute, a primitive, a bypassed LoRA and a node that is "
     "off",
     {{"workflow", "{\"nodes\": ["
                   "{\"id\": 4, \"type\": \"CheckpointLoaderSimple\", \"widgets_values\": "
                   "[\"sd15.ckpt\"]},"
                   "{\"id\": 2, \"type\": \"LoraLoader\", \"mode\": 4, \"widgets_values\": [\"l\", "
                   "1, 1], \"inputs\": ["
                   "{\"name\": \"model\", \"link\": 1}, {\"name\": \"clip\", \"link\": 2}]},"
                   "{\"id\": 6, \"type\": \"CLIPTextEncode\", \"widgets_values\": [\"a fox\"], "
                   "\"inputs\": [{\"name\": \"clip\", \"link\": 3}]},"
                   "{\"id\": 7, \"type\": \"CLIPTextEncode\", \"widgets_values\": [\"bad\"], "
                   "\"inputs\": [{\"name\": \"clip\", \"link\": 4}]},"
                   "{\"id\": 5, \"type\": \"EmptyLatentImage\", \"widgets_values\": [128, 64, 1]},"
                   "{\"id\": 10, \"type\": \"Reroute\", \"inputs\": [{\"name\": \"\", \"link\": "
                   "5}]},"
                   "{\"id\": 11, \"type\": \"PrimitiveNode\", \"widgets_values\": [9, \"fixed\"]},"
                   "{\"id\": 12, \"type\": \"KSampler\", \"mode\": 2, \"widgets_values\": [1, "
                   "\"fixed\", 2, 1, \"heun\", \"karras\", 1]},"
                   "{\"id\": 3, \"type\": \"KSampler\", \"widgets_values\": [77, \"randomize\", "
                   "20, 3, \"euler\", \"normal\", 1], \"inputs\": ["
                   "{\"name\": \"model\", \"link\": 6}, {\"name\": \"positive\", \"link\": 7}, "
                   "{\"name\": \"negative\", \"link\": 8},"
                   "{\"name\": \"latent_image\", \"link\": 9}, {\"name\": \"steps\", \"link\": 10, "
                   "\"widget\": {\"name\": \"steps\"}}]},"
                   "{\"id\": 8, \"type\": \"VAEDecode\", \"inputs\": [{\"name\": \"samples\", "
                   "\"link\": 11}, {\"name\": \"vae\", \"link\": 12}]},"
                   "{\"id\": 9, \"type\": \"SaveImage\", \"widgets_values\": [\"x\"], \"inputs\": "
                   "[{\"name\": \"images\", \"link\": 13}]}],"
                   "\"links\": [[1, 4, 0, 2, 0, \"MODEL\"], [2, 4, 1, 2, 1, \"CLIP\"], [3, 2, 1, "
                   "6, 0, \"CLIP\"], [4, 2, 1, 7, 0, \"CLIP\"],"
                   "[5, 5, 0, 10, 0, \"*\"], [6, 2, 0, 3, 0, \"MODEL\"], [7, 6, 0, 3, 1, \"C\"], "
                   "[8, 7, 0, 3, 2, \"C\"], [9, 10, 0, 3, 3, \"L\"],"
                   "[10, 11, 0, 3, 4, \"INT\"], [11, 3, 0, 8, 0, \"L\"], {\"id\": 12, "
                   "\"origin_id\": 4, \"origin_slot\": 2},"
                   "[13, 8, 0, 9, 0, \"IMAGE\"]]}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX,
     ONLY_DRAWN},
    {"a graph without a sampler",
     {{"prompt", "{" NODE("1", "LoadImage", "\"image\": \"i.png\"") ", " NODE(
                     "2", "SaveImage", "\"images\": [\"1\", 0]") "}"}},
     NULL,
     NULL,
     NULL,
     "t.png: the text \"prompt\" holds no ComfyUI graph with a known sampler"},
};

static const Case webui[] = {
    {"Forge with a VAE of its own and embeddings",
     {{"parameters", WEB ", VAE: other.vae, VAE hash: 01, TI hashes: \"easyneg: 01\", Version: "
                         "f2.0.1v1.10.1-previous-1"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler\" "
     "spacing=linspace steps=9 guidance=3 seed=77 noise=cuda width=128 height=64",
     OTHER_VAE("other.vae") "\nnot taken over: TI hashes"},
    {"Civitai, whose sampler has no name",
     {{"parameters", "a fox\nSteps: 9, Sampler: Undefined, CFG scale: 3, Seed: 77, Size: 128x64, "
                     "Clip skip: 2, Created Date: "
                     "2026-01-01T00:00:00Z, Civitai resources: "
                     "[{\"type\":\"checkpoint\",\"modelVersionId\":1}], Civitai metadata: {}"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" steps=9 guidance=3 seed=77 width=128 height=64 clip_skip=1",
     "the sampler is \"Undefined\", which names none: it stays as it was\n" NO_NOISE("Civitai")},
    {"Krita, which computes with ComfyUI",
     {{"parameters", "a fox <lora:x:0.8>\nNegative prompt: bad\nSteps: 9, Sampler: "
                     "euler_ancestral, Seed: 77, Size: 128x64, "
                     "Model hash: unknown, Model: sd15, CFG scale: 3"}},
     "parameters",
     "sd15",
     "prompt=\"a fox <lora:x:0.8>\" negative_prompt=\"bad\" scheduler=\"euler-a\" steps=9 "
     "guidance=3 "
     "seed=77 width=128 height=64",
     "the LoRA x, which the prompt names, was not found here"},
    {"Fooocus in the common form",
     {{"parameters", "a fox\nNegative prompt: bad\nSteps: 9, Sampler: DPM++ 2M SDE Karras, Seed: "
                     "77, Size: 128x64, CFG scale: 3, "
                     "Sharpness: 2, Model: m, Version: Fooocus v2.5.5"},
      {"fooocus_scheme", "a1111"}},
     "parameters",
     "m",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"dpmpp-2m-sde-bt\" sigmas=karras steps=9 "
     "guidance=3 seed=77 width=128 height=64",
     "not taken over: Sharpness"},
    {"Fooocus' usual clip skip in the common form",
     {{"parameters",
       "a fox\nSteps: 9, Sampler: Euler, Seed: 77, Size: 128x64, CFG scale: 3, Clip skip: 2, "
       "Version: Fooocus v2.5.5"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" scheduler=\"euler\" steps=9 guidance=3 seed=77 width=128 height=64",
     NULL},
    {"Fooocus' usual clip skip",
     {{"parameters", "{\"prompt\": \"a fox\", \"steps\": 9, \"guidance_scale\": 3, "
                     "\"resolution\": \"(128, 64)\", \"seed\": 77, \"sampler\": \"euler\", "
                     "\"base_model\": \"m\", \"clip_skip\": 2, \"version\": \"Fooocus v2.5.5\"}"},
      {"fooocus_scheme", "fooocus"}},
     "Fooocus",
     "m",
     "prompt=\"a fox\" scheduler=\"euler\" steps=9 guidance=3 seed=77 width=128 height=64",
     NULL},
    {"Clip skip of a picture that may be of SDXL",
     {{"parameters",
       "a fox\nSteps: 9, Sampler: Euler, Seed: 77, Size: 832x1216, CFG scale: 3, Clip skip: 2, "
       "Version: v1.10.1"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" scheduler=\"euler\" steps=9 guidance=3 seed=77 noise=cuda width=832 "
     "height=1216 "
     "clip_skip=1",
     "clip skip was counted from the last layer: if the model is of Stable Diffusion XL, it is 0 "
     "here"},
    {"... of SD.Next, which runs diffusers",
     {{"parameters",
       "a fox\nSteps: 9, Size: 832x1216, Sampler: Euler, Seed: 77, CFG scale: 3, Clip skip: 2, "
       "App: SD.Next, Version: 1"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" scheduler=\"euler\" steps=9 guidance=3 seed=77 noise=cuda width=832 "
     "height=1216 "
     "clip_skip=1",
     NULL},
    {"Fooocus with a layer less",
     {{"parameters", "{\"prompt\": \"a fox\", \"steps\": 9, \"guidance_scale\": 3, "
                     "\"resolution\": \"(128, 64)\", \"seed\": 77, \"sampler\": \"euler\", "
                     "\"base_model\": \"m\", \"clip_skip\": 3, \"version\": \"Fooocus v2.5.5\"}"},
      {"fooocus_scheme", "fooocus"}},
     "Fooocus",
     "m",
     "prompt=\"a fox\" scheduler=\"euler\" steps=9 guidance=3 seed=77 width=128 height=64 "
     "clip_skip=1",
     NULL},
    {"a program that nobody knows, an eta of DDIM, and Clip skip with a point",
     {{"EXIF UserComment", "a fox\nSteps: 9, Sampler: DDIM, CFG scale: 3, Seed: 77, Size: 128x64, "
                           "Eta DDIM: 0.5, Clip skip: 2.0, Version: paint 7"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" scheduler=\"ddim\" eta=0.5 steps=9 guidance=3 seed=77 width=128 height=64 "
     "clip_skip=1",
     NO_NOISE("paint 7")},
    {"SD.Next with a name of diffusers",
     {{"parameters", "a fox\nNegative prompt: bad\nSteps: 9, Size: 128x64, Sampler: LMSD, Seed: "
                     "77, CFG scale: 3, App: SD.Next, "
                     "Version: 0123abc, VAE: TAESD, Operations: txt2img"}},
     "parameters",
     NULL,
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"lms\" steps=9 guidance=3 seed=77 "
     "noise=cuda "
     "width=128 height=64",
     OTHER_VAE("TAESD")},
    {"a sampler that is not here discards nothing else",
     {{"parameters",
       "a \\(fox\\)\nSteps: 9, Sampler: DPM fast, CFG scale: 3, Seed: 77, Size: 128x64, RNG: NV"}},
     "parameters",
     NULL,
     "prompt=\"a \\(fox\\)\" steps=9 guidance=3 seed=77 noise=cuda width=128 height=64",
     "scheduler is \"DPM fast\"; there is none like it here: it stays as it was"},
    {"words under the right name, and a graph beside them",
     {{"parameters", "only words"},
      {"prompt", "{" SAMPLER("3", "6", "7", "5") ", " TEXTS ", " DECODE("3") "}"}},
     "ComfyUI",
     "sd15.ckpt",
     FOX,
     NULL},
};

static const Case others[] = {
    {"Draw Things in XMP",
     {{"XMP UserComment",
       "{\"c\":\"a fox\",\"uc\":\"bad\",\"sampler\":\"DPM++ 2M Trailing\",\"seed\":77,\"scale\":3,"
       "\"size\":\"128x64\",\"steps\":9,\"strength\":1,\"model\":\"sd_v1.5_f16.ckpt\",\"seed_"
       "mode\":\"NVIDIA GPU Compatible\","
       "\"loras\":[{\"model\":\"l\",\"weight\":1}],\"mask_blur\":2.5,\"v2\":{\"steps\":9}}"}},
     "Draw Things",
     "sd_v1.5_f16.ckpt",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"dpmpp-2m\" spacing=trailing steps=9 "
     "guidance=3 seed=77 noise=cuda width=128 height=64",
     NO_LORA("l")},
    {"NovelAI in a WebP",
     {{"EXIF UserComment",
       "{\"Title\": \"NovelAI generated image\", \"Description\": \"a fox, 1.3::red ::\", "
       "\"Software\": \"NovelAI\", "
       "\"Source\": \"Stable Diffusion 1D44365E\", \"Comment\": \"{\\\"prompt\\\": \\\"a fox\\\", "
       "\\\"steps\\\": 9, \\\"height\\\": 64, "
       "\\\"width\\\": 128, \\\"scale\\\": 3.0, \\\"uncond_scale\\\": 1.0, \\\"cfg_rescale\\\": "
       "0.2, \\\"seed\\\": 77, \\\"noise_schedule\\\": "
       "\\\"karras\\\", \\\"sampler\\\": \\\"k_dpmpp_2m\\\", \\\"uc\\\": \\\"bad\\\", \\\"sm\\\": "
       "true, \\\"request_type\\\": "
       "\\\"PromptGenerateRequest\\\", \\\"signed_hash\\\": \\\"x\\\"}\"}"}},
     "NovelAI",
     "Stable Diffusion 1D44365E",
     "prompt=\"a fox, 1.3::red ::\" negative_prompt=\"bad\" scheduler=\"dpmpp-2m\" sigmas=karras "
     "steps=9 "
     "guidance=3 seed=77 width=128 height=64",
     NO_NOISE("NovelAI") "\nnot taken over: cfg_rescale, sm\n" WORDS("::")},
    {"Easy Diffusion in a JPEG",
     {{"EXIF UserComment", "{\"prompt\": \"a fox\", \"negative_prompt\": \"bad\", \"seed\": 77, "
                           "\"width\": 128, \"height\": 64, "
                           "\"num_inference_steps\": 9, \"guidance_scale\": 3, \"sampler_name\": "
                           "\"dpmpp_2s_a\", \"use_stable_diffusion_model\": \"sd-v1-5\", "
                           "\"use_vae_model\": \"other\", \"clip_skip\": true, \"use_lora_model\": "
                           "null, \"tiling\": \"xy\"}"}},
     "Easy Diffusion",
     "sd-v1-5",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"dpmpp-2s-a\" steps=9 guidance=3 seed=77 "
     "width=128 height=64 clip_skip=1",
     OTHER_VAE("other") "\n" NO_NOISE("Easy Diffusion") "\nnot taken over: tiling"},
    {"SwarmUI in a JPEG, another layer and a tag",
     {{"EXIF UserComment", "{\"sui_image_params\": {\"prompt\": \"a fox <random:red|blue>\", "
                           "\"negativeprompt\": \"bad\", \"model\": \"sd15\", "
                           "\"seed\": 77, \"steps\": 9, \"cfgscale\": 3, \"aspectratio\": "
                           "\"Custom\", \"width\": 128, \"height\": 64, \"sampler\": \"euler\", "
                           "\"scheduler\": \"normal\", \"clipstopatlayer\": -2, \"vae\": \"None\", "
                           "\"refinermethod\": \"PostApply\", \"swarm_version\": \"0.9.5\"}}"}},
     "SwarmUI",
     "sd15",
     "prompt=\"a fox <random:red|blue>\" negative_prompt=\"bad\" scheduler=\"euler\" "
     "spacing=linspace "
     "steps=9 guidance=3 seed=77 width=128 height=64 clip_skip=1",
     "not taken over: refinermethod\n" WORDS("<random:red|blue>")},
    {"InvokeAI 6 from a picture, with a VAE and a LoRA",
     {{"invokeai_metadata", "{\"app_version\": \"6.3.0\", \"generation_mode\": \"img2img\", "
                            "\"positive_prompt\": \"a fox++\", "
                            "\"negative_prompt\": \"bad\", \"width\": 128, \"height\": 64, "
                            "\"seed\": 77, \"rand_device\": \"cuda\", \"cfg_scale\": 3, "
                            "\"cfg_rescale_multiplier\": 0.7, \"steps\": 9, \"scheduler\": "
                            "\"dpmpp_3m_k\", \"model\": {\"key\": \"k\", \"hash\": \"blake3:0\", "
                            "\"name\": \"sd15\"}, \"vae\": {\"name\": \"other\"}, \"loras\": "
                            "[{\"weight\": 1}], \"strength\": 0.6, \"ref_images\": [], "
                            "\"canvas_v2_metadata\": {\"a\": 1}}"}},
     "InvokeAI",
     "sd15",
     "prompt=\"a fox++\" negative_prompt=\"bad\" steps=9 guidance=3 seed=77 noise=cuda width=128 "
     "height=64 guidance_rescale=0.7",
     "scheduler is \"dpmpp_3m_k\"; there is none like it here: it stays as it was\n" NOT_FROM_NOISE
     "\n" OTHER_VAE("other") "\nnot taken over: loras\n"
                             "not taken over: strength"},
    {"InvokeAI 1 with options that are not here",
     {{"Dream",
       "\"a [bad] fox\" -s9 -S77 -W128 -H64 -C3.0 -Ak_euler_a -G 0.8 -v 0.1 -V 5:0.2 --seamless"}},
     "InvokeAI 1",
     NULL,
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler-a\" steps=9 guidance=3 seed=77 "
     "noise=cuda width=128 height=64",
     "the noise was mixed with that of other seeds; this was not taken over\nnot taken over: -G, "
     "--seamless"},
    {"a descendant of Fooocus",
     {{"parameters", "{\"Prompt\": \"a fox\", \"Negative\": \"bad\", \"steps\": 9, \"cfg\": 3, "
                     "\"width\": 128, \"height\": 64, \"seed\": 77, "
                     "\"sampler_name\": \"euler\", \"scheduler\": \"simple\", \"base_model_name\": "
                     "\"m\", \"base_model_hash\": \"01\", \"loras\": [], "
                     "\"clip_skip\": 1, \"software\": \"RuinedFooocus\"}"}},
     "Fooocus",
     "m",
     "prompt=\"a fox\" negative_prompt=\"bad\" scheduler=\"euler\" spacing=trailing steps=9 "
     "guidance=3 "
     "seed=77 width=128 height=64",
     NULL},
    {"only what was done afterwards",
     {{"postprocessing", "Postprocess upscale by: 4"}},
     NULL,
     NULL,
     NULL,
     "t.png: this PNG holds no settings that are known here, only the text \"postprocessing\""},
};

/* ---- embeddings that are here ---- */

/* A folder of models with "easyneg" among its embeddings. */
static bool make_embeddings(char *models, char path[200])
{
    char *from = sl_test_path("goldens/embeddings/sd1.pt"), inner[200];
    size_t bytes = 0;
    SlError err = {0};
    void *data = sl_read_file(from, 1 << 20, &bytes, &err);
    bool ok = data && mkdtemp(models);
    snprintf(inner, sizeof inner, "%.150s/embeddings", models);
    snprintf(path, 200, "%.150s/embeddings/easyneg.pt", models);
    ok = ok && mkdir(inner, 0700) == 0 && sl_write_file(path, data, bytes, &err);
    free(data);
    free(from);
    return ok && setenv("SAFELIGHT_MODELS", models, 1) == 0;
}

/* InvokeAI calls them <NAME>, AUTOMATIC1111 lists their hashes. */
static void test_embeddings(void)
{
    char models[] = "/tmp/safelight-foreign-XXXXXX", path[200], hex[65] = "", hashes[600];
    const char *before = getenv("SAFELIGHT_MODELS");
    char *saved = before ? strdup(before) : NULL;
    SlError err = {0};
    bool ok = make_embeddings(models, path) && sl_sha256_file(path, hex, NULL, &err);
    sl_test(ok, "a folder of embeddings %s", err.message);
    snprintf(hashes, sizeof hashes,
             "a fox by nice\nSteps: 9, Sampler: Euler a, CFG scale: 7, Seed: 2, Size: 64x64, TI "
             "hashes: \"nice: %.12s\"",
             hex);
    char expected[200];
    snprintf(expected, sizeof expected,
             "prompt=\"a fox by nice\" scheduler=\"euler-a\" steps=9 guidance=7 seed=2 "
             "noise=cuda width=64 height=64 embedding=\"easyneg#%.12s:nice\"",
             hex);
    const Case cases[] = {
        {"InvokeAI names embeddings in the prompts",
         {{"invokeai_metadata",
           "{\"app_version\": \"6.3.0\", \"positive_prompt\": \"a fox <none> <easyneg>+\", "
           "\"negative_prompt\": \"<easyneg>, bad\", \"steps\": 9}"}},
         "InvokeAI",
         NULL,
         "prompt=\"a fox <none> <easyneg>+\" negative_prompt=\"<easyneg>, bad\" steps=9 "
         "embedding=\"easyneg:<easyneg>\"",
         NULL},
        {"AUTOMATIC1111's hash finds it under another name",
         {{"parameters", hashes}},
         "parameters",
         NULL,
         expected,
         NULL}};
    for (size_t i = 0; ok && i < sizeof cases / sizeof cases[0]; i++)
        check(&cases[i]);
    unlink(path);
    path[strlen(path) - strlen("/easyneg.pt")] = 0;
    rmdir(path);
    rmdir(models);
    if (saved)
        setenv("SAFELIGHT_MODELS", saved, 1);
    else
        unsetenv("SAFELIGHT_MODELS");
    free(saved);
}

/* ---- hostile graphs ---- */

static void timed(const char *keyword, const char *text, const char *what)
{
    SlPictureTexts texts = {.kind = "PNG", .count = 1};
    SlImport import;
    SlError err = {0};
    struct timespec a, b;
    snprintf(texts.entry[0].keyword, sizeof texts.entry[0].keyword, "%s", keyword);
    texts.entry[0].text = (char *)(uintptr_t)text;
    clock_gettime(CLOCK_MONOTONIC, &a);
    bool ok = sl_import_texts("t.png", &texts, &nothing, NULL, &import, &err);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    const char *said_of = !ok ? err.message : import.notes ? import.notes : "no notes";
    sl_test(seconds < 10 && (ok || *err.message), "%s ends (%.2f s): %.*s", what, seconds,
            (int)strcspn(said_of, "\n"), said_of);
    sl_import_free(&import);
}

static void test_hostile(void)
{
    SlText text = {0};
    const size_t enough = ((size_t)1 << 20) - 400;
    timed("prompt", "{" SAMPLER("3", "3", "3", "3") ", " DECODE("8") "}", "a graph of loops");
    timed(
        "prompt",
        "{" SAMPLER("3", "6", "6", "6") ", " NODE(
            "6", "CLIPTextEncode",
            "\"text\": [\"7\", 0], \"clip\": [\"6\", 0]") ", " NODE("7", "StringConcatenate",
                                                                    "\"string_a\": [\"7\", 0], "
                                                                    "\"string_b\": [\"7\", 0]") "}",
        "a text that is made of itself twice");
    sl_text_add(&text, "{" SAMPLER("3", "0", "0", "0"));
    for (int i = 0; text.length < enough; i++)
        sl_text_addf(&text,
                     ",\"%d\":{\"class_type\":\"X\",\"inputs\":{\"conditioning\":[\"%d\",0],"
                     "\"samples\":[%d,0],\"text\":[\"%d\",0],\"b\":[\"3\",0]}}",
                     i, i + 1, i + 1, i + 1);
    sl_text_add(&text, "}");
    timed("prompt", text.data, "a chain of thousands of nodes");
    sl_text_free(&text);
    sl_text_add(&text,
                "{" SAMPLER("3", "0", "0", "0") ",\"0\":{\"class_type\":\"X\",\"inputs\":{\"a\":1");
    while (text.length < enough)
        sl_text_add(&text, ",\"images\":[\"0\",0]");
    sl_text_add(&text, "}}}");
    timed("prompt", text.data, "a node of thousands of links to itself");
    sl_text_free(&text);
    sl_text_add(&text, "{\"nodes\":[{}");
    for (int i = 0; text.length < enough; i++)
        sl_text_addf(&text, ",{\"id\":%d,\"type\":\"%s\",\"widgets_values\":[\"x\"]}", i,
                     i % 2 ? "GetNode" : "SetNode");
    sl_text_add(&text, "],\"links\":[[]]}");
    timed("workflow", text.data, "a drawing of thousands of named nodes");
    sl_text_free(&text);
    sl_text_add(&text, "{\"nodes\":");
    while (text.length < enough)
        sl_text_add(&text, "[{\"nodes\":");
    timed("workflow", text.data, "a drawing that is nested without end");
    sl_text_free(&text);
    while (text.length < enough)
        sl_text_add(&text, "([{<a:\\");
    sl_text_add(&text, "\nSteps: 9, Sampler: Euler, Seed: 5");
    timed("parameters", text.data, "a prompt of brackets");
    sl_text_free(&text);
    sl_text_add(&text, "\"");
    while (text.length < enough)
        sl_text_add(&text, "[[");
    sl_text_add(&text, "\" -s 5");
    timed("Dream", text.data, "brackets that are not closed");
    sl_text_free(&text);
}

int main(void)
{
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        check(&pictures[i]);
    for (size_t i = 0; i < sizeof comfyui / sizeof *comfyui; i++)
        check(&comfyui[i]);
    for (size_t i = 0; i < sizeof webui / sizeof *webui; i++)
        check(&webui[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check(&others[i]);
    test_embeddings();
    test_hostile();
    return sl_test_done();
}
