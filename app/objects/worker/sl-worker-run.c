/* sl-worker-run.c - what runs on the worker's thread: jobs, one evaluation at a time. Their timelines are the lanes
 * of an SlLanes, so that all lanes of a comparison move, alone or in batches; see app/record/lanes.h.
 *
 * Easy to get wrong: stopping one lane cancels whatever is computed at that moment, which may be
 * another lane's evaluation: that one is simply made again. And a timeline must rest before its job may be
 * dropped: its run belongs to this thread.
 */
#include <string.h>

#include "app/objects/worker/sl-worker-private.h"

typedef struct _Message Message;

/* A job on its way. */
typedef struct
{
  SlJob *job;
  const SlStart *start;
  SlTimeline *timeline; /* NULL: it has not begun, or is over; the lanes' */
  int lane;
  int shown; /* moments of which the main thread knows */
  int retries;
  double seconds; /* that `timed` of its evaluations took, with what is shown of them */
  int timed;
} Track;

typedef struct
{
  SlRequest *request;
  SlEngineSide *side;
  Track *tracks; /* [n] */
  guint n;
  SlLanes *lanes;
  SlShare *share;   /* texts and first evaluations that lanes have in common; NULL: none */
  Message *pending; /* of a frame whose picture is computed beside the run */
} Run;

static gboolean
is_stopped (const Run *run, const Track *track)
{
  return _sl_job_is_cancelled (track->job) || g_atomic_int_get (&run->side->closing);
}

/* An evaluation that failed: a cancel for another job's sake, to be tried again. */
static gboolean
was_stray_cancel (const Run *run, Track *track, const SlError *err)
{
  return err->code == SL_CANCELLED && !is_stopped (run, track) && track->retries++ < SL_CANCEL_RETRIES;
}

/* ---- messages to the main thread ---- */

struct _Message
{
  SlEngineSide *side;
  SlJob *job;
  SlJobState state;
  SlMetadata *metadata;
  SlModelKeys *keys;
  SlTimeline *timeline;
  SlFrameObject *frame;
  gboolean decoded;     /* there is a picture of it, */
  gboolean approximate; /* by the tiny VAE */
  gboolean lost_device;
  double each; /* seconds of an evaluation of a run that is done */
  char *text;
  GBytes *noise; /* what the run begins with, as a picture; or NULL */
  int noise_width, noise_height;
};

static void
message_free (gpointer data)
{
  Message *message = data;

  g_clear_object (&message->job);
  g_clear_object (&message->frame);
  g_clear_pointer (&message->timeline, sl_timeline_free);
  g_free (message->text);
  g_clear_pointer (&message->noise, g_bytes_unref);
  free (message->keys);
  g_free (message);
}

static Message *
message_new (const Run *run, const Track *track)
{
  Message *message = g_new0 (Message, 1);

  message->side = run->side;
  g_set_object (&message->job, track->job);
  return message;
}

static void
deliver_state (gpointer data)
{
  Message *message = data;

  _sl_job_set_each (message->job, message->each);
  if (message->state == SL_JOB_FAILED)
    _sl_job_fail (message->job, message->text, message->lost_device);
  else
    _sl_job_set_state (message->job, message->state);
}

static void
deliver_started (gpointer data)
{
  Message *message = data;

  if (message->noise)
    _sl_job_set_noise (message->job, message->noise, message->noise_width, message->noise_height);
  _sl_job_started (message->job, message->timeline, message->metadata);
  _sl_job_take_model_keys (message->job, g_steal_pointer (&message->keys));
}

static void
deliver_frame (gpointer data)
{
  Message *message = data;

  if (message->decoded)
    message->side->events->decoded (message->side->owner, message->frame);
  _sl_job_add_frame (message->job, message->frame);
}

static void
post_state (const Run *run, const Track *track, SlJobState state, const char *text)
{
  Message *message = message_new (run, track);

  message->state = state;
  message->each = state == SL_JOB_DONE && track->timed > 0 ? track->seconds / track->timed : 0;
  message->lost_device = state == SL_JOB_FAILED && run->side->model && _sl_side_is_dead (run->side);
  message->text = g_strdup (text);
  sl_thread_queue_post (run->side->thread, deliver_state, message, message_free);
}

/* ---- what the run is ---- */

/* What the run's pictures will say about themselves; what depends on the moment is filled in when
 * one is saved. */
