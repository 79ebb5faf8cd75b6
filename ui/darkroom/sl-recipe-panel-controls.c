/* sl-recipe-panel-controls.c - the panel's controls, each with what of the recipe it shows and changes.
 *
 * A control that is set because the recipe changed must not change the recipe in turn: `updating` is TRUE
 * then.
 */
#include "ui/darkroom/sl-recipe-panel-private.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "ui/widgets/sl-scheduler-rows.h"
#include "ui/widgets/sl-sigma-editor.h"

/* ---- prompts ---- */

void
sl_recipe_panel_add_word (SlRecipePanel *self, const char *word)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (sl_prompt_box_get_view (self->prompt));
  g_autofree char *text = g_strchomp (g_strdup (sl_settings_get_prompt (self->recipe)));
  gboolean comma = *text && !g_str_has_suffix (text, ",");
  g_autofree char *more = g_strconcat (comma ? ", " : *text ? " " : "", word, NULL);
  GtkTextIter end;

  if (strstr (text, word))
    return;
  gtk_text_buffer_begin_user_action (buffer); /* Ctrl+Z takes it back */
  gtk_text_buffer_get_iter_at_offset (buffer, &end, (int)g_utf8_strlen (text, -1));
  gtk_text_buffer_insert (buffer, &end, more, -1);
  gtk_text_buffer_end_user_action (buffer);
}

/* ---- schedulers ---- */

static SlSchedulerItem *
chosen_scheduler (SlRecipePanel *self)
{
  return adw_combo_row_get_selected_item (self->scheduler_row);
}

SlModelItem *
sl_recipe_panel_get_model (SlRecipePanel *self)
{
  return self->with_parts ? self->with_parts : adw_combo_row_get_selected_item (self->model_row);
}

void
sl_recipe_panel_show_existing (SlRecipePanel *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self);

  for (guint i = 0; i < sl_control_count (); i++)
    if (self->rows[i].widget)
      gtk_widget_set_visible (
          self->rows[i].widget,
          sl_control_exists (self->rows[i].control, model, sl_settings_get_scheduler (self->recipe))
              && sl_control_counts (self->rows[i].control, self->recipe));
}

static void
describe_scheduler (SlRecipePanel *self)
{
  SlSchedulerItem *item = chosen_scheduler (self);

  if (item)
    adw_action_row_set_subtitle (ADW_ACTION_ROW (self->scheduler_row),
                                 _ (sl_scheduler_item_get_good_for (item)));
}

static void
scheduler_chosen (SlRecipePanel *self)
{
  SlSchedulerItem *item = chosen_scheduler (self);

  describe_scheduler (self);
  if (self->updating || item == NULL)
    return;
  g_object_set (self->recipe, "scheduler", sl_scheduler_item_get_id (item), NULL);
  sl_settings_drop_missing (self->recipe);
}

void
sl_recipe_panel_offer_schedulers (SlRecipePanel *self, SlModelItem *model)
{
  gboolean updating = self->updating;

  self->updating = TRUE; /* what is selected for a moment while the list changes is nobody's choice */
  sl_scheduler_items_offer (self->schedulers, model);
  self->updating = updating;
}

/* ---- seed ---- */

static void
seed_edited (SlRecipePanel *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->seed));
  char *end = NULL;
  guint64 seed;

  errno = 0;
  seed = g_ascii_strtoull (text, &end, 10);
  if (errno || end == text || *end || !g_ascii_isdigit (*text))
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->seed), "error");
      return;
    }
  gtk_widget_remove_css_class (GTK_WIDGET (self->seed), "error");
  if (!self->updating)
    g_object_set (self->recipe, "seed", seed, NULL);
}

static void
show_seed (SlRecipePanel *self)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (self->recipe));

  if (g_strcmp0 (gtk_editable_get_text (GTK_EDITABLE (self->seed)), text) != 0)
    gtk_editable_set_text (GTK_EDITABLE (self->seed), text);
}

/* ---- size ---- */

static const char *
shape_of (int width, int height)
{
  return width == height ? _ ("Square") : width < height ? _ ("Portrait") : _ ("Landscape");
}

