/* sl-cookbook.c - see sl-cookbook.h. */
#include "app/objects/sl-cookbook.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "app/objects/sl-kept-file.h"
#include "app/objects/sl-settings-private.h"
#include "app/recipe/recipe.h"

#define MAX_NAME 200 /* bytes */

/* ---- what is in it ---- */

struct _SlKeptRecipe
{
  GObject parent_instance;
  char *name;
  SlSettings *settings;
  char *model;
  gboolean words;
};

G_DEFINE_FINAL_TYPE (SlKeptRecipe, sl_kept_recipe, G_TYPE_OBJECT)

static void
sl_kept_recipe_finalize (GObject *object)
{
  SlKeptRecipe *self = SL_KEPT_RECIPE (object);

  g_free (self->name);
  g_free (self->model);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (sl_kept_recipe_parent_class)->finalize (object);
}

static void
sl_kept_recipe_class_init (SlKeptRecipeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_kept_recipe_finalize;
}

static void
sl_kept_recipe_init (SlKeptRecipe *self)
{
}

SlKeptRecipe *
sl_kept_recipe_new (const char *name, SlSettings *settings, const char *model, gboolean words)
{
  SlKeptRecipe *self = g_object_new (SL_TYPE_KEPT_RECIPE, NULL);

  self->name = g_utf8_make_valid (name, MIN (strlen (name), MAX_NAME));
  self->settings = sl_settings_dup (settings);
  self->model = g_strdup (model);
  self->words = words;
  return self;
}

const char *
sl_kept_recipe_get_name (SlKeptRecipe *self)
{
  return self->name;
}

SlSettings *
sl_kept_recipe_get_settings (SlKeptRecipe *self)
{
  return self->settings;
}

const char *
sl_kept_recipe_get_model (SlKeptRecipe *self)
{
  return self->model;
}

gboolean
sl_kept_recipe_has_words (SlKeptRecipe *self)
{
  return self->words;
}

SlSettings *
sl_kept_recipe_over (SlKeptRecipe *self, SlSettings *settings)
{
  SlSettings *over = sl_settings_dup (self->settings);
  g_autofree char *negative = NULL;

  g_object_set (over, "seed", sl_settings_get_seed (settings), NULL);
  if (self->words)
    return over;
  g_object_get (settings, "negative-prompt", &negative, NULL);
  g_object_set (over, "prompt", sl_settings_get_prompt (settings), "negative-prompt", negative, NULL);
  return over;
}

/* ---- the book ---- */

struct _SlCookbook
{
  SlList parent_instance;
  SlThreadQueue *files;
  GListStore *items; /* the list's */
  char *path;
  guint most;
  gboolean read;    /* the file was, so it may be written */
  gboolean refused; /* it must not be touched */
  gboolean writing; /* on the file thread; what changes meanwhile is written afterwards, at once */
  gboolean changed; /* since it was last given to be written */
};

G_DEFINE_FINAL_TYPE (SlCookbook, sl_cookbook, SL_TYPE_LIST)

enum
{
  DAMAGED,
  UNSAVED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_cookbook_finalize (GObject *object)
{
  g_free (SL_COOKBOOK (object)->path);
  G_OBJECT_CLASS (sl_cookbook_parent_class)->finalize (object);
}

static void
sl_cookbook_class_init (SlCookbookClass *klass)
{
  static const char *const names[N_SIGNALS] = { "damaged", "unsaved" };

  G_OBJECT_CLASS (klass)->finalize = sl_cookbook_finalize;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], SL_TYPE_COOKBOOK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, i == DAMAGED ? 2 : 1, G_TYPE_STRING, G_TYPE_UINT);
}

static void
sl_cookbook_init (SlCookbook *self)
{
  self->items = sl_list_init_items (SL_LIST (self), SL_TYPE_KEPT_RECIPE);
}

static SlKeptRecipe *
get_item (SlCookbook *self, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (self->items), position);
}

