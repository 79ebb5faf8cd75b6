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

/* Files and folders that may be a part ("vae", "unet", "text_encoder", or "vae_approx" for tiny VAEs), by
 * where they lie and what they are called: in the folder `first` (NULL or "": none), on the search path, and
 * in folders with the part's name in or beside one of those. NULL-terminated, for sl_strings_free; NULL
 * without memory. *unread (may be NULL) becomes what is said of the first folder that could not be read. */
char **sl_parts_list(const char *part, const char *first, SlError *unread);

/* The tiny VAE for previews of this model, by the names that it is shared under ("taesd_decoder",
 * "taesd", "taesdxl"): in the folder `first` (NULL or "": none), on the search path, or in a folder
 * vae_approx in or beside one of those. malloc'ed; NULL where there is none, and *err only without memory. */
char *sl_preview_decoder_find(const SlModelInfo *info, const char *first, SlError *err);

/* The folders that hold files of a kind ("wildcards") in and beside those where models are looked for, and in and
 * beside `first` (NULL or "": none) before them: those that exist, else the first place for one. NULL-terminated, for sl_strings_free; NULL without
 * memory. */
char **sl_folders_named(const char *name, const char *first);

/* Every model in the folder `first` (NULL or "": none) and on the search path (folders with a
 * model_index.json, files by their endings); the first of a name wins. NULL-terminated, for
 * sl_strings_free; NULL without memory. unread as above. */
char **sl_models_list(const char *first, SlError *unread);

#ifdef __cplusplus
}
#endif

#endif
