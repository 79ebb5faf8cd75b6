/* tokenizer.h - CLIP's byte-level BPE, identical to transformers' CLIPTokenizer (without ftfy: the
 * BasicTokenizer-free fast form).
 *
 * Mirrors transformers/models/clip/tokenization_clip_fast.py (the tokenizers library: NFC, collapse
 * of white space, lower case, the CLIP split pattern, byte-level BPE with "</w>").
 */
#ifndef SL_ENGINE_TOKENIZER_H
#define SL_ENGINE_TOKENIZER_H

#include "kernels/kernels.h"

typedef struct SlTokenizer SlTokenizer;

/* Reads vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json of a tokenizer
 * folder. */
SlTokenizer *sl_tokenizer_open(const char *folder, SlError *err);
void sl_tokenizer_close(SlTokenizer *t); /* NULL is fine */

int sl_tokenizer_max_length(const SlTokenizer *t); /* model_max_length */
int sl_tokenizer_vocab_size(const SlTokenizer *t); /* largest id + 1 */
int sl_tokenizer_end_id(const SlTokenizer *t);
/* The text of an id as it stands in the vocabulary, NULL when there is none. */
const char *sl_tokenizer_piece(const SlTokenizer *t, int id);

/* Ids of a UTF-8 text without start, end, padding or truncation; *ids is malloc'ed, free with
 * free(). Refuses invalid UTF-8 and NUL. */
bool sl_tokenize(const SlTokenizer *t, const char *text, int **ids, int *count, SlError *err);
/* What a pipeline feeds to the text encoder: start, ids cut to max_length - 2, end, padding; out
 * has max_length places. When something was cut off, *unused (malloc'ed, may be NULL if not wanted)
 * becomes the decoded rest and *unused_count its number of tokens; otherwise NULL and 0. */
bool sl_tokenize_padded(const SlTokenizer *t, const char *text, int *out, char **unused,
                        int *unused_count, SlError *err);
/* Ids back to text, as CLIPTokenizer.decode(skip_special_tokens=True); malloc'ed. */
char *sl_detokenize(const SlTokenizer *t, const int *ids, int count);

#endif
