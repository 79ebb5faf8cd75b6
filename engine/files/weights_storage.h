/* weights_storage.h - the types in which files store weights: one row of a table each.
 *
 * A file stores the elements of a tensor in blocks. The plain types (F32, F16, BF16) have blocks of
 * one element, which is a value that devices compute with. A quantised type has blocks of several
 * elements that share a scale (GGUF's Q8_0: 32 elements in 34 bytes, an F16 scale and 32 signed
 * bytes), or of one element that no device computes with (F8, F64). Adding such a type is one row in
 * weights_storage.c with a function that turns its blocks into f32: reading, converting, views and
 * messages go by the row.
 */
#ifndef SL_ENGINE_WEIGHTS_STORAGE_H
#define SL_ENGINE_WEIGHTS_STORAGE_H

#include "kernels/kernels.h"

typedef struct SlStorage {
    const char *name;  /* as files and messages write it: "F16" */
    unsigned elements; /* of a block */
    unsigned bytes;    /* of a block */
    bool plain;        /* a block is one value of dtype: sl_convert reads it */
    SlDtype dtype;     /* of a plain type */
    void (*decode)(const void *blocks, float *out, size_t count); /* count elements, whole blocks */
    bool (*finite)(const void *blocks,
                   size_t count); /* is none of count elements NaN or infinite? */
} SlStorage;

/* By its name in a file; NULL for types that no weight is stored in (I64, ...). */
const SlStorage *sl_storage_find(const char *name);
/* The plain type of a dtype; NULL for integers. */
const SlStorage *sl_storage_of(SlDtype dtype);
/* "F32, F16, ... or F8_E5M2": all that can be read from safetensors, for messages. */
const char *sl_storage_names(void);

/* count elements (whole blocks) as F32, F16 or BF16. out may not overlap blocks. */
void sl_storage_convert(const SlStorage *storage, const void *blocks, SlDtype to, void *out,
                        size_t count);

#endif