static SlMetadata *
describe_run (SlModel *model, const SlTimeline *timeline)
{
  SlMetadata *metadata = g_new0 (SlMetadata, 1);
  SlError unread = { 0 };

  sl_metadata_describe (metadata, model, NULL);
  metadata->recipe = sl_recipe_copy (sl_timeline_recipe (timeline));
  metadata->steps = sl_timeline_recipe (timeline)->steps;
  g_strlcpy (metadata->noise_sha256, sl_timeline_noise_sha256 (timeline), sizeof metadata->noise_sha256);
  metadata->origin = sl_origin_copy (sl_timeline_origin (timeline));
  if (!metadata->recipe || (!sl_metadata_find_adapters (metadata, &unread) && unread.code == SL_MEMORY)
      || !sl_metadata_warn (metadata, model, sl_timeline_warning (timeline))
      || (sl_timeline_origin (timeline) && !metadata->origin))
    g_error ("out of memory for what a run is"); /* as g_malloc */
  return metadata;
}

/* The random numbers that a run begins with, as a picture: decoded where that costs less than a step. Lanes side by side
 * have no strip that shows it. */
static void
draw_noise (const Run *run, const Track *track, Message *message)
{
  SlModel *model = run->side->model;
  const SlModelInfo *info = sl_model_info (model);
  const SlRecipe *recipe = sl_timeline_recipe (track->timeline);
  const float *noise
      = run->n == 1 && track->start->inherited == 0 ? sl_timeline_noise (track->timeline) : NULL;
  gboolean decoded = sl_model_decodes_cheaply (model);
  int width = recipe->width / info->factor, height = recipe->height / info->factor;
  int scale = decoded ? info->factor : 1;
  gsize bytes = (gsize)width * (gsize)height * (gsize)(scale * scale) * 3;
  SlSample sample = { .data = noise, .channels = info->channels, .height = height, .width = width };
  SlError err = { 0 };
  g_autofree guint8 *rgb = noise && bytes ? g_try_malloc (bytes) : NULL;

  if (rgb == NULL || (decoded && !sl_sample_decode (model, &sample, NULL, rgb, &err)))
    return;
  if (!decoded)
    sl_preview (model, noise, height, width, rgb);
  message->noise = g_bytes_new_take (g_steal_pointer (&rgb), bytes);
  message->noise_width = width * scale;
  message->noise_height = height * scale;
}

static void
post_started (const Run *run, const Track *track)
{
  Message *message = message_new (run, track);

  message->metadata = describe_run (run->side->model, track->timeline);
  message->keys = sl_model_keys_copy (run->side->keys);
  message->timeline = sl_timeline_ref (track->timeline);
  draw_noise (run, track, message);
  sl_thread_queue_post (run->side->thread, deliver_started, message, message_free);
}

/* ---- frames ---- */

static SlFrameObject *
make_frame (const Run *run, const Track *track, int i)
{
  const SlStart *start = track->start;
  const SlMoment *moment = sl_timeline_moment (track->timeline, i);
  int steps_before
      = start->inherited > 0 ? start->steps_before - sl_timeline_planned (track->timeline, 0).step : 0;
  const SlFramePlace place = { .index = start->inherited + i,
                               .step = moment->step + steps_before,
                               .steps = sl_timeline_recipe (track->timeline)->steps + steps_before };
  const float *x_t = NULL, *x_0 = NULL;

  if (i == sl_timeline_count (track->timeline) - 1)
    sl_timeline_newest (track->timeline, &x_t, &x_0);
  return _sl_frame_object_new (track->timeline, i, &place, x_t,
                               sl_model_info (run->side->model)->prediction == SL_PREDICT_EPSILON);
}

typedef enum
{
  DECODE_NOT, /* the quick preview is there already */
  DECODE_TINY,
  DECODE_REAL,
} Decode;

/* Where more than the quick preview is worth its time during the run; the last moment always gets the real
 * picture. */
static Decode
find_decode (const Run *run, const Track *track, SlFrameObject *frame)
{
  SlPreviews previews = _sl_job_get_previews (track->job);
  const SlModel *model = run->side->model;

  if (_sl_frame_object_is_light (frame) || is_stopped (run, track))
    return DECODE_NOT;
  if (sl_frame_object_is_last (frame) || previews == SL_PREVIEWS_BEST
      || (previews == SL_PREVIEWS_AUTOMATIC && sl_model_decodes_cheaply (model)))
    return DECODE_REAL;
  return previews != SL_PREVIEWS_QUICK && sl_model_preview_decoder (model) ? DECODE_TINY : DECODE_NOT;
}

