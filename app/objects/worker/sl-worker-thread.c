/* sl-worker-thread.c - what runs on the worker's thread: loading models and decoding; the runs are in
 * sl-worker-run.c.
 *
 * Easy to get wrong: sl_model_cancel is sticky until the engine's next call has failed with it, so a
 * stop that arrives between two calls may hit the next job or a decode; what is cancelled without
 * having been asked for is simply tried again.
 */
#include "app/objects/worker/sl-worker-private.h"

#include "app/record/record.h"

#include <stdlib.h>
#include <string.h>

void
_sl_request_free (gpointer data)
{
  SlRequest *request = data;

  g_clear_object (&request->item);
  g_clear_pointer (&request->jobs, g_ptr_array_unref);
  g_clear_pointer (&request->saved, g_ptr_array_unref);
  g_clear_pointer (&request->origins, g_array_unref);
  g_clear_object (&request->frame);
  g_clear_object (&request->whole);
  g_clear_pointer (&request->rgb, g_bytes_unref);
  g_free (request->problem);
  if (request->func_destroy)
    request->func_destroy (request->func_data);
  g_free (request->choice.device);
  g_free (request->choice.dtype);
  g_free (request);
}

/* ---- messages to the main thread ---- */

typedef struct
{
  SlWorker *worker;
  SlModelItem *item;
  gboolean loading;
  double fraction;
  char *text;
  char *device_line;
  gboolean on_gpu;
} Message;

static void
message_free (gpointer data)
{
  Message *message = data;

  g_clear_object (&message->item);
  g_free (message->text);
  g_free (message->device_line);
  g_free (message);
}

static Message *
message_new (SlEngineSide *side)
{
  Message *message = g_new0 (Message, 1);

  message->worker = side->worker;
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

  if (message->text)
    _sl_worker_load_failed (message->worker, message->item, message->text);
  else
    _sl_worker_loaded (message->worker, message->item, message->device_line, message->on_gpu);
}

/* ---- models ---- */

static void
load_progress (void *arg, double fraction, const char *what)
{
  SlEngineSide *side = arg;
  Message *message = message_new (side);

  message->loading = TRUE;
  message->fraction = fraction;
  message->text = g_strdup (what);
  sl_thread_queue_post (side->thread, deliver_loading, message, message_free);
}

/* A device that failed for good. */
static gboolean
is_dead (const SlEngineSide *side)
{
  return sl_model_device (side->model)->status == SL_DEVICE;
}

static gboolean
is_loaded (const SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice)
{
  return side->model && !is_dead (side)
         && g_str_equal (sl_model_item_get_path (side->item), sl_model_item_get_path (item))
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

static SlModel *
open_model (const SlRequest *request, SlModelOptions *options, SlError *err)
{
  const char *path = sl_model_item_get_path (request->item);
  SlModel *model = sl_model_open (path, options, err);

  if (model || err->code != SL_DEVICE)
    return model;
  options->device = "auto"; /* which says why it is the CPU */
  options->dtype = "auto";
  *err = (SlError){ 0 };
  return sl_model_open (path, options, err);
}

gboolean
_sl_side_is_on_gpu (const SlEngineSide *side)
{
  return g_str_equal (sl_model_device (side->model)->name, "cuda");
}

gboolean
_sl_side_ensure_model (const SlRequest *request, SlError *err)
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
  model = open_model (request, &options, err);
  message = message_new (side);
  message->item = g_object_ref (request->item);
  if (model)
    {
      swap_model (side, model, request);
      device = sl_model_device (model);
      why = sl_device_why (device);
      message->on_gpu = _sl_side_is_on_gpu (side);
      message->device_line = why[0] ? g_strdup_printf ("%s\n%s", sl_device_describe (device), why)
                                    : g_strdup (sl_device_describe (device));
    }
  else
    message->text = g_strdup (err->message);
  sl_thread_queue_post (side->thread, deliver_load_ended, message, message_free);
  return model != NULL;
}

void
_sl_request_load (gpointer data)
{
  SlError err = { 0 };

  _sl_side_ensure_model (data, &err);
}

void
_sl_request_func (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  _sl_side_ensure_model (request, &err);
  request->func (request->side, &err, request->func_data);
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

static SlSample
sample_of (SlFrameObject *frame, SlView view)
{
  SlSample sample
      = { .step = sl_frame_object_get_step (frame) + 1, .steps = sl_frame_object_get_steps (frame) };
  GBytes *bytes = sl_frame_object_get_sample (frame, view, &sample.channels, &sample.height, &sample.width);

  sample.data = g_bytes_get_data (bytes, NULL);
  return sample;
}

GBytes *
_sl_side_decode (SlEngineSide *side,
                 SlFrameObject *frame,
                 SlView view,
                 int *picture_width,
                 int *picture_height,
                 SlError *err)
{
  int factor = sl_model_info (side->model)->factor;
  SlSample sample = sample_of (frame, view);
  gsize bytes = (gsize)sample.height * sample.width * factor * factor * 3;
  g_autofree guint8 *rgb = g_try_malloc (bytes);
  gboolean ok = FALSE;

  if (rgb == NULL)
    sl_fail (err, SL_MEMORY, "no memory for its picture");
  for (int i = 0; rgb && !ok && i <= CANCEL_RETRIES && !g_atomic_int_get (&side->closing); i++)
    {
      *err = (SlError){ 0 };
      ok = sl_sample_decode (side->model, &sample, NULL, rgb, err);
      if (!ok && err->code != SL_CANCELLED)
        break;
    }
  *picture_width = sample.width * factor;
  *picture_height = sample.height * factor;
  return ok ? g_bytes_new_take (g_steal_pointer (&rgb), bytes) : NULL;
}

static gboolean
has_sample (SlFrameObject *frame)
{
  int channels, height, width;

  return sl_frame_object_get_sample (frame, SL_VIEW_NOISY, &channels, &height, &width) != NULL;
}

/* The model of the frame is there; a GPU that failed is replaced unless runs still have it. */
static gboolean
can_decode (const SlRequest *request, SlError *err)
{
  SlEngineSide *side = request->side;

  if (side->model == NULL
      || !g_str_equal (sl_model_item_get_path (side->item), sl_model_item_get_path (request->item)))
    return sl_fail (err, SL_ARGUMENT, "the model “%s” is not loaded now",
                    sl_model_item_get_name (request->item));
  if (!is_dead (side))
    return TRUE;
  if (side->running)
    return sl_fail (err, SL_DEVICE, "the GPU failed, and runs that used it have not ended yet");
  return _sl_side_ensure_model (request, err);
}

static void
decode (SlRequest *request, SlError *err)
{
  SlFrameObject *frame = request->frame;

  if (!has_sample (frame))
    frame = request->whole = _sl_side_make_again (request, err);
  if (frame)
    request->rgb
        = _sl_side_decode (request->side, frame, request->view, &request->width, &request->height, err);
}

void
_sl_request_decode (gpointer data)
{
  SlRequest *request = data;
  SlError err = { 0 };

  if (can_decode (request, &err))
    decode (request, &err);
  if (request->rgb == NULL && !g_atomic_int_get (&request->side->closing))
    request->problem = g_strdup (err.message);
}
