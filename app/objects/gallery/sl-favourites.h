/* sl-favourites.h - which pictures of a folder somebody likes best: a file beside them (docs/formats.md), so that it goes
 * with the folder.
 *
 * Every change reads the file, changes one name and writes it whole, so that two windows do not undo each other. A
 * damaged file is renamed and a new one begins; one that is a link, or another person's, is neither read nor replaced.
 * All functions are for the file thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SL_FAVOURITES_FILE "favourites.json"

/* The names in the folder, as a set; never NULL. *aside becomes the path that a damaged file was given, else NULL. */
GHashTable *_sl_favourites_read (const char *folder, char **aside);
/* Adds or takes away. The same, and FALSE and *error where it could not be written. */
gboolean _sl_favourites_change (
    const char *folder, const char *name, gboolean favourite, char **aside, GError **error);

G_END_DECLS
