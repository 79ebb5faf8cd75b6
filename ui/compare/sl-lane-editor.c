/* sl-lane-editor.c - see sl-lane-editor.h. */
#include "ui/compare/sl-lane-editor.h"

#include <glib/gi18n.h>

struct _SlLaneEditor
{
  AdwWindow parent_instance;
  AdwPreferencesGroup *group;
  GtkButton *apply;
  AdwComboRow *scheduler_row;
  AdwComboRow *sigmas_row;
  AdwComboRow *spacing_row;
  AdwComboRow *variance_row;
  GtkWidget *guidance_row;
  GtkWidget *seed_row;
  GtkWidget *prompt_group;
  GtkCheckButton *steps_own;
  GtkCheckButton *guidance_own;
  GtkCheckButton *eta_own;
  GtkCheckButton *seed_own;
  GtkSpinButton *steps;
  GtkSpinButton *guidance;
  GtkSpinButton *eta;
  GtkSpinButton *seed;
  GtkEditable *prompt;
  GtkEditable *negative;

  SlCompareLane *lane;
  gboolean recipe_has_variance; /* its scheduler has variance types */
  GListModel *schedulers;
};

G_DEFINE_FINAL_TYPE (SlLaneEditor, sl_lane_editor, ADW_TYPE_WINDOW)

enum
{
  APPLIED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* The first row stands for the recipe's scheduler (NULL), the next ones for the schedulers in their order. */
static const char *
chosen_scheduler (SlLaneEditor *self)
{
  guint selected = adw_combo_row_get_selected (self->scheduler_row);
  g_autoptr (SlSchedulerItem) item = NULL;

  if (selected == 0)
    return NULL;
  item = g_list_model_get_item (self->schedulers, selected - 1);
  return sl_scheduler_item_get_id (item);
}

static void
scheduler_chosen (SlLaneEditor *self)
{
  guint selected = adw_combo_row_get_selected (self->scheduler_row);
  g_autoptr (SlSchedulerItem) item = selected ? g_list_model_get_item (self->schedulers, selected - 1) : NULL;

  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->scheduler_row),
                               item ? _ (sl_scheduler_item_get_good_for (item)) : NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->sigmas_row), !item || sl_scheduler_item_takes_sigmas (item));
  gtk_widget_set_sensitive (GTK_WIDGET (self->spacing_row), !item || sl_scheduler_item_takes_spacing (item));
  gtk_widget_set_visible (GTK_WIDGET (self->variance_row),
                          item ? sl_scheduler_item_takes_variance (item) : self->recipe_has_variance);
}

static guint
chosen_of (AdwComboRow *row)
{
  GtkWidget *widget = GTK_WIDGET (row);

  return gtk_widget_get_sensitive (widget) && gtk_widget_get_visible (widget)
             ? adw_combo_row_get_selected (row)
             : 0;
}

static SlOwn
collect (SlLaneEditor *self, SlSettings *values)
{
  const char *scheduler = chosen_scheduler (self);
  guint sigmas = chosen_of (self->sigmas_row), spacing = chosen_of (self->spacing_row),
        variance = chosen_of (self->variance_row);
  const char *prompt = gtk_editable_get_text (self->prompt),
             *negative = gtk_editable_get_text (self->negative);

  g_object_set (values, "scheduler", scheduler, "sigmas", sigmas ? sigmas - 1 : 0, "spacing",
                spacing ? spacing - 1 : 0, "variance", variance ? variance - 1 : 0, "steps",
                gtk_spin_button_get_value_as_int (self->steps), "guidance",
                gtk_spin_button_get_value (self->guidance), "eta", gtk_spin_button_get_value (self->eta),
                "seed", (guint64)gtk_spin_button_get_value (self->seed), "prompt", prompt, "negative-prompt",
                negative, NULL);
  return (scheduler ? SL_OWN_SCHEDULER : 0) | (sigmas ? SL_OWN_SIGMAS : 0) | (spacing ? SL_OWN_SPACING : 0)
         | (variance ? SL_OWN_VARIANCE : 0)
         | (gtk_check_button_get_active (self->steps_own) ? SL_OWN_STEPS : 0)
         | (gtk_check_button_get_active (self->guidance_own) ? SL_OWN_GUIDANCE : 0)
         | (gtk_check_button_get_active (self->eta_own) ? SL_OWN_ETA : 0)
         | (gtk_check_button_get_active (self->seed_own) ? SL_OWN_SEED : 0) | (*prompt ? SL_OWN_PROMPT : 0)
         | (*negative ? SL_OWN_NEGATIVE_PROMPT : 0);
}

void
sl_lane_editor_apply (SlLaneEditor *self)
{
  g_autoptr (SlSettings) values = sl_settings_new ();
  SlOwn own = collect (self, values);

  g_signal_emit (self, signals[APPLIED], 0, (guint)own, values);
  gtk_window_close (GTK_WINDOW (self));
}

static void
apply (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_lane_editor_apply (SL_LANE_EDITOR (widget));
}

SlCompareLane *
sl_lane_editor_get_lane (SlLaneEditor *self)
{
  return self->lane;
}

/* ---- filling it ---- */

static void
fill_schedulers (SlLaneEditor *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  gtk_string_list_append (names, _ ("As in the recipe"));
  for (guint i = 0; i < g_list_model_get_n_items (self->schedulers); i++)
    {
      g_autoptr (SlSchedulerItem) item = g_list_model_get_item (self->schedulers, i);

      gtk_string_list_append (names, sl_scheduler_item_get_name (item));
    }
  adw_combo_row_set_model (self->scheduler_row, G_LIST_MODEL (names));
}

