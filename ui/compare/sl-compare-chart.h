/* sl-compare-chart.h - what stands under the lanes: tabs with curves over the run (noise level, distance and likeness to
 * the reference's result) and with the inside of a step and with the table of the lanes, since when two lanes look different, and the handle that moves
 * through all lanes.
 */
#pragma once

#include <adwaita.h>

#include "ui/compare/sl-curve-view.h"
#include "ui/compare/sl-lane-table.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_COMPARE_CHART (sl_compare_chart_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareChart, sl_compare_chart, SL, COMPARE_CHART, AdwBin)

void sl_compare_chart_connect (SlCompareChart *self, SlWorkspace *workspace);
/* Lanes or their frames changed: draws curves for count lanes from first on, the chosen one stronger. At most
 * SL_LANES_SHOWN. */
void sl_compare_chart_show (SlCompareChart *self, guint first, guint count, guint chosen);
/* The position in the comparison changed: moves the handle, and the step that is looked into. */
void sl_compare_chart_move (SlCompareChart *self);
/* Opens the tab "Inside the Step". */
void sl_compare_chart_inspect (SlCompareChart *self);
/* Opens the tab "Distance". */
void sl_compare_chart_show_distance (SlCompareChart *self);
/* Opens the tab "Table", and gives it the keyboard. */
void sl_compare_chart_show_table (SlCompareChart *self);
SlLaneTable *sl_compare_chart_get_table (SlCompareChart *self);
/* The likeness that is drawn is that of decoded pictures, not of quick previews. */
gboolean sl_compare_chart_measures_decoded (SlCompareChart *self);
SlCurveView *sl_compare_chart_get_curves (SlCompareChart *self);

G_END_DECLS
