/* sl-comparison.c - see sl-comparison.h. */
#include "app/objects/compare/sl-comparison-private.h"

static void list_model_iface_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SlComparison,
                               sl_comparison,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init))

enum
{
  LANE_CHANGED,
  FRAME,
  MOVED,
  STATE,
  REFERENCE,
  LEAVES,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static GType
get_item_type (GListModel *list)
{
  return SL_TYPE_COMPARE_LANE;
}

static guint
get_n_items (GListModel *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (SL_COMPARISON (list)->lanes));
}

static gpointer
get_item (GListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (SL_COMPARISON (list)->lanes), position);
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

/* ---- lanes ---- */

guint
_sl_comparison_count (SlComparison *self)
{
  return get_n_items (G_LIST_MODEL (self));
}

SlCompareLane *
sl_comparison_get_lane (SlComparison *self, guint index)
{
  g_autoptr (SlCompareLane) lane = get_item (G_LIST_MODEL (self), index);

  return lane; /* borrowed: the list holds it */
}

SlJob *
sl_comparison_get_job (SlComparison *self, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self, index);

  return lane ? sl_compare_lane_get_job (lane) : NULL;
}

guint
_sl_comparison_count_frames (SlJob *job)
{
  return job ? g_list_model_get_n_items (sl_job_get_frames (job)) : 0;
}

static void
lane_changed (SlComparison *self, SlCompareLane *lane)
{
  guint index;

  if (g_list_store_find (self->lanes, lane, &index))
    g_signal_emit (self, signals[LANE_CHANGED], 0, index);
}

/* Lanes without a colour get those that the fewest lanes have. */
static void
give_colors (SlComparison *self, SlCompareLane *const *lanes, guint n)
{
  guint colors = sl_lane_color_count ();
  g_autofree guint *have = g_new0 (guint, colors);

  for (guint i = 0; i < _sl_comparison_count (self); i++)
    have[sl_compare_lane_get_color (sl_comparison_get_lane (self, i)) % colors]++;
  for (guint i = 0; i < n; i++)
    {
      guint best = 0;

      for (guint color = 1; color < colors; color++)
        best = have[color] < have[best] ? color : best;
      if (!sl_compare_lane_has_color (lanes[i]))
        sl_compare_lane_set_color (lanes[i], best);
      have[sl_compare_lane_get_color (lanes[i]) % colors]++;
    }
}

void
_sl_comparison_add_all (SlComparison *self, GPtrArray *lanes)
{
  guint before = _sl_comparison_count (self);
  guint n = MIN (lanes->len, SL_COMPARISON_MAX - before);

  for (guint i = 0; i < n; i++)
    {
      g_signal_connect_object (lanes->pdata[i], "changed", G_CALLBACK (lane_changed), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (lanes->pdata[i], "job", G_CALLBACK (lane_changed), self, G_CONNECT_SWAPPED);
    }
  give_colors (self, (SlCompareLane *const *)lanes->pdata, n);
  g_list_store_splice (self->lanes, before, 0, lanes->pdata, n);
  g_signal_emit (self, signals[STATE], 0);
}

gboolean
sl_comparison_add (SlComparison *self, SlCompareLane *lane)
{
  g_autoptr (GPtrArray) lanes = g_ptr_array_new ();

  if (_sl_comparison_count (self) >= SL_COMPARISON_MAX)
    return FALSE;
  g_ptr_array_add (lanes, lane);
  _sl_comparison_add_all (self, lanes);
  return TRUE;
}

void
_sl_comparison_stop_lane (SlComparison *self, SlCompareLane *lane)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  if (job && !sl_job_is_over (job))
    sl_worker_stop (self->worker, job);
}

void
sl_comparison_stop (SlComparison *self)
{
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    _sl_comparison_stop_lane (self, sl_comparison_get_lane (self, i));
}

void
_sl_comparison_leave (SlComparison *self)
{
  g_signal_emit (self, signals[LEAVES], 0);
}

