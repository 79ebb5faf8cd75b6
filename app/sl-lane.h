/* sl-lane.h - a background thread that runs tasks in order and reports to the main thread.
 *
 * The window has two: one owns the device and the models (SlWorker), one reads and writes files.
 * A lane sends any number of messages to the main thread, yet there is at most one pending idle: it
 * takes what there is, for at most a few milliseconds, so that drawing and input are never kept
 * waiting.
 *
 * Easy to get wrong: the locks are pthread's, not GLib's, since ThreadSanitizer sees only those;
 * whatever crosses between the threads goes through them.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SlLane SlLane;
typedef void (*SlLaneFunc) (gpointer data);

SlLane *sl_lane_new (const char *name);
/* run is called on the lane's thread, done (may be NULL) on the main thread afterwards, then destroy.
 * Urgent tasks go before the others, and sl_lane_yield runs them in the middle of another task. */
void sl_lane_push (
    SlLane *self, gboolean urgent, SlLaneFunc run, SlLaneFunc done, gpointer data, GDestroyNotify destroy);
/* On the lane's thread, from within a task: runs the urgent tasks that wait. */
void sl_lane_yield (SlLane *self);
/* From the lane's thread: func is called on the main thread, then destroy. */
void sl_lane_post (SlLane *self, SlLaneFunc func, gpointer data, GDestroyNotify destroy);
/* On the main thread: runs what still waits, ends the thread, delivers the last messages, frees. */
void sl_lane_close (SlLane *self);

G_END_DECLS
