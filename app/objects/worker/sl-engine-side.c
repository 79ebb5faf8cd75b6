/* sl-engine-side.c - what runs on the worker's thread beside the runs: loading models and decoding; see
 * sl-engine-side.h.
 *
 * Easy to get wrong: sl_model_cancel is sticky until the engine's next call has failed with it, so a
 * stop that arrives between two calls may hit the next job or a decode; what is cancelled without
 * having been asked for is simply tried again.
 */
#include "app/objects/worker/sl-engine-side.h"

#include "app/objects/sl-model-item-private.h"

#define SETTLE_BYTES ((size_t)64 << 20) /* of weights between two looks for something else to do */

void
_sl_device_choice_copy (const SlDeviceChoice *from, SlDeviceChoice *to)
{
  *to = (SlDeviceChoice){ g_strdup (from->device),  g_strdup (from->dtype),  from->threads,
                          g_strdup (from->tiny),    g_strdup (from->models), g_strdup (from->of_device),
                          g_strdup (from->of_types) };
}

void
_sl_device_choice_clear (SlDeviceChoice *choice)
{
  g_clear_pointer (&choice->device, g_free);
  g_clear_pointer (&choice->dtype, g_free);
  g_clear_pointer (&choice->tiny, g_free);
  g_clear_pointer (&choice->models, g_free);
  g_clear_pointer (&choice->of_device, g_free);
  g_clear_pointer (&choice->of_types, g_free);
}

/* ---- messages to the main thread ---- */

typedef struct
{
  SlEngineSide *side;
  SlModelItem *item;
  gboolean loading;
  double fraction;
  gboolean usual;
  char *text;
  char *device;
  char *device_line;
  char *types_line;
  char *dtype;
  gboolean on_gpu;
  guint64 memory;
} Message;

static void
message_free (gpointer data)
{
  Message *message = data;

  g_clear_object (&message->item);
  g_free (message->text);
  g_free (message->device);
  g_free (message->device_line);
  g_free (message->types_line);
  g_free (message->dtype);
  g_free (message);
}

static Message *
message_new (SlEngineSide *side)
{
  Message *message = g_new0 (Message, 1);

  message->side = side;
  return message;
}

static void
deliver_loading (gpointer data)
{
  Message *message = data;

  message->side->events->loading (message->side->owner, message->loading, message->fraction, message->text);
}

static void
deliver_load_ended (gpointer data)
{
  Message *message = data;

  const SlSideEvents *events = message->side->events;

  if (message->text)
    events->load_failed (message->side->owner, message->item, message->text);
  else
    events->loaded (message->side->owner,
                    &(SlLoaded){ message->item, message->usual, message->device, message->device_line,
                                 message->types_line, message->dtype, message->on_gpu, message->memory });
}

static void
deliver_otherwise (gpointer data)
{
  Message *message = data;

  message->side->events->otherwise (message->side->owner, message->text);
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

gboolean
_sl_side_is_dead (const SlEngineSide *side)
{
  return sl_model_device (side->model)->status == SL_DEVICE;
}

/* ---- as a run was computed ---- */

static char *
key_of (SlModelItem *item, const SlDeviceChoice *choice)
{
  return g_strdup_printf ("%s|%s|%s|%s", sl_model_item_get_path (item), choice->of_device, choice->of_types,
                          choice->device);
}

/* The preferences name another device than the run's. */
static gboolean
chooses_another (const SlDeviceChoice *choice)
{
  return !g_str_equal (choice->device, "auto") && !g_str_equal (choice->device, choice->of_device);
}

/* The choice as it is to be loaded, nothing of it copied: with the run's own, or without where that cannot be. A file can name any
 * device: one that only checks or measures is none. */
static SlDeviceChoice
choose (const SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice)
{
  static const char *const devices[] = { "cpu", "cuda", "ref", NULL };
  g_autofree char *key = choice->of_types ? key_of (item, choice) : NULL;
  SlDeviceChoice chosen = *choice;

  if (key
      && (!g_strv_contains (devices, choice->of_device) || chooses_another (choice)
          || (side->lacking && g_hash_table_contains (side->lacking, key))))
    chosen.of_device = chosen.of_types = NULL;
  return chosen;
}

static gboolean
computes_as (const SlEngineSide *side, const char *device, const char *types)
{
  return g_str_equal (sl_model_device (side->model)->name, device)
         && g_str_equal (sl_model_dtypes (side->model), types);
}

/* What was chosen. */
static gboolean
is_loaded (const SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice)
{
  const SlDeviceChoice *was = &side->choice;

  if (side->model == NULL || _sl_side_is_dead (side) || !sl_model_item_equal (side->item, item)
      || was->threads != choice->threads)
    return FALSE;
  if (choice->of_types)
    return computes_as (side, choice->of_device, choice->of_types)
           || (g_strcmp0 (was->of_device, choice->of_device) == 0
               && g_strcmp0 (was->of_types, choice->of_types) == 0);
  return was->of_types == NULL && g_str_equal (was->device, choice->device)
         && g_str_equal (was->dtype, choice->dtype);
}

/* Once for each. Of a GPU that failed it is said where it failed. */
static void
say_otherwise (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, gboolean failed)
{
  const char *device = sl_model_device (side->model)->name, *types = sl_model_dtypes (side->model);
  Message *message;

  if (side->lacking == NULL)
    side->lacking = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!g_hash_table_add (side->lacking, key_of (item, choice)) || failed)
    return;
  message = message_new (side);
  if (chooses_another (choice))
    message->text = g_strdup_printf (
        sl_words (
            "This was computed as “%s, %s”. The preferences name another device: it goes on as “%s, %s”."),
        choice->of_device, choice->of_types, device, types);
  else
    message->text = g_strdup_printf (
        sl_words ("This was computed as “%s, %s”, which is not possible here now: it goes on as “%s, %s”."),
        choice->of_device, choice->of_types, device, types);
  sl_thread_queue_post (side->thread, deliver_otherwise, message, message_free);
}

