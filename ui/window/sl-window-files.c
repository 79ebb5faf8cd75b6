/* sl-window-files.c - pictures and settings in and out: open, save, copy, paste, drop, drag. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>
#include <string.h>

#define PASTE_MAX_BYTES ((gsize)64 << 20)

/* ---- settings come in ---- */

/* The model by its path or name; a note when it is not here. */
static void
take_model (SlWindow *self, const char *model, GString *notes)
{
  g_autofree char *name = model ? g_path_get_basename (model) : NULL;
  guint position = model ? sl_model_store_find (self->models, model) : G_MAXUINT;

  if (position == G_MAXUINT && name)
    position = sl_model_store_find (self->models, name);
  if (position != G_MAXUINT)
    sl_recipe_panel_select_model (self->panel, position);
  else if (model)
    g_string_append_printf (notes, _ ("The model “%s” is not here; the chosen one stays.\n"), model);
}

/* All of them or none: they must fit the model. */
static void
take_settings (SlWindow *self, const SlRestored *restored)
{
  g_autoptr (GString) notes = g_string_new ("");
  g_autoptr (GError) error = NULL;
  SlModelItem *model;
  g_autofree char *text = NULL;

  take_model (self, restored->model, notes);
  model = sl_recipe_panel_get_model (self->panel);
  if (model && !sl_model_item_check (model, restored->settings, &error))
    {
      _sl_window_alert (self, _ ("These settings do not fit the model"), error->message);
      return;
    }
  sl_settings_assign (self->recipe, restored->settings);
  sl_recipe_panel_fit_model (self->panel);
  self->seed_is_fresh = TRUE;
  if (restored->notes)
    g_string_append (notes, restored->notes);
  text = g_strdup_printf (_ ("Settings taken from %s"), restored->source);
  if (notes->len > 0)
    _sl_window_alert (self, text, g_strstrip (notes->str));
  else
    sl_window_toast (self, text);
}

static void
restored (const SlRestored *restored, const GError *error, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;

  if (self->closed)
    return;
  if (error)
    _sl_window_alert (self, _ ("No settings could be read"), error->message);
  else if (restored->settings == NULL)
    _sl_window_alert (self, _ ("The settings were not taken"), restored->problems);
  else
    take_settings (self, restored);
}

void
_sl_window_restore_file (SlWindow *self, const char *path)
{
  sl_reader_restore_file (self->files, path, self->recipe, restored, g_object_ref (self));
}

static void
restore_data (SlWindow *self, GBytes *data)
{
  sl_reader_restore_data (self->files, data, self->recipe, restored, g_object_ref (self));
}

static gboolean
open_file_list (SlWindow *self, GSList *files)
{
  g_autofree char *path = files ? g_file_get_path (files->data) : NULL;

  if (path)
    sl_window_open_path (self, path);
  return path != NULL;
}

/* ---- dialogs ---- */

static void
open_response (SlWindow *self, int response, GtkFileChooserNative *dialog)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path)
    sl_window_open_path (self, path);
  g_object_unref (dialog);
}

static void
add_filter (GtkFileChooserNative *dialog, const char *name, const char *pattern)
{
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

  gtk_file_filter_set_name (filter, name);
  gtk_file_filter_add_pattern (filter, pattern);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
}

static void
open_dialog (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  gboolean folder = g_str_equal (action, "win.open-model-folder");
  gboolean model = folder || g_str_equal (action, "win.open-model-file");
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      model ? _ ("Open a Model") : _ ("Open a Picture"), GTK_WINDOW (self),
      folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER : GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);

  if (model && !folder)
    add_filter (dialog, _ ("Models"), "*.safetensors");
  else if (!model)
    add_filter (dialog, _ ("Pictures"), "*.png");
  g_signal_connect_object (dialog, "response", G_CALLBACK (open_response), self, G_CONNECT_SWAPPED);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
file_copied (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;
  g_autoptr (GError) error = NULL;

  g_file_copy_finish (G_FILE (source), result, &error);
  if (self->closed)
    return;
  if (error)
    _sl_window_alert (self, _ ("The picture could not be saved"), error->message);
  else
    sl_window_toast (self, _ ("Saved with its settings"));
}

