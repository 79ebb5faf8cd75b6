/* gguf.h - GGUF files (llama.cpp's format) as a source of weights. */
#ifndef SL_ENGINE_GGUF_H
#define SL_ENGINE_GGUF_H

#include "engine/files/weights_source.h"

/* What a header may have: the names and vocabularies of the largest known models take a tenth. */
#define SL_GGUF_MAX_HEADER 100000000u

/* Whether a file that can be read begins with GGUF's four letters. */
bool sl_gguf_is(const char *path);
/* NULL and *err when the file cannot be read or anything in its header is wrong. */
SlWeightSource *sl_source_gguf(const char *path, SlError *err);

#endif
