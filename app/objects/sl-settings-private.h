/* sl-settings-private.h - settings as the engine sees them; for app/ only. */
#pragma once

#include "app/objects/sl-settings.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* Strings are borrowed from self until it changes. */
void _sl_settings_get_recipe (SlSettings *self, SlRecipe *recipe);
void _sl_settings_set_recipe (SlSettings *self, const SlRecipe *recipe);
/* As sl_settings_from_string; NULL is no recipe. */
gboolean _sl_settings_from_json (SlSettings *self, const struct cJSON *json);
/* The name of a setting's property. */
const char *_sl_setting_property (const SlSettingInfo *setting);

G_END_DECLS
