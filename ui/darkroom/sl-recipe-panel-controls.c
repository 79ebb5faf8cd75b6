/* sl-recipe-panel-controls.c - the panel's controls, each with what of the recipe it shows and changes.
 *
 * A control that is set because the recipe changed must not change the recipe in turn: `updating` is TRUE
 * then.
 */
#include "ui/darkroom/sl-recipe-panel-private.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <math.h>

/* A text view shapes a whole paragraph at once: a pasted megabyte would block the window. */
#define PROMPT_MAX_BYTES 8000

/* ---- prompts ---- */

static void
limit_text (GtkTextBuffer *buffer, GtkTextIter *location, char *text, int length, gpointer user_data)
{
  int room = PROMPT_MAX_BYTES - gtk_text_buffer_get_char_count (buffer);
  const char *end;

  if (length <= room)
    return;
  g_signal_stop_emission_by_name (buffer, "insert-text");
  if (room <= 0)
    return;
  /* Up to the last whole character that fits. */
  g_utf8_validate (text, room, &end);
  gtk_text_buffer_insert (buffer, location, text, (int)(end - text));
}

static char *
buffer_text (GtkTextBuffer *buffer)
{
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
}

static void
prompt_edited (SlRecipePanel *self, GtkTextBuffer *buffer)
{
  gboolean negative = buffer == gtk_text_view_get_buffer (self->negative);
  g_autofree char *text = buffer_text (buffer);

  gtk_widget_set_visible (negative ? self->negative_hint : self->prompt_hint, *text == '\0');
  if (!self->updating)
    g_object_set (self->recipe, negative ? "negative-prompt" : "prompt", text, NULL);
}

static void
show_prompt (SlRecipePanel *self, GtkTextView *view, const char *property)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view);
  g_autofree char *wanted = NULL;
  g_autofree char *shown = buffer_text (buffer);

  g_object_get (self->recipe, property, &wanted, NULL);
  if (g_strcmp0 (wanted, shown) != 0)
    gtk_text_buffer_set_text (buffer, wanted, -1);
}

/* ---- schedulers ---- */

static SlSchedulerItem *
chosen_scheduler (SlRecipePanel *self)
{
  return adw_combo_row_get_selected_item (self->scheduler_row);
}

static void
describe_scheduler (SlRecipePanel *self)
{
  SlSchedulerItem *item = chosen_scheduler (self);

  if (item == NULL)
    return;
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->scheduler_row),
                               _ (sl_scheduler_item_get_good_for (item)));
  gtk_widget_set_visible (GTK_WIDGET (self->sigmas_row), sl_scheduler_item_takes_sigmas (item));
  gtk_widget_set_visible (GTK_WIDGET (self->spacing_row), sl_scheduler_item_takes_spacing (item));
  gtk_widget_set_visible (GTK_WIDGET (self->variance_row), sl_scheduler_item_takes_variance (item));
  gtk_widget_set_visible (self->eta_row, sl_scheduler_item_takes_eta (item));
}

static void
scheduler_chosen (SlRecipePanel *self)
{
  SlSchedulerItem *item = chosen_scheduler (self);

  describe_scheduler (self);
  if (self->updating || item == NULL)
    return;
  g_object_set (self->recipe, "scheduler", sl_scheduler_item_get_id (item), NULL);
  if (!sl_scheduler_item_takes_sigmas (item))
    g_object_set (self->recipe, "sigmas", 0, NULL);
  if (!sl_scheduler_item_takes_spacing (item))
    g_object_set (self->recipe, "spacing", 0, NULL);
  if (!sl_scheduler_item_takes_variance (item))
    g_object_set (self->recipe, "variance", 0, NULL);
  if (!sl_scheduler_item_takes_eta (item))
    g_object_set (self->recipe, "eta", -1.0, NULL);
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

static int
round_to (double value, int multiple)
{
  return MAX ((int)round (value / multiple), 1) * multiple;
}

void
sl_recipe_panel_offer_sizes (SlRecipePanel *self, SlModelItem *model)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  const char *const words[SL_RECIPE_PANEL_PRESETS]
      = { sl_model_item_get_width (model) == sl_model_item_get_height (model) ? _ ("Square") : _ ("Native"),
          _ ("Portrait"), _ ("Landscape") };
  int width = sl_model_item_get_width (model), height = sl_model_item_get_height (model);
  int multiple = sl_model_item_get_multiple (model);
  int longer = round_to (MAX (width, height) * 1.5, multiple);
  int presets[SL_RECIPE_PANEL_PRESETS][2] = { { width, height }, { width, longer }, { longer, height } };

  self->updating = TRUE;
  memcpy (self->preset, presets, sizeof presets);
  for (int i = 0; i < SL_RECIPE_PANEL_PRESETS; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s, %d × %d", words[i], presets[i][0], presets[i][1]);

      gtk_string_list_append (names, name);
    }
  gtk_string_list_append (names, _ ("Custom"));
  adw_combo_row_set_model (self->size_row, G_LIST_MODEL (names));
  gtk_adjustment_configure (self->width_adjustment, width, multiple, 16384 / multiple * multiple, multiple,
                            multiple * 4, 0);
  gtk_adjustment_configure (self->height_adjustment, height, multiple, 16384 / multiple * multiple, multiple,
                            multiple * 4, 0);
  self->updating = FALSE;
}

