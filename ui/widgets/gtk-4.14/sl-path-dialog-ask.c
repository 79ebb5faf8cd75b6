/* sl-path-dialog-ask.c - see sl-path-dialog-ask.h; for GTK 4.10 and newer. */
#include "ui/widgets/sl-path-dialog-ask.h"

typedef void (*Ask) (
    GtkFileDialog *, GtkWindow *, GCancellable *, GAsyncReadyCallback callback, gpointer user_data);
typedef GFile *(*Finish) (GtkFileDialog *, GAsyncResult *, GError **);
typedef GListModel *(*FinishSeveral) (GtkFileDialog *, GAsyncResult *, GError **);

/* One of finish and finish_several is NULL. */
typedef struct
{
  Ask ask;
  Finish finish;
  FinishSeveral finish_several;
} Calls;

typedef struct
{
  SlPathAnswered answered;
  gpointer data;
  const Calls *calls;
} Question;

static const Calls calls[] = {
  [SL_PATH_OPEN] = { gtk_file_dialog_open, gtk_file_dialog_open_finish, NULL },
  [SL_PATH_OPEN_SEVERAL] = { gtk_file_dialog_open_multiple, NULL, gtk_file_dialog_open_multiple_finish },
  [SL_PATH_SAVE] = { gtk_file_dialog_save, gtk_file_dialog_save_finish, NULL },
  [SL_PATH_FOLDER] = { gtk_file_dialog_select_folder, gtk_file_dialog_select_folder_finish, NULL },
};

/* A person who cancels is an error here, too. */
static GListModel *
get_files (const Calls *of, GtkFileDialog *dialog, GAsyncResult *result)
{
  g_autoptr (GFile) file = NULL;
  GListStore *files;

  if (of->finish_several)
    return of->finish_several (dialog, result, NULL);
  file = of->finish (dialog, result, NULL);
  if (file == NULL)
    return NULL;
  files = g_list_store_new (G_TYPE_FILE);
  g_list_store_append (files, file);
  return G_LIST_MODEL (files);
}

static void
finished (GObject *dialog, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GListModel) files = get_files (question->calls, GTK_FILE_DIALOG (dialog), result);

  question->answered (files, question->data);
  g_free (question);
}

void
sl_path_dialog_ask (
    const SlPathDialog *dialog, GtkFileFilter *filter, GFile *folder, SlPathAnswered answered, gpointer data)
{
  g_autoptr (GtkFileDialog) files = gtk_file_dialog_new ();
  Question *question = g_new (Question, 1);

  *question = (Question){ answered, data, &calls[dialog->wants] };
  gtk_file_dialog_set_title (files, dialog->title);
  if (folder)
    gtk_file_dialog_set_initial_folder (files, folder);
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
