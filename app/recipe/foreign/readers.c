/* readers.c - the table (see readers.h). The order matters: the first that finds a text of its own
 * and can read it is taken, so what says most of a picture comes first.
 */
#include "app/recipe/foreign/readers.h"
#include "app/recipe/foreign/prompt_words.h"

#include <string.h>

static bool is_swarmui(const char *text)
{
    return sl_foreign_is_json(text) && sl_foreign_has_key(text, "sui_image_params");
}

static bool is_drawthings(const char *text)
{
    return sl_foreign_is_json(text) && sl_foreign_has_key(text, "c") &&
           sl_foreign_has_key(text, "uc");
}

static bool is_fooocus(const char *text)
{
    return sl_foreign_is_json(text) &&
           (sl_foreign_has_key(text, "base_model") || sl_foreign_has_key(text, "base_model_name"));
}

/* The common text has at least the line of fields. */
static bool is_common(const char *text)
{
    return !sl_foreign_is_json(text) && strstr(text, "Steps: ") != NULL;
}

static const char *find_swarmui(const SlPictureTexts *texts)
{
    return sl_foreign_find_comment(texts, is_swarmui);
}

static const char *find_drawthings(const SlPictureTexts *texts)
{
    return sl_foreign_find_comment(texts, is_drawthings);
}

static const char *find_fooocus(const SlPictureTexts *texts)
{
    return sl_foreign_find_comment(texts, is_fooocus);
}

/* "parameters" promises the common text, other places need to look like it. */
static const char *find_common(const SlPictureTexts *texts)
{
    const char *text = sl_foreign_find_comment(texts, is_common);
    const char *promised = sl_picture_texts_find(texts, "parameters");
    return text ? text : promised && !sl_foreign_is_json(promised) ? promised : NULL;
}

static const char *find_invokeai(const SlPictureTexts *texts)
{
    return sl_picture_texts_find(texts, "invokeai_metadata");
}

static const char *find_invokeai_2(const SlPictureTexts *texts)
{
    return sl_picture_texts_find(texts, "sd-metadata");
}

static const char *find_invokeai_1(const SlPictureTexts *texts)
{
    return sl_picture_texts_find(texts, "Dream");
}

const SlForeign sl_foreign_readers[] = {
    {"InvokeAI", SL_PROMPT_COMPEL, SL_WORD_TAGS, find_invokeai, sl_foreign_invokeai},
    {"InvokeAI 2", SL_PROMPT_COMPEL, SL_WORD_TAGS, find_invokeai_2, sl_foreign_invokeai_2},
    {"InvokeAI 1", SL_PROMPT_COMPEL, SL_WORD_TAGS, find_invokeai_1, sl_foreign_invokeai_1},
    {"NovelAI", SL_PROMPT_PLAIN, SL_WORDS_NOVELAI, sl_foreign_find_novelai, sl_foreign_novelai},
    {"SwarmUI", SL_PROMPT_COMFYUI, SL_WORDS_COMFYUI, find_swarmui, sl_foreign_swarmui},
    {"Draw Things", SL_PROMPT_A1111, SL_WORD_TAGS, find_drawthings, sl_foreign_drawthings},
    {"Fooocus", SL_PROMPT_A1111, SL_WORDS_COMFYUI, find_fooocus, sl_foreign_fooocus},
    {"Easy Diffusion", SL_PROMPT_A1111, SL_WORD_TAGS, sl_foreign_find_easydiffusion,
     sl_foreign_easydiffusion},
    {"parameters", SL_PROMPT_A1111, SL_WORD_TAGS, find_common, sl_foreign_webui},
    {"ComfyUI", SL_PROMPT_COMFYUI, SL_WORDS_COMFYUI, sl_foreign_find_comfyui, sl_foreign_comfyui},
    {"ComfyUI", SL_PROMPT_COMFYUI, SL_WORDS_COMFYUI, sl_foreign_find_workflow, sl_foreign_workflow},
};
const int sl_foreign_count = sizeof sl_foreign_readers / sizeof sl_foreign_readers[0];
