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

/* A model as a picture's file names it, and where it is looked for. */
typedef struct SlModelWanted {
    const char *name;
    const SlModelFile *files; /* with sizes and hashes */
    int count;
    const char *first; /* a folder before the search path; NULL or "": none */
    const int *cancel; /* polled; may be NULL */
} SlModelWanted;

/* The parts that its files name as taken from elsewhere, "vae=NAME" or "vae=NAME/FILE". */
typedef struct SlFoundParts {
    SlPartFrom from[SL_MODEL_MAX_OTHERS + 1]; /* ended by one without a name */
    char *part[SL_MODEL_MAX_OTHERS], *path[SL_MODEL_MAX_OTHERS];
    int count;
} SlFoundParts;
/* Where they are here: by their names or, where the file there is another, by size and hash. False and
 * *err when one is not here: then there are none. */
bool sl_parts_find_same(const SlModelWanted *wanted, SlFoundParts *parts, SlError *err);
void sl_found_parts_free(SlFoundParts *parts);

/* The model with this name and these files, wherever it is, or the one with these files and another
 * name; with the parts from elsewhere that the files name: fills *info with hashes. False and *err
 * when none is the same. */
bool sl_model_find_same(const SlModelWanted *wanted, SlModelInfo *info, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
