/* sl-compare-lane.c - see sl-compare-lane.h. */
#include "app/objects/compare/sl-compare-lane.h"

#include "engine/engine.h"

struct _SlCompareLane
{
  GObject parent_instance;
  SlOwn own;
  SlSettings *values;
  SlJob *job;
};

G_DEFINE_FINAL_TYPE (SlCompareLane, sl_compare_lane, G_TYPE_OBJECT)

enum
{
  CHANGED,
  JOB,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* In the order of SlOwn. */
static const char *const own_properties[SL_N_OWN]
    = { "scheduler", "sigmas", "spacing", "steps",           "guidance",
        "eta",       "seed",   "prompt",  "negative-prompt", "variance" };

static void
sl_compare_lane_finalize (GObject *object)
{
  SlCompareLane *self = SL_COMPARE_LANE (object);

  g_clear_object (&self->values);
  g_clear_object (&self->job);
  G_OBJECT_CLASS (sl_compare_lane_parent_class)->finalize (object);
}

static void
sl_compare_lane_class_init (SlCompareLaneClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_compare_lane_finalize;
  signals[CHANGED] = g_signal_new ("changed", SL_TYPE_COMPARE_LANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
  signals[JOB]
      = g_signal_new ("job", SL_TYPE_COMPARE_LANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_compare_lane_init (SlCompareLane *self)
{
}

SlCompareLane *
sl_compare_lane_new (SlOwn own, SlSettings *values)
{
  SlCompareLane *self = g_object_new (SL_TYPE_COMPARE_LANE, NULL);

  self->own = own;
  self->values = sl_settings_dup (values);
  return self;
}

SlOwn
sl_compare_lane_get_own (SlCompareLane *self)
{
  return self->own;
}

SlSettings *
sl_compare_lane_get_values (SlCompareLane *self)
{
  return self->values;
}

void
sl_compare_lane_set (SlCompareLane *self, SlOwn own, SlSettings *values)
{
  self->own = own;
  sl_settings_assign (self->values, values);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* The recipe's choices that this lane's own scheduler does not have fall back to the model's. */
static void
drop_impossible (SlCompareLane *self, SlSettings *resolved)
{
  const SlSchedulerInfo *info = sl_scheduler_find (sl_settings_get_scheduler (resolved));

  if (info && !info->takes_sigmas && !(self->own & SL_OWN_SIGMAS))
    g_object_set (resolved, "sigmas", (guint)SL_SIGMAS_MODEL, NULL);
  if (info && !info->takes_spacing && !(self->own & SL_OWN_SPACING))
    g_object_set (resolved, "spacing", (guint)SL_SPACING_MODEL, NULL);
  if (info && !info->takes_variance && !(self->own & SL_OWN_VARIANCE))
    g_object_set (resolved, "variance", (guint)SL_VARIANCE_MODEL, NULL);
}

SlSettings *
sl_compare_lane_resolve (SlCompareLane *self, SlSettings *recipe)
{
  SlSettings *resolved = sl_settings_dup (recipe);

  for (int i = 0; i < SL_N_OWN; i++)
    if (self->own & (1 << i))
      {
        g_auto (GValue) value = G_VALUE_INIT;

        g_object_get_property (G_OBJECT (self->values), own_properties[i], &value);
        g_object_set_property (G_OBJECT (resolved), own_properties[i], &value);
      }
  drop_impossible (self, resolved);
  return resolved;
}

SlJob *
sl_compare_lane_get_job (SlCompareLane *self)
{
  return self->job;
}

void
sl_compare_lane_set_job (SlCompareLane *self, SlJob *job)
{
  if (g_set_object (&self->job, job))
    g_signal_emit (self, signals[JOB], 0);
}
