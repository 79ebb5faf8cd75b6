/* sl-comparison-export.c - see sl-comparison-export.h: the same code writes them as for the command line
 * (app/record/compare.h).
 *
 * The moments of a run never change, so heads of the timelines are all that the other threads need. First the
 * file thread hashes the model, then the worker's thread writes; what a timeline does not keep is computed
 * again there. Easy to get wrong: a branch's parent may not be among the lanes.
 */
#include "app/objects/compare/sl-comparison-export.h"

#include "app/objects/compare/sl-grid-plan-private.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/worker/sl-worker-private.h"
#include "app/image/image.h"
#include "app/record/record.h"
#include "app/objects/gallery/sl-writer-private.h"

typedef enum
{
  EXPORT_SHEET,     /* where the lanes are */
  EXPORT_ANIMATION, /* of all lanes side by side */
  EXPORT_REPORT,    /* of all lanes, a page */
  EXPORT_FILM,      /* of the first lane alone, without labels */
} ExportKind;

struct _SlExportTask
{
  ExportKind kind;
  SlExportCall call;
  SlLineUp line_up; /* of an animation */
  SlReelLook look;
  SlLanes *lanes; /* what each run made itself, up to the end of a step; NULL: given to SlCompare */
  SlJob *job[SL_COMPARISON_MAX];
  int n_lanes;
  int color[SL_COMPARISON_MAX]; /* of a report, as the next two: of each lane here */
  char *title[SL_COMPARISON_MAX];
  int reference;         /* or -1 */
  SlModelInfo *identity; /* of the model, with hashes */
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

  for (int i = 0; i < task->n_lanes; i++)
    {
      g_object_unref (task->job[i]);
      g_free (task->title[i]);
    }
  sl_lanes_free (task->lanes);
  g_object_unref (task->call.worker);
  g_clear_error (&task->error);
  g_free (task->identity);
  g_free (task->path);
  g_free (task);
}

/* ---- what there is ---- */

/* Where the run that a branch left is among the lanes. */
static int
find_parent (const SlExportTask *task, SlJob *job)
{
  for (int i = 0; i < task->n_lanes; i++)
    if (task->job[i] == sl_job_get_parent (job))
      return i;
  return -1;
}

/* A job's first `end` frames as one more lane, without a step that has only begun; those of a branch that has
 * not begun are its parent's. */
static void
add_lane (SlExportTask *task, SlJob *job, guint end, int cell)
{
  SlJob *owner = _sl_job_get_owner (job, end);
  SlTimeline *timeline = _sl_job_get_timeline (owner), *head;
  guint first = sl_job_get_branch_point (owner);

  if (timeline == NULL)
    return;
  while (end > first && !sl_job_get_plan (owner)[end - 1].ends_step)
    end--;
  if (end <= first)
    return;
  head = sl_timeline_head (timeline, (int)(end - first));
  if (head == NULL)
    g_error ("out of memory for %u moments", end); /* as g_malloc */
  sl_lanes_set_cell (task->lanes, sl_lanes_put (task->lanes, head, find_parent (task, owner)), cell);
  task->job[task->n_lanes++] = g_object_ref (owner);
}

static int
cell_of (SlComparison *comparison, guint index)
{
  return sl_compare_lane_get_cell (sl_comparison_get_lane (comparison, index));
}

