/* sl-worker-run.c - what runs on the worker's thread: jobs, one evaluation at a time; several of them
 * in turn, so that all lanes of a comparison move.
 *
 * Easy to get wrong: stopping one lane cancels whatever is computed at that moment, which may be
 * another lane's evaluation: that one is simply made again.
 */
#include <stdlib.h>

#include "app/objects/worker/sl-worker-track.h"

gboolean
_sl_track_is_stopped (SlTrack *track)
{
  return (track->job && _sl_job_is_cancelled (track->job)) || g_atomic_int_get (&track->side->closing);
}

void
_sl_track_end (SlTrack *track, SlJobState state, const char *text)
{
  _sl_side_post_pending (track->side);
  g_clear_pointer (&track->run, sl_run_free);
  _sl_track_post_state (track, state, text);
}

void
_sl_track_fail (SlTrack *track, const SlError *err)
{
  g_autofree char *died = NULL;

  track->lost_device = err->code == SL_DEVICE;
  if (track->lost_device)
    died = g_strdup_printf ("%c%s. What is there of the picture is kept. From now on the CPU computes, until "
                            "Safelight is started again.",
                            g_ascii_toupper (err->message[0]), err->message + 1);
  _sl_track_end (track, err->code == SL_CANCELLED ? SL_JOB_STOPPED : SL_JOB_FAILED,
                 died ? died : err->message);
}

static void
track_pause (SlTrack *track)
{
  _sl_side_post_pending (track->side);
  _sl_track_post_paused (track);
  g_clear_pointer (&track->run, sl_run_free);
}

/* The frames that a branch shares are counted as before, its own go on from there. */
static void
count_on (const SlTrack *track, SlFrame *frame)
{
  frame->evaluation += track->offset;
  frame->evaluations += track->offset;
  frame->step += track->step_offset;
  frame->steps += track->step_offset;
}

/* An evaluation was made. */
static void
track_advanced (SlTrack *track, SlFrame *frame)
{
  SlError err = { 0 };
  gboolean ok;

  track->retries = 0;
  count_on (track, frame);
  ok = _sl_track_post_frame (track, frame, &err);
  if (sl_run_evaluation (track->run) % track->plan.checkpoint_every == 0)
    _sl_track_post_checkpoint (track);
  if (!ok)
    _sl_track_fail (track, &err);
  else if (sl_run_done (track->run))
    _sl_track_end (track, SL_JOB_DONE, NULL);
}

/* FALSE when it ended or pauses now. */
static gboolean
track_goes_on (SlTrack *track)
{
  if (_sl_track_is_stopped (track))
    _sl_track_end (track, SL_JOB_STOPPED, NULL);
  else if (_sl_job_is_asked_to_pause (track->job))
    track_pause (track);
  return track->run != NULL;
}

static void
track_broke (SlTrack *track, const SlError *err)
{
  if (!_sl_track_was_stray_cancel (track, err))
    _sl_track_fail (track, err);
}

static void
track_next (SlTrack *track)
{
  SlError err = { 0 };
  SlFrame frame;

  if (!track_goes_on (track))
    return;
  if (sl_run_next (track->run, &frame, &err))
    track_advanced (track, &frame);
  else
    track_broke (track, &err);
}

/* ---- several as one batch ---- */

/* First evaluations are shared, not batched. */
static gboolean
can_join (const SlTrack *first, const SlTrack *track)
{
  return track->run && first->run && sl_run_evaluation (track->run) > track->first
         && sl_run_evaluation (first->run) > first->first && sl_runs_match (first->run, track->run);
}

/* tracks[from] and those behind it that go with it and have not had their turn. */
static guint
find_group (const SlRequest *request, SlTrack *tracks, guint from, SlTrack *group[SL_RUNS_TOGETHER])
{
  guint n = 0;

  group[n++] = &tracks[from];
  for (guint i = from + 1; request->fast == SL_FAST_ON && i < request->jobs->len && n < SL_RUNS_TOGETHER; i++)
    if (!tracks[i].had_turn && can_join (&tracks[from], &tracks[i]) && track_goes_on (&tracks[i]))
      group[n++] = &tracks[i];
  return n;
}

/* FALSE when it was too much at once. */
static gboolean
group_next (SlTrack *group[], guint n)
{
  SlRun *runs[SL_RUNS_TOGETHER] = { NULL };
  SlFrame frames[SL_RUNS_TOGETHER];
  SlError errs[SL_RUNS_TOGETHER], err = { 0 };

  for (guint i = 0; i < n; i++)
    runs[i] = group[i]->run;
  if (!sl_runs_next (runs, (int)n, frames, errs, &err))
    {
      for (guint i = 0; i < n && err.code != SL_MEMORY; i++)
        track_broke (group[i], &err);
      return err.code != SL_MEMORY;
    }
  for (guint i = 0; i < n; i++)
    if (errs[i].code == SL_OK)
      track_advanced (group[i], &frames[i]);
    else
      track_broke (group[i], &errs[i]);
  return TRUE;
}

