/* sl-model-item.c - see sl-model-item.h. */
#include "app/objects/sl-model-item-private.h"

#include <stdlib.h>

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-settings-private.h"

struct _SlModelItem
{
  GObject parent_instance;
  SlModelInfo *info;
  guint64 memory;
  char *types; /* that it would take so much in */
};

G_DEFINE_FINAL_TYPE (SlModelItem, sl_model_item, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_NAME,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
sl_model_item_finalize (GObject *object)
{
  g_free (SL_MODEL_ITEM (object)->info);
  g_free (SL_MODEL_ITEM (object)->types);
  G_OBJECT_CLASS (sl_model_item_parent_class)->finalize (object);
}

static void
sl_model_item_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, SL_MODEL_ITEM (object)->info->name);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
sl_model_item_class_init (SlModelItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = sl_model_item_finalize;
  object_class->get_property = sl_model_item_get_property;
  properties[PROP_NAME]
      = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
sl_model_item_init (SlModelItem *self)
{
  self->info = g_new0 (SlModelInfo, 1);
}

SlModelItem *
sl_model_item_open (const char *path, GError **error)
{
  g_autoptr (SlModelItem) self = g_object_new (SL_TYPE_MODEL_ITEM, NULL);
  SlError err = { 0 };

  if (!sl_model_inspect (path, self->info, &err))
    {
      g_propagate_error (error, sl_app_error_new (&err));
      return NULL;
    }
  return g_steal_pointer (&self);
}

SlModelItem *
sl_model_item_with_part (SlModelItem *self, const char *part, const char *path, GError **error)
{
  g_autoptr (SlModelItem) other = g_object_new (SL_TYPE_MODEL_ITEM, NULL);
  SlPartFrom from[SL_MODEL_MAX_OTHERS + 2] = { { NULL, NULL } };
  SlError err = { 0 };
  int count = 0;

  for (int i = 0; i < self->info->others; i++)
    if (!g_str_equal (self->info->other[i].part, part))
      from[count++] = (SlPartFrom){ self->info->other[i].part, self->info->other[i].path };
  if (path)
    from[count] = (SlPartFrom){ part, path };
  if (!sl_model_inspect_with (self->info->path, from, other->info, &err))
    {
      g_propagate_error (error, sl_app_error_new (&err));
      return NULL;
    }
  return g_steal_pointer (&other);
}

gboolean
sl_model_item_has_part (SlModelItem *self, const char *part)
{
  for (int i = 0; i < self->info->parts; i++)
    if (g_str_equal (self->info->part[i].name, part))
      return TRUE;
  return FALSE;
}

gboolean
sl_model_item_refines (SlModelItem *self)
{
  return self->info->pipeline->refines;
}

gboolean
sl_model_item_takes_refiner (SlModelItem *self)
{
  return !self->info->pipeline->refines && (self->info->pipeline->has & SL_HAS_SIZES) != 0;
}

const char *
sl_model_item_get_part_path (SlModelItem *self, const char *part)
{
  for (int i = 0; i < self->info->others; i++)
    if (g_str_equal (self->info->other[i].part, part))
      return self->info->other[i].path;
  return NULL;
}

char *
sl_model_item_find_tiny (SlModelItem *self, const char *models)
{
  char *found = sl_preview_decoder_find (self->info, models, NULL);
  char *path = g_strdup (found);

  free (found);
  return path;
}

gboolean
sl_model_item_check_tiny (SlModelItem *self, const char *path, GError **error)
{
  SlError err = { 0 };

  if (sl_preview_decoder_check (self->info, path, &err))
    return TRUE;
  g_propagate_error (error, sl_app_error_new (&err));
  return FALSE;
}

gboolean
sl_model_item_equal (SlModelItem *self, SlModelItem *other)
{
  const SlModelInfo *a = self->info, *b = other->info;

  if (!g_str_equal (a->path, b->path) || a->others != b->others)
    return FALSE;
  for (int i = 0; i < a->others; i++)
    if (!g_str_equal (a->other[i].part, b->other[i].part)
        || !g_str_equal (a->other[i].path, b->other[i].path))
      return FALSE;
  return TRUE;
}

const char *
sl_model_item_get_family (SlModelItem *self)
{
  const SlPipelineInfo *pipeline = self->info->pipeline;

  return pipeline->name ? pipeline->name : pipeline->class_name;
}

const char *
sl_model_item_get_kind (SlModelItem *self)
{
  return self->info->distilled ? self->info->distilled->name : NULL;
}

/* Of the largest part. */
const char *
sl_model_item_get_stored_type (SlModelItem *self)
{
  const SlModelPart *largest = &self->info->part[0];

  for (int i = 1; i < self->info->parts; i++)
    if (self->info->part[i].bytes > largest->bytes)
      largest = &self->info->part[i];
  return largest->dtype;
}

guint64
sl_model_item_get_bytes (SlModelItem *self)
{
  guint64 bytes = 0;

  for (int i = 0; i < self->info->files; i++)
    bytes += self->info->file[i].bytes;
  return bytes;
}

void
sl_model_item_measure (SlModelItem *self)
{
  const SlAutoAsk ask = { .device = "cpu" };
  SlAutoDtype automatic;
  SlRecipe recipe;
  SlCost cost;
  SlError err = { 0 };

  sl_recipe_defaults (&recipe, self->info);
  if (!sl_auto_dtype (&ask, &automatic, &err))
    g_strlcpy (automatic.dtype, "f32", sizeof automatic.dtype); /* loading it says what is wrong */
  if (sl_model_cost (self->info, &recipe, automatic.dtype, &cost, NULL))
    {
      self->memory = cost.peak_bytes;
      g_free (self->types);
      self->types = g_strdup (automatic.dtype);
    }
}

guint64
sl_model_item_get_memory (SlModelItem *self)
{
  return self->memory;
}

const char *
sl_model_item_get_types (SlModelItem *self)
{
  return self->types ? self->types : "";
}

gboolean
sl_model_item_fits (SlModelItem *self)
{
  return self->memory <= sl_host_memory_left ("");
}

const char *
sl_model_item_get_path (SlModelItem *self)
{
  return self->info->path;
}

const char *
sl_model_item_get_name (SlModelItem *self)
{
  return self->info->name;
}

gboolean
sl_model_item_uses_prompt (SlModelItem *self)
{
  return self->info->prompt_tokens > 0;
}

int
sl_model_item_get_width (SlModelItem *self)
{
  return self->info->width;
}

int
sl_model_item_get_height (SlModelItem *self)
{
  return self->info->height;
}

guint
sl_model_item_get_sizes (SlModelItem *self, int sizes[SL_MODEL_ITEM_MAX_SIZES][2])
{
  G_STATIC_ASSERT (SL_MODEL_ITEM_MAX_SIZES == SL_MODEL_MAX_SIZES);

  return (guint)sl_model_sizes (self->info, sizes);
}

guint
sl_model_item_get_prediction (SlModelItem *self)
{
  switch (self->info->prediction)
    {
    case SL_PREDICT_EPSILON:
    case SL_PREDICT_EDM_EPSILON:
      return SL_PREDICTION_EPSILON;
    case SL_PREDICT_V:
    case SL_PREDICT_EDM_V:
      return SL_PREDICTION_V;
    case SL_PREDICT_SAMPLE:
      return SL_PREDICTION_SAMPLE;
    case SL_PREDICT_FLOW:
      break;
    }
  return 0;
}

const char *
sl_model_item_get_prediction_source (SlModelItem *self)
{
  return self->info->prediction_from;
}

int
sl_model_item_get_multiple (SlModelItem *self)
{
  return MAX (self->info->size_multiple, 1);
}

const char *
sl_model_item_get_scheduler (SlModelItem *self)
{
  return self->info->scheduler;
}

gboolean
sl_model_item_suits_scheduler (SlModelItem *self, const char *id)
{
  const SlSchedulerInfo *info = sl_scheduler_find (id);

  return info && sl_scheduler_suits (info, self->info->prediction);
}

SlSettings *
sl_model_item_defaults (SlModelItem *self)
{
  SlSettings *settings = sl_settings_new ();
  SlRecipe recipe;

  sl_recipe_defaults (&recipe, self->info);
  _sl_settings_set_recipe (settings, &recipe);
  return settings;
}

gboolean
sl_model_item_check (SlModelItem *self, SlSettings *settings, GError **error)
{
  SlError err = { 0 };
  SlRecipe recipe;

  _sl_settings_get_recipe (settings, &recipe);
  if (sl_recipe_check (&recipe, self->info, &err))
    return TRUE;
  g_propagate_error (error, sl_app_error_new (&err));
  return FALSE;
}

const SlModelInfo *
_sl_model_item_get_info (SlModelItem *self)
{
  return self->info;
}
