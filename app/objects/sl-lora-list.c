/* sl-lora-list.c - see sl-lora-list.h. */
#include "app/objects/sl-lora-list.h"

#include <stdlib.h>
#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-lora-private.h"

#define MOST_REMEMBERED 64

struct _SlLoraList
{
  SlList parent_instance;
  SlThreadQueue *files; /* NULL once it is closed */
  SlSettings *recipe;
  GSettings *preferences;
  GListStore *items; /* the list's */
  SlModelItem *model;
  gboolean writing; /* the recipe is being changed by this list */
};

G_DEFINE_FINAL_TYPE (SlLoraList, sl_lora_list, SL_TYPE_LIST)

static SlLora *
nth (SlLoraList *self, guint position)
{
  g_autoptr (SlLora) lora = g_list_model_get_item (G_LIST_MODEL (self->items), position);

  return lora; /* the list holds it */
}

static guint
count (SlLoraList *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->items));
}

void
sl_lora_list_read (SlLoraList *self, SlLora *lora)
{
  if (self->files)
    sl_lora_read (lora, self->files, self->model);
}

SlModelItem *
sl_lora_list_get_model (SlLoraList *self)
{
  return self->model;
}

SlThreadQueue *
sl_lora_list_get_files (SlLoraList *self)
{
  return self->files;
}

/* ---- the recipe ---- */

static void
write_recipe (SlLoraList *self)
{
  SlAdapterUses uses = { 0, g_new0 (SlAdapterUse, SL_ADAPTERS_MAX) };
  char *text;

  for (guint i = 0; i < count (self); i++)
    uses.use[uses.count++] = *_sl_lora_get_use (nth (self, i));
  text = sl_adapter_uses_text (&uses);
  self->writing = TRUE;
  if (text)
    g_object_set (self->recipe, "lora", text, NULL);
  self->writing = FALSE;
  free (text);
  g_free (uses.use);
}

/* One of the list that is of the same file, and is not among those that were taken. */
static SlLora *
find_known (SlLoraList *self, GPtrArray *taken, const SlAdapterUse *use)
{
  for (guint i = 0; i < count (self); i++)
    {
      SlLora *lora = nth (self, i);
      const SlAdapterUse *own = _sl_lora_get_use (lora);

      if (g_str_equal (own->name, use->name) && g_str_equal (own->hash, use->hash)
          && !g_ptr_array_find (taken, lora, NULL))
        return lora;
    }
  return NULL;
}

static void
take (SlLoraList *self, GPtrArray *taken, const SlAdapterUse *use)
{
  SlLora *known = find_known (self, taken, use);
  SlLora *lora = known ? g_object_ref (known) : _sl_lora_new_use (use);

  g_ptr_array_add (taken, lora);
  if (known)
    _sl_lora_set_use (lora, use);
  else
    sl_lora_list_read (self, lora);
}

static gboolean
is_as_it_was (SlLoraList *self, GPtrArray *taken)
{
  gboolean same = taken->len == count (self);

  for (guint i = 0; same && i < taken->len; i++)
    same = taken->pdata[i] == nth (self, i);
  return same;
}

/* A text that is none names no LoRA; whoever uses the recipe says what is wrong with it. */
static void
recipe_changed (SlLoraList *self)
{
  g_autoptr (GPtrArray) taken = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *text = NULL;
  SlAdapterUses uses;

  if (self->writing)
    return;
  g_object_get (self->recipe, "lora", &text, NULL);
  if (sl_adapter_uses_parse (text, &uses, NULL))
    for (int i = 0; i < uses.count; i++)
      take (self, taken, &uses.use[i]);
  sl_adapter_uses_free (&uses);
  if (!is_as_it_was (self, taken))
    g_list_store_splice (self->items, 0, count (self), taken->pdata, taken->len);
}

/* ---- files ---- */

typedef struct
{
  SlLoraList *list;
  SlLora *lora; /* that is missing; NULL: a new one */
  char *path;
  SlAdapterUse use;
  gboolean is_lora, same;
  GError *error;
  SlLoraAnswered answered;
  gpointer user_data;
} Adding;

static void
adding_free (gpointer data)
{
  Adding *adding = data;

  g_object_unref (adding->list);
  g_clear_object (&adding->lora);
  g_free (adding->path);
  g_clear_error (&adding->error);
  g_free (adding);
}

static gboolean
is_adapter (const char *path)
{
  SlWeightSource *file = sl_weights_open_file (path, NULL);
  gboolean yes = file && sl_adapter_recognise (file);

  sl_weights_close (file);
  return yes;
}