static void
save_to (SlWindow *self, const char *path)
{
  if (self->picture)
    {
      g_autoptr (GFile) from = g_file_new_for_path (sl_picture_get_path (self->picture));
      g_autoptr (GFile) to = g_file_new_for_path (path);

      g_file_copy_async (from, to, G_FILE_COPY_OVERWRITE, G_PRIORITY_DEFAULT, NULL, NULL, NULL, file_copied,
                         g_object_ref (self));
    }
  else if (self->frame)
    _sl_window_write_moment (self, self->job, self->frame, path);
}

static void
save_response (SlWindow *self, int response, GtkFileChooserNative *dialog)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path)
    save_to (self, path);
  g_object_unref (dialog);
}

static void
save (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  GtkFileChooserNative *dialog;

  if (_sl_window_compare_takes (self, action) || (!self->picture && !self->frame))
    return;
  dialog = gtk_file_chooser_native_new (_ ("Save a Copy"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_SAVE,
                                        NULL, NULL);
  add_filter (dialog, _ ("Pictures"), "*.png");
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), "safelight.png");
  g_signal_connect_object (dialog, "response", G_CALLBACK (save_response), self, G_CONNECT_SWAPPED);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* "win.save-to" with a path: what a script or a test uses instead of the dialog. */
static void
save_to_path (GtkWidget *widget, const char *action, GVariant *parameter)
{
  save_to (SL_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

/* ---- copy and drag ---- */

/* The file behind what the tray shows, or NULL for a step that was not saved. */
static const char *
shown_file (SlWindow *self)
{
  if (self->picture)
    return sl_picture_get_path (self->picture);
  return self->frame ? g_object_get_data (G_OBJECT (self->frame), "sl-path") : NULL;
}

/* The file with its settings where there is one, and the pixels for programs that want those. */
static GdkContentProvider *
shown_content (SlWindow *self)
{
  GdkTexture *texture = sl_canvas_get_texture (sl_tray_get_canvas (self->tray));
  const char *path = shown_file (self);
  GdkContentProvider *providers[3];
  gsize n = 0;

  if (texture == NULL || (!self->picture && !self->frame))
    return NULL;
  if (path)
    {
      g_autoptr (GFile) file = g_file_new_for_path (path);
      g_autofree char *data = NULL;
      gsize length;

      providers[n++] = gdk_content_provider_new_typed (G_TYPE_FILE, file);
      if (g_file_get_contents (path, &data, &length, NULL))
        {
          g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&data), length);

          providers[n++] = gdk_content_provider_new_for_bytes ("image/png", bytes);
        }
    }
  providers[n++] = gdk_content_provider_new_typed (GDK_TYPE_TEXTURE, texture);
  return gdk_content_provider_new_union (providers, n);
}

static void
copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  g_autoptr (GdkContentProvider) content = shown_content (self);

  if (content == NULL)
    return;
  gdk_clipboard_set_content (gtk_widget_get_clipboard (widget), content);
  sl_window_toast (self, shown_file (self) ? _ ("Copied with its settings") : _ ("Copied"));
}

static GdkContentProvider *
drag_prepare (SlWindow *self)
{
  return sl_canvas_is_fitted (sl_tray_get_canvas (self->tray)) ? shown_content (self) : NULL;
}

static void
drag_begin (GtkDragSource *source, GdkDrag *drag, SlWindow *self)
{
  GdkTexture *texture = sl_canvas_get_texture (sl_tray_get_canvas (self->tray));
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GdkPaintable) icon = NULL;

  gdk_paintable_snapshot (GDK_PAINTABLE (texture), snapshot, 96,
                          96.0 / gdk_paintable_get_intrinsic_aspect_ratio (GDK_PAINTABLE (texture)));
  icon = gtk_snapshot_to_paintable (snapshot, NULL);
  gtk_drag_source_set_icon (source, icon, 48, 48);
}

/* ---- paste and drop ---- */

/* A paste of bytes on their way: another program hands them over in pieces. */
typedef struct
{
  SlWindow *window;
  guint8 *bytes; /* PASTE_MAX_BYTES; those that were not filled cost nothing */
} Paste;

static void
png_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Paste *paste = user_data;
  g_autoptr (SlWindow) self = paste->window;
  gsize length = 0;
  gboolean read = g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length, NULL);

  if (read && length > 0 && !self->closed)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (paste->bytes, length);

      restore_data (self, bytes);
    }
  g_free (paste->bytes);
  g_free (paste);
}

