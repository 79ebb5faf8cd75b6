/* sl-compare-presets.c - see sl-compare-presets.h. */
#include "app/objects/compare/sl-compare-presets.h"

#include <stdlib.h>
#include <string.h>

#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/sl-model-item-private.h"
#include "engine/engine.h"

/* Of those that suit the model: the four that a newcomer should see, then those that differ most from
 * them. */
static const char *const usual_schedulers[]
    = { "flow-euler", "flow-heun", "pndm", "ddim",         "dpmpp-2m",  "unipc",     "euler",
        "euler-a",    "heun",      "lms",  "dpmpp-2m-sde", "edm-euler", "edm-dpmpp", "edm-dpmpp-sde" };

#define N_FIRST 4
#define REFERENCE_STEPS 100

static gboolean
add (SlComparison *comparison, SlOwn own, SlSettings *values)
{
  g_autoptr (SlCompareLane) lane = sl_compare_lane_new (own, values);

  return sl_comparison_add (comparison, lane);
}

/* Whether its picture is made with these settings: its run's count, or before it has one those that it would get. A
 * branch began with others. */
static gboolean
is_made_with (SlCompareLane *lane, SlSettings *common, SlSettings *wanted)
{
  SlJob *job = sl_compare_lane_get_job (lane);
  g_autoptr (SlSettings) settings
      = job ? g_object_ref (sl_job_get_settings (job)) : sl_compare_lane_resolve (lane, common);

  return !(job && sl_job_get_parent (job)) && sl_own_between (settings, wanted) == 0;
}

/* A lane that has only the scheduler of its own, or a run that is otherwise as a new lane would be. */
static gboolean
has_scheduler (SlComparison *comparison, const char *id, SlSettings *recipe)
{
  SlSettings *common = comparison->recipe ? comparison->recipe : recipe;
  g_autoptr (SlSettings) wanted = sl_settings_dup (common);

  g_object_set (wanted, "scheduler", id, NULL);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    {
      SlCompareLane *lane = sl_comparison_get_lane (comparison, i);

      if (is_made_with (lane, common, wanted))
        return TRUE;
      if (sl_compare_lane_get_own (lane) == sl_own ("scheduler")
          && g_str_equal (sl_settings_get_scheduler (sl_compare_lane_get_values (lane)), id))
        return TRUE;
    }
  return FALSE;
}

static gboolean
suits (const char *id, SlPrediction prediction)
{
  const SlSchedulerInfo *info = sl_scheduler_find (id);

  return info && sl_scheduler_suits (info, prediction);
}

static guint
add_scheduler (SlComparison *comparison, const char *id, SlPrediction prediction, SlSettings *values)
{
  if (!suits (id, prediction) || has_scheduler (comparison, id, values))
    return 0;
  g_object_set (values, "scheduler", id, NULL);
  return add (comparison, sl_own ("scheduler"), values);
}

/* The first n of the usual ones that suit the model. */
static guint
add_schedulers (SlComparison *comparison, guint n, SlPrediction prediction, SlSettings *values)
{
  guint added = 0;

  for (guint i = 0; i < G_N_ELEMENTS (usual_schedulers) && n > 0; i++)
    if (suits (usual_schedulers[i], prediction))
      {
        added += add_scheduler (comparison, usual_schedulers[i], prediction, values);
        n--;
      }
  return added;
}

/* The usual ones first, then whichever there are, until the table is full. */
static guint
add_all_schedulers (SlComparison *comparison, SlPrediction prediction, SlSettings *values)
{
  guint added = add_schedulers (comparison, G_N_ELEMENTS (usual_schedulers), prediction, values);

  for (int i = 0; i < sl_scheduler_count (); i++)
    added += add_scheduler (comparison, sl_scheduler_info (i)->id, prediction, values);
  return added;
}

static guint
add_steps (SlComparison *comparison, SlSettings *values)
{
  int steps = sl_settings_get_steps (values), last = 0;
  const int choices[] = { steps / 4, steps / 2, steps, steps * 2 };
  guint added = 0;

  for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      int wanted = CLAMP (choices[i], 1, 1000);

      if (wanted == last)
        continue;
      g_object_set (values, "steps", wanted, NULL);
      added += add (comparison, sl_own ("steps"), values);
      last = wanted;
    }
  return added;
}

static guint
add_guidance (SlComparison *comparison, SlSettings *values)
{
  const double choices[] = { 1, 4, 7.5, 12 };
  guint added = 0;

  for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      g_object_set (values, "guidance", choices[i], NULL);
      added += add (comparison, sl_own ("guidance"), values);
    }
  return added;
}

/* Every way that the scheduler has to lay its noise levels out. Align Your Steps was found for each kind of model by
 * itself: of the two the one that is not this model's is left out. */
static guint
add_sigmas (SlComparison *comparison, SlPrediction prediction, gboolean xl, SlSettings *values)
{
  guint other_steps = xl ? SL_SIGMAS_AYS : SL_SIGMAS_AYS_SDXL;
  const SlSchedulerInfo *info = sl_scheduler_find (sl_settings_get_scheduler (values));
  SlOwn own = sl_own ("sigmas");
  guint added = 0;

  if (info == NULL || !sl_scheduler_for (info, prediction).takes_sigmas)
    {
      const SlSchedulerInfo *plain = sl_scheduler_plain (prediction);

      info = plain->takes_sigmas ? plain : sl_scheduler_find ("dpmpp-2m");
      g_object_set (values, "scheduler", info->id, NULL);
      own |= sl_own ("scheduler");
    }
  for (guint sigmas = SL_SIGMAS_MODEL; sigmas < SL_SIGMAS_OWN; sigmas++)
    {
      if (!sl_scheduler_takes_sigmas (info, sigmas) || sigmas == other_steps)
        continue;
      g_object_set (values, "sigmas", sigmas, NULL);
      added += add (comparison, own, values);
    }
  return added;
}

