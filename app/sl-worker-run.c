/* sl-worker-run.c - what runs on the worker's thread: jobs, one evaluation at a time; several of them
 * in turn, so that all lanes of a comparison move.
 *
 * Easy to get wrong: stopping one lane cancels whatever is computed at that moment, which may be
 * another lane's evaluation: that one is simply made again.
 */
#include "app/sl-worker-private.h"

#include <stdlib.h>
#include <string.h>

#include "app/core/recipe_text.h"
#include "app/sl-frame-object-private.h"

/* As many places of a run can be branched from at once; those between are computed again. */
#define CHECKPOINTS 12

/* A job on its way. */
typedef struct
{
  SlEngineSide *side;
  SlJob *job;
  SlOrigin *came_from; /* what a branch's pictures say about it */
  SlShare *share;      /* texts and first evaluations that lanes have in common; NULL: none */
  SlBranchStart *origin;
  int whole_every; /* of so many frames one is kept whole */
  SlRun *run;      /* NULL: over, or paused */
  int offset;      /* of a branch: evaluations in the job's list less those of its own run */
  int step_offset; /* the same for steps */
  int retries;
} Track;

/* ---- messages to the main thread ---- */

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
  SlFrameObject *frame;
  gboolean decoded;
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
message_new (Track *track)
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
    _sl_job_fail (message->job, message->text);
  else
    _sl_job_set_state (message->job, message->state);
}

static void
deliver_started (gpointer data)
{
  Message *message = data;

  _sl_job_started (message->job, message->metadata, message->plan);
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
deliver_checkpoint (gpointer data)
{
  Message *message = data;

  _sl_job_add_checkpoint (message->job, message->evaluations, message->checkpoint);
}

static void
post_state (Track *track, SlJobState state, const char *text)
{
  Message *message = message_new (track);

  message->state = state;
  message->text = g_strdup (text);
  sl_lane_post (track->side->lane, deliver_state, message, message_free);
}

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
describe_run (Track *track)
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
  return metadata;
}

/* The frames that a branch shares are counted as before, its own go on from there. */
static void
count_on (const Track *track, SlFrame *frame)
{
  frame->evaluation += track->offset;
  frame->evaluations += track->offset;
  frame->step += track->step_offset;
  frame->steps += track->step_offset;
}

static SlPlanPoint
plan_evaluation (const Track *track, int evaluation)
{
  const SlScheduler *scheduler = sl_run_scheduler (track->run);
  bool ends_step = false;
  int step = sl_scheduler_step_of (scheduler, evaluation, &ends_step);

  return (SlPlanPoint){ sl_scheduler_timestep (scheduler, evaluation),
                        sl_scheduler_sigma (scheduler, evaluation), step + track->step_offset, ends_step };
}

/* Of what the run will make itself; the job has what a branch shares. */
static GArray *
plan_run (const Track *track)
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

static void
post_started (Track *track)
{
  Message *message = message_new (track);

  message->metadata = describe_run (track);
  message->plan = plan_run (track);
  sl_lane_post (track->side->lane, deliver_started, message, message_free);
}

/* Where the real picture is worth its time during the run; the last moment always gets it. */
static gboolean
wants_decoding (Track *track, const SlFrame *frame)
{
  SlPreviews previews = _sl_job_get_previews (track->job);

  if (previews == SL_PREVIEWS_AUTOMATIC)
    return frame->last || sl_model_info (track->side->model)->cheap_decode;
  return frame->last || previews == SL_PREVIEWS_BEST;
}

