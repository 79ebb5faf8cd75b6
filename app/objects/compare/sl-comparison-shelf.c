/* sl-comparison-shelf.c - see sl-comparison-shelf.h.
 *
 * A record knows which moments of which runs its file has. Easy to get wrong: a lane is the same lane with another run
 * after a start, and a run is the same run in another lane after an undo; so it goes by the runs, which have a number
 * each, and not by the lanes.
 *
 * An open file is locked (flock, shared), so that another program that tidies up finds it taken.
 */
#include "app/objects/compare/sl-comparison-shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/files/files.h"
#include "app/objects/compare/sl-comparison-file.h"
#include "app/objects/compare/sl-comparison-image-private.h"
#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/compare/sl-kept-comparison-private.h"

#define REST_MS 600 /* a comparison that rests for so long is written */
#define NUMBER_KEY "sl-shelf-number"

/* A file and what is in it, or will be. */
typedef struct
{
  gatomicrefcount refs;
  char *name;    /* in the folder; of a file from elsewhere NULL: it is never written */
  GArray *parts; /* of Part */
  gint newest;   /* the number of the image that was made last; atomic */
} Record;

/* So many moments of a run. */
typedef struct
{
  guint run;
  guint moments;
} Part;

struct _SlComparisonShelf
{
  SlList parent_instance;
  SlComparison *comparison;
  SlKeeper *keeper;
  SlThreadQueue *files;
  GListStore *kept;   /* the list's */
  GPtrArray *records; /* of Record: of this time */
  char *folder;
  guint max_files;
  guint64 max_bytes;
  guint runs;   /* how many have a number */
  guint rest;   /* timeout */
  int lock;     /* of the open file; -1: none */
  char *locked; /* its path */
  gboolean asleep;
};

G_DEFINE_FINAL_TYPE (SlComparisonShelf, sl_comparison_shelf, SL_TYPE_LIST)

/* ---- records ---- */

static Record *
record_new (const char *name)
{
  Record *record = g_new0 (Record, 1);

  g_atomic_ref_count_init (&record->refs);
  record->name = g_strdup (name);
  record->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  return record;
}

static Record *
record_ref (Record *record)
{
  g_atomic_ref_count_inc (&record->refs);
  return record;
}

static void
record_unref (gpointer data)
{
  Record *record = data;

  if (!g_atomic_ref_count_dec (&record->refs))
    return;
  g_free (record->name);
  g_array_unref (record->parts);
  g_free (record);
}

static guint
number_of (SlComparisonShelf *self, SlJob *job)
{
  guint number = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (job), NUMBER_KEY));

  if (number == 0)
    {
      number = ++self->runs;
      g_object_set_data (G_OBJECT (job), NUMBER_KEY, GUINT_TO_POINTER (number));
    }
  return number;
}

/* Of the comparison as it is. A lane without a moment of its own is nothing to keep. */
static GArray *
list_parts (SlComparisonShelf *self)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (Part));

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->comparison)); i++)
    {
      SlJob *job = sl_comparison_get_job (self->comparison, i);
      Part part = { 0, _sl_comparison_count_frames (job) };

      if (job == NULL || part.moments <= sl_job_get_branch_point (job))
        continue;
      part.run = number_of (self, job);
      g_array_append_val (parts, part);
    }
  return parts;
}

static guint
find_moments (GArray *parts, guint run)
{
  for (guint i = 0; i < parts->len; i++)
    if (g_array_index (parts, Part, i).run == run)
      return g_array_index (parts, Part, i).moments;
  return 0;
}

/* Whether all of a is in b. */
static gboolean
is_within (GArray *a, GArray *b)
{
  for (guint i = 0; i < a->len; i++)
    if (find_moments (b, g_array_index (a, Part, i).run) < g_array_index (a, Part, i).moments)
      return FALSE;
  return TRUE;
}

/* "2026-11-29 22.41.05.safelight", counted up when it is taken. */
static char *
new_name (SlComparisonShelf *self)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *stamp = g_date_time_format (now, "%Y-%m-%d %H.%M.%S");

  for (guint n = 1;; n++)
    {
      g_autofree char *name = n > 1 ? g_strdup_printf ("%s (%u)%s", stamp, n, SL_COMPARISON_SUFFIX)
                                    : g_strconcat (stamp, SL_COMPARISON_SUFFIX, NULL);
      g_autofree char *path = g_build_filename (self->folder, name, NULL);
      gboolean taken = g_file_test (path, G_FILE_TEST_EXISTS);

      for (guint i = 0; i < self->records->len && !taken; i++)
        taken = g_strcmp0 (((Record *)self->records->pdata[i])->name, name) == 0;
      if (!taken)
        return g_steal_pointer (&name);
    }
}

