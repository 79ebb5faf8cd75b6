/* sl-curve-view.c - see sl-curve-view.h. */
#include "ui/compare/sl-curve-view.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/widgets/sl-curve-draw.h"

#define PAGE 10

struct _SlCurveView
{
  GtkWidget parent_instance;
  SlCurveChart chart;
  int height;     /* that is wanted; 0: its own */
  double pointer; /* the place under it; not finite for none */
};

G_DEFINE_FINAL_TYPE (SlCurveView, sl_curve_view, GTK_TYPE_WIDGET)

enum
{
  PICKED,
  MOVED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- drawing ---- */

static void
sl_curve_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlCurveView *self = SL_CURVE_VIEW (widget);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, width, height);
  cairo_t *cr;

  if (width < 1 || height < 1)
    return;
  self->chart.reading = isfinite (self->pointer)                                    ? self->pointer
                        : self->chart.rail && gtk_widget_has_visible_focus (widget) ? self->chart.cursor
                                                                                    : NAN;
  cr = gtk_snapshot_append_cairo (snapshot, &bounds);
  sl_curve_draw (&self->chart, cr);
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
  const SlCurveChart *chart = &SL_CURVE_VIEW (widget)->chart;

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      *minimum = chart->rail ? 200 : 160;
      *natural = chart->rail ? 600 : 240;
    }
  else
    {
      *minimum = sl_curve_chart_min_height (chart);
      *natural = *minimum + (chart->chart ? 48 : 0);
      if (chart->chart && chart->rail)
        *natural
            = MAX (SL_CURVE_VIEW (widget)->height > 0 ? SL_CURVE_VIEW (widget)->height : *natural, *minimum);
    }
}

/* ---- moving ---- */

static void
pick (SlCurveView *self, double x)
{
  g_signal_emit (self, signals[PICKED], 0, sl_curve_chart_place_at (&self->chart, x));
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

static void
pointer_moved (SlCurveView *self, double x, double y)
{
  self->pointer = self->chart.chart && self->chart.rail ? sl_curve_chart_place_at (&self->chart, x) : NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
pointer_left (SlCurveView *self)
{
  self->pointer = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- contents ---- */

void
sl_curve_view_set_height (SlCurveView *self, int height)
{
  self->height = height;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

char *
sl_curve_view_describe (SlCurveView *self, double place)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < self->chart.curves->len; i++)
    {
      g_autofree char *value = sl_curve_chart_value_text (&self->chart, i, place);

      if (value)
        g_string_append_printf (text, "%s%d: %s", text->len ? ", " : "",
                                g_array_index (self->chart.curves, SlCurve, i).number, value);
    }
  return g_string_free (text, FALSE);
}

void
sl_curve_view_set_parts (SlCurveView *self, gboolean chart, gboolean rail)
{
  self->chart.chart = chart;
  self->chart.rail = rail;
  gtk_widget_set_can_target (GTK_WIDGET (self), rail);
  gtk_widget_set_focusable (GTK_WIDGET (self), rail);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
sl_curve_view_set_axes (SlCurveView *self, const SlCurveAxes *axes)
{
  sl_curve_chart_set_axes (&self->chart, axes);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_curve_view_set_curves (SlCurveView *self, const SlCurve *curves, guint n_curves)
{
  sl_curve_chart_set_curves (&self->chart, curves, n_curves);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_curve_view_set_cursor (SlCurveView *self, double place, const char *text)
{
  self->chart.cursor = place;
  if (self->chart.rail)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, 0.0,
                                    GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, 1.0, GTK_ACCESSIBLE_PROPERTY_VALUE_NOW,
                                    isfinite (place) ? sl_curve_chart_fraction (&self->chart, place) : 0.0,
                                    GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text ? text : "", -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_curve_view_set_mark (SlCurveView *self, double place)
{
  self->chart.mark = place;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- class ---- */

static void
sl_curve_view_finalize (GObject *object)
{
  sl_curve_chart_clear (&SL_CURVE_VIEW (object)->chart);
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
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *focus = gtk_event_controller_focus_new ();
  GtkGesture *drag = gtk_gesture_drag_new ();

  self->pointer = NAN;
  sl_curve_chart_init (&self->chart, GTK_WIDGET (self));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Place in all lanes"), -1);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed), self);
  g_signal_connect_swapped (wheel, "scroll", G_CALLBACK (scrolled), self);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (pointer_moved), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (pointer_left), self);
  g_signal_connect_swapped (focus, "enter", G_CALLBACK (gtk_widget_queue_draw), self);
  g_signal_connect_swapped (focus, "leave", G_CALLBACK (gtk_widget_queue_draw), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), focus);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), wheel);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}
