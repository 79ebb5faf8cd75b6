/* sl-places.h - where things are: models, pictures, the GSettings schema, translations.
 *
 * The program also runs from its build folder, so each installed place has a counterpart there.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The search path (docs/design.md, "Where models are looked for"); preferred is the preference, may be "" or NULL. Free with
 * g_ptr_array_unref. */
GPtrArray *sl_places_model_folders (const char *preferred);
/* The preference, or Safelight in the pictures folder. */
char *sl_places_pictures_folder (GSettings *settings);
/* Where comparisons are kept by themselves. */
char *sl_places_comparisons_folder (void);
char *sl_places_locale_folder (void);
/* NULL and a sentence when the schema is not installed. Saves to a file of its own where the desktop
 * has no settings service. */
GSettings *sl_places_open_settings (GError **error);

/* Whether what a key was just set to is on the disk. FALSE and a sentence where it could not be written; a desktop's
 * settings service says nothing, so there it is TRUE. */
gboolean sl_places_check_kept (GSettings *settings, const char *key, GError **error);
/* The same of settings that are kept in this file. */
gboolean sl_places_check_kept_in (GSettings *settings, const char *key, const char *file, GError **error);

G_END_DECLS
