/* sl-path-dialog-ask.c - see sl-path-dialog-ask.h; for GTK 4.10 and newer. */
#include "ui/widgets/sl-path-dialog-ask.h"

typedef void (*Ask) (
    GtkFileDialog *, GtkWindow *, GCancellable *, GAsyncReadyCallback callback, gpointer user_data);
typedef GFile *(*Finish) (GtkFileDialog *, GAsyncResult *, GError **);

typedef struct
{
  SlPathAnswered answered;
  gpointer data;
  Finish finish;
} Question;

static const struct
{
  Ask ask;
  Finish finish;
} calls[] = {
  [SL_PATH_OPEN] = { gtk_file_dialog_open, gtk_file_dialog_open_finish },
  [SL_PATH_SAVE] = { gtk_file_dialog_save, gtk_file_dialog_save_finish },
  [SL_PATH_FOLDER] = { gtk_file_dialog_select_folder, gtk_file_dialog_select_folder_finish },
};

/* A person who cancels is an error here, too. */
static void
finished (GObject *dialog, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GFile) file = question->finish (GTK_FILE_DIALOG (dialog), result, NULL);

  question->answered (file, question->data);
  g_free (question);
}

void
sl_path_dialog_ask (const SlPathDialog *dialog, GtkFileFilter *filter, SlPathAnswered answered, gpointer data)
{
  g_autoptr (GtkFileDialog) files = gtk_file_dialog_new ();
  Question *question = g_new (Question, 1);

  *question = (Question){ answered, data, calls[dialog->wants].finish };
  gtk_file_dialog_set_title (files, dialog->title);
  if (dialog->name)
    gtk_file_dialog_set_initial_name (files, dialog->name);
  if (filter)
    {
      g_autoptr (GListStore) filters = g_list_store_new (GTK_TYPE_FILE_FILTER);

      g_list_store_append (filters, filter);
      gtk_file_dialog_set_filters (files, G_LIST_MODEL (filters));
    }
  calls[dialog->wants].ask (files, GTK_WINDOW (gtk_widget_get_root (dialog->from)), NULL, finished, question);
}
