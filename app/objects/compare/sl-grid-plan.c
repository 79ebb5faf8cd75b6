/* sl-grid-plan.c - see sl-grid-plan.h. */
#include "app/objects/compare/sl-grid-plan-private.h"

#include <stdlib.h>
#include <string.h>

#include "app/objects/compare/sl-comparison.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"

#define MOST_CHARACTERS 60 /* of a value in a sentence */

struct _SlGridPlan
{
  GObject parent_instance;
  SlGrid grid;
};

G_DEFINE_FINAL_TYPE (SlGridPlan, sl_grid_plan, G_TYPE_OBJECT)

static void
sl_grid_plan_finalize (GObject *object)
{
  sl_grid_clear (&SL_GRID_PLAN (object)->grid);
  G_OBJECT_CLASS (sl_grid_plan_parent_class)->finalize (object);
}

static void
sl_grid_plan_class_init (SlGridPlanClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_grid_plan_finalize;
}

static void
sl_grid_plan_init (SlGridPlan *self)
{
}

static const SlSettingInfo *
setting_of (const SlControl *control)
{
  return sl_setting_find (control->key);
}

static gboolean
fail (const SlError *problem, GError **error)
{
  g_propagate_error (error, sl_app_error_new (problem));
  return FALSE;
}

/* ---- making one ---- */

SlGridPlan *
sl_grid_plan_new (const SlPlanText text[SL_PLAN_AXES], GError **error)
{
  g_autoptr (SlGridPlan) self = g_object_new (SL_TYPE_GRID_PLAN, NULL);
  SlGridFault fault = { 0 };
  SlError problem = { 0 };
  gboolean ok = TRUE;

  for (int i = 0; ok && i < SL_PLAN_AXES; i++)
    ok = sl_grid_parse_values (&self->grid, (SlGridAxisName)i,
                               setting_of (sl_control_find (text[i].property))->id, text[i].values, &fault);
  if (ok && sl_grid_check (&self->grid, &fault))
    return g_steal_pointer (&self);
  sl_grid_fault_say (&fault, &problem);
  fail (&problem, error);
  return NULL;
}

SlGridPlan *
_sl_grid_plan_new_of (const SlGrid *grid)
{
  SlGridPlan *self = g_object_new (SL_TYPE_GRID_PLAN, NULL);

  if (!sl_grid_copy (grid, &self->grid))
    g_error ("out of memory for a grid"); /* as g_malloc */
  return self;
}

const SlGrid *
_sl_grid_plan_get_grid (SlGridPlan *self)
{
  return &self->grid;
}

guint
sl_grid_plan_count (SlGridPlan *self, SlPlanAxis axis)
{
  return (guint)self->grid.axis[axis].count;
}

SlOwn
sl_grid_plan_get_own (SlGridPlan *self)
{
  return sl_settings_own (sl_grid_settings (&self->grid));
}

const SlControl *
sl_grid_plan_get_control (SlGridPlan *self, SlPlanAxis axis)
{
  return sl_control_nth (self->grid.axis[axis].setting);
}

/* ---- cells ---- */

SlSettings *
sl_grid_plan_settings (SlGridPlan *self, guint cell, SlSettings *recipe, GError **error)
{
  g_autoptr (SlSettings) settings = sl_settings_dup (recipe);
  SlError problem = { 0 };
  SlRecipe values;

  _sl_settings_get_recipe (recipe, &values);
  if (!sl_grid_apply (&self->grid, (int)cell, &values, &problem))
    {
      fail (&problem, error);
      return NULL;
    }
  sl_recipe_drop_missing (&values, ~sl_grid_settings (&self->grid));
  _sl_settings_set_recipe (settings, &values);
  return g_steal_pointer (&settings);
}

/* So much of a value as a sentence has room for; characters, or half of one would be no text any more. */
static char *
beginning_of (const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  return g_utf8_substring (valid, 0, MIN (g_utf8_strlen (valid, -1), MOST_CHARACTERS));
}

/* "x=euler, y=20: ..." before what is wrong. */
static void
name_cell (SlGridPlan *self, guint cell, GError **error)
{
  guint columns = sl_grid_plan_count (self, SL_PLAN_ACROSS);
  g_autofree char *x = beginning_of (self->grid.axis[SL_GRID_X].value[cell % columns]);
  g_autofree char *y = beginning_of (self->grid.axis[SL_GRID_Y].value[cell / columns]);

  g_prefix_error (error, "x=%s, y=%s: ", x, y);
}

gboolean
sl_grid_plan_check (
    SlGridPlan *self, SlModelItem *model, SlSettings *recipe, guint *evaluations, GError **error)
{
  guint cells = (guint)sl_grid_cells (&self->grid);

  *evaluations = 0;
  for (guint i = 0; i < cells; i++)
    {
      g_autoptr (SlSettings) settings = sl_grid_plan_settings (self, i, recipe, error);
      SlRecipe values;

      if (settings == NULL || !sl_model_item_check (model, settings, error))
        {
          name_cell (self, i, error);
          return FALSE;
        }
      _sl_settings_get_recipe (settings, &values);
      *evaluations += (guint)sl_grid_evaluations (&values);
    }
  if (*evaluations > SL_LANES_FILE_MOMENTS)
    {
      SlError problem = { 0 };

      sl_fail (&problem, SL_ARGUMENT,
               "the grid takes %u evaluations, and a comparison keeps %d; expected fewer cells or steps",
               *evaluations, SL_LANES_FILE_MOMENTS);
      return fail (&problem, error);
    }
  return TRUE;
}

/* ---- what there is to choose ---- */

gboolean
sl_grid_plan_offers (const SlControl *control, SlModelItem *model)
{
  return control->own && control->label && sl_grid_has (setting_of (control))
         && sl_setting_exists (setting_of (control), model ? _sl_model_item_get_info (model) : NULL, NULL);
}

