/* sl-lane-editor.c - see sl-lane-editor.h. */
#include "ui/compare/sl-lane-editor.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-prompt-box.h"
#include "ui/widgets/sl-scheduler-rows.h"
#include "ui/widgets/sl-setting-row.h"
#include "ui/widgets/sl-sigma-editor.h"
#include "ui/widgets/sl-sigma-row.h"

/* A setting that a lane can have of its own, and its row: a choice whose first entry is the recipe's, a
 * number or a seed with a tick, or words that are the recipe's where they are empty, prompts in a box of their
 * own. */
typedef struct
{
  const SlControl *control;
  GtkWidget *row;
  SlPromptBox *box;    /* of a prompt */
  GtkCheckButton *own; /* of a number or a seed */
  GtkSpinButton *spin;
} SlLaneRow;

struct _SlLaneEditor
{
  AdwWindow parent_instance;
  GtkLabel *purpose;
  AdwPreferencesGroup *group;
  GtkButton *apply;
  AdwPreferencesGroup *prompt_group;
  AdwPreferencesGroup *words_group; /* words that are no prompts */

  SlCompareLane *lane;
  SlModelItem *model;
  SlSettings *recipe;
  SlSettings *draft; /* the lane as its rows are now, for the boxes; its prompts are its own ones, or "" */
  GArray *rows;      /* SlLaneRow */
  GListModel *schedulers;
};

G_DEFINE_FINAL_TYPE (SlLaneEditor, sl_lane_editor, ADW_TYPE_WINDOW)

enum
{
  APPLIED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static SlLaneRow *
nth_row (SlLaneEditor *self, guint position)
{
  return &g_array_index (self->rows, SlLaneRow, position);
}

static SlLaneRow *
find_row (SlLaneEditor *self, const char *property)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (g_str_equal (nth_row (self, i)->control->property, property))
      return nth_row (self, i);
  g_return_val_if_reached (NULL);
}

static SlLaneRow *
scheduler_row (SlLaneEditor *self)
{
  return find_row (self, "scheduler");
}

/* NULL: the recipe's. */
static SlSchedulerItem *
chosen_scheduler (SlLaneEditor *self)
{
  guint selected = adw_combo_row_get_selected (ADW_COMBO_ROW (scheduler_row (self)->row));

  return selected ? g_list_model_get_item (self->schedulers, selected - 1) : NULL;
}

static void
choose_scheduler (SlLaneEditor *self, const char *id)
{
  adw_combo_row_set_selected (ADW_COMBO_ROW (scheduler_row (self)->row),
                              sl_scheduler_items_find (self->schedulers, id) + 1);
}

/* A list of noise levels says how many steps there are. */
static gboolean
is_counted (SlLaneEditor *self, const SlControl *control)
{
  SlLaneRow *sigmas = find_row (self, "sigmas");

  return g_str_equal (control->property, "steps")
         && *sl_sigma_row_get_list (SL_SIGMA_ROW (sigmas->row)) != '\0'
         && gtk_widget_get_visible (sigmas->row);
}

/* Only what the model and the scheduler have is shown. */
static void
scheduler_chosen (SlLaneEditor *self)
{
  g_autoptr (SlSchedulerItem) item = chosen_scheduler (self);
  const char *id = item ? sl_scheduler_item_get_id (item) : sl_settings_get_scheduler (self->recipe);
  gboolean words = FALSE, prompts = FALSE;

  adw_action_row_set_subtitle (ADW_ACTION_ROW (scheduler_row (self)->row),
                               item ? _ (sl_scheduler_item_get_good_for (item)) : NULL);
  for (guint i = 0; i < self->rows->len; i++)
    {
      SlLaneRow *row = nth_row (self, i);
      gboolean exists = sl_control_exists (row->control, self->model, id);

      gtk_widget_set_visible (row->row, exists && !is_counted (self, row->control));
      words = words || (exists && row->control->kind == SL_CONTROL_WORDS && row->box == NULL);
      prompts = prompts || (exists && row->box);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->prompt_group), prompts);
  gtk_widget_set_visible (GTK_WIDGET (self->words_group), words);
}

