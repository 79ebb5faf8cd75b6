/* sl-lora-text.h - what a LoRA is, in words. */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* One line under its name: what kind it is, or what is wrong with it. */
char *sl_lora_text_line (SlLora *lora);
/* All that is known of it, a line each. */
char *sl_lora_text_facts (SlLora *lora);

G_END_DECLS
