/* sl-worker-private.h - what the two halves of the worker share: sl-worker.c is the main thread's
 * side, sl-worker-thread.c and sl-worker-run.c the lane's. */
#pragma once

#include <pthread.h>

#include "app/objects/sl-decoded.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-thread-queue.h"
#include "app/objects/worker/sl-worker.h"
#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct
{
  char *device;
  char *dtype;
  int threads;
} SlDeviceChoice;

/* The lane's side. */
typedef struct
{
  SlWorker *worker; /* not a reference: the worker waits for the lane before it goes */
  SlThreadQueue *thread;
  pthread_mutex_t lock;  /* guards model against a cancel from the main thread */
  SlModel *model;        /* changed by the lane's thread only */
  SlModelItem *item;     /* of model */
  SlDeviceChoice choice; /* that model was loaded with */
  int closing;           /* atomic: also what loading polls */
  gboolean running;      /* jobs that use model are on their way */
  gpointer pending;      /* the message of a frame whose picture is computed beside the run */
} SlEngineSide;

struct _SlWorker
{
  GObject parent_instance;
  SlEngineSide *side; /* NULL after shutdown */
  SlDeviceChoice choice;
  gsize budget;
  SlFast fast;
  SlModelItem *model;
  gboolean loading;
  double fraction;
  char *what;
  char *device_line;
  gboolean on_gpu; /* the model that is loaded */
  SlDecoded *decoded;
  GPtrArray *jobs; /* of SlJob, not references: all that were started and are still there */
};

/* Nine lanes of 50 steps at 512 x 512 are to stay under 200 MiB with all that is kept of them, decoded
 * pictures included (sl-decoded.h). Frames and checkpoints of all runs together have the first limit, and a
 * run at least the second. */
#define SL_FRAMES_LIMIT ((gsize)136 << 20)
#define SL_FRAMES_LEAST ((gsize)4 << 20)

/* Tries again what was cancelled without having been asked for. */
#define CANCEL_RETRIES 2

/* What a branch begins with. */
typedef struct
{
  SlJob *parent;     /* NULL: it begins with noise */
  guint evaluations; /* of the parent's list, that the branch takes over */
  GBytes *state;     /* a checkpoint of the parent, or NULL: from its beginning */
  guint state_at;    /* evaluations that the checkpoint has behind it */
  guint first;       /* of the parent's list, that are not its own */
  SlBatches batches; /* that the parent's own were made in */
} SlBranchStart;

/* On the lane's thread, with side->model loaded unless *err says why it is not. */
typedef void (*SlSideFunc) (SlEngineSide *side, SlError *err, gpointer data);

/* A request to load, to run (jobs), to decode (frame), or to do something else with a model (func). */
typedef struct
{
  SlEngineSide *side;
  SlModelItem *item;
  SlDeviceChoice choice;
  GPtrArray *jobs;  /* of SlJob: one, or the lanes of a comparison */
  GPtrArray *saved; /* of GBytes or NULL, as many: where each goes on from */
  GArray *origins;  /* of SlBranchStart, as many: what each branches from */
  gsize budget;     /* bytes that the frames of all jobs may take */
  SlFast fast;      /* whether jobs of one size make their evaluations as one batch */
  SlFrameObject *frame;
  SlFrameObject *whole; /* the same moment with its samples, computed again */
  SlView view;
  char *problem; /* why it could not be decoded */
  GBytes *rgb;
  int width;
  int height;
  SlSideFunc func;
  SlThreadQueueFunc func_done;
  gpointer func_data;
  GDestroyNotify func_destroy;
} SlRequest;

void _sl_request_free (gpointer request);
/* Lane functions. */
void _sl_request_load (gpointer request);
void _sl_request_run (gpointer request);
void _sl_request_decode (gpointer request);
void _sl_request_func (gpointer request);
void _sl_engine_side_close (gpointer side);

/* On the lane's thread. */
/* Loads it where it is not loaded. Where the GPU has failed since, what asks for it gets the CPU. */
gboolean _sl_side_ensure_model (const SlRequest *request, SlError *err);
gboolean _sl_side_is_on_gpu (const SlEngineSide *side);
/* NULL and *err when it failed; SL_FORMAT, naming the step, where the picture is not finite. */
GBytes *_sl_side_decode (SlEngineSide *side,
                         SlFrameObject *frame,
                         SlView view,
                         int *picture_width,
                         int *picture_height,
                         SlError *err);

/* A frame that is not kept whole, made again from the nearest checkpoint; NULL and *err when that fails. */
SlFrameObject *_sl_side_make_again (const SlRequest *request, SlError *err);

/* Main thread. Behind the runs that wait: func on the lane's thread, done on the main thread, then
 * destroy. FALSE, and nothing is called, after sl_worker_shutdown. */
gboolean _sl_worker_push (SlWorker *self,
                          SlModelItem *model,
                          SlSideFunc func,
                          SlThreadQueueFunc done,
                          gpointer data,
                          GDestroyNotify destroy);

/* Main thread. */
SlRequest *_sl_worker_new_request (SlWorker *self, SlModelItem *item);
/* Where a run is taken up to be at a number of evaluations again. */
SlBranchStart _sl_worker_find_place (SlJob *run, guint evaluations);
GArray *_sl_worker_new_origins (void);
void _sl_worker_forget_jobs (SlWorker *self);

/* Main thread, called by messages of the queue. */
void _sl_worker_loading (SlWorker *self, gboolean loading, double fraction, const char *what);
void _sl_worker_loaded (SlWorker *self, SlModelItem *model, const char *device_line, gboolean on_gpu);
void _sl_worker_load_failed (SlWorker *self, SlModelItem *model, const char *message);
SlDecoded *_sl_worker_get_decoded (SlWorker *self);

G_END_DECLS
