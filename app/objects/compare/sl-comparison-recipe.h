/* sl-comparison-recipe.h - what a contact sheet or an animation of ours says it was made of: enough to make it again.
 *
 * Its runs are those of the lanes and the ones that they branched from, each behind its parent; equal ones are one run.
 */
#pragma once

#include "app/objects/compare/sl-compare-lane.h"
#include "app/objects/compare/sl-grid-plan.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

#define SL_TYPE_COMPARISON_RECIPE (sl_comparison_recipe_get_type ())

G_DECLARE_FINAL_TYPE (SlComparisonRecipe, sl_comparison_recipe, SL, COMPARISON_RECIPE, GObject)

/* recipe is NULL where the file is none of these, and error as well; or it is one and damaged, and error says how. All
 * borrowed during the call. */
typedef void (*SlComparisonRecipeFunc) (SlComparisonRecipe *recipe, const GError *error, gpointer user_data);

/* Reads on the file thread; read is called on the main thread. */
void sl_comparison_recipe_read (SlThreadQueue *files,
                                const char *path,
                                SlComparisonRecipeFunc read,
                                gpointer user_data);
/* How many lanes the picture shows. */
guint sl_comparison_recipe_get_lanes (SlComparisonRecipe *self);
/* It develops. */
gboolean sl_comparison_recipe_is_animation (SlComparisonRecipe *self);
/* The model of the first lane, as the file names it. */
const char *sl_comparison_recipe_get_model (SlComparisonRecipe *self);
guint sl_comparison_recipe_get_runs (SlComparisonRecipe *self);
SlSettings *sl_comparison_recipe_get_settings (SlComparisonRecipe *self, guint run);
/* What it was computed on and in, borrowed. */
SlComputed sl_comparison_recipe_get_computed (SlComparisonRecipe *self, guint run);
/* The run that it branched from, and after how many steps of that; -1: it began with noise. */
int sl_comparison_recipe_get_parent (SlComparisonRecipe *self, guint run, int *step);
/* The grid whose cells its lanes are; borrowed. NULL: there is none. */
SlGridPlan *sl_comparison_recipe_get_grid (SlComparisonRecipe *self);
/* The cell of that grid, row * columns + column; -1: it is none. */
int sl_comparison_recipe_get_cell (SlComparisonRecipe *self, guint run);
/* Lanes of one size were computed as one batch. */
gboolean sl_comparison_recipe_is_fast (SlComparisonRecipe *self);
/* Nothing but one run from noise. */
gboolean sl_comparison_recipe_is_single (SlComparisonRecipe *self);

G_END_DECLS
