/* sl-writer.h - a moment of a job as a PNG that carries its settings, written on the file thread.
 *
 * The moment must be decoded (its picture side). Hashing a model's weight files takes seconds the
 * first time; it happens here, off both other threads, and is remembered.
 */
#pragma once

#include "app/objects/sl-job.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

/* path is NULL when error is not. */
typedef void (*SlWritten) (const char *path, const GError *error, gpointer user_data);

/* Writes to path, or, when path is a folder that ends in '/', under a new name in it (the folder is
 * made). Main thread; written is called there and may be NULL. */
void sl_writer_save (SlThreadQueue *files,
                     SlJob *job,
                     SlFrameObject *frame,
                     const char *path,
                     SlWritten written,
                     gpointer user_data);

G_END_DECLS
