/* sl-favourites.h - which pictures of a folder somebody likes best: a file beside them (docs/formats.md), so that it goes
 * with the folder.
 *
 * Every change reads the file, changes one name and writes it whole, so that two windows do not undo each other. A
 * damaged file is renamed and a new one begins, with what of it can be read; pictures that are gone are left out then. One that is a link, or another person's, is neither read nor replaced.
 * All functions are for the file thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SL_FAVOURITES_FILE "favourites.json"

typedef struct
{
  char *aside; /* the path that a damaged file was given; NULL: it was not */
  guint lost;  /* names in it that could not be read; 0: nothing of it could */
} SlFavouritesDamage;

/* The names in the folder, as a set; never NULL. */
GHashTable *_sl_favourites_read (const char *folder, SlFavouritesDamage *damage);
/* Adds or takes away. The same, and FALSE and *error where it could not be written. */
gboolean _sl_favourites_change (
    const char *folder, const char *name, gboolean favourite, SlFavouritesDamage *damage, GError **error);

G_END_DECLS
