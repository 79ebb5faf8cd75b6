/* sl-comparison-run.c - lanes started, branched, paused and stopped; see sl-comparison.h. */
#include "app/objects/compare/sl-comparison-private.h"

#include "app/objects/sl-dynamic.h"
#include "kernels/kernels.h"

static guint
index_of_job (SlComparison *self, SlJob *job)
{
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    if (sl_comparison_get_job (self, i) == job)
      return i;
  return G_MAXUINT;
}

static void
job_frame (SlComparison *self, SlFrameObject *frame, SlJob *job)
{
  guint index = index_of_job (self, job);

  if (index == G_MAXUINT)
    return;
  g_signal_emit_by_name (self, "frame", index, frame);
  if (self->following)
    sl_comparison_move (self, G_MAXINT);
}

static void
job_state (SlComparison *self)
{
  g_signal_emit_by_name (self, "state");
}

void
_sl_comparison_watch (SlComparison *self, SlJob *job)
{
  g_signal_connect_object (job, "frame", G_CALLBACK (job_frame), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (job_state), self, G_CONNECT_SWAPPED);
}

static SlJob *
parent_of (SlCompareLane *lane)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  return job ? sl_job_get_parent (job) : NULL;
}

void
sl_comparison_set_templates (SlComparison *self, const char *preferred)
{
  char *folder = g_strdup (preferred);

  g_free (self->wildcards);
  self->wildcards = folder;
}

/* What a lane's run is to have: of prompts of its own that are templates what its seed draws. NULL and a sentence. */
static SlSettings *
settings_of (SlComparison *self, SlCompareLane *lane, SlSettings *base, GError **error)
{
  g_autoptr (SlSettings) settings = sl_compare_lane_resolve (lane, base);
  SlOwn own = sl_compare_lane_get_own (lane);
  gboolean prompt = (own & sl_own ("prompt")) != 0, negative = (own & sl_own ("negative-prompt")) != 0;

  if (self->wildcards && (prompt || negative)
      && !sl_dynamic_draw (settings, prompt, negative, self->wildcards, error))
    return NULL;
  return g_steal_pointer (&settings);
}

/* A run for a lane, not started; NULL and a sentence when it does not fit the model. A branch branches
 * at the same place again. */
static SlJob *
make_job (SlComparison *self, guint index, GError **error)
{
  SlCompareLane *lane = sl_comparison_get_lane (self, index);
  SlJob *parent = parent_of (lane), *job;
  g_autoptr (SlSettings) settings
      = settings_of (self, lane, parent ? sl_job_get_settings (parent) : self->recipe, error);

  if (settings == NULL || !sl_model_item_check (self->model, settings, error))
    {
      g_prefix_error (error, "%u: ", index + 1);
      return NULL;
    }
  job = parent
            ? sl_job_new_branch (parent, sl_job_get_branch_point (sl_compare_lane_get_job (lane)), settings)
            : sl_job_new (self->model, settings, self->previews);
  _sl_comparison_watch (self, job);
  return job;
}

gboolean
sl_comparison_branch (SlComparison *self, guint index, SlOwn own, SlSettings *values, GError **error)
{
  SlJob *parent = sl_comparison_get_job (self, index);
  SlFrameObject *frame = sl_comparison_get_frame (self, index);
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (own, values);
  g_autoptr (SlSettings) settings
      = parent ? settings_of (self, lane, sl_job_get_settings (parent), error) : NULL;
  g_autoptr (SlJob) job = NULL;

  if (settings && frame && sl_model_item_check (sl_job_get_model (parent), settings, error))
    job = sl_job_new_branch (parent, (guint)sl_frame_object_get_index (frame) + 1, settings);
  if (job == NULL)
    {
      if (error && *error == NULL)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                             sl_words ("Nothing comes after the last step: branch from an earlier one."));
      return FALSE;
    }
  sl_compare_lane_set_job (lane, job);
  if (!sl_comparison_add (self, lane))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, sl_words ("There are %d lanes already."),
                   SL_COMPARISON_MAX);
      return FALSE;
    }
  _sl_comparison_watch (self, job);
  self->following = TRUE;
  sl_worker_start (self->worker, job);
  g_signal_emit_by_name (self, "state");
  return TRUE;
}

