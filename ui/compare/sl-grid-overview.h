/* sl-grid-overview.h - a comparison's grid: what each of its lanes shows at the place that is looked at, small, with the
 * names of columns and rows. Lanes that are no cells stand in rows of their own under it.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"
#include "ui/compare/sl-cell-grid.h"

G_BEGIN_DECLS

#define SL_TYPE_GRID_OVERVIEW (sl_grid_overview_get_type ())

G_DECLARE_FINAL_TYPE (SlGridOverview, sl_grid_overview, SL, GRID_OVERVIEW, AdwBin)

/* Once. Signals: "chosen" (guint, a lane's index); "wanted" (guint): by Return or a second click. */
void sl_grid_overview_connect (SlGridOverview *self, SlComparison *comparison, SlSettings *recipe);
/* The lanes, or their names, are others: from the start. Hidden where there is no grid. */
void sl_grid_overview_set_up (SlGridOverview *self);
/* Their frames, or the place, are others. */
void sl_grid_overview_show (SlGridOverview *self, SlView view);
/* A lane's cell has the decoded picture of what it shows, even if that was dropped since; for SlRestLanes. */
gboolean sl_grid_overview_is_shown (gpointer self, guint lane);
void sl_grid_overview_choose (SlGridOverview *self, guint lane);
SlCellGrid *sl_grid_overview_get_cells (SlGridOverview *self);
/* Lanes of the row that a lane is in, as many as there may be curves: the first, and how many. */
void sl_grid_overview_get_row (SlGridOverview *self, guint lane, guint most, guint *first, guint *count);

G_END_DECLS
