/* sl-model-item.h - a model that was found, as the panel lists it; its weights may not be loaded. */
#pragma once

#include <gio/gio.h>

#include "app/objects/sl-settings.h"

G_BEGIN_DECLS

#define SL_TYPE_MODEL_ITEM (sl_model_item_get_type ())

G_DECLARE_FINAL_TYPE (SlModelItem, sl_model_item, SL, MODEL_ITEM, GObject)

/* Reads headers only. May be called on any thread. */
SlModelItem *sl_model_item_open (const char *path, GError **error);
const char *sl_model_item_get_path (SlModelItem *self);
const char *sl_model_item_get_name (SlModelItem *self);
/* The same model with a part ("vae", "unet", "text_encoder", "refiner") of a file or folder; path NULL: with its own. May be called
 * on any thread. */
SlModelItem *sl_model_item_with_part (SlModelItem *self, const char *part, const char *path, GError **error);
gboolean sl_model_item_has_part (SlModelItem *self, const char *part);
/* Whether it is a refiner, and whether one can go on with what it began: the part "refiner", a whole model. */
gboolean sl_model_item_refines (SlModelItem *self);
gboolean sl_model_item_takes_refiner (SlModelItem *self);
/* The path of a part from elsewhere; NULL: it is the model's own. */
const char *sl_model_item_get_part_path (SlModelItem *self, const char *part);
/* The tiny VAE for previews that is here under a name that suits the model, also looked for in the folder `models` (""
 * none); NULL where there is none. And whether a file or folder is one that fits. */
char *sl_model_item_find_tiny (SlModelItem *self, const char *models);
gboolean sl_model_item_check_tiny (SlModelItem *self, const char *path, GError **error);
/* Of the same files, parts from elsewhere included. */
gboolean sl_model_item_equal (SlModelItem *self, SlModelItem *other);
/* What people call its family, "Stable Diffusion XL"; how its weights are stored, "F16" or "mixed"; bytes on disk. */
const char *sl_model_item_get_family (SlModelItem *self);
/* Of a model that was distilled to need few steps, "SDXL-Lightning"; else NULL. */
const char *sl_model_item_get_kind (SlModelItem *self);
const char *sl_model_item_get_stored_type (SlModelItem *self);
guint64 sl_model_item_get_bytes (SlModelItem *self);
/* What a picture of the model's own size needs on the processor in the types that are automatic there, weights included; these
 * types, "f32"; and whether this process may use so much
 * now; 0, "" and TRUE until sl_model_item_measure, which takes some ten milliseconds and may be called on any thread
 * that has the item for itself. */
guint64 sl_model_item_get_memory (SlModelItem *self);
const char *sl_model_item_get_types (SlModelItem *self);
gboolean sl_model_item_fits (SlModelItem *self);
void sl_model_item_measure (SlModelItem *self);
/* FALSE for a DDPM model: no prompt, no guidance. */
gboolean sl_model_item_uses_prompt (SlModelItem *self);
int sl_model_item_get_width (SlModelItem *self);
int sl_model_item_get_height (SlModelItem *self);
/* Widths and heights that suit it, its own first; an array of two numbers each. */
#define SL_MODEL_ITEM_MAX_SIZES 16
guint sl_model_item_get_sizes (SlModelItem *self, int sizes[SL_MODEL_ITEM_MAX_SIZES][2]);
/* What it predicts, as a choice of the setting "prediction", 0 where that has none of it; and what says so, in English:
 * "the tensor v_pred". */
guint sl_model_item_get_prediction (SlModelItem *self);
const char *sl_model_item_get_prediction_source (SlModelItem *self);
/* Sides must be multiples of this. */
int sl_model_item_get_multiple (SlModelItem *self);
/* The id of the model's own scheduler. */
const char *sl_model_item_get_scheduler (SlModelItem *self);
/* Whether a scheduler works with what the model predicts. */
gboolean sl_model_item_suits_scheduler (SlModelItem *self, const char *id);
/* The settings that fit the model when a person has chosen nothing. */
SlSettings *sl_model_item_defaults (SlModelItem *self);
/* FALSE and a sentence when a setting does not fit the model. */
gboolean sl_model_item_check (SlModelItem *self, SlSettings *settings, GError **error);

G_END_DECLS