/* Of the noise that DDPM adds at each step; no other scheduler has the choice. */
static guint
add_variances (SlComparison *comparison, SlSettings *values)
{
  guint added = 0;

  g_object_set (values, "scheduler", "ddpm", NULL);
  for (guint variance = SL_VARIANCE_SMALL; variance <= SL_VARIANCE_LARGE; variance++)
    {
      g_object_set (values, "variance", variance, NULL);
      added += add (comparison, sl_own ("scheduler") | sl_own ("variance"), values);
    }
  return added;
}

static guint
add_seeds (SlComparison *comparison, SlSettings *values)
{
  guint64 seed = sl_settings_get_seed (values);
  guint added = 0;

  for (guint i = 0; i < N_FIRST; i++)
    {
      g_object_set (values, "seed", seed + i, NULL);
      added += add (comparison, sl_own ("seed"), values);
    }
  return added;
}

/* A LoRA of the recipe from off to as it was trained. The texts' strength goes along where it is the UNet's. */
static guint
add_strengths (SlComparison *comparison, int which, SlSettings *values)
{
  static const double strengths[] = { 0, 0.25, 0.5, 0.75, 1 };
  g_autofree char *text = NULL;
  SlAdapterUses uses;
  guint added = 0;
  gboolean both;

  g_object_get (values, "lora", &text, NULL);
  if (!sl_adapter_uses_parse (text, &uses, NULL) || which < 0 || which >= uses.count)
    {
      sl_adapter_uses_free (&uses);
      return 0;
    }
  both = uses.use[which].text == uses.use[which].unet;
  for (guint i = 0; i < G_N_ELEMENTS (strengths); i++)
    {
      char *changed;

      uses.use[which].unet = strengths[i];
      if (both)
        uses.use[which].text = strengths[i];
      changed = sl_adapter_uses_text (&uses);
      if (changed == NULL)
        break;
      g_object_set (values, "lora", changed, NULL);
      added += add (comparison, sl_own ("lora"), values);
      free (changed);
    }
  sl_adapter_uses_free (&uses);
  return added;
}

#define FIRST_BLOCK_THRESHOLD 0.1

/* The recipe as it is, which the others are measured against, and both ways to spare evaluations. */
static guint
add_caching (SlComparison *comparison, SlSettings *values)
{
  const SlOwn own = sl_own ("caching");
  guint added = 0;

  g_object_set (values, "caching", SL_CACHING_OFF, NULL);
  added += add (comparison, own, values);
  g_object_set (values, "caching", SL_CACHING_DEEP, NULL);
  added += add (comparison, own, values);
  g_object_set (values, "caching", SL_CACHING_FIRST_BLOCK, "caching-threshold", FIRST_BLOCK_THRESHOLD, NULL);
  added += add (comparison, own | sl_own ("caching-threshold"), values);
  sl_comparison_set_reference (comparison, 0);
  return added;
}

static guint
add_reference (SlComparison *comparison, SlPrediction prediction, SlSettings *values)
{
  guint index = g_list_model_get_n_items (G_LIST_MODEL (comparison));

  g_object_set (values, "scheduler", sl_scheduler_plain (prediction)->id, "steps", REFERENCE_STEPS, NULL);
  if (!add (comparison, sl_own ("scheduler") | sl_own ("steps"), values))
    return 0;
  sl_comparison_set_reference (comparison, index);
  return 1;
}

guint
sl_compare_presets_add (SlComparison *comparison, const char *name, SlSettings *recipe, SlModelItem *model)
{
  g_autoptr (SlSettings) values = sl_settings_dup (recipe);
  SlPrediction prediction = model ? _sl_model_item_get_info (model)->prediction : SL_PREDICT_EPSILON;

  if (g_str_equal (name, "four"))
    return add_schedulers (comparison, N_FIRST, prediction, values);
  if (g_str_equal (name, "schedulers"))
    return add_all_schedulers (comparison, prediction, values);
  if (g_str_equal (name, "steps"))
    return add_steps (comparison, values);
  if (g_str_equal (name, "guidance"))
    return add_guidance (comparison, values);
  if (g_str_equal (name, "sigmas"))
    return add_sigmas (comparison, prediction,
                       model && (_sl_model_item_get_info (model)->pipeline->has & SL_HAS_SIZES), values);
  if (g_str_equal (name, "variances"))
    return add_variances (comparison, values);
  if (g_str_equal (name, "caching"))
    return add_caching (comparison, values);
  if (g_str_equal (name, "seeds"))
    return add_seeds (comparison, values);
  if (g_str_equal (name, "strengths"))
    return add_strengths (comparison, 0, values);
  if (g_str_has_prefix (name, "strengths/"))
    return add_strengths (comparison, (int)g_ascii_strtoll (strchr (name, '/') + 1, NULL, 10), values);
  if (g_str_equal (name, "reference"))
    return add_reference (comparison, prediction, values);
  if (g_str_equal (name, "lane"))
    return add (comparison, 0, values);
  return add_scheduler (comparison, name, prediction, values);
}