void
sl_recipe_panel_offer_sizes (SlRecipePanel *self, SlModelItem *model)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  int width = sl_model_item_get_width (model), height = sl_model_item_get_height (model);
  int multiple = sl_model_item_get_multiple (model);
  int max = (int)sl_control_find ("width")->max / multiple * multiple;

  self->updating = TRUE;
  self->n_presets = sl_model_item_get_sizes (model, self->preset);
  for (guint i = 0; i < self->n_presets; i++)
    {
      const int *size = self->preset[i];
      g_autofree char *name = g_strdup_printf ("%s, %d × %d", shape_of (size[0], size[1]), size[0], size[1]);

      gtk_string_list_append (names, name);
    }
  gtk_string_list_append (names, _ ("Custom"));
  adw_combo_row_set_model (self->size_row, G_LIST_MODEL (names));
  gtk_adjustment_configure (self->width_adjustment, width, multiple, max, multiple, multiple * 4, 0);
  gtk_adjustment_configure (self->height_adjustment, height, multiple, max, multiple, multiple * 4, 0);
  self->updating = FALSE;
}

static void
show_size (SlRecipePanel *self)
{
  int width = sl_settings_get_width (self->recipe), height = sl_settings_get_height (self->recipe);
  guint selected = self->n_presets;

  gtk_adjustment_set_value (self->width_adjustment, width);
  gtk_adjustment_set_value (self->height_adjustment, height);
  for (guint i = self->n_presets; i-- > 0;)
    if (self->preset[i][0] == width && self->preset[i][1] == height)
      selected = i;
  adw_combo_row_set_selected (self->size_row, selected);
}

static void
size_chosen (SlRecipePanel *self)
{
  guint selected = adw_combo_row_get_selected (self->size_row);

  gtk_widget_set_visible (self->custom_size_row, selected == self->n_presets);
  if (!self->updating && selected < self->n_presets)
    g_object_set (self->recipe, "width", self->preset[selected][0], "height", self->preset[selected][1],
                  NULL);
}

static void
size_typed (SlRecipePanel *self)
{
  if (!self->updating)
    g_object_set (self->recipe, "width", (int)gtk_adjustment_get_value (self->width_adjustment), "height",
                  (int)gtk_adjustment_get_value (self->height_adjustment), NULL);
}

/* ---- what the model predicts ---- */

static SlPanelRow *row_of (SlRecipePanel *self, const char *property);

void
sl_recipe_panel_show_prediction (SlRecipePanel *self)
{
  /* What sl_model_item_get_prediction_source says beside names of keys and files. */
  static const char *const sources[] = { N_ ("as models of its kind do"),
                                         N_ ("its scheduler's default"),
                                         N_ ("the file's name"),
                                         N_ ("the tensor v_pred"),
                                         N_ ("the tensor edm_vpred.sigma_max"),
                                         N_ ("the tensors edm_mean and edm_std") };
  SlModelItem *model = adw_combo_row_get_selected_item (self->model_row);
  SlPanelRow *row = row_of (self, "prediction");
  guint choice = sl_model_item_get_prediction (model);
  const char *source = sl_model_item_get_prediction_source (model);
  g_autofree char *line = NULL;
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (g_str_equal (source, sources[i]))
      source = _ (sources[i]);
  line = choice ? g_strdup_printf ("%s: %s", _ (row->control->choice_labels[choice]), source) : g_strdup ("");
  text = g_markup_escape_text (line, -1);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row->widget), text);
}

/* ---- numbers and choices ---- */

static void
number_changed (SlPanelRow *row)
{
  double value = gtk_adjustment_get_value (row->adjustment);

  if (row->scale)
    gtk_range_set_value (row->scale, value);
  if (!row->panel->updating)
    sl_setting_row_set_number (row->control, row->panel->recipe, value);
}

static void
number_dragged (SlPanelRow *row)
{
  double digits = pow (10, row->control->digits);
  double value = round (gtk_range_get_value (row->scale) * digits) / digits;

  /* The scale ends before the largest number; a larger one that was typed stays. */
  if (value < gtk_adjustment_get_upper (gtk_range_get_adjustment (row->scale))
      || gtk_adjustment_get_value (row->adjustment) < value)
    gtk_adjustment_set_value (row->adjustment, value);
}

static void
choice_made (SlPanelRow *row)
{
  if (!row->panel->updating)
    g_object_set (row->panel->recipe, row->control->property,
                  adw_combo_row_get_selected (ADW_COMBO_ROW (row->widget)), NULL);
}

/* ---- noise levels ---- */

static void
named_sigmas_chosen (SlRecipePanel *self)
{
  if (!self->updating)
    g_object_set (self->recipe, "sigma-list", "", "sigmas", sl_sigma_row_get_entry (self->sigmas_row), NULL);
}

static void
sigmas_drawn (SlRecipePanel *self, SlSigmaCurve *curve)
{
  sl_sigma_curve_apply (curve, self->recipe);
}

