/* sl-lanes-again.c - see sl-lanes-again.h.
 *
 * Easy to get wrong: a person may change the lanes meanwhile, so a run's lane is looked for each time; where it is gone,
 * so are its branches.
 */
#include "ui/compare/sl-lanes-again.h"

struct _SlLanesAgain
{
  GObject parent_instance;
  SlWorkspace *workspace;
  SlComparisonRecipe *recipe; /* NULL: nothing is under way */
  GPtrArray *lanes;           /* of SlCompareLane: each run's; NULL where it was not begun */
  gboolean working;
};

G_DEFINE_FINAL_TYPE (SlLanesAgain, sl_lanes_again, G_TYPE_OBJECT)

static guint
index_of (SlComparison *comparison, SlCompareLane *lane)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++)
    if (sl_comparison_get_lane (comparison, i) == lane)
      return i;
  return G_MAXUINT;
}

/* After how many evaluations a run has finished so many of its own steps; 0: it does not. A branch counts its steps on
 * from its parent's. */
static int
find_evaluations (SlJob *job, int step)
{
  SlFrameObject *last = sl_job_get_last_frame (job);
  const SlPlanPoint *plan = sl_job_get_plan (job);
  int offset
      = last ? sl_frame_object_get_steps (last) - sl_settings_get_steps (sl_job_get_settings (job)) : 0;

  for (int n = 1; plan && n <= sl_job_get_evaluations (job); n++)
    if (plan[n - 1].ends_step && plan[n - 1].step + 1 == step + offset)
      return n;
  return 0;
}

static SlCompareLane *
new_lane (SlComparisonRecipe *recipe, guint run, SlSettings *base)
{
  SlSettings *settings = sl_comparison_recipe_get_settings (recipe, run);
  int cell = sl_comparison_recipe_get_cell (recipe, run);
  SlOwn axes = cell < 0 ? 0 : sl_grid_plan_get_own (sl_comparison_recipe_get_grid (recipe));
  SlCompareLane *lane = sl_compare_lane_new (sl_own_between (base, settings) | axes, settings);

  sl_compare_lane_set_cell (lane, cell);
  sl_compare_lane_compute_as (lane, sl_comparison_recipe_get_computed (recipe, run));
  return lane;
}

/* FALSE: it waits for its parent. */
static gboolean
try_branch (SlLanesAgain *self, guint run)
{
  SlComparison *comparison = self->workspace->comparison;
  int step, parent = sl_comparison_recipe_get_parent (self->recipe, run, &step), evaluations;
  SlCompareLane *lane = self->lanes->pdata[parent];
  guint index = lane ? index_of (comparison, lane) : G_MAXUINT;
  SlJob *job = index == G_MAXUINT ? NULL : sl_comparison_get_job (comparison, index);
  SlSettings *settings = sl_comparison_recipe_get_settings (self->recipe, run);
  guint count = g_list_model_get_n_items (G_LIST_MODEL (comparison));

  if (job == NULL)
    return TRUE; /* with its parent's lane */
  if (!sl_job_is_over (job))
    return FALSE;
  evaluations = find_evaluations (job, step);
  if (evaluations == 0 || evaluations > (int)g_list_model_get_n_items (sl_job_get_frames (job)))
    return TRUE;
  sl_comparison_set_align (comparison, SL_ALIGN_EVALUATIONS);
  sl_comparison_set_position (comparison, evaluations);
  if (sl_comparison_branch (comparison, index, sl_own_between (sl_job_get_settings (job), settings), settings,
                            NULL))
    g_set_object ((SlCompareLane **)&self->lanes->pdata[run], sl_comparison_get_lane (comparison, count));
  return TRUE;
}

static void
state_changed (SlLanesAgain *self)
{
  SlComparison *comparison = self->workspace->comparison;
  guint runs = self->recipe ? sl_comparison_recipe_get_runs (self->recipe) : 0, waiting = 0;
  int step;

  if (runs == 0 || self->working || self->workspace->closed || sl_comparison_is_busy (comparison))
    return;
  self->working = TRUE;
  for (guint run = 0; run < runs; run++)
    if (self->lanes->pdata[run] == NULL && sl_comparison_recipe_get_parent (self->recipe, run, &step) >= 0)
      waiting += !try_branch (self, run);
  self->working = FALSE;
  if (waiting > 0 || sl_comparison_is_busy (comparison))
    return;
  g_clear_object (&self->recipe);
  sl_comparison_set_align (comparison, SL_ALIGN_STEPS);
  sl_comparison_move (comparison, G_MAXINT);
}

gboolean
sl_lanes_again_begin (SlLanesAgain *self, SlComparisonRecipe *recipe, GError **error)
{
  SlWorkspace *workspace = self->workspace;
  SlSettings *first = sl_comparison_recipe_get_settings (recipe, 0);
  g_autoptr (GPtrArray) begun = g_ptr_array_new ();
  int step;

  g_clear_object (&self->recipe);
  g_ptr_array_set_size (self->lanes, 0);
  g_ptr_array_set_size (self->lanes, (int)sl_comparison_recipe_get_runs (recipe));
  for (guint run = 0; run < sl_comparison_recipe_get_runs (recipe); run++)
    if (sl_comparison_recipe_get_parent (recipe, run, &step) < 0)
      {
        self->lanes->pdata[run] = new_lane (recipe, run, first);
        g_ptr_array_add (begun, self->lanes->pdata[run]);
      }
  sl_comparison_set_lanes (workspace->comparison, begun, sl_comparison_recipe_get_grid (recipe));
  sl_comparison_set_align (workspace->comparison, SL_ALIGN_STEPS);
  sl_comparison_set_templates (workspace->comparison, NULL); /* the prompts are those that were drawn */
  if (!sl_comparison_start (workspace->comparison, workspace->model, first,
                            sl_workspace_get_previews (workspace), error))
    return FALSE;
  self->recipe = g_object_ref (recipe);
  return TRUE;
}

/* ---- class ---- */

static void
free_lane (gpointer lane)
{
  if (lane)
    g_object_unref (lane);
}

static void
sl_lanes_again_dispose (GObject *object)
{
  SlLanesAgain *self = SL_LANES_AGAIN (object);

  g_clear_object (&self->recipe);
  g_clear_pointer (&self->lanes, g_ptr_array_unref);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_lanes_again_parent_class)->dispose (object);
}

static void
sl_lanes_again_class_init (SlLanesAgainClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_lanes_again_dispose;
}

static void
sl_lanes_again_init (SlLanesAgain *self)
{
  self->lanes = g_ptr_array_new_with_free_func (free_lane);
}

SlLanesAgain *
sl_lanes_again_new (SlWorkspace *workspace)
{
  SlLanesAgain *self = g_object_new (SL_TYPE_LANES_AGAIN, NULL);

  self->workspace = g_object_ref (workspace);
  g_signal_connect_object (workspace->comparison, "state", G_CALLBACK (state_changed), self,
                           G_CONNECT_SWAPPED);
  return self;
}