/* A list brings its number of steps; a named schedule takes the recipe's list away. */
static SlOwn
collect_sigmas (SlSigmaRow *row, SlSettings *values)
{
  const char *list = sl_sigma_row_get_list (row);
  guint entry = sl_sigma_row_get_entry (row);

  if (*list == '\0' && entry == 0)
    return 0;
  g_object_set (values, "sigma-list", list, "sigmas", *list ? 0 : entry - 1, NULL);
  if (*list)
    g_object_set (values, "steps", (int)sl_sigma_row_get_steps (row), NULL);
  return sl_own ("sigma-list") | sl_own ("sigmas") | (*list ? sl_own ("steps") : 0);
}

/* Which settings the lane has of its own; values gets them. */
static SlOwn
collect_row (SlLaneEditor *self, const SlLaneRow *row, SlSettings *values)
{
  const SlControl *control = row->control;
  g_autoptr (SlSchedulerItem) item = NULL;
  g_autofree char *prompt = NULL;
  const char *text;
  guint selected;

  if (!gtk_widget_get_visible (row->row))
    return 0;
  if (SL_IS_SIGMA_ROW (row->row))
    return collect_sigmas (SL_SIGMA_ROW (row->row), values);
  switch (control->kind)
    {
    case SL_CONTROL_WORDS:
      if (row->box)
        g_object_get (self->draft, control->property, &prompt, NULL);
      text = row->box ? prompt : gtk_editable_get_text (GTK_EDITABLE (row->row));
      g_object_set (values, control->property, text, NULL);
      return *text ? control->own : 0;
    case SL_CONTROL_SCHEDULER:
      item = chosen_scheduler (self);
      g_object_set (values, control->property, item ? sl_scheduler_item_get_id (item) : NULL, NULL);
      return item ? control->own : 0;
    case SL_CONTROL_CHOICE:
      selected = adw_combo_row_get_selected (ADW_COMBO_ROW (row->row));
      g_object_set (values, control->property, selected ? selected - 1 : 0, NULL);
      return selected > 0 ? control->own : 0;
    default:
      sl_setting_row_set_number (control, values, gtk_spin_button_get_value (row->spin));
      return gtk_check_button_get_active (row->own) ? control->own : 0;
    }
}

static SlOwn
collect (SlLaneEditor *self, SlSettings *values)
{
  SlOwn own = 0;

  for (guint i = 0; i < self->rows->len; i++)
    own |= collect_row (self, nth_row (self, i), values);
  return own;
}

/* ---- prompts ---- */

/* What a prompt's reading depends on. */
static const char *const readers[] = { "prompt-mode", "emphasis", "tokenizer", "steps", "seed" };

/* The boxes read as the other rows say. */
static void
row_changed (SlLaneEditor *self)
{
  g_autoptr (SlSettings) values = NULL;
  g_autoptr (SlCompareLane) lane = NULL;
  g_autoptr (SlSettings) resolved = NULL;

  if (self->draft == NULL)
    return;
  values = sl_settings_dup (self->recipe);
  lane = sl_compare_lane_new (collect (self, values), values);
  resolved = sl_compare_lane_resolve (lane, self->recipe);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (resolved), readers[i]);
      g_auto (GValue) now = G_VALUE_INIT;
      g_auto (GValue) before = G_VALUE_INIT;

      g_value_init (&now, spec->value_type);
      g_value_init (&before, spec->value_type);
      g_object_get_property (G_OBJECT (resolved), readers[i], &now);
      g_object_get_property (G_OBJECT (self->draft), readers[i], &before);
      if (g_param_values_cmp (spec, &now, &before) != 0)
        g_object_set_property (G_OBJECT (self->draft), readers[i], &now);
    }
}

/* A box's proposal was taken. */
static void
mode_changed (SlLaneEditor *self)
{
  AdwComboRow *row = ADW_COMBO_ROW (find_row (self, "prompt-mode")->row);
  guint mode = 0, shown = adw_combo_row_get_selected (row), of_recipe = 0;

  g_object_get (self->draft, "prompt-mode", &mode, NULL);
  g_object_get (self->recipe, "prompt-mode", &of_recipe, NULL);
  if ((shown ? shown - 1 : of_recipe) != mode)
    adw_combo_row_set_selected (row, mode + 1);
}

static void
add_prompt (SlLaneRow *row)
{
  GtkWidget *title = gtk_label_new (_ (row->control->label));

  row->row = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  row->box = g_object_new (SL_TYPE_PROMPT_BOX, "label", _ (row->control->label), "lines", 2, NULL);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "heading");
  gtk_widget_set_margin_top (row->row, 12);
  gtk_box_append (GTK_BOX (row->row), title);
  gtk_box_append (GTK_BOX (row->row), GTK_WIDGET (row->box));
}

