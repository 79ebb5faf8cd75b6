/* sl-path-dialog.c - see sl-path-dialog.h. */
#include "ui/widgets/sl-path-dialog.h"

#include "ui/widgets/sl-path-dialog-ask.h"

typedef struct
{
  SlPathChosen chosen;
  GWeakRef object;
  char *what;
} Question;

static void
answered (GFile *file, gpointer data)
{
  Question *question = data;
  g_autoptr (GObject) object = g_weak_ref_get (&question->object);
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  if (object && path)
    question->chosen (object, path, question->what);
  g_weak_ref_clear (&question->object);
  g_free (question->what);
  g_free (question);
}

static GtkFileFilter *
make_filter (const SlPathDialog *dialog)
{
  GtkFileFilter *filter = gtk_file_filter_new ();
  g_auto (GStrv) patterns = g_strsplit (dialog->pattern, " ", -1);

  gtk_file_filter_set_name (filter, dialog->filter_name);
  for (guint i = 0; patterns[i]; i++)
    gtk_file_filter_add_pattern (filter, patterns[i]);
  return filter;
}

void
sl_path_dialog_show (const SlPathDialog *dialog, SlPathChosen chosen, GObject *object, const char *what)
{
  g_autoptr (GtkFileFilter) filter = dialog->pattern ? make_filter (dialog) : NULL;
  Question *question = g_new (Question, 1);

  question->chosen = chosen;
  g_weak_ref_init (&question->object, object);
  question->what = g_strdup (what);
  sl_path_dialog_ask (dialog, filter, answered, question);
}
