/* sl-strip-handle.c - see sl-strip-handle.h.
 *
 * Easy to get wrong: the handle moves while it is dragged, so places in it say nothing; they are counted in the window.
 */
#include "ui/widgets/sl-strip-handle.h"

#include <glib/gi18n.h>
#include <math.h>

#define HEIGHT 12
#define STEP 24

struct _SlStripHandle
{
  GtkWidget parent_instance;
  double grabbed_at; /* in the window */
};

G_DEFINE_FINAL_TYPE (SlStripHandle, sl_strip_handle, GTK_TYPE_WIDGET)

enum
{
  GRABBED,
  PULLED,
  RELEASED,
  RESET,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static double
in_window (SlStripHandle *self, double y)
{
  GtkWidget *root = GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (self)));
  graphene_point_t point = GRAPHENE_POINT_INIT (0, (float)y), found;

  return root && gtk_widget_compute_point (GTK_WIDGET (self), root, &point, &found) ? (double)found.y : y;
}

static void
drag_begin (SlStripHandle *self, double x, double y)
{
  self->grabbed_at = in_window (self, y);
  g_signal_emit (self, signals[GRABBED], 0);
}

static void
drag_update (SlStripHandle *self, double dx, double dy, GtkGestureDrag *drag)
{
  double x, y;

  if (gtk_gesture_drag_get_start_point (drag, &x, &y))
    g_signal_emit (self, signals[PULLED], 0, (int)lround (self->grabbed_at - in_window (self, y + dy)));
}

static void
drag_end (SlStripHandle *self)
{
  g_signal_emit (self, signals[RELEASED], 0);
}

static gboolean
pull (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  g_signal_emit (widget, signals[GRABBED], 0);
  g_signal_emit (widget, signals[PULLED], 0, g_variant_get_int32 (arguments));
  g_signal_emit (widget, signals[RELEASED], 0);
  return TRUE;
}

static gboolean
reset (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  g_signal_emit (widget, signals[RESET], 0);
  return TRUE;
}

static void
pressed (SlStripHandle *self, int n_press)
{
  if (n_press == 2)
    g_signal_emit (self, signals[RESET], 0);
}

void
sl_strip_handle_set_height (SlStripHandle *self, int height)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_NOW, (double)height,
                                  -1);
}

static void
sl_strip_handle_measure (GtkWidget *widget,
                         GtkOrientation orientation,
                         int for_size,
                         int *minimum,
                         int *natural,
                         int *minimum_baseline,
                         int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT : 48;
}

static void
sl_strip_handle_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  const GdkRGBA color = { 0.93f, 0.91f, 0.90f, gtk_widget_has_focus (widget) ? 0.9f : 0.35f };
  graphene_rect_t grip = GRAPHENE_RECT_INIT ((float)gtk_widget_get_width (widget) / 2 - 18,
                                             (float)gtk_widget_get_height (widget) / 2 - 1, 36, 3);

  gtk_snapshot_append_color (snapshot, &color, &grip);
}

static void
sl_strip_handle_class_init (SlStripHandleClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->measure = sl_strip_handle_measure;
  widget_class->snapshot = sl_strip_handle_snapshot;
  gtk_widget_class_set_css_name (widget_class, "striphandle");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_SLIDER);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Up, 0, pull, "i", STEP);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Down, 0, pull, "i", -STEP);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Home, 0, reset, NULL);
  for (guint i = 0; i < N_SIGNALS; i++)
    {
      static const char *const names[N_SIGNALS] = { "grabbed", "pulled", "released", "reset" };

      if (i == PULLED)
        signals[i] = g_signal_new (names[i], SL_TYPE_STRIP_HANDLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_INT);
      else
        signals[i] = g_signal_new (names[i], SL_TYPE_STRIP_HANDLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
    }
}

static void
sl_strip_handle_init (SlStripHandle *self)
{
  GtkGesture *drag = gtk_gesture_drag_new (), *click = gtk_gesture_click_new ();

  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_cursor_from_name (GTK_WIDGET (self), "ns-resize");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self),
                               _ ("Drag to make this taller; a double click gives it its own height again"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Height of the curves"), -1);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  g_signal_connect_swapped (drag, "drag-end", G_CALLBACK (drag_end), self);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
}
