/* sl-comparison.c - see sl-comparison.h. */
#include "app/sl-comparison-private.h"

#include <math.h>

/* Positions that differ by less are the same place. */
#define SAME 1e-6

struct _SlComparison
{
  GObject parent_instance;
  SlWorker *worker;
  GListStore *lanes;
  SlAlign align;
  double position;
  gboolean following;
  guint reference;
  SlModelItem *model; /* of the last start, as the next two */
  SlSettings *recipe;
  SlPreviews previews;
};

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

static guint
count_lanes (SlComparison *self)
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

static guint
index_of_job (SlComparison *self, SlJob *job)
{
  for (guint i = 0; i < count_lanes (self); i++)
    if (sl_comparison_get_job (self, i) == job)
      return i;
  return G_MAXUINT;
}

static void
lane_changed (SlComparison *self, SlCompareLane *lane)
{
  guint index;

  if (g_list_store_find (self->lanes, lane, &index))
    g_signal_emit (self, signals[LANE_CHANGED], 0, index);
}

gboolean
sl_comparison_add (SlComparison *self, SlCompareLane *lane)
{
  if (count_lanes (self) >= SL_COMPARISON_MAX)
    return FALSE;
  g_signal_connect_object (lane, "changed", G_CALLBACK (lane_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lane, "job", G_CALLBACK (lane_changed), self, G_CONNECT_SWAPPED);
  g_list_store_append (self->lanes, lane);
  g_signal_emit (self, signals[STATE], 0);
  return TRUE;
}

static void
stop_lane (SlComparison *self, SlCompareLane *lane)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  if (job && !sl_job_is_over (job))
    sl_worker_stop (self->worker, job);
}

void
sl_comparison_remove (SlComparison *self, guint index)
{
  g_autoptr (SlCompareLane) lane = get_item (G_LIST_MODEL (self), index);
  SlJob *job;

  if (lane == NULL)
    return;
  job = sl_compare_lane_get_job (lane);
  g_signal_handlers_disconnect_by_data (lane, self);
  if (job)
    g_signal_handlers_disconnect_by_data (job, self);
  stop_lane (self, lane);
  g_list_store_remove (self->lanes, index);
  if (self->reference > index || self->reference >= count_lanes (self))
    sl_comparison_set_reference (self, self->reference > 0 ? self->reference - 1 : 0);
  g_signal_emit (self, signals[STATE], 0);
}

void
sl_comparison_clear (SlComparison *self)
{
  while (count_lanes (self) > 0)
    sl_comparison_remove (self, count_lanes (self) - 1);
  self->reference = 0;
  self->following = TRUE;
  g_clear_object (&self->recipe);
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
  return MIN (self->reference, MAX (count_lanes (self), 1) - 1);
}

/* ---- places ---- */

static guint
count_frames (SlJob *job)
{
  return job ? g_list_model_get_n_items (sl_job_get_frames (job)) : 0;
}

static double
position_in_plan (const SlPlanPoint *point, guint evaluation, SlAlign align)
{
  switch (align)
    {
    case SL_ALIGN_STEPS:
      return point->step + 1;
    case SL_ALIGN_SIGMA:
      return point->sigma;
    case SL_ALIGN_EVALUATIONS:
    default:
      return evaluation + 1;
    }
}

double
sl_comparison_position_of (SlComparison *self, guint index, guint evaluation)
{
  SlJob *job = sl_comparison_get_job (self, index);
  const SlPlanPoint *plan = job ? sl_job_get_plan (job) : NULL;

  if (plan == NULL || evaluation >= (guint)sl_job_get_evaluations (job))
    return 0;
  return position_in_plan (&plan[evaluation], evaluation, self->align);
}

/* TRUE when a comes before b on the axis. */
static gboolean
is_before (SlComparison *self, double a, double b)
{
  if (self->align == SL_ALIGN_SIGMA)
    return a > b * (1 + SAME) + SAME * SAME;
  return a < b - SAME;
}