/* ---- loading ---- */

static void
swap_model (SlEngineSide *side, SlModel *model, SlModelItem *item, const SlDeviceChoice *choice)
{
  SlModel *old;

  _sl_side_forget_tried (side);
  pthread_mutex_lock (&side->lock);
  old = side->model;
  side->model = model;
  pthread_mutex_unlock (&side->lock);
  if (old)
    sl_model_close (&old);
  g_set_object (&side->item, item);
  g_clear_pointer (&side->tiny, g_free);
  free (side->keys);
  side->keys = sl_model_keys (sl_model_info (model));
  _sl_device_choice_clear (&side->choice);
  _sl_device_choice_copy (choice, &side->choice);
}

/* What "auto" is for the options, into them and *automatic, which has the text. */
static gboolean
find_auto_dtype (SlModelOptions *options, SlAutoDtype *automatic, SlError *err)
{
  const SlAutoAsk ask = { .device = options->device,
                          .dtype = options->dtype,
                          .threads = options->threads,
                          .measure = TRUE,
                          .cancel = options->cancel };

  options->auto_dtype = automatic->dtype;
  return sl_auto_dtype (&ask, automatic, err);
}

/* This machine does not have the device, the types or the memory. */
static gboolean
is_lack (const SlError *err)
{
  return err->code == SL_DEVICE || err->code == SL_UNSUPPORTED || err->code == SL_MEMORY
         || err->code == SL_ARGUMENT;
}

/* As a run was computed, where chosen says so; else the usual way, and on the CPU where the GPU cannot be used. */
static SlModel *
open_path (const char *path,
           SlModelOptions *options,
           const SlDeviceChoice *chosen,
           SlAutoDtype *automatic,
           SlError *err)
{
  SlModel *model;

  options->device = chosen->of_types ? chosen->of_device : chosen->device;
  options->dtype = chosen->of_types ? chosen->of_types : chosen->dtype;
  if (!find_auto_dtype (options, automatic, err))
    return NULL;
  model = sl_model_open (path, options, err);
  if (model || err->code != SL_DEVICE || chosen->of_types)
    return model;
  *err = (SlError){ 0 };
  options->device = "cpu";
  options->dtype = "auto";
  if (!find_auto_dtype (options, automatic, err))
    return NULL;
  options->device = "auto"; /* which says why it is the CPU */
  return sl_model_open (path, options, err);
}

static SlModel *
open_model (
    SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *chosen, SlAutoDtype *automatic, SlError *err)
{
  const SlModelInfo *info = _sl_model_item_get_info (item);
  SlPartFrom from[SL_MODEL_MAX_OTHERS + 1] = { { NULL, NULL } };
  SlModelOptions options = { .from = from,
                             .threads = chosen->threads,
                             .early = true,
                             .find_adapter = sl_lora_find,
                             .find_embedding = sl_embedding_find,
                             .list_embeddings = sl_embeddings_each,
                             .progress = load_progress,
                             .progress_arg = side,
                             .cancel = &side->closing };

  for (int i = 0; i < info->others; i++)
    from[i] = (SlPartFrom){ info->other[i].part, info->other[i].path };
  return open_path (info->path, &options, chosen, automatic, err);
}

