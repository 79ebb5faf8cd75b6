/* weights_private.h - how SlWeights is put together, for the files that open weights. */
#ifndef SL_ENGINE_WEIGHTS_PRIVATE_H
#define SL_ENGINE_WEIGHTS_PRIVATE_H

#include "engine/files/name_table.h"
#include "engine/files/safetensors.h"

#define SL_WEIGHTS_MAX_FILES 512

typedef struct SlWeightsEntry {
    SlTensorInfo info; /* under its diffusers name; first, so that an info leads to its entry */
    int file;
    const SlTensorInfo *stored; /* as in the file */
    uint64_t first;             /* where in the stored tensor's bytes it begins (split in_proj) */
} SlWeightsEntry;

struct SlWeights {
    SlSafetensors *files[SL_WEIGHTS_MAX_FILES];
    int file_count;
    SlWeightsEntry *entries;
    size_t count, room;
    SlNameTable *names;
    char **translated; /* names that had to be made, freed with it */
    size_t translated_count, translated_room;
};

SlWeights *sl_weights_new(const char *path, SlError *err);
/* Opens a file and takes it over; its tensors are not entries yet. Gives its index, -1 and *err on
 * failure. */
int sl_weights_add_file(SlWeights *w, const char *path, SlError *err);
bool sl_weights_add(SlWeights *w, const SlWeightsEntry *entry, SlError *err);
/* All tensors of a file under their own names. */
bool sl_weights_add_all(SlWeights *w, int file, SlError *err);
/* A copy of a name that lives as long as w; NULL and *err when memory runs out. */
const char *sl_weights_keep_name(SlWeights *w, const char *name, SlError *err);
/* After the last entry: makes finding by name work, refuses duplicates and emptiness. */
bool sl_weights_finish(SlWeights *w, SlError *err);

/* Which entry an info of w is. */
size_t sl_weights_index(const SlWeights *w, const SlTensorInfo *info);

#endif
