/* sl-gallery.c - see sl-gallery.h. */
#include "app/sl-gallery.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/sl-reader.h"

#define INDEX_NAME ".safelight-index"

struct _SlGallery
{
  SlList parent_instance;
  SlLane *files;
  GListStore *pictures; /* the list's, newest first */
  GPtrArray *removed;   /* of SlPicture: undo is still possible */
  char *folder;
  guint serial; /* of the folder: late results of another are dropped */
  gboolean loaded;
};

G_DEFINE_FINAL_TYPE (SlGallery, sl_gallery, SL_TYPE_LIST)

enum
{
  LOADED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_gallery_finalize (GObject *object)
{
  SlGallery *self = SL_GALLERY (object);

  g_clear_pointer (&self->removed, g_ptr_array_unref);
  g_free (self->folder);
  G_OBJECT_CLASS (sl_gallery_parent_class)->finalize (object);
}

static void
sl_gallery_class_init (SlGalleryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_gallery_finalize;
  signals[LOADED]
      = g_signal_new ("loaded", SL_TYPE_GALLERY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_gallery_init (SlGallery *self)
{
  self->pictures = sl_list_init_items (SL_LIST (self), SL_TYPE_PICTURE);
  self->removed = g_ptr_array_new_with_free_func (g_object_unref);
}

SlGallery *
sl_gallery_new (SlLane *files)
{
  SlGallery *self = g_object_new (SL_TYPE_GALLERY, NULL);

  self->files = files;
  return self;
}

const char *
sl_gallery_get_folder (SlGallery *self)
{
  return self->folder;
}

gboolean
sl_gallery_is_loaded (SlGallery *self)
{
  return self->loaded;
}

guint
sl_gallery_find (SlGallery *self, const char *path)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self)); i++)
    {
      g_autoptr (SlPicture) picture = g_list_model_get_item (G_LIST_MODEL (self), i);

      if (g_str_equal (sl_picture_get_path (picture), path))
        return i;
    }
  return G_MAXUINT;
}

static int
newest_first (gconstpointer a, gconstpointer b, gpointer user_data)
{
  gint64 ta = sl_picture_get_time ((SlPicture *)a), tb = sl_picture_get_time ((SlPicture *)b);

  return ta > tb   ? -1
         : ta < tb ? 1
                   : g_strcmp0 (sl_picture_get_path ((SlPicture *)b), sl_picture_get_path ((SlPicture *)a));
}

/* ---- the index, on the file lane ---- */

typedef struct
{
  SlGallery *gallery;
  guint serial;
  char *folder;
  GPtrArray *pictures; /* of SlPicture: found, or one to append */
} IndexTask;

static void
index_task_free (gpointer data)
{
  IndexTask *task = data;

  g_object_unref (task->gallery);
  g_free (task->folder);
  g_ptr_array_unref (task->pictures);
  g_free (task);
}

static IndexTask *
index_task_new (SlGallery *self)
{
  IndexTask *task = g_new0 (IndexTask, 1);

  task->gallery = g_object_ref (self);
  task->serial = self->serial;
  task->folder = g_strdup (self->folder);
  task->pictures = g_ptr_array_new_with_free_func (g_object_unref);
  return task;
}

/* Appended with one write, after a line end if a crash left half a line. */
static void
append_lines (const char *folder, GPtrArray *pictures)
{
  g_autofree char *path = g_build_filename (folder, INDEX_NAME, NULL);
  g_autoptr (GString) lines = g_string_new ("");
  int fd = g_open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

  for (guint i = 0; i < pictures->len; i++)
    {
      SlPicture *picture = pictures->pdata[i];
      g_autofree char *name = g_path_get_basename (sl_picture_get_path (picture));
      cJSON *line = cJSON_CreateObject ();
      char *text;

      cJSON_AddStringToObject (line, "file", name);
      cJSON_AddStringToObject (line, "prompt", sl_picture_get_prompt (picture));
      cJSON_AddNumberToObject (line, "time", (double)sl_picture_get_time (picture));
      text = cJSON_PrintUnformatted (line);
      g_string_append_printf (lines, "\n%s\n", text);
      cJSON_free (text);
      cJSON_Delete (line);
    }
  /* The pictures are safe without the index: it will be made again from them. */
  if (fd >= 0 && write (fd, lines->str, lines->len) == (gssize)lines->len)
    fsync (fd);
  if (fd >= 0)
    close (fd);
}

