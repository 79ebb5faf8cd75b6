/* sl-comparison-read.c - a comparison's file, read and checked; see sl-comparison-read.h.
 *
 * Everything in the file is checked before anything of it is used: sizes against the tensors, numbers
 * against their ranges, settings by their own validators.
 */
#include "app/objects/compare/sl-comparison-read.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/recipe/recipe.h"
#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/sl-settings-private.h"
#include "engine/engine.h"

#define MAX_FRAMES 4000
#define MAX_SIDE 16384

static void
lane_free (gpointer data)
{
  SlLoadedLane *lane = data;

  g_clear_object (&lane->values);
  g_clear_object (&lane->settings);
  sl_metadata_free (&lane->metadata);
  g_clear_pointer (&lane->plan, g_array_unref);
  g_clear_pointer (&lane->frames, g_ptr_array_unref);
  g_free (lane);
}

/* ---- numbers ---- */

/* A whole number in a range. */
static gboolean
get_int (const cJSON *object, const char *key, int low, int high, int *value, SlError *err)
{
  const cJSON *item = cJSON_GetObjectItemCaseSensitive (object, key);

  if (!cJSON_IsNumber (item) || !(item->valuedouble >= low && item->valuedouble <= high)
      || floor (item->valuedouble) != item->valuedouble)
    return sl_fail (err, SL_FORMAT, "its \"%s\" is not a whole number from %d to %d", key, low, high);
  *value = (int)item->valuedouble;
  return TRUE;
}

/* Rows of n finite numbers. */
static gboolean
get_rows (const cJSON *object, const char *key, int n, GArray *rows, SlError *err)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive (object, key), *row, *item;

  if (!cJSON_IsArray (list) || cJSON_GetArraySize (list) < 1 || cJSON_GetArraySize (list) > MAX_FRAMES)
    return sl_fail (err, SL_FORMAT, "its \"%s\" is not a list of 1 to %d rows", key, MAX_FRAMES);
  cJSON_ArrayForEach (row, list)
  {
    int count = 0;

    cJSON_ArrayForEach (item, row)
    {
      if (!cJSON_IsNumber (item) || !isfinite (item->valuedouble) || ABS (item->valuedouble) > 1e9)
        return sl_fail (err, SL_FORMAT, "its \"%s\" has a value that is not a usable number", key);
      g_array_append_val (rows, item->valuedouble);
      count++;
    }
    if (count != n)
      return sl_fail (err, SL_FORMAT, "its \"%s\" has a row of %d numbers; expected %d", key, count, n);
  }
  return TRUE;
}

static SlSettings *
get_settings (const cJSON *object, const char *key, SlError *err)
{
  const char *text = cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (object, key));
  g_autoptr (SlSettings) settings = sl_settings_new ();

  if (text && sl_settings_from_string (settings, text))
    return g_steal_pointer (&settings);
  sl_fail (err, SL_FORMAT, "its \"%s\" are no settings", key);
  return NULL;
}

/* ---- frames ---- */

/* A tensor's bytes of one frame; NULL and *err when the tensor is not what it should be. */
static GBytes *
read_part (
    const SlSafetensors *file, guint lane, const char *name, const int64_t size[4], guint frame, SlError *err)
{
  g_autofree char *full = g_strdup_printf ("lane.%u.%s", lane, name);
  const SlTensorInfo *info = sl_safetensors_find (file, full);
  gsize bytes;
  void *data;

  if (info == NULL)
    {
      sl_fail (err, SL_FORMAT, "it has no tensor %s", full);
      return NULL;
    }
  for (int i = 0; i < 4; i++)
    if (info->rank != 4 || info->size[i] != size[i])
      {
        sl_fail (err, SL_FORMAT, "its tensor %s has not the size that its frames say", full);
        return NULL;
      }
  bytes = info->bytes / (gsize)size[0];
  data = g_try_malloc (bytes);
  if (data == NULL || !sl_safetensors_read (file, info, (uint64_t)frame * bytes, bytes, data, err))
    {
      g_free (data);
      return NULL;
    }
  return g_bytes_new_take (data, bytes);
}