/* It is stopped, and not listened to any more. */
static void
leave_lane (SlComparison *self, SlCompareLane *lane)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  g_signal_handlers_disconnect_by_data (lane, self);
  if (job)
    g_signal_handlers_disconnect_by_data (job, self);
  _sl_comparison_stop_lane (self, lane);
}

static void
remove_lane (SlComparison *self, guint index)
{
  g_autoptr (SlCompareLane) lane = get_item (G_LIST_MODEL (self), index);

  if (lane == NULL)
    return;
  leave_lane (self, lane);
  g_list_store_remove (self->lanes, index);
  if (self->reference > index || self->reference >= _sl_comparison_count (self))
    sl_comparison_set_reference (self, self->reference > 0 ? self->reference - 1 : 0);
  g_signal_emit (self, signals[STATE], 0);
}

void
sl_comparison_remove (SlComparison *self, guint index)
{
  _sl_comparison_leave (self);
  remove_lane (self, index);
}

void
sl_comparison_clear (SlComparison *self)
{
  gboolean moves = self->reference != 0;

  _sl_comparison_leave (self);
  for (guint i = 0; i < _sl_comparison_count (self); i++)
    leave_lane (self, sl_comparison_get_lane (self, i));
  self->reference = 0;
  self->following = TRUE;
  g_clear_object (&self->grid);
  g_list_store_remove_all (self->lanes);
  if (moves)
    g_signal_emit (self, signals[REFERENCE], 0);
  g_signal_emit (self, signals[STATE], 0);
  g_clear_object (&self->recipe);
  g_clear_object (&self->origin);
}

void
sl_comparison_set_reference (SlComparison *self, guint index)
{
  if (self->reference == index)
    return;
  self->reference = index;
  g_signal_emit (self, signals[REFERENCE], 0);
}

guint
sl_comparison_get_reference (SlComparison *self)
{
  return MIN (self->reference, MAX (_sl_comparison_count (self), 1) - 1);
}

/* ---- class ---- */

static void
sl_comparison_dispose (GObject *object)
{
  SlComparison *self = SL_COMPARISON (object);

  sl_comparison_stop (self);
  g_clear_object (&self->model);
  g_clear_object (&self->recipe);
  g_clear_object (&self->grid);
  g_clear_object (&self->origin);
  G_OBJECT_CLASS (sl_comparison_parent_class)->dispose (object);
}

static void
sl_comparison_finalize (GObject *object)
{
  SlComparison *self = SL_COMPARISON (object);

  g_clear_object (&self->lanes);
  g_clear_object (&self->worker);
  g_free (self->wildcards);
  G_OBJECT_CLASS (sl_comparison_parent_class)->finalize (object);
}

static guint
new_signal (const char *name, guint n_params, GType first, GType second)
{
  return g_signal_new (name, SL_TYPE_COMPARISON, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                       n_params, first, second);
}

static void
sl_comparison_class_init (SlComparisonClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_comparison_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_comparison_finalize;
  signals[LANE_CHANGED] = new_signal ("lane-changed", 1, G_TYPE_UINT, G_TYPE_NONE);
  signals[FRAME] = new_signal ("frame", 2, G_TYPE_UINT, SL_TYPE_FRAME_OBJECT);
  signals[MOVED] = new_signal ("moved", 0, G_TYPE_NONE, G_TYPE_NONE);
  signals[STATE] = new_signal ("state", 0, G_TYPE_NONE, G_TYPE_NONE);
  signals[REFERENCE] = new_signal ("reference", 0, G_TYPE_NONE, G_TYPE_NONE);
  signals[LEAVES] = new_signal ("leaves", 0, G_TYPE_NONE, G_TYPE_NONE);
}

static void
sl_comparison_init (SlComparison *self)
{
  self->lanes = g_list_store_new (SL_TYPE_COMPARE_LANE);
  self->following = TRUE;
  g_signal_connect_object (self->lanes, "items-changed", G_CALLBACK (g_list_model_items_changed), self,
                           G_CONNECT_SWAPPED);
}

SlComparison *
sl_comparison_new (SlWorker *worker)
{
  SlComparison *self = g_object_new (SL_TYPE_COMPARISON, NULL);

  self->worker = g_object_ref (worker);
  return self;
}
