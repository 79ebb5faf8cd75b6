/* tokenizer_reader.h - the files of a tokenizer folder being read: by tokenizer_files.c or
 * tokenizer_json.c and then tokenizer_settings.c, for tokenizer.c. */
#ifndef SL_ENGINE_TOKENIZER_READER_H
#define SL_ENGINE_TOKENIZER_READER_H

#include "engine/text/tokenizer_private.h"

#include "engine/files/files.h"

#define SL_TOKEN_MAX_BYTES    1000
#define SL_TOKENIZER_MAX_PATH 4096 /* of the folder */

typedef struct SlTokenizerReader {
    SlTokenizer *t;
    const char *folder;
    const char *vocab_name; /* what the vocabulary is called in messages: "vocab.json" */
    SlJson *config;         /* tokenizer_config.json; NULL where there is none */
    SlNameTable *ids;       /* of the pieces of the vocabulary, once it is read */
    SlJson *whole;          /* tokenizer.json, NULL where vocab.json and merges.txt are read */
    SlError *err;           /* not NULL, SL_OK until something fails */
} SlTokenizerReader;

/* Where a merge stands, for messages: "merges.txt: line 12". */
typedef struct SlMergePlace {
    const char *name, *unit;
    int number;
    int rank; /* of the merge: from 0 */
} SlMergePlace;

bool sl_reader_no_memory(const SlTokenizerReader *r);
/* Whether the folder has a file of this name, readable or not. */
bool sl_reader_has(const SlTokenizerReader *r, const char *name);
/* A file that need not exist: *json stays NULL then. */
bool sl_reader_open(const SlTokenizerReader *r, const char *name, SlJson **json);
/* The id of a piece of the vocabulary, -1 when it has none. */
int sl_reader_id(const SlTokenizerReader *r, const char *piece);
/* The vocabulary from an object of pieces and ids in a file of this name. */
bool sl_reader_entries(SlTokenizerReader *r, const char *name, const struct cJSON *entries);
/* One merge; the vocabulary is there. */
bool sl_reader_merge(const SlTokenizerReader *r, const SlMergePlace *at, const char *left,
                     const char *right);
/* In this order: vocab.json and merges.txt, or tokenizer.json; then the settings files. */
bool sl_reader_vocab(SlTokenizerReader *r);
bool sl_reader_merges(const SlTokenizerReader *r);
bool sl_reader_json(SlTokenizerReader *r);
bool sl_reader_settings(const SlTokenizerReader *r);

#endif
