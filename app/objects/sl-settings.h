/* sl-settings.h - the recipe of a picture as properties that controls bind to.
 *
 * The engine's struct SlRecipe with a person's view of it: a property for each row of the table of
 * settings, named as in files with '-' for '_'. Strings are never NULL, an empty scheduler is the
 * model's own, and choices are positions in their lists (SlControl).
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define SL_TYPE_SETTINGS (sl_settings_get_type ())

G_DECLARE_FINAL_TYPE (SlSettings, sl_settings, SL, SETTINGS, GObject)

SlSettings *sl_settings_new (void);
SlSettings *sl_settings_dup (SlSettings *self);
/* All settings of other, with one notification for each that changes. */
void sl_settings_assign (SlSettings *self, SlSettings *other);
/* Unsets the settings that the scheduler does not have. */
void sl_settings_drop_missing (SlSettings *self);
/* What depends on the kind of model, from its defaults; words, seed and size stay. */
void sl_settings_suit_model (SlSettings *self, SlSettings *defaults);
/* What still is the former model's default becomes the new model's: only what was set by hand stays. */
void sl_settings_follow_model (SlSettings *self, SlSettings *former, SlSettings *defaults);
gboolean sl_settings_equal (SlSettings *self, SlSettings *other);
const char *sl_settings_get_prompt (SlSettings *self);
const char *sl_settings_get_scheduler (SlSettings *self);
int sl_settings_get_steps (SlSettings *self);
guint64 sl_settings_get_seed (SlSettings *self);
int sl_settings_get_width (SlSettings *self);
int sl_settings_get_height (SlSettings *self);
/* As JSON text, and back; FALSE for text that is no recipe, which changes nothing. */
char *sl_settings_to_string (SlSettings *self);
gboolean sl_settings_from_string (SlSettings *self, const char *text);

G_END_DECLS
