/* sl-worker-post.c - what the main thread hears of a job on its way: states, frames, places to branch
 * from. See sl-worker-track.h.
 */
#include <stdlib.h>
#include <string.h>

#include "app/recipe/recipe.h"
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/worker/sl-worker-track.h"

typedef struct
{
  SlWorker *worker;
  SlJob *job;
  SlJobState state;
  SlMetadata *metadata;
  GArray *plan;
  GBytes *saved;
  GBytes *checkpoint;
  guint evaluations; /* that the checkpoint has behind it */
  int first;         /* evaluation of the run's own schedule */
  SlFrameObject *frame;
  gboolean decoded;
  gboolean lost_device;
  char *text;
} Message;

static void
message_free (gpointer data)
{
  Message *message = data;

  g_clear_object (&message->job);
  g_clear_object (&message->frame);
  g_clear_pointer (&message->saved, g_bytes_unref);
  g_clear_pointer (&message->checkpoint, g_bytes_unref);
  g_free (message->text);
  g_free (message);
}

static Message *
message_new (SlTrack *track)
{
  Message *message = g_new0 (Message, 1);

  message->worker = track->side->worker;
  g_set_object (&message->job, track->job);
  return message;
}

static void
deliver_state (gpointer data)
{
  Message *message = data;

  if (message->state != SL_JOB_LOADING)
    _sl_job_set_saved (message->job, message->saved);
  if (message->state == SL_JOB_FAILED)
    _sl_job_fail (message->job, message->text, message->lost_device);
  else
    _sl_job_set_state (message->job, message->state);
}

static void
deliver_started (gpointer data)
{
  Message *message = data;

  _sl_job_set_first (message->job, message->first);
  _sl_job_started (message->job, message->metadata, message->plan);
}

static void
deliver_frame (gpointer data)
{
  Message *message = data;

  if (message->decoded)
    sl_decoded_add (_sl_worker_get_decoded (message->worker), message->frame, SL_VIEW_PICTURE, FALSE);
  _sl_job_add_frame (message->job, message->frame);
}

static void
deliver_checkpoint (gpointer data)
{
  Message *message = data;

  _sl_job_add_checkpoint (message->job, message->evaluations, message->checkpoint);
}

void
_sl_track_post_state (SlTrack *track, SlJobState state, const char *text)
{
  Message *message = message_new (track);

  message->state = state;
  message->lost_device = track->lost_device;
  message->text = g_strdup (text);
  sl_thread_queue_post (track->side->thread, deliver_state, message, message_free);
}

/* ---- what the run is ---- */

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
static SlMetadata *
describe_run (SlTrack *track)
{
  SlModel *model = track->side->model;
  const SlRun *run = track->run;
  SlMetadata *metadata = g_new0 (SlMetadata, 1);
  const SlDevice *device = sl_model_device (model);

  metadata->version = SL_METADATA_VERSION;
  g_strlcpy (metadata->program, "safelight " SL_VERSION, sizeof metadata->program);
  metadata->recipe = sl_recipe_copy (sl_run_recipe (run));
  sl_metadata_set_model (metadata, sl_model_info (model));
  g_strlcpy (metadata->device, device->name, sizeof metadata->device);
  g_strlcpy (metadata->device_description, sl_device_describe (device), sizeof metadata->device_description);
  g_strlcpy (metadata->dtype, sl_dtype_name (device->dtype), sizeof metadata->dtype);
  metadata->steps = sl_run_recipe (run)->steps;
  sl_sha256 (sl_run_noise (run), sl_run_sample_elements (run) * sizeof (float), metadata->noise_sha256);
  add_warning (&metadata->warnings, sl_run_warning (run));
  metadata->origin = sl_origin_copy (track->came_from);
  metadata->fast = track->fast;
  return metadata;
}

