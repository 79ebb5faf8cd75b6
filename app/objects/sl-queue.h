/* sl-queue.h - the jobs that wait, as a list that can be reordered, and the one that runs.
 *
 * Jobs are given to the worker one at a time, so that what waits can still be moved or removed.
 */
#pragma once

#include "app/objects/sl-list.h"
#include "app/objects/worker/sl-worker.h"

G_BEGIN_DECLS

#define SL_TYPE_QUEUE (sl_queue_get_type ())

G_DECLARE_FINAL_TYPE (SlQueue, sl_queue, SL, QUEUE, SlList)

/* Signals: "started" (SlJob), "ended" (SlJob); the list holds the waiting jobs. */
SlQueue *sl_queue_new (SlWorker *worker);
/* Starts it when nothing runs. */
void sl_queue_add (SlQueue *self, SlJob *job);
SlJob *sl_queue_get_current (SlQueue *self);
void sl_queue_remove (SlQueue *self, guint position);
/* Moves a waiting job; positions beyond the ends are clamped. */
void sl_queue_move (SlQueue *self, guint from, int to);
void sl_queue_clear (SlQueue *self);
/* Stops the one that runs; the next starts. */
void sl_queue_stop (SlQueue *self);

G_END_DECLS
