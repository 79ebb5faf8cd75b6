/* sl-path-dialog.c - see sl-path-dialog.h. */
#include "ui/widgets/sl-path-dialog.h"

#include "ui/widgets/sl-path-dialog-ask.h"

typedef struct
{
  SlPathChosen chosen;          /* either this */
  SlPathsChosen several_chosen; /* or this */
  GWeakRef object;
  char *what;
  SlPathWanted wants;
  char *key; /* of the folder that is remembered */
} Question;

/* Where questions were answered last, by key, as long as the program runs. */
static GHashTable *folders;

/* Whatever is saved goes to where something was saved before; other questions have folders of their own. */
static const char *
key_of (const SlPathDialog *dialog)
{
  return dialog->wants == SL_PATH_SAVE ? "" : dialog->title;
}

static void
remember (const Question *question, const char *path)
{
  char *folder = question->wants == SL_PATH_FOLDER ? g_strdup (path) : g_path_get_dirname (path);

  if (folders == NULL)
    folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (folders, g_strdup (question->key), folder);
}

/* NULL: it was not asked yet, or the folder is gone. */
static GFile *
find_folder (const char *key)
{
  const char *folder = folders ? g_hash_table_lookup (folders, key) : NULL;

  return folder && g_file_test (folder, G_FILE_TEST_IS_DIR) ? g_file_new_for_path (folder) : NULL;
}

/* What is nowhere in the file system is left out. */
static GStrv
get_paths (GListModel *files)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  for (guint i = 0; files && i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (files, i);
      g_autofree char *path = g_file_get_path (file);

      if (path)
        g_strv_builder_add (paths, path);
    }
  return g_strv_builder_end (paths);
}

static void
answered (GListModel *files, gpointer data)
{
  Question *question = data;
  g_autoptr (GObject) object = g_weak_ref_get (&question->object);
  g_auto (GStrv) paths = get_paths (files);

  if (*paths)
    remember (question, *paths);
  if (object && *paths && question->several_chosen)
    question->several_chosen (object, (const char *const *)paths);
  else if (object && *paths)
    question->chosen (object, *paths, question->what);
  g_weak_ref_clear (&question->object);
  g_free (question->what);
  g_free (question->key);
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

static void
ask (const SlPathDialog *dialog, Question *question, GObject *object)
{
  g_autoptr (GtkFileFilter) filter = dialog->pattern ? make_filter (dialog) : NULL;
  g_autoptr (GFile) folder = find_folder (key_of (dialog));

  g_weak_ref_init (&question->object, object);
  question->wants = dialog->wants;
  question->key = g_strdup (key_of (dialog));
  sl_path_dialog_ask (dialog, filter, folder, answered, question);
}

void
sl_path_dialog_show (const SlPathDialog *dialog, SlPathChosen chosen, GObject *object, const char *what)
{
  Question *question = g_new0 (Question, 1);

  question->chosen = chosen;
  question->what = g_strdup (what);
  ask (dialog, question, object);
}

void
sl_path_dialog_show_several (const SlPathDialog *dialog, SlPathsChosen chosen, GObject *object)
{
  Question *question = g_new0 (Question, 1);

  question->several_chosen = chosen;
  ask (dialog, question, object);
}
