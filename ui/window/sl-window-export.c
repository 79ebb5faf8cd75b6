/* sl-window-export.c - contact sheets and animations on their way into files: they take a while, so a bar
 * at the lower edge says how far they are and offers to cancel. One at a time.
 */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

static void
progressed (double fraction, gpointer user_data)
{
  SlWindow *self = user_data;
  g_autofree char *text = g_strdup_printf (_ ("Saving… %.0f %%"), 100 * fraction);

  if (!self->closed)
    gtk_label_set_text (self->export_text, text);
}

static void
exported (const GError *error, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;

  self->export = NULL;
  if (self->closed)
    return;
  gtk_revealer_set_reveal_child (self->export_bar, FALSE);
  if (error == NULL)
    sl_window_toast (self, _ ("Saved"));
  else if (self->export_cancelled)
    sl_window_toast (self, _ ("Not saved"));
  else
    _sl_window_alert (self, _ ("The file could not be saved"), error->message);
}

/* What can be written, by name; NULL for another one. */
static SlExportTask *
start (SlWindow *self, const char *what, const char *path)
{
  const SlExportCall call = { self->files, self->worker, progressed, exported, g_object_ref (self) };

  if (g_str_equal (what, "sheet"))
    return sl_comparison_export_sheet (self->comparison, path, &call);
  if (g_str_equal (what, "animation"))
    return sl_comparison_export_animation (self->comparison, path, &call);
  return sl_job_export_animation (self->job, path, &call);
}

void
_sl_window_export (SlWindow *self, const char *what, const char *path)
{
  if (self->export)
    {
      sl_window_toast (self, _ ("Another file is being saved"));
      return;
    }
  self->export_cancelled = FALSE;
  gtk_label_set_text (self->export_text, _ ("Saving…"));
  self->export = start (self, what, path);
  gtk_revealer_set_reveal_child (self->export_bar, self->export != NULL);
}

gboolean
_sl_window_can_animate (SlWindow *self)
{
  if (!sl_export_has_animations ())
    _sl_window_alert (self, _ ("No Animations"),
                      _ ("This build of Safelight was made without libwebp, which writes them."));
  return sl_export_has_animations ();
}

static void
cancel (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  if (self->export == NULL)
    return;
  self->export_cancelled = TRUE;
  gtk_label_set_text (self->export_text, _ ("Cancelling…"));
  sl_export_cancel (self->export);
}

/* ---- the animation of the run in the darkroom ---- */

static void
film_response (GtkNativeDialog *dialog, int response, SlWindow *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path && self->job)
    _sl_window_export (self, "film", path);
  g_object_unref (dialog);
}

static void
save_film (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  GtkFileChooserNative *dialog;

  if (!_sl_window_can_animate (self))
    return;
  dialog = gtk_file_chooser_native_new (_ ("Save the Animation"), GTK_WINDOW (self),
                                        GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), "safelight.webp");
  g_signal_connect_object (dialog, "response", G_CALLBACK (film_response), self, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* "win.save-animation-to" with a path: what a script or a test uses instead of the dialog. */
static void
save_film_to (GtkWidget *widget, const char *action, GVariant *parameter)
{
  _sl_window_export (SL_WINDOW (widget), "film", g_variant_get_string (parameter, NULL));
}

void
_sl_window_update_export (SlWindow *self)
{
  gboolean any = self->job && self->frame && !self->picture;

  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.save-animation", any);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.save-animation-to", any);
}

void
_sl_window_install_export (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.save-animation", NULL, save_film);
  gtk_widget_class_install_action (klass, "win.save-animation-to", "s", save_film_to);
  gtk_widget_class_install_action (klass, "win.cancel-export", NULL, cancel);
}
