/* sl-sigma-row.h - a row that chooses how noise levels are laid out: those that have a name, and one's own.
 *
 * "Your own" is selected only while there is a list; a person who chooses it, or presses the button, is asked for one by
 * "edit-wanted".
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_SIGMA_ROW (sl_sigma_row_get_type ())

/* Signals: "chosen": a person chose a named one, and the list is gone; "edit-wanted". */
G_DECLARE_FINAL_TYPE (SlSigmaRow, sl_sigma_row, SL, SIGMA_ROW, AdwComboRow)

/* The entries: what may stand before them, or NULL, and those of the setting. */
void sl_sigma_row_fill (SlSigmaRow *self, const char *first);
/* entry: its position among these, where list is ""; list: "14.6,3.9,0.7,0". */
void sl_sigma_row_show (SlSigmaRow *self, guint entry, const char *list);
guint sl_sigma_row_get_entry (SlSigmaRow *self);
const char *sl_sigma_row_get_list (SlSigmaRow *self);
/* Of the list. */
guint sl_sigma_row_get_steps (SlSigmaRow *self);

G_END_DECLS
