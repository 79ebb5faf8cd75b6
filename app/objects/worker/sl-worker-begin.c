/* sl-worker-begin.c - a job's run made, and taken to where it goes on: from noise, from a saved timeline,
 * or from a place of another run, which is made again from its nearest checkpoint. See sl-worker-track.h.
 */
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/worker/sl-worker-track.h"

gboolean
_sl_track_was_stray_cancel (SlTrack *track, const SlError *err)
{
  return err->code == SL_CANCELLED && !_sl_track_is_stopped (track) && track->retries++ < CANCEL_RETRIES;
}

/* Tries again what was cancelled for another job's sake. */
static SlRun *
new_run (SlTrack *track, SlJob *job, SlError *err)
{
  const SlRunInputs inputs = { .share = track->share };
  SlRun *run;

  do
    run = sl_run_new (track->side->model, _sl_job_get_recipe (job), &inputs, err);
  while (run == NULL && _sl_track_was_stray_cancel (track, err));
  return run;
}

static gboolean
restore (SlRun *run, GBytes *state, SlError *err)
{
  return sl_run_restore (run, g_bytes_get_data (state, NULL), g_bytes_get_size (state), err);
}

/* A branch that was read from a file has no checkpoints: its ancestors are made again from noise. */
static SlRun *
new_branch_run (SlTrack *track, const SlMetadata *metadata, SlError *err)
{
  const SlRunInputs inputs = { .share = track->share };
  const SlOriginCall call = { .inputs = &inputs };
  SlRun *run;

  do
    run = sl_origin_run (track->side->model, metadata->recipe, metadata->origin, &call, err);
  while (run == NULL && _sl_track_was_stray_cancel (track, err));
  return run;
}

/* The parent's run as it was at a place: from its nearest checkpoint on it is made again. frame (may be
 * NULL) is the last evaluation's, borrowed from the run. */
static SlRun *
new_parent_run (SlTrack *track, SlFrame *frame, SlError *err)
{
  const SlBranchStart *origin = track->origin;
  const SlMetadata *metadata = _sl_job_get_metadata (origin->parent);
  gboolean again = origin->state == NULL && metadata && metadata->origin;
  SlRun *run = again ? new_branch_run (track, metadata, err) : new_run (track, origin->parent, err);
  gboolean ok = run && (origin->state == NULL || restore (run, origin->state, err));
  guint from = again ? origin->first : origin->state_at;

  for (guint i = from; ok && i < origin->evaluations;)
    {
      if (_sl_track_is_stopped (track))
        ok = sl_fail (err, SL_CANCELLED, "stopped");
      else if (sl_batches_next (&origin->batches, (int)(i - origin->first), run, frame, err))
        i++;
      else
        ok = _sl_track_was_stray_cancel (track, err);
    }
  if (!ok)
    g_clear_pointer (&run, sl_run_free);
  return run;
}

/* A parent that was stopped can still be looked at: only the end of the program ends this. */
SlFrameObject *
_sl_side_make_again (const SlRequest *request, SlError *err)
{
  SlBranchStart *origin = &g_array_index (request->origins, SlBranchStart, 0);
  SlTrack track = { .side = request->side, .origin = origin };
  SlFrameObject *whole = NULL;
  SlFrame frame;
  SlRun *run = new_parent_run (&track, &frame, err);

  if (run)
    whole = _sl_frame_object_new (request->side->model, &frame, 0);
  sl_run_free (run);
  return whole;
}

/* Where the run's evaluations and steps are in the job's list. */
static void
find_offsets (SlTrack *track)
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
remember_parent (SlTrack *track, const SlRun *parent)
{
  const SlMetadata *metadata = _sl_job_get_metadata (track->origin->parent);

  track->came_from = sl_origin_new (metadata->recipe, metadata->origin, sl_run_steps_done (parent));
  if (track->came_from == NULL || !sl_batches_copy (&track->origin->batches, &track->came_from->batches))
    return;
  sl_sha256 (sl_run_sample (parent), (size_t)sl_run_sample_elements (parent) * sizeof (float),
             track->came_from->sha256);
}

static gboolean
begin_branch (SlTrack *track, SlError *err)
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

void
_sl_track_begin (SlTrack *track, GBytes *saved)
{
  SlError err = { 0 };
  gboolean ok;

  track->retries = 0;
  track->run = new_run (track, track->job, &err);
  ok = track->run != NULL;
  if (ok && track->origin->parent)
    ok = begin_branch (track, &err);
  track->first = ok ? sl_run_evaluation (track->run) : 0;
  if (ok && saved)
    ok = restore (track->run, saved, &err);
  if (!ok)
    {
      _sl_track_fail (track, &err);
      return;
    }
  _sl_track_post_started (track);
  if (track->origin->parent && saved == NULL)
    _sl_track_post_checkpoint (track);
}
