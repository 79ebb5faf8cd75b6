/* sl-gallery.c - see sl-gallery.h. */
#include "app/objects/gallery/sl-gallery.h"

#include <sys/stat.h>

#include "app/objects/gallery/sl-favourites.h"
#include "app/objects/gallery/sl-gallery-index.h"
#include "app/objects/gallery/sl-gallery-tree.h"
#include "app/objects/gallery/sl-reader-private.h"
#include "app/objects/sl-folder.h"

struct _SlGallery
{
  SlList parent_instance;
  SlThreadQueue *files;
  GListStore *pictures; /* the list's, family by family */
  GPtrArray *removed;   /* of SlPicture: undo is still possible */
  char *folder;
  guint serial;     /* of the folder: late results of another are dropped */
  guint changes;    /* of the list: what was found in the folder before one is late, too */
  gboolean looking; /* a look at the folder for what others changed is on its way */
  char *unread;     /* why the folder could not be read to its end, as it was said; NULL: it could */
};

G_DEFINE_FINAL_TYPE (SlGallery, sl_gallery, SL_TYPE_LIST)

enum
{
  LOADED,
  ARRANGED,
  FAVOURITES_DAMAGED,
  FAVOURITES_UNSAVED,
  UNREAD,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_gallery_finalize (GObject *object)
{
  SlGallery *self = SL_GALLERY (object);

  g_clear_pointer (&self->removed, g_ptr_array_unref);
  g_free (self->folder);
  g_free (self->unread);
  G_OBJECT_CLASS (sl_gallery_parent_class)->finalize (object);
}

static void
sl_gallery_class_init (SlGalleryClass *klass)
{
  static const struct
  {
    const char *name;
    guint values;
  } infos[N_SIGNALS] = { { "loaded", 0 },
                         { "arranged", 0 },
                         { "favourites-damaged", 2 },
                         { "favourites-unsaved", 1 },
                         { "unread", 1 } };

  G_OBJECT_CLASS (klass)->finalize = sl_gallery_finalize;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (infos[i].name, SL_TYPE_GALLERY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, infos[i].values, G_TYPE_STRING, G_TYPE_UINT);
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
  guint changes;
  char *folder;
  GPtrArray *pictures; /* of SlPicture: found, or to remove; the file thread's until it is done */
  GHashTable *names;   /* of all files found; NULL: the folder could not be read, or not to its end */
  char *unread;        /* why, but for a folder that is not there */
  SlPicture *added;    /* the list's, whose lineage is wanted */
  SlLineage *lineage;
  gboolean favourite; /* what added shall be */
  SlFavouritesDamage damage;
  GError *error;
} IndexTask;

static void
index_task_free (gpointer data)
{
  IndexTask *task = data;

  g_object_unref (task->gallery);
  g_free (task->folder);
  g_ptr_array_unref (task->pictures);
  g_clear_pointer (&task->names, g_hash_table_unref);
  g_clear_object (&task->added);
  _sl_lineage_free (task->lineage);
  g_free (task->damage.aside);
  g_free (task->unread);
  g_clear_error (&task->error);
  g_free (task);
}

static IndexTask *
index_task_new (SlGallery *self)
{
  IndexTask *task = g_new0 (IndexTask, 1);

  task->gallery = g_object_ref (self);
  task->serial = self->serial;
  task->changes = self->changes;
  task->folder = g_strdup (self->folder);
  task->pictures = g_ptr_array_new_with_free_func (g_object_unref);
  return task;
}

/* What the file is now, not yet what is in it; NULL when there is no file. */
static SlIndexEntry *
find_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat status;

  if (stat (path, &status) != 0 || !S_ISREG (status.st_mode))
    return NULL;
  return _sl_index_entry_new (
      name, status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + status.st_mtim.tv_nsec, status.st_size);
}

static void
look_into (SlIndexEntry *entry, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, entry->name, NULL);

  _sl_reader_describe (path, &entry->prompt, &entry->lineage);
}

