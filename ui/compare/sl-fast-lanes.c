/* sl-fast-lanes.c - see sl-fast-lanes.h. */
#include "ui/compare/sl-fast-lanes.h"

#define KEY "fast-lanes"

struct _SlFastLanes
{
  GObject parent_instance;
  SlComparison *comparison;
  SlWorker *worker;
  GSettings *preferences;
};

G_DEFINE_FINAL_TYPE (SlFastLanes, sl_fast_lanes, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
changed (SlFastLanes *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
apply (SlFastLanes *self, SlFast fast)
{
  sl_worker_set_fast (self->worker, fast);
  changed (self);
}

static void
preference_changed (SlFastLanes *self)
{
  apply (self, (SlFast)g_settings_get_uint (self->preferences, KEY));
}

gboolean
sl_fast_lanes_is_on (SlFastLanes *self)
{
  return sl_worker_is_fast (self->worker);
}

void
sl_fast_lanes_choose (SlFastLanes *self, gboolean fast)
{
  g_settings_set_uint (self->preferences, KEY, fast ? SL_FAST_ON : SL_FAST_OFF);
  /* Where the preference was that already and only a file said otherwise, it gave no signal. */
  preference_changed (self);
}

gboolean
sl_fast_lanes_any_is_fast (SlFastLanes *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->comparison));

  for (guint i = 0; i < n; i++)
    {
      SlJob *job = sl_comparison_get_job (self->comparison, i);

      if (job && sl_job_is_fast (job))
        return TRUE;
    }
  return FALSE;
}

void
sl_fast_lanes_follow (SlFastLanes *self, gboolean fast)
{
  apply (self, fast ? SL_FAST_ON : SL_FAST_OFF);
}

void
sl_fast_lanes_take_lanes (SlFastLanes *self)
{
  if (sl_fast_lanes_any_is_fast (self))
    apply (self, SL_FAST_ON);
  else
    preference_changed (self);
}

SlFastLanes *
sl_fast_lanes_new (SlWorkspace *workspace)
{
  SlFastLanes *self = g_object_new (SL_TYPE_FAST_LANES, NULL);

  self->comparison = g_object_ref (workspace->comparison);
  self->worker = g_object_ref (workspace->worker);
  self->preferences = g_object_ref (workspace->preferences);
  g_signal_connect_object (self->preferences, "changed::" KEY, G_CALLBACK (preference_changed), self,
                           G_CONNECT_SWAPPED);
  /* Another device may be in use. */
  g_signal_connect_object (self->worker, "loaded", G_CALLBACK (changed), self, G_CONNECT_SWAPPED);
  preference_changed (self);
  return self;
}

static void
sl_fast_lanes_finalize (GObject *object)
{
  SlFastLanes *self = SL_FAST_LANES (object);

  g_clear_object (&self->comparison);
  g_clear_object (&self->worker);
  g_clear_object (&self->preferences);
  G_OBJECT_CLASS (sl_fast_lanes_parent_class)->finalize (object);
}

static void
sl_fast_lanes_class_init (SlFastLanesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_fast_lanes_finalize;
  signals[CHANGED]
      = g_signal_new ("changed", SL_TYPE_FAST_LANES, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_fast_lanes_init (SlFastLanes *self)
{
}
