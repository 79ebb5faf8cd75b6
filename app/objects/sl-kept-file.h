/* sl-kept-file.h - small JSON files that the program keeps for a person (favourites, presets, past prompts): read with
 * care, written whole. For app/ only, on the file thread.
 *
 * A damaged file is renamed, so that nothing of it is lost, also one of whose items only some cannot be read: who takes the
 * others writes them to a new one at once. One that is a link, a pipe, or that others may write to is
 * neither read nor replaced.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct cJSON;

typedef enum
{
  SL_KEPT_WHOLE,
  SL_KEPT_PARTLY,  /* some of its items cannot be read; the others were taken */
  SL_KEPT_DAMAGED, /* it does not say what it should; nothing was taken */
} SlKept;

typedef SlKept (*SlKeptParse) (const struct cJSON *root, gpointer data);

/* FALSE where the file must not be touched. TRUE without a call of parse where there is none. Where it is damaged, or
 * partly, *aside becomes the path that it is kept under now, else NULL. */
gboolean _sl_kept_file_read (const char *path, SlKeptParse parse, gpointer data, char **aside);
/* text may be NULL: there was no memory for it. The folder is made. */
gboolean _sl_kept_file_write (const char *path, const char *text, GError **error);

G_END_DECLS
