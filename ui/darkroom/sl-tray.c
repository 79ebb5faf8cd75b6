/* sl-tray.c - see sl-tray.h. */
#include "ui/darkroom/sl-tray.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-toolkit.h"

struct _SlTray
{
  AdwBin parent_instance;
  GtkStack *stack;
  AdwStatusPage *status_page;
  AdwStatusPage *error_page;
  GtkWidget *offer;
  GtkFlowBox *examples;
  SlCanvas *canvas;
  GtkProgressBar *progress;
  GtkLabel *caption;
  GtkLabel *problem;
  GtkLabel *percent;
  SlTerms *terms;
  GtkWidget *foot; /* what is said of the picture, and the tools */
  guint telling;   /* idle that says how large it is */
};

G_DEFINE_FINAL_TYPE (SlTray, sl_tray, ADW_TYPE_BIN)

/* Prompts that the starter model has learnt; they stay in English, which is what models read. */
static const char *const example_prompts[] = {
  "a red house by a lake at sunset",
  "a lighthouse by the sea at night",
  "two yellow balloons in the mountains at dawn",
  "a white sailboat on the sea at noon",
  "three pine trees in the snow",
  "an orange tent in the desert at night",
};

/* ---- how large the picture is shown ---- */

static gboolean
tell_percent (gpointer data)
{
  SlTray *self = data;
  g_autofree char *text = g_strdup_printf (_ ("%.0f %%"), sl_canvas_get_magnification (self->canvas) * 100);

  self->telling = 0;
  gtk_label_set_text (self->percent, text);
  return G_SOURCE_REMOVE;
}

/* Later: while widgets get their sizes no label may be changed. */
static void
view_changed (SlTray *self)
{
  if (self->telling == 0)
    self->telling = g_idle_add (tell_percent, self);
}

static void
canvas_pressed (SlTray *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->canvas));
}

/* A press brings the keyboard to the picture: its keys are letters elsewhere. */
static void
connect_canvas (SlTray *self)
{
  GtkGesture *press = gtk_gesture_click_new ();

  g_signal_connect_swapped (press, "pressed", G_CALLBACK (canvas_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self->canvas), GTK_EVENT_CONTROLLER (press));
  g_signal_connect_object (self->canvas, "view-changed", G_CALLBACK (view_changed), self, G_CONNECT_SWAPPED);
}

static void
sl_tray_dispose (GObject *object)
{
  g_clear_handle_id (&SL_TRAY (object)->telling, g_source_remove);
  G_OBJECT_CLASS (sl_tray_parent_class)->dispose (object);
}

static void
sl_tray_class_init (SlTrayClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_CANVAS);
  g_type_ensure (SL_TYPE_TERMS);
  G_OBJECT_CLASS (klass)->dispose = sl_tray_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-tray.ui");
  gtk_widget_class_bind_template_child (widget_class, SlTray, stack);
  gtk_widget_class_bind_template_child (widget_class, SlTray, status_page);
  gtk_widget_class_bind_template_child (widget_class, SlTray, error_page);
  gtk_widget_class_bind_template_child (widget_class, SlTray, offer);
  gtk_widget_class_bind_template_child (widget_class, SlTray, examples);
  gtk_widget_class_bind_template_child (widget_class, SlTray, canvas);
  gtk_widget_class_bind_template_child (widget_class, SlTray, progress);
  gtk_widget_class_bind_template_child (widget_class, SlTray, caption);
  gtk_widget_class_bind_template_child (widget_class, SlTray, problem);
  gtk_widget_class_bind_template_child (widget_class, SlTray, percent);
  gtk_widget_class_bind_template_child (widget_class, SlTray, terms);
  gtk_widget_class_bind_template_child (widget_class, SlTray, foot);
}

static void
sl_tray_init (SlTray *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  connect_canvas (self);
  for (guint i = 0; i < G_N_ELEMENTS (example_prompts); i++)
    {
      GtkWidget *button = gtk_button_new_with_label (example_prompts[i]);
      g_autofree char *name = g_strdup_printf (_ ("Try “%s”"), example_prompts[i]);

      gtk_widget_add_css_class (button, "example");
      gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.example");
      gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", example_prompts[i]);
      gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
      gtk_flow_box_append (self->examples, button);
      gtk_widget_set_focusable (gtk_widget_get_parent (button), FALSE);
    }
}

SlTerms *
sl_tray_get_terms (SlTray *self)
{
  return self->terms;
}

SlCanvas *
sl_tray_get_canvas (SlTray *self)
{
  return self->canvas;
}

void
sl_tray_show (SlTray *self, GdkTexture *texture, const char *description)
{
  sl_canvas_set_texture (self->canvas, texture);
  view_changed (self);
  gtk_widget_set_visible (self->foot, texture != NULL);
  gtk_stack_set_visible_child_name (self->stack, texture ? "picture" : "empty");
  if (description)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->canvas), GTK_ACCESSIBLE_PROPERTY_LABEL, description,
                                    -1);
}

void
sl_tray_show_waiting (SlTray *self)
{
  gtk_widget_set_visible (self->foot, FALSE);
  gtk_stack_set_visible_child_name (self->stack, "waiting");
}

void
sl_tray_show_error (SlTray *self, const char *title, const char *message)
{
  g_autofree char *markup = g_markup_escape_text (message, -1);

  adw_status_page_set_title (self->error_page, title);
  adw_status_page_set_description (self->error_page, markup);
  gtk_widget_set_visible (self->foot, FALSE);
  gtk_stack_set_visible_child_name (self->stack, "error");
  sl_toolkit_announce (GTK_WIDGET (self), message);
}

void
sl_tray_set_caption (SlTray *self, const char *caption)
{
  gtk_label_set_text (self->caption, caption ? caption : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->caption), caption); /* where it is cut */
  gtk_widget_set_visible (GTK_WIDGET (self->caption), caption != NULL);
}

void
sl_tray_set_problem (SlTray *self, const char *problem)
{
  g_autofree char *text
      = problem
            ? g_strdup_printf (_ ("This is the quick preview, as the step could not be decoded: %s"), problem)
            : NULL;

  if (text && !g_str_equal (text, gtk_label_get_text (self->problem)))
    sl_toolkit_announce (GTK_WIDGET (self), text);
  gtk_label_set_text (self->problem, text ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->problem), text != NULL);
}

const char *
sl_tray_get_problem (SlTray *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self->problem)) ? gtk_label_get_text (self->problem) : NULL;
}

void
sl_tray_set_progress (SlTray *self, double fraction)
{
  gtk_widget_set_visible (GTK_WIDGET (self->progress), fraction >= 0);
  if (fraction >= 0)
    gtk_progress_bar_set_fraction (self->progress, MIN (fraction, 1));
}

GtkWidget *
sl_tray_get_offer (SlTray *self)
{
  return self->offer;
}

void
sl_tray_set_prompts (SlTray *self, gboolean prompts)
{
  gtk_widget_set_visible (GTK_WIDGET (self->examples), prompts);
  adw_status_page_set_description (
      self->status_page, prompts ? _ ("Describe a picture and press Develop, or start with one of these.")
                                 : _ ("This model needs no words: press Develop and watch."));
}
