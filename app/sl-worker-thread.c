/* sl-worker-thread.c - what runs on the worker's thread: loading models, running jobs one evaluation
 * at a time, decoding.
 *
 * Easy to get wrong: sl_model_cancel is sticky until the engine's next call has failed with it, so a
 * stop that arrives between two calls may hit the next job or a decode; what is cancelled without
 * having been asked for is simply tried again.
 */
#include "app/sl-worker-private.h"

#include <stdlib.h>
#include <string.h>

#include "app/core/recipe_text.h"
#include "app/sl-frame-object-private.h"

#define CANCEL_RETRIES 2

void
_sl_request_free (gpointer data)
{
  SlRequest *request = data;

  g_clear_object (&request->item);
  g_clear_object (&request->job);
  g_clear_object (&request->frame);
  g_clear_pointer (&request->rgb, g_bytes_unref);
  g_free (request->choice.device);
  g_free (request->choice.dtype);
  g_free (request);
}

static gboolean
is_stopped (SlEngineSide *side, SlJob *job)
{
  return _sl_job_is_cancelled (job) || g_atomic_int_get (&side->closing);
}

/* ---- messages to the main thread ---- */

typedef struct
{
  SlWorker *worker;
  SlModelItem *item;
  SlJob *job;
  SlJobState state;
  SlMetadata *metadata;
  SlFrameObject *frame;
  gboolean decoded;
  gboolean loading;
  double fraction;
  int evaluations;
  char *text;
  char *device_line;
} Message;

static void
message_free (gpointer data)
{
  Message *message = data;

  g_clear_object (&message->item);
  g_clear_object (&message->job);
  g_clear_object (&message->frame);
  g_free (message->text);
  g_free (message->device_line);
  g_free (message);
}

static Message *
message_new (SlEngineSide *side, SlJob *job)
{
  Message *message = g_new0 (Message, 1);

  message->worker = side->worker;
  g_set_object (&message->job, job);
  return message;
}

static void
deliver_loading (gpointer data)
{
  Message *message = data;

  _sl_worker_loading (message->worker, message->loading, message->fraction, message->text);
}

static void
deliver_load_ended (gpointer data)
{
  Message *message = data;

  _sl_worker_load_ended (message->worker, message->item, message->device_line, message->text);
}

static void
deliver_state (gpointer data)
{
  Message *message = data;

  if (message->state == SL_JOB_FAILED)
    _sl_job_fail (message->job, message->text);
  else
    _sl_job_set_state (message->job, message->state);
}

static void
deliver_started (gpointer data)
{
  Message *message = data;

  _sl_job_started (message->job, message->metadata, message->evaluations);
}

static void
deliver_frame (gpointer data)
{
  Message *message = data;

  if (message->decoded)
    _sl_worker_keep_decoded (message->worker, message->frame, SL_VIEW_PICTURE);
  _sl_job_add_frame (message->job, message->frame);
}

static void
post_state (SlEngineSide *side, SlJob *job, SlJobState state, const char *text)
{
  Message *message = message_new (side, job);

  message->state = state;
  message->text = g_strdup (text);
  sl_lane_post (side->lane, deliver_state, message, message_free);
}

/* ---- models ---- */

static void
load_progress (void *arg, double fraction, const char *what)
{
  SlEngineSide *side = arg;
  Message *message = message_new (side, NULL);

  message->loading = TRUE;
  message->fraction = fraction;
  message->text = g_strdup (what);
  sl_lane_post (side->lane, deliver_loading, message, message_free);
}

static gboolean
is_loaded (const SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice)
{
  return side->model && g_str_equal (sl_model_item_get_path (side->item), sl_model_item_get_path (item))
         && g_str_equal (side->choice.device, choice->device)
         && g_str_equal (side->choice.dtype, choice->dtype) && side->choice.threads == choice->threads;
}

static void
swap_model (SlEngineSide *side, SlModel *model, const SlRequest *request)
{
  SlModel *old;

  pthread_mutex_lock (&side->lock);
  old = side->model;
  side->model = model;
  pthread_mutex_unlock (&side->lock);
  if (old)
    sl_model_close (&old);
  g_set_object (&side->item, request->item);
  g_free (side->choice.device);
  g_free (side->choice.dtype);
  side->choice = (SlDeviceChoice){ g_strdup (request->choice.device), g_strdup (request->choice.dtype),
                                   request->choice.threads };
}

