/* sl-picture-copy.c - see sl-picture-copy.h. */
#include "app/objects/gallery/sl-picture-copy.h"

#include <stdlib.h>

#include "app/files/files.h"
#include "app/objects/gallery/sl-picture.h"
#include "app/objects/sl-error.h"
#include "engine/engine.h"

#define MAX_BYTES ((gsize)1 << 30)
#define MAX_NUMBER 10000
#define MAX_TRIES 20

typedef struct
{
  GPtrArray *paths; /* of char * */
  char *folder;
  guint count;
  GError *error;
  SlPicturesCopied copied;
  gpointer user_data;
} Copying;

static void
copying_free (gpointer data)
{
  Copying *copying = data;

  g_ptr_array_unref (copying->paths);
  g_free (copying->folder);
  g_clear_error (&copying->error);
  g_free (copying);
}

/* "name.png", or the first "name (2).png" that is not there; the last one where all are. */
static char *
free_path (const char *folder, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  char *end = g_strrstr (name, ".");
  g_autofree char *suffix = g_strdup (end ? end : "");
  char *to = g_build_filename (folder, name, NULL);

  if (end)
    *end = '\0';
  for (int i = 2; i < MAX_NUMBER && sl_is_taken (to); i++)
    {
      g_autofree char *numbered = g_strdup_printf ("%s (%d)%s", name, i, suffix);

      g_free (to);
      to = g_build_filename (folder, numbered, NULL);
    }
  return to;
}

static gboolean
copy_one (const char *path, const char *folder, SlError *err)
{
  size_t bytes = 0;
  uint8_t *data = sl_read_file (path, MAX_BYTES, &bytes, err);
  gboolean ok = FALSE, taken = data != NULL;

  /* Another process may take the name that was free. */
  for (int tries = 0; !ok && taken && tries < MAX_TRIES; tries++)
    {
      g_autofree char *to = free_path (folder, path);

      ok = sl_write_new_file (to, data, bytes, err);
      taken = sl_is_taken (to);
    }
  free (data);
  return ok;
}

static void
copy_run (gpointer data)
{
  Copying *copying = data;
  SlError err = { 0 };

  g_mkdir_with_parents (copying->folder, 0755);
  for (guint i = 0; i < copying->paths->len; i++)
    {
      if (!copy_one (copying->paths->pdata[i], copying->folder, &err))
        {
          copying->error = sl_app_error_new (&err);
          return;
        }
      copying->count++;
    }
}

static void
copy_done (gpointer data)
{
  Copying *copying = data;

  copying->copied (copying->count, copying->error, copying->user_data);
}

void
sl_pictures_copy (SlThreadQueue *files,
                  GPtrArray *pictures,
                  const char *folder,
                  SlPicturesCopied copied,
                  gpointer user_data)
{
  Copying *copying = g_new0 (Copying, 1);

  copying->paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < pictures->len; i++)
    g_ptr_array_add (copying->paths, g_strdup (sl_picture_get_path (pictures->pdata[i])));
  copying->folder = g_strdup (folder);
  copying->copied = copied;
  copying->user_data = user_data;
  sl_thread_queue_push (files, FALSE, copy_run, copy_done, copying, copying_free);
}
