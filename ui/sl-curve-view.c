/* sl-curve-view.c - see sl-curve-view.h. */
#include "ui/sl-curve-view.h"

#include <glib/gi18n.h>
#include <math.h>

#define LEFT 46.0
#define RIGHT 26.0 /* room for the curves' numbers */
#define TOP 22.0
#define RAIL 18.0 /* from the bottom to the middle of the rail */
#define BELOW 50.0
#define BELOW_WITHOUT_RAIL 24.0
#define KNOB 8.0
#define PAGE 10
#define MAX_TICKS 9

typedef struct
{
  SlCurve curve;
  SlCurvePoint *points;
} OwnCurve;

struct _SlCurveView
{
  GtkWidget parent_instance;
  SlCurveAxes axes;
  GArray *curves; /* of OwnCurve */
  double cursor;
  double mark;
  gboolean chart;
  gboolean rail;
  double low; /* of the y axis, as it is drawn (logarithms when log_y) */
  double high;
};

G_DEFINE_FINAL_TYPE (SlCurveView, sl_curve_view, GTK_TYPE_WIDGET)

enum
{
  PICKED,
  MOVED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const GdkRGBA ink = { 0.93, 0.91, 0.90, 1 };
static const GdkRGBA red = { 0.90, 0.22, 0.16, 1 };

/* ---- places ---- */

static double
chart_width (SlCurveView *self)
{
  return MAX (gtk_widget_get_width (GTK_WIDGET (self)) - LEFT - RIGHT, 1);
}

static double
chart_height (SlCurveView *self)
{
  double below = self->rail ? BELOW : BELOW_WITHOUT_RAIL;

  return MAX (gtk_widget_get_height (GTK_WIDGET (self)) - TOP - below, 1);
}

/* 0 at the left end of the axis, 1 at its right. */
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

static double
place_of (const SlCurveAxes *axes, double fraction)
{
  fraction = CLAMP (fraction, 0, 1);
  if (axes->log_x)
    return MAX (axes->first, 1e-6) * pow (MAX (axes->last, 1e-6) / MAX (axes->first, 1e-6), fraction);
  return axes->first + fraction * (axes->last - axes->first);
}

static double
to_x (SlCurveView *self, double place)
{
  return LEFT + CLAMP (fraction_of (&self->axes, place), 0, 1) * chart_width (self);
}

static double
drawn_value (SlCurveView *self, double y)
{
  return self->axes.log_y ? log10 (MAX (y, 1e-6)) : y;
}

static double
to_y (SlCurveView *self, double y)
{
  double range = MAX (self->high - self->low, 1e-9);

  return TOP + (1 - CLAMP ((drawn_value (self, y) - self->low) / range, 0, 1)) * chart_height (self);
}

static void
find_range (SlCurveView *self)
{
  double low = INFINITY, high = -INFINITY;

  for (guint i = 0; i < self->curves->len; i++)
    {
      const SlCurve *curve = &g_array_index (self->curves, OwnCurve, i).curve;

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

/* ---- drawing ---- */

static void
set_ink (cairo_t *cr, const GdkRGBA *color, double alpha)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha * alpha);
}

static void
draw_text (SlCurveView *self, cairo_t *cr, const char *text, double x, double y, double align, double alpha)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), text);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();
  int width, height;

  pango_attr_list_insert (attributes, pango_attr_scale_new (0.82));
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum"));
  pango_layout_set_attributes (layout, attributes);
  pango_layout_get_pixel_size (layout, &width, &height);
  set_ink (cr, &ink, alpha);
  cairo_move_to (cr, floor (x - align * width), floor (y - height / 2.0));
  pango_cairo_show_layout (cr, layout);
}

