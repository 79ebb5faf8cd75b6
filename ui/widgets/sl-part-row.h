/* sl-part-row.h - which file a part of the model comes from: its own, one of the models' folders, or one that a
 * person chooses.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_PART_ROW (sl_part_row_get_type ())

G_DECLARE_FINAL_TYPE (SlPartRow, sl_part_row, SL, PART_ROW, AdwComboRow)

/* What the first entry is called, and the dialog that asks for a file; both translated. Once, before the rest. */
void sl_part_row_set_words (SlPartRow *self, const char *own, const char *dialog_title);
/* Signal "chosen": a person chose another one. NULL: the first entry, the model's own. */
const char *sl_part_row_get_path (SlPartRow *self);
/* Paths, ended by NULL. What is chosen stays chosen. */
void sl_part_row_offer (SlPartRow *self, const char *const *paths);
/* Shows a path, or with NULL the first entry, without the signal. */
void sl_part_row_set_path (SlPartRow *self, const char *path);
/* As if the person had chosen this file in the dialog, or with NULL the first entry. */
void sl_part_row_choose (SlPartRow *self, const char *path);

G_END_DECLS
