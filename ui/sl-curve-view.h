/* sl-curve-view.h - curves over the run, and the handle that moves through it: a chart that is also the
 * scrubber.
 *
 * Places along it are in the unit of the chart's x axis (steps, noise levels, evaluations); with a
 * logarithmic axis the largest value is at the left, as a run goes from much noise to little. What is
 * already computed is drawn strongly, what is only planned faintly.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  double x;
  double y; /* not finite: a gap */
} SlCurvePoint;

typedef struct
{
  GdkRGBA color;
  int number;    /* drawn at its end; 0 for none */
  gboolean bold; /* the chosen lane */
  guint reached; /* points that are computed; the others are planned */
  guint n_points;
  const SlCurvePoint *points;
} SlCurve;

typedef struct
{
  double first; /* of the x axis: its left end */
  double last;
  gboolean log_x;
  gboolean log_y;
  gboolean good_up;    /* more is nearer to the reference: said at the axis */
  const char *x_title; /* static or translated strings */
  const char *y_title;
  const char *nothing; /* what is said while there is no curve, or NULL */
} SlCurveAxes;

#define SL_TYPE_CURVE_VIEW (sl_curve_view_get_type ())

G_DECLARE_FINAL_TYPE (SlCurveView, sl_curve_view, SL, CURVE_VIEW, GtkWidget)

/* The chart, the rail with the handle, or both (as it is in the beginning). */
void sl_curve_view_set_parts (SlCurveView *self, gboolean chart, gboolean rail);
/* Everything is copied. Signals: "picked" (double): a person pointed at a place; "moved" (int): pressed
 * an arrow (-1, 1), a page key (-10, 10), Home or End (G_MININT, G_MAXINT). */
void sl_curve_view_set_axes (SlCurveView *self, const SlCurveAxes *axes);
void sl_curve_view_set_curves (SlCurveView *self, const SlCurve *curves, guint n_curves);
/* The handle; text is what a screen reader says of the place. */
void sl_curve_view_set_cursor (SlCurveView *self, double place, const char *text);
double sl_curve_view_get_cursor (SlCurveView *self);
/* A marked place: where two lanes part. Not finite for none. */
void sl_curve_view_set_mark (SlCurveView *self, double place);

G_END_DECLS