static void
show_choices (SlLaneEditor *self, SlSettings *resolved, SlOwn own)
{
  guint sigmas, spacing, variance;

  g_object_get (resolved, "sigmas", &sigmas, "spacing", &spacing, "variance", &variance, NULL);
  if (own & SL_OWN_SCHEDULER)
    adw_combo_row_set_selected (
        self->scheduler_row,
        sl_scheduler_items_find (self->schedulers, sl_settings_get_scheduler (resolved)) + 1);
  adw_combo_row_set_selected (self->sigmas_row, own & SL_OWN_SIGMAS ? sigmas + 1 : 0);
  adw_combo_row_set_selected (self->spacing_row, own & SL_OWN_SPACING ? spacing + 1 : 0);
  adw_combo_row_set_selected (self->variance_row, own & SL_OWN_VARIANCE ? variance + 1 : 0);
}

static void
show_numbers (SlLaneEditor *self, SlSettings *resolved, SlOwn own)
{
  double guidance;

  g_object_get (resolved, "guidance", &guidance, NULL);
  gtk_spin_button_set_value (self->steps, sl_settings_get_steps (resolved));
  gtk_spin_button_set_value (self->guidance, guidance);
  gtk_spin_button_set_value (self->eta, sl_settings_get_eta (resolved));
  gtk_spin_button_set_value (self->seed, (double)sl_settings_get_seed (resolved));
  gtk_check_button_set_active (self->steps_own, (own & SL_OWN_STEPS) != 0);
  gtk_check_button_set_active (self->guidance_own, (own & SL_OWN_GUIDANCE) != 0);
  gtk_check_button_set_active (self->eta_own, (own & SL_OWN_ETA) != 0);
  gtk_check_button_set_active (self->seed_own, (own & SL_OWN_SEED) != 0);
}

static void
show_words (SlLaneEditor *self, SlSettings *resolved, SlOwn own)
{
  g_autofree char *negative = NULL;

  g_object_get (resolved, "negative-prompt", &negative, NULL);
  gtk_editable_set_text (self->prompt, own & SL_OWN_PROMPT ? sl_settings_get_prompt (resolved) : "");
  gtk_editable_set_text (self->negative, own & SL_OWN_NEGATIVE_PROMPT ? negative : "");
}

static gboolean
has_variance (SlLaneEditor *self, const char *scheduler)
{
  guint position = sl_scheduler_items_find (self->schedulers, scheduler);
  g_autoptr (SlSchedulerItem) item = g_list_model_get_item (self->schedulers, position);

  return item && sl_scheduler_item_takes_variance (item);
}

SlLaneEditor *
sl_lane_editor_new (GtkWindow *parent, SlCompareLane *lane, SlSettings *recipe, SlModelItem *model)
{
  SlLaneEditor *self = g_object_new (SL_TYPE_LANE_EDITOR, "transient-for", parent, NULL);
  g_autoptr (SlSettings) resolved = sl_compare_lane_resolve (lane, recipe);
  gboolean words = model && sl_model_item_uses_prompt (model);
  SlOwn own = sl_compare_lane_get_own (lane);

  self->lane = g_object_ref (lane);
  self->recipe_has_variance = has_variance (self, sl_settings_get_scheduler (recipe));
  show_choices (self, resolved, own);
  show_numbers (self, resolved, own);
  show_words (self, resolved, own);
  scheduler_chosen (self);
  gtk_widget_set_visible (self->prompt_group, words);
  gtk_widget_set_visible (self->guidance_row, words);
  return self;
}

SlLaneEditor *
sl_lane_editor_new_branch (GtkWindow *parent, SlJob *run)
{
  SlSettings *settings = sl_job_get_settings (run);
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (0, settings);
  SlLaneEditor *self = sl_lane_editor_new (parent, lane, settings, sl_job_get_model (run));

  gtk_window_set_title (GTK_WINDOW (self), _ ("Branch From This Step"));
  adw_preferences_group_set_description (self->group, _ ("What shall be different from here on?"));
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self->prompt_group),
                                         _ ("Empty: the words of the run."));
  gtk_button_set_label (self->apply, _ ("_Branch"));
  return self;
}

/* ---- class ---- */

static void
sl_lane_editor_dispose (GObject *object)
{
  SlLaneEditor *self = SL_LANE_EDITOR (object);

  g_clear_object (&self->lane);
  g_clear_object (&self->schedulers);
  G_OBJECT_CLASS (sl_lane_editor_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlLaneEditor, name)

static void
sl_lane_editor_class_init (SlLaneEditorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lane_editor_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-lane-editor.ui");
  BIND (group);
  BIND (apply);
  BIND (scheduler_row);
  BIND (sigmas_row);
  BIND (spacing_row);
  BIND (variance_row);
  BIND (guidance_row);
  BIND (seed_row);
  BIND (prompt_group);
  BIND (steps_own);
  BIND (guidance_own);
  BIND (eta_own);
  BIND (seed_own);
  BIND (steps);
  BIND (guidance);
  BIND (eta);
  BIND (seed);
  BIND (prompt);
  BIND (negative);
  gtk_widget_class_install_action (widget_class, "editor.apply", NULL, apply);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  signals[APPLIED] = g_signal_new ("applied", SL_TYPE_LANE_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 2, G_TYPE_UINT, SL_TYPE_SETTINGS);
}

static void
sl_lane_editor_init (SlLaneEditor *self)
{
  self->schedulers = sl_scheduler_items_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  fill_schedulers (self);
  g_signal_connect_swapped (self->scheduler_row, "notify::selected", G_CALLBACK (scheduler_chosen), self);
}