/* Whether the file that was found is the one that the recipe means. */
static gboolean
is_meant (const Adding *adding)
{
  const char *hash = adding->lora ? _sl_lora_get_use (adding->lora)->hash : "";
  SlAdapterHashes hashes;

  return !*hash || (sl_lora_hashes (adding->path, &hashes, NULL) && sl_adapter_has_hash (&hashes, hash));
}

static void
adding_run (gpointer data)
{
  Adding *adding = data;
  SlError err = { 0 };
  SlAdapter *adapter = sl_adapter_open (adding->path, &err);
  gboolean ok = adapter && sl_lora_settle (&adding->use, &err);

  adding->is_lora = is_adapter (adding->path);
  if (!ok)
    adding->error = sl_app_error_new (&err);
  else
    adding->same = is_meant (adding);
  sl_adapter_close (adapter);
}

static void
remember (SlLoraList *self, const char *path)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) known = g_settings_get_strv (self->preferences, "lora-files");

  g_ptr_array_add (paths, g_strdup (path));
  for (guint i = 0; known[i] && paths->len < MOST_REMEMBERED; i++)
    if (!g_str_equal (known[i], path))
      g_ptr_array_add (paths, g_strdup (known[i]));
  g_ptr_array_add (paths, NULL);
  g_settings_set_strv (self->preferences, "lora-files", (const char *const *)paths->pdata);
}

/* NULL and the error where the list is full. */
static SlLora *
append (SlLoraList *self, Adding *adding)
{
  g_autoptr (SlLora) lora = _sl_lora_new_use (&adding->use);

  if (count (self) >= SL_ADAPTERS_MAX)
    {
      SlError err = { 0 };

      sl_fail (&err, SL_ARGUMENT, "there are %d LoRAs already, and no more can be used at once",
               SL_ADAPTERS_MAX);
      adding->error = sl_app_error_new (&err);
      return NULL;
    }
  sl_lora_list_read (self, lora);
  g_list_store_append (self->items, lora);
  write_recipe (self);
  return lora;
}

static SlLora *
replace (SlLoraList *self, SlLora *lora, const SlAdapterUse *found)
{
  g_autofree SlAdapterUse *use = g_memdup2 (_sl_lora_get_use (lora), sizeof *use);

  if (!g_list_store_find (self->items, lora, NULL))
    return NULL;
  memcpy (use->name, found->name, sizeof use->name);
  memcpy (use->hash, found->hash, sizeof use->hash);
  _sl_lora_set_use (lora, use);
  sl_lora_list_read (self, lora);
  write_recipe (self);
  return lora;
}

static void
adding_done (gpointer data)
{
  Adding *adding = data;
  SlLoraList *self = adding->list;
  SlLoraAnswer answer = { .is_lora = adding->is_lora, .same = adding->same };

  if (self->files == NULL)
    return;
  if (adding->error == NULL)
    {
      remember (self, adding->path);
      answer.lora = adding->lora ? replace (self, adding->lora, &adding->use) : append (self, adding);
    }
  answer.error = adding->error;
  if (adding->answered)
    adding->answered (&answer, adding->user_data);
}

void
sl_lora_list_locate (
    SlLoraList *self, SlLora *lora, const char *path, SlLoraAnswered answered, gpointer user_data)
{
  Adding *adding;

  if (self->files == NULL)
    return;
  adding = g_new0 (Adding, 1);
  adding->list = g_object_ref (self);
  adding->lora = lora ? g_object_ref (lora) : NULL;
  adding->path = g_strdup (path);
  adding->use = (SlAdapterUse){ .unet = 1, .text = 1, .to = 1 };
  g_strlcpy (adding->use.name, path, sizeof adding->use.name);
  adding->answered = answered;
  adding->user_data = user_data;
  sl_thread_queue_push (self->files, FALSE, adding_run, adding_done, adding, adding_free);
}

void
sl_lora_list_add (SlLoraList *self, const char *path, SlLoraAnswered answered, gpointer user_data)
{
  sl_lora_list_locate (self, NULL, path, answered, user_data);
}

/* ---- changes ---- */

static void
change (SlLoraList *self, SlLora *lora, const SlAdapterUse *use)
{
  if (_sl_lora_set_use (lora, use))
    write_recipe (self);
}

void
sl_lora_list_set_strength (SlLoraList *self, SlLora *lora, double unet, double text)
{
  g_autofree SlAdapterUse *use = g_memdup2 (_sl_lora_get_use (lora), sizeof *use);

  use->unet = unet;
  use->text = text;
  change (self, lora, use);
}

