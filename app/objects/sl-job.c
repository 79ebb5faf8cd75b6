/* sl-job.c - see sl-job.h. */
#include "app/objects/sl-job-private.h"

#include <stdlib.h>

#include "app/recipe/recipe.h"
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/sl-settings-private.h"

G_DEFINE_FINAL_TYPE (SlJob, sl_job, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_STATE,
  N_PROPS
};

enum
{
  FRAME,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
sl_job_finalize (GObject *object)
{
  SlJob *self = SL_JOB (object);

  g_clear_object (&self->model);
  g_clear_object (&self->settings);
  g_clear_object (&self->frames);
  g_clear_pointer (&self->plan, g_array_unref);
  g_clear_pointer (&self->noise, g_bytes_unref);
  g_clear_pointer (&self->timeline, sl_timeline_free);
  g_clear_pointer (&self->before, sl_timeline_free);
  g_clear_object (&self->parent);
  g_free (self->message);
  g_free (self->as_device);
  g_free (self->as_types);
  free (self->recipe);
  if (self->metadata)
    sl_metadata_free (self->metadata);
  g_free (self->metadata);
  free (self->model_keys);
  G_OBJECT_CLASS (sl_job_parent_class)->finalize (object);
}

static void
sl_job_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_STATE:
      g_value_set_uint (value, SL_JOB (object)->state);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
sl_job_class_init (SlJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = sl_job_finalize;
  object_class->get_property = sl_job_get_property;
  properties[PROP_STATE] = g_param_spec_uint ("state", NULL, NULL, 0, SL_JOB_FAILED, 0,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  signals[FRAME] = g_signal_new ("frame", SL_TYPE_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                 SL_TYPE_FRAME_OBJECT);
}

static void
sl_job_init (SlJob *self)
{
  self->frames = g_list_store_new (SL_TYPE_FRAME_OBJECT);
}

SlJob *
sl_job_new (SlModelItem *model, SlSettings *settings, SlPreviews previews)
{
  SlJob *self;
  SlRecipe recipe;

  g_return_val_if_fail (SL_IS_MODEL_ITEM (model), NULL);
  g_return_val_if_fail (SL_IS_SETTINGS (settings), NULL);

  self = g_object_new (SL_TYPE_JOB, NULL);
  self->model = g_object_ref (model);
  self->settings = sl_settings_dup (settings);
  self->previews = previews;
  _sl_settings_get_recipe (self->settings, &recipe);
  self->recipe = sl_recipe_copy (&recipe);
  return self;
}

SlSettings *
sl_job_get_settings (SlJob *self)
{
  return self->settings;
}

SlModelItem *
sl_job_get_model (SlJob *self)
{
  return self->model;
}

gboolean
sl_computed_equal (SlComputed a, SlComputed b)
{
  return g_strcmp0 (a.device, b.device) == 0 && g_strcmp0 (a.types, b.types) == 0;
}

SlComputed
sl_job_get_computed (SlJob *self)
{
  while (self->metadata == NULL && self->parent)
    self = self->parent;
  if (self->metadata)
    return (SlComputed){ self->metadata->device, self->metadata->dtype };
  return (SlComputed){ self->as_device, self->as_types };
}

void
sl_job_compute_as (SlJob *self, SlComputed computed)
{
  char *device = g_strdup (computed.device), *types = g_strdup (computed.types);

  g_free (self->as_device);
  g_free (self->as_types);
  self->as_device = device;
  self->as_types = types;
}

SlJobState
sl_job_get_state (SlJob *self)
{
  return self->state;
}

gboolean
sl_job_is_over (SlJob *self)
{
  return self->state >= SL_JOB_DONE;
}

const char *
sl_job_get_message (SlJob *self)
{
  return self->message;
}

gboolean
sl_job_has_lost_device (SlJob *self)
{
  return self->lost_device;
}

const char *
sl_job_get_warning (SlJob *self)
{
  return self->timeline ? sl_timeline_warning (self->timeline) : NULL;
}

gboolean
sl_job_is_fast (SlJob *self)
{
  return self->timeline && sl_timeline_fast (self->timeline);
}

GListModel *
sl_job_get_frames (SlJob *self)
{
  return G_LIST_MODEL (self->frames);
}

SlFrameObject *
sl_job_get_last_frame (SlJob *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->frames));
  g_autoptr (SlFrameObject) frame = NULL;

