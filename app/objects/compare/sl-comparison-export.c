/* sl-comparison-export.c - see sl-comparison-export.h.
 *
 * The frames of a run never change, so a list of them is all that the other threads need. First the file
 * lane hashes the model, then the worker's thread writes.
 */
#include "app/objects/compare/sl-comparison-export.h"

#include "app/objects/sl-error.h"
#include "app/objects/compare/sl-export.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/worker/sl-worker-private.h"
#include "app/objects/gallery/sl-writer-private.h"

struct _SlExportTask
{
  SlExport export;
  SlExportCall call;
  SlExportLane lane[SL_COMPARISON_MAX];
  SlJob *job[SL_COMPARISON_MAX]; /* keep the lanes' metadata */
  char *path;
  SlEngineSide *side;
  int cancelled; /* atomic */
  GError *error;
};

typedef struct
{
  SlExportTask *task;
  double fraction;
} Progress;

static void
task_free (gpointer data)
{
  SlExportTask *task = data;

  for (int i = 0; i < task->export.n_lanes; i++)
    {
      g_array_unref (task->lane[i].moments);
      g_ptr_array_unref (task->lane[i].frames);
      sl_batches_free (&task->lane[i].batches);
      g_object_unref (task->job[i]);
    }
  g_object_unref (task->call.worker);
  g_clear_error (&task->error);
  g_free (task->path);
  g_free (task);
}

/* ---- what there is ---- */

/* Of the run's own steps, as the engine counts them. */
static GArray *
plan_moments (SlJob *job, guint first)
{
  GArray *moments = g_array_new (FALSE, TRUE, sizeof (SlMoment));
  const SlPlanPoint *plan = sl_job_get_plan (job);
  guint n = (guint)sl_job_get_evaluations (job);
  int step_offset = plan[n - 1].step + 1 - _sl_job_get_metadata (job)->steps;

  for (guint i = first; i < n; i++)
    {
      SlMoment moment = { .evaluation = (int)(i - first),
                          .step = plan[i].step - step_offset,
                          .ends_step = plan[i].ends_step,
                          .last = i + 1 == n,
                          .timestep = plan[i].timestep,
                          .sigma = plan[i].sigma,
                          .level = i + 1 < n ? plan[i + 1].sigma : 0,
                          .work = (int)i + 1 };

      g_array_append_val (moments, moment);
    }
  return moments;
}

/* Frames first .. end - 1, without a step that has only begun. */
static GPtrArray *
collect_frames (SlJob *job, guint first, guint end)
{
  GPtrArray *frames = g_ptr_array_new_with_free_func (g_object_unref);

  while (end > first && !sl_job_get_plan (job)[end - 1].ends_step)
    end--;
  for (guint i = first; i < end; i++)
    g_ptr_array_add (frames, g_list_model_get_item (sl_job_get_frames (job), i));
  return frames;
}

/* Where the run that a branch left is among the lanes. */
static int
find_parent (const SlExportTask *task, SlJob *job)
{
  for (int i = 0; i < task->export.n_lanes; i++)
    if (task->job[i] == sl_job_get_parent (job))
      return i;
  return -1;
}

/* A job's first so many frames as one more lane; those of a branch that has not begun are its parent's. */
static void
add_lane (SlExportTask *task, SlJob *job, guint end)
{
  SlExportLane *lane = &task->lane[task->export.n_lanes];
  SlJob *owner = _sl_job_get_owner (job, end);
  guint first = sl_job_get_parent (owner) ? sl_job_get_branch_point (owner) : 0;
  g_autoptr (GPtrArray) frames = NULL;

  if (end == 0 || _sl_job_get_metadata (owner) == NULL)
    return;
  frames = collect_frames (owner, first, end);
  if (frames->len == 0)
    return;
  lane->metadata = _sl_job_get_metadata (owner);
  lane->batches = _sl_job_list_batches (owner, end);
  lane->moments = plan_moments (owner, first);
  lane->parent = find_parent (task, owner);
  lane->frames = g_steal_pointer (&frames);
  task->job[task->export.n_lanes++] = g_object_ref (owner);
}

