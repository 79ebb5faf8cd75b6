/* sl-worker.c - the main thread's side: jobs handed to the worker's thread, with where each goes on from and
 * what its timeline may take; see sl-worker.h. */
#include "app/objects/worker/sl-worker-private.h"

#include <string.h>

struct _SlWorker
{
  GObject parent_instance;
  SlEngineSide *side; /* NULL after shutdown */
  SlDeviceChoice choice;
  gsize budget;
  SlFast fast;
  gboolean words;
  SlModelItem *model;
  gboolean loading;
  double fraction;
  char *what;
  SlModelItem *usual; /* was loaded last as the preferences say; what follows is of it */
  char *device;
  char *device_line;
  char *types_line;
  gboolean on_gpu;
  char *dtype;
  guint64 memory;
  SlDecoded *decoded;
  GPtrArray *jobs; /* of SlJob, not references: all that were started and are still there */
};

G_DEFINE_FINAL_TYPE (SlWorker, sl_worker, G_TYPE_OBJECT)

enum
{
  LOADING,
  LOADED,
  LOAD_FAILED,
  OTHERWISE,
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- the jobs that are there ---- */

static void
job_gone (gpointer data, GObject *job)
{
  g_ptr_array_remove_fast (SL_WORKER (data)->jobs, job);
}

static void
forget_jobs (SlWorker *self)
{
  for (guint i = 0; i < self->jobs->len; i++)
    g_object_weak_unref (self->jobs->pdata[i], job_gone, self);
  g_ptr_array_set_size (self->jobs, 0);
}

static void
job_changed (SlWorker *self, GParamSpec *pspec, SlJob *job)
{
  if (sl_job_is_over (job))
    g_signal_emit (self, signals[ENDED], 0, job);
}

static void
remember_job (SlWorker *self, SlJob *job)
{
  if (g_ptr_array_find (self->jobs, job, NULL))
    return;
  g_signal_connect_object (job, "notify::state", G_CALLBACK (job_changed), self, G_CONNECT_SWAPPED);
  g_object_weak_ref (G_OBJECT (job), job_gone, self);
  g_ptr_array_add (self->jobs, job);
}

/* ---- what the worker's thread tells ---- */

static void
side_loading (gpointer owner, gboolean loading, double fraction, const char *what)
{
  SlWorker *self = owner;

  self->loading = loading;
  self->fraction = fraction;
  g_free (self->what);
  self->what = g_strdup (what);
  g_signal_emit (self, signals[LOADING], 0);
}

static void
take_usual (SlWorker *self, const SlLoaded *loaded)
{
  g_set_object (&self->usual, loaded->model);
  g_free (self->device);
  self->device = g_strdup (loaded->device);
  g_free (self->device_line);
  self->device_line = g_strdup (loaded->device_line);
  g_free (self->types_line);
  self->types_line = g_strdup (loaded->types_line);
  g_free (self->dtype);
  self->dtype = g_strdup (loaded->dtype);
  self->on_gpu = loaded->on_gpu;
  self->memory = loaded->memory;
}

static void
side_loaded (gpointer owner, const SlLoaded *loaded)
{
  SlWorker *self = owner;

  side_loading (self, FALSE, 0, NULL);
  g_set_object (&self->model, loaded->model);
  if (loaded->usual)
    take_usual (self, loaded);
  g_signal_emit (self, signals[LOADED], 0, loaded->model);
}

static void
side_load_failed (gpointer owner, SlModelItem *model, const char *message)
{
  SlWorker *self = owner;

  side_loading (self, FALSE, 0, NULL);
  g_signal_emit (self, signals[LOAD_FAILED], 0, model, message);
}

static void
side_otherwise (gpointer owner, const char *message)
{
  g_signal_emit (owner, signals[OTHERWISE], 0, message);
}

static void
side_decoded (gpointer owner, SlFrameObject *frame)
{
  sl_decoded_add (SL_WORKER (owner)->decoded, frame, SL_VIEW_PICTURE, FALSE);
}

static const SlSideEvents side_events
    = { side_loading, side_loaded, side_load_failed, side_otherwise, side_decoded };

/* ---- class ---- */

static void
sl_worker_dispose (GObject *object)
{
  SlWorker *self = SL_WORKER (object);

  sl_worker_shutdown (self);
  forget_jobs (self);
  g_clear_object (&self->model);
  g_clear_object (&self->usual);
  g_clear_pointer (&self->decoded, sl_decoded_free);
  G_OBJECT_CLASS (sl_worker_parent_class)->dispose (object);
}

static void
sl_worker_finalize (GObject *object)
{
  SlWorker *self = SL_WORKER (object);

  _sl_device_choice_clear (&self->choice);
  g_free (self->what);
  g_free (self->device);
  g_free (self->device_line);
  g_free (self->types_line);
  g_free (self->dtype);
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
  signals[ENDED] = g_signal_new ("ended", SL_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 1, SL_TYPE_JOB);
  signals[OTHERWISE] = g_signal_new ("otherwise", SL_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[LOAD_FAILED] = g_signal_new ("load-failed", SL_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                       G_TYPE_NONE, 2, SL_TYPE_MODEL_ITEM, G_TYPE_STRING);
}

static void
sl_worker_init (SlWorker *self)
{
  self->decoded = sl_decoded_new ();
  self->jobs = g_ptr_array_new ();
  self->choice = (SlDeviceChoice){
    .device = g_strdup ("auto"), .dtype = g_strdup ("auto"), .tiny = g_strdup (""), .models = g_strdup ("")
  };
  self->device = g_strdup ("");
  self->device_line = g_strdup ("");
  self->types_line = g_strdup ("");
  self->dtype = g_strdup ("");
  self->memory = G_MAXUINT64;
  self->side = g_new0 (SlEngineSide, 1);
  self->side->owner = self;
  self->side->events = &side_events;
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
  const SlDeviceChoice choice = { .device = g_strdup (device),
                                  .dtype = g_strdup (dtype),
                                  .threads = threads,
                                  .tiny = g_steal_pointer (&self->choice.tiny),
                                  .models = g_steal_pointer (&self->choice.models) };

  _sl_device_choice_clear (&self->choice);
  self->choice = choice;
}

void
sl_worker_set_tiny (SlWorker *self, const char *path, const char *models)
{
  g_free (self->choice.tiny);
  g_free (self->choice.models);
  self->choice.tiny = g_strdup (path);
  self->choice.models = g_strdup (models);
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

void
sl_worker_set_words (SlWorker *self, gboolean words)
{
  self->words = words;
}

gboolean
sl_worker_is_fast (SlWorker *self)
{
  return self->fast == SL_FAST_ON || (self->fast == SL_FAST_AUTOMATIC && self->on_gpu);
}

/* ---- requests ---- */

static void
request_free (gpointer data)
{
  SlRequest *request = data;

  g_clear_object (&request->item);
  g_clear_pointer (&request->starts, g_array_unref);
  _sl_decoding_clear (&request->decoding);
  g_free (request->problem);
  if (request->func_destroy)
    request->func_destroy (request->func_data);
  _sl_device_choice_clear (&request->choice);
  g_free (request);
}

static SlRequest *
request_new (SlWorker *self, SlModelItem *item)
{
  SlRequest *request = g_new0 (SlRequest, 1);

  request->side = self->side;
  g_set_object (&request->item, item);
  _sl_device_choice_copy (&self->choice, &request->choice);
  return request;
}

/* For a run that has begun, or that is to be computed as another one. */
static SlRequest *
request_new_of (SlWorker *self, SlJob *job)
{
  SlRequest *request = request_new (self, sl_job_get_model (job));
  SlComputed computed = sl_job_get_computed (job);

  if (computed.device && computed.types)
    {
      request->choice.of_device = g_strdup (computed.device);
      request->choice.of_types = g_strdup (computed.types);
    }
  return request;
}

static void
load_run (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  if (_sl_side_ensure_model (request->side, request->item, &request->choice, &err))
    _sl_side_settle (request->side);
}

void
sl_worker_load (SlWorker *self, SlModelItem *model)
{
  if (self->side)
    sl_thread_queue_push (self->side->thread, FALSE, load_run, NULL, request_new (self, model), request_free);
}

void
sl_worker_load_for (SlWorker *self, SlJob *job)
{
  if (self->side)
    sl_thread_queue_push (self->side->thread, FALSE, load_run, NULL, request_new_of (self, job),
                          request_free);
}

static void
func_run (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  _sl_side_ensure_model (request->side, request->item, &request->choice, &err);
  request->func (request->side, &err, request->func_data);
}

static void
func_done (gpointer data)
{
  SlRequest *request = data;

  request->func_done (request->func_data);
}

static void
urgent_run (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  if (request->item)
    _sl_side_ensure_loaded_as (request->side, request->item, &request->choice, &err);
  request->func (request->side, &err, request->func_data);
}

static SlRequest *
func_request (SlWorker *self,
              SlJob *job,
              SlSideFunc func,
              SlThreadQueueFunc done,
              gpointer data,
              GDestroyNotify destroy)
{
  SlRequest *request = job ? request_new_of (self, job) : request_new (self, NULL);

  request->func = func;
  request->func_done = done;
  request->func_data = data;
  request->func_destroy = destroy;
  return request;
}

gboolean
_sl_worker_push (SlWorker *self,
                 SlJob *job,
                 SlSideFunc func,
                 SlThreadQueueFunc done,
                 gpointer data,
                 GDestroyNotify destroy)
{
  if (self->side)
    sl_thread_queue_push (self->side->thread, FALSE, func_run, func_done,
                          func_request (self, job, func, done, data, destroy), request_free);
  return self->side != NULL;
}

gboolean
_sl_worker_push_urgent (SlWorker *self,
                        SlJob *job,
                        SlSideFunc func,
                        SlThreadQueueFunc done,
                        gpointer data,
                        GDestroyNotify destroy)
{
  if (self->side)
    sl_thread_queue_push (self->side->thread, TRUE, urgent_run, func_done,
                          func_request (self, job, func, done, data, destroy), request_free);
  return self->side != NULL;
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

/* ---- starting ---- */

static void
clear_start (gpointer data)
{
  SlStart *start = data;

  g_clear_object (&start->job);
  g_clear_pointer (&start->timeline, sl_timeline_free);
  g_clear_pointer (&start->parent, sl_timeline_free);
}

static SlStart
find_start (SlJob *job)
{
  SlStart start = { .job = g_object_ref (job), .inherited = (int)sl_job_get_branch_point (job) };
  SlJob *parent = sl_job_get_parent (job);

  if (_sl_job_get_timeline (job))
    start.timeline = sl_timeline_ref (_sl_job_get_timeline (job));
  if (start.inherited > 0)
    start.steps_before = sl_job_get_plan (job)[start.inherited - 1].step + 1;
  if (parent && start.timeline == NULL)
    {
      int moment = start.inherited - 1 - (int)sl_job_get_branch_point (parent);

      start.parent = sl_timeline_ref (_sl_job_get_timeline (parent));
      start.parent_step = sl_timeline_planned (start.parent, moment).step + 1;
    }
  return start;
}

/* What is left for the timelines of jobs that begin beside those of all others. */
static gsize
find_budget (SlWorker *self, GPtrArray *jobs)
{
  gsize least = (jobs->len > SL_MANY_RUNS ? SL_FRAMES_LEAST_OF_MANY : SL_FRAMES_LEAST) * jobs->len, held = 0;

  for (guint i = 0; i < self->jobs->len; i++)
    held += _sl_job_get_bytes (self->jobs->pdata[i]);
  if (self->budget)
    return self->budget * jobs->len;
  return held + least < SL_FRAMES_LIMIT ? SL_FRAMES_LIMIT - held : least;
}

/* One model, loaded in one way. */
static gboolean
are_alike (SlJob *a, SlJob *b)
{
  return sl_model_item_equal (sl_job_get_model (a), sl_job_get_model (b))
         && sl_computed_equal (sl_job_get_computed (a), sl_job_get_computed (b));
}

static void
start_alike (SlWorker *self, GPtrArray *jobs, gsize budget, gboolean in_order)
{
  SlRequest *request = request_new_of (self, jobs->pdata[0]);

  request->starts = g_array_new (FALSE, FALSE, sizeof (SlStart));
  g_array_set_clear_func (request->starts, clear_start);
  request->budget = budget;
  request->words = self->words;
  request->in_order = in_order;
  request->fast = jobs->len > 1 ? self->fast : SL_FAST_OFF;
  for (guint i = 0; i < jobs->len; i++)
    {
      SlStart start = find_start (jobs->pdata[i]);

      remember_job (self, jobs->pdata[i]);
      _sl_job_ask_pause (jobs->pdata[i], FALSE);
      g_array_append_val (request->starts, start);
    }
  sl_thread_queue_push (self->side->thread, FALSE, _sl_request_run, NULL, request, request_free);
}

/* Those that are computed alike side by side; others behind them. */
static void
start_jobs (SlWorker *self, GPtrArray *jobs, gboolean in_order)
{
  g_autoptr (GPtrArray) left = g_ptr_array_new (); /* a copy would free the jobs, too */
  gsize budget = self->side && jobs->len > 0 ? find_budget (self, jobs) : 0;

  g_ptr_array_extend (left, jobs, NULL, NULL);
  while (self->side && left->len > 0)
    {
      g_autoptr (GPtrArray) alike = g_ptr_array_new ();
      g_autoptr (GPtrArray) others = g_ptr_array_new ();

      for (guint i = 0; i < left->len; i++)
        g_ptr_array_add (are_alike (left->pdata[0], left->pdata[i]) ? alike : others, left->pdata[i]);
      start_alike (self, alike, budget * alike->len / jobs->len, in_order);
      g_ptr_array_unref (left);
      left = g_steal_pointer (&others);
    }
}

void
sl_worker_start_together (SlWorker *self, GPtrArray *jobs)
{
  start_jobs (self, jobs, FALSE);
}

void
sl_worker_start_in_order (SlWorker *self, GPtrArray *jobs)
{
  start_jobs (self, jobs, TRUE);
}

void
sl_worker_start (SlWorker *self, SlJob *job)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();

  g_return_if_fail (SL_IS_JOB (job));

  g_ptr_array_add (jobs, job);
  sl_worker_start_together (self, jobs);
}

/* ---- decoding ---- */

static void
decode_run (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  if (!_sl_side_decode_of (request->side, request->item, &request->choice, &request->decoding, &err)
      && !g_atomic_int_get (&request->side->closing))
    request->problem = g_strdup (err.message);
}

static void
decode_done (gpointer data)
{
  SlRequest *request = data;
  SlDecoding *decoding = &request->decoding;
  gboolean again = decoding->rgb && decoding->samples.x_t;

  if (again)
    _sl_frame_object_take_samples (decoding->frame, &decoding->samples);
  _sl_frame_object_set_problem (decoding->frame, decoding->view, request->problem);
  /* Without a picture this still says that the decoding is over. */
  _sl_frame_object_set_decoded (decoding->frame, decoding->view, decoding->rgb, decoding->width,
                                decoding->height);
  if (decoding->rgb)
    sl_decoded_add (SL_WORKER (request->side->owner)->decoded, decoding->frame, decoding->view, again);
}

gboolean
sl_worker_decode (SlWorker *self, SlJob *job, SlFrameObject *frame, SlView view)
{
  SlRequest *request;

  sl_decoded_touch (self->decoded, frame, view);
  if (self->side == NULL || sl_frame_object_is_decoded (frame, view))
    return FALSE;
  request = request_new_of (self, job);
  request->decoding.frame = g_object_ref (frame);
  request->decoding.view = view;
  sl_thread_queue_push (self->side->thread, TRUE, decode_run, decode_done, request, request_free);
  return TRUE;
}

SlEngineSide *
_sl_worker_get_side (SlWorker *self)
{
  return self->side;
}

SlDecoded *
_sl_worker_get_decoded (SlWorker *self)
{
  return self->decoded;
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
sl_worker_get_dtype (SlWorker *self)
{
  return self->dtype;
}

/* What the choice says where no GPU is, in which there is no f16, as it is recorded. */
static char *
chosen_dtype (SlWorker *self)
{
  const SlDeviceChoice *choice = &self->choice;
  const SlAutoAsk ask = { .device = choice->device, .dtype = choice->dtype, .threads = choice->threads };
  SlAutoDtype automatic;
  SlError err = { 0 };

  if (g_str_equal (choice->dtype, "auto"))
    return g_strdup (sl_auto_dtype (&ask, &automatic, &err) ? automatic.dtype : "f32");
  if (g_str_equal (choice->dtype, "q8"))
    return g_strdup (sl_q8_name (g_str_equal (choice->device, "ref") ? SL_F32 : sl_q8_dtype ()));
  return g_strdup (g_str_equal (choice->dtype, "f16") ? "f32" : choice->dtype);
}

char *
sl_worker_guess_dtype (SlWorker *self, SlModelItem *model)
{
  if (self->usual && sl_model_item_equal (self->usual, model))
    return g_strdup (self->dtype);
  if (self->usual && self->on_gpu) /* parts have other names in other models */
    return g_strndup (self->dtype, strcspn (self->dtype, ","));
  return chosen_dtype (self);
}

/* Of what was not loaded the parts' names are not known: then the model's own type decides. */
static gboolean
have_same_types (const char *a, const char *b, gboolean exactly)
{
  gsize length = strcspn (a, ",");

  return exactly ? g_str_equal (a, b) : length == strcspn (b, ",") && strncmp (a, b, length) == 0;
}

char *
sl_worker_dup_difference (SlWorker *self, SlModelItem *model, SlComputed computed)
{
  g_autofree char *types = sl_worker_guess_dtype (self, model);
  gboolean loaded = self->usual && sl_model_item_equal (self->usual, model);

  if (computed.types == NULL || *self->device == '\0'
      || (g_str_equal (computed.device, self->device) && have_same_types (computed.types, types, loaded)))
    return NULL;
  return g_strdup_printf ("%s, %s", self->device, types);
}

const char *
sl_worker_get_types_line (SlWorker *self)
{
  return self->types_line;
}

gboolean
sl_worker_is_on_gpu (SlWorker *self)
{
  return self->on_gpu;
}

guint64
sl_worker_get_memory (SlWorker *self)
{
  return self->memory;
}

const char *
sl_worker_get_device_line (SlWorker *self)
{
  return self->device_line;
}

guint64
sl_worker_get_waiting (SlWorker *self)
{
  guint64 bytes = 0;

  if (self->side == NULL)
    return 0;
  pthread_mutex_lock (&self->side->lock);
  if (self->side->model)
    bytes = sl_model_waiting_bytes (self->side->model);
  pthread_mutex_unlock (&self->side->lock);
  return bytes;
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
  sl_thread_queue_push (side->thread, FALSE, _sl_side_close, NULL, side, NULL);
  sl_thread_queue_close (side->thread);
  pthread_mutex_destroy (&side->lock);
  g_free (side);
}
