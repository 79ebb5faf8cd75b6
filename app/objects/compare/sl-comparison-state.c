/* sl-comparison-state.c - see sl-comparison-state.h.
 *
 * Easy to get wrong: a lane that is started again is the same lane with another run, so the state has lanes
 * of its own.
 */
#include "app/objects/compare/sl-comparison-state.h"

#include "app/objects/compare/sl-comparison-private.h"

struct _SlComparisonState
{
  GPtrArray *lanes; /* of SlCompareLane */
  guint reference;
  SlAlign align;
  double position;
  SlModelItem *model; /* NULL before the first start, as the recipe */
  SlSettings *recipe;
  SlPreviews previews;
  SlGridPlan *grid;
  SlSettings *origin;
};

static SlCompareLane *
copy_lane (SlCompareLane *lane)
{
  SlCompareLane *copy
      = sl_compare_lane_new (sl_compare_lane_get_own (lane), sl_compare_lane_get_values (lane));

  sl_compare_lane_set_color (copy, sl_compare_lane_get_color (lane));
  if (sl_compare_lane_get_job (lane))
    sl_compare_lane_set_job (copy, sl_compare_lane_get_job (lane));
  sl_compare_lane_set_cell (copy, sl_compare_lane_get_cell (lane));
  return copy;
}

SlComparisonState *
sl_comparison_state_new (SlComparison *comparison)
{
  g_autoptr (SlComparisonState) state = g_new0 (SlComparisonState, 1);
  guint frames = 0;

  state->lanes = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < _sl_comparison_count (comparison); i++)
    {
      frames += _sl_comparison_count_frames (sl_comparison_get_job (comparison, i));
      g_ptr_array_add (state->lanes, copy_lane (sl_comparison_get_lane (comparison, i)));
    }
  state->reference = sl_comparison_get_reference (comparison);
  state->align = sl_comparison_get_align (comparison);
  state->position = sl_comparison_get_position (comparison);
  g_set_object (&state->model, comparison->model);
  g_set_object (&state->recipe, comparison->recipe);
  state->previews = comparison->previews;
  g_set_object (&state->grid, comparison->grid);
  g_set_object (&state->origin, comparison->origin);
  return frames > 0 ? g_steal_pointer (&state) : NULL;
}

void
sl_comparison_state_free (SlComparisonState *state)
{
  if (state == NULL)
    return;
  g_ptr_array_unref (state->lanes);
  g_clear_object (&state->model);
  g_clear_object (&state->recipe);
  g_clear_object (&state->grid);
  g_clear_object (&state->origin);
  g_free (state);
}

gboolean
sl_comparison_state_has_branches (const SlComparisonState *state)
{
  for (guint i = 0; i < state->lanes->len; i++)
    {
      SlJob *job = sl_compare_lane_get_job (state->lanes->pdata[i]);

      if (job && sl_job_get_parent (job))
        return TRUE;
    }
  return FALSE;
}

void
sl_comparison_state_restore (const SlComparisonState *state, SlComparison *comparison)
{
  sl_comparison_clear (comparison);
  g_set_object (&comparison->grid, state->grid);
  g_set_object (&comparison->origin, state->origin);
  _sl_comparison_add_all (comparison, state->lanes);
  for (guint i = 0; i < state->lanes->len; i++)
    {
      SlJob *job = sl_compare_lane_get_job (state->lanes->pdata[i]);

      if (job)
        _sl_comparison_watch (comparison, job);
    }
  g_set_object (&comparison->model, state->model);
  g_set_object (&comparison->recipe, state->recipe);
  comparison->previews = state->previews;
  sl_comparison_set_align (comparison, state->align);
  sl_comparison_set_reference (comparison, state->reference);
  sl_comparison_set_position (comparison, state->position);
}