static void
extend (SlComparison *self, double position, gboolean *any, double *first, double *last)
{
  if (!*any || is_before (self, position, *first))
    *first = position;
  if (!*any || is_before (self, *last, position))
    *last = position;
  *any = TRUE;
}

/* Of what is computed, or of all that is planned. The first and the last evaluation of a lane are its
 * ends: no scheduler goes back. */
static gboolean
find_ends (SlComparison *self, gboolean computed, double *first, double *last)
{
  gboolean any = FALSE;

  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);
      guint n = computed ? count_frames (job) : (guint)(job ? sl_job_get_evaluations (job) : 0);

      if (n > 0)
        {
          extend (self, sl_comparison_position_of (self, i, 0), &any, first, last);
          extend (self, sl_comparison_position_of (self, i, n - 1), &any, first, last);
        }
    }
  return any;
}

gboolean
sl_comparison_get_range (SlComparison *self, double *first, double *last)
{
  return find_ends (self, FALSE, first, last);
}

static void
place (SlComparison *self, double position)
{
  double first, last;

  if (!find_ends (self, TRUE, &first, &last))
    return;
  if (is_before (self, position, first))
    position = first;
  self->following = !is_before (self, position, last);
  self->position = self->following ? last : position;
  g_signal_emit (self, signals[MOVED], 0);
}

void
sl_comparison_set_position (SlComparison *self, double position)
{
  place (self, position);
}

double
sl_comparison_get_position (SlComparison *self)
{
  return self->position;
}

gboolean
sl_comparison_is_following (SlComparison *self)
{
  return self->following;
}

/* The next place in that direction where some lane has a frame; the position itself at the end. */
static double
neighbour (SlComparison *self, double from, gboolean forward)
{
  double best = from;

  for (guint i = 0; i < count_lanes (self); i++)
    for (guint j = 0; j < count_frames (sl_comparison_get_job (self, i)); j++)
      {
        double position = sl_comparison_position_of (self, i, j);
        gboolean beyond = forward ? is_before (self, from, position) : is_before (self, position, from);
        gboolean nearer
            = best == from || (forward ? is_before (self, position, best) : is_before (self, best, position));

        if (beyond && nearer)
          best = position;
      }
  return best;
}

void
sl_comparison_move (SlComparison *self, int by)
{
  double first, last, position = self->position;

  if (!find_ends (self, TRUE, &first, &last))
    return;
  if (by == G_MININT || by == G_MAXINT)
    position = by == G_MININT ? first : last;
  else
    for (int i = 0; i < ABS (by); i++)
      position = neighbour (self, position, by > 0);
  place (self, position);
}

void
sl_comparison_set_align (SlComparison *self, SlAlign align)
{
  SlJob *job = sl_comparison_get_job (self, sl_comparison_get_reference (self));
  SlFrameObject *frame = sl_comparison_get_frame (self, sl_comparison_get_reference (self));
  gboolean following = self->following;

  if (self->align == align)
    return;
  self->align = align;
  /* The reference lane stays where it is, the others come to its side. */
  if (job && frame && !following)
    place (self, sl_comparison_position_of (self, sl_comparison_get_reference (self),
                                            (guint)sl_frame_object_get_index (frame)));
  else
    sl_comparison_move (self, G_MAXINT);
  g_signal_emit (self, signals[STATE], 0);
}

SlAlign
sl_comparison_get_align (SlComparison *self)
{
  return self->align;
}

SlFrameObject *
sl_comparison_get_frame (SlComparison *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self, index);
  guint n = count_frames (job), found = 0;
  g_autoptr (SlFrameObject) frame = NULL;

  if (n == 0)
    return NULL;
  for (guint i = 1; i < n; i++)
    if (!is_before (self, self->position, sl_comparison_position_of (self, index, i)))
      found = i;
  frame = g_list_model_get_item (sl_job_get_frames (job), found);
  return frame; /* borrowed: the job holds it */
}

