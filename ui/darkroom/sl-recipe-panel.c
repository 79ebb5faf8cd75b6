/* sl-recipe-panel.c - see sl-recipe-panel.h. */
#include "ui/darkroom/sl-recipe-panel.h"

#include <glib/gi18n.h>

#include "ui/darkroom/sl-model-list.h"
#include "ui/darkroom/sl-recipe-panel-private.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-wheel.h"

G_DEFINE_FINAL_TYPE (SlRecipePanel, sl_recipe_panel, ADW_TYPE_BIN)

enum
{
  MODEL_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- the model ---- */

/* The rows under the model, by their parts. */
static const struct
{
  const char *part;
  gsize row;
  const char *own;   /* its first entry */
  const char *title; /* of the dialog that asks for a file */
  const char *problem;
} part_rows[] = {
  { "vae", offsetof (SlRecipePanel, vae_row), N_ ("The model’s own"), N_ ("Choose a VAE"),
    N_ ("This cannot be used as the VAE") },
  { "unet", offsetof (SlRecipePanel, unet_row), N_ ("The model’s own"), N_ ("Choose a UNet"),
    N_ ("This cannot be used as the UNet") },
  { "text_encoder", offsetof (SlRecipePanel, text_encoder_row), N_ ("The model’s own"),
    N_ ("Choose a Text Encoder"), N_ ("This cannot be used as the text encoder") },
  { "text_encoder_2", offsetof (SlRecipePanel, text_encoder_2_row), N_ ("The model’s own"),
    N_ ("Choose a Second Text Encoder"), N_ ("This cannot be used as the second text encoder") },
  { "refiner", offsetof (SlRecipePanel, refiner_row), N_ ("None"), N_ ("Choose a Refiner"),
    N_ ("This cannot be used as the refiner") },
};

static SlPartRow *
part_row (SlRecipePanel *self, guint i)
{
  return G_STRUCT_MEMBER (SlPartRow *, self, part_rows[i].row);
}

static SlModelItem *
own_model (SlRecipePanel *self)
{
  return adw_combo_row_get_selected_item (self->model_row);
}

/* The rows say which parts the model has from elsewhere, and the one around them names those. */
static void
show_parts (SlRecipePanel *self)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (part_rows); i++)
    {
      const char *path
          = self->with_parts ? sl_model_item_get_part_path (self->with_parts, part_rows[i].part) : NULL;
      g_autofree char *name = path ? g_path_get_basename (path) : NULL;

      sl_part_row_set_path (part_row (self, i), path);
      if (name)
        g_string_append_printf (names, "%s%s", names->len ? ", " : "", name);
    }
  text = g_markup_escape_text (names->len ? names->str : _ ("The model’s own"), -1);
  adw_expander_row_set_subtitle (self->parts_row, text);
}

void
sl_recipe_panel_drop_parts (SlRecipePanel *self)
{
  g_clear_object (&self->with_parts);
  show_parts (self);
}

static void
model_chosen (SlRecipePanel *self)
{
  SlModelItem *model = own_model (self);

  sl_recipe_panel_drop_parts (self);
  if (model == NULL)
    return;
  gtk_widget_set_visible (GTK_WIDGET (self->parts_row), sl_model_item_has_part (model, "vae"));
  gtk_widget_set_visible (GTK_WIDGET (self->text_encoder_row),
                          sl_model_item_has_part (model, "text_encoder"));
  gtk_widget_set_visible (GTK_WIDGET (self->text_encoder_2_row),
                          sl_model_item_has_part (model, "text_encoder_2"));
  gtk_widget_set_visible (GTK_WIDGET (self->refiner_row), sl_model_item_takes_refiner (model));
  sl_recipe_panel_show_existing (self);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->model_row), sl_model_item_get_path (model));
  sl_recipe_panel_show_prediction (self);
  sl_recipe_panel_offer_sizes (self, model);
  sl_recipe_panel_offer_schedulers (self, model);
  g_signal_emit (self, signals[MODEL_CHOSEN], 0);
  sl_recipe_panel_show_recipe (self);
}

/* FALSE and the sentence is shown where the file is no such part of the model. */
static gboolean
use_part (SlRecipePanel *self, guint i, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModelItem) with
      = sl_model_item_with_part (sl_recipe_panel_get_model (self), part_rows[i].part, path, &error);

  if (error)
    sl_notice_alert (GTK_WIDGET (self), _ (part_rows[i].problem), error->message);
  else if (sl_model_item_equal (with, own_model (self)))
    g_clear_object (&self->with_parts);
  else
    g_set_object (&self->with_parts, with);
  return error == NULL;
}

static void
part_chosen (SlRecipePanel *self, SlPartRow *row)
{
  if (own_model (self) == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (part_rows); i++)
    if (part_row (self, i) == row)
      use_part (self, i, sl_part_row_get_path (row));
  show_parts (self);
  sl_recipe_panel_show_existing (self);
  g_signal_emit (self, signals[MODEL_CHOSEN], 0);
}

static const char *
wanted_path (const char *const *parts, const char *part)
{
  for (; *parts; parts += 2)
    if (g_str_equal (parts[0], part))
      return parts[1];
  return NULL;
}

void
sl_recipe_panel_set_parts (SlRecipePanel *self, const char *const *parts)
{
  if (own_model (self) == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (part_rows); i++)
    {
      const char *path = wanted_path (parts, part_rows[i].part);

      if (g_strcmp0 (path, sl_part_row_get_path (part_row (self, i))) != 0)
        use_part (self, i, path);
    }
  show_parts (self);
  sl_recipe_panel_show_existing (self);
  g_signal_emit (self, signals[MODEL_CHOSEN], 0);
}

