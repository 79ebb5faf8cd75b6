/* sl-path-dialog.c - see sl-path-dialog.h. */
#include "ui/widgets/sl-path-dialog.h"

typedef struct
{
  SlPathChosen chosen;
  char *what;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->what);
  g_free (question);
}

static void
answered (GtkNativeDialog *dialog, int response, gpointer object)
{
  Question *question = g_object_get_data (G_OBJECT (dialog), "sl-question");
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (response == GTK_RESPONSE_ACCEPT && path)
    question->chosen (object, path, question->what);
  g_object_unref (dialog);
}

static void
add_filter (GtkFileChooser *chooser, const char *name, const char *patterns)
{
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();
  g_auto (GStrv) each = g_strsplit (patterns, " ", -1);

  gtk_file_filter_set_name (filter, name);
  for (guint i = 0; each[i]; i++)
    gtk_file_filter_add_pattern (filter, each[i]);
  gtk_file_chooser_add_filter (chooser, filter);
}

void
sl_path_dialog_show (const SlPathDialog *dialog, SlPathChosen chosen, GObject *object, const char *what)
{
  GtkFileChooserNative *native = gtk_file_chooser_native_new (
      dialog->title, GTK_WINDOW (gtk_widget_get_root (dialog->from)), dialog->action, NULL, NULL);
  Question *question = g_new (Question, 1);

  *question = (Question){ chosen, g_strdup (what) };
  g_object_set_data_full (G_OBJECT (native), "sl-question", question, question_free);
  if (dialog->pattern)
    add_filter (GTK_FILE_CHOOSER (native), dialog->filter_name, dialog->pattern);
  if (dialog->name)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (native), dialog->name);
  g_signal_connect_object (native, "response", G_CALLBACK (answered), object, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (native), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (native));
}
