/* sl-settings.c - see sl-settings.h. */
#include "app/objects/sl-settings-private.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "app/recipe/recipe.h"

struct _SlSettings
{
  GObject parent_instance;
  SlRecipe recipe; /* its strings are these: */
  char *prompt;
  char *negative_prompt;
  char *scheduler;
};

G_DEFINE_FINAL_TYPE (SlSettings, sl_settings, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_PROMPT,
  PROP_NEGATIVE_PROMPT,
  PROP_SCHEDULER,
  PROP_SIGMAS,
  PROP_SPACING,
  PROP_VARIANCE,
  PROP_NOISE,
  PROP_STEPS,
  PROP_GUIDANCE,
  PROP_ETA,
  PROP_SEED,
  PROP_WIDTH,
  PROP_HEIGHT,
  PROP_CLIP_SKIP,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
sl_settings_finalize (GObject *object)
{
  SlSettings *self = SL_SETTINGS (object);

  g_free (self->prompt);
  g_free (self->negative_prompt);
  g_free (self->scheduler);
  G_OBJECT_CLASS (sl_settings_parent_class)->finalize (object);
}

static void
sl_settings_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SlSettings *self = SL_SETTINGS (object);

  switch (prop_id)
    {
    case PROP_PROMPT:
      g_value_set_string (value, self->prompt);
      break;
    case PROP_NEGATIVE_PROMPT:
      g_value_set_string (value, self->negative_prompt);
      break;
    case PROP_SCHEDULER:
      g_value_set_string (value, self->scheduler);
      break;
    case PROP_SIGMAS:
      g_value_set_uint (value, self->recipe.sigmas);
      break;
    case PROP_SPACING:
      g_value_set_uint (value, self->recipe.spacing);
      break;
    case PROP_VARIANCE:
      g_value_set_uint (value, self->recipe.variance);
      break;
    case PROP_NOISE:
      g_value_set_uint (value, self->recipe.noise);
      break;
    case PROP_STEPS:
      g_value_set_int (value, self->recipe.steps);
      break;
    case PROP_GUIDANCE:
      g_value_set_double (value, self->recipe.guidance);
      break;
    case PROP_ETA:
      g_value_set_double (value, self->recipe.eta);
      break;
    case PROP_SEED:
      g_value_set_uint64 (value, self->recipe.seed);
      break;
    case PROP_WIDTH:
      g_value_set_int (value, self->recipe.width);
      break;
    case PROP_HEIGHT:
      g_value_set_int (value, self->recipe.height);
      break;
    case PROP_CLIP_SKIP:
      g_value_set_int (value, self->recipe.clip_skip);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* TRUE when it changed. A NULL string is the empty one. */
static gboolean
take_string (char **place, const char *string)
{
  if (g_strcmp0 (*place, string ? string : "") == 0)
    return FALSE;
  g_free (*place);
  *place = g_strdup (string ? string : "");
  return TRUE;
}

#define TAKE(place, value) ((place) != (value) ? ((place) = (value), TRUE) : FALSE)

static gboolean
take_value (SlSettings *self, guint prop_id, const GValue *value)
{
  SlRecipe *recipe = &self->recipe;

  switch (prop_id)
    {
    case PROP_PROMPT:
      return take_string (&self->prompt, g_value_get_string (value));
    case PROP_NEGATIVE_PROMPT:
      return take_string (&self->negative_prompt, g_value_get_string (value));
    case PROP_SCHEDULER:
      return take_string (&self->scheduler, g_value_get_string (value));
    case PROP_SIGMAS:
      return TAKE (recipe->sigmas, g_value_get_uint (value));
    case PROP_SPACING:
      return TAKE (recipe->spacing, g_value_get_uint (value));
    case PROP_VARIANCE:
      return TAKE (recipe->variance, g_value_get_uint (value));
    case PROP_NOISE:
      return TAKE (recipe->noise, g_value_get_uint (value));
    case PROP_STEPS:
      return TAKE (recipe->steps, g_value_get_int (value));
    case PROP_GUIDANCE:
      return TAKE (recipe->guidance, g_value_get_double (value));
    case PROP_ETA:
      return TAKE (recipe->eta, g_value_get_double (value));
    case PROP_SEED:
      return TAKE (recipe->seed, g_value_get_uint64 (value));
    case PROP_WIDTH:
      return TAKE (recipe->width, g_value_get_int (value));
    case PROP_HEIGHT:
      return TAKE (recipe->height, g_value_get_int (value));
    case PROP_CLIP_SKIP:
      return TAKE (recipe->clip_skip, g_value_get_int (value));
    default:
      return FALSE;
    }
}

static void
sl_settings_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  if (take_value (SL_SETTINGS (object), prop_id, value))
    g_object_notify_by_pspec (object, pspec);
}

static void
install_numbers (GParamFlags flags)
{
  properties[PROP_SIGMAS] = g_param_spec_uint ("sigmas", NULL, NULL, 0, SL_SIGMAS_BETA, 0, flags);
  properties[PROP_SPACING] = g_param_spec_uint ("spacing", NULL, NULL, 0, SL_SPACING_TRAILING, 0, flags);
  properties[PROP_VARIANCE] = g_param_spec_uint ("variance", NULL, NULL, 0, SL_VARIANCE_LARGE, 0, flags);
  properties[PROP_NOISE] = g_param_spec_uint ("noise", NULL, NULL, 0, SL_NOISE_CUDA, 0, flags);
  properties[PROP_STEPS] = g_param_spec_int ("steps", NULL, NULL, 1, 1000, 25, flags);
  properties[PROP_GUIDANCE] = g_param_spec_double ("guidance", NULL, NULL, 0, 100, 7.5, flags);
  properties[PROP_ETA] = g_param_spec_double ("eta", NULL, NULL, -1, 1, -1, flags);
  properties[PROP_SEED] = g_param_spec_uint64 ("seed", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_WIDTH] = g_param_spec_int ("width", NULL, NULL, 0, 16384, 0, flags);
  properties[PROP_HEIGHT] = g_param_spec_int ("height", NULL, NULL, 0, 16384, 0, flags);
  properties[PROP_CLIP_SKIP] = g_param_spec_int ("clip-skip", NULL, NULL, 0, 100, 0, flags);
}

static void
sl_settings_class_init (SlSettingsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = sl_settings_finalize;
  object_class->get_property = sl_settings_get_property;
  object_class->set_property = sl_settings_set_property;

  properties[PROP_PROMPT] = g_param_spec_string ("prompt", NULL, NULL, "", flags);
  properties[PROP_NEGATIVE_PROMPT] = g_param_spec_string ("negative-prompt", NULL, NULL, "", flags);
  /* A scheduler's id; "" is the model's own. */
  properties[PROP_SCHEDULER] = g_param_spec_string ("scheduler", NULL, NULL, "", flags);
  install_numbers (flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
sl_settings_init (SlSettings *self)
{
  self->prompt = g_strdup ("");
  self->negative_prompt = g_strdup ("");
  self->scheduler = g_strdup ("");
  self->recipe.steps = 25;
  self->recipe.guidance = 7.5;
  self->recipe.eta = -1;
}

SlSettings *
sl_settings_new (void)
{
  return g_object_new (SL_TYPE_SETTINGS, NULL);
}

SlSettings *
sl_settings_dup (SlSettings *self)
{
  SlSettings *copy = sl_settings_new ();

  sl_settings_assign (copy, self);
  return copy;
}

void
sl_settings_assign (SlSettings *self, SlSettings *other)
{
  g_return_if_fail (SL_IS_SETTINGS (self));
  g_return_if_fail (SL_IS_SETTINGS (other));

  for (guint i = 1; i < N_PROPS; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_object_get_property (G_OBJECT (other), properties[i]->name, &value);
      g_object_set_property (G_OBJECT (self), properties[i]->name, &value);
    }
  self->recipe.noise_threads = other->recipe.noise_threads;
}

void
_sl_settings_get_recipe (SlSettings *self, SlRecipe *recipe)
{
  *recipe = self->recipe;
  recipe->prompt = self->prompt;
  recipe->negative_prompt = self->negative_prompt;
  recipe->scheduler = *self->scheduler ? self->scheduler : NULL;
}

void
_sl_settings_set_recipe (SlSettings *self, const SlRecipe *recipe)
{
  self->recipe.noise_threads = recipe->noise_threads;
  g_object_set (self, "prompt", recipe->prompt, "negative-prompt", recipe->negative_prompt, "scheduler",
                recipe->scheduler, "sigmas", (guint)recipe->sigmas, "spacing", (guint)recipe->spacing,
                "variance", (guint)recipe->variance, "noise", (guint)recipe->noise, "steps", recipe->steps,
                "guidance", recipe->guidance, "eta", recipe->eta, "seed", recipe->seed, "width",
                recipe->width, "height", recipe->height, "clip-skip", recipe->clip_skip, NULL);
}

gboolean
sl_settings_equal (SlSettings *self, SlSettings *other)
{
  SlRecipe a, b;

  _sl_settings_get_recipe (self, &a);
  _sl_settings_get_recipe (other, &b);
  return sl_recipe_equal (&a, &b);
}

const char *
sl_settings_get_prompt (SlSettings *self)
{
  return self->prompt;
}

const char *
sl_settings_get_scheduler (SlSettings *self)
{
  return self->scheduler;
}

int
sl_settings_get_steps (SlSettings *self)
{
  return self->recipe.steps;
}

double
sl_settings_get_eta (SlSettings *self)
{
  const SlSchedulerInfo *info = sl_scheduler_find (sl_settings_get_scheduler (self));

  if (self->recipe.eta >= 0)
    return self->recipe.eta;
  return info ? info->default_eta : 0;
}

guint64
sl_settings_get_seed (SlSettings *self)
{
  return self->recipe.seed;
}

int
sl_settings_get_width (SlSettings *self)
{
  return self->recipe.width;
}

int
sl_settings_get_height (SlSettings *self)
{
  return self->recipe.height;
}

char *
sl_settings_to_string (SlSettings *self)
{
  SlRecipe recipe;
  cJSON *json;
  char *text, *copy;

  _sl_settings_get_recipe (self, &recipe);
  json = sl_recipe_to_json (&recipe);
  text = json ? cJSON_PrintUnformatted (json) : NULL;
  copy = g_strdup (text ? text : "");
  cJSON_free (text);
  cJSON_Delete (json);
  return copy;
}

gboolean
sl_settings_from_string (SlSettings *self, const char *text)
{
  static const SlModelInfo any_model;
  cJSON *json = cJSON_Parse (text);
  SlRecipe recipe;
  gboolean ok;

  _sl_settings_get_recipe (self, &recipe);
  ok = json && sl_recipe_from_json (json, &recipe, NULL, NULL) && sl_recipe_check (&recipe, &any_model, NULL);
  if (ok)
    _sl_settings_set_recipe (self, &recipe);
  cJSON_Delete (json);
  return ok;
}