/* File name -> SlPicture; bad lines are passed over. */
static GHashTable *
read_index (const char *folder)
{
  GHashTable *known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  g_autofree char *path = g_build_filename (folder, INDEX_NAME, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return known;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++)
    {
      cJSON *json = **line == '{' ? cJSON_Parse (*line) : NULL;
      const char *file = cJSON_GetStringValue (cJSON_GetObjectItem (json, "file"));
      const char *prompt = cJSON_GetStringValue (cJSON_GetObjectItem (json, "prompt"));
      const cJSON *time = cJSON_GetObjectItem (json, "time");

      if (file && !strchr (file, '/') && prompt && g_utf8_validate (prompt, -1, NULL) && cJSON_IsNumber (time)
          && ABS (time->valuedouble) < 1e18)
        {
          g_autofree char *full = g_build_filename (folder, file, NULL);

          g_hash_table_replace (known, g_strdup (file),
                                sl_picture_new (full, prompt, (gint64)time->valuedouble));
        }
      cJSON_Delete (json);
    }
  return known;
}

/* A picture that the index does not know; NULL when it is not one of ours. */
static SlPicture *
look_into (const char *path)
{
  g_autofree char *prompt = sl_reader_get_prompt (path);
  GStatBuf status;

  if (prompt == NULL || g_stat (path, &status) != 0)
    return NULL;
  return sl_picture_new (path, prompt, (gint64)status.st_mtime * G_USEC_PER_SEC);
}

static void
open_run (gpointer data)
{
  IndexTask *task = data;
  g_autoptr (GHashTable) known = read_index (task->folder);
  g_autoptr (GPtrArray) unknown = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GDir) dir = g_dir_open (task->folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (task->folder, name, NULL);
      SlPicture *picture = g_hash_table_lookup (known, name);

      if (*name == '.' || !g_str_has_suffix (name, ".png"))
        continue;
      if (picture)
        g_object_ref (picture);
      else if ((picture = look_into (path)))
        g_ptr_array_add (unknown, g_object_ref (picture));
      if (picture)
        g_ptr_array_add (task->pictures, picture);
    }
  if (unknown->len > 0)
    append_lines (task->folder, unknown);
}

static void
open_done (gpointer data)
{
  IndexTask *task = data;
  SlGallery *self = task->gallery;

  if (task->serial != self->serial)
    return;
  for (guint i = 0; i < task->pictures->len; i++)
    if (sl_gallery_find (self, sl_picture_get_path (task->pictures->pdata[i])) == G_MAXUINT)
      g_list_store_append (self->pictures, task->pictures->pdata[i]);
  g_list_store_sort (self->pictures, newest_first, NULL);
  self->loaded = TRUE;
  g_signal_emit (self, signals[LOADED], 0);
}

void
sl_gallery_open (SlGallery *self, const char *folder)
{
  sl_gallery_flush (self);
  g_list_store_remove_all (self->pictures);
  g_free (self->folder);
  self->folder = g_strdup (folder);
  self->serial++;
  self->loaded = FALSE;
  sl_lane_push (self->files, FALSE, open_run, open_done, index_task_new (self), index_task_free);
}

static void
append_run (gpointer data)
{
  IndexTask *task = data;

  append_lines (task->folder, task->pictures);
}

SlPicture *
sl_gallery_add (SlGallery *self, const char *path, const char *prompt)
{
  g_autoptr (SlPicture) picture = sl_picture_new (path, prompt, g_get_real_time ());
  IndexTask *task = index_task_new (self);

  g_ptr_array_add (task->pictures, g_object_ref (picture));
  sl_lane_push (self->files, FALSE, append_run, NULL, task, index_task_free);
  g_list_store_insert (self->pictures, 0, picture);
  return picture; /* borrowed: the list holds it */
}

/* ---- removing ---- */

void
sl_gallery_remove (SlGallery *self, SlPicture *picture)
{
  guint position;

  if (!g_list_store_find (self->pictures, picture, &position))
    return;
  g_ptr_array_add (self->removed, g_object_ref (picture));
  g_list_store_remove (self->pictures, position);
}

void
sl_gallery_undo_removal (SlGallery *self, SlPicture *picture)
{
  g_autoptr (SlPicture) kept = g_object_ref (picture);

  if (g_ptr_array_remove (self->removed, picture))
    g_list_store_insert_sorted (self->pictures, kept, newest_first, NULL);
}

static void
trash_run (gpointer data)
{
  IndexTask *task = data;

  for (guint i = 0; i < task->pictures->len; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_path (sl_picture_get_path (task->pictures->pdata[i]));

      if (!g_file_trash (file, NULL, NULL))
        g_file_delete (file, NULL, NULL);
    }
}

void
sl_gallery_commit_removal (SlGallery *self, SlPicture *picture)
{
  IndexTask *task;

  if (!g_ptr_array_find (self->removed, picture, NULL))
    return;
  task = index_task_new (self);
  g_ptr_array_add (task->pictures, g_object_ref (picture));
  g_ptr_array_remove (self->removed, picture);
  sl_lane_push (self->files, FALSE, trash_run, NULL, task, index_task_free);
}

void
sl_gallery_flush (SlGallery *self)
{
  while (self->removed->len > 0)
    sl_gallery_commit_removal (self, self->removed->pdata[0]);
}
