/* lora_path.h - where LoRAs and their relatives are looked for, and what they are called in a
 * recipe.
 *
 * A recipe names a file without its folder, with the beginning of its SHA-256, "cat#0123456789:0.8":
 * so it is found again wherever it lies, under whatever name, and another file of that name is not
 * taken for it. Looked for it is, in this order: among the files that were named by their path in this
 * process, and in the folders lora, loras and Lora (with those in them) in and beside the folders where
 * models are looked for (sl_lora_look_in's, then those of model_path.h).
 */
#ifndef SL_APP_LORA_PATH_H
#define SL_APP_LORA_PATH_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The folder where models are looked for before all others, from now on; NULL and "": none. Any thread. */
void sl_lora_look_in(const char *folder);
/* A file is found by its name from now on, wherever it lies. False without memory. Any thread. */
bool sl_lora_remember(const char *path);
/* The files in those folders that may be LoRAs by the ending of their names, each once, and those that are
 * remembered and still there. NULL-terminated, for sl_strings_free; NULL without memory. Any thread. */
char **sl_loras_list(void);
/* For SlModelOptions.find_adapter. Any thread. */
char *sl_lora_find(const char *name, const char *hash, SlError *err);
/* The adapters of a text (SlAdapterUses) as a recipe has them: paths and names found, hashes put in.
 * The result lives as long as the program; NULL and *err. Any thread. */
const char *sl_lora_text(const char *text, SlError *err);
/* The same of one: its name and hash in place of what was said. */
bool sl_lora_settle(SlAdapterUse *use, SlError *err);
/* A copy of a text that lives as long as the program; NULL without memory. Any thread. */
const char *sl_lora_keep(const char *text);
/* sl_adapter_hash, remembered as long as the file is the same. Any thread. */
bool sl_lora_hashes(const char *path, SlAdapterHashes *hashes, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
