/* sl-gallery.c - see sl-gallery.h. */
#include "app/objects/gallery/sl-gallery.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/objects/gallery/sl-gallery-tree.h"
#include "app/objects/gallery/sl-reader-private.h"

#define INDEX_NAME ".safelight-index"

struct _SlGallery
{
  SlList parent_instance;
  SlThreadQueue *files;
  GListStore *pictures; /* the list's, family by family */
  GPtrArray *removed;   /* of SlPicture: undo is still possible */
  char *folder;
  guint serial; /* of the folder: late results of another are dropped */
  gboolean loaded;
};

G_DEFINE_FINAL_TYPE (SlGallery, sl_gallery, SL_TYPE_LIST)

enum
{
  LOADED,
  ARRANGED,
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
  static const char *const names[N_SIGNALS] = { "loaded", "arranged" };

  G_OBJECT_CLASS (klass)->finalize = sl_gallery_finalize;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i]
        = g_signal_new (names[i], SL_TYPE_GALLERY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_gallery_init (SlGallery *self)
{
  self->pictures = sl_list_init_items (SL_LIST (self), SL_TYPE_PICTURE);
  self->removed = g_ptr_array_new_with_free_func (g_object_unref);
}

SlGallery *
sl_gallery_new (SlThreadQueue *files)
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

/* ---- the order ---- */

static GPtrArray *
get_pictures (SlGallery *self)
{
  GPtrArray *pictures = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self));

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (pictures, g_list_model_get_item (G_LIST_MODEL (self), i));
  return pictures;
}

/* Makes the list these pictures in the order of their families; what stays where it is is not touched. */
static void
arrange (SlGallery *self, GPtrArray *pictures)
{
  g_autoptr (GPtrArray) before = get_pictures (self);
  g_autoptr (GPtrArray) after = _sl_gallery_tree_sort (pictures);
  guint start = 0, end = 0;

  while (start < MIN (before->len, after->len) && before->pdata[start] == after->pdata[start])
    start++;
  while (end < MIN (before->len, after->len) - start
         && before->pdata[before->len - 1 - end] == after->pdata[after->len - 1 - end])
    end++;
  if (start + end < MAX (before->len, after->len))
    g_list_store_splice (self->pictures, start, before->len - start - end, &after->pdata[start],
                         after->len - start - end);
  g_signal_emit (self, signals[ARRANGED], 0);
}

static void
arrange_with (SlGallery *self, SlPicture *picture)
{
  g_autoptr (GPtrArray) pictures = get_pictures (self);

  if (picture)
    g_ptr_array_add (pictures, g_object_ref (picture));
  arrange (self, pictures);
}

/* ---- the index, on the file thread ---- */

typedef struct
{
  SlGallery *gallery;
  guint serial;
  char *folder;
  GPtrArray *pictures; /* of SlPicture: found, or one to append; the file thread's until it is done */
  SlPicture *added;    /* the list's, of which the one to append is a twin */
} IndexTask;

static void
index_task_free (gpointer data)
{
  IndexTask *task = data;

  g_object_unref (task->gallery);
  g_free (task->folder);
  g_ptr_array_unref (task->pictures);
  g_clear_object (&task->added);
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
      const SlLineage *lineage = _sl_picture_get_lineage (picture);
      char *text;

      cJSON_AddStringToObject (line, "file", name);
      cJSON_AddStringToObject (line, "prompt", sl_picture_get_prompt (picture));
      cJSON_AddNumberToObject (line, "time", (double)sl_picture_get_time (picture));
      if (lineage)
        _sl_lineage_write (lineage, line);
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
          SlPicture *picture = sl_picture_new (full, prompt, (gint64)time->valuedouble);

          _sl_picture_take_lineage (picture, _sl_lineage_read (json));
          g_hash_table_replace (known, g_strdup (file), picture);
        }
      cJSON_Delete (json);
    }
  return known;
}

/* A picture that the index does not know; NULL when it is not one of ours. */
static SlPicture *
look_into (const char *path)
{
  g_autofree char *prompt = NULL;
  SlLineage *lineage = NULL;
  SlPicture *picture;
  GStatBuf status;

  if (g_stat (path, &status) != 0 || !_sl_reader_describe (path, &prompt, &lineage))
    return NULL;
  picture = sl_picture_new (path, prompt, (gint64)status.st_mtime * G_USEC_PER_SEC);
  _sl_picture_take_lineage (picture, lineage);
  return picture;
}

/* What the index does not say of a picture: it is of an older version, or the picture is new. */
static gboolean
find_lineage (SlPicture *picture)
{
  SlLineage *lineage = NULL;

  if (_sl_picture_get_lineage (picture)
      || !_sl_reader_describe (sl_picture_get_path (picture), NULL, &lineage))
    return FALSE;
  _sl_picture_take_lineage (picture, lineage);
  return TRUE;
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
      if (picture ? find_lineage (g_object_ref (picture)) : (picture = look_into (path)) != NULL)
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
  g_autoptr (GPtrArray) pictures = NULL;

  if (task->serial != self->serial)
    return;
  pictures = get_pictures (self);
  for (guint i = 0; i < task->pictures->len; i++)
    if (sl_gallery_find (self, sl_picture_get_path (task->pictures->pdata[i])) == G_MAXUINT)
      g_ptr_array_add (pictures, g_object_ref (task->pictures->pdata[i]));
  arrange (self, pictures);
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
  sl_thread_queue_push (self->files, FALSE, open_run, open_done, index_task_new (self), index_task_free);
}

static void
append_run (gpointer data)
{
  IndexTask *task = data;

  find_lineage (task->pictures->pdata[0]);
  append_lines (task->folder, task->pictures);
}

/* Now its family is known. */
static void
append_done (gpointer data)
{
  IndexTask *task = data;

  _sl_picture_take_lineage (task->added, _sl_picture_steal_lineage (task->pictures->pdata[0]));
  arrange_with (task->gallery, NULL);
}

SlPicture *
sl_gallery_add (SlGallery *self, const char *path, const char *prompt)
{
  gint64 now = g_get_real_time ();
  g_autoptr (SlPicture) picture = sl_picture_new (path, prompt, now);
  IndexTask *task = index_task_new (self);

  g_ptr_array_add (task->pictures, sl_picture_new (path, prompt, now));
  task->added = g_object_ref (picture);
  sl_thread_queue_push (self->files, FALSE, append_run, append_done, task, index_task_free);
  arrange_with (self, picture);
  return picture; /* borrowed: the list holds it */
}

/* ---- removing ---- */

void
sl_gallery_remove (SlGallery *self, SlPicture *picture)
{
  g_autoptr (GPtrArray) pictures = get_pictures (self);
  const SlPicturePlace alone = { .members = 1 };

  if (!g_ptr_array_find (pictures, picture, NULL))
    return;
  g_ptr_array_add (self->removed, g_object_ref (picture));
  g_ptr_array_remove (pictures, picture);
  arrange (self, pictures);
  _sl_picture_set_place (picture, NULL, &alone);
}

void
sl_gallery_undo_removal (SlGallery *self, SlPicture *picture)
{
  g_autoptr (SlPicture) kept = g_object_ref (picture);

  if (g_ptr_array_remove (self->removed, picture))
    arrange_with (self, kept);
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
  sl_thread_queue_push (self->files, FALSE, trash_run, NULL, task, index_task_free);
}

void
sl_gallery_flush (SlGallery *self)
{
  while (self->removed->len > 0)
    sl_gallery_commit_removal (self, self->removed->pdata[0]);
}
