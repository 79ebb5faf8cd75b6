/* sl-vae-row.h - which VAE turns the samples into pictures: the model's own, one of the models' folders, or a file.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_VAE_ROW (sl_vae_row_get_type ())

G_DECLARE_FINAL_TYPE (SlVaeRow, sl_vae_row, SL, VAE_ROW, AdwComboRow)

/* Signal "chosen": a person chose another one. NULL: the model's own. */
const char *sl_vae_row_get_path (SlVaeRow *self);
/* Paths, ended by NULL. What is chosen stays chosen. */
void sl_vae_row_offer (SlVaeRow *self, const char *const *paths);
/* The model's own, without the signal. */
void sl_vae_row_reset (SlVaeRow *self);
/* As if the person had chosen this file in the dialog. */
void sl_vae_row_choose (SlVaeRow *self, const char *path);

G_END_DECLS