/* The one whose file can be written over with these; a new one where there is none. The one that was made last is
 * looked at first. */
static Record *
choose_record (SlComparisonShelf *self, GArray *parts)
{
  g_autofree char *name = NULL;
  Record *record;

  for (guint i = self->records->len; i > 0; i--)
    {
      record = self->records->pdata[i - 1];
      if (record->name && is_within (record->parts, parts))
        return record;
    }
  name = new_name (self);
  record = record_new (name);
  g_ptr_array_add (self->records, record);
  return record;
}

static gboolean
is_kept_already (SlComparisonShelf *self, GArray *parts)
{
  for (guint i = 0; i < self->records->len; i++)
    if (is_within (parts, ((Record *)self->records->pdata[i])->parts))
      return TRUE;
  return FALSE;
}

/* ---- the open file ---- */

static void
unlock (SlComparisonShelf *self)
{
  if (self->lock >= 0)
    close (self->lock);
  self->lock = -1;
  g_clear_pointer (&self->locked, g_free);
}

static void
lock (SlComparisonShelf *self, const char *path)
{
  unlock (self);
  self->lock = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (self->lock >= 0)
    flock (self->lock, LOCK_SH | LOCK_NB);
  self->locked = g_strdup (path);
}

/* ---- room, on the file thread ---- */

typedef struct
{
  char *path;
  gint64 time; /* nanoseconds */
  guint64 bytes;
} Found;

static void
found_clear (gpointer data)
{
  g_free (((Found *)data)->path);
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const Found *)a)->time, y = ((const Found *)b)->time;

  return x < y ? 1 : x > y ? -1 : g_strcmp0 (((const Found *)b)->path, ((const Found *)a)->path);
}

/* The files of the folder, of Found. */
static GArray *
list_folder (const char *folder)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Found));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  g_array_set_clear_func (found, found_clear);
  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      struct stat status;
      Found file;

      if (*name == '.' || !g_str_has_suffix (name, SL_COMPARISON_SUFFIX) || lstat (path, &status) != 0
          || !S_ISREG (status.st_mode))
        continue;
      file = (Found){ g_steal_pointer (&path),
                      status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + status.st_mtim.tv_nsec,
                      (guint64)status.st_size };
      g_array_append_val (found, file);
    }
  g_array_sort (found, newest_first);
  return found;
}

/* FALSE for one that is open somewhere. */
static gboolean
remove_file (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  gboolean is_open = fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  gboolean removed = !is_open && g_unlink (path) == 0;

  if (fd >= 0)
    close (fd);
  return removed;
}

/* Removes what is too much, the oldest first; never the newest, which is the last that somebody had. Adds the paths to
 * removed. */
static void
make_room (const char *folder, guint max_files, guint64 max_bytes, GPtrArray *removed)
{
  g_autoptr (GArray) found = list_folder (folder);
  guint files = found->len;
  guint64 bytes = 0;

  for (guint i = 0; i < found->len; i++)
    bytes += g_array_index (found, Found, i).bytes;
  for (guint i = found->len; i > 1 && (files > max_files || bytes > max_bytes); i--)
    {
      const Found *file = &g_array_index (found, Found, i - 1);

      if (!remove_file (file->path))
        continue;
      files--;
      bytes -= file->bytes;
      g_ptr_array_add (removed, g_strdup (file->path));
    }
}

/* ---- the list ---- */

static int
compare_time (gconstpointer a, gconstpointer b, gpointer user_data)
{
  gint64 x = sl_kept_comparison_get_time ((SlKeptComparison *)a);
  gint64 y = sl_kept_comparison_get_time ((SlKeptComparison *)b);

  return x < y ? 1 : x > y ? -1 : 0;
}

static void
drop (SlComparisonShelf *self, const char *path)
{
  for (guint i = g_list_model_get_n_items (G_LIST_MODEL (self->kept)); i > 0; i--)
    {
      g_autoptr (SlKeptComparison) kept = g_list_model_get_item (G_LIST_MODEL (self->kept), i - 1);

      if (g_str_equal (sl_kept_comparison_get_path (kept), path))
        g_list_store_remove (self->kept, i - 1);
    }
}

static void
show (SlComparisonShelf *self, SlKeptComparison *kept)
{
  drop (self, sl_kept_comparison_get_path (kept));
  g_list_store_insert_sorted (self->kept, kept, compare_time, NULL);
}

/* ---- writing ---- */

typedef struct
{
  SlComparisonShelf *shelf;
  SlComparisonImage *image;
  Record *record;
  gint number;  /* of the record's images */
  char *folder; /* the shelf's */
  char *path;   /* once it is written */
  guint max_files;
  guint64 max_bytes;
  SlKeptComparison *kept;
  GPtrArray *removed; /* of char * */
} Shelving;