static gboolean
has_part (const SlSafetensors *file, guint lane, const char *name)
{
  g_autofree char *full = g_strdup_printf ("lane.%u.%s", lane, name);

  return sl_safetensors_find (file, full) != NULL;
}

static void
read_record (const SlSafetensors *file,
             guint lane,
             guint frame,
             const int64_t size[4],
             SlFrameRecord *record,
             SlError *err)
{
  const int64_t pixels[4] = { size[0], size[2], size[3], 3 };

  record->sample[SL_VIEW_NOISY] = read_part (file, lane, "x_t", size, frame, err);
  record->x_0 = err->code == SL_OK ? read_part (file, lane, "x_0", size, frame, err) : NULL;
  if (err->code == SL_OK)
    record->sample[SL_VIEW_PICTURE]
        = g_bytes_ref (record->frame.last ? record->sample[SL_VIEW_NOISY] : record->x_0);
  record->preview[SL_VIEW_PICTURE]
      = err->code == SL_OK ? read_part (file, lane, "preview", pixels, frame, err) : NULL;
  record->preview[SL_VIEW_NOISY]
      = err->code == SL_OK ? read_part (file, lane, "noisy_preview", pixels, frame, err) : NULL;
  if (err->code == SL_OK && has_part (file, lane, "output"))
    record->part[SL_PART_OUTPUT] = read_part (file, lane, "output", size, frame, err);
  if (err->code == SL_OK && has_part (file, lane, "guidance"))
    record->part[SL_PART_GUIDANCE] = read_part (file, lane, "guidance", size, frame, err);
}

static SlBatch
batch_of (const SlLoadedLane *lane, int evaluation)
{
  int own = evaluation - (int)lane->branch_point;

  return own < 0 ? (SlBatch){ 1, 0, 1 } : sl_batches_at (&lane->metadata.batches, own);
}

/* row is one of "frames"; only a lane's own moments know their batches. */
static SlFrame
frame_of_row (const SlLoadedLane *lane, const double *row)
{
  SlBatch batch = batch_of (lane, (int)row[0]);

  return (SlFrame){ .evaluation = (int)row[0],
                    .evaluations = (int)row[1],
                    .step = (int)row[2],
                    .steps = (int)row[3],
                    .ends_step = row[4] != 0,
                    .last = row[5] != 0,
                    .timestep = row[6],
                    .sigma = row[7],
                    .place = batch.place,
                    .together = batch.together,
                    .seconds = row[8] };
}

/* What the file leaves out of a long run: a moment that is made again when it is looked at, and looks like
 * the next one that is there until then. */
static SlFrameObject *
make_light (const SlLoadedLane *lane, int evaluation, SlFrameObject *next)
{
  const SlPlanPoint *point = &g_array_index (lane->plan, SlPlanPoint, evaluation);
  SlFrameRecord record = _sl_frame_object_get_record (next);
  SlBatch batch = batch_of (lane, evaluation);

  record.frame.evaluation = evaluation;
  record.frame.step = point->step;
  record.frame.ends_step = point->ends_step;
  record.frame.last = false;
  record.frame.place = batch.place;
  record.frame.together = batch.together;
  record.frame.timestep = point->timestep;
  record.frame.sigma = point->sigma;
  record.x_0 = NULL;
  for (int view = 0; view < SL_N_VIEWS; view++)
    record.sample[view] = NULL;
  for (int part = 0; part < SL_N_PARTS; part++)
    record.part[part] = NULL;
  return _sl_frame_object_restore (&record);
}

static gboolean
fill_gaps (SlLoadedLane *lane, SlError *err)
{
  g_autoptr (GPtrArray) kept = g_steal_pointer (&lane->frames);

  lane->frames = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < kept->len; i++)
    {
      int evaluation = sl_frame_object_get_index (kept->pdata[i]);

      if (evaluation < (int)lane->frames->len || evaluation >= (int)lane->plan->len)
        return sl_fail (err, SL_FORMAT, "its frames are not in order, or are not in its plan");
      while ((int)lane->frames->len < evaluation)
        g_ptr_array_add (lane->frames, make_light (lane, (int)lane->frames->len, kept->pdata[i]));
      g_ptr_array_add (lane->frames, g_object_ref (kept->pdata[i]));
    }
  return TRUE;
}

