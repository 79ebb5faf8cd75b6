/* sl-preferences-window.c - see sl-preferences-window.h. */
#include "ui/preferences/sl-preferences-window.h"

#include <glib/gi18n.h>

#include "app/objects/objects.h"

struct _SlPreferencesWindow
{
  AdwPreferencesWindow parent_instance;
  AdwActionRow *models_row;
  AdwActionRow *pictures_row;
  GtkButton *models_button;
  GtkButton *pictures_button;
  AdwPreferencesGroup *device_group;
  AdwComboRow *device_row;
  AdwComboRow *dtype_row;
  GtkAdjustment *threads_adjustment;
  AdwComboRow *previews_row;
  AdwComboRow *theme_row;
  GSettings *preferences;
};

G_DEFINE_FINAL_TYPE (SlPreferencesWindow, sl_preferences_window, ADW_TYPE_PREFERENCES_WINDOW)

static void
show_folders (SlPreferencesWindow *self)
{
  g_autofree char *models = g_settings_get_string (self->preferences, "models-folder");
  g_autofree char *pictures = sl_places_pictures_folder (self->preferences);
  g_autofree char *models_text = g_markup_escape_text (*models ? models : _ ("Only the usual places"), -1);
  g_autofree char *pictures_text = g_markup_escape_text (pictures, -1);

  adw_action_row_set_subtitle (self->models_row, models_text);
  adw_action_row_set_subtitle (self->pictures_row, pictures_text);
}

static void
folder_chosen (SlPreferencesWindow *self, int response, GtkFileChooserNative *dialog)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path)
    g_settings_set_string (self->preferences, g_object_get_data (G_OBJECT (dialog), "sl-key"), path);
  g_object_unref (dialog);
}

static void
choose_folder (SlPreferencesWindow *self, GtkButton *button)
{
  gboolean models = button == self->models_button;
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      models ? _ ("Choose the Models Folder") : _ ("Choose the Pictures Folder"), GTK_WINDOW (self),
      GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, NULL);

  g_object_set_data (G_OBJECT (dialog), "sl-key", (gpointer)(models ? "models-folder" : "pictures-folder"));
  g_signal_connect_object (dialog, "response", G_CALLBACK (folder_chosen), self, G_CONNECT_SWAPPED);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
sl_preferences_window_dispose (GObject *object)
{
  SlPreferencesWindow *self = SL_PREFERENCES_WINDOW (object);

  g_clear_object (&self->preferences);
  G_OBJECT_CLASS (sl_preferences_window_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlPreferencesWindow, name)

static void
sl_preferences_window_class_init (SlPreferencesWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_preferences_window_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/safelight/Safelight/sl-preferences-window.ui");
  BIND (models_row);
  BIND (pictures_row);
  BIND (models_button);
  BIND (pictures_button);
  BIND (device_group);
  BIND (device_row);
  BIND (dtype_row);
  BIND (threads_adjustment);
  BIND (previews_row);
  BIND (theme_row);
}

static void
sl_preferences_window_init (SlPreferencesWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

SlPreferencesWindow *
sl_preferences_window_new (GtkWindow *parent, GSettings *preferences, const char *device_line)
{
  SlPreferencesWindow *self = g_object_new (SL_TYPE_PREFERENCES_WINDOW, "transient-for", parent, NULL);
  g_autofree char *line = g_markup_escape_text (device_line, -1);

  self->preferences = g_object_ref (preferences);
  adw_preferences_group_set_description (self->device_group, line);
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
  return self;
}
