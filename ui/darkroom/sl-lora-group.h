/* sl-lora-group.h - the LoRAs of the recipe in the panel: a row for each, and one that adds another. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LORA_GROUP (sl_lora_group_get_type ())

G_DECLARE_FINAL_TYPE (SlLoraGroup, sl_lora_group, SL, LORA_GROUP, AdwBin)

/* Signal: "word" (const char *: one of a LoRA's words is to go into the prompt). store has the files that are offered. */
void sl_lora_group_connect (SlLoraGroup *self, SlLoraList *list, SlModelStore *store);

G_END_DECLS
