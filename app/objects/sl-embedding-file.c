/* sl-embedding-file.c - see sl-embedding-file.h. */
#include "app/objects/sl-embedding-file.h"

#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "engine/engine.h"

typedef struct
{
  char *path;
  gboolean is_embedding;
  char *use;
  char *word;
  GError *error;
  SlEmbeddingAnswered answered;
  gpointer user_data;
} Looking;

static void
looking_free (gpointer data)
{
  Looking *looking = data;

  g_free (looking->path);
  g_free (looking->use);
  g_free (looking->word);
  g_clear_error (&looking->error);
  g_free (looking);
}

/* The one in the file, or else the file's name. */
static char *
dup_word (const char *path)
{
  SlError ignored = { 0 };
  SlEmbeddingFile *file = sl_embedding_open (path, &ignored);
  const SlEmbedding *first = file ? sl_embedding_get (file, 0) : NULL;
  char *word = first && first->named && first->word ? g_strdup (first->word) : g_path_get_basename (path);
  char *ending = first && first->named ? NULL : strrchr (word, '.');

  if (ending)
    *ending = '\0';
  sl_embedding_close (file);
  return word;
}

static void
look_run (gpointer data)
{
  Looking *looking = data;
  SlError err = { 0 };

  looking->is_embedding = sl_embedding_recognise (looking->path, NULL);
  if (!looking->is_embedding)
    return;
  looking->use = g_strdup (sl_embedding_text (looking->path, &err));
  if (looking->use)
    looking->word = dup_word (looking->path);
  else
    looking->error = sl_app_error_new (&err);
}

static void
look_done (gpointer data)
{
  Looking *looking = data;
  const SlEmbeddingAnswer answer = { looking->is_embedding, looking->use, looking->word, looking->error };

  looking->answered (&answer, looking->user_data);
}

void
sl_embedding_file_look (SlThreadQueue *files,
                        const char *path,
                        SlEmbeddingAnswered answered,
                        gpointer user_data)
{
  Looking *looking = g_new0 (Looking, 1);

  looking->path = g_strdup (path);
  looking->answered = answered;
  looking->user_data = user_data;
  sl_thread_queue_push (files, TRUE, look_run, look_done, looking, looking_free);
}
