/* sl-compare-table.c - see sl-compare-table.h.
 *
 * Easy to get wrong: decoded pictures are dropped when many others are decoded, so the reference's is held here until
 * all lanes were measured against it, and what was measured stays.
 */
#include "app/objects/compare/sl-compare-table.h"

#include <math.h>

#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/sl-decoded.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-job-private.h"
#include "app/record/record.h"

#define MANY 64 /* lanes */

/* What figures were made of. */
typedef struct
{
  gconstpointer job, reference; /* only to be compared */
  guint frames, reference_frames;
  gboolean pictures; /* also of the pictures */
} MadeOf;

struct _SlCompareRow
{
  GObject parent_instance;
  SlCompareLane *lane;
  char *title;
  SlLaneRow row;
  MadeOf made_of;
};

G_DEFINE_FINAL_TYPE (SlCompareRow, sl_compare_row, G_TYPE_OBJECT)

struct _SlCompareTable
{
  GObject parent_instance;
  SlComparison *comparison;
  SlSettings *recipe;
  GListStore *rows;
  SlFrameObject *held; /* the reference's end, or NULL, and its picture */
  GBytes *held_rgb;
  guint waiting;           /* pictures that were decoded and not looked at yet */
  SlFrameObject *decoding; /* what the worker was asked for, or NULL */
};

static void list_model_iface_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SlCompareTable,
                               sl_compare_table,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init))

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS], row_signals[N_SIGNALS];

/* ---- columns ---- */

guint
sl_table_column_count (void)
{
  return SL_N_LANE_COLUMNS;
}

const SlTableColumn *
sl_table_column_nth (guint column)
{
  static SlTableColumn columns[SL_N_LANE_COLUMNS];
  const SlLaneColumnInfo *info = sl_lane_column ((SlLaneColumn)column);

  columns[column] = (SlTableColumn){ info->key, info->label, info->help, info->digits };
  return &columns[column];
}

/* ---- a row ---- */

SlCompareLane *
sl_compare_row_get_lane (SlCompareRow *self)
{
  return self->lane;
}

guint
sl_compare_row_get_number (SlCompareRow *self)
{
  return (guint)self->row.number;
}

const char *
sl_compare_row_get_title (SlCompareRow *self)
{
  return self->title;
}

gboolean
sl_compare_row_is_reference (SlCompareRow *self)
{
  return self->row.reference;
}

double
sl_compare_row_get_value (SlCompareRow *self, guint column)
{
  return sl_lane_row_number (&self->row, (SlLaneColumn)column);
}

static void
sl_compare_row_finalize (GObject *object)
{
  SlCompareRow *self = SL_COMPARE_ROW (object);

  g_clear_object (&self->lane);
  g_free (self->title);
  G_OBJECT_CLASS (sl_compare_row_parent_class)->finalize (object);
}

