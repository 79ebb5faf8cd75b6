/* sl-sigma-graph.c - see sl-sigma-graph.h.
 *
 * Changes of one point that follow each other (a drag, a key that is held) are one step for undo. A drag moves a
 * point by as much as the pointer moves, so that a press alone changes nothing.
 */
#include "ui/widgets/sl-sigma-graph.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/widgets/sl-curve-draw.h"

#define BY_KEY 1.02
#define BY_FINE_KEY 1.002
#define BY_PAGE 1.25
#define NONE G_MAXUINT

static const GdkRGBA ink = { 0.93, 0.91, 0.90, 1 };
static const GdkRGBA red = { 0.90, 0.22, 0.16, 1 };

struct _SlSigmaGraph
{
  GtkWidget parent_instance;
  SlCurveChart chart;
  SlSigmaCurve *curve;
  guint selected;
  guint moved;   /* the point that was moved last; NONE after any other change */
  double grip_y; /* of the selected point when the drag began */
};

G_DEFINE_FINAL_TYPE (SlSigmaGraph, sl_sigma_graph, GTK_TYPE_WIDGET)

enum
{
  SELECTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- the picture ---- */

void
sl_sigma_graph_get_place (SlSigmaGraph *self, guint step, double *x, double *y)
{
  *x = sl_curve_chart_x (&self->chart, step + 1);
  *y = sl_curve_chart_y (&self->chart, sl_sigma_curve_get_sigma (self->curve, step));
}

static double
sigma_at (SlSigmaGraph *self, double y)
{
  double share = 1 - (y - SL_CURVE_TOP) / sl_curve_chart_height (&self->chart);

  return pow (10, self->chart.low + share * (self->chart.high - self->chart.low));
}

static void
set_color (cairo_t *cr, const GdkRGBA *color)
{
  cairo_set_source_rgb (cr, color->red, color->green, color->blue);
}

static void
draw_points (SlSigmaGraph *self, cairo_t *cr)
{
  guint steps = sl_sigma_curve_get_steps (self->curve);
  double apart = sl_curve_chart_width (&self->chart) / MAX (steps, 1);

  for (guint i = 0; i < steps; i++)
    {
      double x, y, radius = CLAMP (apart / 3, 1.5, 4.5);

      sl_sigma_graph_get_place (self, i, &x, &y);
      if (i == self->selected)
        radius = 6.5;
      set_color (cr, i == self->selected ? &ink : &red);
      cairo_arc (cr, x, y, radius, 0, 2 * G_PI);
      cairo_fill (cr);
    }
}

static void
sl_sigma_graph_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlSigmaGraph *self = SL_SIGMA_GRAPH (widget);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, width, height);
  cairo_t *cr;

  if (width < 1 || height < 1 || self->curve == NULL)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &bounds);
  sl_curve_draw (&self->chart, cr);
  draw_points (self, cr);
  cairo_destroy (cr);
}

static void
sl_sigma_graph_measure (GtkWidget *widget,
                        GtkOrientation orientation,
                        int for_size,
                        int *minimum,
                        int *natural,
                        int *minimum_baseline,
                        int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 240 : 180;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 520 : 280;
}

char *
sl_sigma_graph_dup_words (SlSigmaGraph *self)
{
  guint steps = sl_sigma_curve_get_steps (self->curve);

  return g_strdup_printf (_ ("Step %u of %u, noise level %.4g, timestep %.4g"), self->selected + 1, steps,
                          sl_sigma_curve_get_sigma (self->curve, self->selected),
                          sl_sigma_curve_get_timestep (self->curve, self->selected));
}

/* As a slider of the selected point, from the least noise to the most, in logarithms as it is drawn. */
static void
tell (SlSigmaGraph *self)
{
  g_autofree char *words = sl_sigma_graph_dup_words (self);
  double sigma = sl_sigma_curve_get_sigma (self->curve, self->selected);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, self->chart.low,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, self->chart.high,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_NOW, log10 (sigma),
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, words,
                                  /* which alone GTK 4.8 tells of a slider */
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}

