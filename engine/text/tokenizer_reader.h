/* tokenizer_reader.h - the files of a tokenizer folder being read: by tokenizer_files.c and
 * tokenizer_settings.c, one after the other, for tokenizer.c. */
#ifndef SL_ENGINE_TOKENIZER_READER_H
#define SL_ENGINE_TOKENIZER_READER_H

#include "engine/text/tokenizer_private.h"

#include "engine/files/files.h"

#define SL_TOKEN_MAX_BYTES    1000
#define SL_TOKENIZER_MAX_PATH 4096 /* of the folder */

typedef struct SlTokenizerReader {
    SlTokenizer *t;
    const char *folder;
    SlNameTable *ids; /* of the pieces of vocab.json, once it is read */
    SlError *err;     /* not NULL, SL_OK until something fails */
} SlTokenizerReader;

bool sl_reader_no_memory(const SlTokenizerReader *r);
/* The id of a piece of vocab.json, -1 when it has none. */
int sl_reader_id(const SlTokenizerReader *r, const char *piece);
/* In this order: vocab.json, merges.txt, then the settings files. */
bool sl_reader_vocab(SlTokenizerReader *r);
bool sl_reader_merges(const SlTokenizerReader *r);
bool sl_reader_settings(const SlTokenizerReader *r);

#endif
