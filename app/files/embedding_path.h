/* embedding_path.h - where textual inversions are looked for, and what they are called in a recipe.
 *
 * As with LoRAs (lora_path.h) a recipe names a file without its folder and ending, with the beginning of
 * its SHA-256, "cat#0123456789:<cat>". Looked for it is, in this order: among the files that were named by
 * their path in this process, and in the folders embeddings and textual_inversion (with those in them) in
 * and beside the folder that is looked in first, and those where models are looked for (model_path.h).
 */
#ifndef SL_APP_EMBEDDING_PATH_H
#define SL_APP_EMBEDDING_PATH_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For SlModelOptions.find_embedding. Any thread. */
char *sl_embedding_find(const char *name, const char *hash, SlError *err);
/* For SlModelOptions.list_embeddings: all in the folders, the first of a name. Any thread. */
bool sl_embeddings_each(void (*each)(void *arg, const char *name, const char *path), void *arg,
                        SlError *err);
/* The names of all, as prompts have them, in the order of the alphabet: for completion. NULL-terminated,
 * for sl_strings_free; NULL without memory. Any thread. */
char **sl_embeddings_list(void);
/* The embeddings of a text (SlEmbeddingUses) as a recipe has them: paths and names found, hashes put in.
 * The result lives as long as the program; NULL and *err. Any thread. */
const char *sl_embedding_text(const char *text, SlError *err);
/* The folder of models that is looked in first, "" or NULL: none. Any thread. */
void sl_embeddings_look_in(const char *folder);

#ifdef __cplusplus
}
#endif

#endif
