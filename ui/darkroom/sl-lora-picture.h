/* sl-lora-picture.h - the small picture of a LoRA: the one that lies beside its file, or an icon. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LORA_PICTURE (sl_lora_picture_get_type ())

G_DECLARE_FINAL_TYPE (SlLoraPicture, sl_lora_picture, SL, LORA_PICTURE, AdwBin)

GtkWidget *sl_lora_picture_new (void);
/* path NULL: the icon. It is read on the file thread. */
void sl_lora_picture_show (SlLoraPicture *self, SlThreadQueue *files, const char *path);

G_END_DECLS
