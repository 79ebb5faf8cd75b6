/* sl-folder.h - what is in a folder, and whether that is all of it. Private to app/objects. */
#pragma once

#include <glib.h>

#include "engine/engine.h"

G_BEGIN_DECLS

/* Adds the names in a folder to names (free with g_free), but for hidden ones. FALSE: they may not be all. Why is in *unread then, where
 * that says nothing yet and the folder is there. Any thread. */
gboolean _sl_folder_list (const char *folder, GPtrArray *names, SlError *unread);

G_END_DECLS