static gboolean
ensure_model (const SlRequest *request, SlError *err)
{
  SlEngineSide *side = request->side;
  SlModelOptions options = { .device = request->choice.device,
                             .dtype = request->choice.dtype,
                             .threads = request->choice.threads,
                             .progress = load_progress,
                             .progress_arg = side,
                             .cancel = &side->closing };
  Message *message;
  SlModel *model;
  const SlDevice *device;
  const char *why;

  if (is_loaded (side, request->item, &request->choice))
    return TRUE;
  load_progress (side, 0, NULL);
  model = sl_model_open (sl_model_item_get_path (request->item), &options, err);
  message = message_new (side, NULL);
  message->item = g_object_ref (request->item);
  if (model)
    {
      swap_model (side, model, request);
      device = sl_model_device (model);
      why = sl_device_why (device);
      message->device_line = why[0] ? g_strdup_printf ("%s\n%s", sl_device_describe (device), why)
                                    : g_strdup (sl_device_describe (device));
    }
  else
    message->text = g_strdup (err->message);
  sl_lane_post (side->lane, deliver_load_ended, message, message_free);
  return model != NULL;
}

void
_sl_request_load (gpointer data)
{
  SlError err = { 0 };

  ensure_model (data, &err);
}

void
_sl_engine_side_close (gpointer data)
{
  SlEngineSide *side = data;

  pthread_mutex_lock (&side->lock);
  if (side->model)
    sl_model_close (&side->model);
  side->model = NULL;
  pthread_mutex_unlock (&side->lock);
  g_clear_object (&side->item);
  g_clear_pointer (&side->choice.device, g_free);
  g_clear_pointer (&side->choice.dtype, g_free);
}

/* ---- decoding ---- */

static GBytes *
decode (SlEngineSide *side, SlFrameObject *frame, SlView view, int *picture_width, int *picture_height)
{
  int factor = sl_model_info (side->model)->factor;
  int channels, height, width;
  GBytes *sample = sl_frame_object_get_sample (frame, view, &channels, &height, &width);
  gsize bytes = (gsize)height * width * factor * factor * 3;
  g_autofree guint8 *rgb = g_try_malloc (bytes);
  gboolean ok = FALSE;

  for (int i = 0; rgb && !ok && i <= CANCEL_RETRIES && !g_atomic_int_get (&side->closing); i++)
    {
      SlError err = { 0 };

      ok = sl_decode (side->model, g_bytes_get_data (sample, NULL), height, width, NULL, rgb, &err);
      if (!ok && err.code != SL_CANCELLED)
        break;
    }
  *picture_width = width * factor;
  *picture_height = height * factor;
  return ok ? g_bytes_new_take (g_steal_pointer (&rgb), bytes) : NULL;
}

void
_sl_request_decode (gpointer data)
{
  SlRequest *request = data;

  if (request->side->model
      && g_str_equal (sl_model_item_get_path (request->side->item), sl_model_item_get_path (request->item)))
    request->rgb = decode (request->side, request->frame, request->view, &request->width, &request->height);
}

/* ---- runs ---- */

static void
add_warning (char **warnings, const char *warning)
{
  char *joined;

  if (warning == NULL)
    return;
  joined = *warnings ? g_strdup_printf ("%s\n%s", *warnings, warning) : g_strdup (warning);
  free (*warnings);
  *warnings = strdup (joined); /* sl_metadata_free uses free */
  g_free (joined);
}

/* What the run's pictures will say about themselves; what depends on the moment is filled in when
 * one is saved. */
static void
post_started (SlEngineSide *side, SlJob *job, const SlRun *run)
{
  Message *message = message_new (side, job);
  SlMetadata *metadata = g_new0 (SlMetadata, 1);
  const SlDevice *device = sl_model_device (side->model);

  metadata->version = SL_METADATA_VERSION;
  g_strlcpy (metadata->program, "safelight " SL_VERSION, sizeof metadata->program);
  metadata->recipe = sl_recipe_copy (sl_run_recipe (run));
  sl_metadata_set_model (metadata, sl_model_info (side->model));
  g_strlcpy (metadata->device, device->name, sizeof metadata->device);
  g_strlcpy (metadata->device_description, sl_device_describe (device), sizeof metadata->device_description);
  g_strlcpy (metadata->dtype, sl_dtype_name (device->dtype), sizeof metadata->dtype);
  metadata->steps = sl_run_recipe (run)->steps;
  sl_sha256 (sl_run_noise (run), sl_run_sample_elements (run) * sizeof (float), metadata->noise_sha256);
  add_warning (&metadata->warnings, sl_run_warning (run));
  message->metadata = metadata;
  message->evaluations = sl_run_evaluations (run);
  sl_lane_post (side->lane, deliver_started, message, message_free);
}