void
sl_lora_list_set_range (SlLoraList *self, SlLora *lora, double from, double to)
{
  g_autofree SlAdapterUse *use = g_memdup2 (_sl_lora_get_use (lora), sizeof *use);

  if (from >= to)
    return;
  use->from = from;
  use->to = to;
  change (self, lora, use);
}

gboolean
sl_lora_list_set_curve (SlLoraList *self, SlLora *lora, const char *curve, GError **error)
{
  g_autofree SlAdapterUse *use = g_memdup2 (_sl_lora_get_use (lora), sizeof *use);
  SlError err = { 0 };

  if (!sl_adapter_curve_parse (curve, use, &err))
    {
      g_propagate_error (error, sl_app_error_new (&err));
      return FALSE;
    }
  change (self, lora, use);
  return TRUE;
}

guint
sl_lora_list_remove (SlLoraList *self, SlLora *lora)
{
  guint position = 0;

  if (!g_list_store_find (self->items, lora, &position))
    return position;
  g_list_store_remove (self->items, position);
  write_recipe (self);
  return position;
}

gboolean
sl_lora_list_insert (SlLoraList *self, SlLora *lora, guint position)
{
  if (count (self) >= SL_ADAPTERS_MAX || g_list_store_find (self->items, lora, NULL))
    return FALSE;
  g_list_store_insert (self->items, MIN (position, count (self)), lora);
  write_recipe (self);
  return TRUE;
}

void
sl_lora_list_set_model (SlLoraList *self, SlModelItem *model)
{
  g_set_object (&self->model, model);
  for (guint i = 0; i < count (self); i++)
    sl_lora_list_read (self, nth (self, i));
}

void
sl_lora_list_look_again (SlLoraList *self)
{
  for (guint i = 0; i < count (self); i++)
    if (sl_lora_get_state (nth (self, i)) == SL_LORA_MISSING)
      sl_lora_list_read (self, nth (self, i));
}

static void
describe_use (GString *text, const SlAdapterUse *use)
{
  g_autoptr (SlLora) lora = _sl_lora_new_use (use);

  g_string_append_printf (text, "%s%s × %s", text->len ? ", " : "", sl_strength_text (use->unet).text,
                          sl_lora_get_name (lora));
  if (use->points > 0)
    g_string_append_printf (text, " @%s", sl_lora_get_curve (lora));
  else if (use->from > 0 || use->to < 1)
    g_string_append_printf (text, " @%s-%s", sl_strength_text (use->from).text,
                            sl_strength_text (use->to).text);
}

char *
sl_loras_describe (const char *text)
{
  GString *words = g_string_new (NULL);
  SlAdapterUses uses;

  if (sl_adapter_uses_parse (text, &uses, NULL))
    for (int i = 0; i < uses.count; i++)
      describe_use (words, &uses.use[i]);
  else
    g_string_append (words, text);
  sl_adapter_uses_free (&uses);
  return g_string_free (words, FALSE);
}

/* ---- class ---- */

SlLoraList *
sl_lora_list_new (SlThreadQueue *files, SlSettings *recipe, GSettings *preferences)
{
  SlLoraList *self = g_object_new (SL_TYPE_LORA_LIST, NULL);
  g_auto (GStrv) known = g_settings_get_strv (preferences, "lora-files");

  self->files = files;
  self->recipe = g_object_ref (recipe);
  self->preferences = g_object_ref (preferences);
  for (guint i = 0; known[i]; i++)
    sl_lora_remember (known[i]);
  g_signal_connect_object (recipe, "notify::lora", G_CALLBACK (recipe_changed), self, G_CONNECT_SWAPPED);
  recipe_changed (self);
  return self;
}

void
sl_lora_list_close (SlLoraList *self)
{
  self->files = NULL;
}

static void
sl_lora_list_dispose (GObject *object)
{
  SlLoraList *self = SL_LORA_LIST (object);

  self->files = NULL;
  g_clear_object (&self->recipe);
  g_clear_object (&self->preferences);
  g_clear_object (&self->model);
  G_OBJECT_CLASS (sl_lora_list_parent_class)->dispose (object);
}

static void
sl_lora_list_class_init (SlLoraListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_lora_list_dispose;
}

static void
sl_lora_list_init (SlLoraList *self)
{
  self->items = sl_list_init_items (SL_LIST (self), SL_TYPE_LORA);
}
