/* sl-comparison-file.c - see sl-comparison-file.h: the comparison's jobs as lanes, which app/record writes and
 * reads.
 */
#include "app/objects/compare/sl-comparison-file.h"

#include "app/objects/compare/sl-comparison-image-private.h"
#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/compare/sl-grid-plan-private.h"
#include "app/objects/gallery/sl-writer-private.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"

/* ---- saving ---- */

struct _SlComparisonImage
{
  SlLanes *lanes;
  SlJob *job[SL_COMPARISON_MAX]; /* of each lane */
  SlMetadata *identity;          /* their pointers are the jobs' */
  uint64_t own[SL_COMPARISON_MAX];
  int color[SL_COMPARISON_MAX];
  int reference;
};

void
_sl_comparison_image_free (SlComparisonImage *image)
{
  for (int i = 0; i < SL_COMPARISON_MAX; i++)
    g_clear_object (&image->job[i]);
  sl_lanes_free (image->lanes);
  g_free (image->identity);
  g_free (image);
}

static SlTimeline *
new_head (SlTimeline *timeline, int count)
{
  SlTimeline *head = sl_timeline_head (timeline, count);

  if (head == NULL)
    g_error ("out of memory for %d moments", count); /* as g_malloc */
  return head;
}

static void
add_before (SlComparisonImage *image, int lane, SlTimeline *timeline, guint count)
{
  const SlBefore before = { new_head (timeline, (int)count), (int)count };
  SlError err = { 0 };

  if (!sl_lanes_add_before (image->lanes, lane, &before, &err))
    g_error ("%s", err.message);
}

/* The first so many frames of a job, which is no lane of the file. */
static void
add_ancestors (SlComparisonImage *image, int lane, SlJob *job, guint evaluations)
{
  guint inherited = sl_job_get_branch_point (job);
  SlTimeline *before = _sl_job_get_before (job);

  if (sl_job_get_parent (job) && inherited > 0)
    add_ancestors (image, lane, sl_job_get_parent (job), MIN (inherited, evaluations));
  else if (before)
    add_before (image, lane, before, MIN (inherited, evaluations));
  if (evaluations > inherited)
    add_before (image, lane, _sl_job_get_timeline (job), evaluations - inherited);
}

/* Among those that are in the file. */
static int
find_lane (const SlComparisonImage *image, SlJob *job)
{
  for (int i = 0; job && i < sl_lanes_count (image->lanes); i++)
    if (image->job[i] == job)
      return i;
  return -1;
}

static void
add_lane (SlComparisonImage *image, SlComparison *comparison, guint index)
{
  SlJob *job = sl_comparison_get_job (comparison, index);
  SlTimeline *timeline = job ? _sl_job_get_timeline (job) : NULL;
  guint inherited = job ? sl_job_get_branch_point (job) : 0;
  guint frames = _sl_comparison_count_frames (job);
  SlJob *parent = job ? sl_job_get_parent (job) : NULL;
  int lane;

  /* A lane that has not begun is nothing to keep. */
  if (timeline == NULL || frames <= inherited)
    return;
  lane = sl_lanes_put (image->lanes, new_head (timeline, (int)(frames - inherited)),
                       find_lane (image, parent));
  if (parent && find_lane (image, parent) < 0)
    add_ancestors (image, lane, parent, inherited);
  else if (parent == NULL && _sl_job_get_before (job))
    add_before (image, lane, _sl_job_get_before (job), inherited);
  sl_lanes_set_cell (image->lanes, lane,
                     sl_compare_lane_get_cell (sl_comparison_get_lane (comparison, index)));
  image->job[lane] = g_object_ref (job);
  image->identity[lane] = *_sl_job_get_metadata (job);
  image->own[lane] = sl_compare_lane_get_own (sl_comparison_get_lane (comparison, index));
  image->color[lane] = (int)sl_compare_lane_get_color (sl_comparison_get_lane (comparison, index));
  if (index == sl_comparison_get_reference (comparison))
    image->reference = lane;
}

SlComparisonImage *
_sl_comparison_image_new (SlComparison *comparison)
{
  SlComparisonImage *image = g_new0 (SlComparisonImage, 1);

  image->lanes = sl_lanes_new ();
  if (image->lanes == NULL)
    g_error ("out of memory for lanes"); /* as g_malloc */
  if (sl_comparison_get_grid (comparison)
      && !sl_lanes_set_grid (image->lanes, _sl_grid_plan_get_grid (sl_comparison_get_grid (comparison))))
    g_error ("out of memory for a grid"); /* as g_malloc */
  image->identity = g_new (SlMetadata, MAX (g_list_model_get_n_items (G_LIST_MODEL (comparison)), 1));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    add_lane (image, comparison, i);
  if (sl_lanes_count (image->lanes) == 0)
    g_clear_pointer (&image, _sl_comparison_image_free);
  return image;
}

