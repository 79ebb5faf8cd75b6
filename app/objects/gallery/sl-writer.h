/* sl-writer.h - a moment of a job as a PNG that carries its settings, written on the file thread.
 *
 * The moment must be decoded (its picture side). Hashing a model's weight files takes seconds the
 * first time; it happens here, off both other threads, and is remembered.
 */
#pragma once

#include "app/objects/sl-job.h"
#include "app/objects/sl-keeper.h"

G_BEGIN_DECLS

/* path is NULL when error is not. */
typedef void (*SlWritten) (const char *path, const GError *error, gpointer user_data);

/* Writes to path. Main thread; written is called there and may be NULL. */
void sl_writer_save (SlThreadQueue *files,
                     SlJob *job,
                     SlFrameObject *frame,
                     const char *path,
                     SlWritten written,
                     gpointer user_data);
/* Through the keeper into the folder of pictures, which is made, under a new name; written is called once it is there,
 * and then or when the keeper goes, destroy. */
void sl_writer_keep (SlKeeper *keeper,
                     SlJob *job,
                     SlFrameObject *frame,
                     SlWritten written,
                     gpointer user_data,
                     GDestroyNotify destroy);

G_END_DECLS