/* [frames, C, h, w] as the tensor x_t says it. */
static gboolean
find_size (const SlSafetensors *file, guint lane, guint frames, int64_t size[4], SlError *err)
{
  g_autofree char *name = g_strdup_printf ("lane.%u.x_t", lane);
  const SlTensorInfo *info = sl_safetensors_find (file, name);

  if (info == NULL || info->rank != 4 || info->dtype != SL_F32 || info->size[0] != frames)
    return sl_fail (err, SL_FORMAT, "its tensor %s is missing or has not %u frames", name, frames);
  for (int i = 0; i < 4; i++)
    size[i] = info->size[i];
  if (size[1] < 1 || size[1] > SL_MAX_CHANNELS || size[2] < 1 || size[2] > MAX_SIDE || size[3] < 1
      || size[3] > MAX_SIDE)
    return sl_fail (err, SL_FORMAT, "its tensor %s has an impossible size", name);
  return TRUE;
}

static gboolean
read_frames (const SlSafetensors *file, guint index, const cJSON *json, SlLoadedLane *lane, SlError *err)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (double));
  int64_t size[4];

  if (!get_rows (json, "frames", 9, rows, err) || !find_size (file, index, rows->len / 9, size, err))
    return FALSE;
  for (guint i = 0; i < rows->len / 9 && err->code == SL_OK; i++)
    {
      SlFrameRecord record = { .frame = frame_of_row (lane, &g_array_index (rows, double, 9 * i)),
                               .predicts_noise = lane->metadata.prediction == SL_PREDICT_EPSILON };

      record.frame.channels = (int)size[1];
      record.frame.height = (int)size[2];
      record.frame.width = (int)size[3];
      read_record (file, index, i, size, &record, err);
      if (err->code == SL_OK)
        g_ptr_array_add (lane->frames, _sl_frame_object_restore (&record));
      _sl_frame_record_clear (&record);
    }
  return err->code == SL_OK;
}

static gboolean
read_plan (const cJSON *json, SlLoadedLane *lane, SlError *err)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (double));

  if (!get_rows (json, "plan", 4, rows, err))
    return FALSE;
  for (guint i = 0; i < rows->len / 4; i++)
    {
      const double *row = &g_array_index (rows, double, 4 * i);
      SlPlanPoint point = { row[0], row[1], (int)row[2], row[3] != 0 };

      g_array_append_val (lane->plan, point);
    }
  return fill_gaps (lane, err);
}

/* Where the file does not say it, it is the branch point. */
static gboolean
get_count (const cJSON *object, const char *key, int branch_point, int *value, SlError *err)
{
  *value = branch_point;
  return !cJSON_HasObjectItem (object, key) || get_int (object, key, 0, MAX_FRAMES, value, err);
}

/* A setting that a text leaves to the model is the recipe's. */
static gboolean
check_text (const char *key, SlSettings *settings, const SlRecipe *recipe, SlError *err)
{
  SlRecipe text;
  char *difference;
  gboolean same;

  _sl_settings_get_recipe (settings, &text);
  text.width = text.width > 0 ? text.width : recipe->width;
  text.height = text.height > 0 ? text.height : recipe->height;
  text.scheduler = text.scheduler && *text.scheduler ? text.scheduler : recipe->scheduler;
  difference = sl_recipe_diff (&text, recipe);
  same = difference == NULL || *difference == '\0';
  if (!same)
    sl_fail (err, SL_FORMAT,
             "its \"%s\" are not those of its recipe (%.*s): it was changed after it was saved", key,
             (int)strcspn (difference, "\n"), difference);
  free (difference);
  return same;
}

