/* sl-setting-row.h - rows that show a setting by what the table says of it (SlControl): for the panel, and
 * for the settings of a lane. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* A row's title, mnemonic and tooltip. */
void sl_setting_row_name (AdwPreferencesRow *row, const SlControl *control);
/* A combo row's entries: first (may be NULL), then the choice's own, or all schedulers. */
void sl_setting_row_fill (AdwComboRow *row, const SlControl *control, const char *first);
/* A spin button with the range of a number or a seed, named as its property. */
GtkSpinButton *sl_setting_row_spin (const SlControl *control);
/* The same range for an adjustment that is there. */
void sl_setting_row_adjust (GtkAdjustment *adjustment, const SlControl *control);

/* What of settings a number's spin button shows: where nothing is said, what the scheduler takes. */
double sl_setting_row_number (const SlControl *control, SlSettings *settings);
/* The place of a choice. */
guint sl_setting_row_choice (const SlControl *control, SlSettings *settings);
void sl_setting_row_set_number (const SlControl *control, SlSettings *settings, double number);

/* The table's words about a setting with a value in them, translated: "guidance 4". */
char *sl_setting_phrase (const SlControl *control, const char *value);

G_END_DECLS
