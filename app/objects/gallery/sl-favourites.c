/* sl-favourites.c - see sl-favourites.h.
 *
 * Easy to get wrong: names of files are bytes, and JSON is UTF-8, so what is not plain is escaped as in a URI.
 */
#include "app/objects/gallery/sl-favourites.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-kept-file.h"
#include "engine/engine.h"

#define PLAIN " !$&'()+,;=@[]"

/* ---- reading ---- */

static gboolean
take_names (const cJSON *root, gpointer names)
{
  const cJSON *list = cJSON_GetObjectItem (root, "favourites"), *item;

  if (!cJSON_IsArray (list))
    return FALSE;
  cJSON_ArrayForEach (item, list)
  {
    const char *escaped = cJSON_GetStringValue (item);
    char *name = escaped ? g_uri_unescape_string (escaped, "/") : NULL;

    if (name == NULL || *name == '\0')
      {
        g_free (name);
        return FALSE;
      }
    g_hash_table_add (names, name);
  }
  return TRUE;
}

/* FALSE where the file must not be touched. */
static gboolean
read_names (const char *path, GHashTable *names, char **aside)
{
  gboolean ours = _sl_kept_file_read (path, take_names, names, aside);

  if (*aside)
    g_hash_table_remove_all (names);
  return ours;
}

static GHashTable *
names_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

GHashTable *
_sl_favourites_read (const char *folder, char **aside)
{
  g_autofree char *path = g_build_filename (folder, SL_FAVOURITES_FILE, NULL);
  GHashTable *names = names_new ();

  if (!read_names (path, names, aside))
    g_hash_table_remove_all (names);
  return names;
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

gboolean
_sl_favourites_change (const char *folder, const char *name, gboolean favourite, char **aside, GError **error)
{
  g_autofree char *path = g_build_filename (folder, SL_FAVOURITES_FILE, NULL);
  g_autoptr (GHashTable) names = names_new ();
  char *text;
  gboolean ok;

  if (!read_names (path, names, aside))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                   sl_words ("%s: not a file of this person alone, so it is left as it is"),
                   sl_show_path (path).text);
      return FALSE;
    }
  if (!(favourite ? g_hash_table_add (names, g_strdup (name)) : g_hash_table_remove (names, name)))
    return TRUE;
  text = write_text (names);
  ok = _sl_kept_file_write (path, text, error);
  free (text);
  return ok;
}