void
sl_recipe_panel_draw_sigmas (SlRecipePanel *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self);
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
  SlSigmaEditor *editor = model ? sl_sigma_editor_new (window, model, self->recipe) : NULL;

  if (editor == NULL)
    return;
  g_signal_connect_object (editor, "applied", G_CALLBACK (sigmas_drawn), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (editor));
}

/* A list has as many steps as it has levels. */
static void
show_sigmas (SlRecipePanel *self)
{
  const char *help = row_of (self, "steps")->control->help;
  g_autofree char *list = NULL;
  guint choice;

  g_object_get (self->recipe, "sigma-list", &list, "sigmas", &choice, NULL);
  sl_sigma_row_show (self->sigmas_row, choice, list);
  gtk_widget_set_sensitive (GTK_WIDGET (self->steps_row), *list == '\0');
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->steps_row),
                               *list  ? _ ("As many as there are noise levels of your own")
                               : help ? _ (help)
                                      : NULL);
}

/* ---- lines of text ---- */

/* A whole line is applied at once: half a name is none. */
static void
line_applied (SlPanelRow *row)
{
  if (!row->panel->updating)
    g_object_set (row->panel->recipe, row->control->property,
                  gtk_editable_get_text (GTK_EDITABLE (row->widget)), NULL);
}

static void
show_line (SlPanelRow *row)
{
  g_autofree char *text = NULL;

  g_object_get (row->panel->recipe, row->control->property, &text, NULL);
  if (g_strcmp0 (text, gtk_editable_get_text (GTK_EDITABLE (row->widget))) != 0)
    gtk_editable_set_text (GTK_EDITABLE (row->widget), text ? text : "");
}

/* ---- the recipe, shown ---- */

static void
show_row (SlPanelRow *row)
{
  SlSettings *recipe = row->panel->recipe;

  if (row->adjustment)
    gtk_adjustment_set_value (row->adjustment, sl_setting_row_number (row->control, recipe));
  else if (SL_IS_SIGMA_ROW (row->widget))
    show_sigmas (row->panel);
  else if (row->control->kind == SL_CONTROL_CHOICE && row->widget)
    adw_combo_row_set_selected (ADW_COMBO_ROW (row->widget), sl_setting_row_choice (row->control, recipe));
  else if (ADW_IS_ENTRY_ROW (row->widget))
    show_line (row);
}

void
sl_recipe_panel_show_recipe (SlRecipePanel *self)
{
  if (self->updating)
    return;
  self->updating = TRUE;
  adw_combo_row_set_selected (
      self->scheduler_row,
      sl_scheduler_items_find (self->schedulers, sl_settings_get_scheduler (self->recipe)));
  for (guint i = 0; i < sl_control_count (); i++)
    show_row (&self->rows[i]);
  sl_recipe_panel_show_existing (self);
  show_seed (self);
  show_size (self);
  self->updating = FALSE;
}

void
sl_recipe_panel_show_first (SlRecipePanel *self)
{
  sl_recipe_panel_show_recipe (self);
  /* A control that had the recipe's value already emitted no signal: what its handler does is done here. */
  for (guint i = 0; i < sl_control_count (); i++)
    if (self->rows[i].scale)
      gtk_range_set_value (self->rows[i].scale, gtk_adjustment_get_value (self->rows[i].adjustment));
  describe_scheduler (self);
}

/* ---- rows ---- */

static SlPanelRow *
row_of (SlRecipePanel *self, const char *property)
{
  for (guint i = 0; i < sl_control_count (); i++)
    if (g_str_equal (self->rows[i].control->property, property))
      return &self->rows[i];
  g_return_val_if_reached (NULL);
}

/* What the panel's design has places of their own for. */
static void
adopt_designed (SlRecipePanel *self)
{
  row_of (self, "prompt")->widget = self->prompt_box;
  row_of (self, "negative-prompt")->widget = GTK_WIDGET (self->negative);
  row_of (self, "lora")->widget = GTK_WIDGET (self->loras);
  row_of (self, "scheduler")->widget = GTK_WIDGET (self->scheduler_row);
  row_of (self, "sigmas")->widget = GTK_WIDGET (self->sigmas_row);
  row_of (self, "seed")->widget = GTK_WIDGET (self->seed_row);
  row_of (self, "steps")->widget = GTK_WIDGET (self->steps_row);
  row_of (self, "steps")->adjustment = self->steps_adjustment;
  row_of (self, "steps")->scale = self->steps_scale;
  row_of (self, "guidance")->widget = GTK_WIDGET (self->guidance_row);
  row_of (self, "guidance")->adjustment = self->guidance_adjustment;
  row_of (self, "guidance")->scale = self->guidance_scale;
}