static void
advance_from (SlRequest *request, SlTrack *tracks, guint from)
{
  SlTrack *group[SL_RUNS_TOGETHER];
  guint n = track_goes_on (&tracks[from]) ? find_group (request, tracks, from, group) : 0;

  for (guint i = 0; i < n; i++)
    group[i]->had_turn = TRUE;
  if (n > 1 && group_next (group, n))
    return;
  if (n > 1)
    request->fast = SL_FAST_OFF; /* memory does not do for it */
  for (guint i = 0; i < n; i++)
    track_next (group[i]);
}

/* In turn, until none is left. */
static void
advance (SlRequest *request, SlTrack *tracks)
{
  guint n = request->jobs->len;
  gboolean any;

  do
    {
      any = FALSE;
      for (guint i = 0; i < n; i++)
        tracks[i].had_turn = FALSE;
      for (guint i = 0; i < n; i++)
        if (tracks[i].run && !tracks[i].had_turn)
          {
            sl_thread_queue_yield (request->side->thread);
            advance_from (request, tracks, i);
            any = TRUE;
          }
    }
  while (any);
}

/* ---- requests ---- */

static SlFrameSizes
sizes_of (const SlTrack *track)
{
  const SlModelInfo *info = sl_model_info (track->side->model);
  const SlRecipe *recipe = sl_run_recipe (track->run);
  SlFrameSizes sizes = { .evaluations = sl_run_evaluations (track->run) - track->first,
                         .channels = info->channels,
                         .height = recipe->height / info->factor,
                         .width = recipe->width / info->factor,
                         .guided = sl_pipeline_guidance (info->pipeline, recipe->guidance) == SL_GUIDANCE_CLASSIFIER_FREE };

  free (sl_run_save (track->run, &sizes.state));
  return sizes;
}

/* What does not fit whole gets its part of the bytes, by its size. */
static void
plan_frames (SlTrack *tracks, guint n, gsize budget)
{
  double all = 0;

  for (guint i = 0; i < n; i++)
    if (tracks[i].run)
      {
        SlFrameSizes sizes = sizes_of (&tracks[i]);

        all += (double)sl_frame_plan_whole_bytes (&sizes);
      }
  for (guint i = 0; i < n; i++)
    if (tracks[i].run)
      {
        SlFrameSizes sizes = sizes_of (&tracks[i]);
        double part = (double)sl_frame_plan_whole_bytes (&sizes) / MAX (all, 1);

        tracks[i].plan = sl_frame_plan_new (&sizes, all <= budget ? budget : (gsize)(part * budget));
      }
}

static void
begin_all (SlRequest *request, SlTrack *tracks, guint n)
{
  SlError err = { 0 };
  gboolean loaded = _sl_side_ensure_model (request, &err);

  if (loaded && request->fast == SL_FAST_AUTOMATIC)
    request->fast = _sl_side_is_on_gpu (request->side) ? SL_FAST_ON : SL_FAST_OFF;
  for (guint i = 0; i < n; i++)
    if (_sl_track_is_stopped (&tracks[i]))
      _sl_track_post_state (&tracks[i], SL_JOB_STOPPED, NULL);
    else if (!loaded)
      _sl_track_fail (&tracks[i], &err);
    else
      {
        if (n > 1 && tracks[0].share == NULL)
          tracks[0].share = sl_share_new (request->side->model);
        tracks[i].share = tracks[0].share;
        tracks[i].fast = request->fast == SL_FAST_ON;
        _sl_track_begin (&tracks[i], request->saved->pdata[i]);
      }
  plan_frames (tracks, n, request->budget);
}

void
_sl_request_run (gpointer data)
{
  SlRequest *request = data;
  guint n = request->jobs->len;
  g_autofree SlTrack *tracks = g_new0 (SlTrack, n);

  for (guint i = 0; i < n; i++)
    {
      tracks[i] = (SlTrack){ .side = request->side,
                             .job = request->jobs->pdata[i],
                             .origin = &g_array_index (request->origins, SlBranchStart, i) };
      _sl_track_post_state (&tracks[i], _sl_track_is_stopped (&tracks[i]) ? SL_JOB_STOPPED : SL_JOB_LOADING,
                            NULL);
    }
  if (n == 1 && _sl_track_is_stopped (&tracks[0]))
    return;
  begin_all (request, tracks, n);
  request->side->running = TRUE;
  advance (request, tracks);
  request->side->running = FALSE;
  for (guint i = 0; i < n; i++)
    sl_origin_free (tracks[i].came_from);
  sl_share_free (tracks[0].share);
}
