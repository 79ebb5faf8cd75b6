/* sl-model-store.c - see sl-model-store.h. */
#include "app/objects/sl-model-store.h"

#include "app/files/files.h"
#include "app/objects/sl-folder.h"
#include "app/objects/sl-places.h"

struct _SlModelStore
{
  SlList parent_instance;
  SlThreadQueue *files;
  GListStore *items; /* the list's */
  GHashTable *parts; /* a part's name to paths, GStrv */
  gboolean scanned;
  char *unread; /* why a folder could not be read to its end, as it was said; NULL: all could */
};

G_DEFINE_FINAL_TYPE (SlModelStore, sl_model_store, SL_TYPE_LIST)

enum
{
  SCANNED,
  UNREAD,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_model_store_finalize (GObject *object)
{
  g_hash_table_unref (SL_MODEL_STORE (object)->parts);
  g_free (SL_MODEL_STORE (object)->unread);
  G_OBJECT_CLASS (sl_model_store_parent_class)->finalize (object);
}

static void
sl_model_store_class_init (SlModelStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_model_store_finalize;
  signals[UNREAD] = g_signal_new ("unread", SL_TYPE_MODEL_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SCANNED]
      = g_signal_new ("scanned", SL_TYPE_MODEL_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_model_store_init (SlModelStore *self)
{
  self->items = sl_list_init_items (SL_LIST (self), SL_TYPE_MODEL_ITEM);
  self->parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
}

SlModelStore *
sl_model_store_new (SlThreadQueue *files)
{
  SlModelStore *self = g_object_new (SL_TYPE_MODEL_STORE, NULL);

  self->files = files;
  return self;
}

const char *const *
sl_model_store_get_parts (SlModelStore *self, const char *part)
{
  static const char *const none[] = { NULL };
  gpointer paths = g_hash_table_lookup (self->parts, part);

  return paths ? paths : none;
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
  char *first; /* the preferred folder, or "" */
  GPtrArray *folders;
  GPtrArray *found;  /* of SlModelItem */
  GHashTable *parts; /* as the store's */
  SlError unread;    /* of the first folder that is there and could not be read to its end */
} Scan;

static void
scan_free (gpointer data)
{
  Scan *scan = data;

  g_object_unref (scan->store);
  g_ptr_array_unref (scan->folders);
  g_ptr_array_unref (scan->found);
  g_clear_pointer (&scan->parts, g_hash_table_unref);
  g_free (scan->first);
  g_free (scan);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_utf8_collate (*(char *const *)a, *(char *const *)b);
}

static void
scan_folder (Scan *scan, const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  _sl_folder_list (folder, names, &scan->unread);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);
      g_autofree char *index = g_build_filename (path, "model_index.json", NULL);
      SlModelItem *item = NULL;

      if (g_file_test (index, G_FILE_TEST_EXISTS) || sl_model_file_name (path))
        item = sl_model_item_open (path, NULL);
      if (item == NULL)
        continue;
      sl_model_item_measure (item);
      g_ptr_array_add (scan->found, item);
    }
}

static gboolean
is_found (const Scan *scan, const char *path)
{
  for (guint i = 0; i < scan->found->len; i++)
    if (g_str_equal (sl_model_item_get_path (scan->found->pdata[i]), path))
      return TRUE;
  return FALSE;
}

/* What is a model by itself is not offered as a part of others, though its name may say "vae". */
static void
scan_parts (Scan *scan, const char *part)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  char **listed = sl_parts_list (part, scan->first, &scan->unread);

  for (char **path = listed; path && *path; path++)
    if (!is_found (scan, *path))
      g_strv_builder_add (paths, *path);
  sl_strings_free (listed);
  g_hash_table_insert (scan->parts, g_strdup (part), g_strv_builder_end (paths));
}

static void
scan_loras (Scan *scan)
{
  char **listed = sl_loras_list ();

  if (listed)
    g_hash_table_insert (scan->parts, g_strdup ("lora"), g_strdupv (listed));
  sl_strings_free (listed);
}

static void
scan_refiners (Scan *scan)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  for (guint i = 0; i < scan->found->len; i++)
    if (sl_model_item_refines (scan->found->pdata[i]))
      g_strv_builder_add (paths, sl_model_item_get_path (scan->found->pdata[i]));
  g_hash_table_insert (scan->parts, g_strdup ("refiner"), g_strv_builder_end (paths));
}

static void
scan_run (gpointer data)
{
  Scan *scan = data;

  static const char *const parts[] = { "vae", "unet", "text_encoder", "text_encoder_2", "vae_approx" };

  for (guint i = 0; i < scan->folders->len; i++)
    scan_folder (scan, scan->folders->pdata[i]);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    scan_parts (scan, parts[i]);
  scan_refiners (scan);
  scan_loras (scan);
}

/* Once for each reason. */
static void
tell_unread (SlModelStore *self, const Scan *scan)
{
  const char *reason = scan->unread.code != SL_OK ? scan->unread.message : NULL;
  gboolean is_new = reason != NULL && g_strcmp0 (reason, self->unread) != 0;

  g_free (self->unread);
  self->unread = g_strdup (reason);
  if (is_new)
    g_signal_emit (self, signals[UNREAD], 0, reason);
}

static void
scan_done (gpointer data)
{
  Scan *scan = data;

  for (guint i = 0; i < scan->found->len; i++)
    add_item (scan->store, scan->found->pdata[i]);
  g_hash_table_unref (scan->store->parts);
  scan->store->parts = g_steal_pointer (&scan->parts);
  scan->store->scanned = TRUE;
  g_signal_emit (scan->store, signals[SCANNED], 0);
  tell_unread (scan->store, scan);
}

void
sl_model_store_scan (SlModelStore *self, const char *folder)
{
  Scan *scan = g_new0 (Scan, 1);

  sl_embeddings_look_in (folder);
  sl_lora_look_in (folder);
  scan->store = g_object_ref (self);
  scan->folders = sl_places_model_folders (folder);
  scan->found = g_ptr_array_new_with_free_func (g_object_unref);
  scan->first = g_strdup (folder);
  scan->parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
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
