/* sl-comparison-load.c - lanes made of a comparison's file; see sl-comparison-file.h. */
#include "app/sl-comparison-file.h"

#include "app/sl-comparison-private.h"
#include "app/sl-comparison-read.h"
#include "app/sl-error.h"
#include "app/sl-job-private.h"

typedef struct
{
  SlComparison *comparison;
  char *path;
  GPtrArray *lanes; /* of SlLoadedLane; NULL when it could not be read */
  guint reference;
  GError *error;
  SlComparisonFindModel find_model;
  SlComparisonSaved loaded;
  gpointer user_data;
} Loading;

static void
loading_free (gpointer data)
{
  Loading *loading = data;

  g_object_unref (loading->comparison);
  g_clear_pointer (&loading->lanes, g_ptr_array_unref);
  g_clear_error (&loading->error);
  g_free (loading->path);
  g_free (loading);
}

static void
load_run (gpointer data)
{
  Loading *loading = data;
  SlError err = { 0 };

  loading->lanes = _sl_comparison_read (loading->path, &loading->reference, &err);
  if (err.code != SL_OK)
    loading->error = sl_app_error_new (&err);
}

/* ---- on the main thread ---- */

static SlJob *
make_job (Loading *loading, SlLoadedLane *lane, SlModelItem *model, GPtrArray *lanes)
{
  SlJob *job = sl_job_new (model, lane->settings, SL_PREVIEWS_AUTOMATIC);
  SlMetadata *metadata = g_memdup2 (&lane->metadata, sizeof lane->metadata);

  lane->metadata = (SlMetadata){ 0 }; /* the job's now */
  _sl_job_set_first (job, lane->first);
  _sl_job_started (job, metadata, g_steal_pointer (&lane->plan));
  for (guint i = 0; i < lane->frames->len; i++)
    _sl_job_add_frame (job, lane->frames->pdata[i]);
  if (lane->parent >= 0 && lane->branch_point > 0 && lane->branch_point <= lane->frames->len)
    _sl_job_set_parent (job, sl_compare_lane_get_job (lanes->pdata[lane->parent]), lane->branch_point);
  _sl_job_set_state (job, lane->done ? SL_JOB_DONE : SL_JOB_STOPPED);
  return job;
}

static void
take_lanes (Loading *loading)
{
  g_autoptr (GPtrArray) lanes = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < loading->lanes->len; i++)
    {
      SlLoadedLane *lane = loading->lanes->pdata[i];
      SlModelItem *model = loading->find_model (lane->metadata.model, loading->user_data);
      g_autoptr (SlJob) job = NULL;
      SlCompareLane *made;

      if (model == NULL)
        {
          g_set_error (&loading->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                       "%s was made with the model “%s”, which is not here.", loading->path,
                       lane->metadata.model);
          return;
        }
      job = make_job (loading, lane, model, lanes);
      made = sl_compare_lane_new (lane->own, lane->values);
      sl_compare_lane_set_job (made, job);
      g_ptr_array_add (lanes, made);
    }
  _sl_comparison_replace (loading->comparison, lanes, loading->reference);
}

static void
load_done (gpointer data)
{
  Loading *loading = data;

  if (loading->error == NULL)
    take_lanes (loading);
  loading->loaded (loading->error, loading->user_data);
}

void
sl_comparison_file_load (SlComparison *comparison,
                         SlLane *files,
                         const char *path,
                         SlComparisonFindModel find_model,
                         SlComparisonSaved loaded,
                         gpointer user_data)
{
  Loading *loading = g_new0 (Loading, 1);

  loading->comparison = g_object_ref (comparison);
  loading->path = g_strdup (path);
  loading->find_model = find_model;
  loading->loaded = loaded;
  loading->user_data = user_data;
  sl_lane_push (files, FALSE, load_run, load_done, loading, loading_free);
}
