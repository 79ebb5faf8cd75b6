/* sl-control.c - see sl-control.h. */
#include "app/objects/sl-control.h"

#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"
#include "engine/engine.h"

static SlControl controls[SL_N_SETTINGS];

static SlControlKind
kind_of (const SlSettingInfo *setting)
{
  switch (setting->kind)
    {
    case SL_KIND_TEXT:
      return SL_CONTROL_WORDS;
    case SL_KIND_SCHEDULER:
      return SL_CONTROL_SCHEDULER;
    case SL_KIND_CHOICE:
      return SL_CONTROL_CHOICE;
    case SL_KIND_SIDE:
      return SL_CONTROL_SIDE;
    case SL_KIND_SEED:
      return SL_CONTROL_SEED;
    case SL_KIND_REAL:
    case SL_KIND_INT:
    case SL_KIND_INT64:
      break;
    }
  return SL_CONTROL_NUMBER;
}

static gpointer
make_controls (gpointer unused)
{
  for (guint i = 0; i < SL_N_SETTINGS; i++)
    {
      const SlSettingInfo *setting = sl_setting ((SlSetting)i);
      SlControl *control = &controls[i];

      *control = (SlControl){ .property = _sl_setting_property (setting),
                              .key = setting->key,
                              .kind = kind_of (setting),
                              .label = setting->label,
                              .help = setting->help,
                              .phrase = setting->phrase,
                              .another = setting->another,
                              .of_model = setting->of_model_phrase,
                              .choice_labels = setting->choice_labels,
                              .min = setting->min,
                              .max = setting->max,
                              .step = setting->step,
                              .page = setting->page,
                              .digits = (guint)setting->digits,
                              .own = setting->own };
      while (setting->choices && setting->choices[control->n_choices])
        control->n_choices++;
    }
  return controls;
}

guint
sl_control_count (void)
{
  return SL_N_SETTINGS;
}

const SlControl *
sl_control_nth (guint position)
{
  static GOnce once = G_ONCE_INIT;

  g_return_val_if_fail (position < SL_N_SETTINGS, NULL);

  g_once (&once, make_controls, NULL);
  return &controls[position];
}

const SlControl *
sl_control_find (const char *property)
{
  for (guint i = 0; i < SL_N_SETTINGS; i++)
    if (g_str_equal (sl_control_nth (i)->property, property))
      return sl_control_nth (i);
  g_return_val_if_reached (NULL);
}

static const SlSettingInfo *
setting_of (const SlControl *control)
{
  return sl_setting ((SlSetting)(control - controls));
}

gboolean
sl_control_exists (const SlControl *control, SlModelItem *model, const char *scheduler)
{
  const SlModelInfo *info = model ? _sl_model_item_get_info (model) : NULL;
  const char *id = *scheduler || !info ? scheduler : info->scheduler;

  return sl_setting_exists (setting_of (control), info, sl_scheduler_find (id));
}

gboolean
sl_control_counts (const SlControl *control, SlSettings *settings)
{
  SlRecipe recipe;

  _sl_settings_get_recipe (settings, &recipe);
  return sl_setting_counts (setting_of (control), &recipe);
}

double
sl_control_get_default (const SlControl *control, SlSettings *settings)
{
  const SlSchedulerInfo *scheduler = sl_scheduler_find (sl_settings_get_scheduler (settings));
  size_t offset = setting_of (control)->of_scheduler;
  double usual = setting_of (control)->usual;
  double value = usual != 0 ? usual : MAX (setting_of (control)->unset, control->min);

  if (offset && scheduler)
    memcpy (&value, (const char *)scheduler + offset, sizeof value);
  return value;
}

gboolean
sl_control_is_unset (const SlControl *control, SlSettings *settings, gboolean all)
{
  const SlSettingInfo *setting = setting_of (control);
  SlRecipe recipe;

  _sl_settings_get_recipe (settings, &recipe);
  return sl_setting_is_unset (setting, &recipe)
         && (setting->unset < control->min || (all && setting->of_model == NULL));
}
