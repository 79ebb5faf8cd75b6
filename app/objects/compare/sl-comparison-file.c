/* sl-comparison-file.c - see sl-comparison-file.h; writing. sl-comparison-load.c reads. */
#include "app/objects/compare/sl-comparison-file.h"

#include <cjson/cJSON.h>

#include "app/files/files.h"
#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/gallery/sl-writer-private.h"

/* A lane as it was when it was saved: frames never change, so that another thread can write them. */
typedef struct
{
  SlJob *job;
  GPtrArray *frames; /* of SlFrameObject: those that are kept whole, its ancestors' first */
  guint inherited;   /* of them */
  guint interval;    /* of so many of its own moments one is kept */
  SlBatches batches; /* of its own */
  cJSON *json;       /* borrowed from Saving's */
} SavedLane;

typedef struct
{
  GArray *lanes; /* of SavedLane */
  cJSON *json;
  char *path;
  GError *error;
  SlComparisonSaved saved;
  gpointer user_data;
} Saving;

static void
clear_lane (gpointer data)
{
  SavedLane *lane = data;

  g_object_unref (lane->job);
  g_ptr_array_unref (lane->frames);
  sl_batches_free (&lane->batches);
}

static void
saving_free (gpointer data)
{
  Saving *saving = data;

  g_array_unref (saving->lanes);
  cJSON_Delete (saving->json);
  g_free (saving->path);
  g_clear_error (&saving->error);
  g_free (saving);
}

/* ---- what a lane is ---- */

static void
add_string (cJSON *object, const char *key, char *string)
{
  cJSON_AddStringToObject (object, key, string ? string : "");
  g_free (string);
}

/* With all digits: cJSON's own way to write a number loses some. */
static cJSON *
make_row (const double *values, guint n)
{
  g_autoptr (GString) row = g_string_new ("[");
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  for (guint i = 0; i < n; i++)
    g_string_append_printf (row, "%s%s", i ? "," : "", g_ascii_dtostr (number, sizeof number, values[i]));
  g_string_append_c (row, ']');
  return cJSON_CreateRaw (row->str);
}

static cJSON *
describe_plan (SlJob *job)
{
  cJSON *list = cJSON_CreateArray ();
  const SlPlanPoint *plan = sl_job_get_plan (job);

  for (int i = 0; i < sl_job_get_evaluations (job); i++)
    {
      const double values[] = { plan[i].timestep, plan[i].sigma, plan[i].step, plan[i].ends_step };

      cJSON_AddItemToArray (list, make_row (values, G_N_ELEMENTS (values)));
    }
  return list;
}

static cJSON *
describe_frames (GPtrArray *frames)
{
  cJSON *list = cJSON_CreateArray ();

  for (guint i = 0; i < frames->len; i++)
    {
      SlFrameRecord record = _sl_frame_object_get_record (frames->pdata[i]);
      const SlFrame *f = &record.frame;
      const double values[] = { f->evaluation, f->evaluations, f->step,  f->steps,  f->ends_step,
                                f->last,       f->timestep,    f->sigma, f->seconds };

      cJSON_AddItemToArray (list, make_row (values, G_N_ELEMENTS (values)));
    }
  return list;
}

/* Among those that are in the file. */
static int
index_of_parent (const Saving *saving, SlJob *job)
{
  for (guint i = 0; i < saving->lanes->len; i++)
    if (sl_job_get_parent (job) == g_array_index (saving->lanes, SavedLane, i).job)
      return (int)i;
  return -1;
}

static void
add_number (cJSON *object, const char *key, double number)
{
  cJSON_AddNumberToObject (object, key, number);
}

/* All but what its picture would say, which needs the model's hashes. */
static cJSON *
describe_lane (const Saving *saving, SlCompareLane *lane, const SavedLane *saved)
{
  SlJob *job = saved->job;
  int n = sl_job_get_evaluations (job), own_steps = _sl_job_get_metadata (job)->steps;
  cJSON *json = cJSON_CreateObject ();

  add_number (json, "own", sl_compare_lane_get_own (lane));
  /* What it runs with, which what is asked of it for its next start need not be. */
  add_string (json, "values", sl_settings_to_string (sl_job_get_settings (job)));
  add_string (json, "settings", sl_settings_to_string (sl_job_get_settings (job)));
  cJSON_AddBoolToObject (json, "done", sl_job_get_state (job) == SL_JOB_DONE);
  add_number (json, "parent", index_of_parent (saving, job));
  add_number (json, "branch_point", saved->inherited);
  add_number (json, "inherited", sl_job_get_branch_point (job));
  add_number (json, "step_offset", sl_job_get_plan (job)[n - 1].step + 1 - own_steps);
  add_number (json, "first", _sl_job_get_first (job));
  add_number (json, "interval", saved->interval);
  cJSON_AddItemToObject (json, "plan", describe_plan (job));
  cJSON_AddItemToObject (json, "frames", describe_frames (saved->frames));
  return json;
}

