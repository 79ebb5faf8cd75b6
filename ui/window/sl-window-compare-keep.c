/* sl-window-compare-keep.c - a comparison on its way into files and back: a lane's picture, the contact
 * sheet, the animation, the whole comparison. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

static const struct
{
  const char *what;
  const char *title;
  const char *name;
} kinds[] = {
  { "picture", N_ ("Save This Lane’s Picture"), "safelight.png" },
  { "sheet", N_ ("Save the Contact Sheet"), "contact-sheet.png" },
  { "animation", N_ ("Save the Animation"), "comparison.webp" },
  { "comparison", N_ ("Save the Comparison"), "comparison.safelight" },
};

/* ---- out ---- */

static void
saved (const GError *error, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;

  if (self->closed)
    return;
  if (error)
    _sl_window_alert (self, _ ("The comparison could not be saved"), error->message);
  else
    sl_window_toast (self, _ ("Saved"));
}

static void
save_to (SlWindow *self, const char *what, guint lane, const char *path)
{
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, lane);

  if (g_str_equal (what, "sheet") || g_str_equal (what, "animation"))
    _sl_window_export (self, what, path);
  else if (g_str_equal (what, "comparison"))
    sl_comparison_file_save (self->comparison, self->files, path, saved, g_object_ref (self));
  else if (frame)
    _sl_window_write_moment (self, sl_comparison_get_job (self->comparison, lane), frame, path);
}

static void
save_response (GtkNativeDialog *dialog, int response, SlWindow *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path)
    save_to (self, g_object_get_data (G_OBJECT (dialog), "sl-what"),
             GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (dialog), "sl-lane")), path);
  g_object_unref (dialog);
}

static void
ask_where (SlWindow *self, guint kind, guint lane)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (_ (kinds[kind].title), GTK_WINDOW (self),
                                                              GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);

  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), kinds[kind].name);
  g_object_set_data (G_OBJECT (dialog), "sl-what", (gpointer)kinds[kind].what);
  g_object_set_data (G_OBJECT (dialog), "sl-lane", GUINT_TO_POINTER (lane));
  g_signal_connect_object (dialog, "response", G_CALLBACK (save_response), self, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

void
_sl_window_keep_lane (SlWindow *self, guint lane)
{
  if (sl_comparison_get_frame (self->comparison, lane))
    ask_where (self, 0, lane);
}

static void
save (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  const char *what = g_variant_get_string (parameter, NULL);

  if (g_str_equal (what, "animation") && !_sl_window_can_animate (self))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].what, what))
      ask_where (self, i, sl_compare_view_get_chosen (self->compare_view));
}

/* "win.compare-save-to" with what and a path: what a script or a test uses instead of the dialog. */
static void
save_to_path (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  const char *what, *path;

  g_variant_get (parameter, "(&s&s)", &what, &path);
  save_to (self, what, sl_compare_view_get_chosen (self->compare_view), path);
}

/* ---- in ---- */

/* The lanes are there, but not under the name that the file has. */
static void
say_renamed (SlWindow *self, const char *renamed, SlModelItem *model)
{
  gboolean other = sl_model_store_find (self->models, renamed) != G_MAXUINT;
  g_autofree char *text
      = g_strdup_printf (other ? _ ("Opened with “%s”: the “%s” here has other weights than the file’s")
                               /* Translators: the name of a model here, and its name in the file. */
                               : _ ("Opened with “%s”, which has the weights of the file’s model “%s”"),
                         sl_model_item_get_name (model), renamed);

  sl_window_toast (self, text);
}

static void
loaded (const GError *error, const char *renamed, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;
  SlModelItem *model;

  if (self->closed)
    return;
  if (error)
    {
      _sl_window_alert (self, _ ("The comparison could not be opened"), error->message);
      return;
    }
  model = sl_job_get_model (sl_comparison_get_job (self->comparison, 0));
  sl_recipe_panel_select_model (self->panel,
                                sl_model_store_find (self->models, sl_model_item_get_path (model)));
  if (renamed)
    say_renamed (self, renamed, model);
  sl_compare_view_take_fast (self->compare_view);
  adw_view_stack_set_visible_child_name (self->pages, "compare");
  _sl_window_update (self);
}

void
_sl_window_open_comparison (SlWindow *self, const char *path)
{
  sl_comparison_file_load (self->comparison, self->files, path, G_LIST_MODEL (self->models), loaded,
                           g_object_ref (self));
}

static void
open_response (GtkNativeDialog *dialog, int response, SlWindow *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path)
    _sl_window_open_comparison (self, path);
  g_object_unref (dialog);
}

static void
open_dialog (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (_ ("Open a Comparison"), GTK_WINDOW (widget),
                                                              GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

  gtk_file_filter_set_name (filter, _ ("Comparisons"));
  gtk_file_filter_add_pattern (filter, "*" SL_COMPARISON_SUFFIX);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
  g_signal_connect_object (dialog, "response", G_CALLBACK (open_response), SL_WINDOW (widget), 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

void
_sl_window_install_compare_keep (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.compare-save", "s", save);
  gtk_widget_class_install_action (klass, "win.compare-save-to", "(ss)", save_to_path);
  gtk_widget_class_install_action (klass, "win.compare-open", NULL, open_dialog);
}