static void
sl_compare_row_class_init (SlCompareRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_compare_row_finalize;
  row_signals[CHANGED]
      = g_signal_new ("changed", SL_TYPE_COMPARE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_compare_row_init (SlCompareRow *self)
{
}

/* ---- rows as text ---- */

static SlLaneRow *
copy_rows (GListModel *rows, guint *count)
{
  SlLaneRow *copies = g_new0 (SlLaneRow, g_list_model_get_n_items (rows) + 1);

  *count = g_list_model_get_n_items (rows);
  for (guint i = 0; i < *count; i++)
    {
      g_autoptr (SlCompareRow) row = g_list_model_get_item (rows, i);

      copies[i] = row->row;
      copies[i].title = row->title;
    }
  return copies;
}

char *
sl_compare_rows_to_text (GListModel *rows, const char *const *headings)
{
  guint count;
  g_autofree SlLaneRow *copies = copy_rows (rows, &count);
  SlText text = { 0 };
  char *copy;

  sl_lane_rows_add (&text, copies, (int)count, '\t', headings);
  copy = g_strdup (text.failed ? "" : text.data);
  sl_text_free (&text);
  return copy;
}

gboolean
sl_compare_rows_save (GListModel *rows, const char *path, GError **error)
{
  guint count;
  g_autofree SlLaneRow *copies = copy_rows (rows, &count);
  SlError err = { 0 };

  if (sl_lane_rows_write (path, copies, (int)count, &err))
    return TRUE;
  g_propagate_error (error, sl_app_error_new (&err));
  return FALSE;
}

/* ---- where a lane ended ---- */

/* The frame that ends its last finished step; NULL: there is none. Borrowed. */
static SlFrameObject *
end_frame (SlJob *job)
{
  guint n = _sl_comparison_count_frames (job);
  g_autoptr (SlFrameObject) frame = NULL;

  while (n > 0 && !sl_job_get_plan (job)[n - 1].ends_step)
    n--;
  frame = n > 0 ? g_list_model_get_item (sl_job_get_frames (job), n - 1) : NULL;
  return frame; /* the job holds it */
}

static GBytes *
decoded_rgb (SlFrameObject *frame, SlLanePicture *picture)
{
  GBytes *rgb;

  if (!sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE))
    return NULL;
  rgb = sl_frame_object_get_rgb (frame, SL_VIEW_PICTURE, &picture->width, &picture->height);
  picture->rgb = g_bytes_get_data (rgb, NULL);
  return rgb;
}

static void
hold_reference (SlCompareTable *self, SlFrameObject *frame, SlLanePicture *picture)
{
  GBytes *rgb;

  if (g_set_object (&self->held, frame))
    g_clear_pointer (&self->held_rgb, g_bytes_unref);
  if (frame == NULL)
    return;
  rgb = decoded_rgb (frame, picture);
  if (rgb && self->held_rgb == NULL)
    self->held_rgb = g_bytes_ref (rgb);
  if (self->held_rgb == NULL)
    return;
  if (rgb == NULL)
    {
      /* dropped since: the size is that of the run */
      SlJob *job = sl_comparison_get_job (self->comparison, sl_comparison_get_reference (self->comparison));

      picture->width = sl_settings_get_width (sl_job_get_settings (job));
      picture->height = sl_settings_get_height (sl_job_get_settings (job));
      if ((gsize)picture->width * picture->height * 3 != g_bytes_get_size (self->held_rgb))
        return;
    }
  picture->rgb = g_bytes_get_data (self->held_rgb, NULL);
}

/* ---- all lanes as the engine's ---- */

static int
find_parent (SlComparison *comparison, const int *numbers, guint before, SlJob *job)
{
  for (guint i = 0; i < before; i++)
    if (numbers[i] >= 0 && sl_comparison_get_job (comparison, i) == sl_job_get_parent (job))
      return numbers[i];
  return -1;
}

/* Lanes that have begun, with what each computed itself; numbers: where each is among them, -1: not begun. */
static SlLanes *
make_lanes (SlComparison *comparison, int *numbers)
{
  SlLanes *lanes = sl_lanes_new ();

  for (guint i = 0; lanes && i < _sl_comparison_count (comparison); i++)
    {
      SlJob *job = sl_comparison_get_job (comparison, i);
      SlTimeline *timeline = job ? _sl_job_get_timeline (job) : NULL;
      guint inherited = job && sl_job_get_parent (job) ? sl_job_get_branch_point (job) : 0;
      guint frames = _sl_comparison_count_frames (job);
      SlTimeline *head;

      numbers[i] = -1;
      if (timeline == NULL || frames <= inherited)
        continue;
      head = sl_timeline_head (timeline, (int)(frames - inherited));
      if (head)
        numbers[i] = sl_lanes_put (lanes, head, find_parent (comparison, numbers, i, job));
    }
  return lanes;
}

/* ---- figures ---- */

typedef struct
{
  SlLanes *lanes;
  int numbers[SL_COMPARISON_MAX];
  guint reference;
  SlLanePicture picture; /* the reference's */
} Measuring;

static gboolean
is_over (SlComparison *comparison, guint index)
{
  SlJob *job = sl_comparison_get_job (comparison, index);

  return job && sl_job_is_over (job) && end_frame (job);
}

static gboolean
measure_row (SlCompareTable *self, guint index, SlCompareRow *row, const Measuring *measuring)
{
  SlComparison *comparison = self->comparison;
  SlJob *job = sl_comparison_get_job (comparison, index);
  SlJob *reference = sl_comparison_get_job (comparison, measuring->reference);
  SlLanePicture picture = { 0 };
  MadeOf made_of = { job, NULL, _sl_comparison_count_frames (job), 0, FALSE };
  const SlLaneFigures none = { .cached = -1, .distance = NAN, .psnr = NAN, .ssim = NAN };

  if (measuring->numbers[index] < 0)
    {
      gboolean had = row->made_of.frames > 0;

      row->row.figures = none;
      row->made_of = made_of;
      return had;
    }
  if (is_over (comparison, index) && is_over (comparison, measuring->reference))
    {
      made_of.reference = reference;
      made_of.reference_frames = _sl_comparison_count_frames (reference);
      made_of.pictures = decoded_rgb (end_frame (job), &picture) && measuring->picture.rgb;
    }
  if (row->made_of.job == job && row->made_of.frames == made_of.frames
      && row->made_of.reference == made_of.reference
      && row->made_of.reference_frames == made_of.reference_frames
      && (row->made_of.pictures || !made_of.pictures))
    return FALSE;
  row->made_of = made_of;
  row->row.figures = made_of.reference ? sl_lane_measure (&(SlFiguresOf){
                         .lanes = measuring->lanes,
                         .lane = measuring->numbers[index],
                         .reference = measuring->numbers[measuring->reference],
                         .picture = picture,
                         .reference_picture = measuring->picture,
                     })
                                       : sl_lane_cost (measuring->lanes, measuring->numbers[index]);
  return TRUE;
}

static gboolean
describe_row (SlCompareTable *self, guint index, SlCompareRow *row, const char *name)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  g_autofree char *title = g_strdup (name);
  gboolean reference = index == sl_comparison_get_reference (self->comparison);
  gboolean partial = job && sl_job_is_over (job) && sl_job_get_state (job) != SL_JOB_DONE;
  gboolean changed = g_strcmp0 (title, row->title) != 0 || row->row.number != (int)index + 1
                     || row->row.reference != reference || row->row.partial != partial;

  g_free (row->title);
  row->title = g_steal_pointer (&title);
  row->row.title = row->title;
  row->row.number = (int)index + 1;
  row->row.reference = reference;
  row->row.partial = partial;
  return changed;
}

