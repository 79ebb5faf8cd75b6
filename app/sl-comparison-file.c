/* sl-comparison-file.c - see sl-comparison-file.h; writing. sl-comparison-load.c reads. */
#include "app/sl-comparison-file.h"

#include <cjson/cJSON.h>

#include "app/core/png.h"
#include "app/core/safetensors_writer.h"
#include "app/core/sheet.h"
#include "app/sl-comparison-private.h"
#include "app/sl-error.h"
#include "app/sl-frame-object-private.h"
#include "app/sl-job-private.h"

/* A lane as it was when it was saved: frames never change, so that another thread can write them. */
typedef struct
{
  GPtrArray *frames; /* of SlFrameObject */
  cJSON *json;
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
  g_ptr_array_unref (((SavedLane *)data)->frames);
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

static int
index_of_parent (SlComparison *comparison, SlJob *job)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    if (sl_job_get_parent (job) && sl_comparison_get_job (comparison, i) == sl_job_get_parent (job))
      return (int)i;
  return -1;
}

static cJSON *
describe_lane (SlComparison *comparison, guint index, GPtrArray *frames)
{
  SlCompareLane *lane = sl_comparison_get_lane (comparison, index);
  SlJob *job = sl_compare_lane_get_job (lane);
  char *metadata = sl_metadata_to_json (_sl_job_get_metadata (job));
  cJSON *json = cJSON_CreateObject ();

  cJSON_AddNumberToObject (json, "own", sl_compare_lane_get_own (lane));
  add_string (json, "values", sl_settings_to_string (sl_compare_lane_get_values (lane)));
  add_string (json, "settings", sl_settings_to_string (sl_job_get_settings (job)));
  cJSON_AddStringToObject (json, "metadata", metadata ? metadata : "");
  free (metadata);
  cJSON_AddBoolToObject (json, "done", sl_job_get_state (job) == SL_JOB_DONE);
  cJSON_AddNumberToObject (json, "parent", index_of_parent (comparison, job));
  cJSON_AddNumberToObject (json, "branch_point", sl_job_get_branch_point (job));
  cJSON_AddItemToObject (json, "plan", describe_plan (job));
  cJSON_AddItemToObject (json, "frames", describe_frames (frames));
  return json;
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
  return record->sample[SL_VIEW_PICTURE];
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
        return; /* no guidance; frames without samples were found before */
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
  char *text = cJSON_PrintUnformatted (saving->json);
  SlError err = { 0 };

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

static gboolean
all_whole (Saving *saving)
{
  for (guint i = 0; i < saving->lanes->len; i++)
    {
      GPtrArray *frames = g_array_index (saving->lanes, SavedLane, i).frames;

      for (guint f = 0; f < frames->len; f++)
        if (_sl_frame_object_get_record (frames->pdata[f]).sample[SL_VIEW_NOISY] == NULL)
          return FALSE;
    }
  return TRUE;
}

static GPtrArray *
collect_frames (SlJob *job)
{
  GPtrArray *frames = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = g_list_model_get_n_items (sl_job_get_frames (job));

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (frames, g_list_model_get_item (sl_job_get_frames (job), i));
  return frames;
}

void
sl_comparison_file_save (
    SlComparison *comparison, SlLane *files, const char *path, SlComparisonSaved saved, gpointer user_data)
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
    {
      SlJob *job = sl_comparison_get_job (comparison, i);
      SavedLane lane = { 0 };

      /* A lane that has not begun is nothing to keep. */
      if (job == NULL || sl_job_get_last_frame (job) == NULL || _sl_job_get_metadata (job) == NULL)
        continue;
      lane.frames = collect_frames (job);
      cJSON_AddItemToArray (list, describe_lane (comparison, i, lane.frames));
      g_array_append_val (saving->lanes, lane);
    }
  if (!all_whole (saving))
    {
      g_set_error_literal (&saving->error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "The runs are too long to be kept whole: some of their steps are not in memory.");
      sl_lane_push (files, FALSE, nothing, save_done, saving, saving_free);
    }
  else
    sl_lane_push (files, FALSE, save_run, save_done, saving, saving_free);
}

/* ---- the contact sheet ---- */

typedef struct
{
  SlSheet sheet;
  SlSheetTile tile[SL_COMPARISON_MAX];
  GBytes *rgb[SL_COMPARISON_MAX];
  char heading[512];
  char *path;
  GError *error;
  SlComparisonSaved saved;
  gpointer user_data;
} Sheet;

static void
sheet_free (gpointer data)
{
  Sheet *sheet = data;

  for (int i = 0; i < SL_COMPARISON_MAX; i++)
    g_clear_pointer (&sheet->rgb[i], g_bytes_unref);
  g_free (sheet->path);
  g_clear_error (&sheet->error);
  g_free (sheet);
}

static void
sheet_run (gpointer data)
{
  Sheet *sheet = data;
  SlError err = { 0 };
  int width, height;
  uint8_t *rgb = sl_sheet_render (&sheet->sheet, &width, &height, &err);

  if (rgb == NULL || !sl_png_write (sheet->path, rgb, width, height, NULL, 0, &err))
    sheet->error = sl_app_error_new (&err);
  free (rgb);
}

static void
sheet_done (gpointer data)
{
  Sheet *sheet = data;

  sheet->saved (sheet->error, sheet->user_data);
}

static void
add_tile (Sheet *sheet, SlComparison *comparison, guint index, const char *title)
{
  SlFrameObject *frame = sl_comparison_get_frame (comparison, index);
  SlSheetTile *tile = &sheet->tile[sheet->sheet.count];
  int width, height;

  if (frame == NULL || !sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE))
    return;
  sheet->rgb[sheet->sheet.count]
      = g_bytes_ref (sl_frame_object_get_rgb (frame, SL_VIEW_PICTURE, &width, &height));
  tile->rgb = g_bytes_get_data (sheet->rgb[sheet->sheet.count], NULL);
  sheet->sheet.width = width;
  sheet->sheet.height = height;
  g_strlcpy (tile->title, title, sizeof tile->title);
  g_snprintf (tile->detail, sizeof tile->detail, "step %d of %d, %d evaluations, %.1f s",
              sl_frame_object_get_step (frame) + 1, sl_frame_object_get_steps (frame),
              sl_frame_object_get_index (frame) + 1,
              sl_job_get_seconds (sl_comparison_get_job (comparison, index)));
  sheet->sheet.count++;
}

void
sl_comparison_sheet_save (SlComparison *comparison,
                          SlLane *files,
                          const char *path,
                          char **titles,
                          SlComparisonSaved saved,
                          gpointer user_data)
{
  Sheet *sheet = g_new0 (Sheet, 1);
  SlJob *job = sl_comparison_get_job (comparison, 0);

  sheet->path = g_strdup (path);
  sheet->saved = saved;
  sheet->user_data = user_data;
  for (guint i = 0; titles[i]; i++)
    add_tile (sheet, comparison, i, titles[i]);
  g_snprintf (sheet->heading, sizeof sheet->heading, "%s",
              job ? sl_settings_get_prompt (sl_job_get_settings (job)) : "");
  sheet->sheet.heading = sheet->heading;
  sheet->sheet.tile = sheet->tile;
  sl_lane_push (files, FALSE, sheet_run, sheet_done, sheet, sheet_free);
}
