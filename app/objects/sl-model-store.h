/* sl-model-store.h - the models that this computer has: a list, filled in the background from the
 * search path (docs/design.md, "Where models are looked for").
 *
 * Folders are looked into one level deep. What is no model is passed over in silence there: only a
 * path that a person names gets a sentence.
 */
#pragma once

#include "app/objects/sl-thread-queue.h"
#include "app/objects/sl-list.h"
#include "app/objects/sl-model-item.h"

G_BEGIN_DECLS

#define SL_TYPE_MODEL_STORE (sl_model_store_get_type ())

G_DECLARE_FINAL_TYPE (SlModelStore, sl_model_store, SL, MODEL_STORE, SlList)

/* error is NULL when item is not, and the other way round. */
typedef void (*SlModelOpened) (SlModelItem *item, const GError *error, gpointer user_data);

/* files is borrowed and must outlive the store. */
SlModelStore *sl_model_store_new (SlThreadQueue *files);
/* Looks again; folder is the preference, "" for none. Emits "scanned" when it is done, and "unread" (const char *) where a
 * folder is there and could not be read to its end, for this reason, said once. */
void sl_model_store_scan (SlModelStore *self, const char *folder);
/* Files and folders that may be a part, "vae", "unet", "text_encoder", "refiner" "vae_approx" (tiny VAEs) or "lora", by where they lie
 * and what they are called: ended by NULL, and good until the next "scanned". */
const char *const *sl_model_store_get_parts (SlModelStore *self, const char *part);
gboolean sl_model_store_is_scanned (SlModelStore *self);
/* A path that a person named: added to the list when it is a model. */
void sl_model_store_open (SlModelStore *self, const char *path, SlModelOpened opened, gpointer user_data);
/* Position of the model with this path, or else with this name, or G_MAXUINT (GTK's invalid position). */
guint sl_model_store_find (SlModelStore *self, const char *path_or_name);

G_END_DECLS