/* ---- pictures that are missing ---- */

static void decoded (SlCompareTable *self, guint view);

static gboolean
decode (SlCompareTable *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlFrameObject *frame = end_frame (job);

  if (sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE)
      || sl_frame_object_get_problem (frame, SL_VIEW_PICTURE)
      || !sl_worker_decode (self->comparison->worker, job, frame, SL_VIEW_PICTURE))
    return FALSE;
  self->decoding = g_object_ref (frame);
  g_signal_connect_object (frame, "decoded", G_CALLBACK (decoded), self, G_CONNECT_SWAPPED);
  return TRUE;
}

/* The reference's first; one at a time, and none while lanes run: that would take time from them. */
static void
decode_missing (SlCompareTable *self)
{
  guint reference = sl_comparison_get_reference (self->comparison);

  if (self->decoding || sl_comparison_is_busy (self->comparison) || !is_over (self->comparison, reference))
    return;
  if (self->held_rgb == NULL && decode (self, reference))
    return;
  for (guint i = 0; self->held_rgb && i < g_list_model_get_n_items (G_LIST_MODEL (self->rows)); i++)
    {
      g_autoptr (SlCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->rows), i);

      if (!row->made_of.pictures && is_over (self->comparison, i) && decode (self, i))
        return;
    }
}