/* Takes the lineage over. */
static SlPicture *
make_picture (SlIndexEntry *entry, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, entry->name, NULL);
  SlPicture *picture = sl_picture_new (path, entry->prompt, entry->mtime / 1000);

  _sl_picture_take_lineage (picture, g_steal_pointer (&entry->lineage));
  return picture;
}

typedef struct
{
  const char *folder;
  GHashTable *known;  /* what the index says, of names that were not found yet */
  GPtrArray *entries; /* of SlIndexEntry: found */
  GPtrArray *fresh;   /* those of them that the index does not know so */
} Listing;

static void
list_name (Listing *listing, const char *name)
{
  g_autoptr (SlIndexEntry) entry = NULL;
  SlIndexEntry *kept;

  if (!g_str_has_suffix (name, ".png") || (entry = find_file (listing->folder, name)) == NULL)
    return;
  kept = g_hash_table_lookup (listing->known, name);
  if (kept && kept->mtime == entry->mtime && kept->bytes == entry->bytes)
    {
      g_hash_table_steal (listing->known, name);
      g_ptr_array_add (listing->entries, kept);
      return;
    }
  look_into (entry, listing->folder);
  g_hash_table_remove (listing->known, name);
  g_ptr_array_add (listing->fresh, entry);
  g_ptr_array_add (listing->entries, g_steal_pointer (&entry));
}

/* The names that the index knows and that were not found: their files may be there. */
static void
list_known (Listing *listing)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, listing->known);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (names, g_strdup (name));
  for (guint i = 0; i < names->len; i++)
    list_name (listing, names->pdata[i]);
}

/* FALSE: the folder could not be read to its end. */
static gboolean
list_folder (Listing *listing, SlError *unread)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gboolean whole = _sl_folder_list (listing->folder, names, unread);

  for (guint i = 0; i < names->len; i++)
    list_name (listing, names->pdata[i]);
  return whole;
}

static void
open_run (gpointer data)
{
  IndexTask *task = data;
  g_autoptr (SlGalleryIndex) index = _sl_gallery_index_open ();
  g_autoptr (GHashTable) known = _sl_gallery_index_read (index, task->folder);
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify)_sl_index_entry_free);
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  g_autoptr (GPtrArray) gone = g_ptr_array_new ();
  g_autoptr (GHashTable) favourites = NULL;
  Listing listing = { task->folder, known, entries, fresh };
  SlError unread = { 0 };
  gboolean whole = list_folder (&listing, &unread);
  GHashTableIter iter;
  gpointer name;

  if (!whole)
    list_known (&listing);
  if (unread.code != SL_OK)
    task->unread = g_strdup (unread.message);
  if (!whole && entries->len == 0)
    return;
  g_hash_table_iter_init (&iter, known);
  while (whole && g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (gone, name);
  _sl_gallery_index_update (index, task->folder, fresh, gone);
  _sl_gallery_index_forget_folders (index);
  favourites = _sl_favourites_read (task->folder, &task->damage);
  if (whole)
    task->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; task->names && i < entries->len; i++)
    g_hash_table_add (task->names, g_strdup (((SlIndexEntry *)entries->pdata[i])->name));
  for (guint i = 0; i < entries->len; i++)
    if (((SlIndexEntry *)entries->pdata[i])->prompt)
      {
        SlPicture *picture = make_picture (entries->pdata[i], task->folder);

        _sl_picture_set_favourite (
            picture, g_hash_table_contains (favourites, ((SlIndexEntry *)entries->pdata[i])->name));
        g_ptr_array_add (task->pictures, picture);
      }
}

static void
tell_damage (const IndexTask *task)
{
  if (task->damage.aside)
    g_signal_emit (task->gallery, signals[FAVOURITES_DAMAGED], 0, task->damage.aside, task->damage.lost);
}

