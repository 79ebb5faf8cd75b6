/* embedding_names.h - what prompts call textual inversions, in each mode. Private to engine/run; for whoever shows a
 * prompt there is sl_recipe_embeddings (engine.h). */
#ifndef SL_RUN_EMBEDDING_NAMES_H
#define SL_RUN_EMBEDDING_NAMES_H

#include "engine/engine.h"

/* The file's name without folder, and its length without its ending; a name may have points. */
const char *sl_embedding_stem(const char *path, size_t *length);
/* What prompts have for an embedding where the recipe says no word. said: as the recipe calls the file,
 * which may have another name here. malloc'ed; NULL without memory. */
char *sl_embedding_own_name(SlPromptMode mode, const char *said, const SlEmbeddingFile *file,
                            const SlEmbedding *e);
/* Whether a name's letters stand in a text one behind the other, however they are written and spaced: the
 * tokens decide later. */
bool sl_embedding_may_be_named(const char *text, const char *name, size_t length);
/* The further names by which ComfyUI finds a file: with its folder, with its ending. malloc'ed, NULL without
 * memory. */
void sl_embedding_comfyui_names(char *names[3], const char *name, const char *path);

#endif