static void
post_decoded (const Run *run, Message *message, GBytes *rgb, int width, int height)
{
  if (rgb && message->approximate)
    _sl_frame_object_set_approximate (message->frame, SL_VIEW_PICTURE, rgb, width, height);
  else if (rgb)
    _sl_frame_object_set_decoded (message->frame, SL_VIEW_PICTURE, rgb, width, height);
  message->decoded = rgb != NULL;
  sl_thread_queue_post (run->side->thread, deliver_frame, message, message_free);
}

/* The frame whose picture was computed while the run went on. */
static void
post_pending (Run *run)
{
  Message *message = g_steal_pointer (&run->pending);
  g_autoptr (GBytes) rgb = NULL;
  int factor, channels, height, width;
  gsize bytes;
  guint8 *pixels;

  if (message == NULL)
    return;
  factor = sl_model_info (run->side->model)->factor;
  sl_frame_object_get_sample (message->frame, SL_VIEW_PICTURE, &channels, &height, &width);
  bytes = (gsize)height * width * factor * factor * 3;
  pixels = g_try_malloc (bytes);
  if (sl_decode_take (run->side->model, pixels) && pixels)
    rgb = g_bytes_new_take (g_steal_pointer (&pixels), bytes);
  g_free (pixels);
  post_decoded (run, message, rgb, width * factor, height * factor);
}

static gboolean
begin_decoding (const Run *run, const Message *message)
{
  int channels, height, width;
  GBytes *sample = sl_frame_object_get_sample (message->frame, SL_VIEW_PICTURE, &channels, &height, &width);
  const float *values = g_bytes_get_data (sample, NULL);

  if (message->approximate)
    return sl_decode_preview_begin (run->side->model, values, height, width);
  return sl_decode_begin (run->side->model, values, height, width);
}

/* FALSE and *err if the picture has values that are not finite. */
static gboolean
decode_now (const Run *run, Message *message, SlError *err)
{
  SlDecoding decoding = { .frame = g_object_ref (message->frame), .view = SL_VIEW_PICTURE };

  if (message->approximate)
    _sl_side_decode_tiny (run->side, &decoding, err);
  else
    _sl_side_decode (run->side, &decoding, err);
  post_decoded (run, message, decoding.rgb, decoding.width, decoding.height);
  _sl_decoding_clear (&decoding);
  return err->code != SL_FORMAT;
}

/* FALSE and *err if the last moment's picture has values that are not finite. */
static gboolean
post_frame (Run *run, Track *track, SlError *err)
{
  Message *message = message_new (run, track);
  Decode decode;
  gboolean last;

  post_pending (run);
  message->frame = make_frame (run, track, track->shown++);
  last = sl_frame_object_is_last (message->frame);
  decode = find_decode (run, track, message->frame);
  message->approximate = decode == DECODE_TINY;
  if (decode != DECODE_NOT && !last && begin_decoding (run, message))
    run->pending = message;
  else if (decode != DECODE_NOT)
    return decode_now (run, message, err) || !last;
  else
    post_decoded (run, message, NULL, 0, 0);
  return TRUE;
}

static gboolean
post_frames (Run *run, Track *track, SlError *err)
{
  while (track->shown < sl_timeline_count (track->timeline))
    if (!post_frame (run, track, err))
      return FALSE;
  return TRUE;
}

/* ---- from beginning to end ---- */

/* Its timeline lets go of the model; the lane takes no turn any more. */
static void
leave (Run *run, Track *track)
{
  if (track->timeline == NULL)
    return;
  sl_lanes_pause (run->lanes, track->lane, true);
  sl_timeline_rest (track->timeline);
  track->timeline = NULL;
  run->side->running--;
}

/* Said last: whoever hears of the end may ask for the model at once. */
static void
track_end (Run *run, Track *track, SlJobState state, const char *text)
{
  post_pending (run);
  leave (run, track);
  post_state (run, track, state, text);
}

static void
track_fail (Run *run, Track *track, SlCode code, const char *message)
{
  g_autofree char *died = NULL, *begin = NULL;

  if (code != SL_CANCELLED && run->side->model && _sl_side_is_dead (run->side))
    begin = g_utf8_strup (message, g_utf8_next_char (message) - message);
  if (begin)
    died = g_strdup_printf (
        sl_words ("%s%s. What is there of the picture is kept. From now on the CPU computes, "
                  "until Safelight is started again."),
        begin, g_utf8_next_char (message));
  track_end (run, track, code == SL_CANCELLED ? SL_JOB_STOPPED : SL_JOB_FAILED, died ? died : message);
}

