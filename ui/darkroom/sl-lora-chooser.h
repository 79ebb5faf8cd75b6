/* sl-lora-chooser.h - a popover with the LoRAs that are in the models' folders, to be searched by name. */
#pragma once

#include <gtk/gtk.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LORA_CHOOSER (sl_lora_chooser_get_type ())

G_DECLARE_FINAL_TYPE (SlLoraChooser, sl_lora_chooser, SL, LORA_CHOOSER, GtkPopover)

/* Signals: "chosen" (const char *: the file's path), "file-asked" (one from elsewhere). */
SlLoraChooser *sl_lora_chooser_new (void);
/* Which files there are, ended by NULL. */
void sl_lora_chooser_offer (SlLoraChooser *self, const char *const *paths);
/* Once: the list that reads what is shown. */
void sl_lora_chooser_connect (SlLoraChooser *self, SlLoraList *list);

G_END_DECLS
