/* model_path.h - where models are looked for.
 *
 * In this order: $SAFELIGHT_MODELS (folders separated by ':'), $XDG_DATA_HOME/safelight/models
 * (~/.local/share without it), share/safelight/models beside the program's bin, the installed
 * data folder, and, for a program run from its build folder, the source's data/models.
 */
#ifndef SL_APP_MODEL_PATH_H
#define SL_APP_MODEL_PATH_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_DEFAULT_MODEL "starter"

/* NULL-terminated, each malloc'ed, existing or not; free with sl_strings_free. NULL without memory.
 */
char **sl_model_folders(void);
void sl_strings_free(char **strings);

/* A path as it is when something is there, else a name on the search path; NULL means the default
 * model. malloc'ed. NULL and *err, with where was looked, when nothing is found. */
char *sl_model_find(const char *name, SlError *err);

/* Whether a file is one that may be a model by the ending of its name: .safetensors or .gguf. */
bool sl_model_file_name(const char *path);

/* A part of a model ("vae"), a file or a folder: a path as it is when something is there, else a
 * name on the search path or in a folder there with the part's name. malloc'ed. NULL and *err. */
char *sl_part_find(const char *part, const char *name, SlError *err);

/* The tiny VAE for previews of this model, by the names that it is shared under ("taesd_decoder",
 * "taesd", "taesdxl"): in the folder `first` (NULL or "": none), on the search path, or in a folder
 * vae_approx in or beside one of those. malloc'ed; NULL where there is none. */
char *sl_preview_decoder_find(const SlModelInfo *info, const char *first);

/* Whether an inspected model has these files: names and sizes first, then hashes, which *info
 * receives. A hash that is "" in files is not compared. */
bool sl_model_is_same(SlModelInfo *info, const SlModelFile *files, int count, const int *cancel);

/* The model with this name and these files (sizes and hashes), wherever on the search path it is,
 * with the parts from elsewhere that the files name: fills *info with hashes. False and *err when none is the same. *cancel (may be NULL) is
 * polled. */
bool sl_model_find_same(const char *name, const SlModelFile *files, int count, SlModelInfo *info,
                        const int *cancel, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
