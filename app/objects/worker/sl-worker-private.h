/* sl-worker-private.h - requests to the worker's thread: sl-worker.c makes them, sl-worker-run.c runs jobs of them.
 * For app/ only.
 */
#pragma once

#include "app/objects/sl-decoded.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/worker/sl-engine-side.h"
#include "app/objects/worker/sl-worker.h"

G_BEGIN_DECLS

/* Nine lanes of 50 steps at 512 x 512 are to stay under 200 MiB with all that is kept of them, decoded
 * pictures included (sl-decoded.h). The timelines of all runs together have the first limit, and a run at
 * least the second. */
#define SL_FRAMES_LIMIT ((gsize)136 << 20)
#define SL_FRAMES_LEAST ((gsize)4 << 20)
/* The same of each of many runs that are started together, as the cells of a large grid: these keep fewer frames, and
 * what lies between is computed again when somebody looks. */
#define SL_MANY_RUNS 32
#define SL_FRAMES_LEAST_OF_MANY ((gsize)1 << 20)

/* A job that is to run, and what it goes on from. */
typedef struct
{
  SlJob *job;
  SlTimeline *timeline; /* what it has; NULL: it begins */
  SlTimeline *parent;   /* of a branch that begins: the run that it leaves; NULL: it begins with noise */
  int parent_step;      /* after so many finished steps of that run's own grid */
  int inherited;        /* frames before its own */
  int steps_before;     /* steps of these, as they are counted */
} SlStart;

/* On the worker's thread, with side->model loaded unless *err says why it is not. */
typedef void (*SlSideFunc) (SlEngineSide *side, SlError *err, gpointer data);

/* A request to load, to run (starts), to decode, or to do something else with a model (func). */
typedef struct
{
  SlEngineSide *side;
  SlModelItem *item;
  SlDeviceChoice choice;
  GArray *starts;    /* of SlStart: one, or the lanes of a comparison */
  gsize budget;      /* bytes that the timelines of all that begin may take */
  SlFast fast;       /* whether jobs of one size make their evaluations as one batch */
  gboolean in_order; /* they come to their ends one after the other */
  gboolean words;    /* jobs that begin keep what each word does */
  SlDecoding decoding;
  char *problem; /* why it could not be decoded */
  SlSideFunc func;
  SlThreadQueueFunc func_done;
  gpointer func_data;
  GDestroyNotify func_destroy;
} SlRequest;

/* On the worker's thread: the jobs from beginning to end, one evaluation at a time. */
void _sl_request_run (gpointer request);

/* Main thread. Behind the runs that wait: func on the worker's thread, with the job's model as the job was computed, done on the
 * main thread, then destroy. FALSE, and nothing is called, after sl_worker_shutdown. */
gboolean _sl_worker_push (SlWorker *self,
                          SlJob *job,
                          SlSideFunc func,
                          SlThreadQueueFunc done,
                          gpointer data,
                          GDestroyNotify destroy);
/* The same between the evaluations of a run, with the model that is loaded already: *err says so where that is
 * another one, or a run has it that is computed otherwise. job NULL: whatever is loaded. */
gboolean _sl_worker_push_urgent (SlWorker *self,
                                 SlJob *job,
                                 SlSideFunc func,
                                 SlThreadQueueFunc done,
                                 gpointer data,
                                 GDestroyNotify destroy);
SlDecoded *_sl_worker_get_decoded (SlWorker *self);
/* NULL after sl_worker_shutdown. What is in it belongs to its thread. */
SlEngineSide *_sl_worker_get_side (SlWorker *self);

G_END_DECLS