/* Where the real picture is worth its time during the run; the last moment always gets it. */
static gboolean
wants_decoding (SlEngineSide *side, SlJob *job, const SlFrame *frame)
{
  SlPreviews previews = _sl_job_get_previews (job);

  if (previews == SL_PREVIEWS_AUTOMATIC)
    return frame->last || sl_model_info (side->model)->cheap_decode;
  return frame->last || previews == SL_PREVIEWS_BEST;
}

static void
post_decoded (SlEngineSide *side, Message *message, GBytes *rgb, int width, int height)
{
  if (rgb)
    {
      _sl_frame_object_set_decoded (message->frame, SL_VIEW_PICTURE, rgb, width, height);
      message->decoded = TRUE;
    }
  sl_lane_post (side->lane, deliver_frame, message, message_free);
}

/* The frame whose picture was computed while the run went on. */
static void
post_pending (SlEngineSide *side)
{
  Message *message = g_steal_pointer (&side->pending);
  g_autoptr (GBytes) rgb = NULL;
  int factor, channels, height, width;
  gsize bytes;
  guint8 *pixels;

  if (message == NULL)
    return;
  factor = sl_model_info (side->model)->factor;
  sl_frame_object_get_sample (message->frame, SL_VIEW_PICTURE, &channels, &height, &width);
  bytes = (gsize)height * width * factor * factor * 3;
  pixels = g_try_malloc (bytes);
  if (sl_decode_take (side->model, pixels) && pixels)
    rgb = g_bytes_new_take (g_steal_pointer (&pixels), bytes);
  g_free (pixels);
  post_decoded (side, message, rgb, width * factor, height * factor);
}

static gboolean
begin_decoding (SlEngineSide *side, SlFrameObject *frame)
{
  int channels, height, width;
  GBytes *sample = sl_frame_object_get_sample (frame, SL_VIEW_PICTURE, &channels, &height, &width);

  return sl_decode_begin (side->model, g_bytes_get_data (sample, NULL), height, width);
}

static void
post_frame (SlEngineSide *side, SlJob *job, const SlFrame *frame)
{
  Message *message = message_new (side, job);
  gboolean wanted = wants_decoding (side, job, frame) && !is_stopped (side, job);
  g_autoptr (GBytes) rgb = NULL;
  int width = 0, height = 0;

  post_pending (side);
  message->frame = _sl_frame_object_new (side->model, frame);
  if (wanted && !frame->last && begin_decoding (side, message->frame))
    {
      side->pending = message;
      return;
    }
  if (wanted)
    rgb = decode (side, message->frame, SL_VIEW_PICTURE, &width, &height);
  post_decoded (side, message, rgb, width, height);
}

static gboolean
was_stray_cancel (SlEngineSide *side, SlJob *job, const SlError *err, int *retries)
{
  return err->code == SL_CANCELLED && !is_stopped (side, job) && (*retries)++ < CANCEL_RETRIES;
}

static SlRun *
begin_run (SlEngineSide *side, SlJob *job, SlError *err)
{
  int retries = 0;
  SlRun *run;

  do
    run = sl_run_new (side->model, _sl_job_get_recipe (job), NULL, err);
  while (run == NULL && was_stray_cancel (side, job, err, &retries));
  return run;
}

/* Advances to the end, or until the job is cancelled. */
static gboolean
advance (SlEngineSide *side, SlJob *job, SlRun *run, SlError *err)
{
  int retries = 0;

  while (!sl_run_done (run))
    {
      SlFrame frame;

      sl_lane_yield (side->lane);
      if (is_stopped (side, job))
        return sl_fail (err, SL_CANCELLED, "stopped");
      if (sl_run_next (run, &frame, err))
        post_frame (side, job, &frame);
      else if (!was_stray_cancel (side, job, err, &retries))
        return FALSE;
    }
  return TRUE;
}

static gboolean
run_job (SlRequest *request, SlError *err)
{
  SlEngineSide *side = request->side;
  SlJob *job = request->job;
  SlRun *run;
  gboolean ok;

  if (is_stopped (side, job))
    return sl_fail (err, SL_CANCELLED, "stopped");
  post_state (side, job, SL_JOB_LOADING, NULL);
  if (!ensure_model (request, err))
    return FALSE;
  run = begin_run (side, job, err);
  if (run == NULL)
    return FALSE;
  post_started (side, job, run);
  ok = advance (side, job, run, err);
  post_pending (side);
  sl_run_free (run);
  return ok;
}

void
_sl_request_run (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  if (run_job (request, &err))
    post_state (request->side, request->job, SL_JOB_DONE, NULL);
  else if (err.code == SL_CANCELLED)
    post_state (request->side, request->job, SL_JOB_STOPPED, NULL);
  else
    post_state (request->side, request->job, SL_JOB_FAILED, err.message);
}
