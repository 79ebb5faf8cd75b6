/* sl-comparison-run.c - lanes started, branched, paused and stopped; see sl-comparison.h. */
#include "app/objects/compare/sl-comparison-private.h"

#include "app/objects/compare/sl-grid-plan-private.h"
#include "app/objects/sl-dynamic.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-settings-private.h"
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
  if (parent == NULL)
    sl_job_compute_as (job, sl_compare_lane_get_computed_as (lane));
  _sl_comparison_watch (self, job);
  return job;
}

/* As the lane's run before, else as one of the others: lanes that stand beside each other differ in their settings
 * alone. The parts of another model have other names. */
static void
compute_alike (SlComparison *self, guint index, SlJob *job)
{
  SlJob *before = sl_comparison_get_job (self, index);

  for (guint i = 0; i <= _sl_comparison_count (self); i++)
    {
      SlJob *other = i == 0 ? before : sl_comparison_get_job (self, i - 1);

      if (other == NULL || sl_job_get_computed (other).types == NULL
          || !sl_model_item_equal (sl_job_get_model (other), sl_job_get_model (job)))
        continue;
      sl_job_compute_as (job, sl_job_get_computed (other));
      return;
    }
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
_sl_comparison_replace (SlComparison *self, GPtrArray *lanes, SlGridPlan *grid, guint reference)
{
  sl_comparison_clear (self);
  g_set_object (&self->grid, grid);
  _sl_comparison_add_all (self, lanes);
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_compare_lane_get_job (lanes->pdata[i]);

      _sl_comparison_watch (self, job);
      if (i == 0)
        {
          g_set_object (&self->model, sl_job_get_model (job));
          self->recipe = sl_settings_dup (sl_job_get_settings (job));
          sl_comparison_set_origin (self, self->recipe);
        }
    }
  sl_comparison_set_reference (self, reference);
  sl_comparison_move (self, G_MAXINT);
}

/* ---- grids ---- */

SlGridPlan *
sl_comparison_get_grid (SlComparison *self)
{
  return self->grid;
}

guint
sl_comparison_find_cell (SlComparison *self, int cell)
{
  for (guint i = 0; cell >= 0 && i < _sl_comparison_count (self); i++)
    if (sl_compare_lane_get_cell (sl_comparison_get_lane (self, i)) == cell)
      return i;
  return G_MAXUINT;
}

void
sl_comparison_place_lane (SlComparison *self, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self, index);
  const SlGrid *grid = self->grid ? _sl_grid_plan_get_grid (self->grid) : NULL;
  g_autoptr (SlSettings) settings
      = sl_compare_lane_resolve (lane, self->recipe ? self->recipe : sl_compare_lane_get_values (lane));
  SlRecipe recipe;

  /* What a LoRA's or an embedding's text stands for depends on files. */
  for (int i = 0; grid && i < SL_GRID_AXES; i++)
    if (grid->axis[i].setting == SL_SETTING_LORA || grid->axis[i].setting == SL_SETTING_EMBEDDING)
      return;
  _sl_settings_get_recipe (settings, &recipe);
  for (int i = 0; grid && !parent_of (lane) && i < sl_grid_cells (grid); i++)
    if (sl_compare_lane_get_cell (lane) < 0 && sl_comparison_find_cell (self, i) == G_MAXUINT
        && sl_grid_fits (grid, i, &recipe))
      sl_compare_lane_set_cell (lane, i);
}

void
sl_comparison_set_lanes (SlComparison *self, GPtrArray *lanes, SlGridPlan *grid)
{
  g_autoptr (SlGridPlan) held = grid ? g_object_ref (grid) : NULL; /* it may be the one that goes */

  sl_comparison_clear (self);
  g_set_object (&self->grid, held);
  _sl_comparison_add_all (self, lanes);
}

gboolean
sl_comparison_set_grid (
    SlComparison *self, SlGridPlan *grid, SlModelItem *model, SlSettings *recipe, GError **error)
{
  const SlGrid *cells = _sl_grid_plan_get_grid (grid);
  SlOwn own = sl_grid_plan_get_own (grid);
  g_autoptr (GPtrArray) lanes = NULL;
  guint evaluations;

  if (!sl_grid_plan_check (grid, model, recipe, &evaluations, error))
    return FALSE;
  lanes = g_ptr_array_new_with_free_func (g_object_unref);
  for (int i = 0; i < sl_grid_cells (cells); i++)
    {
      g_autoptr (SlSettings) values = sl_grid_plan_settings (grid, (guint)i, recipe, NULL);
      g_autoptr (SlCompareLane) lane = values ? sl_compare_lane_new (own, values) : NULL;

      if (lane == NULL)
        continue; /* a LoRA that was there a moment ago */
      sl_compare_lane_set_cell (lane, i);
      g_ptr_array_add (lanes, g_steal_pointer (&lane));
    }
  sl_comparison_set_lanes (self, lanes, grid);
  return TRUE;
}