/* What stands there while a box is empty are the recipe's words, as far as a line has room for them. */
static void
connect_prompts (SlLaneEditor *self, SlPromptReader *reader)
{
  for (guint i = 0; i < self->rows->len; i++)
    {
      SlLaneRow *row = nth_row (self, i);
      g_autofree char *text = NULL;
      g_autofree char *line = NULL;

      if (row->box == NULL)
        continue;
      g_object_get (self->recipe, row->control->property, &text, NULL);
      line = g_strdelimit (g_strdup (text ? text : ""), "\r\n", ' ');
      g_object_set (row->box, "hint", line, NULL);
      sl_prompt_box_connect (row->box, reader, self->draft, row->control->property);
    }
  g_signal_connect_object (self->draft, "notify::prompt-mode", G_CALLBACK (mode_changed), self,
                           G_CONNECT_SWAPPED);
  row_changed (self);
}

static void
apply (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlLaneEditor *self = SL_LANE_EDITOR (widget);
  g_autoptr (SlSettings) values = sl_settings_new ();
  SlOwn own = collect (self, values);

  g_signal_emit (self, signals[APPLIED], 0, own, values);
  gtk_window_close (GTK_WINDOW (self));
}

SlCompareLane *
sl_lane_editor_get_lane (SlLaneEditor *self)
{
  return self->lane;
}

/* ---- filling it ---- */

static void
add_number (SlLaneEditor *self, SlLaneRow *row)
{
  GtkWidget *own = gtk_check_button_new ();

  row->own = GTK_CHECK_BUTTON (own);
  row->spin = sl_setting_row_spin (row->control);
  row->row = adw_action_row_new ();
  gtk_widget_set_valign (own, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (own, _ ("Different from the recipe"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (own), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Different from the recipe"), -1);
  g_object_bind_property (own, "active", row->spin, "sensitive", G_BINDING_SYNC_CREATE);
  g_signal_connect_swapped (own, "toggled", G_CALLBACK (row_changed), self);
  g_signal_connect_swapped (row->spin, "value-changed", G_CALLBACK (row_changed), self);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row->row), own);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row->row), GTK_WIDGET (row->spin));
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row->row), own);
}

/* ---- noise levels ---- */

static void
show_sigmas (const SlLaneRow *row, SlSettings *settings)
{
  g_autofree char *list = NULL;

  g_object_get (settings, "sigma-list", &list, NULL);
  sl_sigma_row_show (SL_SIGMA_ROW (row->row), sl_setting_row_choice (row->control, settings) + 1, list);
}

static void
sigmas_drawn (SlLaneEditor *self, SlSigmaCurve *curve)
{
  g_autoptr (SlSettings) settings = sl_settings_new ();
  SlLaneRow *steps = find_row (self, "steps");
  int count;

  sl_sigma_curve_apply (curve, settings);
  if (sl_sigma_curve_get_taken (curve))
    choose_scheduler (self, sl_sigma_curve_get_taken (curve));
  count = sl_settings_get_steps (settings);
  show_sigmas (find_row (self, "sigmas"), settings);
  gtk_spin_button_set_value (steps->spin, count);
  if (count != sl_settings_get_steps (self->recipe))
    gtk_check_button_set_active (steps->own, TRUE);
  scheduler_chosen (self);
}

/* Those of the lane as its rows are now. */
static void
draw_sigmas (SlLaneEditor *self)
{
  g_autoptr (SlSettings) values = sl_settings_dup (self->recipe);
  SlOwn own = collect (self, values);
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (own, values);
  g_autoptr (SlSettings) settings = sl_compare_lane_resolve (lane, self->recipe);
  SlSigmaEditor *editor = self->model ? sl_sigma_editor_new (GTK_WINDOW (self), self->model, settings) : NULL;

  if (editor == NULL)
    return;
  g_signal_connect_object (editor, "applied", G_CALLBACK (sigmas_drawn), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (editor));
}