static SlPlanPoint
plan_evaluation (const SlTrack *track, int evaluation)
{
  const SlScheduler *scheduler = sl_run_scheduler (track->run);
  bool ends_step = false;
  int step = sl_scheduler_step_of (scheduler, evaluation, &ends_step);

  return (SlPlanPoint){ sl_scheduler_timestep (scheduler, evaluation),
                        sl_scheduler_sigma (scheduler, evaluation), step + track->step_offset, ends_step };
}

/* Of what the run will make itself; the job has what a branch shares. */
static GArray *
plan_run (const SlTrack *track)
{
  GArray *plan = g_array_new (FALSE, FALSE, sizeof (SlPlanPoint));

  for (int i = track->origin->parent ? sl_run_evaluation (track->run) : 0;
       i < sl_run_evaluations (track->run); i++)
    {
      SlPlanPoint point = plan_evaluation (track, i);

      g_array_append_val (plan, point);
    }
  return plan;
}

void
_sl_track_post_started (SlTrack *track)
{
  Message *message = message_new (track);

  message->metadata = describe_run (track);
  message->plan = plan_run (track);
  message->first = track->first;
  sl_thread_queue_post (track->side->thread, deliver_started, message, message_free);
}

/* ---- frames ---- */

/* Where the real picture is worth its time during the run; the last moment always gets it. */
static gboolean
wants_decoding (SlTrack *track, const SlFrame *frame)
{
  SlPreviews previews = _sl_job_get_previews (track->job);

  if (previews == SL_PREVIEWS_AUTOMATIC)
    return frame->last || sl_model_decodes_cheaply (track->side->model);
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
  sl_thread_queue_post (side->thread, deliver_frame, message, message_free);
}

/* The frame whose picture was computed while the run went on. */
void
_sl_side_post_pending (SlEngineSide *side)
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

/* FALSE where the picture is no picture: with values that are not finite. */
static gboolean
decode_now (SlTrack *track, Message *message, SlError *err)
{
  g_autoptr (GBytes) rgb = NULL;
  int width = 0, height = 0;

  rgb = _sl_side_decode (track->side, message->frame, SL_VIEW_PICTURE, &width, &height, err);
  post_decoded (track->side, message, rgb, width, height);
  return err->code != SL_FORMAT;
}

/* As the moments of a timeline (app/core/timeline.h), so that a file of them is one. */
static gboolean
is_whole (const SlTrack *track, const SlFrame *frame)
{
  int own = frame->evaluation - track->offset - track->first;

  return frame->last || (own + 1) % track->plan.whole_every == 0;
}

gboolean
_sl_track_post_frame (SlTrack *track, const SlFrame *frame, SlError *err)
{
  SlEngineSide *side = track->side;
  Message *message = message_new (track);
  gboolean whole = is_whole (track, frame);
  gboolean wanted = whole && wants_decoding (track, frame) && !_sl_track_is_stopped (track);

  _sl_side_post_pending (side);
  message->frame = _sl_frame_object_new (side->model, frame, whole ? 0 : track->plan.light_side);
  if (wanted && !frame->last && begin_decoding (side, message->frame))
    side->pending = message;
  else if (wanted)
    return decode_now (track, message, err) || !frame->last;
  else
    post_decoded (side, message, NULL, 0, 0);
  return TRUE;
}

/* ---- places ---- */

static GBytes *
save_run (const SlRun *run)
{
  size_t bytes;
  void *state = sl_run_save (run, &bytes);

  return state ? g_bytes_new_with_free_func (state, bytes, free, state) : NULL;
}

void
_sl_track_post_checkpoint (SlTrack *track)
{
  Message *message = message_new (track);

  message->checkpoint = save_run (track->run);
  message->evaluations = (guint)(sl_run_evaluation (track->run) + track->offset);
  if (message->checkpoint)
    sl_thread_queue_post (track->side->thread, deliver_checkpoint, message, message_free);
  else
    message_free (message);
}

void
_sl_track_post_paused (SlTrack *track)
{
  Message *message = message_new (track);

  message->state = SL_JOB_PAUSED;
  message->saved = save_run (track->run);
  sl_thread_queue_post (track->side->thread, deliver_state, message, message_free);
}
