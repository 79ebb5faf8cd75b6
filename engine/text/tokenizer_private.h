/* tokenizer_private.h - what the files of the tokenizer share. */
#ifndef SL_ENGINE_TOKENIZER_PRIVATE_H
#define SL_ENGINE_TOKENIZER_PRIVATE_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "engine/text/tokenizer.h"

#include <pcre2.h>

/* A pair of neighbours that becomes one symbol; rank -1 marks a free place of the table. */
typedef struct SlMerge {
    int left, right, result, rank;
} SlMerge;

typedef struct SlAddedToken {
    char *text;
    size_t length;
    int id;
    bool special; /* skipped by decode */
} SlAddedToken;

typedef enum SlSpecial { SL_BOS, SL_EOS, SL_UNK, SL_PAD, SL_SPECIALS } SlSpecial;

struct SlTokenizer {
    char *vocab_text;   /* the pieces of vocab.json, one after another, each with its 0 */
    const char **piece; /* of every id below size */
    int size;
    SlAddedToken *added; /* found in a text before anything else is done with it */
    int added_count;
    bool added_starts[256]; /* bytes that an added token begins with */
    int special[SL_SPECIALS];
    int literal[2];                           /* ids of the pattern's start and end words */
    int byte_symbol[256], byte_symbol_w[256]; /* inside a word, at its end ("</w>") */
    SlMerge *merges;                          /* hash table, open addressing */
    size_t merges_mask;
    int max_length;
    bool clean_up_spaces;
    pcre2_code *pattern;
};

typedef struct SlIds {
    int *ids; /* malloc'ed */
    size_t count, room;
    bool failed; /* memory ran out; nothing is added any more */
} SlIds;

/* ---- tokenizer_files.c ---- */

/* The character that stands for a byte in vocab.json. */
unsigned sl_tokenizer_byte_char(unsigned char byte);

/* ---- tokenizer_bpe.c ---- */

void sl_ids_add(SlIds *ids, int id);
/* Room for `count` merges; false when memory runs out. */
bool sl_bpe_init(SlTokenizer *t, size_t count);
/* The merge of a pair, NULL when there is none. */
const SlMerge *sl_bpe_find(const SlTokenizer *t, int left, int right);
/* The pair must not be there yet. */
void sl_bpe_add(SlTokenizer *t, SlMerge merge);
/* Appends the symbols of a word of `length` > 0 bytes; false when memory runs out. */
bool sl_bpe_word(const SlTokenizer *t, const unsigned char *word, size_t length, SlIds *out);

/* ---- tokenizer_text.c ---- */

/* White space as str.strip() and str.split() of Python see it. */
bool sl_text_is_space(unsigned c);
/* BasicTokenizer of transformers over valid UTF-8: cleaned, spaces round CJK characters, NFC, lower
 * case. malloc'ed, *length bytes; NULL when memory runs out. */
char *sl_text_normalize(const char *text, size_t bytes, size_t *length);

#endif
