/* prompt_private.h - what the grammars of prompts share: texts that remember where they come from,
 * and the result in the making. */
#ifndef SL_ENGINE_PROMPT_PRIVATE_H
#define SL_ENGINE_PROMPT_PRIVATE_H

#include "engine/text/prompt.h"

#include <stddef.h>

/* A stretch of text with the place of each byte in the prompt. */
typedef struct SlTraced {
    const char *text;
    const int *from;
    size_t length;
} SlTraced;

/* The same, growing. Starts as {0}; text and from are malloc'ed. */
typedef struct SlTracer {
    char *text;
    int *from;
    size_t length, room;
    bool failed; /* memory ran out; nothing is added any more */
} SlTracer;

void sl_tracer_add(SlTracer *t, SlTraced stretch);
void sl_tracer_add_byte(SlTracer *t, char byte, int from);
void sl_tracer_free(SlTracer *t);
SlTraced sl_tracer_all(const SlTracer *t);
SlTraced sl_traced_cut(SlTraced t, size_t begin, size_t end);
SlTraced sl_traced_trim(SlTraced t); /* white space at both ends */

/* A prompt being read. */
typedef struct SlPromptReader {
    const SlPromptAsk *ask;
    SlPrompt *prompt;
    SlTracer source; /* the whole text */
    bool failed;     /* memory ran out */
    bool too_deep;
    SlError refused; /* why the program itself would not take the text; code SL_OK: it would */
} SlPromptReader;

/* Room for one more behind `count` of `size` bytes each; NULL (and the reader failed) without memory.
 * What is new is 0. */
void *sl_prompt_grow(SlPromptReader *r, void *array, int count, size_t size);
SlPromptPart *sl_prompt_add_part(SlPromptReader *r, double weight);
SlPromptText *sl_prompt_add_text(SlPromptReader *r, SlPromptPart *part);
void sl_prompt_add_turn(SlPromptReader *r, SlPromptPart *part, int last, int text);
SlPromptSection *sl_prompt_add_section(SlPromptReader *r, SlPromptText *text, double weight);
SlPromptPhrase *sl_prompt_add_phrase(SlPromptReader *r, SlPromptSection *section, double factor);
/* A text of one section with one phrase; that phrase, NULL without memory. */
SlPromptPhrase *sl_prompt_add_simple(SlPromptReader *r, SlPromptPart *part);
SlPromptPiece *sl_prompt_add_piece(SlPromptReader *r, SlPromptPhrase *phrase, SlTraced text,
                                   double weight);
bool sl_prompt_append_piece(SlPromptReader *r, SlPromptPiece *piece, SlTraced text);
SlPromptLora *sl_prompt_add_lora(SlPromptReader *r, SlTraced name, double strength);
void sl_prompt_add_fault(SlPromptReader *r, SlPromptFault fault, int at);

/* Round brackets of the whole text that have no partner; one behind a backslash is none. */
void sl_prompt_find_faults(SlPromptReader *r);

/* A decimal number that is the whole text, with a sign and an exponent or not. */
bool sl_prompt_number(SlTraced text, double *value);
bool sl_prompt_is_space(char c); /* ASCII's */
/* A letter, a digit or "_", as regular expressions have it, ends before / begins at i. */
bool sl_prompt_word_before(SlTraced t, size_t i);
bool sl_prompt_word_at(SlTraced t, size_t i);
/* Whether the word stands at i by itself. */
bool sl_prompt_is_word(SlTraced t, size_t i, const char *word);

/* The grammars. They fill reader->prompt. */
void sl_prompt_read_a1111(SlPromptReader *r);
void sl_prompt_read_comfyui(SlPromptReader *r);
void sl_prompt_read_compel(SlPromptReader *r);

#endif
