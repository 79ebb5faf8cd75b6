/* sl-settings.c - see sl-settings.h. */
#include "app/objects/sl-settings-private.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "app/objects/sl-control.h"
#include "app/recipe/recipe.h"

struct _SlSettings
{
  GObject parent_instance;
  SlRecipe recipe;           /* its strings are these: */
  char *text[SL_N_SETTINGS]; /* of the settings that are texts, never NULL */
};

G_DEFINE_FINAL_TYPE (SlSettings, sl_settings, G_TYPE_OBJECT)

/* The name with '-' for '_', as properties want it; lives as long as the program. */
const char *
_sl_setting_property (const SlSettingInfo *setting)
{
  g_autofree char *name = g_strdelimit (g_strdup (setting->key), "_", '-');

  return g_intern_string (name);
}

/* A property for each row of the engine's table; its number is the setting's and 1. */
static GParamSpec *properties[SL_N_SETTINGS + 1];

static gboolean
is_text (const SlSettingInfo *setting)
{
  return setting->kind == SL_KIND_TEXT || setting->kind == SL_KIND_SCHEDULER;
}

static void
sl_settings_finalize (GObject *object)
{
  SlSettings *self = SL_SETTINGS (object);

  for (guint i = 0; i < SL_N_SETTINGS; i++)
    g_free (self->text[i]);
  G_OBJECT_CLASS (sl_settings_parent_class)->finalize (object);
}

static void
sl_settings_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SlSettings *self = SL_SETTINGS (object);
  const SlSettingInfo *setting = sl_setting ((SlSetting)(prop_id - 1));

  switch (setting->kind)
    {
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
      g_value_set_string (value, self->text[setting->id]);
      break;
    case SL_KIND_CHOICE:
      g_value_set_uint (value, (guint)sl_setting_number (setting, &self->recipe));
      break;
    case SL_KIND_REAL:
      g_value_set_double (value, sl_setting_number (setting, &self->recipe));
      break;
    case SL_KIND_INT:
    case SL_KIND_SIDE:
      g_value_set_int (value, (int)sl_setting_number (setting, &self->recipe));
      break;
    case SL_KIND_INT64:
      g_value_set_int64 (value, (gint64)sl_setting_number (setting, &self->recipe));
      break;
    case SL_KIND_SEED:
      g_value_set_uint64 (value, sl_setting_seed (setting, &self->recipe));
      break;
    }
}

/* A scheduler without a name is the model's own, which the engine says with NULL. */
static void
take_text (SlSettings *self, const SlSettingInfo *setting, const char *text)
{
  char **place = &self->text[setting->id];
  gboolean none = setting->kind == SL_KIND_SCHEDULER && (text == NULL || *text == '\0');

  g_free (*place);
  *place = g_strdup (text ? text : "");
  sl_setting_set_text (setting, &self->recipe, none ? NULL : *place);
}

static void
take_value (SlSettings *self, const SlSettingInfo *setting, const GValue *value)
{
  switch (setting->kind)
    {
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
      take_text (self, setting, g_value_get_string (value));
      break;
    case SL_KIND_CHOICE:
      sl_setting_set_number (setting, &self->recipe, g_value_get_uint (value));
      break;
    case SL_KIND_REAL:
      sl_setting_set_number (setting, &self->recipe, g_value_get_double (value));
      break;
    case SL_KIND_INT:
    case SL_KIND_SIDE:
      sl_setting_set_number (setting, &self->recipe, g_value_get_int (value));
      break;
    case SL_KIND_INT64:
      sl_setting_set_number (setting, &self->recipe, (double)g_value_get_int64 (value));
      break;
    case SL_KIND_SEED:
      sl_setting_set_seed (setting, &self->recipe, g_value_get_uint64 (value));
      break;
    }
}

static void
sl_settings_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  g_auto (GValue) before = G_VALUE_INIT;

  g_value_init (&before, pspec->value_type);
  sl_settings_get_property (object, prop_id, &before, pspec);
  take_value (SL_SETTINGS (object), sl_setting ((SlSetting)(prop_id - 1)), value);
  if (g_param_values_cmp (pspec, &before, value) != 0)
    g_object_notify_by_pspec (object, pspec);
}

/* The range of a number's property also holds its "unset" value. */
static GParamSpec *
make_property (const SlSettingInfo *setting)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_NAME | G_PARAM_EXPLICIT_NOTIFY;
  const char *name = _sl_setting_property (setting);
  double unset = setting->unset, min = MIN (setting->min, unset), max = setting->max;
  guint choices = 0;

  switch (setting->kind)
    {
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
      return g_param_spec_string (name, NULL, NULL, "", flags);
    case SL_KIND_CHOICE:
      while (setting->choices[choices])
        choices++;
      return g_param_spec_uint (name, NULL, NULL, 0, choices - 1, 0, flags);
    case SL_KIND_REAL:
      return g_param_spec_double (name, NULL, NULL, min, max, unset, flags);
    case SL_KIND_INT:
    case SL_KIND_SIDE:
      return g_param_spec_int (name, NULL, NULL, (int)min, (int)max, (int)unset, flags);
    case SL_KIND_INT64:
      return g_param_spec_int64 (name, NULL, NULL, (gint64)min, (gint64)max, (gint64)unset, flags);
    case SL_KIND_SEED:
      break;
    }
  return g_param_spec_uint64 (name, NULL, NULL, 0, G_MAXUINT64, 0, flags);
}

