/* gguf_blocks.h - the block-quantised types of GGUF files as rows of the table of storage types. */
#ifndef SL_ENGINE_GGUF_BLOCKS_H
#define SL_ENGINE_GGUF_BLOCKS_H

#include "engine/files/weights_storage.h"

/* Q8_0, Q4_0, ..., Q6_K, IQ4_NL by their names; NULL for others. */
const SlStorage *sl_gguf_storage(const char *name);

#endif
