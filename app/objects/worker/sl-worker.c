/* sl-worker.c - see sl-worker.h; the main thread's side. */
#include "app/objects/worker/sl-worker-private.h"

#include "app/objects/sl-frame-object-private.h"

G_DEFINE_FINAL_TYPE (SlWorker, sl_worker, G_TYPE_OBJECT)

enum
{
  LOADING,
  LOADED,
  LOAD_FAILED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_worker_dispose (GObject *object)
{
  SlWorker *self = SL_WORKER (object);

  sl_worker_shutdown (self);
  _sl_worker_forget_jobs (self);
  g_clear_object (&self->model);
  g_clear_pointer (&self->decoded, sl_decoded_free);
  G_OBJECT_CLASS (sl_worker_parent_class)->dispose (object);
}

static void
sl_worker_finalize (GObject *object)
{
  SlWorker *self = SL_WORKER (object);

  g_free (self->choice.device);
  g_free (self->choice.dtype);
  g_free (self->what);
  g_free (self->device_line);
  g_ptr_array_unref (self->jobs);
  G_OBJECT_CLASS (sl_worker_parent_class)->finalize (object);
}

static void
sl_worker_class_init (SlWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = sl_worker_dispose;
  object_class->finalize = sl_worker_finalize;
  signals[LOADING]
      = g_signal_new ("loading", SL_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[LOADED] = g_signal_new ("loaded", SL_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, SL_TYPE_MODEL_ITEM);
  signals[LOAD_FAILED] = g_signal_new ("load-failed", SL_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                       G_TYPE_NONE, 2, SL_TYPE_MODEL_ITEM, G_TYPE_STRING);
}

static void
sl_worker_init (SlWorker *self)
{
  self->decoded = sl_decoded_new ();
  self->jobs = g_ptr_array_new ();
  self->choice = (SlDeviceChoice){ g_strdup ("auto"), g_strdup ("auto"), 0 };
  self->device_line = g_strdup ("");
  self->side = g_new0 (SlEngineSide, 1);
  self->side->worker = self;
  pthread_mutex_init (&self->side->lock, NULL);
  self->side->thread = sl_thread_queue_new ("engine");
}

SlWorker *
sl_worker_new (void)
{
  return g_object_new (SL_TYPE_WORKER, NULL);
}

void
sl_worker_set_device (SlWorker *self, const char *device, const char *dtype, int threads)
{
  g_free (self->choice.device);
  g_free (self->choice.dtype);
  self->choice = (SlDeviceChoice){ g_strdup (device), g_strdup (dtype), threads };
}

void
sl_worker_set_budget (SlWorker *self, gsize bytes)
{
  self->budget = bytes;
}

void
sl_worker_set_fast (SlWorker *self, SlFast fast)
{
  self->fast = fast;
}

gboolean
sl_worker_is_fast (SlWorker *self)
{
  return self->fast == SL_FAST_ON || (self->fast == SL_FAST_AUTOMATIC && self->on_gpu);
}

SlRequest *
_sl_worker_new_request (SlWorker *self, SlModelItem *item)
{
  SlRequest *request = g_new0 (SlRequest, 1);

  request->side = self->side;
  request->item = g_object_ref (item);
  request->choice = (SlDeviceChoice){ g_strdup (self->choice.device), g_strdup (self->choice.dtype),
                                      self->choice.threads };
  return request;
}

void
sl_worker_load (SlWorker *self, SlModelItem *model)
{
  if (self->side)
    sl_thread_queue_push (self->side->thread, FALSE, _sl_request_load, NULL,
                          _sl_worker_new_request (self, model), _sl_request_free);
}

static void
func_done (gpointer data)
{
  SlRequest *request = data;

  request->func_done (request->func_data);
}

gboolean
_sl_worker_push (SlWorker *self,
                 SlModelItem *model,
                 SlSideFunc func,
                 SlThreadQueueFunc done,
                 gpointer data,
                 GDestroyNotify destroy)
{
  SlRequest *request;

  if (self->side == NULL)
    return FALSE;
  request = _sl_worker_new_request (self, model);
  request->func = func;
  request->func_done = done;
  request->func_data = data;
  request->func_destroy = destroy;
  sl_thread_queue_push (self->side->thread, FALSE, _sl_request_func, func_done, request, _sl_request_free);
  return TRUE;
}

void
sl_worker_pause (SlWorker *self, SlJob *job)
{
  _sl_job_ask_pause (job, TRUE);
}

void
sl_worker_stop (SlWorker *self, SlJob *job)
{
  gboolean running = sl_job_get_state (job) == SL_JOB_RUNNING || sl_job_get_state (job) == SL_JOB_LOADING;

  _sl_job_cancel (job);
  if (self->side && running)
    {
      pthread_mutex_lock (&self->side->lock);
      if (self->side->model)
        sl_model_cancel (self->side->model);
      pthread_mutex_unlock (&self->side->lock);
    }
  _sl_job_set_state (job, SL_JOB_STOPPED);
}

static void
decode_done (gpointer data)
{
  SlRequest *request = data;

  if (request->whole && request->rgb)
    _sl_frame_object_take_samples (request->frame, request->whole);
  _sl_frame_object_set_problem (request->frame, request->view, request->problem);
  /* Without a picture this still says that the decoding is over. */
  _sl_frame_object_set_decoded (request->frame, request->view, request->rgb, request->width, request->height);
  if (request->rgb)
    sl_decoded_add (request->side->worker->decoded, request->frame, request->view, request->whole != NULL);
}

gboolean
sl_worker_decode (SlWorker *self, SlJob *job, SlFrameObject *frame, SlView view)
{
  guint evaluations = (guint)sl_frame_object_get_index (frame) + 1;
  SlRequest *request;
  SlBranchStart origin;

  sl_decoded_touch (self->decoded, frame, view);
  if (self->side == NULL || sl_frame_object_is_decoded (frame, view))
    return FALSE;
  request = _sl_worker_new_request (self, sl_job_get_model (job));
  origin = _sl_worker_find_place (_sl_job_get_owner (job, evaluations), evaluations);
  request->origins = _sl_worker_new_origins ();
  g_array_append_val (request->origins, origin);
  request->frame = g_object_ref (frame);
  request->view = view;
  sl_thread_queue_push (self->side->thread, TRUE, _sl_request_decode, decode_done, request, _sl_request_free);
  return TRUE;
}

SlDecoded *
_sl_worker_get_decoded (SlWorker *self)
{
  return self->decoded;
}

void
_sl_worker_loading (SlWorker *self, gboolean loading, double fraction, const char *what)
{
  self->loading = loading;
  self->fraction = fraction;
  g_free (self->what);
  self->what = g_strdup (what);
  g_signal_emit (self, signals[LOADING], 0);
}

void
_sl_worker_loaded (SlWorker *self, SlModelItem *model, const char *device_line, gboolean on_gpu)
{
  _sl_worker_loading (self, FALSE, 0, NULL);
  g_set_object (&self->model, model);
  g_free (self->device_line);
  self->device_line = g_strdup (device_line);
  self->on_gpu = on_gpu;
  g_signal_emit (self, signals[LOADED], 0, model);
}

void
_sl_worker_load_failed (SlWorker *self, SlModelItem *model, const char *message)
{
  _sl_worker_loading (self, FALSE, 0, NULL);
  g_signal_emit (self, signals[LOAD_FAILED], 0, model, message);
}

gboolean
sl_worker_is_loading (SlWorker *self)
{
  return self->loading;
}

double
sl_worker_get_load_fraction (SlWorker *self)
{
  return self->fraction;
}

const char *
sl_worker_get_load_what (SlWorker *self)
{
  return self->what;
}

SlModelItem *
sl_worker_get_model (SlWorker *self)
{
  return self->model;
}

const char *
sl_worker_get_device_line (SlWorker *self)
{
  return self->device_line;
}

double
sl_worker_get_step_fraction (SlWorker *self)
{
  double fraction = 0;

  if (self->side == NULL)
    return 0;
  pthread_mutex_lock (&self->side->lock);
  if (self->side->model)
    fraction = sl_model_step_fraction (self->side->model);
  pthread_mutex_unlock (&self->side->lock);
  return fraction;
}

void
sl_worker_shutdown (SlWorker *self)
{
  SlEngineSide *side = g_steal_pointer (&self->side);

  if (side == NULL)
    return;
  g_atomic_int_set (&side->closing, TRUE);
  pthread_mutex_lock (&side->lock);
  if (side->model)
    sl_model_cancel (side->model);
  pthread_mutex_unlock (&side->lock);
  sl_thread_queue_push (side->thread, FALSE, _sl_engine_side_close, NULL, side, NULL);
  sl_thread_queue_close (side->thread);
  pthread_mutex_destroy (&side->lock);
  g_free (side);
}
