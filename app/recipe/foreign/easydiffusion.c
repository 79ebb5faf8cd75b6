/* easydiffusion.c - Easy Diffusion: in a PNG a text for each setting, elsewhere JSON in a comment
 * (see readers.h). The keys are those of its requests, or the labels of its text files; both are
 * read.
 */
#include "app/recipe/foreign/flat.h"
#include "app/recipe/foreign/loras.h"
#include "app/recipe/foreign/readers.h"

#include <string.h>

static const SlFlatKey keys[] = {{"prompt", SL_SETTING_PROMPT, 0},
                                 {"Prompt", SL_SETTING_PROMPT, 0},
                                 {"negative_prompt", SL_SETTING_NEGATIVE_PROMPT, 0},
                                 {"Negative Prompt", SL_SETTING_NEGATIVE_PROMPT, 0},
                                 {"seed", SL_SETTING_SEED, 0},
                                 {"Seed", SL_SETTING_SEED, 0},
                                 {"num_inference_steps", SL_SETTING_STEPS, 0},
                                 {"Steps", SL_SETTING_STEPS, 0},
                                 {"guidance_scale", SL_SETTING_GUIDANCE, 0},
                                 {"Guidance Scale", SL_SETTING_GUIDANCE, 0},
                                 {"width", SL_SETTING_WIDTH, 0},
                                 {"Width", SL_SETTING_WIDTH, 0},
                                 {"height", SL_SETTING_HEIGHT, 0},
                                 {"Height", SL_SETTING_HEIGHT, 0},
                                 {NULL, 0, 0}};

/* Each in both forms. */
static const char *const sampler[] = {"sampler_name", "Sampler", NULL};
static const char *const schedule[] = {"scheduler_name", "Scheduler", NULL};
static const char *const model[] = {"use_stable_diffusion_model", "Stable Diffusion model", NULL};
static const char *const vae[] = {"use_vae_model", "VAE model", NULL};
static const char *const clip_skip[] = {"clip_skip", "Clip Skip", NULL};
static const char *const loras[] = {"use_lora_model", "LoRA model", "Lora Model", NULL};
static const char *const strengths[] = {"lora_alpha", "LoRA Strength", "Lora Strength", NULL};

/* Those, and what changes nothing in the picture. */
static const char *const known[] = {"sampler_name",
                                    "Sampler",
                                    "scheduler_name",
                                    "Scheduler",
                                    "use_stable_diffusion_model",
                                    "Stable Diffusion model",
                                    "use_vae_model",
                                    "VAE model",
                                    "clip_skip",
                                    "Clip Skip",
                                    "use_lora_model",
                                    "LoRA model",
                                    "Lora Model",
                                    "lora_alpha",
                                    "LoRA Strength",
                                    "Lora Strength",
                                    "stream_progress_updates",
                                    "stream_image_progress",
                                    "show_only_filtered_image",
                                    "output_format",
                                    "output_quality",
                                    "output_lossless",
                                    "metadata_output_format",
                                    "original_prompt",
                                    "used_random_seed",
                                    "vram_usage_level",
                                    "session_id",
                                    "block_nsfw",
                                    "num_outputs=1",
                                    "hypernetwork_strength",
                                    "Hypernetwork Strength",
                                    "prompt_strength",
                                    "Prompt Strength",
                                    "created_at",
                                    "backend",
                                    NULL};

static bool is_steps(const char *keyword)
{
    return strcmp(keyword, "num_inference_steps") == 0 || strcmp(keyword, "Guidance Scale") == 0;
}

static bool is_ours(const char *text)
{
    return sl_foreign_is_json(text) && (sl_foreign_has_key(text, "num_inference_steps") ||
                                        sl_foreign_has_key(text, "Guidance Scale"));
}

const char *sl_foreign_find_easydiffusion(const SlPictureTexts *texts)
{
    for (int i = 0; i < texts->count; i++)
        if (is_steps(texts->entry[i].keyword))
            return texts->entry[i].text;
    const char *text = sl_foreign_find_comment(texts, is_ours);
    const char *negative = sl_picture_texts_find(texts, "negative_prompt");
    return text ? text : negative && is_ours(negative) ? negative : NULL;
}

static const char *first_of(const cJSON *root, const char *const *names)
{
    const char *text = NULL;
    for (; !text && *names; names++)
        text = sl_flat_text(root, *names);
    return text && *text && strcmp(text, "None") != 0 ? text : NULL;
}

static bool is_true(const cJSON *root, const char *const *names)
{
    for (; *names; names++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, *names);
        const char *text = cJSON_GetStringValue(item);
        if (cJSON_IsTrue(item) || (text && sl_same_letters(text, "true")))
            return true;
    }
    return false;
}

static const cJSON *member_of(const cJSON *root, const char *const *names)
{
    const cJSON *item = NULL;
    for (; !item && *names; names++)
        item = cJSON_GetObjectItemCaseSensitive(root, *names);
    return item;
}

static void take_all(SlImporter *im, const cJSON *root)
{
    SlLoraList list = sl_loras_begin(im);
    sl_flat_take(im, root, keys);
    sl_importer_take(im, SL_SETTING_CLIP_SKIP, is_true(root, clip_skip) ? "1" : "0");
    sl_importer_take_model(im, first_of(root, model), NULL);
    sl_importer_take_sampler(im, first_of(root, sampler), first_of(root, schedule));
    if (first_of(root, vae))
        sl_importer_note(im, SL_NOTE_VAE, first_of(root, vae));
    sl_importer_note(im, SL_NOTE_NOISE, "Easy Diffusion");
    sl_loras_add_lists(&list, member_of(root, loras), member_of(root, strengths));
    sl_loras_take(&list);
    sl_flat_note_rest(im, root, keys, known);
}

/* The texts as the members of one object, whose strings are theirs. NULL without memory. */
static cJSON *object_of(const SlPictureTexts *texts)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    for (int i = 0; i < texts->count; i++)
        if (strncmp(texts->entry[i].keyword, "EXIF ", 5) != 0)
            sl_out_text(&out, root, texts->entry[i].keyword, texts->entry[i].text);
    return sl_out_end(&out, root);
}

bool sl_foreign_easydiffusion(SlImporter *im, const SlPictureTexts *texts, const char *text,
                              SlError *err)
{
    bool one_text = sl_foreign_is_json(text);
    cJSON *root = one_text ? sl_loose_parse(text, &im->failed) : object_of(texts);
    bool ok = cJSON_IsObject(root);
    if (ok)
        take_all(im, root);
    else
        sl_fail(err, one_text ? SL_FORMAT : SL_MEMORY,
                one_text ? SL_WORDS("Easy Diffusion's settings are not good JSON")
                         : SL_WORDS("memory ran out"));
    cJSON_Delete(root);
    return ok;
}
