/* sl-workspace.c - see sl-workspace.h. */
#include "ui/workspace/sl-workspace.h"

#include <glib/gi18n.h>

G_DEFINE_FINAL_TYPE (SlWorkspace, sl_workspace, G_TYPE_OBJECT)

enum
{
  MODEL_CHANGED,
  MODEL_WANTED,
  PARTS_WANTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

#define MAX_PRESETS 500
#define MAX_HISTORY 100

/* What the first start shows; the starter model was trained on it. */
#define FIRST_PROMPT "a red house by a lake at sunset"

/* ---- models ---- */

static void
set_device (SlWorkspace *self)
{
  static const char *const devices[] = { "auto", "cpu", "cuda", "ref" };
  static const char *const dtypes[] = { "auto", "f32", "bf16", "f16", "q8" };
  guint device = g_settings_get_uint (self->preferences, "device");
  guint dtype = g_settings_get_uint (self->preferences, "dtype");

  sl_worker_set_device (self->worker, devices[MIN (device, G_N_ELEMENTS (devices) - 1)],
                        dtypes[MIN (dtype, G_N_ELEMENTS (dtypes) - 1)],
                        (int)g_settings_get_uint (self->preferences, "threads"));
}

/* Which tiny VAE makes previews; from the next job on. */
static void
set_tiny (SlWorkspace *self)
{
  g_autofree char *path = g_settings_get_string (self->preferences, "preview-decoder");
  g_autofree char *models = g_settings_get_string (self->preferences, "models-folder");

  sl_worker_set_tiny (self->worker, path, models);
}

/* From the next job on. */
static void
set_words (SlWorkspace *self)
{
  sl_worker_set_words (self->worker, g_settings_get_boolean (self->preferences, "word-maps"));
}

static void
device_changed (SlWorkspace *self)
{
  set_device (self);
  if (self->model)
    sl_worker_load (self->worker, self->model);
}

/* The model's width and height where the recipe's own do not fit. */
static void
fit_recipe (SlWorkspace *self)
{
  gboolean has_size = sl_settings_get_width (self->recipe) > 0 && sl_settings_get_height (self->recipe) > 0;

  if (self->model && !(has_size && sl_model_item_check (self->model, self->recipe, NULL)))
    g_object_set (self->recipe, "width", sl_model_item_get_width (self->model), "height",
                  sl_model_item_get_height (self->model), NULL);
}

void
sl_workspace_take_model (SlWorkspace *self, SlModelItem *model)
{
  gboolean takes_prompt = sl_model_item_uses_prompt (model);
  g_autoptr (SlSettings) defaults = sl_model_item_defaults (model);

  if (self->model)
    {
      g_autoptr (SlSettings) former = sl_model_item_defaults (self->model);

      sl_settings_follow_model (self->recipe, former, defaults);
    }
  if (takes_prompt != self->takes_prompt
      || !sl_model_item_suits_scheduler (model, sl_settings_get_scheduler (self->recipe)))
    sl_settings_suit_model (self->recipe, defaults);
  g_set_object (&self->model, model);
  self->takes_prompt = takes_prompt;
  sl_prompt_reader_set_model (self->prompts, model);
  fit_recipe (self);
  g_settings_set_string (self->preferences, "model", sl_model_item_get_path (model));
  sl_worker_load (self->worker, model);
  sl_lora_list_set_model (self->loras, model);
  g_signal_emit (self, signals[MODEL_CHANGED], 0);
}

void
sl_workspace_want_model (SlWorkspace *self, guint position)
{
  if (position != G_MAXUINT)
    g_signal_emit (self, signals[MODEL_WANTED], 0, position);
}

void
sl_workspace_want_parts (SlWorkspace *self, const char *const *parts)
{
  g_signal_emit (self, signals[PARTS_WANTED], 0, parts);
}

void
sl_workspace_scan_models (SlWorkspace *self)
{
  g_autofree char *folder = g_settings_get_string (self->preferences, "models-folder");

  sl_model_store_scan (self->models, folder);
  sl_prompt_reader_set_folder (self->prompts, folder);
}

/* ---- the recipe ---- */

void
sl_workspace_take_settings (SlWorkspace *self, SlSettings *settings)
{
  sl_settings_assign (self->recipe, settings);
  fit_recipe (self);
  self->seed_is_fresh = TRUE;
}

void
sl_workspace_reset_recipe (SlWorkspace *self)
{
  g_autoptr (SlSettings) defaults = self->model ? sl_model_item_defaults (self->model) : sl_settings_new ();

  g_object_set (defaults, "prompt", sl_settings_get_prompt (self->recipe), "seed",
                sl_settings_get_seed (self->recipe), NULL);
  sl_settings_assign (self->recipe, defaults);
}

void
sl_workspace_roll_seed (SlWorkspace *self)
{
  /* Below 2^31: short enough to read out, and every other program takes it. */
  g_object_set (self->recipe, "seed", (guint64)g_random_int_range (0, G_MAXINT32), NULL);
}

void
sl_workspace_use_seed (SlWorkspace *self)
{
  if (!self->seed_is_fresh && !g_settings_get_boolean (self->preferences, "keep-seed"))
    sl_workspace_roll_seed (self);
  self->seed_is_fresh = FALSE;
}

static void
seed_changed (SlWorkspace *self)
{
  self->seed_is_fresh = TRUE;
}

GPtrArray *
sl_workspace_expand (SlWorkspace *self, SlSettings *recipe, int count, GError **error)
{
  g_autofree char *folder = g_settings_get_string (self->preferences, "models-folder");

  return sl_dynamic_expand (recipe, (SlDynamic)g_settings_get_uint (self->preferences, "dynamic"), count,
                            folder, error);
}

SlSettings *
sl_workspace_draw (SlWorkspace *self, GError **error)
{
  g_autofree char *folder = g_settings_get_string (self->preferences, "models-folder");
  gboolean dynamic = g_settings_get_uint (self->preferences, "dynamic") != SL_DYNAMIC_OFF;
  g_autoptr (GPtrArray) drawn
      = sl_dynamic_expand (self->recipe, dynamic ? SL_DYNAMIC_DRAW : SL_DYNAMIC_OFF, 1, folder, error);

  return drawn ? g_object_ref (drawn->pdata[0]) : NULL;
}

SlPreviews
sl_workspace_get_previews (SlWorkspace *self)
{
  return (SlPreviews)g_settings_get_uint (self->preferences, "previews");
}

char *
sl_workspace_dup_difference (SlWorkspace *self, SlComputed computed)
{
  g_autofree char *now = self->model ? sl_worker_dup_difference (self->worker, self->model, computed) : NULL;

  /* Translators: what a picture was computed on and in, and what the next one will be: “cpu, bf16”. */
  return now ? g_strdup_printf (_ ("Computed as “%s, %s”; a new run is as “%s”"), computed.device,
                                computed.types, now)
             : NULL;
}

/* ---- opening and closing ---- */

static void
open_gallery (SlWorkspace *self)
{
  g_autofree char *folder = sl_places_pictures_folder (self->preferences);

  sl_gallery_open (self->gallery, folder);
  sl_keeper_set_folder (self->keeper, SL_KEEP_PICTURE, folder);
}

/* A queue that went on would make pictures that cannot be saved either. */
static void
keeper_changed (SlWorkspace *self)
{
  if (!self->closed)
    sl_queue_set_held (self->queue, sl_keeper_count_unsaved (self->keeper, SL_KEEP_PICTURE) > 0);
}

guint
sl_workspace_count_unsaved (SlWorkspace *self)
{
  guint count = 0;

  sl_keeper_finish (self->keeper);
  for (guint kind = 0; kind < SL_N_KEEP; kind++)
    count += sl_keeper_count_unsaved (self->keeper, (SlKept)kind);
  return count;
}

static void
restore_recipe (SlWorkspace *self)
{
  g_autofree char *recipe = g_settings_get_string (self->preferences, "recipe");

  if (!*recipe || !sl_settings_from_string (self->recipe, recipe))
    g_object_set (self->recipe, "prompt", FIRST_PROMPT, "seed", (guint64)7, NULL);
  self->seed_is_fresh = TRUE;
  self->takes_prompt = TRUE;
}

static void
connect_preferences (SlWorkspace *self)
{
  const struct
  {
    const char *signal;
    GCallback changed;
  } keys[] = {
    { "changed::device", G_CALLBACK (device_changed) },
    { "changed::dtype", G_CALLBACK (device_changed) },
    { "changed::threads", G_CALLBACK (device_changed) },
    { "changed::models-folder", G_CALLBACK (sl_workspace_scan_models) },
    { "changed::models-folder", G_CALLBACK (set_tiny) },
    { "changed::preview-decoder", G_CALLBACK (set_tiny) },
    { "changed::word-maps", G_CALLBACK (set_words) },
    { "changed::pictures-folder", G_CALLBACK (open_gallery) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_signal_connect_object (self->preferences, keys[i].signal, keys[i].changed, self, G_CONNECT_SWAPPED);
}

SlWorkspace *
sl_workspace_new (GSettings *preferences)
{
  SlWorkspace *self = g_object_new (SL_TYPE_WORKSPACE, NULL);

  self->preferences = g_object_ref (preferences);
  self->estimator = sl_estimator_new (preferences, self->worker);
  restore_recipe (self);
  self->loras = sl_lora_list_new (self->files, self->recipe, preferences);
  g_signal_connect_object (self->models, "scanned", G_CALLBACK (sl_lora_list_look_again), self->loras,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->recipe, "notify::seed", G_CALLBACK (seed_changed), self, G_CONNECT_SWAPPED);
  set_device (self);
  set_tiny (self);
  set_words (self);
  connect_preferences (self);
  g_settings_bind (preferences, "dynamic", self->prompts, "dynamic", G_SETTINGS_BIND_DEFAULT);
  return self;
}

void
sl_workspace_open (SlWorkspace *self)
{
  g_autofree char *comparisons = sl_places_comparisons_folder ();

  sl_workspace_scan_models (self);
  open_gallery (self);
  sl_comparison_shelf_open (self->shelf, comparisons);
}

void
sl_workspace_close (SlWorkspace *self)
{
  g_autofree char *recipe = sl_settings_to_string (self->recipe);

  if (self->closed)
    return;
  self->closed = TRUE;
  g_signal_handlers_disconnect_by_data (self->preferences, self);
  g_settings_set_string (self->preferences, "recipe", recipe);
  sl_lora_list_close (self->loras);
  sl_gallery_flush (self->gallery);
  sl_estimator_close (self->estimator);
  sl_worker_shutdown (self->worker);
  sl_prompt_reader_close (self->prompts);
  sl_keeper_close (self->keeper);
  sl_comparison_shelf_close (self->shelf);
  g_clear_pointer (&self->files, sl_thread_queue_close);
  g_settings_sync ();
}

/* ---- class ---- */

static void
sl_workspace_finalize (GObject *object)
{
  SlWorkspace *self = SL_WORKSPACE (object);

  sl_workspace_close (self);
  g_clear_object (&self->model);
  g_clear_object (&self->queue);
  g_clear_object (&self->shelf);
  g_clear_object (&self->comparison);
  g_clear_object (&self->estimator);
  g_clear_object (&self->worker);
  g_clear_object (&self->models);
  g_clear_object (&self->prompts);
  g_clear_object (&self->gallery);
  g_clear_object (&self->presets);
  g_clear_object (&self->history);
  g_clear_object (&self->keeper);
  g_clear_object (&self->loras);
  g_clear_object (&self->recipe);
  g_clear_object (&self->preferences);
  G_OBJECT_CLASS (sl_workspace_parent_class)->finalize (object);
}

static void
sl_workspace_class_init (SlWorkspaceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_workspace_finalize;
  signals[MODEL_CHANGED] = g_signal_new ("model-changed", SL_TYPE_WORKSPACE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 0);
  signals[MODEL_WANTED] = g_signal_new ("model-wanted", SL_TYPE_WORKSPACE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                        NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[PARTS_WANTED] = g_signal_new ("parts-wanted", SL_TYPE_WORKSPACE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                        NULL, G_TYPE_NONE, 1, G_TYPE_STRV);
}

static void
sl_workspace_init (SlWorkspace *self)
{
  self->recipe = sl_settings_new ();
  self->files = sl_thread_queue_new ("files");
  self->worker = sl_worker_new ();
  self->models = sl_model_store_new (self->files);
  self->prompts = sl_prompt_reader_new ();
  self->queue = sl_queue_new (self->worker);
  self->gallery = sl_gallery_new (self->files);
  self->presets = sl_cookbook_new (self->files, "presets.json", MAX_PRESETS);
  self->history = sl_cookbook_new (self->files, "history.json", MAX_HISTORY);
  self->keeper = sl_keeper_new (self->files);
  g_signal_connect_object (self->keeper, "changed", G_CALLBACK (keeper_changed), self, G_CONNECT_SWAPPED);
  self->comparison = sl_comparison_new (self->worker);
  self->shelf = sl_comparison_shelf_new (self->comparison, self->keeper, self->files);
}
