/* sl-queue.h - the jobs that wait, as a list that can be reordered, and the one that runs.
 *
 * Jobs are given to the worker one at a time, so that what waits can still be moved or removed. A paused queue
 * starts none, and the one that runs rests after its evaluation in progress: its state says when (SL_JOB_PAUSED).
 * The model stays loaded meanwhile. What a job holds is in its timeline, so it goes on to the same bytes, also
 * when another model was loaded in between.
 */
#pragma once

#include "app/objects/sl-list.h"
#include "app/objects/worker/sl-worker.h"

G_BEGIN_DECLS

#define SL_TYPE_QUEUE (sl_queue_get_type ())

G_DECLARE_FINAL_TYPE (SlQueue, sl_queue, SL, QUEUE, SlList)

/* Signals: "started" (SlJob), "ended" (SlJob), "paused" and "held" when sl_queue_is_paused and
 * sl_queue_is_held answer otherwise; the list holds the waiting jobs. */
SlQueue *sl_queue_new (SlWorker *worker);
/* Starts it when nothing runs and the queue is not held. */
void sl_queue_add (SlQueue *self, SlJob *job);
/* While it is held nothing is started; what runs goes on. */
void sl_queue_set_held (SlQueue *self, gboolean held);
gboolean sl_queue_is_held (SlQueue *self);
SlJob *sl_queue_get_current (SlQueue *self);
void sl_queue_remove (SlQueue *self, guint position);
/* Moves a waiting job; positions beyond the ends are clamped. */
void sl_queue_move (SlQueue *self, guint from, int to);
void sl_queue_clear (SlQueue *self);
/* Stops the one that runs or rests; the next starts, also in a paused queue, which goes on with it. */
void sl_queue_stop (SlQueue *self);
/* Does nothing when nothing runs or waits. */
void sl_queue_pause (SlQueue *self);
void sl_queue_go_on (SlQueue *self);
/* A queue that has become empty is not paused any more. */
gboolean sl_queue_is_paused (SlQueue *self);

G_END_DECLS
