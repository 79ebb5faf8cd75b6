/* sl-curve-view.h - curves over the run, and the handle that moves through it: a chart that is also the
 * scrubber. What it shows is in sl-curve-chart.h; here are the pointer, the keys and what a screen reader
 * says.
 */
#pragma once

#include "ui/widgets/sl-curve-chart.h"

G_BEGIN_DECLS

#define SL_TYPE_CURVE_VIEW (sl_curve_view_get_type ())

G_DECLARE_FINAL_TYPE (SlCurveView, sl_curve_view, SL, CURVE_VIEW, GtkWidget)

/* The chart, the rail with the handle, or both (as it is in the beginning). */
void sl_curve_view_set_parts (SlCurveView *self, gboolean chart, gboolean rail);
/* The height that it has where there is room, with the chart; 0: its own. */
void sl_curve_view_set_height (SlCurveView *self, int height);
/* What the curves are at a place: "1: 0.43, 2: 0.51"; a new string. The same is drawn beside the pointer, and at the
 * handle while the view has the keyboard. */
char *sl_curve_view_describe (SlCurveView *self, double place);
/* Everything is copied. Signals: "picked" (double): a person pointed at a place; "moved" (int): pressed
 * an arrow (-1, 1), a page key (-10, 10), Home or End (G_MININT, G_MAXINT). */
void sl_curve_view_set_axes (SlCurveView *self, const SlCurveAxes *axes);
void sl_curve_view_set_curves (SlCurveView *self, const SlCurve *curves, guint n_curves);
/* The handle; text is what a screen reader says of the place. */
void sl_curve_view_set_cursor (SlCurveView *self, double place, const char *text);
/* A marked place: where two lanes part. Not finite for none. */
void sl_curve_view_set_mark (SlCurveView *self, double place);

G_END_DECLS
