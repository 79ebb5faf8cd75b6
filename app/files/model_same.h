/* model_same.h - the model that made a picture, found among those that are here. */
#ifndef SL_APP_MODEL_SAME_H
#define SL_APP_MODEL_SAME_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether an inspected model has these files: names and sizes first, then hashes, which *info
 * receives. A hash that is "" in files is not compared; where there is one, a single file and parts from
 * elsewhere may have been renamed. */
bool sl_model_is_same(SlModelInfo *info, const SlModelFile *files, int count, const int *cancel);

/* The parts that a picture's files name as taken from elsewhere, "vae=NAME" or "vae=NAME/FILE". */
typedef struct SlFoundParts {
    SlPartFrom from[SL_MODEL_MAX_OTHERS + 1]; /* ended by one without a name */
    char *part[SL_MODEL_MAX_OTHERS], *path[SL_MODEL_MAX_OTHERS];
    int count;
} SlFoundParts;
/* Where they are here: by their names or, where the file there is another, by size and hash; also in the
 * folder `first` (NULL or "": none). model is the picture's model's name. False and *err when one is not here:
 * then there are none. */
bool sl_parts_find_same(const char *model, const SlModelFile *files, int count, const char *first,
                        SlFoundParts *parts, SlError *err);
void sl_found_parts_free(SlFoundParts *parts);

/* The model with this name and these files (sizes and hashes), wherever on the search path it is,
 * with the parts from elsewhere that the files name, found by their hashes where they were renamed:
 * fills *info with hashes. False and *err when none is the same. *cancel (may be NULL) is
 * polled. */
bool sl_model_find_same(const char *name, const SlModelFile *files, int count, SlModelInfo *info,
                        const int *cancel, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
