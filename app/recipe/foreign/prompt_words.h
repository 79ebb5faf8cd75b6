/* prompt_words.h - what other programs' prompts have a special meaning for: weights, BREAK, AND,
 * prompts that change on the way. None of it has one here: the words go to the text encoder as they
 * stand. This is the one place that says so; whoever teaches the program that language takes the
 * note out here.
 */
#ifndef SL_APP_PROMPT_WORDS_H
#define SL_APP_PROMPT_WORDS_H

#include "app/recipe/foreign/importer.h"

typedef enum SlPromptWords {
    SL_WORD_ROUND = 1,      /* (word), (word:1.3) */
    SL_WORD_SQUARE = 2,     /* [word] */
    SL_WORD_CURLY = 4,      /* {a|b}, NovelAI's {word} */
    SL_WORD_BREAK = 8,      /* BREAK */
    SL_WORD_AND = 16,       /* AND */
    SL_WORD_EMBEDDING = 32, /* embedding:name */
    SL_WORD_SIGNS = 64,     /* word++, word-- */
    SL_WORD_TAGS = 128,     /* <lora:name:1> and other tags */
    SL_WORD_COLONS = 256,   /* 1.3::word:: */
    SL_WORD_CHANGES = 512,  /* [a:b:0.5], [a|b] */
    SL_WORD_ESCAPED = 1024, /* \( for a bracket that is none of these */
    SL_WORDS_WEBUI = SL_WORD_ROUND | SL_WORD_SQUARE | SL_WORD_CHANGES | SL_WORD_BREAK |
                     SL_WORD_AND | SL_WORD_TAGS | SL_WORD_ESCAPED,
    SL_WORDS_COMFYUI = SL_WORD_ROUND | SL_WORD_CURLY | SL_WORD_BREAK | SL_WORD_EMBEDDING |
                       SL_WORD_TAGS | SL_WORD_ESCAPED,
    SL_WORDS_INVOKEAI = SL_WORD_ROUND | SL_WORD_SIGNS | SL_WORD_TAGS,
    SL_WORDS_NOVELAI = SL_WORD_SQUARE | SL_WORD_CURLY | SL_WORD_COLONS,
} SlPromptWords;

/* Notes what the importer's prompts have of these, each kind with its first example. */
void sl_prompt_words_note(SlImporter *im, unsigned words);

#endif