static SlPrediction
prediction_of (SlModelItem *model)
{
  return model ? _sl_model_item_get_info (model)->prediction : SL_PREDICT_EPSILON;
}

char **
sl_grid_plan_values (const SlControl *control, SlModelItem *model, SlSettings *recipe)
{
  GPtrArray *values = g_ptr_array_new ();
  const SlSettingInfo *setting = setting_of (control);
  const SlSchedulerInfo *scheduler = sl_scheduler_find (sl_settings_get_scheduler (recipe));

  for (int i = 0; control->kind == SL_CONTROL_SCHEDULER && i < sl_scheduler_count (); i++)
    if (sl_scheduler_suits (sl_scheduler_grouped (i), prediction_of (model)))
      g_ptr_array_add (values, g_strdup (sl_scheduler_grouped (i)->id));
  for (guint i = 0; control->kind == SL_CONTROL_CHOICE && i < control->n_choices; i++)
    if (setting->id != SL_SETTING_SIGMAS || scheduler == NULL
        || sl_scheduler_takes_sigmas (scheduler, (SlSigmas)i))
      g_ptr_array_add (values, g_strdup (setting->choices[i]));
  g_ptr_array_add (values, NULL);
  return (char **)g_ptr_array_free (values, FALSE);
}

guint
sl_grid_plan_find_choice (const SlControl *control, const char *value)
{
  for (guint i = 0; i < control->n_choices; i++)
    if (g_str_equal (setting_of (control)->choices[i], value))
      return i;
  return 0;
}

/* A list of several values with commas. */
static char *
join (const char *const *values, guint most)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; values[i] && i < most; i++)
    g_string_append_printf (text, "%s%s", i ? ", " : "", values[i]);
  return g_string_free (text, FALSE);
}

/* Those of a newcomer that suit the model. */
static char *
usual_schedulers (SlModelItem *model)
{
  static const char *const usual[]
      = { "flow-euler", "flow-heun", "euler", "ddim", "dpmpp-2m", "unipc", "edm-euler", "edm-dpmpp" };
  const char *found[G_N_ELEMENTS (usual) + 1] = { NULL };
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
    if (sl_scheduler_suits (sl_scheduler_find (usual[i]), prediction_of (model)))
      found[n++] = usual[i];
  return join (found, 4);
}

static void
add_steps (GPtrArray *presets, int steps)
{
  g_ptr_array_add (presets, g_strdup_printf ("%d, %d, %d", MAX (steps / 2, 1), MAX (steps, 2),
                                             MIN (MAX (steps, 2) * 2, 1000)));
  g_ptr_array_add (presets, g_strdup ("4, 8, 16, 32"));
  g_ptr_array_add (presets, g_strdup ("10..50:10"));
}

/* The range of a number, as far as people use it. */
static void
add_numbers (GPtrArray *presets, const SlControl *control)
{
  int whole = (int)MAX (control->min, 0);

  if (control->digits == 0)
    g_ptr_array_add (presets, g_strdup_printf ("%d..%d", whole, whole + 3));
  else if (control->max <= 1)
    {
      g_ptr_array_add (presets, g_strdup ("0.25, 0.5, 0.75"));
      g_ptr_array_add (presets, g_strdup (control->min <= 0 ? "0..0.9:0.1" : "0.1..0.9:0.1"));
    }
}

/* In double quotes, a quote in it twice. */
static char *
quote (const char *words)
{
  g_auto (GStrv) parts = g_strsplit (words, "\"", -1);
  g_autofree char *doubled = g_strjoinv ("\"\"", parts);

  return g_strdup_printf ("\"%s\"", doubled);
}

char **
sl_grid_plan_presets (const SlControl *control, SlModelItem *model, SlSettings *recipe)
{
  GPtrArray *presets = g_ptr_array_new ();
  guint64 seed = sl_settings_get_seed (recipe);
  g_auto (GStrv) values = sl_grid_plan_values (control, model, recipe);
  g_autofree char *words = NULL;

  switch (control->kind)
    {
    case SL_CONTROL_SCHEDULER:
      g_ptr_array_add (presets, usual_schedulers (model));
      break;
    case SL_CONTROL_CHOICE:
      g_ptr_array_add (presets, join ((const char *const *)values, G_MAXUINT));
      break;
    case SL_CONTROL_SEED:
      seed = MIN (seed, G_MAXUINT64 - 8);
      g_ptr_array_add (presets,
                       g_strdup_printf ("%" G_GUINT64_FORMAT "..%" G_GUINT64_FORMAT, seed, seed + 3));
      g_ptr_array_add (presets,
                       g_strdup_printf ("%" G_GUINT64_FORMAT "..%" G_GUINT64_FORMAT, seed, seed + 8));
      break;
    case SL_CONTROL_WORDS:
      g_object_get (recipe, control->property, &words, NULL);
      if (g_str_equal (control->property, "lora") && *words)
        {
          g_ptr_array_add (presets, g_strdup ("0..1:0.25"));
          g_ptr_array_add (presets, g_strdup ("0, 0.5, 1, 1.5"));
        }
      else if (*words)
        g_ptr_array_add (presets, quote (words));
      break;
    default:
      if (g_str_equal (control->property, "steps"))
        add_steps (presets, sl_settings_get_steps (recipe));
      else if (g_str_equal (control->property, "guidance"))
        {
          g_ptr_array_add (presets, g_strdup ("1, 4, 7.5, 12"));
          g_ptr_array_add (presets, g_strdup ("2..10:2"));
        }
      else
        add_numbers (presets, control);
    }
  g_ptr_array_add (presets, NULL);
  return (char **)g_ptr_array_free (presets, FALSE);
}
