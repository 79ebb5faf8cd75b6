/* sl-reader-private.h - the gallery's side of the reader; for app/ only. */
#pragma once

#include "app/objects/gallery/sl-lineage.h"

G_BEGIN_DECLS

/* Any thread. What the gallery shows of a picture; FALSE when it is not one of ours. prompt may be NULL. */
gboolean _sl_reader_describe (const char *path, char **prompt, SlLineage **lineage);

G_END_DECLS