static void
add_sigmas (SlLaneEditor *self, SlLaneRow *row)
{
  row->row = g_object_new (SL_TYPE_SIGMA_ROW, NULL);
  sl_sigma_row_fill (SL_SIGMA_ROW (row->row), _ ("As in the recipe"));
  g_signal_connect_swapped (row->row, "edit-wanted", G_CALLBACK (draw_sigmas), self);
  g_signal_connect_swapped (row->row, "chosen", G_CALLBACK (scheduler_chosen), self);
}

static void
add_row (SlLaneEditor *self, const SlControl *control)
{
  SlLaneRow row = { .control = control };
  gboolean words = control->kind == SL_CONTROL_WORDS;
  gboolean prompt
      = g_str_equal (control->property, "prompt") || g_str_equal (control->property, "negative-prompt");

  if (prompt)
    add_prompt (&row);
  else if (words)
    row.row = adw_entry_row_new ();
  else if (g_str_equal (control->property, "sigmas"))
    add_sigmas (self, &row);
  else if (control->kind == SL_CONTROL_SCHEDULER || control->kind == SL_CONTROL_CHOICE)
    row.row = adw_combo_row_new ();
  else
    add_number (self, &row);
  if (!prompt)
    sl_setting_row_name (ADW_PREFERENCES_ROW (row.row), control);
  if (ADW_IS_COMBO_ROW (row.row) && !SL_IS_SIGMA_ROW (row.row))
    {
      sl_setting_row_fill (ADW_COMBO_ROW (row.row), control, _ ("As in the recipe"));
      g_signal_connect_swapped (row.row, "notify::selected", G_CALLBACK (row_changed), self);
    }
  if (words && !prompt)
    adw_entry_row_set_activates_default (ADW_ENTRY_ROW (row.row), TRUE);
  adw_preferences_group_add (prompt ? self->prompt_group : words ? self->words_group : self->group, row.row);
  g_array_append_val (self->rows, row);
}

static void
show_row (SlLaneEditor *self, const SlLaneRow *row, SlSettings *resolved, gboolean own)
{
  g_autofree char *text = NULL;

  if (SL_IS_SIGMA_ROW (row->row))
    {
      if (own)
        show_sigmas (row, resolved);
      return;
    }
  switch (row->control->kind)
    {
    case SL_CONTROL_WORDS:
      g_object_get (resolved, row->control->property, &text, NULL);
      if (row->box)
        g_object_set (self->draft, row->control->property, own ? text : "", NULL);
      else
        gtk_editable_set_text (GTK_EDITABLE (row->row), own ? text : "");
      break;
    case SL_CONTROL_SCHEDULER:
      if (own)
        choose_scheduler (self, sl_settings_get_scheduler (resolved));
      break;
    case SL_CONTROL_CHOICE:
      adw_combo_row_set_selected (ADW_COMBO_ROW (row->row),
                                  own ? sl_setting_row_choice (row->control, resolved) + 1 : 0);
      break;
    default:
      gtk_spin_button_set_value (row->spin, sl_setting_row_number (row->control, resolved));
      gtk_check_button_set_active (row->own, own);
    }
}

/* Those that suit the model, behind "as in the recipe". */
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
  adw_combo_row_set_model (ADW_COMBO_ROW (scheduler_row (self)->row), G_LIST_MODEL (names));
  sl_scheduler_rows_set_up (ADW_COMBO_ROW (scheduler_row (self)->row), self->schedulers, 1);
}

/* A list of noise levels is shown in the row of those that have a name. */
static SlOwn
own_of (const SlControl *control)
{
  return control->own | (g_str_equal (control->property, "sigmas") ? sl_own ("sigma-list") : 0);
}

SlLaneEditor *
sl_lane_editor_new (
    GtkWindow *parent, SlCompareLane *lane, SlSettings *recipe, SlModelItem *model, SlPromptReader *prompts)
{
  SlLaneEditor *self = g_object_new (SL_TYPE_LANE_EDITOR, "transient-for", parent, NULL);
  g_autoptr (SlSettings) resolved = sl_compare_lane_resolve (lane, recipe);
  SlOwn own = sl_compare_lane_get_own (lane);

  self->lane = g_object_ref (lane);
  g_set_object (&self->model, model);
  /* before the list is filled, which chooses its first */
  self->recipe = g_object_ref (recipe);
  self->draft = sl_settings_dup (recipe);
  sl_scheduler_items_offer (self->schedulers, model);
  fill_schedulers (self);
  for (guint i = 0; i < self->rows->len; i++)
    show_row (self, nth_row (self, i), resolved, (own & own_of (nth_row (self, i)->control)) != 0);
  scheduler_chosen (self);
  connect_prompts (self, prompts);
  gtk_window_set_focus (GTK_WINDOW (self), scheduler_row (self)->row);
  return self;
}