/* ---- running ---- */

static void
job_frame (SlComparison *self, SlFrameObject *frame, SlJob *job)
{
  guint index = index_of_job (self, job);

  if (index == G_MAXUINT)
    return;
  g_signal_emit (self, signals[FRAME], 0, index, frame);
  if (self->following)
    sl_comparison_move (self, G_MAXINT);
}

static void
job_state (SlComparison *self)
{
  g_signal_emit (self, signals[STATE], 0);
}

static void
watch_job (SlComparison *self, SlJob *job)
{
  g_signal_connect_object (job, "frame", G_CALLBACK (job_frame), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (job_state), self, G_CONNECT_SWAPPED);
}

static SlJob *
parent_of (SlCompareLane *lane)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  return job ? sl_job_get_parent (job) : NULL;
}

/* A run for a lane, not started; NULL and a sentence when it does not fit the model. A branch branches
 * at the same place again. */
static SlJob *
make_job (SlComparison *self, guint index, GError **error)
{
  SlCompareLane *lane = sl_comparison_get_lane (self, index);
  SlJob *parent = parent_of (lane), *job;
  g_autoptr (SlSettings) settings
      = sl_compare_lane_resolve (lane, parent ? sl_job_get_settings (parent) : self->recipe);

  if (!sl_model_item_check (self->model, settings, error))
    {
      g_prefix_error (error, "%u: ", index + 1);
      return NULL;
    }
  job = parent
            ? sl_job_new_branch (parent, sl_job_get_branch_point (sl_compare_lane_get_job (lane)), settings)
            : sl_job_new (self->model, settings, self->previews);
  watch_job (self, job);
  return job;
}

gboolean
sl_comparison_branch (SlComparison *self, guint index, SlOwn own, SlSettings *values, GError **error)
{
  SlJob *parent = sl_comparison_get_job (self, index);
  SlFrameObject *frame = sl_comparison_get_frame (self, index);
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (own, values);
  g_autoptr (SlSettings) settings
      = parent ? sl_compare_lane_resolve (lane, sl_job_get_settings (parent)) : NULL;
  g_autoptr (SlJob) job = NULL;

  if (parent && frame && sl_model_item_check (sl_job_get_model (parent), settings, error))
    job = sl_job_new_branch (parent, (guint)sl_frame_object_get_index (frame) + 1, settings);
  if (job == NULL)
    {
      if (error && *error == NULL)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                             "The last step leads nowhere: branch from an earlier one.");
      return FALSE;
    }
  sl_compare_lane_set_job (lane, job);
  if (!sl_comparison_add (self, lane))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "There are %d lanes already.", SL_COMPARISON_MAX);
      return FALSE;
    }
  watch_job (self, job);
  self->following = TRUE;
  sl_worker_start (self->worker, job);
  g_signal_emit (self, signals[STATE], 0);
  return TRUE;
}

gboolean
sl_comparison_adopt (SlComparison *self, SlJob *job)
{
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (0, sl_job_get_settings (job));

  sl_compare_lane_set_job (lane, job);
  if (!sl_comparison_add (self, lane))
    return FALSE;
  watch_job (self, job);
  g_set_object (&self->model, sl_job_get_model (job));
  if (self->recipe == NULL)
    self->recipe = sl_settings_dup (sl_job_get_settings (job));
  sl_comparison_move (self, G_MAXINT);
  return TRUE;
}

void
_sl_comparison_replace (SlComparison *self, GPtrArray *lanes, guint reference)
{
  sl_comparison_clear (self);
  for (guint i = 0; i < lanes->len; i++)
    {
      SlJob *job = sl_compare_lane_get_job (lanes->pdata[i]);

      if (!sl_comparison_add (self, lanes->pdata[i]))
        break;
      watch_job (self, job);
      if (i == 0)
        {
          g_set_object (&self->model, sl_job_get_model (job));
          self->recipe = sl_settings_dup (sl_job_get_settings (job));
        }
    }
  sl_comparison_set_reference (self, reference);
  sl_comparison_move (self, G_MAXINT);
}

