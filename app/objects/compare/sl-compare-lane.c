/* sl-compare-lane.c - see sl-compare-lane.h. */
#include "app/objects/compare/sl-comparison-private.h"

#include "app/objects/sl-control.h"
#include "app/objects/sl-settings-private.h"
#include "app/record/record.h"
#include "engine/engine.h"

struct _SlCompareLane
{
  GObject parent_instance;
  SlOwn own;
  SlSettings *values;
  SlJob *job;
  int color; /* -1: none yet */
  int cell;
  gboolean stale;
  char *as_device; /* of the next run; or NULL */
  char *as_types;
};

G_DEFINE_FINAL_TYPE (SlCompareLane, sl_compare_lane, G_TYPE_OBJECT)

enum
{
  CHANGED,
  JOB,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_compare_lane_finalize (GObject *object)
{
  SlCompareLane *self = SL_COMPARE_LANE (object);

  g_clear_object (&self->values);
  g_clear_object (&self->job);
  g_free (self->as_device);
  g_free (self->as_types);
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
  self->color = -1;
  self->cell = -1;
}

SlOwn
sl_own (const char *property)
{
  return sl_control_find (property)->own;
}

SlOwn
sl_own_between (SlSettings *a, SlSettings *b)
{
  SlOwn own = 0;

  for (guint i = 0; i < sl_control_count (); i++)
    {
      const SlControl *control = sl_control_nth (i);
      GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (a), control->property);
      g_auto (GValue) of_a = G_VALUE_INIT;
      g_auto (GValue) of_b = G_VALUE_INIT;

      if (control->own == 0)
        continue;
      g_value_init (&of_a, spec->value_type);
      g_value_init (&of_b, spec->value_type);
      g_object_get_property (G_OBJECT (a), control->property, &of_a);
      g_object_get_property (G_OBJECT (b), control->property, &of_b);
      if (g_param_values_cmp (spec, &of_a, &of_b) != 0)
        own |= control->own;
    }
  return own;
}

SlOwn
sl_own_all (void)
{
  return sl_settings_own (SL_SETTINGS_ALL);
}

SlCompareLane *
sl_compare_lane_new (SlOwn own, SlSettings *values)
{
  SlCompareLane *self = g_object_new (SL_TYPE_COMPARE_LANE, NULL);

  self->own = own;
  self->values = sl_settings_dup (values);
  return self;
}

guint
sl_compare_lane_get_color (SlCompareLane *self)
{
  return (guint)MAX (self->color, 0);
}

void
sl_compare_lane_set_color (SlCompareLane *self, guint color)
{
  self->color = (int)color;
}

gboolean
sl_compare_lane_has_color (SlCompareLane *self)
{
  return self->color >= 0;
}

guint
sl_lane_color_count (void)
{
  return SL_LANE_COLORS;
}

void
sl_lane_color_get (guint color, guint8 rgb[3])
{
  for (guint c = 0; c < 3; c++)
    rgb[c] = (guint8)(sl_lane_rgb ((int)color) >> (16 - 8 * c));
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
  self->cell = -1;
  sl_settings_assign (self->values, values);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* The recipe's choices that this lane's own scheduler does not have fall back to the model's. */
void
_sl_compare_lane_get_recipe (SlCompareLane *self, SlSettings *recipe, SlRecipe *resolved)
{
  SlSettingSet own = sl_settings_of_own (self->own);
  SlRecipe values;

  _sl_settings_get_recipe (recipe, resolved);
  _sl_settings_get_recipe (self->values, &values);
  sl_recipe_change (resolved, &values, own);
  sl_recipe_drop_missing (resolved, ~own);
}

SlSettings *
sl_compare_lane_resolve (SlCompareLane *self, SlSettings *recipe)
{
  SlSettings *settings = sl_settings_dup (recipe);
  SlRecipe resolved;

  _sl_compare_lane_get_recipe (self, recipe, &resolved);
  _sl_settings_set_recipe (settings, &resolved);
  return settings;
}

void
sl_compare_lane_set_cell (SlCompareLane *self, int cell)
{
  self->cell = cell;
}

int
sl_compare_lane_get_cell (SlCompareLane *self)
{
  return self->cell;
}

gboolean
sl_compare_lane_is_stale (SlCompareLane *self)
{
  return self->stale;
}

/* Who shows it is told as of another run. */
void
sl_compare_lane_set_stale (SlCompareLane *self, gboolean stale)
{
  if (self->stale == stale)
    return;
  self->stale = stale;
  g_signal_emit (self, signals[JOB], 0);
}

void
sl_compare_lane_compute_as (SlCompareLane *self, SlComputed computed)
{
  char *device = g_strdup (computed.device), *types = g_strdup (computed.types);

  g_free (self->as_device);
  g_free (self->as_types);
  self->as_device = device;
  self->as_types = types;
}

SlComputed
sl_compare_lane_get_computed_as (SlCompareLane *self)
{
  return (SlComputed){ self->as_device, self->as_types };
}

SlJob *
sl_compare_lane_get_job (SlCompareLane *self)
{
  return self->job;
}

void
sl_compare_lane_set_job (SlCompareLane *self, SlJob *job)
{
  sl_compare_lane_compute_as (self, (SlComputed){ NULL, NULL });
  if (g_set_object (&self->job, job))
    g_signal_emit (self, signals[JOB], 0);
}