/* The window reads the settings from texts of their own: they must be those that the run had. */
static gboolean
check_texts (const SlLoadedLane *lane, SlError *err)
{
  g_autoptr (SlCompareLane) own = sl_compare_lane_new (lane->own, lane->values);
  g_autoptr (SlSettings) resolved = sl_compare_lane_resolve (own, lane->settings);

  return check_text ("settings", lane->settings, lane->metadata.recipe, err)
         && check_text ("values", resolved, lane->metadata.recipe, err);
}

static gboolean
read_lane (const SlSafetensors *file, guint index, const cJSON *json, SlLoadedLane *lane, SlError *err)
{
  const char *metadata = cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (json, "metadata"));
  int own = 0, branch_point = 0, inherited = 0;

  lane->plan = g_array_new (FALSE, FALSE, sizeof (SlPlanPoint));
  lane->frames = g_ptr_array_new_with_free_func (g_object_unref);
  lane->done = cJSON_IsTrue (cJSON_GetObjectItemCaseSensitive (json, "done"));
  if (!get_int (json, "own", 0, SL_OWN_ALL, &own, err)
      || !get_int (json, "parent", -1, (int)index - 1, &lane->parent, err)
      || !get_int (json, "branch_point", 0, MAX_FRAMES, &branch_point, err)
      || !get_count (json, "inherited", branch_point, &inherited, err)
      || !get_count (json, "first", branch_point, &lane->first, err))
    return FALSE;
  lane->own = (SlOwn)own;
  lane->branch_point = (guint)inherited; /* in evaluations; the file's branch_point is in frames */
  lane->values = get_settings (json, "values", err);
  lane->settings = lane->values ? get_settings (json, "settings", err) : NULL;
  if (lane->settings == NULL)
    return FALSE;
  if (!sl_metadata_from_json (sl_safetensors_path (file), metadata ? metadata : "", &lane->metadata, err))
    return FALSE;
  return check_texts (lane, err) && read_frames (file, index, json, lane, err) && read_plan (json, lane, err);
}

static void
name_lane (guint number, SlError *err)
{
  SlError inner = *err;

  *err = (SlError){ 0 };
  sl_fail (err, inner.code, "lane %u: %s", number, inner.message);
}

static gboolean
read_file (const SlSafetensors *file, GPtrArray *read, guint *number, SlError *err)
{
  const char *text = sl_safetensors_metadata (file, "safelight");
  cJSON *json = text ? cJSON_Parse (text) : NULL;
  const cJSON *lanes = cJSON_GetObjectItemCaseSensitive (json, "lanes"), *each;
  int version = 0, reference = 0;
  guint index = 0;

  if (json == NULL)
    sl_fail (err, SL_FORMAT, "it is no comparison of ours");
  else if (get_int (json, "version", 1, SL_COMPARISON_VERSION, &version, err)
           && get_int (json, "reference", 0, SL_COMPARISON_MAX - 1, &reference, err)
           && (cJSON_GetArraySize (lanes) < 1 || cJSON_GetArraySize (lanes) > SL_COMPARISON_MAX))
    sl_fail (err, SL_FORMAT, "it has %d lanes; expected 1 to %d", cJSON_GetArraySize (lanes),
             SL_COMPARISON_MAX);
  *number = (guint)reference;
  if (err->code == SL_OK)
    cJSON_ArrayForEach (each, lanes)
    {
      SlLoadedLane *lane = g_new0 (SlLoadedLane, 1);

      g_ptr_array_add (read, lane);
      if (!read_lane (file, index++, each, lane, err))
        {
          name_lane (index, err);
          break;
        }
    }
  cJSON_Delete (json);
  return err->code == SL_OK;
}

GPtrArray *
_sl_comparison_read (const char *path, guint *reference, SlError *err)
{
  g_autoptr (GPtrArray) lanes = g_ptr_array_new_with_free_func (lane_free);
  SlSafetensors *file = sl_safetensors_open (path, err);
  gboolean ok = file && read_file (file, lanes, reference, err);

  if (file && !ok)
    {
      SlError inner = *err;

      *err = (SlError){ 0 };
      sl_fail (err, inner.code, "%s: %s", path, inner.message);
    }
  sl_safetensors_close (file);
  return ok ? g_steal_pointer (&lanes) : NULL;
}