static gboolean
is_on_its_way (const Run *run, const SlTimeline *timeline)
{
  for (guint i = 0; i < run->n; i++)
    if (run->tracks[i].timeline == timeline)
      return TRUE;
  return FALSE;
}

static SlTimeline *
new_timeline (const Run *run, Track *track, SlError *err)
{
  const SlStart *start = track->start;
  SlModel *model = run->side->model;
  const SlRecipe *recipe = _sl_job_get_recipe (track->job);
  const SlRunInputs inputs = { .share = run->share };
  const SlTimelineOptions options
      = { .inputs = &inputs, .views = true, .words = run->request->words, .keep_later = true };
  SlTimeline *timeline;

  do
    {
      *err = (SlError){ 0 };
      timeline = start->parent
                     ? sl_timeline_branch (model, start->parent, start->parent_step, recipe, &options, err)
                     : sl_timeline_new (model, recipe, &options, err);
    }
  while (timeline == NULL && was_stray_cancel (run, track, err));
  track->retries = 0;
  if (start->parent && !is_on_its_way (run, start->parent))
    sl_timeline_rest (start->parent);
  return timeline;
}

static void
track_begin (Run *run, Track *track)
{
  SlError err = { 0 };
  SlTimeline *timeline
      = track->start->timeline ? sl_timeline_ref (track->start->timeline) : new_timeline (run, track, &err);

  if (timeline == NULL)
    {
      track_fail (run, track, err.code, err.message);
      return;
    }
  sl_timeline_share_with (timeline, run->share);
  track->timeline = timeline;
  run->side->running++;
  track->shown = sl_timeline_count (timeline);
  track->lane = sl_lanes_put (run->lanes, timeline, -1);
}

/* One after the other, as they were asked for: their lanes have the numbers in which they began. */
static void
set_order (Run *run)
{
  g_autofree int *order = g_new (int, run->n);

  for (guint i = 0; i < run->n; i++)
    order[i] = (int)i;
  sl_lanes_set_order (run->lanes, order, (int)run->n);
}

/* Each gets its part of the bytes, by its size: what is left beside the moments is for predictions. */
static void
share_budget (Run *run, gsize budget)
{
  double all = 0;

  for (guint i = 0; i < run->n; i++)
    if (run->tracks[i].timeline && run->tracks[i].start->timeline == NULL)
      all += (double)sl_timeline_whole_bytes (run->tracks[i].timeline);
  for (guint i = 0; i < run->n; i++)
    {
      Track *track = &run->tracks[i];
      SlError err = { 0 };
      double part;

      if (track->timeline == NULL || track->start->timeline)
        continue;
      part = (double)sl_timeline_whole_bytes (track->timeline) / MAX (all, 1);
      if (!sl_timeline_set_budget (track->timeline, (gsize)(part * budget), &err))
        track_fail (run, track, err.code, err.message);
    }
}

static gboolean
wants_tiny (const Run *run)
{
  for (guint i = 0; i < run->n; i++)
    {
      SlPreviews previews = _sl_job_get_previews (run->tracks[i].job);

      if (previews == SL_PREVIEWS_TINY
          || (previews == SL_PREVIEWS_AUTOMATIC && !sl_model_decodes_cheaply (run->side->model)))
        return TRUE;
    }
  return FALSE;
}

static void
begin_all (Run *run)
{
  SlRequest *request = run->request;
  SlError err = { 0 };
  gboolean loaded = _sl_side_ensure_model (run->side, request->item, &request->choice, &err);

  if (loaded && request->fast == SL_FAST_AUTOMATIC)
    request->fast = _sl_side_is_on_gpu (run->side) ? SL_FAST_ON : SL_FAST_OFF;
  sl_lanes_set_fast (run->lanes, request->fast == SL_FAST_ON);
  if (request->in_order)
    set_order (run);
  if (loaded && wants_tiny (run))
    _sl_side_ensure_tiny (run->side, &request->choice);
  if (loaded && run->n > 1)
    run->share = sl_share_new (run->side->model);
  for (guint i = 0; i < run->n; i++)
    if (is_stopped (run, &run->tracks[i]))
      post_state (run, &run->tracks[i], SL_JOB_STOPPED, NULL);
    else if (!loaded)
      track_fail (run, &run->tracks[i], err.code, err.message);
    else
      track_begin (run, &run->tracks[i]);
  share_budget (run, request->budget);
  for (guint i = 0; i < run->n; i++)
    if (run->tracks[i].timeline)
      post_started (run, &run->tracks[i]);
}