static void
sl_settings_class_init (SlSettingsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = sl_settings_finalize;
  object_class->get_property = sl_settings_get_property;
  object_class->set_property = sl_settings_set_property;

  for (guint i = 0; i < SL_N_SETTINGS; i++)
    properties[i + 1] = make_property (sl_setting ((SlSetting)i));
  g_object_class_install_properties (object_class, SL_N_SETTINGS + 1, properties);
}

static void
sl_settings_init (SlSettings *self)
{
  sl_recipe_clear (&self->recipe);
  for (guint i = 0; i < SL_N_SETTINGS; i++)
    if (is_text (sl_setting ((SlSetting)i)))
      take_text (self, sl_setting ((SlSetting)i), "");
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

  _sl_settings_set_recipe (self, &other->recipe);
}

void
_sl_settings_get_recipe (SlSettings *self, SlRecipe *recipe)
{
  *recipe = self->recipe;
}

void
_sl_settings_set_recipe (SlSettings *self, const SlRecipe *recipe)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 0; i < SL_N_SETTINGS; i++)
    {
      const SlSettingInfo *setting = sl_setting ((SlSetting)i);

      if (is_text (setting) ? g_str_equal (self->text[i], sl_setting_text (setting, recipe))
                            : sl_setting_equal (setting, &self->recipe, recipe))
        continue;
      if (is_text (setting))
        take_text (self, setting, sl_setting_text (setting, recipe));
      else
        sl_setting_copy (setting, recipe, &self->recipe);
      g_object_notify_by_pspec (G_OBJECT (self), properties[i + 1]);
    }
  g_object_thaw_notify (G_OBJECT (self));
}

void
sl_settings_drop_missing (SlSettings *self)
{
  SlRecipe recipe = self->recipe;

  sl_recipe_drop_missing (&recipe, ~(SlSettingSet)0);
  _sl_settings_set_recipe (self, &recipe);
}

void
sl_settings_suit_model (SlSettings *self, SlSettings *defaults)
{
  SlRecipe recipe = self->recipe;
  SlSettingSet suited = 0;

  for (guint i = 0; i < SL_N_SETTINGS; i++)
    {
      const SlSettingInfo *setting = sl_setting ((SlSetting)i);

      if (setting->takes || (setting->of_model && setting->kind != SL_KIND_SIDE))
        suited |= SL_SETTING_BIT (i);
    }
  sl_recipe_change (&recipe, &defaults->recipe, suited);
  _sl_settings_set_recipe (self, &recipe);
}

void
sl_settings_follow_model (SlSettings *self, SlSettings *former, SlSettings *defaults)
{
  SlRecipe recipe = self->recipe;
  SlSettingSet followed = 0;

  for (guint i = 0; i < SL_N_SETTINGS; i++)
    {
      const SlSettingInfo *setting = sl_setting ((SlSetting)i);

      if (setting->of_model && sl_setting_equal (setting, &recipe, &former->recipe))
        followed |= SL_SETTING_BIT (i);
    }
  sl_recipe_change (&recipe, &defaults->recipe, followed);
  _sl_settings_set_recipe (self, &recipe);
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
  return self->text[SL_SETTING_PROMPT];
}

const char *
sl_settings_get_scheduler (SlSettings *self)
{
  return self->text[SL_SETTING_SCHEDULER];
}

int
sl_settings_get_steps (SlSettings *self)
{
  return self->recipe.steps;
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
_sl_settings_from_json (SlSettings *self, const cJSON *json)
{
  SlRecipe recipe = self->recipe;
  gboolean ok;

  /* What texts leave out where it is unset. */
  for (guint i = 0; i < SL_N_SETTINGS; i++)
    if (!sl_setting ((SlSetting)i)->always)
      sl_setting_unset (sl_setting ((SlSetting)i), &recipe);
  ok = json && sl_recipe_from_json (json, &recipe, NULL, NULL) && sl_recipe_check (&recipe, NULL, NULL);
  if (ok)
    _sl_settings_set_recipe (self, &recipe);
  return ok;
}

gboolean
sl_settings_from_string (SlSettings *self, const char *text)
{
  cJSON *json = cJSON_Parse (text);
  gboolean ok = _sl_settings_from_json (self, json);

  cJSON_Delete (json);
  return ok;
}