static void
show_size (SlRecipePanel *self)
{
  int width = sl_settings_get_width (self->recipe), height = sl_settings_get_height (self->recipe);
  guint selected = adw_combo_row_get_selected (self->size_row);

  gtk_adjustment_set_value (self->width_adjustment, width);
  gtk_adjustment_set_value (self->height_adjustment, height);
  if (selected < SL_RECIPE_PANEL_PRESETS && self->preset[selected][0] == width
      && self->preset[selected][1] == height)
    return;
  selected = SL_RECIPE_PANEL_PRESETS;
  for (int i = SL_RECIPE_PANEL_PRESETS - 1; i >= 0; i--)
    if (self->preset[i][0] == width && self->preset[i][1] == height)
      selected = i;
  adw_combo_row_set_selected (self->size_row, selected);
}

static void
size_chosen (SlRecipePanel *self)
{
  guint selected = adw_combo_row_get_selected (self->size_row);

  gtk_widget_set_visible (self->custom_size_row, selected == SL_RECIPE_PANEL_PRESETS);
  if (!self->updating && selected < SL_RECIPE_PANEL_PRESETS)
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

/* ---- numbers ---- */

static void
steps_changed (SlRecipePanel *self)
{
  double value = gtk_adjustment_get_value (self->steps_adjustment);

  gtk_range_set_value (self->steps_scale, value);
  if (!self->updating)
    g_object_set (self->recipe, "steps", (int)value, NULL);
}

static void
steps_dragged (SlRecipePanel *self)
{
  double value = round (gtk_range_get_value (self->steps_scale));

  /* The scale ends before the largest number of steps; a larger one that was typed stays. */
  if (value < gtk_adjustment_get_upper (gtk_range_get_adjustment (self->steps_scale))
      || gtk_adjustment_get_value (self->steps_adjustment) < value)
    gtk_adjustment_set_value (self->steps_adjustment, value);
}

static void
guidance_changed (SlRecipePanel *self)
{
  double value = gtk_adjustment_get_value (self->guidance_adjustment);

  gtk_range_set_value (self->guidance_scale, value);
  if (!self->updating)
    g_object_set (self->recipe, "guidance", value, NULL);
}

static void
guidance_dragged (SlRecipePanel *self)
{
  double value = round (gtk_range_get_value (self->guidance_scale) * 10) / 10;

  if (value < gtk_adjustment_get_upper (gtk_range_get_adjustment (self->guidance_scale))
      || gtk_adjustment_get_value (self->guidance_adjustment) < value)
    gtk_adjustment_set_value (self->guidance_adjustment, value);
}

static void
row_chosen (SlRecipePanel *self, GParamSpec *pspec, AdwComboRow *row)
{
  const char *property = row == self->sigmas_row     ? "sigmas"
                         : row == self->spacing_row  ? "spacing"
                         : row == self->variance_row ? "variance"
                                                     : "noise";

  if (!self->updating)
    g_object_set (self->recipe, property, adw_combo_row_get_selected (row), NULL);
}

static void
clip_skip_changed (SlRecipePanel *self)
{
  if (!self->updating)
    g_object_set (self->recipe, "clip-skip", (int)gtk_adjustment_get_value (self->clip_skip_adjustment),
                  NULL);
}

static void
eta_changed (SlRecipePanel *self)
{
  if (!self->updating)
    g_object_set (self->recipe, "eta", gtk_adjustment_get_value (self->eta_adjustment), NULL);
}

/* ---- the recipe, shown ---- */

void
sl_recipe_panel_show_recipe (SlRecipePanel *self)
{
  guint sigmas, spacing, variance, noise;
  double guidance;
  int clip_skip;

  if (self->updating)
    return;
  self->updating = TRUE;
  g_object_get (self->recipe, "sigmas", &sigmas, "spacing", &spacing, "variance", &variance, "noise", &noise,
                "guidance", &guidance, "clip-skip", &clip_skip, NULL);
  show_prompt (self, self->prompt, "prompt");
  show_prompt (self, self->negative, "negative-prompt");
  gtk_adjustment_set_value (self->steps_adjustment, sl_settings_get_steps (self->recipe));
  gtk_adjustment_set_value (self->guidance_adjustment, guidance);
  adw_combo_row_set_selected (
      self->scheduler_row,
      sl_scheduler_items_find (self->schedulers, sl_settings_get_scheduler (self->recipe)));
  adw_combo_row_set_selected (self->sigmas_row, sigmas);
  adw_combo_row_set_selected (self->spacing_row, spacing);
  adw_combo_row_set_selected (self->variance_row, variance);
  adw_combo_row_set_selected (self->noise_row, noise);
  gtk_adjustment_set_value (self->clip_skip_adjustment, clip_skip);
  gtk_adjustment_set_value (self->eta_adjustment, sl_settings_get_eta (self->recipe));
  show_seed (self);
  show_size (self);
  self->updating = FALSE;
}

void
sl_recipe_panel_show_first (SlRecipePanel *self)
{
  sl_recipe_panel_show_recipe (self);
  /* A control that had the recipe's value already emitted no signal: what its handler does is done here. */
  gtk_range_set_value (self->steps_scale, gtk_adjustment_get_value (self->steps_adjustment));
  gtk_range_set_value (self->guidance_scale, gtk_adjustment_get_value (self->guidance_adjustment));
  describe_scheduler (self);
}

/* ---- connections ---- */

void
sl_recipe_panel_connect_controls (SlRecipePanel *self)
{
  g_autoptr (GtkExpression) scheduler_name
      = gtk_property_expression_new (SL_TYPE_SCHEDULER_ITEM, NULL, "name");
  GtkTextBuffer *buffers[]
      = { gtk_text_view_get_buffer (self->prompt), gtk_text_view_get_buffer (self->negative) };
  AdwComboRow *rows[] = { self->sigmas_row, self->spacing_row, self->variance_row, self->noise_row };

  self->schedulers = sl_scheduler_items_new ();
  adw_combo_row_set_expression (self->scheduler_row, scheduler_name);
  adw_combo_row_set_model (self->scheduler_row, self->schedulers);
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    {
      g_signal_connect (buffers[i], "insert-text", G_CALLBACK (limit_text), NULL);
      g_signal_connect_swapped (buffers[i], "changed", G_CALLBACK (prompt_edited), self);
    }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_signal_connect_swapped (rows[i], "notify::selected", G_CALLBACK (row_chosen), self);
  g_signal_connect_swapped (self->scheduler_row, "notify::selected", G_CALLBACK (scheduler_chosen), self);
  g_signal_connect_swapped (self->seed, "changed", G_CALLBACK (seed_edited), self);
  g_signal_connect_swapped (self->size_row, "notify::selected", G_CALLBACK (size_chosen), self);
  g_signal_connect_swapped (self->width_adjustment, "value-changed", G_CALLBACK (size_typed), self);
  g_signal_connect_swapped (self->height_adjustment, "value-changed", G_CALLBACK (size_typed), self);
  g_signal_connect_swapped (self->steps_adjustment, "value-changed", G_CALLBACK (steps_changed), self);
  g_signal_connect_swapped (self->steps_scale, "value-changed", G_CALLBACK (steps_dragged), self);
  g_signal_connect_swapped (self->guidance_adjustment, "value-changed", G_CALLBACK (guidance_changed), self);
  g_signal_connect_swapped (self->guidance_scale, "value-changed", G_CALLBACK (guidance_dragged), self);
  g_signal_connect_swapped (self->clip_skip_adjustment, "value-changed", G_CALLBACK (clip_skip_changed),
                            self);
  g_signal_connect_swapped (self->eta_adjustment, "value-changed", G_CALLBACK (eta_changed), self);
  size_chosen (self);
}