static void
show (SlSigmaGraph *self)
{
  guint n[2] = { sl_sigma_curve_get_first_steps (self->curve), sl_sigma_curve_get_steps (self->curve) };
  const SlCurveAxes axes = { .first = 1,
                             .last = MAX (MAX (n[0], n[1]), 2),
                             .log_y = TRUE,
                             .y_title = _ ("Noise level σ"),
                             .x_title = _ ("Step") };
  SlCurve curves[2];
  double low, high;

  for (guint k = 0; k < 2; k++)
    {
      SlCurvePoint *points = g_new (SlCurvePoint, n[k]);

      for (guint i = 0; i < n[k]; i++)
        points[i] = (SlCurvePoint){ i + 1, k == 0 ? sl_sigma_curve_get_first_sigma (self->curve, i)
                                                  : sl_sigma_curve_get_sigma (self->curve, i) };
      curves[k] = (SlCurve){
        .color = k == 0 ? ink : red, .bold = k == 1, .reached = k * n[k], .n_points = n[k], .points = points
      };
    }
  sl_curve_chart_set_axes (&self->chart, &axes);
  sl_curve_chart_set_curves (&self->chart, curves, 2);
  /* the same place for a level however the curve lies */
  sl_sigma_curve_get_range (self->curve, &low, &high);
  self->chart.low = log10 (low);
  self->chart.high = MAX (log10 (high), self->chart.low + 0.01);
  for (guint k = 0; k < 2; k++)
    g_free ((gpointer)curves[k].points);
  tell (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- choosing and moving ---- */

guint
sl_sigma_graph_get_selected (SlSigmaGraph *self)
{
  return self->selected;
}

void
sl_sigma_graph_select (SlSigmaGraph *self, guint step)
{
  step = MIN (step, sl_sigma_curve_get_steps (self->curve) - 1);
  if (step == self->selected)
    return;
  self->selected = step;
  self->moved = NONE;
  tell (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, signals[SELECTED], 0);
}

static void
move_to (SlSigmaGraph *self, double sigma)
{
  double before = sl_sigma_curve_get_sigma (self->curve, self->selected);
  gboolean goes_on = self->moved == self->selected;

  sl_sigma_curve_move (self->curve, self->selected, sigma, goes_on);
  if (goes_on || sl_sigma_curve_get_sigma (self->curve, self->selected) != before)
    self->moved = self->selected;
}

void
sl_sigma_graph_add (SlSigmaGraph *self)
{
  if (sl_sigma_curve_add (self->curve, self->selected))
    sl_sigma_graph_select (self,
                           MIN (self->selected + 1, MAX (sl_sigma_curve_get_steps (self->curve), 3) - 2));
  else
    gtk_widget_error_bell (GTK_WIDGET (self));
}

void
sl_sigma_graph_remove (SlSigmaGraph *self)
{
  if (!sl_sigma_curve_remove (self->curve, self->selected))
    gtk_widget_error_bell (GTK_WIDGET (self));
}

static void
curve_changed (SlSigmaGraph *self)
{
  guint steps = sl_sigma_curve_get_steps (self->curve);

  self->moved = NONE; /* who moved a point says so afterwards */
  if (self->selected >= steps)
    sl_sigma_graph_select (self, steps - 1);
  show (self);
}

static guint
nearest (SlSigmaGraph *self, double at_x)
{
  guint best = 0;
  double distance = INFINITY;

  for (guint i = 0; i < sl_sigma_curve_get_steps (self->curve); i++)
    {
      double x, y;

      sl_sigma_graph_get_place (self, i, &x, &y);
      if (fabs (x - at_x) < distance)
        {
          distance = fabs (x - at_x);
          best = i;
        }
    }
  return best;
}

static void
drag_begin (SlSigmaGraph *self, double x, double y)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  sl_sigma_graph_select (self, nearest (self, x));
  self->moved = NONE;
  sl_sigma_graph_get_place (self, self->selected, &x, &self->grip_y);
}

static void
drag_update (SlSigmaGraph *self, double dx, double dy)
{
  if (dy != 0 || self->moved == self->selected)
    move_to (self, sigma_at (self, self->grip_y + dy));
}

static gboolean
choose_by_key (SlSigmaGraph *self, guint keyval)
{
  guint last = sl_sigma_curve_get_steps (self->curve) - 1;

  if (keyval == GDK_KEY_Left)
    sl_sigma_graph_select (self, self->selected > 0 ? self->selected - 1 : 0);
  else if (keyval == GDK_KEY_Right)
    sl_sigma_graph_select (self, self->selected + 1);
  else if (keyval == GDK_KEY_Home)
    sl_sigma_graph_select (self, 0);
  else if (keyval == GDK_KEY_End)
    sl_sigma_graph_select (self, last);
  else
    return FALSE;
  return TRUE;
}

static gboolean
key_pressed (SlSigmaGraph *self, guint keyval, guint code, GdkModifierType state)
{
  double arrow = state & GDK_SHIFT_MASK ? BY_FINE_KEY : BY_KEY;
  double sigma = sl_sigma_curve_get_sigma (self->curve, self->selected);

  if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
    return FALSE;
  switch (keyval)
    {
    case GDK_KEY_Up:
      move_to (self, sigma * arrow);
      return TRUE;
    case GDK_KEY_Down:
      move_to (self, sigma / arrow);
      return TRUE;
    case GDK_KEY_Page_Up:
      move_to (self, sigma * BY_PAGE);
      return TRUE;
    case GDK_KEY_Page_Down:
      move_to (self, sigma / BY_PAGE);
      return TRUE;
    case GDK_KEY_Insert:
    case GDK_KEY_plus:
      sl_sigma_graph_add (self);
      return TRUE;
    case GDK_KEY_Delete:
    case GDK_KEY_BackSpace:
      sl_sigma_graph_remove (self);
      return TRUE;
    default:
      return choose_by_key (self, keyval);
    }
}

/* ---- class ---- */

void
sl_sigma_graph_set_curve (SlSigmaGraph *self, SlSigmaCurve *curve)
{
  self->curve = g_object_ref (curve);
  self->selected = sl_sigma_curve_get_steps (curve) / 2;
  g_signal_connect_object (curve, "changed", G_CALLBACK (curve_changed), self, G_CONNECT_SWAPPED);
  show (self);
}

static void
sl_sigma_graph_finalize (GObject *object)
{
  SlSigmaGraph *self = SL_SIGMA_GRAPH (object);

  sl_curve_chart_clear (&self->chart);
  g_clear_object (&self->curve);
  G_OBJECT_CLASS (sl_sigma_graph_parent_class)->finalize (object);
}

static void
sl_sigma_graph_class_init (SlSigmaGraphClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sl_sigma_graph_finalize;
  widget_class->snapshot = sl_sigma_graph_snapshot;
  widget_class->measure = sl_sigma_graph_measure;
  gtk_widget_class_set_css_name (widget_class, "curves");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_SLIDER);
  signals[SELECTED] = g_signal_new ("selected", SL_TYPE_SIGMA_GRAPH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 0);
}

static void
sl_sigma_graph_init (SlSigmaGraph *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkGesture *drag = gtk_gesture_drag_new ();

  sl_curve_chart_init (&self->chart, GTK_WIDGET (self));
  self->chart.rail = FALSE;
  self->moved = NONE;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Noise levels of the steps"), -1);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed), self);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}
