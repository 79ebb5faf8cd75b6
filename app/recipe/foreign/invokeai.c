/* invokeai.c - InvokeAI's three ways to write settings (see readers.h): JSON since 3, JSON of
 * another form in 2, the command line of 1.
 *
 * Easy to get wrong: in 1 and 2 the negative prompt stands in the prompt, in square brackets; both
 * drew their noise on the GPU, and since 3 it says which.
 */
#include "app/recipe/foreign/embeddings.h"
#include "app/recipe/foreign/flat.h"
#include "app/recipe/foreign/loras.h"
#include "app/recipe/foreign/readers.h"

#include <stdlib.h>
#include <string.h>

/* ---- 3 to 6 ---- */

static const SlFlatKey keys[] = {{"positive_prompt", SL_SETTING_PROMPT, 0},
                                 {"negative_prompt", SL_SETTING_NEGATIVE_PROMPT, 0},
                                 {"seed", SL_SETTING_SEED, 0},
                                 {"steps", SL_SETTING_STEPS, 0},
                                 {"cfg_scale", SL_SETTING_GUIDANCE, 0},
                                 {"cfg_rescale_multiplier", SL_SETTING_GUIDANCE_RESCALE, 0},
                                 {"width", SL_SETTING_WIDTH, 0},
                                 {"height", SL_SETTING_HEIGHT, 0},
                                 {"clip_skip", SL_SETTING_CLIP_SKIP, 0},
                                 {NULL, 0, 0}};

static const char *const known[] = {
    "app_version", "generation_mode",    "rand_device", "scheduler",        "model",
    "vae",         "canvas_v2_metadata", "hrf_method",  "hrf_strength",     "type",
    "id",          "is_intermediate",    "use_cache",   "metadata_version", "loras",
    NULL};

/* Of a model, a VAE or a LoRA, which are named otherwise since 4. */
static const char *name_of(const cJSON *model)
{
    const char *name = sl_flat_text(model, "name");
    if (!name)
        name = sl_flat_text(model, "model_name");
    return name ? name : cJSON_GetStringValue(model);
}

/* [{"model": {"name": ...}, "weight": 0.8}]; "lora" in place of "model" before 4. The weight is the UNet's and
 * the text encoders'. Its hashes are BLAKE3, which no file is looked up by here. */
static void take_loras(SlImporter *im, const cJSON *loras)
{
    SlLoraList list = sl_loras_begin(im);
    const cJSON *lora;
    cJSON_ArrayForEach(lora, loras)
    {
        const cJSON *model = cJSON_GetObjectItemCaseSensitive(lora, "model");
        const cJSON *weight = cJSON_GetObjectItemCaseSensitive(lora, "weight");
        double strength = cJSON_IsNumber(weight) ? weight->valuedouble : 1;
        model = model ? model : cJSON_GetObjectItemCaseSensitive(lora, "lora");
        sl_loras_add(&list, name_of(model), NULL, strength, strength);
    }
    sl_loras_take(&list);
}

bool sl_foreign_invokeai(SlImporter *im, const SlPictureTexts *texts, const char *text,
                         SlError *err)
{
    cJSON *root = sl_loose_parse(text, &im->failed);
    bool ok = cJSON_IsObject(root);
    (void)texts;
    if (ok) {
        const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
        const char *device = sl_flat_text(root, "rand_device");
        const char *mode = sl_flat_text(root, "generation_mode");
        const char *vae = name_of(cJSON_GetObjectItemCaseSensitive(root, "vae"));
        sl_flat_take(im, root, keys);
        sl_embeddings_take_triggers(im);
        sl_importer_take_model(im, name_of(model), sl_flat_text(model, "hash"));
        sl_importer_take_diffusers_sampler(im, sl_flat_text(root, "scheduler"));
        if (device)
            im->recipe.noise = strcmp(device, "cuda") == 0 ? SL_NOISE_CUDA : SL_NOISE_CPU;
        if (mode && !strstr(mode, "txt2img"))
            sl_importer_note(im, SL_NOTE_PICTURE, NULL);
        if (vae)
            sl_importer_note(im, SL_NOTE_VAE, vae);
        take_loras(im, cJSON_GetObjectItemCaseSensitive(root, "loras"));
        sl_flat_note_rest(im, root, keys, known);
    } else {
        sl_fail(err, SL_FORMAT, "the text \"invokeai_metadata\" is not a JSON object");
    }
    cJSON_Delete(root);
    return ok;
}

/* ---- 1 and 2: prompts ---- */

/* What stands in [] is the negative prompt. Blanks are made one. */
static void take_prompt(SlImporter *im, const char *prompt, size_t length)
{
    SlText positive = {0}, negative = {0};
    const char *last = memrchr(prompt, ']', length);
    bool inside = false;
    for (size_t i = 0; i < length; i++) {
        char c = prompt[i];
        if (c == '[' && !inside && last > prompt + i) {
            inside = true;
            c = ' ';
            if (negative.length)
                sl_text_add(&negative, " ");
        } else if (c == ']' && inside) {
            inside = false;
            continue;
        }
        SlText *to = inside && prompt[i] != '[' ? &negative : &positive;
        if (c != ' ' || (to->length && to->data[to->length - 1] != ' '))
            sl_text_append(to, &c, 1);
    }
    while (positive.length && positive.data[positive.length - 1] == ' ')
        positive.data[--positive.length] = '\0';
    im->failed |= positive.failed || negative.failed;
    sl_importer_take(im, SL_SETTING_PROMPT, positive.data ? positive.data : "");
    sl_importer_take(im, SL_SETTING_NEGATIVE_PROMPT, negative.data ? negative.data : "");
    sl_embeddings_take_triggers(im);
    sl_text_free(&positive);
    sl_text_free(&negative);
}