static void
shelving_free (gpointer data)
{
  Shelving *shelving = data;

  _sl_comparison_image_free (shelving->image);
  record_unref (shelving->record);
  g_clear_object (&shelving->kept);
  g_ptr_array_unref (shelving->removed);
  g_free (shelving->folder);
  g_free (shelving->path);
  g_object_unref (shelving->shelf);
  g_free (shelving);
}

/* What is older than what is written, or about to be, is not written over it. */
static gboolean
write_image (gpointer data, const char *folder, GError **error)
{
  Shelving *shelving = data;

  if (g_atomic_int_get (&shelving->record->newest) != shelving->number)
    return TRUE;
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
                   sl_words ("The folder %s could not be made: %s"), sl_show_path (folder).text,
                   g_strerror (errno));
      return FALSE;
    }
  g_free (shelving->path);
  shelving->path = g_build_filename (folder, shelving->record->name, NULL);
  if (!_sl_comparison_image_write (shelving->image, shelving->path, error))
    {
      g_clear_pointer (&shelving->path, g_free);
      return FALSE;
    }
  shelving->kept = _sl_kept_comparison_read (shelving->path);
  make_room (shelving->folder, shelving->max_files, shelving->max_bytes, shelving->removed);
  return TRUE;
}

/* Its file is gone. */
static void
forget (SlComparisonShelf *self, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  drop (self, path);
  for (guint i = self->records->len; i > 0; i--)
    if (g_strcmp0 (((Record *)self->records->pdata[i - 1])->name, name) == 0)
      g_ptr_array_remove_index (self->records, i - 1);
}

static void
image_written (gpointer data)
{
  Shelving *shelving = data;
  SlComparisonShelf *self = shelving->shelf;
  g_autoptr (GArray) parts = list_parts (self);

  for (guint i = 0; i < shelving->removed->len; i++)
    forget (self, shelving->removed->pdata[i]);
  if (shelving->kept)
    show (self, shelving->kept);
  if (shelving->path && parts->len > 0 && is_within (parts, shelving->record->parts))
    lock (self, shelving->path);
}

void
sl_comparison_shelf_keep (SlComparisonShelf *self)
{
  static const SlKeptClass images = { SL_KEEP_COMPARISON, write_image, image_written, shelving_free };
  g_autoptr (GArray) parts = NULL;
  SlComparisonImage *image;
  Shelving *shelving;

  g_clear_handle_id (&self->rest, g_source_remove);
  if (self->files == NULL || self->folder == NULL || self->asleep)
    return;
  parts = list_parts (self);
  if (parts->len == 0 || is_kept_already (self, parts))
    return;
  image = _sl_comparison_image_new (self->comparison);
  if (image == NULL)
    return;
  shelving = g_new0 (Shelving, 1);
  shelving->shelf = g_object_ref (self);
  shelving->image = image;
  shelving->record = record_ref (choose_record (self, parts));
  shelving->number = g_atomic_int_add (&shelving->record->newest, 1) + 1;
  shelving->folder = g_strdup (self->folder);
  shelving->max_files = self->max_files;
  shelving->max_bytes = self->max_bytes;
  shelving->removed = g_ptr_array_new_with_free_func (g_free);
  g_array_unref (shelving->record->parts);
  shelving->record->parts = g_steal_pointer (&parts);
  sl_keeper_keep (self->keeper, &images, shelving);
}

/* ---- when ---- */

static gboolean
rested (gpointer data)
{
  SlComparisonShelf *self = data;

  self->rest = 0;
  if (!sl_comparison_is_busy (self->comparison))
    sl_comparison_shelf_keep (self);
  return G_SOURCE_REMOVE;
}

static void
state_changed (SlComparisonShelf *self)
{
  g_clear_handle_id (&self->rest, g_source_remove);
  if (self->files && !sl_comparison_is_busy (self->comparison))
    self->rest = g_timeout_add (REST_MS, rested, self);
}

static void
lanes_changed (SlComparisonShelf *self)
{
  if (g_list_model_get_n_items (G_LIST_MODEL (self->comparison)) == 0)
    unlock (self);
}

void
sl_comparison_shelf_set_asleep (SlComparisonShelf *self, gboolean asleep)
{
  if (asleep)
    sl_comparison_shelf_keep (self);
  self->asleep = asleep;
}

