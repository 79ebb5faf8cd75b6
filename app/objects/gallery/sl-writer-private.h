/* sl-writer-private.h - what other writers need of it; for app/ only. */
#pragma once

#include "app/objects/sl-model-item.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* On the file thread. The model with the hashes of its files as they are now; free with g_free. What does not
 * change is not read again (app/files/hash_cache.h). */
SlModelInfo *_sl_writer_hash_model (SlModelItem *item);

G_END_DECLS
