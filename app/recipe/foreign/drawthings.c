/* drawthings.c - Draw Things' JSON, which stands in the UserComment of XMP or EXIF (see readers.h):
 * "c" is the prompt, "uc" the negative one, "size" "512x768". A member "v2" says the same again, and
 * how the seed was used.
 */
#include "app/recipe/foreign/flat.h"
#include "app/recipe/foreign/loras.h"
#include "app/recipe/foreign/readers.h"

#include <stdio.h>
#include <string.h>

static const SlFlatKey keys[] = {
    {"c", SL_SETTING_PROMPT, 0},    {"uc", SL_SETTING_NEGATIVE_PROMPT, 0},
    {"steps", SL_SETTING_STEPS, 0}, {"scale", SL_SETTING_GUIDANCE, 0},
    {"seed", SL_SETTING_SEED, 0},   {NULL, 0, 0}};

static const char *const known[] = {
    "sampler",     "size",    "model",   "seed_mode",        "v2",    "strength=1", "mask_blur",
    "sharpness=0", "shift=1", "profile", "mask_blur_outset", "loras", "lora",       NULL};

static void take_size(SlImporter *im, const char *text)
{
    char width[12], height[12];
    if (!text)
        return;
    if (sscanf(text, "%11[0-9]x%11[0-9]", width, height) == 2) {
        sl_importer_take(im, SL_SETTING_WIDTH, width);
        sl_importer_take(im, SL_SETTING_HEIGHT, height);
    } else {
        sl_notes_add(&im->notes, SL_NOTE_VALUE, "size", text, "width x height");
    }
}

/* The samplers are named with their schedules, "Trailing" among them. */
static void take_sampler(SlImporter *im, const char *name)
{
    char base[60];
    const char *word = name ? strrchr(name, ' ') : NULL;
    if (word && strcmp(word, " Trailing") == 0 && (size_t)(word - name) < sizeof base) {
        snprintf(base, sizeof base, "%.*s", (int)(word - name), name);
        sl_importer_take_sampler(im, base, "Simple"); /* whose spacing is trailing */
    } else {
        sl_importer_take_sampler(im, name, NULL);
    }
}

static void take_seed_mode(SlImporter *im, const char *mode)
{
    if (mode && strcmp(mode, "Torch CPU Compatible") == 0)
        im->recipe.noise = SL_NOISE_CPU;
    else if (mode && strcmp(mode, "NVIDIA GPU Compatible") == 0)
        im->recipe.noise = SL_NOISE_CUDA;
    else
        sl_importer_note(im, SL_NOTE_NOISE, "Draw Things");
}

/* Where the last "_lora_f16" begins; NULL: there is none. */
static const char *end_of_own(const char *name)
{
    const char *end = NULL;
    for (const char *p = name; (p = strstr(p, "_lora_f")); p++)
        end = p[7] >= '0' && p[7] <= '9' ? p : end;
    return end;
}

/* [{"model": "name_lora_f16.ckpt", "weight": 0.8}]; what it calls a file says that it is its own copy. */
static void take_loras(SlImporter *im, const cJSON *root)
{
    static const char *const keys_of[] = {"lora", "loras"};
    SlLoraList list = sl_loras_begin(im);
    for (int i = 0; i < 2; i++) {
        const cJSON *lora;
        cJSON_ArrayForEach(lora, cJSON_GetObjectItemCaseSensitive(root, keys_of[i]))
        {
            const cJSON *weight = cJSON_GetObjectItemCaseSensitive(lora, "weight");
            double strength = cJSON_IsNumber(weight) ? weight->valuedouble : 1;
            const char *name = sl_flat_text(lora, "model");
            char base[200] = "";
            const char *end = name ? end_of_own(name) : NULL;
            if (end && (size_t)(end - name) < sizeof base)
                snprintf(base, sizeof base, "%.*s", (int)(end - name), name);
            sl_loras_add(&list, *base ? base : name, NULL, strength, strength);
        }
    }
    sl_loras_take(&list);
}

bool sl_foreign_drawthings(SlImporter *im, const SlPictureTexts *texts, const char *text,
                           SlError *err)
{
    cJSON *root = sl_loose_parse(text, &im->failed);
    bool ok = cJSON_IsObject(root);
    (void)texts;
    if (ok) {
        sl_flat_take(im, root, keys);
        take_size(im, sl_flat_text(root, "size"));
        sl_importer_take_model(im, sl_flat_text(root, "model"), NULL);
        take_sampler(im, sl_flat_text(root, "sampler"));
        take_seed_mode(im, sl_flat_text(root, "seed_mode"));
        take_loras(im, root);
        sl_flat_note_rest(im, root, keys, known);
    } else {
        sl_fail(err, SL_FORMAT, "Draw Things' settings are not good JSON");
    }
    cJSON_Delete(root);
    return ok;
}