static guint
count_frames (SlJob *job)
{
  return job ? g_list_model_get_n_items (sl_job_get_frames (job)) : 0;
}

/* ---- on its way ---- */

static void
deliver_progress (gpointer data)
{
  Progress *progress = data;

  if (!g_atomic_int_get (&progress->task->cancelled))
    progress->task->call.progress (progress->fraction, progress->task->call.user_data);
}

static bool
on_progress (void *arg, int done, int total, SlError *err)
{
  SlExportTask *task = arg;
  Progress *progress;

  if (g_atomic_int_get (&task->cancelled) || g_atomic_int_get (&task->side->closing))
    return sl_fail (err, SL_CANCELLED, "stopped");
  if (task->call.progress == NULL)
    return true;
  progress = g_new (Progress, 1);
  *progress = (Progress){ task, (double)done / MAX (total, 1) };
  sl_thread_queue_post (task->side->thread, deliver_progress, progress, g_free);
  return true;
}

static void
write_run (SlEngineSide *side, SlError *err, gpointer data)
{
  SlExportTask *task = data;

  task->side = side;
  if (err->code == SL_OK)
    _sl_export (&task->export, side->model, err);
  if (err->code != SL_OK)
    task->error = sl_app_error_new (err);
}

static void
write_done (gpointer data)
{
  SlExportTask *task = data;

  task->call.exported (task->error, task->call.user_data);
}

static void
hash_run (gpointer data)
{
  SlExportTask *task = data;

  task->export.identity = _sl_writer_hash_model (sl_job_get_model (task->job[0]));
}

static void
nothing (gpointer data)
{
}

static void
hash_done (gpointer data)
{
  SlExportTask *task = data;

  if (!_sl_worker_push (task->call.worker, sl_job_get_model (task->job[0]), write_run, write_done, task,
                        task_free))
    {
      g_set_error_literal (&task->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The window was closed.");
      write_done (task);
      task_free (task);
    }
}

static SlExportTask *
task_new (SlExportKind kind, const char *path, const SlExportCall *call)
{
  SlExportTask *task = g_new0 (SlExportTask, 1);

  task->path = g_strdup (path);
  task->call = *call;
  g_object_ref (call->worker);
  task->export = (SlExport){ .kind = kind, .lanes = task->lane, .progress = on_progress, .arg = task };
  task->export.path = task->path;
  return task;
}

static SlExportTask *
start (SlExportTask *task)
{
  if (task->export.n_lanes > 0)
    {
      sl_thread_queue_push (task->call.files, FALSE, hash_run, hash_done, task, nothing);
      return task;
    }
  g_set_error_literal (&task->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "No lane has finished a step yet.");
  write_done (task);
  task_free (task);
  return NULL;
}

gboolean
sl_export_has_animations (void)
{
  return SL_HAVE_WEBP;
}

SlExportTask *
sl_comparison_export_sheet (SlComparison *comparison, const char *path, const SlExportCall *call)
{
  SlExportTask *task = task_new (SL_EXPORT_SHEET, path, call);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlFrameObject *frame = sl_comparison_get_frame (comparison, i);

      if (frame)
        add_lane (task, sl_comparison_get_job (comparison, i), (guint)sl_frame_object_get_index (frame) + 1);
    }
  return start (task);
}

SlExportTask *
sl_comparison_export_animation (SlComparison *comparison, const char *path, const SlExportCall *call)
{
  SlExportTask *task = task_new (SL_EXPORT_ANIMATION, path, call);

  task->export.line_up = (SlLineUp)sl_comparison_get_align (comparison);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlJob *job = sl_comparison_get_job (comparison, i);

      if (job)
        add_lane (task, job, count_frames (job));
    }
  return start (task);
}

SlExportTask *
sl_job_export_animation (SlJob *job, const char *path, const SlExportCall *call)
{
  SlExportTask *task = task_new (SL_EXPORT_FILM, path, call);

  add_lane (task, job, count_frames (job));
  return start (task);
}

void
sl_export_cancel (SlExportTask *task)
{
  g_atomic_int_set (&task->cancelled, TRUE);
}