/* On the file thread: hashing a model takes seconds the first time. */
static void
describe_metadata (const SavedLane *lane)
{
  SlMetadata metadata = *_sl_job_get_metadata (lane->job); /* its pointers are the job's */
  guint last = lane->frames->len - 1;
  char *text;

  sl_metadata_set_model (&metadata, _sl_writer_hash_model (sl_job_get_model (lane->job)));
  metadata.batches = lane->batches;
  metadata.partial = !sl_frame_object_is_last (lane->frames->pdata[last]);
  text = sl_metadata_to_json (&metadata);
  cJSON_AddStringToObject (lane->json, "metadata", text ? text : "");
  free (text);
}

/* ---- tensors ---- */

typedef GBytes *(*PickBytes) (const SlFrameRecord *record);

static GBytes *
pick_x_t (const SlFrameRecord *record)
{
  return record->sample[SL_VIEW_NOISY];
}

static GBytes *
pick_x_0 (const SlFrameRecord *record)
{
  return record->x_0;
}

static GBytes *
pick_output (const SlFrameRecord *record)
{
  return record->part[SL_PART_OUTPUT];
}

static GBytes *
pick_guidance (const SlFrameRecord *record)
{
  return record->part[SL_PART_GUIDANCE];
}

static GBytes *
pick_preview (const SlFrameRecord *record)
{
  return record->preview[SL_VIEW_PICTURE];
}

static GBytes *
pick_noisy_preview (const SlFrameRecord *record)
{
  return record->preview[SL_VIEW_NOISY];
}

static const struct
{
  const char *name;
  const char *dtype;
  PickBytes pick;
  gboolean pixels; /* [frames, h, w, 3] instead of [frames, C, h, w] */
} tensors[] = {
  { "x_t", "F32", pick_x_t, FALSE },       { "x_0", "F32", pick_x_0, FALSE },
  { "output", "F16", pick_output, FALSE }, { "guidance", "F16", pick_guidance, FALSE },
  { "preview", "U8", pick_preview, TRUE }, { "noisy_preview", "U8", pick_noisy_preview, TRUE },
};

/* The frames one behind the other; left out where a frame has none. */
static void
add_tensor (SlTensorWriter *writer, guint lane, guint tensor, GPtrArray *frames)
{
  g_autofree char *name = g_strdup_printf ("lane.%u.%s", lane, tensors[tensor].name);
  g_autoptr (GByteArray) all = g_byte_array_new ();
  SlFrame frame = { 0 };
  int64_t size[4];

  for (guint i = 0; i < frames->len; i++)
    {
      SlFrameRecord record = _sl_frame_object_get_record (frames->pdata[i]);
      GBytes *bytes = tensors[tensor].pick (&record);

      if (bytes == NULL)
        return; /* no guidance */
      frame = record.frame;
      g_byte_array_append (all, g_bytes_get_data (bytes, NULL), (guint)g_bytes_get_size (bytes));
    }
  size[0] = frames->len;
  size[1] = tensors[tensor].pixels ? frame.height : frame.channels;
  size[2] = tensors[tensor].pixels ? frame.width : frame.height;
  size[3] = tensors[tensor].pixels ? 3 : frame.width;
  sl_tensor_writer_add_typed (writer, name, tensors[tensor].dtype, 4, size, all->data);
}

static void
save_run (gpointer data)
{
  Saving *saving = data;
  SlTensorWriter *writer = sl_tensor_writer_new ();
  SlError err = { 0 };
  char *text;

  for (guint i = 0; i < saving->lanes->len; i++)
    describe_metadata (&g_array_index (saving->lanes, SavedLane, i));
  text = cJSON_PrintUnformatted (saving->json);
  if (writer && text)
    {
      sl_tensor_writer_set_metadata (writer, "safelight", text);
      for (guint i = 0; i < saving->lanes->len; i++)
        for (guint t = 0; t < G_N_ELEMENTS (tensors); t++)
          add_tensor (writer, i, t, g_array_index (saving->lanes, SavedLane, i).frames);
    }
  if (writer == NULL || text == NULL)
    sl_fail (&err, SL_MEMORY, "out of memory for %s", saving->path);
  else
    sl_tensor_writer_save (writer, saving->path, &err);
  if (err.code != SL_OK)
    saving->error = sl_app_error_new (&err);
  cJSON_free (text);
  sl_tensor_writer_free (writer);
}

