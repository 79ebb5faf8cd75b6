/* sl-writer-private.h - what other writers need of it; for app/ only. */
#pragma once

#include "app/objects/sl-job.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* On the file thread. The job's model with the hashes of its files as they were when it was loaded for the job; free
 * with g_free. What does not change is not read again (app/files/hash_cache.h). */
SlModelInfo *_sl_writer_hash_model (SlJob *job);

G_END_DECLS
