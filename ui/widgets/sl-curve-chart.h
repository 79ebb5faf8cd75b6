/* sl-curve-chart.h - what a chart of curves shows, and where in its widget each place of the curves is.
 *
 * Places along it are in the unit of the chart's x axis (steps, noise levels, evaluations); with a
 * logarithmic axis the largest value is at the left, as a run goes from much noise to little. What is
 * already computed is drawn strongly, what is only planned faintly. Sizes are those the widget has now.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define SL_CURVE_LEFT 46.0
#define SL_CURVE_TOP 22.0
#define SL_CURVE_RAIL 18.0 /* from the bottom to the middle of the rail */

typedef struct
{
  double x;
  double y;        /* not finite: a gap */
  gboolean cached; /* of an evaluation that took over a part of one before: drawn as a ring */
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
  const char *x_title; /* static or translated strings */
  const char *y_title;
  const char *missing; /* what a value that is not finite means, where it is read; NULL: nothing */
  const char *nothing; /* what is said while there is no curve, or NULL */
} SlCurveAxes;

typedef struct
{
  GtkWidget *widget; /* the owner, not held: its size, its font */
  SlCurveAxes axes;
  GArray *curves; /* of SlCurve, with points of their own */
  double cursor;  /* the handle's place, and that of a mark: not finite for none */
  double mark;
  double reading; /* the place whose values are written out; as mark */
  gboolean chart; /* which of the two parts are drawn */
  gboolean rail;
  double low; /* of the y axis, as it is drawn (logarithms when log_y) */
  double high;
} SlCurveChart;

/* Both parts, no curves. */
void sl_curve_chart_init (SlCurveChart *self, GtkWidget *widget);
void sl_curve_chart_clear (SlCurveChart *self);
/* The curves are copied; the axes' texts are not. */
void sl_curve_chart_set_axes (SlCurveChart *self, const SlCurveAxes *axes);
void sl_curve_chart_set_curves (SlCurveChart *self, const SlCurve *curves, guint n_curves);
int sl_curve_chart_min_height (const SlCurveChart *self);
/* The part that the curves are in, and places in it: all in the widget's pixels. */
double sl_curve_chart_width (const SlCurveChart *self);
double sl_curve_chart_height (const SlCurveChart *self);
double sl_curve_chart_x (const SlCurveChart *self, double place);
double sl_curve_chart_y (const SlCurveChart *self, double y);
/* The last computed point of a curve that is not beyond a place; NULL: it begins later. */
const SlCurvePoint *sl_curve_chart_point_at (const SlCurveChart *self, guint curve, double place);
/* Its value, a new string; NULL: there is none. */
char *sl_curve_chart_value_text (const SlCurveChart *self, guint curve, double place);
/* 0 at the left end of the axis, 1 at its right; and the place at x of the widget. */
double sl_curve_chart_fraction (const SlCurveChart *self, double place);
double sl_curve_chart_place_at (const SlCurveChart *self, double x);

G_END_DECLS