static void
stream_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;
  g_autoptr (GInputStream) stream = gdk_clipboard_read_finish (GDK_CLIPBOARD (source), result, NULL, NULL);
  guint8 *bytes = stream && !self->closed ? g_try_malloc (PASTE_MAX_BYTES) : NULL;
  Paste *paste;

  if (bytes == NULL)
    return;
  paste = g_new0 (Paste, 1);
  paste->window = g_object_ref (self);
  paste->bytes = bytes;
  g_input_stream_read_all_async (stream, bytes, PASTE_MAX_BYTES, G_PRIORITY_DEFAULT, NULL, png_pasted, paste);
}

static void
value_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;
  const GValue *value = gdk_clipboard_read_value_finish (GDK_CLIPBOARD (source), result, NULL);

  if (value == NULL || self->closed)
    return;
  if (G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST))
    open_file_list (self, g_value_get_boxed (value));
  else if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    {
      const char *text = g_value_get_string (value);
      g_autoptr (GBytes) bytes = g_bytes_new (text, MIN (strlen (text), PASTE_MAX_BYTES));

      restore_data (self, bytes);
    }
}

static void
paste (GtkWidget *widget, const char *action, GVariant *parameter)
{
  static const char *png[] = { "image/png", NULL };
  SlWindow *self = SL_WINDOW (widget);
  GdkClipboard *clipboard = gtk_widget_get_clipboard (widget);
  GdkContentFormats *formats = gdk_clipboard_get_formats (clipboard);

  /* As bytes: a texture would have lost the settings. */
  if (gdk_content_formats_contain_mime_type (formats, "image/png"))
    gdk_clipboard_read_async (clipboard, png, G_PRIORITY_DEFAULT, NULL, stream_pasted, g_object_ref (self));
  else if (gdk_content_formats_contain_gtype (formats, GDK_TYPE_FILE_LIST)
           || gdk_content_formats_contain_mime_type (formats, "text/uri-list"))
    gdk_clipboard_read_value_async (clipboard, GDK_TYPE_FILE_LIST, G_PRIORITY_DEFAULT, NULL, value_pasted,
                                    g_object_ref (self));
  else if (gdk_content_formats_contain_gtype (formats, G_TYPE_STRING)
           || gdk_content_formats_contain_mime_type (formats, "text/plain;charset=utf-8"))
    gdk_clipboard_read_value_async (clipboard, G_TYPE_STRING, G_PRIORITY_DEFAULT, NULL, value_pasted,
                                    g_object_ref (self));
  else
    sl_window_toast (self, _ ("The clipboard holds no picture and no settings"));
}

static gboolean
dropped (SlWindow *self, const GValue *value)
{
  if (G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST))
    return open_file_list (self, g_value_get_boxed (value));
  return FALSE;
}

/* "win.open-path": what happens when a file is dropped. */
static void
open_path (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_window_open_path (SL_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

void
_sl_window_install_files (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.open", NULL, open_dialog);
  gtk_widget_class_install_action (klass, "win.open-model-folder", NULL, open_dialog);
  gtk_widget_class_install_action (klass, "win.open-model-file", NULL, open_dialog);
  gtk_widget_class_install_action (klass, "win.open-path", "s", open_path);
  gtk_widget_class_install_action (klass, "win.save", NULL, save);
  gtk_widget_class_install_action (klass, "win.save-to", "s", save_to_path);
  gtk_widget_class_install_action (klass, "win.copy", NULL, copy);
  gtk_widget_class_install_action (klass, "win.paste", NULL, paste);
}

void
_sl_window_init_files (SlWindow *self)
{
  GType types[] = { GDK_TYPE_FILE_LIST };
  GtkDropTarget *drop = gtk_drop_target_new (G_TYPE_INVALID, GDK_ACTION_COPY);
  GtkDragSource *drag = gtk_drag_source_new ();

  gtk_drop_target_set_gtypes (drop, types, G_N_ELEMENTS (types));
  g_signal_connect_swapped (drop, "drop", G_CALLBACK (dropped), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  g_signal_connect_swapped (drag, "prepare", G_CALLBACK (drag_prepare), self);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  gtk_widget_add_controller (GTK_WIDGET (sl_tray_get_canvas (self->tray)), GTK_EVENT_CONTROLLER (drag));
}