/* Every other choice, number or line goes among "More settings". */
static void
make_row (SlRecipePanel *self, SlPanelRow *row)
{
  if (row->control->kind == SL_CONTROL_CHOICE)
    row->widget = adw_combo_row_new ();
  else if (row->control->kind == SL_CONTROL_WORDS)
    {
      row->widget = adw_entry_row_new ();
      gtk_widget_set_name (row->widget, row->control->property);
      adw_entry_row_set_show_apply_button (ADW_ENTRY_ROW (row->widget), TRUE);
      g_signal_connect_swapped (row->widget, "apply", G_CALLBACK (line_applied), row);
    }
  else
    {
      GtkSpinButton *spin = sl_setting_row_spin (row->control);

      row->widget = adw_action_row_new ();
      row->adjustment = gtk_spin_button_get_adjustment (spin);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row->widget), GTK_WIDGET (spin));
      adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row->widget), GTK_WIDGET (spin));
    }
  adw_expander_row_add_row (self->more_row, row->widget);
}

static void
set_up_row (SlRecipePanel *self, SlPanelRow *row)
{
  const SlControl *control = row->control;

  if (control->label == NULL)
    return;
  if (row->widget == NULL
      && (control->kind == SL_CONTROL_CHOICE || control->kind == SL_CONTROL_NUMBER
          || control->kind == SL_CONTROL_WORDS))
    make_row (self, row);
  if (ADW_IS_PREFERENCES_ROW (row->widget))
    sl_setting_row_name (ADW_PREFERENCES_ROW (row->widget), control);
  if (SL_IS_SIGMA_ROW (row->widget))
    {
      sl_sigma_row_fill (self->sigmas_row, NULL);
      g_signal_connect_swapped (self->sigmas_row, "chosen", G_CALLBACK (named_sigmas_chosen), self);
      g_signal_connect_swapped (self->sigmas_row, "edit-wanted", G_CALLBACK (sl_recipe_panel_draw_sigmas),
                                self);
    }
  else if (control->kind == SL_CONTROL_CHOICE)
    {
      sl_setting_row_fill (ADW_COMBO_ROW (row->widget), control, NULL);
      g_signal_connect_swapped (row->widget, "notify::selected", G_CALLBACK (choice_made), row);
    }
  if (row->adjustment)
    {
      sl_setting_row_adjust (row->adjustment, control);
      g_signal_connect_swapped (row->adjustment, "value-changed", G_CALLBACK (number_changed), row);
    }
  if (row->scale)
    g_signal_connect_swapped (row->scale, "value-changed", G_CALLBACK (number_dragged), row);
}

static void
make_rows (SlRecipePanel *self)
{
  g_autoptr (GtkWidget) last = g_object_ref (self->reset_row);

  self->rows = g_new0 (SlPanelRow, sl_control_count ());
  for (guint i = 0; i < sl_control_count (); i++)
    self->rows[i] = (SlPanelRow){ .panel = self, .control = sl_control_nth (i) };
  adopt_designed (self);
  for (guint i = 0; i < sl_control_count (); i++)
    set_up_row (self, &self->rows[i]);
  adw_expander_row_remove (self->more_row, last);
  adw_expander_row_add_row (self->more_row, last);
}

/* ---- connections ---- */

void
sl_recipe_panel_connect_controls (SlRecipePanel *self)
{
  g_autoptr (GtkExpression) scheduler_name
      = gtk_property_expression_new (SL_TYPE_SCHEDULER_ITEM, NULL, "name");

  self->updating = TRUE;
  make_rows (self);
  self->updating = FALSE;
  self->schedulers = sl_scheduler_items_new ();
  sl_scheduler_items_offer (self->schedulers, NULL);
  adw_combo_row_set_expression (self->scheduler_row, scheduler_name);
  adw_combo_row_set_model (self->scheduler_row, self->schedulers);
  sl_scheduler_rows_set_up (self->scheduler_row, self->schedulers, 0);
  g_signal_connect_swapped (self->scheduler_row, "notify::selected", G_CALLBACK (scheduler_chosen), self);
  g_signal_connect_swapped (self->seed, "changed", G_CALLBACK (seed_edited), self);
  g_signal_connect_swapped (self->size_row, "notify::selected", G_CALLBACK (size_chosen), self);
  g_signal_connect_swapped (self->width_adjustment, "value-changed", G_CALLBACK (size_typed), self);
  g_signal_connect_swapped (self->height_adjustment, "value-changed", G_CALLBACK (size_typed), self);
  size_chosen (self);
}
