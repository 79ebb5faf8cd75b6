/* sl-comparison-names.c - what lanes are called in the window; see sl-comparison.h. */
#include <langinfo.h>

#include "app/objects/compare/sl-comparison-private.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-settings-private.h"
#include "app/record/record.h"

static const char *
one (const char *text)
{
  return g_dgettext (NULL, text);
}

static const char *
several (const char *singular, const char *plural, gulong n)
{
  return g_dngettext (NULL, singular, plural, n);
}

/* Of a branch: the steps that its ancestors' frames end. */
static int
steps_before (SlJob *job)
{
  guint n = sl_job_get_branch_point (job);
  g_autoptr (SlFrameObject) last = n > 0 ? g_list_model_get_item (sl_job_get_frames (job), n - 1) : NULL;

  return last ? sl_frame_object_get_step (last) + 1 : 0;
}

static void
take_run (SlJob *job, SlNamedLane *named)
{
  const SlMetadata *metadata = _sl_job_get_metadata (job);
  SlJob *parent = sl_job_get_parent (job);

  named->recipe = _sl_job_get_recipe (job);
  if (parent)
    named->left = _sl_job_get_recipe (parent);
  else if (metadata && metadata->origin)
    named->left = metadata->origin->recipe;
  if (named->left)
    named->step = steps_before (job);
}

/* What is known of the lanes; recipes, [n], is room for those that have no run. */
static SlNamedLane *
list_lanes (SlComparison *self, SlSettings *recipe, SlRecipe *recipes)
{
  guint n = _sl_comparison_count (self);
  SlNamedLane *lanes = g_new0 (SlNamedLane, n + 1);

  for (guint i = 0; i < n; i++)
    {
      SlCompareLane *lane = sl_comparison_get_lane (self, i);

      if (sl_compare_lane_get_job (lane))
        take_run (sl_compare_lane_get_job (lane), &lanes[i]);
      else
        {
          _sl_compare_lane_get_recipe (lane, recipe, &recipes[i]);
          lanes[i].recipe = &recipes[i];
        }
    }
  return lanes;
}

/* Of lanes first .. first + count - 1. */
static char **
dup_names (SlComparison *self, guint first, guint count, SlSettings *recipe)
{
  guint n = _sl_comparison_count (self);
  const SlLaneWords words = { one, several, *nl_langinfo (RADIXCHAR) };
  g_autofree SlRecipe *recipes = g_new (SlRecipe, n + 1);
  g_autofree SlNamedLane *lanes = list_lanes (self, recipe, recipes);
  SlLaneNames *names = sl_lane_names_new (lanes, (int)n);
  char **all = g_new0 (char *, count + 1);

  if (names == NULL)
    g_error ("out of memory for the names of lanes"); /* as g_malloc */
  for (guint i = 0; i < count; i++)
    {
      SlText text = { 0 };

      sl_lane_names_add (names, (int)(first + i), &words, &text);
      if (text.failed)
        g_error ("out of memory for a lane's name");
      all[i] = g_strdup (text.data);
      sl_text_free (&text);
    }
  sl_lane_names_free (names);
  return all;
}

char *
sl_comparison_dup_lane_name (SlComparison *self, guint index, SlSettings *recipe)
{
  g_auto (GStrv) names = dup_names (self, index, 1, recipe);

  return g_steal_pointer (&names[0]);
}

char **
sl_comparison_dup_lane_names (SlComparison *self, SlSettings *recipe)
{
  return dup_names (self, 0, _sl_comparison_count (self), recipe);
}
