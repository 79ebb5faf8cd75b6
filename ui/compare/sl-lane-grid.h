/* sl-lane-grid.h - up to nine lanes side by side, in as many columns as make their pictures largest. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define SL_TYPE_LANE_GRID (sl_lane_grid_get_type ())

G_DECLARE_FINAL_TYPE (SlLaneGrid, sl_lane_grid, SL, LANE_GRID, GtkWidget)

void sl_lane_grid_append (SlLaneGrid *self, GtkWidget *lane);
void sl_lane_grid_clear (SlLaneGrid *self);

G_END_DECLS
