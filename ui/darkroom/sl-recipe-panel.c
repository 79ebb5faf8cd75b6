/* sl-recipe-panel.c - see sl-recipe-panel.h. */
#include "ui/darkroom/sl-recipe-panel.h"

#include <glib/gi18n.h>

#include "ui/darkroom/sl-model-list.h"
#include "ui/darkroom/sl-recipe-panel-private.h"
#include "ui/widgets/sl-notice.h"

G_DEFINE_FINAL_TYPE (SlRecipePanel, sl_recipe_panel, ADW_TYPE_BIN)

enum
{
  MODEL_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- the model ---- */

void
sl_recipe_panel_drop_vae (SlRecipePanel *self)
{
  g_clear_object (&self->with_vae);
  sl_vae_row_reset (self->vae_row);
}

static void
model_chosen (SlRecipePanel *self)
{
  SlModelItem *model = adw_combo_row_get_selected_item (self->model_row);

  sl_recipe_panel_drop_vae (self);
  if (model == NULL)
    return;
  gtk_widget_set_visible (GTK_WIDGET (self->vae_row), sl_model_item_has_vae (model));
  sl_recipe_panel_show_existing (self);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->model_row), sl_model_item_get_path (model));
  sl_recipe_panel_offer_sizes (self, model);
  sl_recipe_panel_offer_schedulers (self, model);
  g_signal_emit (self, signals[MODEL_CHOSEN], 0);
  sl_recipe_panel_show_recipe (self);
}

static void
vae_chosen (SlRecipePanel *self)
{
  SlModelItem *model = adw_combo_row_get_selected_item (self->model_row);
  const char *path = sl_vae_row_get_path (self->vae_row);
  g_autofree char *name = path ? g_path_get_basename (path) : NULL;
  g_autofree char *heading = g_strdup_printf (_ ("“%s” cannot be used as the VAE"), name ? name : "");
  g_autoptr (GError) error = NULL;

  g_clear_object (&self->with_vae);
  if (model && path)
    self->with_vae = sl_model_item_with_vae (model, path, &error);
  if (error)
    {
      sl_vae_row_reset (self->vae_row);
      sl_notice_alert (GTK_WIDGET (self), heading, error->message);
    }
  if (model)
    g_signal_emit (self, signals[MODEL_CHOSEN], 0);
}

static void
offer_vaes (SlRecipePanel *self, SlModelStore *store)
{
  sl_vae_row_offer (self->vae_row, sl_model_store_get_vaes (store));
}

SlModelItem *
sl_recipe_panel_get_model (SlRecipePanel *self)
{
  if (self->with_vae)
    return self->with_vae;
  return adw_combo_row_get_selected_item (self->model_row);
}

void
sl_recipe_panel_select_model (SlRecipePanel *self, guint position)
{
  adw_combo_row_set_selected (self->model_row, position);
}

void
sl_recipe_panel_focus_prompt (SlRecipePanel *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->prompt));
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
sl_recipe_panel_connect (SlRecipePanel *self, SlSettings *recipe, SlModelStore *store, GSettings *preferences)
{
  g_autoptr (GtkListItemFactory) factory = sl_model_list_factory_new ();
  g_autoptr (GtkExpression) model_name = gtk_property_expression_new (SL_TYPE_MODEL_ITEM, NULL, "name");

  self->recipe = g_object_ref (recipe);
  sl_recipe_panel_connect_controls (self);
  g_signal_connect (self->model_row, "notify::sensitive", G_CALLBACK (keep_sensitive), NULL);
  adw_combo_row_set_expression (self->model_row, model_name);
  adw_combo_row_set_list_factory (self->model_row, factory);
  adw_combo_row_set_model (self->model_row, G_LIST_MODEL (store));
  g_signal_connect_swapped (self->vae_row, "chosen", G_CALLBACK (vae_chosen), self);
  g_signal_connect_object (store, "scanned", G_CALLBACK (offer_vaes), self, G_CONNECT_SWAPPED);
  keep_sensitive (GTK_WIDGET (self->model_row));
  g_signal_connect_swapped (self->model_row, "notify::selected-item", G_CALLBACK (model_chosen), self);
  g_signal_connect_object (recipe, "notify", G_CALLBACK (sl_recipe_panel_show_recipe), self,
                           G_CONNECT_SWAPPED);
  g_settings_bind (preferences, "keep-seed", self->keep_seed, "active", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "count", self->count_adjustment, "value", G_SETTINGS_BIND_DEFAULT);
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
  g_clear_object (&self->with_vae);
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
  g_type_ensure (SL_TYPE_VAE_ROW);
  BIND (model_row);
  BIND (vae_row);
  BIND (prompt_box);
  BIND (prompt);
  BIND (prompt_hint);
  BIND (negative);
  BIND (negative_hint);
  BIND (negative_card);
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
  BIND (previews_row);
  BIND (reset_row);
  signals[MODEL_CHOSEN] = g_signal_new ("model-chosen", SL_TYPE_RECIPE_PANEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_recipe_panel_init (SlRecipePanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_range_set_range (self->steps_scale, 1, 100);
  gtk_range_set_increments (self->steps_scale, 1, 5);
  gtk_range_set_range (self->guidance_scale, 0, 20);
  gtk_range_set_increments (self->guidance_scale, 0.5, 1);
}
