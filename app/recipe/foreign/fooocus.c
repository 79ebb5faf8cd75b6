/* fooocus.c - Fooocus' own JSON, and that of its descendants, which write some keys otherwise (see
 * readers.h). Its other form is the common text. It computes as ComfyUI does, with noise from the
 * CPU.
 *
 * Easy to get wrong: its models are all Stable Diffusion XL's, whose texts are taken before the last
 * layer, and it counts from the last one: its usual clip_skip, 2, skips nothing here. Its descendant's
 * 1 leaves the usual, too.
 */
#include "app/recipe/foreign/flat.h"
#include "app/recipe/foreign/loras.h"
#include "app/recipe/foreign/readers.h"

#include <stdio.h>
#include <string.h>

static const SlFlatKey keys[] = {{"prompt", SL_SETTING_PROMPT, 0},
                                 {"Prompt", SL_SETTING_PROMPT, 0},
                                 {"negative_prompt", SL_SETTING_NEGATIVE_PROMPT, 0},
                                 {"Negative", SL_SETTING_NEGATIVE_PROMPT, 0},
                                 {"steps", SL_SETTING_STEPS, 0},
                                 {"guidance_scale", SL_SETTING_GUIDANCE, 0},
                                 {"cfg", SL_SETTING_GUIDANCE, 0},
                                 {"seed", SL_SETTING_SEED, 0},
                                 {"width", SL_SETTING_WIDTH, 0},
                                 {"height", SL_SETTING_HEIGHT, 0},
                                 {NULL, 0, 0}};

static const char *const known[] = {"resolution",
                                    "clip_skip",
                                    "base_model",
                                    "base_model_name",
                                    "base_model_hash",
                                    "sampler",
                                    "sampler_name",
                                    "scheduler",
                                    "version",
                                    "software",
                                    "metadata_scheme",
                                    "created_by",
                                    "vae",
                                    "refiner_switch",
                                    "performance=Speed",
                                    "performance=Quality",
                                    "performance=Custom",
                                    "full_prompt",
                                    "full_negative_prompt",
                                    "loras",
                                    "lora_combined_*", /* the same again */
                                    "start_step=0",
                                    NULL};

/* "(512, 768)" or "512x768". */
static void take_resolution(SlImporter *im, const char *text)
{
    char width[12], height[12];
    if (!text)
        return;
    if (sscanf(text, "(%11[0-9], %11[0-9])", width, height) == 2 ||
        sscanf(text, "%11[0-9]x%11[0-9]", width, height) == 2) {
        sl_importer_take(im, SL_SETTING_WIDTH, width);
        sl_importer_take(im, SL_SETTING_HEIGHT, height);
    } else {
        sl_notes_add(&im->notes, SL_NOTE_VALUE, "resolution", text, "\"(width, height)\"");
    }
}

static void take_clip_skip(SlImporter *im, const cJSON *root)
{
    SlScratch scratch;
    const char *skip = sl_loose_member(root, "clip_skip", &scratch);
    if (skip && !(sl_flat_text(root, "software") && !strcmp(skip, "1")))
        sl_importer_take_from(im, SL_SETTING_CLIP_SKIP, skip, SL_FOOOCUS_SKIP);
}

static const char *either(const cJSON *root, const char *a, const char *b)
{
    const char *text = sl_flat_text(root, a);
    return text ? text : sl_flat_text(root, b);
}

/* "name" and its strength, a number as text. */
static void add_lora(SlLoraList *list, const char *name, const char *hash, const char *strength)
{
    double value;
    if (!strength || !sl_parse_double(strength, &value))
        value = 1;
    sl_loras_add(list, name, hash, value, value);
}

/* ["name", 0.5, "ten digits of its SHA-256"]; the descendant's ["ten digits", "0.5 - name"]. */
static void take_lora(SlLoraList *list, const cJSON *lora)
{
    SlScratch scratch;
    const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(lora, 0));
    const char *second = sl_loose_text(cJSON_GetArrayItem(lora, 1), &scratch);
    const char *dash = second ? strstr(second, " - ") : NULL;
    char strength[32];
    if (dash && (size_t)(dash - second) < sizeof strength) {
        snprintf(strength, sizeof strength, "%.*s", (int)(dash - second), second);
        add_lora(list, dash + 3, first, strength);
    } else {
        add_lora(list, first, cJSON_GetStringValue(cJSON_GetArrayItem(lora, 2)), second);
    }
}

/* "Loras:<name:0.5>,<other:1>", of the descendant's older versions. */
static void take_lora_text(SlLoraList *list, const char *text)
{
    const char *end, *colon;
    char name[1024], strength[32];
    for (text = strchr(text, '<'); text && (end = strchr(text, '>')); text = strchr(end, '<')) {
        colon = memrchr(text, ':', (size_t)(end - text));
        colon = colon ? colon : end;
        snprintf(name, sizeof name, "%.*s", (int)(colon - text - 1), text + 1);
        snprintf(strength, sizeof strength, "%.*s", colon < end ? (int)(end - colon - 1) : 0,
                 colon + 1);
        add_lora(list, name, NULL, strength);
    }
}

/* All that were applied, also those of a performance. */
static void take_loras(SlImporter *im, const cJSON *loras)
{
    SlLoraList list = sl_loras_begin(im);
    const cJSON *lora;
    if (cJSON_IsString(loras))
        take_lora_text(&list, loras->valuestring);
    else
        cJSON_ArrayForEach(lora, loras) take_lora(&list, lora);
    sl_loras_take(&list);
}

bool sl_foreign_fooocus(SlImporter *im, const SlPictureTexts *texts, const char *text, SlError *err)
{
    cJSON *root = sl_loose_parse(text, &im->failed);
    bool ok = cJSON_IsObject(root);
    (void)texts;
    if (ok) {
        const char *vae = sl_flat_text(root, "vae");
        sl_flat_take(im, root, keys);
        take_clip_skip(im, root);
        take_resolution(im, sl_flat_text(root, "resolution"));
        sl_importer_take_model(im, either(root, "base_model", "base_model_name"),
                               sl_flat_text(root, "base_model_hash"));
        sl_importer_take_sampler(im, either(root, "sampler", "sampler_name"),
                                 sl_flat_text(root, "scheduler"));
        im->recipe.noise = SL_NOISE_CPU;
        if (vae && strncmp(vae, "Default", 7) != 0)
            sl_importer_note(im, SL_NOTE_VAE, vae);
        take_loras(im, cJSON_GetObjectItemCaseSensitive(root, "loras"));
        sl_flat_note_rest(im, root, keys, known);
    } else {
        sl_fail(err, SL_FORMAT, "Fooocus' settings are not good JSON");
    }
    cJSON_Delete(root);
    return ok;
}