/* 1, 2 or 5 times a power of ten. */
static double
round_distance (double range)
{
  double power = pow (10, floor (log10 (MAX (range / (MAX_TICKS - 1), 1e-9))));
  double factor = range / (MAX_TICKS - 1) / power;

  return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

static void
draw_tick (SlCurveView *self, cairo_t *cr, double place)
{
  g_autofree char *text = g_strdup_printf ("%g", place);
  double x = to_x (self, place), bottom = TOP + chart_height (self);

  set_ink (cr, &ink, 0.07);
  cairo_rectangle (cr, floor (x), TOP, 1, bottom - TOP);
  cairo_fill (cr);
  draw_text (self, cr, text, x, bottom + 11, 0.5, 0.6);
}

static void
draw_x_axis (SlCurveView *self, cairo_t *cr)
{
  const SlCurveAxes *axes = &self->axes;
  double distance = MAX (round_distance (axes->last - axes->first), 1);

  if (axes->log_x)
    for (double place = pow (10, floor (log10 (MAX (axes->first, 1e-6)))); place >= axes->last; place /= 10)
      draw_tick (self, cr, place);
  else
    for (double place = ceil (axes->first / distance) * distance; place <= axes->last; place += distance)
      draw_tick (self, cr, place);
}

static void
draw_y_tick (SlCurveView *self, cairo_t *cr, double drawn)
{
  double value = self->axes.log_y ? pow (10, drawn) : drawn;
  g_autofree char *text = g_strdup_printf ("%.3g", value);
  double y = to_y (self, value);

  set_ink (cr, &ink, 0.07);
  cairo_rectangle (cr, LEFT, floor (y), chart_width (self), 1);
  cairo_fill (cr);
  draw_text (self, cr, text, LEFT - 6, y, 1, 0.6);
}

/* Powers of ten where there are some to be seen, else three places. */
static void
draw_y_axis (SlCurveView *self, cairo_t *cr)
{
  double from = ceil (self->low), to = floor (self->high);

  if (self->curves->len == 0)
    return;
  if (self->axes.log_y && to - from >= 1)
    for (double power = from; power <= to; power += MAX (floor ((to - from) / 3), 1))
      draw_y_tick (self, cr, power);
  else
    for (int i = 0; i <= 2; i++)
      draw_y_tick (self, cr, self->low + (self->high - self->low) * i / 2);
}

static void
trace (SlCurveView *self, cairo_t *cr, const SlCurve *curve, guint from, guint to)
{
  gboolean open = FALSE;

  for (guint i = from; i < to; i++)
    {
      double x = to_x (self, curve->points[i].x), y;

      if (!isfinite (curve->points[i].y))
        {
          open = FALSE;
          continue;
        }
      y = to_y (self, curve->points[i].y);
      if (open)
        cairo_line_to (cr, x, y);
      else
        cairo_move_to (cr, x, y);
      open = TRUE;
    }
}

static void
draw_number (SlCurveView *self, cairo_t *cr, const SlCurve *curve)
{
  const SlCurvePoint *end = &curve->points[curve->n_points - 1];
  g_autofree char *text = g_strdup_printf ("%d", curve->number);

  if (isfinite (end->y))
    draw_text (self, cr, text, to_x (self, end->x) + 5 + (curve->number - 1) % 2 * 9, to_y (self, end->y), 0,
               curve->bold ? 1 : 0.75);
}

static void
draw_curve (SlCurveView *self, cairo_t *cr, const SlCurve *curve)
{
  guint reached = MIN (curve->reached, curve->n_points);

  if (curve->n_points == 0)
    return;
  cairo_set_line_width (cr, curve->bold ? 2.6 : 1.5);
  set_ink (cr, &curve->color, 0.32);
  trace (self, cr, curve, reached > 0 ? reached - 1 : 0, curve->n_points);
  cairo_stroke (cr);
  set_ink (cr, &curve->color, 1);
  trace (self, cr, curve, 0, reached);
  cairo_stroke (cr);
  if (reached > 0 && isfinite (curve->points[reached - 1].y))
    {
      cairo_arc (cr, to_x (self, curve->points[reached - 1].x), to_y (self, curve->points[reached - 1].y),
                 curve->bold ? 3.5 : 2.5, 0, 2 * G_PI);
      cairo_fill (cr);
    }
  if (curve->number > 0)
    draw_number (self, cr, curve);
}

static void
draw_curves (SlCurveView *self, cairo_t *cr, gboolean bold)
{
  for (guint i = 0; i < self->curves->len; i++)
    {
      const SlCurve *curve = &g_array_index (self->curves, OwnCurve, i).curve;

      if (curve->bold == bold)
        draw_curve (self, cr, curve);
    }
}

static void
draw_mark (SlCurveView *self, cairo_t *cr)
{
  const double dashes[] = { 3, 4 };
  double x;

  if (!isfinite (self->mark))
    return;
  x = floor (to_x (self, self->mark)) + 0.5;
  cairo_save (cr);
  cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
  cairo_set_line_width (cr, 1);
  set_ink (cr, &ink, 0.75);
  cairo_move_to (cr, x, TOP);
  cairo_line_to (cr, x, TOP + chart_height (self));
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* The line that ties the handle to the curves. */
static void
draw_cursor (SlCurveView *self, cairo_t *cr)
{
  double end = self->rail ? gtk_widget_get_height (GTK_WIDGET (self)) - RAIL : TOP + chart_height (self);

  if (!isfinite (self->cursor))
    return;
  set_ink (cr, &red, 1);
  cairo_rectangle (cr, floor (to_x (self, self->cursor)) - 0.5, TOP - 4, 1.5, end - TOP + 4);
  cairo_fill (cr);
}

static void
draw_handle (SlCurveView *self, cairo_t *cr)
{
  double x = to_x (self, self->cursor);
  double rail = gtk_widget_get_height (GTK_WIDGET (self)) - RAIL;

  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_width (cr, 4);
  set_ink (cr, &ink, 0.16);
  cairo_move_to (cr, LEFT, rail);
  cairo_line_to (cr, LEFT + chart_width (self), rail);
  cairo_stroke (cr);
  if (!isfinite (self->cursor))
    return;
  set_ink (cr, &red, 1);
  cairo_move_to (cr, LEFT, rail);
  cairo_line_to (cr, x, rail);
  cairo_stroke (cr);
  cairo_arc (cr, x, rail, KNOB, 0, 2 * G_PI);
  set_ink (cr, &ink, 1);
  cairo_fill (cr);
}

static void
draw_chart (SlCurveView *self, cairo_t *cr)
{
  int width = gtk_widget_get_width (GTK_WIDGET (self));

  draw_x_axis (self, cr);
  draw_y_axis (self, cr);
  if (self->axes.y_title)
    draw_text (self, cr, self->axes.y_title, 10, 10, 0, 0.75);
  if (self->axes.x_title)
    draw_text (self, cr, self->axes.x_title, width - 10, 10, 1, 0.75);
  draw_mark (self, cr);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  draw_curves (self, cr, FALSE);
  draw_curves (self, cr, TRUE);
  if (self->curves->len == 0 && self->axes.nothing)
    draw_text (self, cr, self->axes.nothing, width / 2.0, TOP + chart_height (self) / 2, 0.5, 0.7);
  draw_cursor (self, cr);
}

static void
sl_curve_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlCurveView *self = SL_CURVE_VIEW (widget);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, width, height);
  cairo_t *cr;

  if (width < 1 || height < 1)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &bounds);
  if (self->chart)
    draw_chart (self, cr);
  if (self->rail)
    draw_handle (self, cr);
  cairo_destroy (cr);
}

