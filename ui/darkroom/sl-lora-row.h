/* sl-lora-row.h - a LoRA in the panel: its strength, and, unfolded, the strength for the words, the part of the steps,
 * its words and facts. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LORA_ROW (sl_lora_row_get_type ())

G_DECLARE_FINAL_TYPE (SlLoraRow, sl_lora_row, SL, LORA_ROW, AdwPreferencesRow)

/* Signals: "removed", "locate", and "word" (const char *: one of its words was chosen). */
SlLoraRow *sl_lora_row_new (SlLoraList *list, SlLora *lora);
SlLora *sl_lora_row_get_lora (SlLoraRow *self);

G_END_DECLS