static guint
count (SlCookbook *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->items));
}

/* ---- its file ---- */

typedef struct
{
  SlCookbook *cookbook;
  GPtrArray *items; /* of SlKeptRecipe: found */
  char *text;       /* to write, malloc'ed */
  guint lost;       /* items that cannot be read */
  gboolean refused;
  char *aside;
  GError *error;
} FileTask;

static void
task_free (gpointer data)
{
  FileTask *task = data;

  g_object_unref (task->cookbook);
  g_ptr_array_unref (task->items);
  free (task->text);
  g_free (task->aside);
  g_clear_error (&task->error);
  g_free (task);
}

static FileTask *
task_new (SlCookbook *self)
{
  FileTask *task = g_new0 (FileTask, 1);

  task->cookbook = g_object_ref (self);
  task->items = g_ptr_array_new_with_free_func (g_object_unref);
  return task;
}

static SlKeptRecipe *
parse_item (const cJSON *item)
{
  const char *name = cJSON_GetStringValue (cJSON_GetObjectItem (item, "name"));
  const char *model = cJSON_GetStringValue (cJSON_GetObjectItem (item, "model"));
  const cJSON *words = cJSON_GetObjectItem (item, "words");
  g_autoptr (SlSettings) settings = sl_settings_new ();

  if (name == NULL || model == NULL || !cJSON_IsBool (words)
      || !_sl_settings_from_json (settings, cJSON_GetObjectItem (item, "settings")))
    return NULL;
  return sl_kept_recipe_new (name, settings, model, cJSON_IsTrue (words));
}

static SlKept
parse (const cJSON *root, gpointer data)
{
  FileTask *task = data;
  const cJSON *items = cJSON_GetObjectItem (root, "items"), *item;

  if (!cJSON_IsArray (items))
    return SL_KEPT_DAMAGED;
  cJSON_ArrayForEach (item, items)
  {
    SlKeptRecipe *kept = parse_item (item);

    if (kept)
      g_ptr_array_add (task->items, kept);
    else
      task->lost++;
  }
  return task->lost > 0 ? SL_KEPT_PARTLY : SL_KEPT_WHOLE;
}

static void
read_run (gpointer data)
{
  FileTask *task = data;

  task->refused = !_sl_kept_file_read (task->cookbook->path, parse, task, &task->aside);
}

static char *
write_items (SlCookbook *self)
{
  SlJsonOut out = { 0 };
  struct cJSON *root = sl_out_object (&out, NULL, NULL), *items;

  sl_out_number (&out, root, "version", 1);
  items = sl_out_array (&out, root, "items");
  for (guint i = 0; i < count (self); i++)
    {
      g_autoptr (SlKeptRecipe) kept = get_item (self, i);
      struct cJSON *item = sl_out_object (&out, items, NULL);
      SlRecipe recipe;

      _sl_settings_get_recipe (kept->settings, &recipe);
      sl_out_text (&out, item, "name", kept->name);
      sl_out_text (&out, item, "model", kept->model);
      sl_out_bool (&out, item, "words", kept->words);
      sl_out_item (&out, item, "settings", sl_recipe_to_json (&recipe));
    }
  return sl_out_end_text (&out, root);
}

static void
write_run (gpointer data)
{
  FileTask *task = data;

  _sl_kept_file_write (task->cookbook->path, task->text, &task->error);
}

static void save (SlCookbook *self);

static void
write_done (gpointer data)
{
  FileTask *task = data;

  task->cookbook->writing = FALSE;
  if (task->cookbook->changed)
    save (task->cookbook);
  if (task->error)
    g_signal_emit (task->cookbook, signals[UNSAVED], 0, task->error->message);
}