static void
set_grid (SlExportTask *task, SlComparison *comparison)
{
  SlGridPlan *grid = sl_comparison_get_grid (comparison);

  if (grid && !sl_lanes_set_grid (task->lanes, _sl_grid_plan_get_grid (grid)))
    g_error ("out of memory for a grid"); /* as g_malloc */
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

/* ---- writing ---- */

/* The pictures are of the device that the runs were computed on, not of the one that is used now. */
static void
describe_lanes (SlExportTask *task, SlCompare *compare)
{
  compare->identity = task->identity;
  for (int i = 0; i < compare->count; i++)
    {
      SlMetadata *is = &compare->picture[i].metadata;
      const SlMetadata *was = _sl_job_get_metadata (task->job[compare->lane[i]]);

      sl_metadata_set_model (is, task->identity);
      g_strlcpy (is->device, was->device, sizeof is->device);
      g_strlcpy (is->device_description, was->device_description, sizeof is->device_description);
      g_strlcpy (is->dtype, was->dtype, sizeof is->dtype);
    }
}

static gboolean
write_report (SlExportTask *task, SlCompare *compare, SlError *err)
{
  const char *titles[SL_COMPARISON_MAX] = { NULL };
  const SlReportJob job
      = { .path = task->path, .color = task->color, .title = titles, .progress = on_progress, .arg = task };

  for (int i = 0; i < task->n_lanes; i++)
    titles[i] = task->title[i];
  for (int i = 0; i < compare->count; i++)
    if (compare->lane[i] == task->reference)
      compare->reference = i;
  return sl_compare_report (compare, &job, err);
}

static gboolean
write_lanes (SlExportTask *task, SlModel *model, SlError *err)
{
  const SlAnimationJob job = {
    .path = task->path, .look = task->look, .line_up = task->line_up, .progress = on_progress, .arg = task
  };
  g_autofree SlCompare *compare = g_new0 (SlCompare, 1);
  gboolean ok = on_progress (task, 0, 1, err)
                && sl_compare_take (compare, model, g_steal_pointer (&task->lanes), err);

  if (task->lanes) /* stopped before */
    return FALSE;
  if (ok)
    describe_lanes (task, compare);
  if (ok && task->kind == EXPORT_SHEET)
    ok = sl_compare_sheet (compare, task->path, NULL, err);
  else if (ok && task->kind == EXPORT_ANIMATION)
    ok = sl_compare_animation (compare, &job, NULL, err);
  else if (ok && task->kind == EXPORT_REPORT)
    ok = write_report (task, compare, err);
  else if (ok)
    ok = sl_compare_film (compare, &job, NULL, err);
  sl_compare_free (compare);
  return ok;
}

static void
write_run (SlEngineSide *side, SlError *err, gpointer data)
{
  SlExportTask *task = data;

  task->side = side;
  if (err->code == SL_OK)
    write_lanes (task, side->model, err);
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

  task->identity = _sl_writer_hash_model (task->job[0]);
}

static void
nothing (gpointer data)
{
}

static void
hash_done (gpointer data)
{
  SlExportTask *task = data;

  if (!_sl_worker_push (task->call.worker, task->job[0], write_run, write_done, task, task_free))
    {
      g_set_error_literal (&task->error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                           sl_words ("The window was closed."));
      write_done (task);
      task_free (task);
    }
}

static SlExportTask *
task_new (ExportKind kind, const char *path, const SlExportCall *call)
{
  SlExportTask *task = g_new0 (SlExportTask, 1);

  task->path = g_strdup (path);
  task->call = *call;
  g_object_ref (call->worker);
  task->kind = kind;
  task->lanes = sl_lanes_new ();
  if (task->lanes == NULL)
    g_error ("out of memory for lanes"); /* as g_malloc */
  return task;
}

static SlExportTask *
start (SlExportTask *task)
{
  if (task->n_lanes > 0)
    {
      sl_thread_queue_push (task->call.files, FALSE, hash_run, hash_done, task, nothing);
      return task;
    }
  g_set_error_literal (&task->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                       sl_words ("No lane has finished a step yet."));
  write_done (task);
  task_free (task);
  return NULL;
}

guint
sl_export_count_formats (void)
{
  return SL_ANIMATION_FORMATS;
}

SlExportFormat
sl_export_nth_format (guint n)
{
  return (SlExportFormat){ sl_animation_name ((SlAnimationFormat)n),
                           sl_animation_ending ((SlAnimationFormat)n),
                           sl_animation_lacks ((SlAnimationFormat)n) };
}

gboolean
sl_export_has_animations (void)
{
  for (guint i = 0; i < SL_ANIMATION_FORMATS; i++)
    if (!sl_animation_lacks ((SlAnimationFormat)i))
      return TRUE;
  return FALSE;
}

/* ---- names of files ---- */

static char *
take_name (char *name)
{
  g_autofree char *from = name;

  if (from == NULL)
    g_error ("out of memory for a name"); /* as g_malloc */
  return g_strdup (from);
}

char *
sl_comparison_dup_file_name (SlComparison *comparison, const char *ending)
{
  g_autofree const SlRecipe **recipes = g_new (const SlRecipe *, SL_COMPARISON_MAX);
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlJob *job = sl_comparison_get_job (comparison, i);

      if (job)
        recipes[n++] = _sl_job_get_recipe (job);
    }
  return take_name (sl_export_name (recipes, (int)n, 0, ending));
}

