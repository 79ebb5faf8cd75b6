/* sl-keeper.c - see sl-keeper.h.
 *
 * Easy to get wrong: while an item is being written its data is the file thread's, so an item that is tried again is
 * marked, and no second try of it begins.
 */
#include "app/objects/sl-keeper.h"

struct _SlKeeper
{
  GObject parent_instance;
  SlThreadQueue *files; /* NULL once it is closed */
  GPtrArray *items;     /* of Item: being written or unsaved, the oldest first */
  char *folder[SL_N_KEEP];
  char *problem[SL_N_KEEP];
};

typedef struct
{
  const SlKeptClass *klass;
  gpointer data;
  gboolean writing;
  gboolean failed; /* before */
} Item;

/* One try to write an item. */
typedef struct
{
  SlKeeper *keeper;
  Item *item; /* the keeper's */
  char *folder;
  GError *error;
} Try;

G_DEFINE_FINAL_TYPE (SlKeeper, sl_keeper, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
item_free (gpointer data)
{
  Item *item = data;

  item->klass->free (item->data);
  g_free (item);
}

static void
try_free (gpointer data)
{
  Try *try = data;

  g_object_unref (try->keeper);
  g_free (try->folder);
  g_clear_error (&try->error);
  g_free (try);
}

static void
try_run (gpointer data)
{
  Try *try = data;

  try->item->klass->write (try->item->data, try->folder, &try->error);
}

static void
say_changed (SlKeeper *self)
{
  for (guint kind = 0; kind < SL_N_KEEP; kind++)
    if (sl_keeper_count_unsaved (self, (SlKept)kind) == 0)
      g_clear_pointer (&self->problem[kind], g_free);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
try_done (gpointer data)
{
  Try *try = data;
  SlKeeper *self = try->keeper;
  Item *item = try->item;

  item->writing = FALSE;
  if (try->error)
    {
      item->failed = TRUE;
      g_free (self->problem[item->klass->kind]);
      self->problem[item->klass->kind] = g_strdup (try->error->message);
      say_changed (self);
      return;
    }
  item->klass->written (item->data);
  g_ptr_array_remove (self->items, item);
  say_changed (self);
  sl_keeper_try_again (self);
}

static void
begin (SlKeeper *self, Item *item, const char *folder)
{
  Try *try = g_new0 (Try, 1);

  item->writing = TRUE;
  try->keeper = g_object_ref (self);
  try->item = item;
  try->folder = g_strdup (folder);
  sl_thread_queue_push (self->files, FALSE, try_run, try_done, try, try_free);
}

static void
begin_kind (SlKeeper *self, SlKept kind, const char *folder)
{
  for (guint i = 0; self->files && i < self->items->len; i++)
    {
      Item *item = self->items->pdata[i];

      if (item->klass->kind == kind && !item->writing)
        begin (self, item, folder);
    }
}

void
sl_keeper_keep (SlKeeper *self, const SlKeptClass *klass, gpointer data)
{
  Item *item;

  if (self->files == NULL)
    {
      klass->free (data);
      return;
    }
  item = g_new0 (Item, 1);
  item->klass = klass;
  item->data = data;
  g_ptr_array_add (self->items, item);
  begin (self, item, self->folder[klass->kind]);
}

void
sl_keeper_try_again (SlKeeper *self)
{
  for (guint kind = 0; kind < SL_N_KEEP; kind++)
    begin_kind (self, (SlKept)kind, self->folder[kind]);
}

void
sl_keeper_try_elsewhere (SlKeeper *self, SlKept kind, const char *folder)
{
  begin_kind (self, kind, folder);
}

void
sl_keeper_set_folder (SlKeeper *self, SlKept kind, const char *folder)
{
  g_free (self->folder[kind]);
  self->folder[kind] = g_strdup (folder);
  begin_kind (self, kind, folder);
}

guint
sl_keeper_count_unsaved (SlKeeper *self, SlKept kind)
{
  guint count = 0;

  for (guint i = 0; i < self->items->len; i++)
    {
      const Item *item = self->items->pdata[i];

      count += item->failed && item->klass->kind == kind;
    }
  return count;
}

const char *
sl_keeper_get_problem (SlKeeper *self, SlKept kind)
{
  return self->problem[kind];
}

void
sl_keeper_finish (SlKeeper *self)
{
  if (self->files)
    sl_thread_queue_wait (self->files);
}

void
sl_keeper_close (SlKeeper *self)
{
  sl_keeper_finish (self);
  self->files = NULL;
  g_ptr_array_set_size (self->items, 0);
}

/* ---- class ---- */

static void
sl_keeper_finalize (GObject *object)
{
  SlKeeper *self = SL_KEEPER (object);

  g_ptr_array_unref (self->items);
  for (guint kind = 0; kind < SL_N_KEEP; kind++)
    {
      g_free (self->folder[kind]);
      g_free (self->problem[kind]);
    }
  G_OBJECT_CLASS (sl_keeper_parent_class)->finalize (object);
}

static void
sl_keeper_class_init (SlKeeperClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_keeper_finalize;
  signals[CHANGED]
      = g_signal_new ("changed", SL_TYPE_KEEPER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_keeper_init (SlKeeper *self)
{
  self->items = g_ptr_array_new_with_free_func (item_free);
}

SlKeeper *
sl_keeper_new (SlThreadQueue *files)
{
  SlKeeper *self = g_object_new (SL_TYPE_KEEPER, NULL);

  self->files = files;
  return self;
}