gboolean
sl_comparison_adopt (SlComparison *self, SlJob *job)
{
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (0, sl_job_get_settings (job));

  sl_compare_lane_set_job (lane, job);
  if (!sl_comparison_add (self, lane))
    return FALSE;
  _sl_comparison_watch (self, job);
  g_set_object (&self->model, sl_job_get_model (job));
  if (self->recipe == NULL)
    self->recipe = sl_settings_dup (sl_job_get_settings (job));
  sl_comparison_move (self, G_MAXINT);
  return TRUE;
}

void
_sl_comparison_replace (SlComparison *self, GPtrArray *lanes, guint reference)
{
  sl_comparison_clear (self);
  for (guint i = 0; i < lanes->len; i++)
    {
      SlJob *job = sl_compare_lane_get_job (lanes->pdata[i]);

      if (!sl_comparison_add (self, lanes->pdata[i]))
        break;
      _sl_comparison_watch (self, job);
      if (i == 0)
        {
          g_set_object (&self->model, sl_job_get_model (job));
          self->recipe = sl_settings_dup (sl_job_get_settings (job));
        }
    }
  sl_comparison_set_reference (self, reference);
  sl_comparison_move (self, G_MAXINT);
}

/* A branch is nothing without the run that it came from. */
static void
remove_branches (SlComparison *self)
{
  for (guint i = _sl_comparison_count (self); i > 0; i--)
    if (parent_of (sl_comparison_get_lane (self, i - 1)))
      sl_comparison_remove (self, i - 1);
}

gboolean
sl_comparison_start (
    SlComparison *self, SlModelItem *model, SlSettings *recipe, SlPreviews previews, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

  g_set_object (&self->model, model);
  g_clear_object (&self->recipe);
  self->recipe = sl_settings_dup (recipe);
  self->previews = previews;
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job;

      if (parent_of (sl_comparison_get_lane (self, i)))
        continue;
      job = make_job (self, i, error);
      if (job == NULL)
        return FALSE;
      g_ptr_array_add (jobs, job);
    }
  _sl_comparison_leave (self);
  remove_branches (self);
  sl_comparison_stop (self);
  self->following = TRUE;
  self->position = 0;
  for (guint i = 0; i < jobs->len; i++)
    sl_compare_lane_set_job (sl_comparison_get_lane (self, i), jobs->pdata[i]);
  sl_worker_start_together (self->worker, jobs);
  g_signal_emit_by_name (self, "state");
  return TRUE;
}

gboolean
sl_comparison_start_lane (SlComparison *self, guint index, GError **error)
{
  g_autoptr (SlJob) job = NULL;
  SlCompareLane *lane = sl_comparison_get_lane (self, index);

  if (self->recipe == NULL || lane == NULL)
    return TRUE;
  job = make_job (self, index, error);
  if (job == NULL)
    return FALSE;
  _sl_comparison_leave (self);
  _sl_comparison_stop_lane (self, lane);
  sl_compare_lane_set_job (lane, job);
  sl_worker_start (self->worker, job);
  return TRUE;
}

void
sl_comparison_pause (SlComparison *self)
{
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      if (job && !sl_job_is_over (job))
        sl_worker_pause (self->worker, job);
    }
}

void
sl_comparison_resume (SlComparison *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();

  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      if (job && sl_job_get_state (job) == SL_JOB_PAUSED)
        g_ptr_array_add (jobs, job);
    }
  sl_worker_start_together (self->worker, jobs);
}

static gboolean
any_in_state (SlComparison *self, SlJobState from, SlJobState to)
{
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      if (job && sl_job_get_state (job) >= from && sl_job_get_state (job) <= to)
        return TRUE;
    }
  return FALSE;
}

gboolean
sl_comparison_is_busy (SlComparison *self)
{
  return any_in_state (self, SL_JOB_WAITING, SL_JOB_RUNNING);
}

gboolean
sl_comparison_is_paused (SlComparison *self)
{
  return any_in_state (self, SL_JOB_PAUSED, SL_JOB_PAUSED) && !sl_comparison_is_busy (self);
}

void
sl_comparison_get_progress (SlComparison *self, guint *done, guint *planned)
{
  *done = *planned = 0;
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      *done += _sl_comparison_count_frames (job);
      *planned += job ? (guint)sl_job_get_evaluations (job) : 0;
    }
}
