/* sl-trial.c - see sl-trial.h. */
#include "app/objects/worker/sl-trial.h"

#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"
#include "app/objects/worker/sl-worker-private.h"

struct _SlTrial
{
  GObject parent_instance;
  SlWorker *worker;
  SlJob *job;
  SlFrameObject *frame;
  SlSettings *waiting; /* asked for while the worker is at another; or NULL */
  gboolean waiting_decoded;
  gboolean asking;
  GBytes *rgb;
  int width;
  int height;
  char *problem;
};

G_DEFINE_FINAL_TYPE (SlTrial, sl_trial, G_TYPE_OBJECT)

static guint answered;

static gboolean
is_guided (SlJob *job, SlTimeline *timeline, int moment)
{
  const SlRecipe *recipe = sl_timeline_recipe (timeline);
  const SlModelInfo *info = _sl_model_item_get_info (sl_job_get_model (job));

  return sl_model_guidance (info, recipe->guidance) == SL_GUIDANCE_CLASSIFIER_FREE
         && sl_recipe_guides (recipe, sl_timeline_planned (timeline, moment).step);
}

SlTrialPossible
sl_trial_is_possible (SlJob *job, SlFrameObject *frame)
{
  int moment, index = sl_frame_object_get_index (frame);
  SlTimeline *timeline = _sl_frame_object_get_timeline (frame, &moment);

  if (sl_timeline_moment (timeline, moment)->said == NULL)
    return is_guided (job, timeline, moment) ? SL_TRIAL_NOT_KEPT : SL_TRIAL_UNGUIDED;
  if (index == 0)
    return SL_TRIAL_FIRST;
  return sl_job_get_plan (job)[index - 1].ends_step ? SL_TRIAL_POSSIBLE : SL_TRIAL_HALF_A_STEP;
}

/* ---- what is tried ---- */

/* The interval is left out: outside of it there is nothing to be seen. */
static const SlSetting tried[] = {
  SL_SETTING_GUIDANCE,       SL_SETTING_GUIDANCE_METHOD, SL_SETTING_GUIDANCE_RESCALE,
  SL_SETTING_MIMIC_GUIDANCE, SL_SETTING_MIMIC_QUANTILE,  SL_SETTING_APG_PARALLEL,
  SL_SETTING_APG_NORM,       SL_SETTING_APG_MOMENTUM,
};

const SlControl *
sl_trial_nth_control (guint n)
{
  return n < G_N_ELEMENTS (tried) ? sl_control_nth (tried[n]) : NULL;
}

/* ---- asking ---- */

typedef struct
{
  SlTrial *trial; /* a reference */
  SlTrying trying;
  char *problem;
} Ask;

static void
ask_free (gpointer data)
{
  Ask *ask = data;

  sl_timeline_free (ask->trying.timeline);
  free (ask->trying.recipe);
  g_clear_pointer (&ask->trying.rgb, g_bytes_unref);
  g_free (ask->problem);
  g_object_unref (ask->trial);
  g_free (ask);
}

static void
ask_run (SlEngineSide *side, SlError *err, gpointer data)
{
  Ask *ask = data;

  if (err->code != SL_OK || !_sl_side_try (side, &ask->trying, err))
    ask->problem = g_strdup (err->message);
}

static void
ask_done (gpointer data)
{
  Ask *ask = data;
  SlTrial *self = ask->trial;
  g_autoptr (SlSettings) waiting = g_steal_pointer (&self->waiting);

  self->asking = FALSE;
  g_clear_pointer (&self->rgb, g_bytes_unref);
  g_free (self->problem);
  self->rgb = g_steal_pointer (&ask->trying.rgb);
  self->width = ask->trying.width;
  self->height = ask->trying.height;
  self->problem = g_steal_pointer (&ask->problem);
  if (waiting)
    sl_trial_ask (self, waiting, self->waiting_decoded);
  g_signal_emit (self, answered, 0);
}

void
sl_trial_ask (SlTrial *self, SlSettings *settings, gboolean decoded)
{
  SlRecipe recipe;
  Ask *ask;
  int moment;

  if (self->asking)
    {
      g_clear_object (&self->waiting);
      self->waiting = sl_settings_dup (settings);
      self->waiting_decoded = decoded;
      return;
    }
  _sl_settings_get_recipe (settings, &recipe);
  ask = g_new0 (Ask, 1);
  ask->trial = g_object_ref (self);
  ask->trying.timeline = sl_timeline_ref (_sl_frame_object_get_timeline (self->frame, &moment));
  ask->trying.moment = moment;
  ask->trying.recipe = sl_recipe_copy (&recipe);
  ask->trying.decoded = decoded;
  if (ask->trying.recipe == NULL)
    g_error ("out of memory for settings"); /* as g_malloc */
  self->asking = _sl_worker_push_urgent (self->worker, self->job, ask_run, ask_done, ask, ask_free);
  if (!self->asking)
    ask_free (ask);
}

GBytes *
sl_trial_get_rgb (SlTrial *self, int *width, int *height)
{
  *width = self->width;
  *height = self->height;
  return self->rgb;
}

const char *
sl_trial_get_problem (SlTrial *self)
{
  return self->problem;
}

SlTrial *
sl_trial_new (SlWorker *worker, SlJob *job, SlFrameObject *frame)
{
  SlTrial *self = g_object_new (SL_TYPE_TRIAL, NULL);

  self->worker = g_object_ref (worker);
  self->job = g_object_ref (job);
  self->frame = g_object_ref (frame);
  return self;
}

/* ---- class ---- */

static void
forget_run (SlEngineSide *side, SlError *err, gpointer data)
{
  _sl_side_forget_tried (side);
}

static void
forget_done (gpointer data)
{
}

static void
sl_trial_dispose (GObject *object)
{
  SlTrial *self = SL_TRIAL (object);

  if (self->worker)
    _sl_worker_push_urgent (self->worker, NULL, forget_run, forget_done, NULL, NULL);
  g_clear_object (&self->worker);
  g_clear_object (&self->job);
  g_clear_object (&self->frame);
  g_clear_object (&self->waiting);
  G_OBJECT_CLASS (sl_trial_parent_class)->dispose (object);
}

static void
sl_trial_finalize (GObject *object)
{
  SlTrial *self = SL_TRIAL (object);

  g_clear_pointer (&self->rgb, g_bytes_unref);
  g_free (self->problem);
  G_OBJECT_CLASS (sl_trial_parent_class)->finalize (object);
}

static void
sl_trial_class_init (SlTrialClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_trial_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_trial_finalize;
  answered = g_signal_new ("answered", SL_TYPE_TRIAL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_trial_init (SlTrial *self)
{
}