static void
save (SlCookbook *self)
{
  FileTask *task;

  self->changed = TRUE;
  if (!self->read || self->writing)
    return;
  self->changed = FALSE;
  if (self->refused)
    {
      g_autofree char *reason
          = g_strdup_printf (sl_words ("%s: not a file of this person alone, so it is left as it is"),
                             sl_show_path (self->path).text);

      g_signal_emit (self, signals[UNSAVED], 0, reason);
      return;
    }
  self->writing = TRUE;
  task = task_new (self);
  task->text = write_items (self);
  sl_thread_queue_push (self->files, FALSE, write_run, write_done, task, task_free);
}

static void
drop_the_last (SlCookbook *self)
{
  if (count (self) > self->most)
    g_list_store_splice (self->items, self->most, count (self) - self->most, NULL, 0);
}

static void
read_done (gpointer data)
{
  FileTask *task = data;
  SlCookbook *self = task->cookbook;

  self->read = TRUE;
  self->refused = task->refused;
  for (guint i = 0; i < task->items->len; i++)
    g_list_store_append (self->items, task->items->pdata[i]);
  drop_the_last (self);
  if (task->aside)
    g_signal_emit (self, signals[DAMAGED], 0, task->aside, task->lost);
  if (self->changed || (task->aside && task->lost > 0))
    save (self);
}

SlCookbook *
sl_cookbook_new (SlThreadQueue *files, const char *file, guint most)
{
  SlCookbook *self = g_object_new (SL_TYPE_COOKBOOK, NULL);

  self->files = files;
  self->path = g_build_filename (g_get_user_config_dir (), "safelight", file, NULL);
  self->most = most;
  sl_thread_queue_push (files, FALSE, read_run, read_done, task_new (self), task_free);
  return self;
}

/* ---- changes ---- */

guint
sl_cookbook_find (SlCookbook *self, const char *name)
{
  for (guint i = 0; i < count (self); i++)
    {
      g_autoptr (SlKeptRecipe) kept = get_item (self, i);

      if (*name && g_str_equal (kept->name, name))
        return i;
    }
  return G_MAXUINT;
}

static void
drop (SlCookbook *self, guint position)
{
  if (position < count (self))
    g_list_store_remove (self->items, position);
}

void
sl_cookbook_insert (SlCookbook *self, guint position, SlKeptRecipe *kept)
{
  drop (self, sl_cookbook_find (self, kept->name));
  g_list_store_insert (self->items, MIN (position, count (self)), kept);
  drop_the_last (self);
  save (self);
}

void
sl_cookbook_add (SlCookbook *self, SlKeptRecipe *kept)
{
  sl_cookbook_insert (self, 0, kept);
}

static gboolean
same_words (SlSettings *a, SlSettings *b)
{
  g_autofree char *first = NULL, *second = NULL;

  g_object_get (a, "negative-prompt", &first, NULL);
  g_object_get (b, "negative-prompt", &second, NULL);
  return g_str_equal (sl_settings_get_prompt (a), sl_settings_get_prompt (b)) && g_str_equal (first, second);
}

void
sl_cookbook_add_words (SlCookbook *self, SlSettings *settings)
{
  g_autoptr (SlKeptRecipe) kept = sl_kept_recipe_new ("", settings, "", TRUE);

  for (guint i = count (self); i-- > 0;)
    {
      g_autoptr (SlKeptRecipe) other = get_item (self, i);

      if (same_words (other->settings, settings))
        drop (self, i);
    }
  sl_cookbook_add (self, kept);
}

void
sl_cookbook_remove (SlCookbook *self, guint position)
{
  drop (self, position);
  save (self);
}

void
sl_cookbook_rename (SlCookbook *self, guint position, const char *name)
{
  g_autoptr (SlKeptRecipe) old = get_item (self, position);
  g_autoptr (SlKeptRecipe) renamed = NULL;

  if (old == NULL || g_str_equal (old->name, name))
    return;
  renamed = sl_kept_recipe_new (name, old->settings, old->model, old->words);
  drop (self, position);
  sl_cookbook_insert (self, position, renamed);
}