/* Once for each reason. */
static void
tell_unread (SlGallery *self, const IndexTask *task)
{
  gboolean is_new = task->unread != NULL && g_strcmp0 (task->unread, self->unread) != 0;

  g_free (self->unread);
  self->unread = g_strdup (task->unread);
  if (is_new)
    g_signal_emit (self, signals[UNREAD], 0, task->unread);
}

static gboolean
has_path (GPtrArray *pictures, const char *path)
{
  for (guint i = 0; i < pictures->len; i++)
    if (g_str_equal (sl_picture_get_path (pictures->pdata[i]), path))
      return TRUE;
  return FALSE;
}

/* Those that were found and are not there yet; of those whose removal can be undone the files are there still. */
static void
take_found (SlGallery *self, const IndexTask *task, GPtrArray *pictures)
{
  g_autoptr (GHashTable) there = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < pictures->len; i++)
    g_hash_table_add (there, (gpointer)sl_picture_get_path (pictures->pdata[i]));
  for (guint i = 0; i < task->pictures->len; i++)
    {
      SlPicture *found = task->pictures->pdata[i];

      if (!g_hash_table_contains (there, sl_picture_get_path (found))
          && !has_path (self->removed, sl_picture_get_path (found)))
        g_ptr_array_add (pictures, g_object_ref (found));
    }
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
  take_found (self, task, pictures);
  arrange (self, pictures);
  tell_damage (task);
  g_signal_emit (self, signals[LOADED], 0);
  tell_unread (self, task);
}

void
sl_gallery_open (SlGallery *self, const char *folder)
{
  sl_gallery_flush (self);
  g_list_store_remove_all (self->pictures);
  g_free (self->folder);
  self->folder = g_strdup (folder);
  self->serial++;
  self->changes++;
  sl_thread_queue_push (self->files, FALSE, open_run, open_done, index_task_new (self), index_task_free);
}

/* Whether a picture of the folder that was looked at has its file no longer. */
static gboolean
is_gone (const IndexTask *task, SlPicture *picture)
{
  g_autofree char *name = g_path_get_basename (sl_picture_get_path (picture));
  g_autofree char *folder = g_path_get_dirname (sl_picture_get_path (picture));

  return g_str_equal (folder, task->folder) && !g_hash_table_contains (task->names, name);
}

static void
drop_gone (const IndexTask *task, GPtrArray *pictures)
{
  const SlPicturePlace alone = { .members = 1 };

  for (guint i = pictures->len; i > 0; i--)
    {
      g_autoptr (SlPicture) picture = g_object_ref (pictures->pdata[i - 1]);

      if (!is_gone (task, picture))
        continue;
      g_ptr_array_remove_index (pictures, i - 1);
      _sl_picture_set_place (picture, NULL, &alone);
    }
}

static void
look_done (gpointer data)
{
  IndexTask *task = data;
  SlGallery *self = task->gallery;
  g_autoptr (GPtrArray) pictures = NULL;
  gboolean changed;
  guint before;

  self->looking = FALSE;
  if (task->serial != self->serial)
    return;
  if (task->changes != self->changes)
    {
      sl_gallery_look_again (self);
      return;
    }
  tell_damage (task);
  tell_unread (self, task);
  pictures = get_pictures (self);
  before = pictures->len;
  if (task->names)
    drop_gone (task, pictures);
  changed = pictures->len < before;
  take_found (self, task, pictures);
  if (changed || pictures->len > before)
    arrange (self, pictures);
}

void
sl_gallery_look_again (SlGallery *self)
{
  if (self->folder == NULL || self->looking)
    return;
  self->looking = TRUE;
  sl_thread_queue_push (self->files, FALSE, open_run, look_done, index_task_new (self), index_task_free);
}