char *
sl_job_dup_file_name (SlJob *job, SlFrameObject *frame, const char *ending)
{
  const SlRecipe *recipe = _sl_job_get_recipe (job);
  int step = frame && !sl_frame_object_is_last (frame) ? sl_frame_object_get_step (frame) + 1 : 0;

  return take_name (sl_export_name (&recipe, 1, step, ending));
}

/* ---- beginning ---- */

static void
take_look (SlExportTask *task, const SlExportLook *look, gboolean captions)
{
  task->look.captions = look ? look->captions : captions;
  if (look)
    {
      task->look.ms = (int)look->ms;
      task->look.side = (int)look->side;
    }
}

SlExportTask *
sl_comparison_export_sheet (SlComparison *comparison, const char *path, const SlExportCall *call)
{
  SlExportTask *task = task_new (EXPORT_SHEET, path, call);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlFrameObject *frame = sl_comparison_get_frame (comparison, i);

      if (frame)
        add_lane (task, sl_comparison_get_job (comparison, i), (guint)sl_frame_object_get_index (frame) + 1,
                  cell_of (comparison, i));
    }
  set_grid (task, comparison);
  return start (task);
}

SlExportTask *
sl_comparison_export_animation (SlComparison *comparison,
                                const char *path,
                                const SlExportLook *look,
                                const SlExportCall *call)
{
  SlExportTask *task = task_new (EXPORT_ANIMATION, path, call);

  take_look (task, look, TRUE);
  task->line_up = (SlLineUp)sl_comparison_get_align (comparison);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlJob *job = sl_comparison_get_job (comparison, i);

      if (job)
        add_lane (task, job, count_frames (job), cell_of (comparison, i));
    }
  set_grid (task, comparison);
  return start (task);
}

SlExportTask *
sl_comparison_export_report (SlComparison *comparison,
                             const char *const *titles,
                             const char *path,
                             const SlExportCall *call)
{
  SlExportTask *task = task_new (EXPORT_REPORT, path, call);

  task->reference = -1;
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlJob *job = sl_comparison_get_job (comparison, i);
      int before = task->n_lanes;

      if (job)
        add_lane (task, job, count_frames (job), cell_of (comparison, i));
      if (task->n_lanes == before)
        continue;
      task->color[before] = (int)sl_compare_lane_get_color (sl_comparison_get_lane (comparison, i));
      task->title[before] = g_strdup (titles[i]);
      if (i == sl_comparison_get_reference (comparison))
        task->reference = before;
    }
  set_grid (task, comparison);
  return start (task);
}

SlExportTask *
sl_job_export_animation (SlJob *job, const char *path, const SlExportLook *look, const SlExportCall *call)
{
  SlExportTask *task = task_new (EXPORT_FILM, path, call);

  take_look (task, look, FALSE);
  add_lane (task, job, count_frames (job), -1);
  return start (task);
}

void
sl_export_cancel (SlExportTask *task)
{
  g_atomic_int_set (&task->cancelled, TRUE);
}
