/* sl-favourites.c - see sl-favourites.h.
 *
 * Easy to get wrong: names of files are bytes, and JSON is UTF-8, so what is not plain is escaped as in a URI.
 */
#include "app/objects/gallery/sl-favourites.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-kept-file.h"
#include "engine/engine.h"

#define PLAIN " !$&'()+,;=@[]"

/* ---- reading ---- */

typedef struct
{
  GHashTable *names; /* a set */
  guint lost;        /* names that cannot be read */
} Names;

static SlKept
take_names (const cJSON *root, gpointer data)
{
  Names *read = data;
  const cJSON *list = cJSON_GetObjectItem (root, "favourites"), *item;

  if (!cJSON_IsArray (list))
    return SL_KEPT_DAMAGED;
  cJSON_ArrayForEach (item, list)
  {
    const char *escaped = cJSON_GetStringValue (item);
    char *name = escaped ? g_uri_unescape_string (escaped, "/") : NULL;

    if (name && *name)
      g_hash_table_add (read->names, name);
    else
      {
        g_free (name);
        read->lost++;
      }
  }
  return read->lost > 0 ? SL_KEPT_PARTLY : SL_KEPT_WHOLE;
}

static GHashTable *
names_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/* ---- writing ---- */

static int
by_name (const void *a, const void *b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static char *
write_text (GHashTable *names)
{
  SlJsonOut out = { 0 };
  struct cJSON *root = sl_out_object (&out, NULL, NULL);
  struct cJSON *list;
  guint n;
  g_autofree const char **sorted = (const char **)g_hash_table_get_keys_as_array (names, &n);

  sl_out_number (&out, root, "version", 1);
  list = sl_out_array (&out, root, "favourites");
  qsort (sorted, n, sizeof *sorted, by_name);
  for (guint i = 0; i < n; i++)
    {
      const char *name = sorted[i];
      g_autofree char *escaped = g_utf8_validate (name, -1, NULL)
                                     ? g_uri_escape_string (name, PLAIN, TRUE)
                                     : g_uri_escape_bytes ((const guint8 *)name, strlen (name), PLAIN);

      sl_out_text (&out, list, NULL, escaped);
    }
  return sl_out_end_text (&out, root);
}

static gboolean
write_names (const char *path, GHashTable *names, GError **error)
{
  char *text = write_text (names);
  gboolean ok = _sl_kept_file_write (path, text, error);

  free (text);
  return ok;
}

/* FALSE where the file must not be touched. Of one that is partly damaged the rest is written again at once. */
static gboolean
read_names (const char *path, GHashTable *names, SlFavouritesDamage *damage)
{
  Names read = { .names = names };
  gboolean ours = _sl_kept_file_read (path, take_names, &read, &damage->aside);

  damage->lost = read.lost;
  if (damage->aside && read.lost > 0)
    write_names (path, names, NULL);
  return ours;
}

GHashTable *
_sl_favourites_read (const char *folder, SlFavouritesDamage *damage)
{
  g_autofree char *path = g_build_filename (folder, SL_FAVOURITES_FILE, NULL);
  GHashTable *names = names_new ();

  read_names (path, names, damage);
  return names;
}

static gboolean
is_gone (gpointer name, gpointer value, gpointer folder)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  GStatBuf status;

  return g_lstat (path, &status) != 0 && errno == ENOENT;
}

gboolean
_sl_favourites_change (
    const char *folder, const char *name, gboolean favourite, SlFavouritesDamage *damage, GError **error)
{
  g_autofree char *path = g_build_filename (folder, SL_FAVOURITES_FILE, NULL);
  g_autoptr (GHashTable) names = names_new ();

  if (!read_names (path, names, damage))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                   sl_words ("%s: not a file of this person alone, so it is left as it is"),
                   sl_show_path (path).text);
      return FALSE;
    }
  if (!(favourite ? g_hash_table_add (names, g_strdup (name)) : g_hash_table_remove (names, name)))
    return TRUE;
  g_hash_table_foreach_remove (names, is_gone, (gpointer)folder);
  return write_names (path, names, error);
}
