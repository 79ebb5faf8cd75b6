/* novelai.c - NovelAI's texts: Description is the prompt, Comment JSON with the rest (see
 * readers.h). In WebP all of them are one JSON object in EXIF's UserComment. The copy that it hides
 * in the lowest bits of the alpha channel is not read: that takes the pixels.
 */
#include "app/recipe/foreign/flat.h"
#include "app/recipe/foreign/readers.h"

#include <string.h>

static const SlFlatKey keys[] = {{"steps", SL_SETTING_STEPS, 0},
                                 {"seed", SL_SETTING_SEED, 0},
                                 {"scale", SL_SETTING_GUIDANCE, 0},
                                 {"uc", SL_SETTING_NEGATIVE_PROMPT, 0},
                                 {"width", SL_SETTING_WIDTH, 0},
                                 {"height", SL_SETTING_HEIGHT, 0},
                                 {NULL, 0, 0}};

/* strength and noise are written for every picture, and count only where it began with another. */
static const char *const known[] = {"prompt",
                                    "sampler",
                                    "noise_schedule",
                                    "strength",
                                    "noise",
                                    "request_type",
                                    "signed_hash",
                                    "n_samples=1",
                                    "cfg_rescale=0",
                                    "uncond_scale=1",
                                    "controlnet_strength=1",
                                    "version",
                                    "legacy_v3_extend",
                                    "lora_unet_weights",
                                    "lora_clip_weights",
                                    "v4_prompt",
                                    "v4_negative_prompt",
                                    "add_original_image",
                                    "uncond_per_vibe",
                                    "wonky_vibe_correlation",
                                    "reference_information_extracted=1",
                                    "hide_debug_overlay",
                                    "prefer_brownian",
                                    "deliberate_euler_ancestral_bug",
                                    NULL};

static bool is_ours(const char *text)
{
    return sl_foreign_is_json(text) && sl_foreign_has_key(text, "Comment") &&
           strstr(text, "NovelAI") != NULL;
}

const char *sl_foreign_find_novelai(const SlPictureTexts *texts)
{
    const char *software = sl_picture_texts_find(texts, "Software");
    if (software && strstr(software, "NovelAI"))
        return sl_picture_texts_find(texts, "Comment");
    return sl_foreign_find_comment(texts, is_ours);
}

static void take_all(SlImporter *im, const cJSON *comment, const char *prompt, const char *source)
{
    const char *type = sl_flat_text(comment, "request_type");
    const char *own = sl_flat_text(comment, "prompt");
    sl_importer_take(im, SL_SETTING_PROMPT, prompt ? prompt : own);
    sl_flat_take(im, comment, keys);
    sl_importer_take_model(im, source, NULL);
    sl_importer_take_sampler(im, sl_flat_text(comment, "sampler"),
                             sl_flat_text(comment, "noise_schedule"));
    sl_importer_note(im, SL_NOTE_NOISE, "NovelAI");
    if (type && (strstr(type, "Img2Img") || strstr(type, "Infill")))
        sl_importer_note(im, SL_NOTE_PICTURE, NULL);
    sl_flat_note_rest(im, comment, keys, known);
}

bool sl_foreign_novelai(SlImporter *im, const SlPictureTexts *texts, const char *text, SlError *err)
{
    cJSON *root = sl_loose_parse(text, &im->failed), *inner = NULL;
    const char *comment = sl_flat_text(root, "Comment");
    const char *prompt = sl_picture_texts_find(texts, "Description");
    const char *source = sl_picture_texts_find(texts, "Source");
    if (comment) {
        inner = sl_loose_parse(comment, &im->failed);
        prompt = sl_flat_text(root, "Description");
        source = sl_flat_text(root, "Source");
    }
    const cJSON *settings = comment ? inner : root;
    bool ok = cJSON_IsObject(settings);
    if (ok)
        take_all(im, settings, prompt, source);
    else
        sl_fail(err, SL_FORMAT, "NovelAI's settings are not good JSON");
    cJSON_Delete(inner);
    cJSON_Delete(root);
    return ok;
}
