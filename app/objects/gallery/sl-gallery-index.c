/* sl-gallery-index.c - see sl-gallery-index.h.
 *
 * Easy to get wrong: names of files are bytes, not always UTF-8, so they are blobs; what comes out of the
 * database is as little trusted as any file. The journal is the plain one: it needs no shared memory, so a home on
 * a network works, too.
 */
#include "app/objects/gallery/sl-gallery-index.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/files/files.h"
#include "engine/engine.h"

#define VERSION 1    /* of the tables; a database of a later program is not touched */
#define WAIT_MS 2000 /* for another process that writes */
#define MAX_TEXT (16 << 20)
#define MAX_VALUES (1 << 16) /* of a lineage, as JSON */

struct _SlGalleryIndex
{
  sqlite3 *db;
  char *path;
};

static const char tables[] = "BEGIN IMMEDIATE;"
                             "CREATE TABLE IF NOT EXISTS picture ("
                             " folder BLOB NOT NULL,"
                             " file BLOB NOT NULL,"
                             " mtime INTEGER NOT NULL,"
                             " bytes INTEGER NOT NULL,"
                             " prompt TEXT,"
                             " lineage TEXT,"
                             " PRIMARY KEY (folder, file)) WITHOUT ROWID;"
                             "PRAGMA user_version = 1;"
                             "COMMIT;";

/* ---- entries ---- */

SlIndexEntry *
_sl_index_entry_new (const char *name, gint64 mtime, gint64 bytes)
{
  SlIndexEntry *entry = g_new0 (SlIndexEntry, 1);

  entry->name = g_strdup (name);
  entry->mtime = mtime;
  entry->bytes = bytes;
  return entry;
}

void
_sl_index_entry_free (SlIndexEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->name);
  g_free (entry->prompt);
  _sl_lineage_free (entry->lineage);
  g_free (entry);
}

/* ---- the database ---- */

static gboolean
is_damage (int result)
{
  return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

/* The one damaged file that was found last is kept. */
static void
put_aside (const char *path)
{
  g_autofree char *aside = g_strconcat (path, ".damaged", NULL);
  g_autofree char *journal = g_strconcat (path, "-journal", NULL);

  g_message ("%s is damaged; it is made again from the pictures", path);
  g_rename (path, aside);
  g_unlink (journal);
}

static int
get_version (sqlite3 *db, int *version)
{
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2 (db, "PRAGMA user_version", -1, &statement, NULL);

  if (result == SQLITE_OK && (result = sqlite3_step (statement)) == SQLITE_ROW)
    {
      *version = sqlite3_column_int (statement, 0);
      result = SQLITE_OK;
    }
  sqlite3_finalize (statement);
  return result;
}

static int
set_up (sqlite3 *db)
{
  int version = 0, result;

  sqlite3_busy_timeout (db, WAIT_MS);
  sqlite3_limit (db, SQLITE_LIMIT_LENGTH, MAX_TEXT);
  sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_exec (db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = NORMAL",
                NULL, NULL, NULL);
  result = get_version (db, &version);
  if (result != SQLITE_OK || version == VERSION)
    return result;
  return version > VERSION ? SQLITE_MISMATCH : sqlite3_exec (db, tables, NULL, NULL, NULL);
}

/* SQLite follows links and waits for pipes, so what lies there is looked at first. */
static gboolean
is_usable (const char *path)
{
  int fd = sl_open_own (path, O_RDWR | O_CREAT);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static int
connect_to (SlGalleryIndex *self)
{
  int result = is_usable (self->path) ? sqlite3_open_v2 (self->path, &self->db,
                                                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
                                      : SQLITE_CANTOPEN;

  if (result == SQLITE_OK)
    result = set_up (self->db);
  if (result != SQLITE_OK)
    {
      sqlite3_close (self->db);
      self->db = NULL;
    }
  return result;
}

SlGalleryIndex *
_sl_gallery_index_open (void)
{
  g_autoptr (SlGalleryIndex) self = g_new0 (SlGalleryIndex, 1);
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "safelight", NULL);
  int result;

  self->path = g_build_filename (folder, "gallery.db", NULL);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return NULL;
  result = connect_to (self);
  if (is_damage (result))
    {
      put_aside (self->path);
      result = connect_to (self);
    }
  if (result == SQLITE_OK)
    return g_steal_pointer (&self);
  g_message ("%s cannot be used (%s); every picture is read instead", self->path, sqlite3_errstr (result));
  return NULL;
}

void
_sl_gallery_index_close (SlGalleryIndex *self)
{
  if (self == NULL)
    return;
  sqlite3_close (self->db);
  g_free (self->path);
  g_free (self);
}

/* From now on nothing is known. */
static void
begin_anew (SlGalleryIndex *self)
{
  sqlite3_close (self->db);
  self->db = NULL;
  put_aside (self->path);
  connect_to (self);
}

static sqlite3_stmt *
prepare (SlGalleryIndex *self, const char *sql)
{
  sqlite3_stmt *statement = NULL;

  if (self && self->db)
    sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL);
  return statement;
}

static void
bind_name (sqlite3_stmt *statement, int at, const char *name)
{
  sqlite3_bind_blob64 (statement, at, name, strlen (name), SQLITE_TRANSIENT);
}

static char *
column_name (sqlite3_stmt *statement, int at)
{
  const char *bytes = sqlite3_column_blob (statement, at);

  return g_strndup (bytes ? bytes : "", (gsize)sqlite3_column_bytes (statement, at));
}

/* ---- reading ---- */

/* NULL when the row is not what this program writes: the picture is read again. */
static SlIndexEntry *
read_row (sqlite3_stmt *row)
{
  g_autofree char *name = column_name (row, 0);
  g_autoptr (SlIndexEntry) entry
      = _sl_index_entry_new (name, sqlite3_column_int64 (row, 1), sqlite3_column_int64 (row, 2));
  const char *prompt = (const char *)sqlite3_column_text (row, 3);
  const char *lineage = (const char *)sqlite3_column_text (row, 4);
  SlJson *json;

  if (prompt == NULL)
    return g_steal_pointer (&entry);
  json = lineage ? sl_json_parse_bounded (name, lineage, strlen (lineage), MAX_VALUES, NULL) : NULL;
  entry->lineage = json ? _sl_lineage_read (sl_json_root (json)) : NULL;
  sl_json_close (json);
  if (entry->lineage == NULL || !g_utf8_validate (prompt, -1, NULL))
    return NULL;
  entry->prompt = g_strdup (prompt);
  return g_steal_pointer (&entry);
}

GHashTable *
_sl_gallery_index_read (SlGalleryIndex *self, const char *folder)
{
  GHashTable *known
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)_sl_index_entry_free);
  sqlite3_stmt *rows
      = prepare (self, "SELECT file, mtime, bytes, prompt, lineage FROM picture WHERE folder = ?");
  int result = SQLITE_DONE;
  gboolean other_tables = self && self->db && rows == NULL && sqlite3_errcode (self->db) == SQLITE_ERROR;

  if (rows)
    bind_name (rows, 1, folder);
  while (rows && (result = sqlite3_step (rows)) == SQLITE_ROW)
    {
      SlIndexEntry *entry = read_row (rows);

      if (entry)
        g_hash_table_replace (known, entry->name, entry);
    }
  sqlite3_finalize (rows);
  /* A value that is too large for us is none that we wrote, and no row behind it could be read. */
  if (other_tables || is_damage (result) || result == SQLITE_TOOBIG
      || (self && self->db && is_damage (sqlite3_errcode (self->db))))
    begin_anew (self);
  return known;
}