gboolean
_sl_side_is_on_gpu (const SlEngineSide *side)
{
  return g_str_equal (sl_model_device (side->model)->name, "cuda");
}

static void
describe_loaded (const SlEngineSide *side, const SlAutoDtype *automatic, Message *message)
{
  const SlDevice *device = sl_model_device (side->model);
  const char *why = sl_device_why (device);

  message->usual = side->choice.of_types == NULL;
  message->on_gpu = _sl_side_is_on_gpu (side);
  message->device = g_strdup (device->name);
  message->dtype = g_strdup (sl_model_dtypes (side->model));
  message->types_line = g_strdup (message->on_gpu ? "" : automatic->line);
  message->memory = G_MAXUINT64;
  if (message->on_gpu)
    {
      guint64 there = sl_device_memory (sl_model_device (side->model));

      message->memory = there - MIN (there, sl_model_waiting_bytes (side->model));
    }
  message->device_line = why[0] ? g_strdup_printf ("%s\n%s", sl_device_describe (device), why)
                                : g_strdup (sl_device_describe (device));
}

/* Where a run's own cannot be had, that is no failure for the main thread: the usual way comes next. */
static gboolean
load (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *chosen, SlError *err)
{
  SlAutoDtype automatic;
  Message *message;
  SlModel *model;
  gboolean lacks;

  load_progress (side, 0, NULL);
  model = open_model (side, item, chosen, &automatic, err);
  lacks = model == NULL && chosen->of_types && is_lack (err);
  message = message_new (side);
  message->item = g_object_ref (item);
  if (model)
    {
      swap_model (side, model, item, chosen);
      describe_loaded (side, &automatic, message);
    }
  else if (!lacks)
    message->text = g_strdup (err->message);
  if (lacks)
    sl_thread_queue_post (side->thread, deliver_loading, message, message_free);
  else
    sl_thread_queue_post (side->thread, deliver_load_ended, message, message_free);
  return model != NULL;
}

/* FALSE and no *err where a run's own cannot be had. */
static gboolean
ensure_chosen (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *chosen, SlError *err)
{
  if (is_loaded (side, item, chosen) || load (side, item, chosen, err))
    return TRUE;
  if (chosen->of_types && is_lack (err))
    *err = (SlError){ 0 };
  return FALSE;
}

gboolean
_sl_side_ensure_model (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, SlError *err)
{
  SlDeviceChoice chosen = choose (side, item, choice);
  gboolean failed = side->model && _sl_side_is_dead (side);
  gboolean ok = ensure_chosen (side, item, &chosen, err);

  if (!ok && chosen.of_types && err->code == SL_OK)
    {
      chosen.of_device = chosen.of_types = NULL;
      ok = ensure_chosen (side, item, &chosen, err);
    }
  if (ok && choice->of_types && chosen.of_types == NULL)
    say_otherwise (side, item, choice, failed);
  return ok;
}

static void
settle_run (gpointer data)
{
  SlEngineSide *side = data;
  SlError err = { 0 }; /* who computes with the model is told */
  bool more = false;

  if (g_atomic_int_get (&side->closing) || side->model == NULL)
    return;
  if (!sl_model_settle_some (side->model, SETTLE_BYTES, &more, &err))
    {
      sl_model_clear_cancel (side->model);
      more = err.code == SL_CANCELLED; /* of a job that had ended already */
    }
  if (more)
    _sl_side_settle (side);
}

void
_sl_side_settle (SlEngineSide *side)
{
  if (side->model && !_sl_side_is_on_gpu (side)) /* a GPU's memory is for the steps first */
    sl_thread_queue_push (side->thread, FALSE, settle_run, NULL, side, NULL);
}

gboolean
_sl_side_ensure_loaded_as (SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, SlError *err)
{
  SlDeviceChoice chosen = choose (side, item, choice);

  if (side->model == NULL || !sl_model_item_equal (side->item, item))
    return sl_fail (err, SL_ARGUMENT, "the model “%s” is not loaded now", sl_model_item_get_name (item));
  if (_sl_side_is_dead (side) && side->running)
    return sl_fail (err, SL_DEVICE, "the GPU failed, and runs that used it have not ended yet");
  if (side->running && choice->of_types && !is_loaded (side, item, &chosen))
    return sl_fail (err, SL_ARGUMENT,
                    "it was computed as “%s, %s”, and a run that goes on computes as “%s, %s”",
                    choice->of_device, choice->of_types, sl_model_device (side->model)->name,
                    sl_model_dtypes (side->model));
  if (side->running || (choice->of_types == NULL && !_sl_side_is_dead (side)))
    return TRUE;
  return _sl_side_ensure_model (side, item, choice, err);
}