  if (n > 0)
    frame = g_list_model_get_item (G_LIST_MODEL (self->frames), n - 1);
  return frame; /* borrowed: the list holds it */
}

void
_sl_job_set_each (SlJob *self, double seconds)
{
  self->each = seconds;
}

double
_sl_job_get_each (SlJob *self)
{
  return self->each;
}

void
_sl_job_set_noise (SlJob *self, GBytes *rgb, int width, int height)
{
  g_clear_pointer (&self->noise, g_bytes_unref);
  self->noise = g_bytes_ref (rgb);
  self->noise_width = width;
  self->noise_height = height;
}

GBytes *
sl_job_get_noise (SlJob *self, int *width, int *height)
{
  while (self->noise == NULL && self->parent)
    self = self->parent;
  *width = self->noise_width;
  *height = self->noise_height;
  return self->noise;
}

int
sl_job_get_evaluations (SlJob *self)
{
  return self->plan ? (int)self->plan->len : 0;
}

const SlPlanPoint *
sl_job_get_plan (SlJob *self)
{
  return self->plan ? (const SlPlanPoint *)self->plan->data : NULL;
}

double
sl_job_get_elapsed (SlJob *self)
{
  gboolean rests = sl_job_is_over (self) || self->state == SL_JOB_PAUSED;
  gint64 end = rests ? self->latest : g_get_monotonic_time ();

  return self->started ? (end - self->started) / 1e6 : 0;
}

/* Of its first n evaluations: outside of the guidance's interval one costs half. */
static double
work_of (SlJob *self, guint n)
{
  double work = 0;

  for (guint i = 0; i < n; i++)
    work += !self->plan || sl_recipe_guides (self->recipe, sl_job_get_plan (self)[i].step) ? 2 : 1;
  return work;
}

double
sl_job_get_remaining (SlJob *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->frames));
  double each;

  if (n == 0 || sl_job_is_over (self))
    return -1;
  each = (self->latest - self->started) / 1e6 / work_of (self, n);
  return MAX (each * work_of (self, sl_job_get_evaluations (self)) - sl_job_get_elapsed (self), 0);
}

const SlRecipe *
_sl_job_get_recipe (SlJob *self)
{
  return self->recipe;
}

SlPreviews
_sl_job_get_previews (SlJob *self)
{
  return self->previews;
}

void
_sl_job_cancel (SlJob *self)
{
  g_atomic_int_set (&self->cancelled, TRUE);
}

gboolean
_sl_job_is_cancelled (SlJob *self)
{
  return g_atomic_int_get (&self->cancelled);
}

void
_sl_job_ask_pause (SlJob *self, gboolean pause)
{
  g_atomic_int_set (&self->asked_to_pause, pause);
}

gboolean
_sl_job_is_asked_to_pause (SlJob *self)
{
  return g_atomic_int_get (&self->asked_to_pause);
}

