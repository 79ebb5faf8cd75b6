/* tokenizer_private.h - what the files of the tokenizer share. */
#ifndef SL_ENGINE_TOKENIZER_PRIVATE_H
#define SL_ENGINE_TOKENIZER_PRIVATE_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "engine/text/tokenizer.h"

#include <pcre2.h>

#define SL_TEXT_MAX_BYTES ((size_t)16 << 20)

/* A pair of neighbours that becomes one symbol; rank -1 marks a free place of the table. */
typedef struct SlMerge {
    int left, right, result, rank;
} SlMerge;

/* How an added token came. */
typedef enum SlTokenListing {
    SL_LISTED_NOT,   /* as a special token */
    SL_LISTED_ID,    /* in added_tokens.json, with its id only */
    SL_LISTED_WHOLE, /* in a list that says everything about it */
} SlTokenListing;

typedef struct SlAddedToken {
    char *text;
    size_t length;
    int id;
    bool special;    /* skipped by decode */
    bool normalized; /* transformers 5 looks for it in the normalized text */
    SlTokenListing listing;
    char *normal; /* its text normalized so; NULL where it is not looked for there */
    size_t normal_length;
} SlAddedToken;

typedef enum SlSpecial { SL_BOS, SL_EOS, SL_UNK, SL_PAD, SL_SPECIALS } SlSpecial;

struct SlTokenizer {
    char *vocab_text;   /* the pieces of vocab.json, one after another, each with its 0 */
    const char **piece; /* of every id below size */
    int size;
    SlAddedToken *added;       /* found in a text before anything else is done with it */
    int added_count, borrowed; /* the first of them are another tokenizer's */
    bool added_starts[256];    /* bytes that an added token begins with */
    int special[SL_SPECIALS];
    int literal[2];                           /* ids of the pattern's start and end words */
    int byte_symbol[256], byte_symbol_w[256]; /* inside a word, at its end ("</w>") */
    SlMerge *merges;                          /* hash table, open addressing */
    size_t merges_mask;
    int max_length;
    bool clean_up_spaces;
    SlTokenRules rules;
    pcre2_code *pattern, *pattern_5;        /* of transformers 4 and 5 */
    struct SlTokenizer *as[SL_TOKEN_RULES]; /* for sl_tokenizer_as */
};

typedef struct SlIds {
    int *ids; /* malloc'ed */
    size_t count, room;
    bool failed; /* memory ran out; nothing is added any more */
} SlIds;

/* ---- tokenizer.c ---- */

/* The forms by which transformers 5 finds the added tokens. */
bool sl_tokenizer_normalize_added(SlTokenizer *t, SlError *err);

/* ---- tokenizer_files.c ---- */

/* The character that stands for a byte in vocab.json. */
unsigned sl_tokenizer_byte_char(unsigned char byte);
/* The same as UTF-8 text. */
void sl_tokenizer_byte_text(unsigned char byte, char utf8[3]);

/* ---- clip_vocabulary.c ---- */

/* Fills in what the files of a folder would say; false when memory runs out. */
bool sl_clip_vocabulary(SlTokenizer *t, SlClipPad pad);

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
/* What these rules do to valid UTF-8 before it is split into words. malloc'ed, *length bytes; NULL
 * when memory runs out. transformers 4: BasicTokenizer (cleaned, spaces round CJK characters, NFC,
 * lower case); 5: NFC, lower case; ftfy: repaired, lower case. White space stays what it is: the
 * patterns drop it. */
char *sl_text_normalize(SlTokenRules rules, const char *text, size_t bytes, size_t *length);

#endif
