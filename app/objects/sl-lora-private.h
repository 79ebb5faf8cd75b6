/* sl-lora-private.h - the insides of a LoRA, for the list that it is in. */
#pragma once

#include "app/objects/sl-lora.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* As a recipe has it. */
SlLora *_sl_lora_new_use (const SlAdapterUse *use);
const SlAdapterUse *_sl_lora_get_use (SlLora *self);
/* FALSE where it is no other. */
gboolean _sl_lora_set_use (SlLora *self, const SlAdapterUse *use);

G_END_DECLS