void
_sl_side_ensure_tiny (SlEngineSide *side, const SlDeviceChoice *choice)
{
  char *found
      = *choice->tiny ? NULL : sl_preview_decoder_find (sl_model_info (side->model), choice->models, NULL);
  const char *path = *choice->tiny ? choice->tiny : found;

  if (g_strcmp0 (path, side->tiny) != 0)
    {
      sl_model_set_preview_decoder (side->model, path, NULL);
      g_free (side->tiny);
      side->tiny = g_strdup (path);
    }
  free (found);
}

void
_sl_side_close (gpointer data)
{
  SlEngineSide *side = data;

  _sl_side_forget_tried (side);
  pthread_mutex_lock (&side->lock);
  if (side->model)
    sl_model_close (&side->model);
  side->model = NULL;
  pthread_mutex_unlock (&side->lock);
  g_clear_object (&side->item);
  g_clear_pointer (&side->tiny, g_free);
  free (side->keys);
  side->keys = NULL;
  _sl_device_choice_clear (&side->choice);
  g_clear_pointer (&side->lacking, g_hash_table_unref);
}

/* ---- decoding ---- */

void
_sl_decoding_clear (SlDecoding *decoding)
{
  g_clear_object (&decoding->frame);
  g_clear_pointer (&decoding->rgb, g_bytes_unref);
  _sl_frame_samples_clear (&decoding->samples);
}

static GBytes *
sample_of (const SlDecoding *decoding, SlSample *sample)
{
  SlFrameObject *frame = decoding->frame;
  gboolean noisy = decoding->view == SL_VIEW_NOISY || sl_frame_object_is_last (frame);
  GBytes *bytes = noisy ? decoding->samples.x_t : decoding->samples.x_0;
  int moment;

  sl_timeline_size (_sl_frame_object_get_timeline (frame, &moment), &sample->channels, &sample->height,
                    &sample->width);
  sample->step = sl_frame_object_get_step (frame) + 1;
  sample->steps = sl_frame_object_get_steps (frame);
  if (bytes == NULL) /* not computed again: it is the frame's for good */
    bytes = sl_frame_object_get_sample (frame, decoding->view, &sample->channels, &sample->height,
                                        &sample->width);
  sample->data = g_bytes_get_data (bytes, NULL);
  return bytes;
}

/* The moment's arrays, computed again. A timeline that rested rests again. */
static gboolean
fetch (SlEngineSide *side, SlDecoding *decoding, SlError *err)
{
  int moment;
  SlTimeline *timeline = _sl_frame_object_get_timeline (decoding->frame, &moment);
  gboolean rested = !sl_timeline_is_running (timeline), ok = FALSE;
  bool guided = false;
  gsize n = (gsize)sl_timeline_elements (timeline);
  g_autofree float *x_t = g_new (float, n);
  g_autofree float *x_0 = g_new (float, n);
  g_autofree guint16 *output = g_new (guint16, n);
  g_autofree guint16 *term = g_new (guint16, n);
  SlFrameSamples *samples = &decoding->samples;

  for (int i = 0; !ok && i <= SL_CANCEL_RETRIES && !g_atomic_int_get (&side->closing); i++)
    {
      *err = (SlError){ 0 };
      ok = sl_timeline_fetch (timeline, side->model, moment, x_t, x_0, err);
      if (!ok && err->code != SL_CANCELLED)
        break;
    }
  if (ok && sl_timeline_fetched_halves (timeline, moment, output, term, &guided))
    {
      samples->half[SL_PART_OUTPUT] = g_bytes_new_take (g_steal_pointer (&output), n * sizeof (guint16));
      if (guided)
        samples->half[SL_PART_GUIDANCE] = g_bytes_new_take (g_steal_pointer (&term), n * sizeof (guint16));
    }
  if (rested)
    sl_timeline_rest (timeline);
  if (!ok)
    return FALSE;
  samples->x_t = g_bytes_new_take (g_steal_pointer (&x_t), n * sizeof (float));
  samples->x_0 = g_bytes_new_take (g_steal_pointer (&x_0), n * sizeof (float));
  return TRUE;
}

