/* sl-thread-queue.h - a background thread that runs tasks in order and reports to the main thread.
 *
 * The window has two: one owns the device and the models (SlWorker), one reads and writes files.
 * A queue sends any number of messages to the main thread, yet there is at most one pending idle: it
 * takes what there is, for at most a few milliseconds, so that drawing and input are never kept
 * waiting.
 *
 * Easy to get wrong: the locks are pthread's, not GLib's, since ThreadSanitizer sees only those;
 * whatever crosses between the threads goes through them.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SlThreadQueue SlThreadQueue;
typedef void (*SlThreadQueueFunc) (gpointer data);

SlThreadQueue *sl_thread_queue_new (const char *name);
/* run is called on the queue's thread, done (may be NULL) on the main thread afterwards, then destroy.
 * Urgent tasks go before the others, and sl_thread_queue_yield runs them in the middle of another task. */
void sl_thread_queue_push (SlThreadQueue *self,
                           gboolean urgent,
                           SlThreadQueueFunc run,
                           SlThreadQueueFunc done,
                           gpointer data,
                           GDestroyNotify destroy);
/* On the queue's thread, from within a task: runs the urgent tasks that wait. */
void sl_thread_queue_yield (SlThreadQueue *self);
/* From the queue's thread: func is called on the main thread, then destroy. */
void
sl_thread_queue_post (SlThreadQueue *self, SlThreadQueueFunc func, gpointer data, GDestroyNotify destroy);
/* On the main thread: waits until nothing is left to do, and delivers what there is to say. */
void sl_thread_queue_wait (SlThreadQueue *self);
/* On the main thread: runs what still waits, ends the thread, delivers the last messages, frees. */
void sl_thread_queue_close (SlThreadQueue *self);

G_END_DECLS