/* A branch is nothing without the run that it came from. */
static void
remove_branches (SlComparison *self)
{
  for (guint i = count_lanes (self); i > 0; i--)
    if (parent_of (sl_comparison_get_lane (self, i - 1)))
      sl_comparison_remove (self, i - 1);
}

gboolean
sl_comparison_start (
    SlComparison *self, SlModelItem *model, SlSettings *recipe, SlPreviews previews, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

  remove_branches (self);
  g_set_object (&self->model, model);
  g_clear_object (&self->recipe);
  self->recipe = sl_settings_dup (recipe);
  self->previews = previews;
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = make_job (self, i, error);

      if (job == NULL)
        return FALSE;
      g_ptr_array_add (jobs, job);
    }
  sl_comparison_stop (self);
  self->following = TRUE;
  self->position = 0;
  for (guint i = 0; i < jobs->len; i++)
    sl_compare_lane_set_job (sl_comparison_get_lane (self, i), jobs->pdata[i]);
  sl_worker_start_together (self->worker, jobs);
  g_signal_emit (self, signals[STATE], 0);
  return TRUE;
}

gboolean
sl_comparison_start_lane (SlComparison *self, guint index, GError **error)
{
  g_autoptr (SlJob) job = NULL;
  SlCompareLane *lane = sl_comparison_get_lane (self, index);

  if (self->recipe == NULL || lane == NULL)
    return TRUE;
  job = make_job (self, index, error);
  if (job == NULL)
    return FALSE;
  stop_lane (self, lane);
  sl_compare_lane_set_job (lane, job);
  sl_worker_start (self->worker, job);
  return TRUE;
}

void
sl_comparison_stop (SlComparison *self)
{
  for (guint i = 0; i < count_lanes (self); i++)
    stop_lane (self, sl_comparison_get_lane (self, i));
}

void
sl_comparison_pause (SlComparison *self)
{
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      if (job && !sl_job_is_over (job))
        sl_worker_pause (self->worker, job);
    }
}

void
sl_comparison_resume (SlComparison *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();

  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      if (job && sl_job_get_state (job) == SL_JOB_PAUSED)
        g_ptr_array_add (jobs, job);
    }
  sl_worker_start_together (self->worker, jobs);
}

static gboolean
any_in_state (SlComparison *self, SlJobState from, SlJobState to)
{
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      if (job && sl_job_get_state (job) >= from && sl_job_get_state (job) <= to)
        return TRUE;
    }
  return FALSE;
}

gboolean
sl_comparison_is_busy (SlComparison *self)
{
  return any_in_state (self, SL_JOB_WAITING, SL_JOB_RUNNING);
}

gboolean
sl_comparison_is_paused (SlComparison *self)
{
  return any_in_state (self, SL_JOB_PAUSED, SL_JOB_PAUSED) && !sl_comparison_is_busy (self);
}

void
sl_comparison_get_progress (SlComparison *self, guint *done, guint *planned)
{
  *done = *planned = 0;
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);

      *done += count_frames (job);
      *planned += job ? (guint)sl_job_get_evaluations (job) : 0;
    }
}

/* ---- class ---- */

static void
sl_comparison_dispose (GObject *object)
{
  SlComparison *self = SL_COMPARISON (object);

  sl_comparison_stop (self);
  g_clear_object (&self->model);
  g_clear_object (&self->recipe);
  G_OBJECT_CLASS (sl_comparison_parent_class)->dispose (object);
}

static void
sl_comparison_finalize (GObject *object)
{
  SlComparison *self = SL_COMPARISON (object);

  g_clear_object (&self->lanes);
  g_clear_object (&self->worker);
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