/* Those that are to run, the cells of a grid in its order and then the others. A new array. */
static GPtrArray *
in_order (SlComparison *self, GPtrArray *jobs)
{
  GPtrArray *ordered = g_ptr_array_new ();
  const SlGrid *grid = self->grid ? _sl_grid_plan_get_grid (self->grid) : NULL;
  guint cells = grid ? (guint)sl_grid_cells (grid) : 0;
  g_autofree int *evaluations = g_new0 (int, cells + 1);
  g_autofree int *order = g_new0 (int, cells + 1);
  g_autofree SlJob **of_cell = g_new0 (SlJob *, cells + 1);

  for (guint i = 0; grid && i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);
      int cell = sl_compare_lane_get_cell (sl_comparison_get_lane (self, i));
      SlRecipe recipe;

      if (cell < 0 || job == NULL || !g_ptr_array_find (jobs, job, NULL))
        continue;
      _sl_settings_get_recipe (sl_job_get_settings (job), &recipe);
      evaluations[cell] = sl_grid_evaluations (&recipe);
      of_cell[cell] = job;
    }
  if (grid)
    sl_grid_order (grid, evaluations, order);
  for (guint i = 0; i < cells; i++)
    if (of_cell[order[i]])
      g_ptr_array_add (ordered, of_cell[order[i]]);
  for (guint i = 0; i < jobs->len; i++)
    if (!g_ptr_array_find (ordered, jobs->pdata[i], NULL))
      g_ptr_array_add (ordered, jobs->pdata[i]);
  return ordered;
}

static void
start_jobs (SlComparison *self, GPtrArray *jobs)
{
  g_autoptr (GPtrArray) ordered = in_order (self, jobs);

  if (self->grid)
    sl_worker_start_in_order (self->worker, ordered);
  else
    sl_worker_start_together (self->worker, ordered);
}

/* ---- starting ---- */

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
  start_jobs (self, jobs);
  g_signal_emit_by_name (self, "state");
  return TRUE;
}

/* ---- what was made with other settings ---- */

void
sl_comparison_set_origin (SlComparison *self, SlSettings *recipe)
{
  g_clear_object (&self->origin);
  self->origin = recipe ? sl_settings_dup (recipe) : NULL;
}

guint64
sl_comparison_get_seed (SlComparison *self)
{
  return self->recipe ? sl_settings_get_seed (self->recipe) : 0;
}

static gboolean
is_stale (SlComparison *self, SlCompareLane *lane, SlModelItem *model, SlSettings *recipe)
{
  g_autoptr (SlSettings) then = NULL;
  g_autoptr (SlSettings) now = NULL;

  if (self->origin == NULL || sl_compare_lane_get_job (lane) == NULL || parent_of (lane))
    return FALSE;
  if (model == NULL || !sl_model_item_equal (model, sl_job_get_model (sl_compare_lane_get_job (lane))))
    return model != NULL;
  then = sl_compare_lane_resolve (lane, self->origin);
  now = sl_compare_lane_resolve (lane, recipe);
  return !sl_settings_equal (then, now);
}

guint
sl_comparison_find_stale (SlComparison *self, SlModelItem *model, SlSettings *recipe, gboolean seed_counts)
{
  g_autoptr (SlSettings) now = sl_settings_dup (recipe);
  guint stale = 0;

  if (!seed_counts && self->origin)
    g_object_set (now, "seed", sl_settings_get_seed (self->origin), NULL);
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlCompareLane *lane = sl_comparison_get_lane (self, i);
      gboolean is = is_stale (self, lane, model, now);

      sl_compare_lane_set_stale (lane, is);
      stale += is;
    }
  return stale;
}

gboolean
sl_comparison_start_stale (
    SlComparison *self, SlModelItem *model, SlSettings *recipe, SlPreviews previews, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) lanes = g_ptr_array_new ();
  g_autoptr (SlModelItem) model_before = self->model ? g_object_ref (self->model) : NULL;
  g_autoptr (SlSettings) recipe_before = g_steal_pointer (&self->recipe);

  g_set_object (&self->model, model);
  self->recipe = sl_settings_dup (recipe);
  self->previews = previews;
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job;

      if (!sl_compare_lane_is_stale (sl_comparison_get_lane (self, i)))
        continue;
      job = make_job (self, i, error);
      if (job == NULL)
        {
          g_set_object (&self->model, model_before);
          g_set_object (&self->recipe, recipe_before);
          return FALSE;
        }
      compute_alike (self, i, job);
      g_ptr_array_add (jobs, job);
      g_ptr_array_add (lanes, sl_comparison_get_lane (self, i));
    }
  _sl_comparison_leave (self);
  for (guint i = 0; i < jobs->len; i++)
    {
      _sl_comparison_stop_lane (self, lanes->pdata[i]);
      sl_compare_lane_set_stale (lanes->pdata[i], FALSE);
      sl_compare_lane_set_job (lanes->pdata[i], jobs->pdata[i]);
    }
  self->following = TRUE;
  start_jobs (self, jobs);
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
  compute_alike (self, index, job);
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
  start_jobs (self, jobs);
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

/* A run that waits does not know its plan yet: about what it will be. What is over plans nothing more. */
static guint
count_planned (SlJob *job)
{
  guint planned = (guint)sl_job_get_evaluations (job);

  if (sl_job_is_over (job))
    return _sl_comparison_count_frames (job);
  if (sl_job_get_state (job) == SL_JOB_WAITING)
    return MAX (planned, (guint)sl_grid_evaluations (_sl_job_get_recipe (job)));
  return planned;
}

void
sl_comparison_get_progress (SlComparison *self, guint *done, guint *planned)
{
  *done = *planned = 0;
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      *done += _sl_comparison_count_frames (job);
      *planned += job ? count_planned (job) : 0;
    }
}