gboolean
_sl_side_decode (SlEngineSide *side, SlDecoding *decoding, SlError *err)
{
  int factor = sl_model_info (side->model)->factor;
  g_autoptr (GBytes) kept = NULL;
  g_autofree guint8 *rgb = NULL;
  SlSample sample;
  gboolean ok = FALSE;
  gsize bytes;

  if (_sl_frame_object_is_light (decoding->frame) && !fetch (side, decoding, err))
    return FALSE;
  kept = g_bytes_ref (sample_of (decoding, &sample));
  bytes = (gsize)sample.height * sample.width * factor * factor * 3;
  rgb = g_try_malloc (bytes);
  if (rgb == NULL)
    return sl_fail (err, SL_MEMORY, "no memory for its picture");
  for (int i = 0; !ok && i <= SL_CANCEL_RETRIES && !g_atomic_int_get (&side->closing); i++)
    {
      *err = (SlError){ 0 };
      ok = sl_sample_decode (side->model, &sample, NULL, rgb, err);
      if (!ok && err->code != SL_CANCELLED)
        break;
    }
  if (!ok)
    return FALSE;
  decoding->width = sample.width * factor;
  decoding->height = sample.height * factor;
  decoding->rgb = g_bytes_new_take (g_steal_pointer (&rgb), bytes);
  return TRUE;
}

gboolean
_sl_side_decode_tiny (SlEngineSide *side, SlDecoding *decoding, SlError *err)
{
  int factor = sl_model_info (side->model)->factor;
  SlSample sample;
  const GBytes *kept = sample_of (decoding, &sample);
  gsize bytes = (gsize)sample.height * sample.width * factor * factor * 3;
  g_autofree guint8 *rgb = kept ? g_try_malloc (bytes) : NULL;

  if (rgb == NULL)
    return sl_fail (err, SL_MEMORY, "no memory for a preview");
  if (!sl_decode_preview (side->model, sample.data, sample.height, sample.width, rgb, err))
    return FALSE;
  decoding->width = sample.width * factor;
  decoding->height = sample.height * factor;
  decoding->rgb = g_bytes_new_take (g_steal_pointer (&rgb), bytes);
  return TRUE;
}

gboolean
_sl_side_decode_of (
    SlEngineSide *side, SlModelItem *item, const SlDeviceChoice *choice, SlDecoding *decoding, SlError *err)
{
  return _sl_side_ensure_loaded_as (side, item, choice, err) && _sl_side_decode (side, decoding, err);
}

/* ---- other guidance ---- */

void
_sl_side_forget_tried (SlEngineSide *side)
{
  g_clear_pointer (&side->what_if, sl_what_if_free);
  g_clear_pointer (&side->tried, sl_timeline_free);
}

static gboolean
ensure_tried (SlEngineSide *side, const SlTrying *trying, SlError *err)
{
  if (side->what_if && side->tried == trying->timeline && side->tried_moment == trying->moment)
    return TRUE;
  _sl_side_forget_tried (side);
  side->what_if = sl_what_if_new (trying->timeline, side->model, trying->moment, err);
  if (side->what_if == NULL)
    return FALSE;
  side->tried = sl_timeline_ref (trying->timeline);
  side->tried_moment = trying->moment;
  return TRUE;
}

static gboolean
draw_tried (SlEngineSide *side, SlTrying *trying, SlSample *sample, SlError *err)
{
  int factor = trying->decoded ? sl_model_info (side->model)->factor : 1;
  gsize bytes = (gsize)sample->height * sample->width * factor * factor * 3;
  g_autofree guint8 *rgb = g_try_malloc (bytes);

  if (rgb == NULL)
    return sl_fail (err, SL_MEMORY, "no memory for its picture");
  if (!trying->decoded)
    sl_preview (side->model, sample->data, sample->height, sample->width, rgb);
  else if (!sl_sample_decode (side->model, sample, NULL, rgb, err))
    return FALSE;
  trying->width = sample->width * factor;
  trying->height = sample->height * factor;
  trying->rgb = g_bytes_new_take (g_steal_pointer (&rgb), bytes);
  return TRUE;
}

gboolean
_sl_side_try (SlEngineSide *side, SlTrying *trying, SlError *err)
{
  SlMoment planned = sl_timeline_planned (trying->timeline, trying->moment);
  SlSample sample = { .step = planned.step + 1, .steps = trying->recipe->steps };
  g_autofree float *values = g_new (float, sl_timeline_elements (trying->timeline));
  gboolean ok = FALSE;

  sl_timeline_size (trying->timeline, &sample.channels, &sample.height, &sample.width);
  sample.data = values;
  for (int i = 0; !ok && i <= SL_CANCEL_RETRIES && !g_atomic_int_get (&side->closing); i++)
    {
      *err = (SlError){ 0 };
      /* of the last moment the picture is the result */
      ok = ensure_tried (side, trying, err)
           && sl_what_if (side->what_if, trying->recipe, planned.last ? values : NULL,
                          planned.last ? NULL : values, err)
           && draw_tried (side, trying, &sample, err);
      if (!ok && err->code != SL_CANCELLED)
        break;
    }
  return ok;
}
