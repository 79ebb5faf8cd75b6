/* sl-sigma-editor.c - see sl-sigma-editor.h. */
#include "ui/widgets/sl-sigma-editor.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-setting-row.h"
#include "ui/widgets/sl-sigma-graph.h"
#include "ui/widgets/sl-wheel.h"

struct _SlSigmaEditor
{
  AdwWindow parent_instance;
  GtkWidget *refused;
  GtkLabel *refusal;
  GtkButton *take;
  GtkWidget *start;
  AdwComboRow *named;
  SlSigmaGraph *graph;
  GtkLabel *words;
  GtkWidget *tools;
  GtkWidget *point_tools;
  GtkAdjustment *steps;
  GtkWidget *list_group;
  AdwEntryRow *list;
  GtkLabel *problem;

  SlSigmaCurve *curve;
  gboolean updating; /* the controls are being set, not used */
};

G_DEFINE_FINAL_TYPE (SlSigmaEditor, sl_sigma_editor, ADW_TYPE_WINDOW)

enum
{
  APPLIED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- what is shown of the curve ---- */

static void
show_point (SlSigmaEditor *self)
{
  g_autofree char *words = sl_sigma_graph_dup_words (self->graph);

  gtk_label_set_text (self->words, words);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "sigmas.remove",
                                 sl_sigma_curve_get_steps (self->curve) > 1);
}

static void
show_problem (SlSigmaEditor *self, const char *text)
{
  gtk_widget_set_visible (GTK_WIDGET (self->problem), text != NULL);
  gtk_label_set_text (self->problem, text ? text : "");
}

static void
show (SlSigmaEditor *self)
{
  g_autofree char *text = sl_sigma_curve_dup_text (self->curve);
  int named = sl_sigma_curve_get_named (self->curve);
  guint own = g_list_model_get_n_items (adw_combo_row_get_model (self->named)) - 1;

  self->updating = TRUE;
  adw_combo_row_set_selected (self->named, named < 0 ? own : (guint)named);
  gtk_adjustment_set_value (self->steps, sl_sigma_curve_get_steps (self->curve));
  gtk_editable_set_text (GTK_EDITABLE (self->list), text);
  self->updating = FALSE;
  show_problem (self, NULL);
  show_point (self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "sigmas.undo", sl_sigma_curve_can_undo (self->curve));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "sigmas.redo", sl_sigma_curve_can_redo (self->curve));
}

/* ---- what a person does ---- */

static void
named_chosen (SlSigmaEditor *self)
{
  guint selected = adw_combo_row_get_selected (self->named);

  if (self->updating || selected == GTK_INVALID_LIST_POSITION)
    return;
  if (selected < sl_control_find ("sigmas")->n_choices && !sl_sigma_curve_set_named (self->curve, selected))
    {
      show (self);
      show_problem (self, _ ("The scheduler cannot lay out its noise levels so"));
      return;
    }
  show (self);
}

static void
steps_changed (SlSigmaEditor *self)
{
  if (!self->updating)
    sl_sigma_curve_set_steps (self->curve, (guint)gtk_adjustment_get_value (self->steps));
}

static void
list_applied (SlSigmaEditor *self)
{
  g_autoptr (GError) error = NULL;

  if (!sl_sigma_curve_take_text (self->curve, gtk_editable_get_text (GTK_EDITABLE (self->list)), &error))
    show_problem (self, error->message);
}

static void
apply (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlSigmaEditor *self = SL_SIGMA_EDITOR (widget);

  g_signal_emit (self, signals[APPLIED], 0, self->curve);
  gtk_window_close (GTK_WINDOW (self));
}

static void
change (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlSigmaEditor *self = SL_SIGMA_EDITOR (widget);

  if (g_str_equal (action, "sigmas.add"))
    sl_sigma_graph_add (self->graph);
  else if (g_str_equal (action, "sigmas.remove"))
    sl_sigma_graph_remove (self->graph);
  else if (g_str_equal (action, "sigmas.undo"))
    sl_sigma_curve_undo (self->curve);
  else if (g_str_equal (action, "sigmas.redo"))
    sl_sigma_curve_redo (self->curve);
  else
    sl_sigma_curve_reset (self->curve);
}

/* ---- opening ---- */

static void
fill_named (SlSigmaEditor *self)
{
  sl_setting_row_fill (self->named, sl_control_find ("sigmas"), NULL);
  gtk_string_list_append (GTK_STRING_LIST (adw_combo_row_get_model (self->named)), _ ("Your own"));
}

static void
show_tools (SlSigmaEditor *self, gboolean shown)
{
  gtk_widget_set_visible (self->refused, !shown);
  gtk_widget_set_visible (self->start, shown);
  gtk_widget_set_visible (self->tools, shown);
  gtk_widget_set_visible (self->point_tools, shown);
  gtk_widget_set_visible (self->list_group, shown);
  gtk_widget_set_sensitive (GTK_WIDGET (self->graph), shown);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "sigmas.apply", shown);
}

