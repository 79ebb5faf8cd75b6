/* sl-kept-file.c - see sl-kept-file.h. */
#include "app/objects/sl-kept-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "engine/engine.h"

#define MAX_BYTES (16 << 20)
#define MAX_VALUES (1 << 18)
#define MAX_ASIDE 9 /* damaged ones that are kept; the last is replaced */

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
  do
    {
      part = text ? read (fd, text + *bytes, MAX_BYTES + 1 - *bytes) : 0;
      *bytes += part > 0 ? (gsize)part : 0;
    }
  while (*bytes <= MAX_BYTES && (part > 0 || (part < 0 && errno == EINTR)));
  close (fd);
  *refused = text == NULL || part < 0;
  return *refused ? NULL : g_steal_pointer (&text);
}

/* *refused: without memory nothing is known of it. */
static SlKept
take (const char *path, const char *text, gsize bytes, SlKeptParse parse, gpointer data, gboolean *refused)
{
  SlError err = { 0 };
  SlJson *json = bytes <= MAX_BYTES ? sl_json_parse_bounded (path, text, bytes, MAX_VALUES, &err) : NULL;
  SlKept kept = json ? parse (sl_json_root (json), data) : SL_KEPT_DAMAGED;

  *refused = err.code == SL_MEMORY;
  sl_json_close (json);
  return kept;
}

/* Behind those of before, of which nothing is lost either. */
static char *
free_name (const char *path)
{
  char *name = g_strconcat (path, ".damaged", NULL);

  for (guint i = 2; g_file_test (name, G_FILE_TEST_EXISTS) && i <= MAX_ASIDE; i++)
    {
      g_free (name);
      name = g_strdup_printf ("%s.damaged-%u", path, i);
    }
  return name;
}

gboolean
_sl_kept_file_read (const char *path, SlKeptParse parse, gpointer data, char **aside)
{
  gsize bytes;
  gboolean refused;
  g_autofree char *text = read_text (path, &bytes, &refused);

  *aside = NULL;
  if (text == NULL || take (path, text, bytes, parse, data, &refused) == SL_KEPT_WHOLE || refused)
    return !refused;
  *aside = free_name (path);
  if (g_rename (path, *aside) == 0)
    return TRUE;
  g_clear_pointer (aside, g_free);
  return FALSE;
}

gboolean
_sl_kept_file_write (const char *path, const char *text, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  SlError err = { 0 };
  gboolean ok;

  g_mkdir_with_parents (folder, 0700);
  if (text && strlen (text) > MAX_BYTES)
    ok = sl_fail (&err, SL_FORMAT, sl_words ("%s would have %s; expected at most %s"),
                  sl_show_path (path).text, sl_bytes_text (strlen (text)).text,
                  sl_bytes_text (MAX_BYTES).text);
  else
    ok = text ? sl_write_file (path, text, strlen (text), &err)
              : sl_fail (&err, SL_MEMORY, sl_words ("no memory to write %s"), sl_show_path (path).text);
  if (!ok && error)
    *error = sl_app_error_new (&err);
  return ok;
}
