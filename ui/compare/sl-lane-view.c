/* sl-lane-view.c - see sl-lane-view.h. */
#include "ui/compare/sl-lane-view.h"

#include <glib/gi18n.h>
#include <string.h>

#include "app/objects/objects.h"
#include "ui/widgets/sl-toolkit.h"

struct _SlLaneView
{
  AdwBin parent_instance;
  GtkLabel *number_label;
  GtkLabel *title;
  GtkWidget *reference;
  GtkWidget *stale;
  GtkMenuButton *menu;
  GtkStack *stack;
  GtkLabel *message;
  SlCanvas *canvas;
  GtkProgressBar *progress;
  GtkLabel *problem;
  GtkLabel *figures;
  int number;
};

G_DEFINE_FINAL_TYPE (SlLaneView, sl_lane_view, ADW_TYPE_BIN)

enum
{
  CHOSEN,
  ASKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

GdkRGBA
sl_lane_color (guint color)
{
  guint8 rgb[3];

  sl_lane_color_get (color, rgb);
  return (GdkRGBA){ rgb[0] / 255.0f, rgb[1] / 255.0f, rgb[2] / 255.0f, 1 };
}

/* .lane-1 and so on: of the number, and of the progress, not of what is to come. */
static void
add_colors (void)
{
  g_autoptr (GString) css = g_string_new (NULL);

  for (guint i = 0; i < sl_lane_color_count (); i++)
    {
      guint8 rgb[3];

      sl_lane_color_get (i, rgb);
      g_string_append_printf (
          css, ".lane-number.lane-%u, .lane-%u progress { background-color: #%02x%02x%02x; }\n", i + 1, i + 1,
          rgb[0], rgb[1], rgb[2]);
    }
  sl_toolkit_add_style (css->str);
}

static void
chosen (SlLaneView *self)
{
  g_signal_emit (self, signals[CHOSEN], 0);
}

static void
pressed (SlLaneView *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  chosen (self);
}

static void
asked (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlLaneView *self = SL_LANE_VIEW (widget);

  chosen (self);
  g_signal_emit (self, signals[ASKED], 0, action + strlen ("lane."));
}

static void
open_menu (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gtk_menu_button_popup (SL_LANE_VIEW (widget)->menu);
}

SlLaneView *
sl_lane_view_new (int number, guint color)
{
  SlLaneView *self = g_object_new (SL_TYPE_LANE_VIEW, NULL);
  g_autofree char *text = g_strdup_printf ("%d", number);
  g_autofree char *class = g_strdup_printf ("lane-%u", color % sl_lane_color_count () + 1);

  self->number = number;
  gtk_label_set_text (self->number_label, text);
  gtk_widget_add_css_class (GTK_WIDGET (self->number_label), class);
  gtk_widget_add_css_class (GTK_WIDGET (self->progress), class);
  return self;
}

int
sl_lane_view_get_number (SlLaneView *self)
{
  return self->number;
}

void
sl_lane_view_set_title (SlLaneView *self, const char *title, const char *detail)
{
  /* Translators: a lane's number and name, as a screen reader says it. */
  g_autofree char *name = g_strdup_printf (_ ("Lane %d, %s"), self->number, title);

  g_autofree char *tooltip = g_strconcat (title, "\n\n", detail, NULL);

  gtk_label_set_text (self->title, title);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->title), tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

void
sl_lane_view_show (SlLaneView *self, GdkTexture *texture, const char *message, gboolean failed)
{
  sl_canvas_set_texture (self->canvas, texture);
  gtk_label_set_text (self->message, message ? message : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->message), failed ? message : NULL);
  if (failed)
    gtk_widget_add_css_class (GTK_WIDGET (self->message), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->message), "error");
  gtk_stack_set_visible_child_name (self->stack, texture ? "picture" : "message");
}

void
sl_lane_view_set_figures (SlLaneView *self, const char *figures, const char *detail)
{
  gtk_label_set_text (self->figures, figures);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->figures), detail);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->canvas), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  detail ? detail : figures, -1);
}

static void
set_css_class (gpointer widget, const char *class, gboolean on)
{
  if (on)
    gtk_widget_add_css_class (widget, class);
  else
    gtk_widget_remove_css_class (widget, class);
}

void
sl_lane_view_set_chosen (SlLaneView *self, gboolean is_chosen)
{
  set_css_class (self, "chosen", is_chosen);
  gtk_accessible_update_state (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_STATE_SELECTED, is_chosen, -1);
}

void
sl_lane_view_set_reference (SlLaneView *self, gboolean reference)
{
  gtk_widget_set_visible (self->reference, reference);
}

void
sl_lane_view_set_stale (SlLaneView *self, gboolean stale)
{
  gtk_widget_set_visible (self->stale, stale);
  set_css_class (self, "stale", stale);
}

void
sl_lane_view_set_problem (SlLaneView *self, const char *problem)
{
  g_autofree char *text = problem ? g_strdup_printf (_ ("Not decoded: %s"), problem) : NULL;

  gtk_label_set_text (self->problem, text ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->problem), text);
  gtk_widget_set_visible (GTK_WIDGET (self->problem), text != NULL);
}

const char *
sl_lane_view_get_problem (SlLaneView *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self->problem)) ? gtk_label_get_text (self->problem) : NULL;
}

void
sl_lane_view_set_progress (SlLaneView *self, double fraction)
{
  gtk_widget_set_visible (GTK_WIDGET (self->progress), fraction >= 0);
  if (fraction >= 0)
    gtk_progress_bar_set_fraction (self->progress, MIN (fraction, 1));
}

void
sl_lane_view_set_has_picture (SlLaneView *self, gboolean has_picture)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "lane.save", has_picture);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "lane.keep", has_picture);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "lane.inspect", has_picture);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "lane.branch", has_picture);
}

SlCanvas *
sl_lane_view_get_canvas (SlLaneView *self)
{
  return self->canvas;
}

static void
sl_lane_view_class_init (SlLaneViewClass *klass)
{
  static const char *const actions[]
      = { "lane.edit", "lane.reference", "lane.inspect", "lane.branch", "lane.keep",
          "lane.save", "lane.duplicate", "lane.remove",  "lane.use" };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  add_colors ();
  g_type_ensure (SL_TYPE_CANVAS);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-lane-view.ui");
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, number_label);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, title);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, reference);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, stale);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, menu);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, stack);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, message);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, canvas);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, progress);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, problem);
  gtk_widget_class_bind_template_child (widget_class, SlLaneView, figures);
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (widget_class, actions[i], NULL, asked);
  gtk_widget_class_install_action (widget_class, "lane.menu", NULL, open_menu);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Menu, 0, "lane.menu", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F10, GDK_SHIFT_MASK, "lane.menu", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Delete, 0, "lane.remove", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, 0, "lane.edit", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_r, 0, "lane.reference", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_i, 0, "lane.inspect", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_b, 0, "lane.branch", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_k, 0, "lane.keep", NULL);
  signals[CHOSEN]
      = g_signal_new ("chosen", SL_TYPE_LANE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[ASKED] = g_signal_new ("asked", SL_TYPE_LANE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
sl_lane_view_init (SlLaneView *self)
{
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *focus = gtk_event_controller_focus_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (pressed), self);
  g_signal_connect_swapped (focus, "enter", G_CALLBACK (chosen), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (GTK_WIDGET (self), focus);
}