/* A file from elsewhere is the person's: what is new in it goes into one of the shelf's. */
void
sl_comparison_shelf_took (SlComparisonShelf *self, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  gboolean ours = g_strcmp0 (folder, self->folder) == 0;
  Record *record = record_new (ours ? name : NULL);

  g_array_unref (record->parts);
  record->parts = list_parts (self);
  g_ptr_array_add (self->records, record);
  if (ours)
    lock (self, path);
  else
    unlock (self);
}

/* ---- opening and removing ---- */

typedef struct
{
  SlComparisonShelf *shelf;
  char *folder;
  GPtrArray *kept; /* of SlKeptComparison */
} Opening;

static void
opening_free (gpointer data)
{
  Opening *opening = data;

  g_object_unref (opening->shelf);
  g_free (opening->folder);
  g_ptr_array_unref (opening->kept);
  g_free (opening);
}

static void
open_run (gpointer data)
{
  Opening *opening = data;
  g_autoptr (GArray) found = list_folder (opening->folder);

  for (guint i = 0; i < found->len; i++)
    {
      SlKeptComparison *kept = _sl_kept_comparison_read (g_array_index (found, Found, i).path);

      if (kept)
        g_ptr_array_add (opening->kept, kept);
    }
}

static void
open_done (gpointer data)
{
  Opening *opening = data;
  SlComparisonShelf *self = opening->shelf;

  if (g_strcmp0 (opening->folder, self->folder) != 0)
    return;
  for (guint i = 0; i < opening->kept->len; i++)
    show (self, opening->kept->pdata[i]);
}

void
sl_comparison_shelf_open (SlComparisonShelf *self, const char *folder)
{
  Opening *opening = g_new0 (Opening, 1);

  g_free (self->folder);
  self->folder = g_strdup (folder);
  g_list_store_remove_all (self->kept);
  g_ptr_array_set_size (self->records, 0);
  unlock (self);
  sl_keeper_set_folder (self->keeper, SL_KEEP_COMPARISON, folder);
  opening->shelf = g_object_ref (self);
  opening->folder = g_strdup (folder);
  opening->kept = g_ptr_array_new_with_free_func (g_object_unref);
  sl_thread_queue_push (self->files, FALSE, open_run, open_done, opening, opening_free);
}

void
sl_comparison_shelf_set_bounds (SlComparisonShelf *self, guint files, guint64 bytes)
{
  self->max_files = files;
  self->max_bytes = bytes;
}

static void
remove_run (gpointer path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);

  if (!g_file_trash (file, NULL, NULL))
    g_file_delete (file, NULL, NULL);
}

void
sl_comparison_shelf_remove (SlComparisonShelf *self, SlKeptComparison *kept)
{
  char *path = g_strdup (sl_kept_comparison_get_path (kept));

  if (self->files == NULL)
    {
      g_free (path);
      return;
    }
  drop (self, path);
  sl_thread_queue_push (self->files, FALSE, remove_run, NULL, path, g_free);
}

void
sl_comparison_shelf_close (SlComparisonShelf *self)
{
  g_clear_handle_id (&self->rest, g_source_remove);
  self->files = NULL;
}

/* ---- class ---- */

static void
sl_comparison_shelf_finalize (GObject *object)
{
  SlComparisonShelf *self = SL_COMPARISON_SHELF (object);

  g_clear_handle_id (&self->rest, g_source_remove);
  unlock (self);
  g_ptr_array_unref (self->records);
  g_clear_object (&self->comparison);
  g_clear_object (&self->keeper);
  g_free (self->folder);
  G_OBJECT_CLASS (sl_comparison_shelf_parent_class)->finalize (object);
}

static void
sl_comparison_shelf_class_init (SlComparisonShelfClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_comparison_shelf_finalize;
}

static void
sl_comparison_shelf_init (SlComparisonShelf *self)
{
  self->kept = sl_list_init_items (SL_LIST (self), SL_TYPE_KEPT_COMPARISON);
  self->records = g_ptr_array_new_with_free_func (record_unref);
  self->max_files = SL_SHELF_MAX_FILES;
  self->max_bytes = SL_SHELF_MAX_BYTES;
  self->lock = -1;
}

SlComparisonShelf *
sl_comparison_shelf_new (SlComparison *comparison, SlKeeper *keeper, SlThreadQueue *files)
{
  SlComparisonShelf *self = g_object_new (SL_TYPE_COMPARISON_SHELF, NULL);

  self->comparison = g_object_ref (comparison);
  self->keeper = g_object_ref (keeper);
  self->files = files;
  g_signal_connect_object (comparison, "leaves", G_CALLBACK (sl_comparison_shelf_keep), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (comparison, "state", G_CALLBACK (state_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (comparison, "items-changed", G_CALLBACK (lanes_changed), self, G_CONNECT_SWAPPED);
  return self;
}