gboolean
_sl_comparison_image_write (SlComparisonImage *image, const char *path, GError **error)
{
  const SlMetadata *identities[SL_COMPARISON_MAX];
  const SlLanesOut out = { .lanes = image->lanes,
                           .identities = identities,
                           .own = image->own,
                           .color = image->color,
                           .reference = image->reference };
  SlError err = { 0 };

  for (int i = 0; i < sl_lanes_count (image->lanes); i++)
    {
      g_autofree SlModelInfo *model = _sl_writer_hash_model (image->job[i]);

      sl_metadata_set_model (&image->identity[i], model);
      identities[i] = &image->identity[i];
    }
  if (sl_lanes_write (&out, path, &err))
    return TRUE;
  g_propagate_error (error, sl_app_error_new (&err));
  return FALSE;
}

typedef struct
{
  SlComparisonImage *image; /* NULL: there is nothing to keep */
  char *path;
  GError *error;
  SlComparisonSaved saved;
  gpointer user_data;
} Saving;

static void
saving_free (gpointer data)
{
  Saving *saving = data;

  g_clear_pointer (&saving->image, _sl_comparison_image_free);
  g_free (saving->path);
  g_clear_error (&saving->error);
  g_free (saving);
}

static void
save_run (gpointer data)
{
  Saving *saving = data;

  if (saving->image)
    _sl_comparison_image_write (saving->image, saving->path, &saving->error);
  else
    g_set_error_literal (&saving->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                         sl_words ("There is nothing to keep: no step is finished."));
}

static void
save_done (gpointer data)
{
  Saving *saving = data;

  saving->saved (saving->error, saving->user_data);
}

void
sl_comparison_file_save (SlComparison *comparison,
                         SlThreadQueue *files,
                         const char *path,
                         SlComparisonSaved saved,
                         gpointer user_data)
{
  Saving *saving = g_new0 (Saving, 1);

  saving->image = _sl_comparison_image_new (comparison);
  saving->path = g_strdup (path);
  saving->saved = saved;
  saving->user_data = user_data;
  sl_thread_queue_push (files, FALSE, save_run, save_done, saving, saving_free);
}

/* ---- loading ---- */

typedef struct
{
  SlComparison *comparison;
  char *path;
  SlLanesIn *in; /* NULL when it could not be read */
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
  if (loading->in)
    sl_lanes_in_free (loading->in);
  g_free (loading->in);
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
  for (int i = 0; i < sl_lanes_count (loading->in->lanes); i++)
    {
      const SlMetadata *metadata = &loading->in->note[i].metadata;
      gboolean named = FALSE;
      SlModelItem *model = find_model (loading, metadata, &named);
      SlError problem = { 0 };

      if (model == NULL)
        {
          sl_fail (err, SL_IO,
                   named ? SL_WORDS ("%s was made with another model “%s”: the one here has other weights.")
                         : SL_WORDS ("%s was made with the model “%s”, which is not here."),
                   loading->path, metadata->model);
          return;
        }
      if (!sl_lanes_check_lane (loading->in->lanes, i, _sl_model_item_get_info (model), &problem))
        {
          sl_fail (err, problem.code, "%s: %s", loading->path, problem.message);
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

  loading->in = g_new0 (SlLanesIn, 1);
  if (sl_lanes_read (loading->in, loading->path, &err))
    find_models (loading, &err);
  if (err.code != SL_OK)
    loading->error = sl_app_error_new (&err);
}

/* ---- on the main thread ---- */

static SlJob *
make_job (Loading *loading, int i, SlSettings *settings, GPtrArray *lanes)
{
  SlLaneNote *note = &loading->in->note[i];
  const SlBefore *before;
  int befores = sl_lanes_before (loading->in->lanes, i, &before);
  int parent = sl_lanes_parent (loading->in->lanes, i);
  const SlRecordedJob recorded
      = { .model = loading->found->pdata[i],
          .settings = settings,
          .timeline = sl_lanes_timeline (loading->in->lanes, i),
          .metadata = g_memdup2 (&note->metadata, sizeof note->metadata),
          .done = note->done,
          .parent = parent >= 0 && befores == 0 ? sl_compare_lane_get_job (lanes->pdata[parent]) : NULL,
          .before = befores > 0 ? before[0].timeline : NULL,
          .inherited = (guint)note->inherited };

  note->metadata = (SlMetadata){ 0 }; /* the job's now */
  return _sl_job_new_recorded (&recorded);
}

static void
take_lanes (Loading *loading)
{
  g_autoptr (GPtrArray) lanes = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (SlGridPlan) grid = NULL;

  for (int i = 0; i < sl_lanes_count (loading->in->lanes); i++)
    {
      g_autoptr (SlSettings) settings = sl_settings_new ();
      g_autoptr (SlJob) job = NULL;
      SlCompareLane *made = NULL;

      _sl_settings_set_recipe (settings, loading->in->note[i].metadata.recipe);
      job = make_job (loading, i, settings, lanes);
      made = sl_compare_lane_new (loading->in->note[i].own, settings);
      sl_compare_lane_set_job (made, job);
      sl_compare_lane_set_cell (made, loading->in->note[i].cell);
      if (loading->in->note[i].color >= 0)
        sl_compare_lane_set_color (made, (guint)loading->in->note[i].color % sl_lane_color_count ());
      g_ptr_array_add (lanes, made);
    }
  if (sl_grid_cells (&loading->in->grid) > 0)
    grid = _sl_grid_plan_new_of (&loading->in->grid);
  _sl_comparison_replace (loading->comparison, lanes, grid, (guint)loading->in->reference);
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
