/* sl-worker-run.c - what runs on the worker's thread: jobs, one evaluation at a time; several of them
 * in turn, so that all lanes of a comparison move.
 *
 * Easy to get wrong: stopping one lane cancels whatever is computed at that moment, which may be
 * another lane's evaluation: that one is simply made again.
 */
#include <stdlib.h>

#include "app/sl-worker-track.h"

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

  if (err->code == SL_DEVICE)
    died = g_strdup_printf ("%s. What is there of the picture is kept. From now on the CPU computes, until "
                            "Safelight is started again.",
                            err->message);
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

static void
track_next (SlTrack *track)
{
  SlError err = { 0 };
  SlFrame frame;

  if (_sl_track_is_stopped (track))
    _sl_track_end (track, SL_JOB_STOPPED, NULL);
  else if (_sl_job_is_asked_to_pause (track->job))
    track_pause (track);
  else if (sl_run_next (track->run, &frame, &err))
    track_advanced (track, &frame);
  else if (!_sl_track_was_stray_cancel (track, &err))
    _sl_track_fail (track, &err);
}

/* In turn, until none is left. */
static void
advance (SlEngineSide *side, SlTrack *tracks, guint n)
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
                         .guided = info->pipeline == SL_PIPELINE_STABLE_DIFFUSION && recipe->guidance > 1 };

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
begin_all (const SlRequest *request, SlTrack *tracks, guint n)
{
  SlError err = { 0 };
  gboolean loaded = _sl_side_ensure_model (request, &err);

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
  advance (request->side, tracks, n);
  request->side->running = FALSE;
  for (guint i = 0; i < n; i++)
    sl_origin_free (tracks[i].came_from);
  sl_share_free (tracks[0].share);
}