/* ---- 2 ---- */

static const SlFlatKey keys_2[] = {
    {"seed", SL_SETTING_SEED, 0},          {"steps", SL_SETTING_STEPS, 0},
    {"cfg_scale", SL_SETTING_GUIDANCE, 0}, {"width", SL_SETTING_WIDTH, 0},
    {"height", SL_SETTING_HEIGHT, 0},      {NULL, 0, 0}};

static const char *const known_2[] = {"prompt",   "sampler",        "type",        "threshold=0",
                                      "perlin=0", "strength_steps", "rand_prompt", NULL};

static void take_prompt_list(SlImporter *im, const cJSON *prompt)
{
    const cJSON *first = cJSON_IsArray(prompt) ? prompt->child : prompt;
    const char *text =
        cJSON_IsObject(first) ? sl_flat_text(first, "prompt") : cJSON_GetStringValue(first);
    if (text)
        take_prompt(im, text, strlen(text));
    if (cJSON_IsArray(prompt) && cJSON_GetArraySize(prompt) > 1)
        sl_importer_note(im, SL_NOTE_TWO_PROMPTS, NULL);
}

bool sl_foreign_invokeai_2(SlImporter *im, const SlPictureTexts *texts, const char *text,
                           SlError *err)
{
    cJSON *root = sl_loose_parse(text, &im->failed);
    const cJSON *image = cJSON_GetObjectItemCaseSensitive(root, "image");
    bool ok = cJSON_IsObject(image);
    (void)texts;
    if (ok) {
        const char *type = sl_flat_text(image, "type");
        const char *name = sl_flat_text(root, "model_weights");
        take_prompt_list(im, cJSON_GetObjectItemCaseSensitive(image, "prompt"));
        sl_flat_take(im, image, keys_2);
        sl_importer_take_model(im, name ? name : sl_flat_text(root, "model"),
                               sl_flat_text(root, "model_hash"));
        sl_importer_take_sampler(im, sl_flat_text(image, "sampler"), NULL);
        im->recipe.noise = SL_NOISE_CUDA;
        if (type && strcmp(type, "txt2img") != 0)
            sl_importer_note(im, SL_NOTE_PICTURE, NULL);
        sl_flat_note_rest(im, image, keys_2, known_2);
    } else {
        sl_fail(err, SL_FORMAT, "the text \"sd-metadata\" holds no settings of a picture");
    }
    cJSON_Delete(root);
    return ok;
}

/* ---- 1 ---- */

static void take_option(SlImporter *im, const char *option, const char *value, SlText *rest)
{
    static const struct {
        const char *option;
        SlSetting setting;
    } options[] = {{"-s", SL_SETTING_STEPS},
                   {"-S", SL_SETTING_SEED},
                   {"-W", SL_SETTING_WIDTH},
                   {"-H", SL_SETTING_HEIGHT},
                   {"-C", SL_SETTING_GUIDANCE}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(option, options[i].option) == 0) {
            sl_importer_take(im, options[i].setting, value);
            return;
        }
    if (strcmp(option, "-A") == 0)
        sl_importer_take_sampler(im, value, NULL);
    else if (strcmp(option, "-I") == 0 || strcmp(option, "--init_img") == 0)
        sl_importer_note(im, SL_NOTE_PICTURE, NULL);
    else if (strcmp(option, "-v") == 0 || strcmp(option, "-V") == 0)
        sl_importer_note(im, SL_NOTE_VARIATIONS, NULL);
    else
        sl_text_addf(rest, "%s%s", rest->length ? ", " : "", option);
}

/* "-s 30", "-s30" and "--steps" alone. */
static bool take_options(SlImporter *im, const char *text)
{
    char *copy = strdup(text), *state = NULL;
    SlText rest = {0};
    if (!copy)
        return false;
    for (char *word = strtok_r(copy, " \n\t", &state); word;) {
        char *next = strtok_r(NULL, " \n\t", &state), option[3] = {0};
        if (word[0] == '-' && word[1] != '-' && word[1] && word[2]) {
            memcpy(option, word, 2);
            take_option(im, option, word + 2, &rest);
        } else if (word[0] == '-' && word[1]) {
            /* A negative number is a value. */
            bool has_value = next && (next[0] != '-' || (next[1] >= '0' && next[1] <= '9'));
            take_option(im, word, has_value ? next : NULL, &rest);
            if (has_value)
                next = strtok_r(NULL, " \n\t", &state);
        }
        word = next;
    }
    if (rest.length)
        sl_importer_note(im, SL_NOTE_NOT_TAKEN, rest.data);
    bool ok = !rest.failed;
    sl_text_free(&rest);
    free(copy);
    return ok;
}

bool sl_foreign_invokeai_1(SlImporter *im, const SlPictureTexts *texts, const char *text,
                           SlError *err)
{
    const char *start = strchr(text, '"'), *end = start ? strrchr(start + 1, '"') : NULL;
    (void)texts;
    if (!end)
        return sl_fail(err, SL_FORMAT, "the text \"Dream\" holds no prompt in quotes");
    take_prompt(im, start + 1, (size_t)(end - start - 1));
    im->recipe.noise = SL_NOISE_CUDA;
    return take_options(im, end + 1) ||
           sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
}
