/* sl-model-store.c - see sl-model-store.h. */
#include "app/objects/sl-model-store.h"

#include "app/files/files.h"
#include "app/objects/sl-places.h"

struct _SlModelStore
{
  SlList parent_instance;
  SlThreadQueue *files;
  GListStore *items; /* the list's */
  GPtrArray *vaes;   /* paths, then NULL */
  gboolean scanned;
};

G_DEFINE_FINAL_TYPE (SlModelStore, sl_model_store, SL_TYPE_LIST)

enum
{
  SCANNED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_model_store_finalize (GObject *object)
{
  g_ptr_array_unref (SL_MODEL_STORE (object)->vaes);
  G_OBJECT_CLASS (sl_model_store_parent_class)->finalize (object);
}

static void
sl_model_store_class_init (SlModelStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_model_store_finalize;
  signals[SCANNED]
      = g_signal_new ("scanned", SL_TYPE_MODEL_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_model_store_init (SlModelStore *self)
{
  self->items = sl_list_init_items (SL_LIST (self), SL_TYPE_MODEL_ITEM);
  self->vaes = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->vaes, NULL);
}

SlModelStore *
sl_model_store_new (SlThreadQueue *files)
{
  SlModelStore *self = g_object_new (SL_TYPE_MODEL_STORE, NULL);

  self->files = files;
  return self;
}

const char *const *
sl_model_store_get_vaes (SlModelStore *self)
{
  return (const char *const *)self->vaes->pdata;
}

gboolean
sl_model_store_is_scanned (SlModelStore *self)
{
  return self->scanned;
}

guint
sl_model_store_find (SlModelStore *self, const char *path_or_name)
{
  guint by_name = G_MAXUINT;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self)); i++)
    {
      g_autoptr (SlModelItem) item = g_list_model_get_item (G_LIST_MODEL (self), i);

      if (g_strcmp0 (sl_model_item_get_path (item), path_or_name) == 0)
        return i;
      if (by_name == G_MAXUINT && g_strcmp0 (sl_model_item_get_name (item), path_or_name) == 0)
        by_name = i;
    }
  return by_name;
}

static void
add_item (SlModelStore *self, SlModelItem *item)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self)); i++)
    {
      g_autoptr (SlModelItem) known = g_list_model_get_item (G_LIST_MODEL (self), i);

      if (g_str_equal (sl_model_item_get_path (known), sl_model_item_get_path (item)))
        return;
    }
  g_list_store_append (self->items, item);
}

/* ---- looking through the folders ---- */

typedef struct
{
  SlModelStore *store;
  GPtrArray *folders;
  GPtrArray *found; /* of SlModelItem */
  GPtrArray *vaes;  /* paths */
} Scan;

static void
scan_free (gpointer data)
{
  Scan *scan = data;

  g_object_unref (scan->store);
  g_ptr_array_unref (scan->folders);
  g_ptr_array_unref (scan->found);
  g_clear_pointer (&scan->vaes, g_ptr_array_unref);
  g_free (scan);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_utf8_collate (*(char *const *)a, *(char *const *)b);
}

static gboolean
is_called_vae (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return strstr (lower, "vae") != NULL;
}

/* A file that is no model by itself: everything in a folder "vae", and what is called so. */
static void
note_vae (GPtrArray *vaes, const char *path, const char *name, gboolean inside)
{
  g_autofree char *config = g_build_filename (path, "config.json", NULL);

  if ((sl_model_file_name (path) && (inside || is_called_vae (name)))
      || (inside && g_file_test (config, G_FILE_TEST_EXISTS)))
    g_ptr_array_add (vaes, g_strdup (path));
}

static void
scan_vaes (GPtrArray *vaes, const char *folder)
{
  g_autofree char *inside = g_build_filename (folder, "vae", NULL);
  g_autoptr (GDir) dir = g_dir_open (inside, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (inside, name, NULL);

      if (*name != '.')
        note_vae (vaes, path, name, TRUE);
    }
}

static void
scan_folder (GPtrArray *found, GPtrArray *vaes, const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (*name != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);
      g_autofree char *index = g_build_filename (path, "model_index.json", NULL);
      SlModelItem *item = NULL;

      if (g_file_test (index, G_FILE_TEST_EXISTS) || sl_model_file_name (path))
        item = sl_model_item_open (path, NULL);
      if (item)
        {
          sl_model_item_measure (item);
          g_ptr_array_add (found, item);
        }
      else
        note_vae (vaes, path, names->pdata[i], FALSE);
    }
  scan_vaes (vaes, folder);
}

static void
scan_run (gpointer data)
{
  Scan *scan = data;

  for (guint i = 0; i < scan->folders->len; i++)
    scan_folder (scan->found, scan->vaes, scan->folders->pdata[i]);
}

static void
scan_done (gpointer data)
{
  Scan *scan = data;

  for (guint i = 0; i < scan->found->len; i++)
    add_item (scan->store, scan->found->pdata[i]);
  g_ptr_array_add (scan->vaes, NULL);
  g_ptr_array_unref (scan->store->vaes);
  scan->store->vaes = g_steal_pointer (&scan->vaes);
  scan->store->scanned = TRUE;
  g_signal_emit (scan->store, signals[SCANNED], 0);
}

void
sl_model_store_scan (SlModelStore *self, const char *folder)
{
  Scan *scan = g_new0 (Scan, 1);

  scan->store = g_object_ref (self);
  scan->folders = sl_places_model_folders (folder);
  scan->found = g_ptr_array_new_with_free_func (g_object_unref);
  scan->vaes = g_ptr_array_new_with_free_func (g_free);
  sl_thread_queue_push (self->files, FALSE, scan_run, scan_done, scan, scan_free);
}

/* ---- one path ---- */

typedef struct
{
  SlModelStore *store;
  char *path;
  SlModelItem *item;
  GError *error;
  SlModelOpened opened;
  gpointer user_data;
} Opening;

static void
opening_free (gpointer data)
{
  Opening *opening = data;

  g_object_unref (opening->store);
  g_free (opening->path);
  g_clear_object (&opening->item);
  g_clear_error (&opening->error);
  g_free (opening);
}

static void
opening_run (gpointer data)
{
  Opening *opening = data;

  opening->item = sl_model_item_open (opening->path, &opening->error);
  if (opening->item)
    sl_model_item_measure (opening->item);
}

static void
opening_done (gpointer data)
{
  Opening *opening = data;

  if (opening->item)
    add_item (opening->store, opening->item);
  if (opening->opened)
    opening->opened (opening->item, opening->error, opening->user_data);
}

void
sl_model_store_open (SlModelStore *self, const char *path, SlModelOpened opened, gpointer user_data)
{
  Opening *opening = g_new0 (Opening, 1);

  opening->store = g_object_ref (self);
  opening->path = g_strdup (path);
  opening->opened = opened;
  opening->user_data = user_data;
  sl_thread_queue_push (self->files, TRUE, opening_run, opening_done, opening, opening_free);
}
