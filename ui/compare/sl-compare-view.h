/* sl-compare-view.h - lanes side by side, and under them what they have in common: the chart and one handle that moves
 * through all of them.
 *
 * The view shows an SlComparison and moves through it; starting, adding and saving are the page's. A comparison may have
 * more lanes than there is room for: SL_LANES_SHOWN of them are shown at a time, and the others a page further on.
 */
#pragma once

#include <adwaita.h>

#include "ui/compare/sl-ab-view.h"
#include "ui/compare/sl-compare-chart.h"
#include "ui/compare/sl-lane-view.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_COMPARE_VIEW (sl_compare_view_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareView, sl_compare_view, SL, COMPARE_VIEW, AdwBin)

/* Once, before the view is shown. Signal "asked" (guint lane, const char *): see SlLaneView. */
void sl_compare_view_connect (SlCompareView *self, SlWorkspace *workspace);
/* The switch for fast lanes says what lanes that were just opened are. */
void sl_compare_view_take_fast (SlCompareView *self);
/* The same of lanes that are about to be made again. */
void sl_compare_view_follow_fast (SlCompareView *self, gboolean fast);
/* The lane that the keyboard is on, an index into the comparison. */
guint sl_compare_view_get_chosen (SlCompareView *self);
/* Brings it into sight. */
void sl_compare_view_choose (SlCompareView *self, guint index);
/* NULL for a lane that is not shown now. */
SlLaneView *sl_compare_view_get_lane (SlCompareView *self, guint index);
/* Two lanes at full size, shown while the property "full-size" is set. */
SlAbView *sl_compare_view_get_ab (SlCompareView *self);
SlCompareChart *sl_compare_view_get_chart (SlCompareView *self);
/* All lanes alike. */
void sl_compare_view_zoom (SlCompareView *self, SlZoom zoom);
/* What is offered depends on the model: other comparisons with a prompt, other schedulers for flow;
 * and on whether the recipe has LoRAs. */
void sl_compare_view_set_model (SlCompareView *self, SlModelItem *model, gboolean loras);

G_END_DECLS