static void
sl_curve_view_measure (GtkWidget *widget,
                       GtkOrientation orientation,
                       int for_size,
                       int *minimum,
                       int *natural,
                       int *minimum_baseline,
                       int *natural_baseline)
{
  SlCurveView *self = SL_CURVE_VIEW (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      *minimum = self->rail ? 200 : 160;
      *natural = self->rail ? 600 : 240;
    }
  else if (!self->chart)
    *minimum = *natural = (int)(2 * RAIL);
  else
    {
      *minimum = (int)TOP + (int)(self->rail ? BELOW : BELOW_WITHOUT_RAIL) + 56;
      *natural = *minimum + 48;
    }
}

/* ---- moving ---- */

static void
pick (SlCurveView *self, double x)
{
  g_signal_emit (self, signals[PICKED], 0, place_of (&self->axes, (x - LEFT) / chart_width (self)));
}

static void
drag_begin (SlCurveView *self, double x, double y)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  pick (self, x);
}

static void
drag_update (SlCurveView *self, double dx, double dy, GtkGestureDrag *drag)
{
  double x, y;

  if (gtk_gesture_drag_get_start_point (drag, &x, &y))
    pick (self, x + dx);
}

static gboolean
key_pressed (SlCurveView *self, guint keyval)
{
  static const struct
  {
    guint key;
    int by;
  } keys[] = {
    { GDK_KEY_Left, -1 },        { GDK_KEY_Right, 1 },       { GDK_KEY_Page_Up, -PAGE },
    { GDK_KEY_Page_Down, PAGE }, { GDK_KEY_Home, G_MININT }, { GDK_KEY_End, G_MAXINT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keyval == keys[i].key)
      {
        g_signal_emit (self, signals[MOVED], 0, keys[i].by);
        return TRUE;
      }
  return FALSE;
}

static gboolean
scrolled (SlCurveView *self, double dx, double dy)
{
  if (dx + dy != 0)
    g_signal_emit (self, signals[MOVED], 0, dx + dy > 0 ? 1 : -1);
  return TRUE;
}

/* ---- contents ---- */

void
sl_curve_view_set_parts (SlCurveView *self, gboolean chart, gboolean rail)
{
  self->chart = chart;
  self->rail = rail;
  gtk_widget_set_can_target (GTK_WIDGET (self), rail);
  gtk_widget_set_focusable (GTK_WIDGET (self), rail);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
clear_curve (gpointer data)
{
  g_free (((OwnCurve *)data)->points);
}

void
sl_curve_view_set_axes (SlCurveView *self, const SlCurveAxes *axes)
{
  self->axes = *axes;
  find_range (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_curve_view_set_curves (SlCurveView *self, const SlCurve *curves, guint n_curves)
{
  g_array_set_size (self->curves, 0);
  for (guint i = 0; i < n_curves; i++)
    {
      OwnCurve own = { curves[i], g_memdup2 (curves[i].points, curves[i].n_points * sizeof (SlCurvePoint)) };

      own.curve.points = own.points;
      g_array_append_val (self->curves, own);
    }
  find_range (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_curve_view_set_cursor (SlCurveView *self, double place, const char *text)
{
  self->cursor = place;
  if (self->rail)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, 0.0,
                                    GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, 1.0, GTK_ACCESSIBLE_PROPERTY_VALUE_NOW,
                                    isfinite (place) ? CLAMP (fraction_of (&self->axes, place), 0, 1) : 0.0,
                                    GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text ? text : "", -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

double
sl_curve_view_get_cursor (SlCurveView *self)
{
  return self->cursor;
}

void
sl_curve_view_set_mark (SlCurveView *self, double place)
{
  self->mark = place;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- class ---- */

static void
sl_curve_view_finalize (GObject *object)
{
  g_array_unref (SL_CURVE_VIEW (object)->curves);
  G_OBJECT_CLASS (sl_curve_view_parent_class)->finalize (object);
}

static void
sl_curve_view_class_init (SlCurveViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sl_curve_view_finalize;
  widget_class->snapshot = sl_curve_view_snapshot;
  widget_class->measure = sl_curve_view_measure;
  gtk_widget_class_set_css_name (widget_class, "curves");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_SLIDER);
  signals[PICKED] = g_signal_new ("picked", SL_TYPE_CURVE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_DOUBLE);
  signals[MOVED] = g_signal_new ("moved", SL_TYPE_CURVE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
sl_curve_view_init (SlCurveView *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkEventController *wheel = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES
                                                               | GTK_EVENT_CONTROLLER_SCROLL_DISCRETE);
  GtkGesture *drag = gtk_gesture_drag_new ();

  self->curves = g_array_new (FALSE, FALSE, sizeof (OwnCurve));
  g_array_set_clear_func (self->curves, clear_curve);
  self->axes = (SlCurveAxes){ .first = 0, .last = 1 };
  self->cursor = self->mark = NAN;
  self->chart = self->rail = TRUE;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Place in all lanes"), -1);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed), self);
  g_signal_connect_swapped (wheel, "scroll", G_CALLBACK (scrolled), self);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), wheel);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}