/* The curve can be looked at where the scheduler takes no other; a button takes one that does. */
static void
show_refusal (SlSigmaEditor *self)
{
  const char *taker = sl_sigma_curve_get_taker (self->curve);
  const char *scheduler = sl_sigma_curve_get_refusing (self->curve);
  g_autofree char *takers = NULL;
  g_autofree char *text = NULL;
  g_autofree char *use = NULL;

  show_tools (self, scheduler == NULL);
  if (scheduler == NULL)
    return;
  takers = sl_sigma_curve_dup_takers (self->curve);
  text = *takers ? g_strdup_printf (
             _ ("The scheduler %s has noise levels of its own. Others take yours, such as %s."), scheduler,
             takers)
                 : g_strdup_printf (_ ("The scheduler %s has noise levels of its own."), scheduler);
  gtk_label_set_text (self->refusal, text);
  use = g_strdup_printf (_ ("_Use %s"), taker ? taker : "");
  gtk_button_set_label (self->take, use);
  gtk_widget_set_visible (GTK_WIDGET (self->take), taker != NULL);
}

static void
take (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlSigmaEditor *self = SL_SIGMA_EDITOR (widget);
  g_autoptr (GError) error = NULL;

  if (!sl_sigma_curve_use_taker (self->curve, &error))
    {
      show_problem (self, error->message);
      return;
    }
  show_refusal (self);
  g_object_set (self, "default-height", -1, NULL); /* as high as what is shown now */
  gtk_window_set_focus (GTK_WINDOW (self), GTK_WIDGET (self->graph));
}

SlSigmaEditor *
sl_sigma_editor_new (GtkWindow *parent, SlModelItem *model, SlSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlSigmaCurve) curve = sl_sigma_curve_new (model, settings, &error);
  SlSigmaEditor *self;

  if (curve == NULL)
    {
      sl_notice_alert (GTK_WIDGET (parent), _ ("A setting does not fit"), error->message);
      return NULL;
    }
  self = g_object_new (SL_TYPE_SIGMA_EDITOR, "transient-for", parent, NULL);
  self->curve = g_steal_pointer (&curve);
  fill_named (self);
  sl_sigma_graph_set_curve (self->graph, self->curve);
  g_signal_connect_object (self->curve, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped (self->graph, "selected", G_CALLBACK (show_point), self);
  g_signal_connect_swapped (self->named, "notify::selected", G_CALLBACK (named_chosen), self);
  g_signal_connect_swapped (self->steps, "value-changed", G_CALLBACK (steps_changed), self);
  g_signal_connect_swapped (self->list, "apply", G_CALLBACK (list_applied), self);
  show (self);
  show_refusal (self);
  gtk_window_set_focus (GTK_WINDOW (self), gtk_widget_get_visible (self->refused) ? GTK_WIDGET (self->take)
                                                                                  : GTK_WIDGET (self->graph));
  return self;
}

/* ---- class ---- */

static void
sl_sigma_editor_dispose (GObject *object)
{
  g_clear_object (&SL_SIGMA_EDITOR (object)->curve);
  G_OBJECT_CLASS (sl_sigma_editor_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlSigmaEditor, name)

static void
sl_sigma_editor_class_init (SlSigmaEditorClass *klass)
{
  static const char *const changes[]
      = { "sigmas.add", "sigmas.remove", "sigmas.undo", "sigmas.redo", "sigmas.reset" };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_SIGMA_GRAPH);
  G_OBJECT_CLASS (klass)->dispose = sl_sigma_editor_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-sigma-editor.ui");
  BIND (refused);
  BIND (refusal);
  BIND (take);
  BIND (start);
  BIND (named);
  BIND (graph);
  BIND (words);
  BIND (tools);
  BIND (point_tools);
  BIND (steps);
  BIND (list_group);
  BIND (list);
  BIND (problem);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    gtk_widget_class_install_action (widget_class, changes[i], NULL, change);
  gtk_widget_class_install_action (widget_class, "sigmas.apply", NULL, apply);
  gtk_widget_class_install_action (widget_class, "sigmas.take", NULL, take);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, "sigmas.undo", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_z, GDK_CONTROL_MASK | GDK_SHIFT_MASK,
                                       "sigmas.redo", NULL);
  signals[APPLIED] = g_signal_new ("applied", SL_TYPE_SIGMA_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, SL_TYPE_SIGMA_CURVE);
}

static void
sl_sigma_editor_init (SlSigmaEditor *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_wheel_scrolls_page (GTK_WIDGET (self));
}
