/* sl-comparison-load.c - lanes made of a comparison's file; see sl-comparison-file.h. */
#include "app/objects/compare/sl-comparison-file.h"

#include "app/files/files.h"
#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/compare/sl-comparison-read.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-model-item-private.h"

typedef struct
{
  SlComparison *comparison;
  char *path;
  GPtrArray *lanes; /* of SlLoadedLane; NULL when it could not be read */
  guint reference;
  GError *error;
  GPtrArray *models;   /* of SlModelItem: all that are here */
  GPtrArray *found;    /* of SlModelItem, borrowed: each lane's */
  const char *renamed; /* the file's name of a model that has another here; a lane's */
  SlComparisonLoaded loaded;
  gpointer user_data;
} Loading;

static void
loading_free (gpointer data)
{
  Loading *loading = data;

  g_object_unref (loading->comparison);
  g_clear_pointer (&loading->lanes, g_ptr_array_unref);
  g_ptr_array_unref (loading->models);
  g_ptr_array_unref (loading->found);
  g_clear_error (&loading->error);
  g_free (loading->path);
  g_free (loading);
}

/* ---- models ---- */

static gboolean
is_same (SlModelItem *model, const SlMetadata *metadata)
{
  g_autofree SlModelInfo *info = g_memdup2 (_sl_model_item_get_info (model), sizeof *info);

  return sl_model_is_same (info, metadata->file, metadata->files, NULL);
}

static gboolean
has_name (SlModelItem *model, const SlMetadata *metadata)
{
  return g_str_equal (sl_model_item_get_name (model), metadata->model);
}

/* As `safelight replay` finds it: by its weights, the one with the name first. */
static SlModelItem *
find_model (const Loading *loading, const SlMetadata *metadata, gboolean *named)
{
  for (int by_name = 1; by_name >= 0; by_name--)
    for (guint i = 0; i < loading->models->len; i++)
      {
        SlModelItem *model = loading->models->pdata[i];

        *named = *named || has_name (model, metadata);
        if (has_name (model, metadata) == by_name && is_same (model, metadata))
          return model;
      }
  return NULL;
}

static void
find_models (Loading *loading, SlError *err)
{
  for (guint i = 0; i < loading->lanes->len; i++)
    {
      const SlMetadata *metadata = &((SlLoadedLane *)loading->lanes->pdata[i])->metadata;
      gboolean named = FALSE;
      SlModelItem *model = find_model (loading, metadata, &named);

      if (model == NULL)
        {
          sl_fail (err, SL_IO,
                   named ? "%s was made with another model “%s”: the one here has other weights."
                         : "%s was made with the model “%s”, which is not here.",
                   loading->path, metadata->model);
          return;
        }
      if (!has_name (model, metadata))
        loading->renamed = metadata->model;
      g_ptr_array_add (loading->found, model);
    }
}

static void
load_run (gpointer data)
{
  Loading *loading = data;
  SlError err = { 0 };

  loading->lanes = _sl_comparison_read (loading->path, &loading->reference, &err);
  if (loading->lanes)
    find_models (loading, &err);
  if (err.code != SL_OK)
    loading->error = sl_app_error_new (&err);
}

/* ---- on the main thread ---- */

static SlJob *
make_job (SlLoadedLane *lane, SlModelItem *model, GPtrArray *lanes)
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
      g_autoptr (SlJob) job = NULL;
      SlCompareLane *made;

      job = make_job (lane, loading->found->pdata[i], lanes);
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

  g_autofree char *renamed = g_strdup (loading->renamed); /* taking the lanes may free it */

  if (loading->error == NULL)
    take_lanes (loading);
  loading->loaded (loading->error, renamed, loading->user_data);
}

void
sl_comparison_file_load (SlComparison *comparison,
                         SlThreadQueue *files,
                         const char *path,
                         GListModel *models,
                         SlComparisonLoaded loaded,
                         gpointer user_data)
{
  Loading *loading = g_new0 (Loading, 1);

  loading->comparison = g_object_ref (comparison);
  loading->path = g_strdup (path);
  loading->models = g_ptr_array_new_with_free_func (g_object_unref);
  loading->found = g_ptr_array_new ();
  for (guint i = 0; i < g_list_model_get_n_items (models); i++)
    g_ptr_array_add (loading->models, g_list_model_get_item (models, i));
  loading->loaded = loaded;
  loading->user_data = user_data;
  sl_thread_queue_push (files, FALSE, load_run, load_done, loading, loading_free);
}