/* ---- writing ---- */

static int
store_entry (sqlite3_stmt *insert, const char *folder, const SlIndexEntry *entry)
{
  char *lineage = entry->lineage ? _sl_lineage_text (entry->lineage) : NULL;
  int result;

  if (entry->lineage && lineage == NULL)
    return SQLITE_NOMEM; /* without one it would be another program's picture */
  bind_name (insert, 1, folder);
  bind_name (insert, 2, entry->name);
  sqlite3_bind_int64 (insert, 3, entry->mtime);
  sqlite3_bind_int64 (insert, 4, entry->bytes);
  sqlite3_bind_text (insert, 5, entry->prompt, -1, SQLITE_STATIC);
  sqlite3_bind_text (insert, 6, lineage, -1, SQLITE_STATIC);
  result = sqlite3_step (insert);
  sqlite3_reset (insert);
  sqlite3_clear_bindings (insert);
  free (lineage);
  return result;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(SlIndexEntry *const *)a)->name, (*(SlIndexEntry *const *)b)->name);
}

/* In the order of their key, which leaves half as many pages. */
static int
store_entries (SlGalleryIndex *self, const char *folder, GPtrArray *entries)
{
  sqlite3_stmt *insert = prepare (self, "INSERT OR REPLACE INTO picture VALUES (?, ?, ?, ?, ?, ?)");
  int result = insert ? SQLITE_DONE : SQLITE_ERROR;

  g_ptr_array_sort (entries, by_name);
  for (guint i = 0; i < entries->len && result == SQLITE_DONE; i++)
    result = store_entry (insert, folder, entries->pdata[i]);
  sqlite3_finalize (insert);
  return result;
}

/* All of the folder where name is NULL. */
static int
forget (SlGalleryIndex *self, const char *folder, const char *name)
{
  sqlite3_stmt *statement = prepare (self, name ? "DELETE FROM picture WHERE folder = ? AND file = ?"
                                                : "DELETE FROM picture WHERE folder = ?");
  int result = SQLITE_ERROR;

  if (statement)
    {
      bind_name (statement, 1, folder);
      if (name)
        bind_name (statement, 2, name);
      result = sqlite3_step (statement);
    }
  sqlite3_finalize (statement);
  return result;
}

void
_sl_gallery_index_update (SlGalleryIndex *self, const char *folder, GPtrArray *entries, GPtrArray *gone)
{
  int result = SQLITE_DONE;

  if (self == NULL || self->db == NULL || entries->len + gone->len == 0
      || sqlite3_exec (self->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
    return;
  for (guint i = 0; i < gone->len && result == SQLITE_DONE; i++)
    result = forget (self, folder, gone->pdata[i]);
  if (result == SQLITE_DONE)
    result = store_entries (self, folder, entries);
  if (result == SQLITE_DONE)
    result = sqlite3_exec (self->db, "COMMIT", NULL, NULL, NULL);
  /* What could not be kept is read again the next time. */
  if (!sqlite3_get_autocommit (self->db))
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  if (is_damage (result))
    begin_anew (self);
}

void
_sl_gallery_index_forget_folders (SlGalleryIndex *self)
{
  sqlite3_stmt *rows = prepare (self, "SELECT DISTINCT folder FROM picture");
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (g_free);

  while (rows && sqlite3_step (rows) == SQLITE_ROW)
    {
      g_autofree char *folder = column_name (rows, 0);

      if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
        g_ptr_array_add (gone, g_steal_pointer (&folder));
    }
  sqlite3_finalize (rows);
  for (guint i = 0; i < gone->len; i++)
    forget (self, gone->pdata[i], NULL);
}
