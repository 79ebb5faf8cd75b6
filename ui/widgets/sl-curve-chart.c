/* sl-curve-chart.c - see sl-curve-chart.h. */
#include "ui/widgets/sl-curve-chart.h"

#include <glib/gi18n.h>
#include <math.h>

#define RIGHT 26.0 /* room for the curves' numbers */
#define BELOW 50.0
#define BELOW_WITHOUT_RAIL 24.0

/* ---- places ---- */

double
sl_curve_chart_width (const SlCurveChart *self)
{
  return MAX (gtk_widget_get_width (self->widget) - SL_CURVE_LEFT - RIGHT, 1);
}

static double
below (const SlCurveChart *self)
{
  return self->rail ? BELOW : BELOW_WITHOUT_RAIL;
}

double
sl_curve_chart_height (const SlCurveChart *self)
{
  return MAX (gtk_widget_get_height (self->widget) - SL_CURVE_TOP - below (self), 1);
}

static double
fraction_of (const SlCurveAxes *axes, double x)
{
  double first = axes->first, last = axes->last;

  if (axes->log_x)
    {
      first = log (MAX (first, 1e-6));
      last = log (MAX (last, 1e-6));
      x = log (MAX (x, 1e-6));
    }
  return first == last ? 0 : (x - first) / (last - first);
}

double
sl_curve_chart_fraction (const SlCurveChart *self, double place)
{
  return CLAMP (fraction_of (&self->axes, place), 0, 1);
}

double
sl_curve_chart_place_at (const SlCurveChart *self, double x)
{
  const SlCurveAxes *axes = &self->axes;
  double fraction = CLAMP ((x - SL_CURVE_LEFT) / sl_curve_chart_width (self), 0, 1);

  if (axes->log_x)
    return MAX (axes->first, 1e-6) * pow (MAX (axes->last, 1e-6) / MAX (axes->first, 1e-6), fraction);
  return axes->first + fraction * (axes->last - axes->first);
}

double
sl_curve_chart_x (const SlCurveChart *self, double place)
{
  return SL_CURVE_LEFT + sl_curve_chart_fraction (self, place) * sl_curve_chart_width (self);
}

static double
drawn_value (const SlCurveChart *self, double y)
{
  return self->axes.log_y ? log10 (MAX (y, 1e-6)) : y;
}

double
sl_curve_chart_y (const SlCurveChart *self, double y)
{
  double range = MAX (self->high - self->low, 1e-9);

  return SL_CURVE_TOP
         + (1 - CLAMP ((drawn_value (self, y) - self->low) / range, 0, 1)) * sl_curve_chart_height (self);
}

static void
find_range (SlCurveChart *self)
{
  double low = INFINITY, high = -INFINITY;

  for (guint i = 0; i < self->curves->len; i++)
    {
      const SlCurve *curve = &g_array_index (self->curves, SlCurve, i);

      for (guint j = 0; j < curve->n_points; j++)
        {
          double y = drawn_value (self, curve->points[j].y);

          if (!isfinite (curve->points[j].y))
            continue;
          low = MIN (low, y);
          high = MAX (high, y);
        }
    }
  if (!self->axes.log_y)
    low = MIN (low, 0);
  self->low = isfinite (low) ? low : 0;
  self->high = isfinite (high) && high > self->low ? high : self->low + 1;
}

const SlCurvePoint *
sl_curve_chart_point_at (const SlCurveChart *self, guint index, double place)
{
  const SlCurve *curve = &g_array_index (self->curves, SlCurve, index);
  const SlCurvePoint *found = NULL;

  for (guint i = 0; i < MIN (curve->reached, curve->n_points); i++)
    {
      double x = curve->points[i].x;
      gboolean beyond = self->axes.log_x ? x < place * (1 - 1e-6) : x > place + 1e-6;

      if (!beyond)
        found = &curve->points[i];
    }
  return found;
}

char *
sl_curve_chart_value_text (const SlCurveChart *self, guint curve, double place)
{
  const SlCurvePoint *point = sl_curve_chart_point_at (self, curve, place);
  g_autofree char *value = NULL;

  if (point == NULL)
    return NULL;
  value = isfinite (point->y) ? g_strdup_printf ("%.4g", point->y) : g_strdup (self->axes.missing);
  /* Translators: a value of an evaluation that took over a part of one before. */
  return value && point->cached ? g_strdup_printf (_ ("%s, cached"), value) : g_steal_pointer (&value);
}

/* ---- contents ---- */

static void
clear_curve (gpointer data)
{
  g_free ((gpointer)((SlCurve *)data)->points);
}

void
sl_curve_chart_init (SlCurveChart *self, GtkWidget *widget)
{
  *self = (SlCurveChart){ .widget = widget,
                          .axes = { .first = 0, .last = 1 },
                          .curves = g_array_new (FALSE, FALSE, sizeof (SlCurve)),
                          .cursor = NAN,
                          .mark = NAN,
                          .reading = NAN,
                          .chart = TRUE,
                          .rail = TRUE };
  g_array_set_clear_func (self->curves, clear_curve);
}

void
sl_curve_chart_clear (SlCurveChart *self)
{
  g_clear_pointer (&self->curves, g_array_unref);
}

void
sl_curve_chart_set_axes (SlCurveChart *self, const SlCurveAxes *axes)
{
  self->axes = *axes;
  find_range (self);
}

void
sl_curve_chart_set_curves (SlCurveChart *self, const SlCurve *curves, guint n_curves)
{
  g_array_set_size (self->curves, 0);
  for (guint i = 0; i < n_curves; i++)
    {
      SlCurve own = curves[i];

      own.points = g_memdup2 (own.points, own.n_points * sizeof *own.points);
      g_array_append_val (self->curves, own);
    }
  find_range (self);
}

int
sl_curve_chart_min_height (const SlCurveChart *self)
{
  return self->chart ? (int)SL_CURVE_TOP + (int)below (self) + 56 : (int)(2 * SL_CURVE_RAIL);
}
