/* tokenizer.h - CLIP's byte-level BPE, identical to transformers' CLIPTokenizer.
 *
 * Mirrors transformers/models/clip/tokenization_clip.py as diffusers' pipelines load it, which is
 * not one tokenizer but three. transformers 4: the slow CLIPTokenizer that model_index.json names,
 * in an environment without ftfy, as the tutorial's "pip install diffusers accelerate transformers"
 * makes it. Where ftfy is installed the same class repairs the text first (curly quotes, full-width
 * letters, mojibake). transformers 5: CLIPTokenizer over the tokenizers library, which knows no
 * spaces round CJK characters and keeps control characters. The tokenizer does not change after it
 * was opened and can be used by any number of threads.
 */
#ifndef SL_ENGINE_TOKENIZER_H
#define SL_ENGINE_TOKENIZER_H

#include "kernels/kernels.h"

typedef struct SlTokenizer SlTokenizer;

/* Whose rules split a text. In the order of the setting's words (engine/recipe/settings.c). */
typedef enum SlTokenRules {
    SL_TOKENS_AS_SAVED, /* those of the library that saved the folder: transformers 5 where
                           tokenizer.json is read, else 4 */
    SL_TOKENS_TRANSFORMERS_4,
    SL_TOKENS_TRANSFORMERS_5,
    SL_TOKENS_FTFY, /* transformers 4 where ftfy is installed */
    SL_TOKEN_RULES
} SlTokenRules;

/* Reads vocab.json and merges.txt, or tokenizer.json, of a tokenizer folder, and where they exist
 * tokenizer_config.json, special_tokens_map.json and added_tokens.json. NULL and *err when anything
 * is missing or inconsistent. */
SlTokenizer *sl_tokenizer_open(const char *folder, SlError *err);

/* With what a text is filled up to its length. */
typedef enum SlClipPad {
    SL_CLIP_PAD_END,  /* <|endoftext|>, 49407: SD 1.x, the first text encoder of SDXL */
    SL_CLIP_PAD_BANG, /* "!", 0: SD 2.x, the second text encoder of SDXL */
} SlClipPad;

/* CLIP's own vocabulary, which comes with the program, for files that carry none: 49,408 tokens,
 * 77 a text, by the rules of transformers 4. NULL and *err when memory runs out. */
SlTokenizer *sl_tokenizer_open_clip(SlClipPad pad, SlError *err);
void sl_tokenizer_close(SlTokenizer *t); /* NULL is fine */
/* The same tokenizer with other rules; t's, as long as t lives. */
const SlTokenizer *sl_tokenizer_as(const SlTokenizer *t, SlTokenRules rules);
/* The rules that it goes by; never SL_TOKENS_AS_SAVED. */
SlTokenRules sl_tokenizer_rules(const SlTokenizer *t);

int sl_tokenizer_max_length(const SlTokenizer *t); /* model_max_length */
int sl_tokenizer_vocab_size(const SlTokenizer *t); /* largest id + 1 */
int sl_tokenizer_end_id(const SlTokenizer *t);
/* The text of an id as it stands in the vocabulary, NULL when there is none. */
const char *sl_tokenizer_piece(const SlTokenizer *t, int id);

/* Ids of a UTF-8 text without start, end, padding or truncation; *ids is malloc'ed, free with
 * free(). Refuses invalid UTF-8 and
 * texts of more than 16 MiB. */
bool sl_tokenize(const SlTokenizer *t, const char *text, int **ids, int *count, SlError *err);
/* A prompt as a pipeline hands it to its tokenizer: textual inversions of several vectors stand for
 * all of them, "<cat>" for "<cat> <cat>_1". malloc'ed; NULL and *err as sl_tokenize fails. */
char *sl_tokenizer_expand(const SlTokenizer *t, const char *text, SlError *err);
/* A textual inversion's token, as a pipeline that has loaded one adds it to its tokenizer. */
typedef struct SlAddedWord {
    const char *text;
    int id; /* behind the vocabulary of the text encoder */
} SlAddedWord;
/* The tokenizer with more words; t stays as it is and must outlive it. NULL and *err without memory.
 * Given back with sl_tokenizer_without. */
SlTokenizer *sl_tokenizer_with(const SlTokenizer *t, const SlAddedWord *words, int count,
                               SlError *err);
void sl_tokenizer_without(SlTokenizer *with); /* NULL is fine */
/* Whether a text is a token of its vocabulary, which no textual inversion may be called. */
bool sl_tokenizer_knows(const SlTokenizer *t, const char *text);
/* What a pipeline feeds to the text encoder: start, ids cut to max_length - 2, end, padding; out
 * has max_length places. When something was cut off, *unused (malloc'ed, may be NULL if not wanted)
 * becomes the decoded rest and *unused_count its number of tokens; otherwise NULL and 0. */
bool sl_tokenize_padded(const SlTokenizer *t, const char *text, int *out, char **unused,
                        int *unused_count, SlError *err);
/* Ids back to text, as CLIPTokenizer.decode(skip_special_tokens=True); malloc'ed, NULL when memory
 * runs out. Ids outside the vocabulary are left out. */
char *sl_detokenize(const SlTokenizer *t, const int *ids, int count);

#endif
