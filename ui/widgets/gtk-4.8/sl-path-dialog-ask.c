/* sl-path-dialog-ask.c - see sl-path-dialog-ask.h; for GTK 4.8. */
#include "ui/widgets/sl-path-dialog-ask.h"

typedef struct
{
  SlPathAnswered answered;
  gpointer data;
} Question;

static void
response (GtkNativeDialog *dialog, int id, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GListModel) files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));

  question->answered (id == GTK_RESPONSE_ACCEPT ? files : NULL, question->data);
  g_free (question);
  g_object_unref (dialog);
}

void
sl_path_dialog_ask (
    const SlPathDialog *dialog, GtkFileFilter *filter, GFile *folder, SlPathAnswered answered, gpointer data)
{
  GtkFileChooserNative *native
      = gtk_file_chooser_native_new (dialog->title, GTK_WINDOW (gtk_widget_get_root (dialog->from)),
                                     dialog->wants == SL_PATH_SAVE     ? GTK_FILE_CHOOSER_ACTION_SAVE
                                     : dialog->wants == SL_PATH_FOLDER ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER
                                                                       : GTK_FILE_CHOOSER_ACTION_OPEN,
                                     NULL, NULL);
  Question *question = g_new (Question, 1);

  *question = (Question){ answered, data };
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (native), dialog->wants == SL_PATH_OPEN_SEVERAL);
  if (filter)
    gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (native), filter);
  if (folder)
    gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (native), folder, NULL);
  if (dialog->name)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (native), dialog->name);
  g_signal_connect (native, "response", G_CALLBACK (response), question);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (native), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (native));
}