static void
offer_parts (SlRecipePanel *self, SlModelStore *store)
{
  for (guint i = 0; i < G_N_ELEMENTS (part_rows); i++)
    sl_part_row_offer (part_row (self, i), sl_model_store_get_parts (store, part_rows[i].part));
}

void
sl_recipe_panel_select_model (SlRecipePanel *self, guint position)
{
  adw_combo_row_set_selected (self->model_row, position);
}

void
sl_recipe_panel_focus_prompt (SlRecipePanel *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (sl_prompt_box_get_view (self->prompt)));
}

/* ---- class ---- */

/* A combo row without entries becomes insensitive, and with it the button in it that opens a model. */
static void
keep_sensitive (GtkWidget *row)
{
  if (!gtk_widget_get_sensitive (row))
    gtk_widget_set_sensitive (row, TRUE);
}

void
sl_recipe_panel_connect (SlRecipePanel *self,
                         SlSettings *recipe,
                         SlLoraList *loras,
                         SlModelStore *store,
                         SlPromptReader *prompts,
                         GSettings *preferences)
{
  g_autoptr (GtkListItemFactory) factory = sl_model_list_factory_new (self->model_row);
  g_autoptr (GtkExpression) model_name = gtk_property_expression_new (SL_TYPE_MODEL_ITEM, NULL, "name");

  self->recipe = g_object_ref (recipe);
  sl_recipe_panel_connect_controls (self);
  sl_prompt_box_connect (self->prompt, prompts, recipe, "prompt");
  sl_prompt_box_connect (self->negative, prompts, recipe, "negative-prompt");
  g_signal_connect (self->model_row, "notify::sensitive", G_CALLBACK (keep_sensitive), NULL);
  adw_combo_row_set_expression (self->model_row, model_name);
  adw_combo_row_set_list_factory (self->model_row, factory);
  adw_combo_row_set_model (self->model_row, G_LIST_MODEL (store));
  for (guint i = 0; i < G_N_ELEMENTS (part_rows); i++)
    {
      sl_part_row_set_words (part_row (self, i), _ (part_rows[i].own), _ (part_rows[i].title));
      g_signal_connect_swapped (part_row (self, i), "chosen", G_CALLBACK (part_chosen), self);
    }
  g_signal_connect_object (store, "scanned", G_CALLBACK (offer_parts), self, G_CONNECT_SWAPPED);
  sl_lora_group_connect (self->loras, loras, store);
  g_signal_connect_swapped (self->loras, "word", G_CALLBACK (sl_recipe_panel_add_word), self);
  keep_sensitive (GTK_WIDGET (self->model_row));
  g_signal_connect_swapped (self->model_row, "notify::selected-item", G_CALLBACK (model_chosen), self);
  g_signal_connect_object (recipe, "notify", G_CALLBACK (sl_recipe_panel_show_recipe), self,
                           G_CONNECT_SWAPPED);
  g_settings_bind (preferences, "keep-seed", self->keep_seed, "active", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "count", self->count_adjustment, "value", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "dynamic", self->dynamic_row, "selected", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "previews", self->previews_row, "selected", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "more-expanded", self->more_row, "expanded", G_SETTINGS_BIND_DEFAULT);
  sl_recipe_panel_show_first (self);
}

static void
sl_recipe_panel_dispose (GObject *object)
{
  SlRecipePanel *self = SL_RECIPE_PANEL (object);

  g_clear_object (&self->recipe);
  g_clear_object (&self->schedulers);
  g_clear_object (&self->with_parts);
  G_OBJECT_CLASS (sl_recipe_panel_parent_class)->dispose (object);
}

static void
sl_recipe_panel_finalize (GObject *object)
{
  g_free (SL_RECIPE_PANEL (object)->rows);
  G_OBJECT_CLASS (sl_recipe_panel_parent_class)->finalize (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlRecipePanel, name)

static void
sl_recipe_panel_class_init (SlRecipePanelClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_recipe_panel_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_recipe_panel_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-recipe-panel.ui");
  g_type_ensure (SL_TYPE_PART_ROW);
  g_type_ensure (SL_TYPE_PROMPT_BOX);
  g_type_ensure (SL_TYPE_LORA_GROUP);
  g_type_ensure (SL_TYPE_SIGMA_ROW);
  BIND (model_row);
  BIND (parts_row);
  BIND (vae_row);
  BIND (unet_row);
  BIND (text_encoder_row);
  BIND (text_encoder_2_row);
  BIND (refiner_row);
  BIND (prompt_box);
  BIND (prompt);
  BIND (negative);
  BIND (loras);
  BIND (steps_adjustment);
  BIND (guidance_adjustment);
  BIND (width_adjustment);
  BIND (height_adjustment);
  BIND (count_adjustment);
  BIND (steps_scale);
  BIND (guidance_scale);
  BIND (steps_row);
  BIND (guidance_row);
  BIND (seed_row);
  BIND (scheduler_row);
  BIND (sigmas_row);
  BIND (seed);
  BIND (keep_seed);
  BIND (size_row);
  BIND (custom_size_row);
  BIND (more_row);
  BIND (dynamic_row);
  BIND (previews_row);
  BIND (reset_row);
  signals[MODEL_CHOSEN] = g_signal_new ("model-chosen", SL_TYPE_RECIPE_PANEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_recipe_panel_init (SlRecipePanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_wheel_scrolls_page (GTK_WIDGET (self));
  gtk_range_set_range (self->steps_scale, 1, 100);
  gtk_range_set_increments (self->steps_scale, 1, 5);
  gtk_range_set_range (self->guidance_scale, 0, 20);
  gtk_range_set_increments (self->guidance_scale, 0.5, 1);
}
