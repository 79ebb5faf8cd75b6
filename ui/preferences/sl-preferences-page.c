/* sl-preferences-page.c - see sl-preferences-page.h. */
#include "ui/preferences/sl-preferences-page.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-part-row.h"
#include "ui/widgets/sl-path-dialog.h"
#include "ui/widgets/sl-wheel.h"

struct _SlPreferencesPage
{
  AdwPreferencesPage parent_instance;
  AdwActionRow *models_row;
  AdwActionRow *pictures_row;
  GtkButton *models_button;
  GtkButton *pictures_button;
  AdwPreferencesGroup *device_group;
  AdwComboRow *device_row;
  AdwComboRow *dtype_row;
  GtkAdjustment *threads_adjustment;
  AdwComboRow *previews_row;
  SlPartRow *tiny_row;
  AdwComboRow *theme_row;
  SlWorkspace *workspace;
  GSettings *preferences;
};

G_DEFINE_FINAL_TYPE (SlPreferencesPage, sl_preferences_page, ADW_TYPE_PREFERENCES_PAGE)

static void
show_folders (SlPreferencesPage *self)
{
  g_autofree char *models = g_settings_get_string (self->preferences, "models-folder");
  g_autofree char *pictures = sl_places_pictures_folder (self->preferences);
  g_autofree char *models_text = g_markup_escape_text (*models ? models : _ ("Only the usual places"), -1);
  g_autofree char *pictures_text = g_markup_escape_text (pictures, -1);

  adw_action_row_set_subtitle (self->models_row, models_text);
  adw_action_row_set_subtitle (self->pictures_row, pictures_text);
}

static void
folder_chosen (gpointer self, const char *path, const char *key)
{
  g_settings_set_string (SL_PREFERENCES_PAGE (self)->preferences, key, path);
}

static void
choose_folder (SlPreferencesPage *self, GtkButton *button)
{
  gboolean models = button == self->models_button;
  const SlPathDialog dialog
      = { .from = GTK_WIDGET (self),
          .title = models ? _ ("Choose the Models Folder") : _ ("Choose the Pictures Folder"),
          .wants = SL_PATH_FOLDER };

  sl_path_dialog_show (&dialog, folder_chosen, G_OBJECT (self), models ? "models-folder" : "pictures-folder");
}

/* Which device and types the model that is loaded computes on and in, and why. */
static void
show_device (SlPreferencesPage *self)
{
  SlWorker *worker = self->workspace->worker;
  g_autofree char *device = g_markup_escape_text (sl_worker_get_device_line (worker), -1);
  g_autofree char *types = g_markup_escape_text (sl_worker_get_types_line (worker), -1);

  adw_preferences_group_set_description (self->device_group, device);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->dtype_row), types);
}

/* ---- previews ---- */

/* Which tiny VAE the chosen model gets. */
static void
show_tiny (SlPreferencesPage *self)
{
  g_autofree char *models = g_settings_get_string (self->preferences, "models-folder");
  g_autofree char *chosen = g_settings_get_string (self->preferences, "preview-decoder");
  SlModelItem *model = self->workspace->model;
  g_autofree char *found = model && !*chosen ? sl_model_item_find_tiny (model, models) : NULL;
  g_autofree char *name = found ? g_path_get_basename (found) : NULL;
  g_autofree char *text = g_markup_escape_text (
      *chosen || !model ? _ ("Makes previews of full size at a fraction of a step’s time")
      : found           ? name
              : _ ("There is none called taesd or taesdxl, as suits the model, in the models folders"),
      -1);

  sl_part_row_set_path (self->tiny_row, *chosen ? chosen : NULL);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->tiny_row), text);
}

static void
tiny_chosen (SlPreferencesPage *self)
{
  const char *path = sl_part_row_get_path (self->tiny_row);
  g_autoptr (GError) error = NULL;

  if (path && self->workspace->model && !sl_model_item_check_tiny (self->workspace->model, path, &error))
    sl_notice_alert (GTK_WIDGET (self), _ ("This is no tiny VAE for the chosen model"), error->message);
  else
    g_settings_set_string (self->preferences, "preview-decoder", path ? path : "");
  show_tiny (self);
}

static void
connect_tiny (SlPreferencesPage *self)
{
  sl_part_row_set_words (self->tiny_row, _ ("By Its Name"), _ ("Choose a Tiny VAE"));
  sl_part_row_offer (self->tiny_row, sl_model_store_get_parts (self->workspace->models, "vae_approx"));
  show_tiny (self);
  g_signal_connect_swapped (self->tiny_row, "chosen", G_CALLBACK (tiny_chosen), self);
}

static void
sl_preferences_page_dispose (GObject *object)
{
  SlPreferencesPage *self = SL_PREFERENCES_PAGE (object);

  g_clear_object (&self->preferences);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_preferences_page_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlPreferencesPage, name)

static void
sl_preferences_page_class_init (SlPreferencesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_preferences_page_dispose;
  g_type_ensure (SL_TYPE_PART_ROW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/safelight/Safelight/sl-preferences-page.ui");
  BIND (models_row);
  BIND (pictures_row);
  BIND (models_button);
  BIND (pictures_button);
  BIND (device_group);
  BIND (device_row);
  BIND (dtype_row);
  BIND (threads_adjustment);
  BIND (previews_row);
  BIND (tiny_row);
  BIND (theme_row);
}

static void
sl_preferences_page_init (SlPreferencesPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_wheel_scrolls_page (GTK_WIDGET (self));
}

SlPreferencesPage *
sl_preferences_page_new (SlWorkspace *workspace)
{
  SlPreferencesPage *self = g_object_new (SL_TYPE_PREFERENCES_PAGE, NULL);
  GSettings *preferences = workspace->preferences;

  self->workspace = g_object_ref (workspace);
  self->preferences = g_object_ref (preferences);
  show_device (self);
  g_signal_connect_object (workspace->worker, "loaded", G_CALLBACK (show_device), self, G_CONNECT_SWAPPED);
  g_settings_bind (preferences, "device", self->device_row, "selected", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "dtype", self->dtype_row, "selected", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "threads", self->threads_adjustment, "value", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "previews", self->previews_row, "selected", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "theme", self->theme_row, "selected", G_SETTINGS_BIND_DEFAULT);
  g_signal_connect_object (preferences, "changed", G_CALLBACK (show_folders), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->models_button, "clicked", G_CALLBACK (choose_folder), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->pictures_button, "clicked", G_CALLBACK (choose_folder), self,
                           G_CONNECT_SWAPPED);
  show_folders (self);
  connect_tiny (self);
  return self;
}