static void
save_done (gpointer data)
{
  Saving *saving = data;

  saving->saved (saving->error, saving->user_data);
}

static void
nothing (gpointer data)
{
}

/* ---- what is kept ---- */

static gboolean
is_light (SlJob *job, guint index)
{
  g_autoptr (SlFrameObject) frame = g_list_model_get_item (sl_job_get_frames (job), index);

  return _sl_frame_object_is_light (frame);
}

/* Whether a file with this interval has the i-th of a run's own moments (see app/core/timeline.h). */
static gboolean
is_kept (guint i, guint interval, guint total)
{
  return (i + 1) % interval == 0 || i + 1 == total;
}

/* The interval of a run whose long stretches have no samples; 0 when they are not regular, as after a
 * pause in which other runs took the room. */
static guint
find_interval (SlJob *job, guint first, guint n)
{
  guint total = (guint)sl_job_get_evaluations (job) - first, interval = 1;

  while (first + interval <= n && is_light (job, first + interval - 1))
    interval++;
  for (guint i = first; i < n; i++)
    if (is_kept (i - first, interval, total) && is_light (job, i))
      return 0;
  return interval;
}

/* FALSE where nothing is to be kept. */
static gboolean
collect_frames (SlJob *job, SavedLane *lane)
{
  guint n = g_list_model_get_n_items (sl_job_get_frames (job));
  guint first = sl_job_get_parent (job) ? sl_job_get_branch_point (job) : 0;
  guint total = (guint)sl_job_get_evaluations (job) - first;

  lane->job = g_object_ref (job);
  lane->frames = g_ptr_array_new_with_free_func (g_object_unref);
  lane->interval = find_interval (job, first, n);
  lane->batches = _sl_job_list_batches (job, n);
  for (guint i = 0; i < n; i++)
    if (i < first ? !is_light (job, i) : lane->interval && is_kept (i - first, lane->interval, total))
      {
        lane->inherited += i < first;
        g_ptr_array_add (lane->frames, g_list_model_get_item (sl_job_get_frames (job), i));
      }
  return lane->frames->len > lane->inherited;
}

static void
add_lane (Saving *saving, SlComparison *comparison, guint index, cJSON *list)
{
  SlJob *job = sl_comparison_get_job (comparison, index);
  SavedLane lane = { 0 };

  /* A lane that has not begun is nothing to keep. */
  if (job == NULL || sl_job_get_last_frame (job) == NULL || _sl_job_get_metadata (job) == NULL)
    return;
  if (!collect_frames (job, &lane))
    {
      if (lane.interval == 0)
        g_set_error (&saving->error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                     "Lane %u was paused and went on with less memory: too many of its steps are not kept.",
                     index + 1);
      clear_lane (&lane);
      return;
    }
  lane.json = describe_lane (saving, sl_comparison_get_lane (comparison, index), &lane);
  cJSON_AddItemToArray (list, lane.json);
  g_array_append_val (saving->lanes, lane);
}

void
sl_comparison_file_save (SlComparison *comparison,
                         SlThreadQueue *files,
                         const char *path,
                         SlComparisonSaved saved,
                         gpointer user_data)
{
  Saving *saving = g_new0 (Saving, 1);
  cJSON *list;

  saving->lanes = g_array_new (FALSE, FALSE, sizeof (SavedLane));
  g_array_set_clear_func (saving->lanes, clear_lane);
  saving->path = g_strdup (path);
  saving->saved = saved;
  saving->user_data = user_data;
  saving->json = cJSON_CreateObject ();
  cJSON_AddNumberToObject (saving->json, "version", SL_COMPARISON_VERSION);
  cJSON_AddNumberToObject (saving->json, "reference", sl_comparison_get_reference (comparison));
  list = cJSON_AddArrayToObject (saving->json, "lanes");
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    add_lane (saving, comparison, i, list);
  if (saving->error == NULL && saving->lanes->len == 0)
    g_set_error_literal (&saving->error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                         "There is nothing to keep: no step is finished.");
  sl_thread_queue_push (files, FALSE, saving->error ? nothing : save_run, save_done, saving, saving_free);
}
