/* embeddings.h - textual inversions that a picture of AUTOMATIC1111 or InvokeAI was made with. (ComfyUI's are in the
 * prompt, which finds them by itself.) */
#ifndef SL_APP_FOREIGN_EMBEDDINGS_H
#define SL_APP_FOREIGN_EMBEDDINGS_H

#include "app/recipe/foreign/importer.h"

/* Makes the recipe's embeddings of those whose files are here, found by hash, under the names that the
 * prompts have for them. hashes: the field "TI hashes", "name: hash, ..."; NULL: there is none. All or
 * none: where one is not here, the field is a note. */
void sl_embeddings_take(SlImporter *im, const char *hashes);
/* InvokeAI: "<NAME>" in the prompts that were taken is the file of that name, where it is here; what is not is text,
 * as it is there. */
void sl_embeddings_take_triggers(SlImporter *im);

#endif
