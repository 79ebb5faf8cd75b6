/* prompt_words.h - what other programs' prompts have a special meaning for beyond what the prompt
 * modes read (engine/text/prompt.h): tags, ComfyUI's choices, NovelAI's brackets. None of it has one
 * in a picture's prompt here (choices are made before: app/recipe/template.h), and this is the one
 * place that says so.
 */
#ifndef SL_APP_PROMPT_WORDS_H
#define SL_APP_PROMPT_WORDS_H

#include "app/recipe/foreign/importer.h"

typedef enum SlPromptWords {
    SL_WORD_SQUARE = 2,   /* [word] */
    SL_WORD_CURLY = 4,    /* {a|b}, NovelAI's {word} */
    SL_WORD_TAGS = 128,   /* <lora:name:1> and other tags */
    SL_WORD_COLONS = 256, /* 1.3::word:: */
    SL_WORDS_COMFYUI = SL_WORD_CURLY | SL_WORD_TAGS,
    SL_WORDS_NOVELAI = SL_WORD_SQUARE | SL_WORD_CURLY | SL_WORD_COLONS,
} SlPromptWords;

/* Notes what the importer's prompts have of these, each kind with its first example. */
void sl_prompt_words_note(SlImporter *im, unsigned words);

#endif