SlLaneEditor *
sl_lane_editor_new_branch (GtkWindow *parent, SlJob *run, SlPromptReader *prompts)
{
  SlSettings *settings = sl_job_get_settings (run);
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (0, settings);
  SlLaneEditor *self = sl_lane_editor_new (parent, lane, settings, sl_job_get_model (run), prompts);

  gtk_label_set_text (self->purpose, _ ("What shall be different from here on?"));
  adw_preferences_group_set_description (self->prompt_group, _ ("Empty: the words of the run."));
  gtk_button_set_label (self->apply, _ ("_Branch"));
  return self;
}

void
sl_lane_editor_name_place (SlLaneEditor *self, guint lane, guint step)
{
  g_autofree char *title = lane > 0 ? g_strdup_printf (_ ("Branch After Step %u of Lane %u"), step, lane)
                                    : g_strdup_printf (_ ("Branch After Step %u"), step);

  gtk_window_set_title (GTK_WINDOW (self), title);
}

/* ---- keys ---- */

/* Return is the form's answer, also where a choice has the focus, which Space opens: but a new line where a prompt is
 * written, the button that has the focus, and the choice in a list that is open. */
static gboolean
key_pressed (SlLaneEditor *self, guint key, guint code, GdkModifierType modifiers)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  GtkWidget *spin = focus ? gtk_widget_get_ancestor (focus, GTK_TYPE_SPIN_BUTTON) : NULL;

  if ((key != GDK_KEY_Return && key != GDK_KEY_KP_Enter)
      || (modifiers & gtk_accelerator_get_default_mod_mask ()) != 0)
    return FALSE;
  if (focus
      && (GTK_IS_TEXT_VIEW (focus) || GTK_IS_BUTTON (focus)
          || gtk_widget_get_ancestor (focus, GTK_TYPE_POPOVER)))
    return FALSE;
  if (spin)
    gtk_spin_button_update (GTK_SPIN_BUTTON (spin)); /* what is written in it counts */
  gtk_widget_activate_action (GTK_WIDGET (self), "editor.apply", NULL);
  return TRUE;
}

static void
add_keys (SlLaneEditor *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

/* ---- class ---- */

static void
sl_lane_editor_dispose (GObject *object)
{
  SlLaneEditor *self = SL_LANE_EDITOR (object);

  g_clear_object (&self->lane);
  g_clear_object (&self->recipe);
  g_clear_object (&self->draft);
  g_clear_object (&self->model);
  g_clear_object (&self->schedulers);
  G_OBJECT_CLASS (sl_lane_editor_parent_class)->dispose (object);
}

static void
sl_lane_editor_finalize (GObject *object)
{
  SlLaneEditor *self = SL_LANE_EDITOR (object);

  g_array_unref (self->rows);
  G_OBJECT_CLASS (sl_lane_editor_parent_class)->finalize (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlLaneEditor, name)

static void
sl_lane_editor_class_init (SlLaneEditorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lane_editor_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_lane_editor_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-lane-editor.ui");
  BIND (purpose);
  BIND (group);
  BIND (apply);
  BIND (prompt_group);
  BIND (words_group);
  gtk_widget_class_install_action (widget_class, "editor.apply", NULL, apply);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  /* Enter alone is a new line of a prompt. */
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, "editor.apply", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_KP_Enter, GDK_CONTROL_MASK, "editor.apply",
                                       NULL);
  signals[APPLIED] = g_signal_new ("applied", SL_TYPE_LANE_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 2, G_TYPE_UINT64, SL_TYPE_SETTINGS);
}

static void
sl_lane_editor_init (SlLaneEditor *self)
{
  self->schedulers = sl_scheduler_items_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  add_keys (self);
  self->rows = g_array_new (FALSE, FALSE, sizeof (SlLaneRow));
  for (guint i = 0; i < sl_control_count (); i++)
    if (sl_control_nth (i)->own && sl_control_nth (i)->label)
      add_row (self, sl_control_nth (i));
  g_signal_connect_swapped (scheduler_row (self)->row, "notify::selected", G_CALLBACK (scheduler_chosen),
                            self);
}