static gboolean
is_stopped (Track *track)
{
  return (track->job && _sl_job_is_cancelled (track->job)) || g_atomic_int_get (&track->side->closing);
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
post_frame (Track *track, const SlFrame *frame)
{
  SlEngineSide *side = track->side;
  Message *message = message_new (track);
  gboolean wanted = wants_decoding (track, frame) && !is_stopped (track);
  g_autoptr (GBytes) rgb = NULL;
  int width = 0, height = 0;

  post_pending (side);
  message->frame = _sl_frame_object_new (side->model, frame,
                                         !frame->last && frame->evaluation % track->whole_every != 0);
  wanted = wanted && (frame->last || frame->evaluation % track->whole_every == 0);
  if (wanted && !frame->last && begin_decoding (side, message->frame))
    {
      side->pending = message;
      return;
    }
  if (wanted)
    rgb = _sl_side_decode (side, message->frame, SL_VIEW_PICTURE, &width, &height);
  post_decoded (side, message, rgb, width, height);
}

static GBytes *
save_run (const SlRun *run)
{
  size_t bytes;
  void *state = sl_run_save (run, &bytes);

  return state ? g_bytes_new_with_free_func (state, bytes, free, state) : NULL;
}

static void
post_checkpoint (Track *track)
{
  Message *message = message_new (track);

  message->checkpoint = save_run (track->run);
  message->evaluations = (guint)(sl_run_evaluation (track->run) + track->offset);
  if (message->checkpoint)
    sl_lane_post (track->side->lane, deliver_checkpoint, message, message_free);
  else
    message_free (message);
}

/* ---- from beginning to end ---- */

static void
track_end (Track *track, SlJobState state, const char *text)
{
  post_pending (track->side);
  g_clear_pointer (&track->run, sl_run_free);
  post_state (track, state, text);
}

static void
track_fail (Track *track, const SlError *err)
{
  g_autofree char *died = NULL;

  if (err->code == SL_DEVICE)
    died = g_strdup_printf ("%s. What is there of the picture is kept. From now on the CPU computes, until "
                            "Safelight is started again.",
                            err->message);
  track_end (track, err->code == SL_CANCELLED ? SL_JOB_STOPPED : SL_JOB_FAILED, died ? died : err->message);
}

static gboolean
was_stray_cancel (Track *track, const SlError *err)
{
  return err->code == SL_CANCELLED && !is_stopped (track) && track->retries++ < CANCEL_RETRIES;
}

/* Tries again what was cancelled for another job's sake. */
static SlRun *
new_run (Track *track, SlJob *job, SlError *err)
{
  const SlRunInputs inputs = { .share = track->share };
  SlRun *run;

  do
    run = sl_run_new (track->side->model, _sl_job_get_recipe (job), &inputs, err);
  while (run == NULL && was_stray_cancel (track, err));
  return run;
}

static gboolean
restore (SlRun *run, GBytes *state, SlError *err)
{
  return sl_run_restore (run, g_bytes_get_data (state, NULL), g_bytes_get_size (state), err);
}

/* The parent's run as it was at a place: from its nearest checkpoint on it is made again. frame (may be
 * NULL) is the last evaluation's, borrowed from the run. */
static SlRun *
new_parent_run (Track *track, SlFrame *frame, SlError *err)
{
  const SlBranchStart *origin = track->origin;
  SlRun *run = new_run (track, origin->parent, err);
  gboolean ok = run && (origin->state == NULL || restore (run, origin->state, err));

  for (guint i = origin->state_at; ok && i < origin->evaluations;)
    {
      if (is_stopped (track))
        ok = sl_fail (err, SL_CANCELLED, "stopped");
      else if (sl_run_next (run, frame, err))
        i++;
      else
        ok = was_stray_cancel (track, err);
    }
  if (!ok)
    g_clear_pointer (&run, sl_run_free);
  return run;
}

/* A parent that was stopped can still be looked at: only the end of the program ends this. */
SlFrameObject *
_sl_side_make_again (const SlRequest *request)
{
  SlBranchStart *origin = &g_array_index (request->origins, SlBranchStart, 0);
  Track track = { .side = request->side, .origin = origin };
  SlFrameObject *whole = NULL;
  SlError err = { 0 };
  SlFrame frame;
  SlRun *run = new_parent_run (&track, &frame, &err);

  if (run)
    whole = _sl_frame_object_new (request->side->model, &frame, FALSE);
  sl_run_free (run);
  return whole;
}

/* Where the run's evaluations and steps are in the job's list. */
static void
find_offsets (Track *track)
{
  bool ends;
  int shared = (int)track->origin->evaluations, step = 0, own = sl_run_evaluation (track->run);
  g_autoptr (SlFrameObject) last
      = g_list_model_get_item (sl_job_get_frames (track->job), track->origin->evaluations - 1);

  track->offset = shared - own;
  step = sl_scheduler_step_of (sl_run_scheduler (track->run), own, &ends);
  track->step_offset = sl_frame_object_get_step (last) + (sl_frame_object_ends_step (last) ? 1 : 0) - step;
}

static void
remember_parent (Track *track, const SlRun *parent)
{
  const SlMetadata *metadata = _sl_job_get_metadata (track->origin->parent);

  track->came_from = sl_origin_new (metadata->recipe, metadata->origin, sl_run_steps_done (parent));
  if (track->came_from)
    sl_sha256 (sl_run_sample (parent), (size_t)sl_run_sample_elements (parent) * sizeof (float),
               track->came_from->sha256);
}

static gboolean
begin_branch (Track *track, SlError *err)
{
  SlRun *parent = new_parent_run (track, NULL, err);
  gboolean ok = parent && sl_run_continue (track->run, parent, err);

  if (ok)
    {
      find_offsets (track);
      remember_parent (track, parent);
    }
  sl_run_free (parent);
  return ok;
}

/* Runs whose frames would take more than their budget keep only some whole. */
static void
find_whole_frames (Track *track, gsize budget)
{
  const SlModelInfo *info = sl_model_info (track->side->model);
  const SlRecipe *recipe = sl_run_recipe (track->run);
  gsize bytes
      = _sl_frame_object_bytes (info->channels, recipe->height / info->factor, recipe->width / info->factor)
        * (gsize)sl_run_evaluations (track->run);

  track->whole_every = 1 + (int)(bytes / MAX (budget, 1));
}

static void
track_begin (Track *track, GBytes *saved, gsize budget)
{
  SlError err = { 0 };
  gboolean ok;

  track->retries = 0;
  track->run = new_run (track, track->job, &err);
  ok = track->run != NULL;
  if (ok && track->origin->parent)
    ok = begin_branch (track, &err);
  if (ok && saved)
    ok = restore (track->run, saved, &err);
  if (!ok)
    {
      track_fail (track, &err);
      return;
    }
  find_whole_frames (track, budget);
  post_started (track);
  if (track->origin->parent && saved == NULL)
    post_checkpoint (track);
}

static void
track_pause (Track *track)
{
  Message *message = message_new (track);

  post_pending (track->side);
  message->state = SL_JOB_PAUSED;
  message->saved = save_run (track->run);
  g_clear_pointer (&track->run, sl_run_free);
  sl_lane_post (track->side->lane, deliver_state, message, message_free);
}

static void
track_next (Track *track)
{
  SlError err = { 0 };
  SlFrame frame;

  if (is_stopped (track))
    track_end (track, SL_JOB_STOPPED, NULL);
  else if (_sl_job_is_asked_to_pause (track->job))
    track_pause (track);
  else if (sl_run_next (track->run, &frame, &err))
    {
      track->retries = 0;
      count_on (track, &frame);
      post_frame (track, &frame);
      if (sl_run_evaluation (track->run) % (1 + (sl_run_evaluations (track->run) - 1) / CHECKPOINTS) == 0)
        post_checkpoint (track);
      if (sl_run_done (track->run))
        track_end (track, SL_JOB_DONE, NULL);
    }
  else if (!was_stray_cancel (track, &err))
    track_fail (track, &err);
}

/* In turn, until none is left. */
static void
advance (SlEngineSide *side, Track *tracks, guint n)
{
  gboolean any;

  do
    {
      any = FALSE;
      for (guint i = 0; i < n; i++)
        if (tracks[i].run)
          {
            sl_lane_yield (side->lane);
            track_next (&tracks[i]);
            any = TRUE;
          }
    }
  while (any);
}

void
_sl_request_run (gpointer data)
{
  SlRequest *request = data;
  guint n = request->jobs->len;
  g_autofree Track *tracks = g_new0 (Track, n);
  SlShare *share;
  SlError err = { 0 };
  gboolean loaded;

  for (guint i = 0; i < n; i++)
    {
      tracks[i] = (Track){ .side = request->side,
                           .job = request->jobs->pdata[i],
                           .origin = &g_array_index (request->origins, SlBranchStart, i) };
      post_state (&tracks[i], is_stopped (&tracks[i]) ? SL_JOB_STOPPED : SL_JOB_LOADING, NULL);
    }
  if (n == 1 && is_stopped (&tracks[0]))
    return;
  loaded = _sl_side_ensure_model (request, &err);
  share = loaded && n > 1 ? sl_share_new (request->side->model) : NULL;
  for (guint i = 0; i < n; i++)
    if (is_stopped (&tracks[i]))
      post_state (&tracks[i], SL_JOB_STOPPED, NULL);
    else if (loaded)
      {
        tracks[i].share = share;
        track_begin (&tracks[i], request->saved->pdata[i], request->budget);
      }
    else
      track_fail (&tracks[i], &err);
  request->side->running = TRUE;
  advance (request->side, tracks, n);
  request->side->running = FALSE;
  for (guint i = 0; i < n; i++)
    sl_origin_free (tracks[i].came_from);
  sl_share_free (share);
}
