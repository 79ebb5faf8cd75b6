/* sl-favourites.c - see sl-favourites.h.
 *
 * Easy to get wrong: names of files are bytes, and JSON is UTF-8, so what is not plain is escaped as in a URI.
 */
#include "app/objects/gallery/sl-favourites.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "engine/engine.h"

#define MAX_BYTES (16 << 20)
#define MAX_VALUES (1 << 18)
#define PLAIN " !$&'()+,;=@[]"

/* ---- reading ---- */

/* NULL where there is none, or none that may be read; *refused then tells. */
static char *
read_text (const char *path, gsize *bytes, gboolean *refused)
{
  int fd = sl_open_own (path, O_RDONLY);
  g_autofree char *text = NULL;
  gssize part = 0;

  *bytes = 0;
  *refused = fd < 0 && errno != ENOENT;
  if (fd < 0)
    return NULL;
  text = g_try_malloc (MAX_BYTES + 1);
  while (text && *bytes <= MAX_BYTES && (part = read (fd, text + *bytes, MAX_BYTES + 1 - *bytes)) > 0)
    *bytes += (gsize)part;
  close (fd);
  *refused = text == NULL || part < 0;
  return *refused ? NULL : g_steal_pointer (&text);
}

static gboolean
take_names (GHashTable *names, const cJSON *root)
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

static gboolean
parse (GHashTable *names, const char *path, const char *text, gsize bytes)
{
  SlJson *json = bytes <= MAX_BYTES ? sl_json_parse_bounded (path, text, bytes, MAX_VALUES, NULL) : NULL;
  gboolean ok = json && take_names (names, sl_json_root (json));

  sl_json_close (json);
  return ok;
}

static GHashTable *
read_names (const char *path, char **aside, gboolean *refused)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gsize bytes;
  g_autofree char *text = read_text (path, &bytes, refused);

  *aside = NULL;
  if (text == NULL || parse (names, path, text, bytes))
    return names;
  g_hash_table_remove_all (names);
  *aside = g_strconcat (path, ".damaged", NULL);
  if (g_rename (path, *aside) != 0)
    {
      g_clear_pointer (aside, g_free);
      *refused = TRUE;
    }
  return names;
}

GHashTable *
_sl_favourites_read (const char *folder, char **aside)
{
  g_autofree char *path = g_build_filename (folder, SL_FAVOURITES_FILE, NULL);
  gboolean refused;

  return read_names (path, aside, &refused);
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
  gboolean refused, changed, ok;
  g_autoptr (GHashTable) names = read_names (path, aside, &refused);
  SlError err = { 0 };
  char *text;

  if (refused)
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                   sl_words ("%s: not a file of this person alone, so it is left as it is"),
                   sl_show_path (path).text);
      return FALSE;
    }
  changed = favourite ? g_hash_table_add (names, g_strdup (name)) : g_hash_table_remove (names, name);
  if (!changed)
    return TRUE;
  text = write_text (names);
  ok = text ? sl_write_file (path, text, strlen (text), &err)
            : sl_fail (&err, SL_MEMORY, "no memory for the favourites");
  free (text);
  if (!ok && error)
    *error = sl_app_error_new (&err);
  return ok;
}
