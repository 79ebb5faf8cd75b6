/* sl-compare-view.h - lanes side by side, one scrubber for all of them under it.
 *
 * The view shows an SlComparison and moves through it; starting, adding and saving are the window's.
 */
#pragma once

#include <adwaita.h>

#include "ui/compare/sl-curve-view.h"
#include "ui/compare/sl-lane-view.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_COMPARE_VIEW (sl_compare_view_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareView, sl_compare_view, SL, COMPARE_VIEW, AdwBin)

/* Once, before the view is shown. Signal "asked" (guint lane, const char *):
 * see SlLaneView. */
void sl_compare_view_connect (SlCompareView *self, SlWorkspace *workspace);
/* The switch for fast lanes says what lanes that were just opened are. */
void sl_compare_view_take_fast (SlCompareView *self);
/* The lane that the keyboard is on. */
guint sl_compare_view_get_chosen (SlCompareView *self);
void sl_compare_view_choose (SlCompareView *self, guint index);
/* NULL beyond the end. */
SlLaneView *sl_compare_view_get_lane (SlCompareView *self, guint index);
SlCurveView *sl_compare_view_get_curves (SlCompareView *self);
SlView sl_compare_view_get_view (SlCompareView *self);
/* All lanes alike. */
void sl_compare_view_zoom (SlCompareView *self, SlZoom zoom);
/* The model takes no words. */
void sl_compare_view_set_prompts (SlCompareView *self, gboolean prompts);

G_END_DECLS