static void
append_run (gpointer data)
{
  IndexTask *task = data;
  g_autoptr (SlGalleryIndex) index = _sl_gallery_index_open ();
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify)_sl_index_entry_free);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autofree char *name = g_path_get_basename (sl_picture_get_path (task->added));
  g_autofree char *folder = g_path_get_dirname (sl_picture_get_path (task->added));
  SlIndexEntry *entry = find_file (folder, name);

  if (entry == NULL)
    return;
  g_ptr_array_add (entries, entry);
  look_into (entry, folder);
  if (g_strcmp0 (folder, task->folder) == 0)
    _sl_gallery_index_update (index, folder, entries, none);
  task->lineage = g_steal_pointer (&entry->lineage);
}

/* Now its family is known. */
static void
append_done (gpointer data)
{
  IndexTask *task = data;

  _sl_picture_take_lineage (task->added, g_steal_pointer (&task->lineage));
  arrange_with (task->gallery, NULL);
}

SlPicture *
sl_gallery_add (SlGallery *self, const char *path, const char *prompt)
{
  g_autoptr (SlPicture) picture = sl_picture_new (path, prompt, g_get_real_time ());
  guint found = sl_gallery_find (self, path); /* a look at the folder came first, or it was written over */
  IndexTask *task = index_task_new (self);

  self->changes++;
  if (found != G_MAXUINT)
    g_list_store_remove (self->pictures, found);
  task->added = g_object_ref (picture);
  sl_thread_queue_push (self->files, FALSE, append_run, append_done, task, index_task_free);
  arrange_with (self, picture);
  return picture; /* borrowed: the list holds it */
}

/* ---- favourites ---- */

/* In the folder of the picture, whichever is looked at by then. */
static gboolean
change_favourite (IndexTask *task, SlPicture *picture)
{
  g_autofree char *name = g_path_get_basename (sl_picture_get_path (picture));
  g_autofree char *folder = g_path_get_dirname (sl_picture_get_path (picture));

  return _sl_favourites_change (folder, name, task->favourite, &task->damage, &task->error);
}

static void
favourite_run (gpointer data)
{
  IndexTask *task = data;

  change_favourite (task, task->added);
}

static void
favourite_done (gpointer data)
{
  IndexTask *task = data;

  tell_damage (task);
  if (task->error == NULL)
    return;
  _sl_picture_set_favourite (task->added, !task->favourite);
  g_signal_emit (task->gallery, signals[FAVOURITES_UNSAVED], 0, task->error->message);
}

void
sl_gallery_set_favourite (SlGallery *self, SlPicture *picture, gboolean favourite)
{
  IndexTask *task;

  if (sl_picture_is_favourite (picture) == favourite)
    return;
  task = index_task_new (self);
  task->added = g_object_ref (picture);
  task->favourite = favourite;
  _sl_picture_set_favourite (picture, favourite);
  sl_thread_queue_push (self->files, FALSE, favourite_run, favourite_done, task, index_task_free);
}

/* ---- removing ---- */

void
sl_gallery_remove (SlGallery *self, SlPicture *picture)
{
  g_autoptr (GPtrArray) pictures = get_pictures (self);
  const SlPicturePlace alone = { .members = 1 };

  if (!g_ptr_array_find (pictures, picture, NULL))
    return;
  self->changes++;
  g_ptr_array_add (self->removed, g_object_ref (picture));
  g_ptr_array_remove (pictures, picture);
  arrange (self, pictures);
  _sl_picture_set_place (picture, NULL, &alone);
}

void
sl_gallery_undo_removal (SlGallery *self, SlPicture *picture)
{
  g_autoptr (SlPicture) kept = g_object_ref (picture);

  self->changes++;
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
      if (sl_picture_is_favourite (task->pictures->pdata[i]))
        change_favourite (task, task->pictures->pdata[i]);
    }
}

void
sl_gallery_commit_removal (SlGallery *self, SlPicture *picture)
{
  IndexTask *task;

  if (!g_ptr_array_find (self->removed, picture, NULL))
    return;
  self->changes++;
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
