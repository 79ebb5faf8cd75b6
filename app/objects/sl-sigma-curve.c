/* sl-sigma-curve.c - see sl-sigma-curve.h.
 *
 * Easy to get wrong: a list must fall strictly after it was rounded to f32, so neighbours keep a distance.
 */
#include "app/objects/sl-sigma-curve.h"

#include <math.h>
#include <stdlib.h>

#include "app/objects/sl-error.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"

#define NEAREST 1.001 /* a level is at least so many times the next one */
#define DIGITS 4      /* of a level that was set by hand */

typedef struct
{
  int named;
  GArray *sigmas; /* double */
} Points;

struct _SlSigmaCurve
{
  GObject parent_instance;
  SlModelItem *model;
  SlSettings *settings;
  const SlSchedulerInfo *taken; /* in place of the settings' scheduler; or NULL */
  Points now;
  Points first;
  GArray *timesteps; /* of now */
  GQueue undo;       /* Points *, the last one first */
  GQueue redo;
  double low;
  double high;
};

G_DEFINE_FINAL_TYPE (SlSigmaCurve, sl_sigma_curve, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static double
nth (const Points *points, guint i)
{
  return g_array_index (points->sigmas, double, i);
}

static Points *
points_new (const Points *from)
{
  Points *points = g_new (Points, 1);

  *points = (Points){ from->named, g_array_copy (from->sigmas) };
  return points;
}

static void
points_free (gpointer data)
{
  Points *points = data;

  g_array_unref (points->sigmas);
  g_free (points);
}

static void
exchange (Points *a, Points *b)
{
  Points of_a = *a;

  *a = *b;
  *b = of_a;
}

static void
forget (GQueue *states)
{
  g_queue_clear_full (states, points_free);
}

/* ---- what the engine lays out ---- */

static const SlSchedulerInfo *
scheduler_of (SlSigmaCurve *self)
{
  const SlModelInfo *info = _sl_model_item_get_info (self->model);
  const char *id = sl_settings_get_scheduler (self->settings);

  return sl_scheduler_find (*id ? id : info->scheduler);
}

static gboolean
takes (SlSigmaCurve *self, const SlSchedulerInfo *scheduler)
{
  SlPrediction prediction = _sl_model_item_get_info (self->model)->prediction;

  return scheduler && sl_scheduler_suits (scheduler, prediction)
         && sl_scheduler_for (scheduler, prediction).takes_sigmas;
}

/* named -1: text is a list of so many steps. */
static gboolean
lay_out (SlSigmaCurve *self, int named, const char *text, guint steps, SlSchedule *schedule, SlError *err)
{
  SlRecipe recipe;

  _sl_settings_get_recipe (self->settings, &recipe);
  recipe.sigmas = named < 0 ? SL_SIGMAS_MODEL : (SlSigmas)named;
  recipe.sigma_list = named < 0 ? text : "";
  recipe.steps = (int)steps;
  return sl_schedule_make (_sl_model_item_get_info (self->model), &recipe, schedule, err);
}

static void
find_timesteps (SlSigmaCurve *self)
{
  g_autofree char *text = sl_sigma_curve_dup_text (self);
  SlSchedule schedule;

  g_array_set_size (self->timesteps, 0);
  if (lay_out (self, self->now.named, text, self->now.sigmas->len, &schedule, NULL))
    g_array_append_vals (self->timesteps, schedule.timesteps, (guint)schedule.steps);
  sl_schedule_free (&schedule);
}

static void
changed (SlSigmaCurve *self)
{
  find_timesteps (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* Training's range is where the schedule begins and ends that takes all of it. */
static void
find_range (SlSigmaCurve *self)
{
  SlSchedule schedule = { 0 };

  self->high = nth (&self->now, 0);
  self->low = nth (&self->now, self->now.sigmas->len - 1);
  if (takes (self, scheduler_of (self)) && lay_out (self, SL_SIGMAS_KL_OPTIMAL, NULL, 2, &schedule, NULL)
      && schedule.steps == 2)
    {
      self->high = MAX (self->high, schedule.sigmas[0]);
      self->low = MIN (self->low, schedule.sigmas[1]);
    }
  self->low = MAX (self->low, 1e-4);
  sl_schedule_free (&schedule);
}

/* ---- what it is ---- */

static gboolean
begin (SlSigmaCurve *self, GError **error)
{
  g_autofree char *text = NULL;
  SlSchedule schedule = { 0 };
  SlError err = { 0 };
  guint choice;
  int steps = sl_settings_get_steps (self->settings), count = 0;
  gboolean ok = TRUE;

  g_object_get (self->settings, "sigma-list", &text, "sigmas", &choice, NULL);
  if (*text)
    {
      ok = sl_sigmas_parse (text, NULL, &count, &err);
      steps = count - 1;
    }
  self->now.named = *text ? -1 : (int)choice;
  ok = ok && lay_out (self, self->now.named, text, (guint)steps, &schedule, &err);
  if (ok)
    g_array_append_vals (self->now.sigmas, schedule.sigmas, (guint)schedule.steps);
  else
    g_propagate_error (error, sl_app_error_new (&err));
  sl_schedule_free (&schedule);
  return ok;
}

SlSigmaCurve *
sl_sigma_curve_new (SlModelItem *model, SlSettings *settings, GError **error)
{
  g_autoptr (SlSigmaCurve) self = g_object_new (SL_TYPE_SIGMA_CURVE, NULL);

  self->model = g_object_ref (model);
  self->settings = sl_settings_dup (settings);
  if (!begin (self, error))
    return NULL;
  self->first = (Points){ self->now.named, g_array_copy (self->now.sigmas) };
  find_range (self);
  find_timesteps (self);
  return g_steal_pointer (&self);
}

const char *
sl_sigma_curve_get_refusing (SlSigmaCurve *self)
{
  const SlSchedulerInfo *scheduler = scheduler_of (self);

  return takes (self, scheduler) ? NULL : scheduler->name;
}

char *
sl_sigma_curve_dup_takers (SlSigmaCurve *self)
{
  GString *names = g_string_new (NULL);
  int named = 0;

  for (int i = 0; i < sl_scheduler_count () && named < 3; i++)
    if (takes (self, sl_scheduler_info (i)))
      g_string_append_printf (names, "%s%s", named++ ? ", " : "", sl_scheduler_info (i)->name);
  return g_string_free (names, FALSE);
}

static const SlSchedulerInfo *
find_taker (SlSigmaCurve *self)
{
  for (int i = 0; i < sl_scheduler_count (); i++)
    if (takes (self, sl_scheduler_info (i)))
      return sl_scheduler_info (i);
  return NULL;
}

const char *
sl_sigma_curve_get_taker (SlSigmaCurve *self)
{
  const SlSchedulerInfo *taker = find_taker (self);

  return taker ? taker->name : NULL;
}

gboolean
sl_sigma_curve_use_taker (SlSigmaCurve *self, GError **error)
{
  const SlSchedulerInfo *taker = find_taker (self);
  g_autoptr (SlSigmaCurve) curve = NULL;
  g_autoptr (SlSettings) settings = sl_settings_dup (self->settings);

  g_return_val_if_fail (taker != NULL, FALSE);
  g_object_set (settings, "scheduler", taker->id, NULL);
  curve = sl_sigma_curve_new (self->model, settings, error);
  if (curve == NULL)
    return FALSE;
  self->taken = taker;
  g_set_object (&self->settings, settings);
  exchange (&self->now, &curve->now);
  exchange (&self->first, &curve->first);
  self->low = curve->low;
  self->high = curve->high;
  forget (&self->undo);
  forget (&self->redo);
  changed (self);
  return TRUE;
}

const char *
sl_sigma_curve_get_taken (SlSigmaCurve *self)
{
  return self->taken ? self->taken->id : NULL;
}

guint
sl_sigma_curve_get_steps (SlSigmaCurve *self)
{
  return self->now.sigmas->len;
}

double
sl_sigma_curve_get_sigma (SlSigmaCurve *self, guint step)
{
  return nth (&self->now, step);
}

double
sl_sigma_curve_get_timestep (SlSigmaCurve *self, guint step)
{
  return step < self->timesteps->len ? g_array_index (self->timesteps, double, step) : NAN;
}

guint
sl_sigma_curve_get_first_steps (SlSigmaCurve *self)
{
  return self->first.sigmas->len;
}

double
sl_sigma_curve_get_first_sigma (SlSigmaCurve *self, guint step)
{
  return nth (&self->first, step);
}

void
sl_sigma_curve_get_range (SlSigmaCurve *self, double *low, double *high)
{
  *low = self->low;
  *high = self->high;
}

int
sl_sigma_curve_get_named (SlSigmaCurve *self)
{
  return self->now.named;
}

/* ---- undo ---- */

static void
remember (SlSigmaCurve *self)
{
  g_queue_push_head (&self->undo, points_new (&self->now));
  forget (&self->redo);
}

static void
take_points (SlSigmaCurve *self, const Points *points)
{
  self->now.named = points->named;
  g_array_set_size (self->now.sigmas, 0);
  g_array_append_vals (self->now.sigmas, points->sigmas->data, points->sigmas->len);
  changed (self);
}

static void
go (SlSigmaCurve *self, GQueue *from, GQueue *to)
{
  Points *points = g_queue_pop_head (from);

  if (points == NULL)
    return;
  g_queue_push_head (to, points_new (&self->now));
  take_points (self, points);
  points_free (points);
}

gboolean
sl_sigma_curve_can_undo (SlSigmaCurve *self)
{
  return !g_queue_is_empty (&self->undo);
}

gboolean
sl_sigma_curve_can_redo (SlSigmaCurve *self)
{
  return !g_queue_is_empty (&self->redo);
}

void
sl_sigma_curve_undo (SlSigmaCurve *self)
{
  go (self, &self->undo, &self->redo);
}

void
sl_sigma_curve_redo (SlSigmaCurve *self)
{
  go (self, &self->redo, &self->undo);
}

void
sl_sigma_curve_reset (SlSigmaCurve *self)
{
  remember (self);
  take_points (self, &self->first);
}

/* ---- changes ---- */

static double
round_digits (double value)
{
  double power = pow (10, DIGITS - 1 - floor (log10 (value)));

  return round (value * power) / power;
}

void
sl_sigma_curve_move (SlSigmaCurve *self, guint step, double sigma, gboolean goes_on)
{
  guint last = self->now.sigmas->len - 1;
  double high = step > 0 ? nth (&self->now, step - 1) / NEAREST : self->high;
  double low = step < last ? nth (&self->now, step + 1) * NEAREST : self->low;

  if (low > high || !(sigma > 0))
    return;
  sigma = (float)CLAMP (round_digits (sigma), low, high);
  if (sigma == nth (&self->now, step))
    return;
  if (!goes_on)
    remember (self);
  self->now.named = -1;
  g_array_index (self->now.sigmas, double, step) = sigma;
  changed (self);
}

gboolean
sl_sigma_curve_add (SlSigmaCurve *self, guint step)
{
  guint steps = self->now.sigmas->len, after = MIN (step, steps >= 2 ? steps - 2 : 0);
  double above = nth (&self->now, after), below = steps >= 2 ? nth (&self->now, after + 1) : self->low;
  double sigma = (float)round_digits (sqrt (above * below));

  if (steps >= SL_SIGMA_CURVE_MAX || above < sigma * NEAREST || sigma < below * NEAREST)
    return FALSE;
  remember (self);
  self->now.named = -1;
  g_array_insert_val (self->now.sigmas, after + 1, sigma);
  changed (self);
  return TRUE;
}

gboolean
sl_sigma_curve_remove (SlSigmaCurve *self, guint step)
{
  if (self->now.sigmas->len < 2)
    return FALSE;
  remember (self);
  self->now.named = -1;
  g_array_remove_index (self->now.sigmas, step);
  changed (self);
  return TRUE;
}

/* Where a share of the way from the first level to the last one is, in logarithms. */
static double
between (const Points *points, double share)
{
  double at = share * (points->sigmas->len - 1);
  guint below = (guint)at;
  double w = at - below;

  if (w == 0)
    return nth (points, below);
  return (float)exp ((1 - w) * log (nth (points, below)) + w * log (nth (points, below + 1)));
}

static gboolean
take_named (SlSigmaCurve *self, int named, guint steps)
{
  SlSchedule schedule;
  gboolean ok = lay_out (self, named, NULL, steps, &schedule, NULL);

  if (ok)
    {
      remember (self);
      self->now.named = named;
      g_array_set_size (self->now.sigmas, 0);
      g_array_append_vals (self->now.sigmas, schedule.sigmas, (guint)schedule.steps);
      changed (self);
    }
  sl_schedule_free (&schedule);
  return ok;
}

void
sl_sigma_curve_set_steps (SlSigmaCurve *self, guint steps)
{
  Points points = { .named = -1 };

  if (steps == self->now.sigmas->len || (self->now.named >= 0 && take_named (self, self->now.named, steps)))
    return;
  points.sigmas = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < steps; i++)
    {
      double sigma = between (&self->now, steps > 1 ? (double)i / (steps - 1) : 0);

      g_array_append_val (points.sigmas, sigma);
    }
  remember (self);
  take_points (self, &points);
  g_array_unref (points.sigmas);
}

gboolean
sl_sigma_curve_set_named (SlSigmaCurve *self, guint choice)
{
  return (int)choice == self->now.named || take_named (self, (int)choice, self->now.sigmas->len);
}

char *
sl_sigma_curve_dup_text (SlSigmaCurve *self)
{
  char *text = sl_sigmas_text ((const double *)self->now.sigmas->data, (int)self->now.sigmas->len);
  char *copy = g_strdup (text ? text : "");

  free (text);
  return copy;
}

gboolean
sl_sigma_curve_take_text (SlSigmaCurve *self, const char *text, GError **error)
{
  double sigmas[SL_SIGMAS_MAX];
  SlError err = { 0 };
  Points points = { .named = -1 };
  int count;

  if (!sl_sigmas_parse (text, sigmas, &count, &err))
    {
      g_propagate_error (error, sl_app_error_new (&err));
      return FALSE;
    }
  points.sigmas = g_array_new (FALSE, FALSE, sizeof (double));
  g_array_append_vals (points.sigmas, sigmas, (guint)count - 1);
  remember (self);
  self->high = MAX (self->high, sigmas[0]);
  self->low = MIN (self->low, sigmas[count - 2]);
  take_points (self, &points);
  g_array_unref (points.sigmas);
  return TRUE;
}

void
sl_sigma_curve_apply (SlSigmaCurve *self, SlSettings *settings)
{
  g_autofree char *text = self->now.named < 0 ? sl_sigma_curve_dup_text (self) : g_strdup ("");

  g_object_set (settings, "sigmas", (guint)MAX (self->now.named, 0), "sigma-list", text, "steps",
                (int)self->now.sigmas->len, NULL);
  if (self->taken)
    g_object_set (settings, "scheduler", self->taken->id, NULL);
}

/* ---- class ---- */

static void
sl_sigma_curve_finalize (GObject *object)
{
  SlSigmaCurve *self = SL_SIGMA_CURVE (object);

  g_clear_object (&self->model);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->now.sigmas, g_array_unref);
  g_clear_pointer (&self->first.sigmas, g_array_unref);
  g_clear_pointer (&self->timesteps, g_array_unref);
  forget (&self->undo);
  forget (&self->redo);
  G_OBJECT_CLASS (sl_sigma_curve_parent_class)->finalize (object);
}

static void
sl_sigma_curve_class_init (SlSigmaCurveClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_sigma_curve_finalize;
  signals[CHANGED]
      = g_signal_new ("changed", SL_TYPE_SIGMA_CURVE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_sigma_curve_init (SlSigmaCurve *self)
{
  self->now.sigmas = g_array_new (FALSE, FALSE, sizeof (double));
  self->timesteps = g_array_new (FALSE, FALSE, sizeof (double));
}