void
_sl_job_set_state (SlJob *self, SlJobState state)
{
  /* What ended stays ended: a late message of the worker changes nothing. */
  if (self->state == state || sl_job_is_over (self))
    return;
  self->state = state;
  /* the model may be loaded again after a pause */
  if (self->paused == 0)
    self->latest = g_get_monotonic_time ();
  if (state == SL_JOB_PAUSED)
    self->paused = self->latest;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

void
_sl_job_fail (SlJob *self, const char *message, gboolean lost_device)
{
  if (sl_job_is_over (self))
    return;
  self->message = g_strdup (message);
  self->lost_device = lost_device;
  _sl_job_set_state (self, SL_JOB_FAILED);
}

SlTimeline *
_sl_job_get_timeline (SlJob *self)
{
  return self->timeline;
}

SlTimeline *
_sl_job_get_before (SlJob *self)
{
  return self->before;
}

gsize
_sl_job_get_bytes (SlJob *self)
{
  return self->timeline ? sl_timeline_bytes (self->timeline) : 0;
}

/* The timeline's evaluations behind the ancestors'. */
static void
plan_on (SlJob *self)
{
  if (self->plan == NULL)
    self->plan = g_array_new (FALSE, FALSE, sizeof (SlPlanPoint));
  if (self->plan->len > 0)
    {
      const SlPlanPoint *last = &g_array_index (self->plan, SlPlanPoint, self->plan->len - 1);

      self->step_offset = last->step + last->ends_step - sl_timeline_planned (self->timeline, 0).step;
    }
  for (int i = 0; i < sl_timeline_total (self->timeline); i++)
    {
      SlMoment moment = sl_timeline_planned (self->timeline, i);
      SlPlanPoint point
          = { moment.timestep, moment.sigma, moment.step + self->step_offset, moment.ends_step };

      g_array_append_val (self->plan, point);
    }
}

static SlFramePlace
place_of (SlJob *self, int i)
{
  return (SlFramePlace){ .index = (int)self->inherited + i,
                         .step = g_array_index (self->plan, SlPlanPoint, self->inherited + (guint)i).step,
                         .steps = sl_timeline_recipe (self->timeline)->steps + self->step_offset };
}

void
_sl_job_started (SlJob *self, SlTimeline *timeline, SlMetadata *metadata)
{
  if (self->timeline) /* goes on after a pause, which does not count */
    {
      if (self->paused > 0)
        self->started += g_get_monotonic_time () - self->paused;
      self->paused = 0;
      sl_metadata_free (metadata);
      g_free (metadata);
    }
  else
    {
      self->metadata = metadata;
      self->timeline = sl_timeline_ref (timeline);
      plan_on (self);
      self->started = g_get_monotonic_time ();
    }
  _sl_job_set_state (self, SL_JOB_RUNNING);
}

void
_sl_job_add_frame (SlJob *self, SlFrameObject *frame)
{
  if (sl_job_is_over (self))
    return;
  self->latest = g_get_monotonic_time ();
  g_list_store_append (self->frames, frame);
  g_signal_emit (self, signals[FRAME], 0, frame);
}

const SlMetadata *
_sl_job_get_metadata (SlJob *self)
{
  if (self->metadata)
    self->metadata->fast = sl_job_is_fast (self);
  return self->metadata;
}

void
_sl_job_take_model_keys (SlJob *self, SlModelKeys *keys)
{
  if (self->model_keys)
    free (keys);
  else
    self->model_keys = keys;
}

const SlModelKeys *
_sl_job_get_model_keys (SlJob *self)
{
  return self->model_keys;
}

/* ---- branches ---- */

SlJob *
_sl_job_get_owner (SlJob *self, guint evaluations)
{
  while (self->parent && evaluations <= self->inherited)
    self = self->parent;
  return self;
}

/* The first so many frames of another job, with their plan. */
static void
inherit (SlJob *self, SlJob *parent, guint evaluations)
{
  self->parent = g_object_ref (_sl_job_get_owner (parent, evaluations));
  self->inherited = evaluations;
  self->plan = g_array_new (FALSE, FALSE, sizeof (SlPlanPoint));
  g_array_append_vals (self->plan, sl_job_get_plan (parent), evaluations);
  for (guint i = 0; i < evaluations; i++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (G_LIST_MODEL (parent->frames), i);

      g_list_store_append (self->frames, frame);
    }
}

/* The evaluations that a branch after so many keeps: files name a branch by finished steps. 0: there can be none. */
static guint
evaluations_to_keep (SlJob *parent, guint evaluations)
{
  guint n = MIN (g_list_model_get_n_items (G_LIST_MODEL (parent->frames)),
                 (guint)sl_job_get_evaluations (parent));

  if (evaluations < 1 || evaluations > n)
    return 0;
  while (evaluations <= n && !sl_job_get_plan (parent)[evaluations - 1].ends_step)
    evaluations++;
  return evaluations > n || evaluations >= (guint)sl_job_get_evaluations (parent)
                 || evaluations <= _sl_job_get_owner (parent, evaluations)->inherited
             ? 0
             : evaluations;
}

gboolean
sl_job_can_branch (SlJob *self, guint evaluations)
{
  return evaluations_to_keep (self, evaluations) > 0;
}

SlJob *
sl_job_new_branch (SlJob *parent, guint evaluations, SlSettings *settings)
{
  SlJob *self;

  g_return_val_if_fail (SL_IS_JOB (parent), NULL);

  evaluations = evaluations_to_keep (parent, evaluations);
  if (evaluations == 0)
    return NULL;
  self = sl_job_new (parent->model, settings, parent->previews);
  inherit (self, parent, evaluations);
  return self;
}

SlJob *
sl_job_get_parent (SlJob *self)
{
  return self->parent;
}

guint
sl_job_get_branch_point (SlJob *self)
{
  return self->inherited;
}

SlBatches
_sl_job_list_batches (SlJob *self, guint end)
{
  SlBatches batches = { 0 };

  if (self->timeline && end > self->inherited
      && !sl_timeline_batches (self->timeline, (int)(end - self->inherited), &batches))
    g_error ("out of memory for a list of %u numbers", end); /* as g_malloc */
  return batches;
}

/* ---- jobs of files ---- */

static void
inherit_before (SlJob *self, SlTimeline *before)
{
  int n = sl_timeline_count (before);

  self->before = sl_timeline_ref (before);
  self->inherited = (guint)n;
  self->plan = g_array_new (FALSE, FALSE, sizeof (SlPlanPoint));
  for (int i = 0; i < n; i++)
    {
      SlMoment moment = sl_timeline_planned (before, i);
      SlPlanPoint point = { moment.timestep, moment.sigma, moment.step, moment.ends_step };

      g_array_append_val (self->plan, point);
    }
}

static void
show (SlJob *self, SlTimeline *timeline, int i, const SlFramePlace *place)
{
  g_autoptr (SlFrameObject) frame
      = _sl_frame_object_new (timeline, i, place, NULL, self->metadata->prediction == SL_PREDICT_EPSILON);

  _sl_job_add_frame (self, frame);
}

SlJob *
_sl_job_new_recorded (const SlRecordedJob *recorded)
{
  SlJob *self = sl_job_new (recorded->model, recorded->settings, SL_PREVIEWS_AUTOMATIC);

  if (recorded->parent && recorded->inherited > 0)
    inherit (self, recorded->parent, recorded->inherited);
  else if (recorded->before)
    inherit_before (self, recorded->before);
  _sl_job_started (self, recorded->timeline, recorded->metadata);
  for (int i = 0; recorded->before && i < (int)self->inherited; i++)
    {
      SlFramePlace place = { .index = i,
                             .step = g_array_index (self->plan, SlPlanPoint, i).step,
                             .steps = sl_timeline_recipe (self->timeline)->steps + self->step_offset };

      show (self, recorded->before, i, &place);
    }
  for (int i = 0; i < sl_timeline_count (self->timeline); i++)
    {
      SlFramePlace place = place_of (self, i);

      show (self, self->timeline, i, &place);
    }
  _sl_job_set_state (self, recorded->done ? SL_JOB_DONE : SL_JOB_STOPPED);
  return self;
}