/* ---- advancing ---- */

/* Lanes that were stopped or are to pause take no further turn. */
static void
heed_wishes (Run *run)
{
  for (guint i = 0; i < run->n; i++)
    {
      Track *track = &run->tracks[i];
      SlError err = { 0 };

      if (track->timeline == NULL)
        continue;
      if (is_stopped (run, track))
        track_end (run, track, SL_JOB_STOPPED, NULL);
      else if (!_sl_job_is_asked_to_pause (track->job))
        continue;
      else if (!post_frames (run, track, &err))
        track_fail (run, track, err.code, err.message);
      else if (!sl_timeline_done (track->timeline))
        track_end (run, track, SL_JOB_PAUSED, NULL);
    }
}

static Track *
find_track (const Run *run, int lane)
{
  for (guint i = 0; i < run->n; i++)
    if (run->tracks[i].timeline && run->tracks[i].lane == lane)
      return &run->tracks[i];
  return NULL;
}

/* When an evaluation begins; 0: it is not timed, since it reads weights besides. */
static gint64
time_of_turn (const Run *run)
{
  const SlModel *model = run->side->model; /* NULL: it could not be loaded */

  return model && sl_model_waiting_bytes (model) > 0 ? 0 : g_get_monotonic_time ();
}

/* Of a run's own evaluations as they are computed alone: not of a batch, nor of a first one that lanes may share. */
static void
count_time (const Run *run, Track *track, gint64 began)
{
  if (began == 0 || sl_lanes_fast (run->lanes) || (run->n > 1 && sl_timeline_count (track->timeline) == 1))
    return;
  track->seconds += (double)(g_get_monotonic_time () - began) / G_USEC_PER_SEC;
  track->timed++;
}

/* The lane had its turn, which began then. */
static void
track_advanced (Run *run, Track *track, gint64 began)
{
  const char *problem = sl_lanes_problem (run->lanes, track->lane);
  SlError err = { 0 };

  track->retries = 0;
  if (!post_frames (run, track, &err))
    {
      track_fail (run, track, err.code, err.message);
      return;
    }
  count_time (run, track, began);
  if (problem)
    track_fail (run, track, SL_FORMAT, problem);
  else if (sl_timeline_done (track->timeline))
    track_end (run, track, SL_JOB_DONE, NULL);
}

/* In turn, until none is left. */
static void
advance (Run *run)
{
  for (;;)
    {
      SlError err = { 0 };
      Track *track;
      int lane = -1;
      gboolean ok;
      gint64 began;

      sl_thread_queue_yield (run->side->thread);
      heed_wishes (run);
      began = time_of_turn (run);
      ok = sl_lanes_next (run->lanes, run->side->model, &lane, &err);
      if (lane < 0)
        return;
      track = find_track (run, lane);
      if (track && ok)
        track_advanced (run, track, began);
      else if (track && !is_stopped (run, track) && !was_stray_cancel (run, track, &err))
        track_fail (run, track, err.code, err.message);
    }
}

/* ---- the request ---- */

void
_sl_request_run (gpointer data)
{
  SlRequest *request = data;
  guint n = request->starts->len;
  g_autofree Track *tracks = g_new0 (Track, n);
  Run run = { .request = request, .side = request->side, .tracks = tracks, .n = n };

  for (guint i = 0; i < n; i++)
    {
      tracks[i].start = &g_array_index (request->starts, SlStart, i);
      tracks[i].job = tracks[i].start->job;
      post_state (&run, &tracks[i], is_stopped (&run, &tracks[i]) ? SL_JOB_STOPPED : SL_JOB_LOADING, NULL);
    }
  if (n == 1 && is_stopped (&run, &tracks[0]))
    return;
  run.lanes = sl_lanes_new ();
  if (run.lanes == NULL)
    g_error ("out of memory for %u lanes", n); /* as g_malloc */
  begin_all (&run);
  advance (&run);
  sl_lanes_free (run.lanes);
  sl_share_free (run.share);
}
