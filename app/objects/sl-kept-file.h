/* sl-kept-file.h - small JSON files that the program keeps for a person (favourites, presets, past prompts): read with
 * care, written whole. For app/ only, on the file thread.
 *
 * A damaged file is renamed, so that nothing of it is lost. One that is a link, a pipe, or that others may write to is
 * neither read nor replaced.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct cJSON;

/* FALSE when the file does not say what it should. */
typedef gboolean (*SlKeptParse) (const struct cJSON *root, gpointer data);

/* FALSE where the file must not be touched. TRUE without a call of parse where there is none. Where it is damaged *aside
 * becomes the path that it is kept under now, else NULL; parse may have been called then, and its data must be emptied. */
gboolean _sl_kept_file_read (const char *path, SlKeptParse parse, gpointer data, char **aside);
/* text may be NULL: there was no memory for it. The folder is made. */
gboolean _sl_kept_file_write (const char *path, const char *text, GError **error);

G_END_DECLS