static void
decoded (SlCompareTable *self, guint view)
{
  if (view != SL_VIEW_PICTURE)
    return;
  g_signal_handlers_disconnect_by_func (self->decoding, decoded, self);
  g_clear_object (&self->decoding);
  decode_missing (self);
  /* Of hundreds of lanes not each picture for itself; but before it may be dropped. */
  if (self->decoding && ++self->waiting < SL_DECODED_LEAST - 1
      && g_list_model_get_n_items (G_LIST_MODEL (self->rows)) > MANY)
    return;
  self->waiting = 0;
  sl_compare_table_update (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* ---- the table ---- */

static SlCompareRow *
find_row (GPtrArray *rows, SlCompareLane *lane)
{
  for (guint i = 0; i < rows->len; i++)
    if (sl_compare_row_get_lane (rows->pdata[i]) == lane)
      return g_object_ref (rows->pdata[i]);
  return NULL;
}

/* A row stays that of its lane, whatever becomes of the others. */
static void
match_rows (SlCompareTable *self)
{
  g_autoptr (GPtrArray) before = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) now = g_ptr_array_new_with_free_func (g_object_unref);
  gboolean same;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->rows)); i++)
    g_ptr_array_add (before, g_list_model_get_item (G_LIST_MODEL (self->rows), i));
  same = before->len == _sl_comparison_count (self->comparison);
  for (guint i = 0; i < _sl_comparison_count (self->comparison); i++)
    {
      SlCompareLane *lane = sl_comparison_get_lane (self->comparison, i);
      SlCompareRow *row = find_row (before, lane);

      if (row == NULL)
        {
          row = g_object_new (SL_TYPE_COMPARE_ROW, NULL);
          row->lane = g_object_ref (lane);
          row->row.figures = (SlLaneFigures){ .cached = -1, .distance = NAN, .psnr = NAN, .ssim = NAN };
        }
      same = same && row == before->pdata[i];
      g_ptr_array_add (now, row);
    }
  if (!same)
    g_list_store_splice (self->rows, 0, before->len, now->pdata, now->len);
}

void
sl_compare_table_update (SlCompareTable *self)
{
  g_autofree Measuring *measuring = g_new0 (Measuring, 1);
  SlComparison *comparison = self->comparison;
  g_auto (GStrv) names = sl_comparison_dup_lane_names (comparison, self->recipe);

  match_rows (self);
  measuring->reference = sl_comparison_get_reference (comparison);
  measuring->lanes = make_lanes (comparison, measuring->numbers);
  if (measuring->lanes == NULL)
    g_error ("out of memory for lanes"); /* as g_malloc */
  hold_reference (self,
                  is_over (comparison, measuring->reference)
                      ? end_frame (sl_comparison_get_job (comparison, measuring->reference))
                      : NULL,
                  &measuring->picture);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->rows)); i++)
    {
      g_autoptr (SlCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->rows), i);
      gboolean measured = measure_row (self, i, row, measuring);

      if (describe_row (self, i, row, names[i]) || measured)
        g_signal_emit (row, row_signals[CHANGED], 0);
    }
  sl_lanes_free (measuring->lanes);
  decode_missing (self);
}

gboolean
sl_compare_table_is_waiting (SlCompareTable *self)
{
  return self->decoding != NULL;
}

/* ---- class ---- */

static GType
get_item_type (GListModel *list)
{
  return SL_TYPE_COMPARE_ROW;
}

static guint
get_n_items (GListModel *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (SL_COMPARE_TABLE (list)->rows));
}

static gpointer
get_item (GListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (SL_COMPARE_TABLE (list)->rows), position);
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
sl_compare_table_finalize (GObject *object)
{
  SlCompareTable *self = SL_COMPARE_TABLE (object);

  g_clear_object (&self->decoding);
  g_clear_object (&self->held);
  g_clear_pointer (&self->held_rgb, g_bytes_unref);
  g_clear_object (&self->rows);
  g_clear_object (&self->comparison);
  g_clear_object (&self->recipe);
  G_OBJECT_CLASS (sl_compare_table_parent_class)->finalize (object);
}

static void
sl_compare_table_class_init (SlCompareTableClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_compare_table_finalize;
  signals[CHANGED] = g_signal_new ("changed", SL_TYPE_COMPARE_TABLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
}

static void
sl_compare_table_init (SlCompareTable *self)
{
  self->rows = g_list_store_new (SL_TYPE_COMPARE_ROW);
  g_signal_connect_object (self->rows, "items-changed", G_CALLBACK (g_list_model_items_changed), self,
                           G_CONNECT_SWAPPED);
}

SlCompareTable *
sl_compare_table_new (SlComparison *comparison, SlSettings *recipe)
{
  SlCompareTable *self = g_object_new (SL_TYPE_COMPARE_TABLE, NULL);

  self->comparison = g_object_ref (comparison);
  self->recipe = g_object_ref (recipe);
  return self;
}
