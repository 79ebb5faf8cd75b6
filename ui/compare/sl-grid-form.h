/* sl-grid-form.h - a window in which a person chooses two settings and their values, for a lane of each pair. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_GRID_FORM (sl_grid_form_get_type ())

G_DECLARE_FINAL_TYPE (SlGridForm, sl_grid_form, SL, GRID_FORM, AdwWindow)

/* Signal "applied" (SlGridPlan) when a person agrees; the window closes itself. It says at once how many cells and
 * evaluations there will be, or why there can be none. */
SlGridForm *sl_grid_form_new (GtkWindow *parent, SlModelItem *model, SlSettings *recipe);
/* As if a person chose a setting, by its property, and typed values. */
void sl_grid_form_set (SlGridForm *self, SlPlanAxis axis, const char *property, const char *values);
/* What stands under the values. */
const char *sl_grid_form_get_summary (SlGridForm *self);

G_END_DECLS
