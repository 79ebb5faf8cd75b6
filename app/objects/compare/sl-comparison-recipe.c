/* sl-comparison-recipe.c - see sl-comparison-recipe.h. */
#include "app/objects/compare/sl-comparison-recipe.h"

#include <stdlib.h>

#include "app/objects/compare/sl-grid-plan-private.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-settings-private.h"
#include "app/record/record.h"

typedef struct
{
  SlSettings *settings;
  int parent;
  int step;
  int cell;
  char *device; /* as SlComputed */
  char *types;
} Run;

struct _SlComparisonRecipe
{
  GObject parent_instance;
  GArray *runs; /* of Run */
  guint lanes;
  gboolean animation;
  gboolean fast;
  SlGridPlan *grid; /* or NULL */
  char *model;
};

G_DEFINE_FINAL_TYPE (SlComparisonRecipe, sl_comparison_recipe, G_TYPE_OBJECT)

static void
run_clear (gpointer run)
{
  g_object_unref (((Run *)run)->settings);
  g_free (((Run *)run)->device);
  g_free (((Run *)run)->types);
}

static void
sl_comparison_recipe_finalize (GObject *object)
{
  SlComparisonRecipe *self = SL_COMPARISON_RECIPE (object);

  g_array_unref (self->runs);
  g_clear_object (&self->grid);
  g_free (self->model);
  G_OBJECT_CLASS (sl_comparison_recipe_parent_class)->finalize (object);
}

static void
sl_comparison_recipe_class_init (SlComparisonRecipeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_comparison_recipe_finalize;
}

static void
sl_comparison_recipe_init (SlComparisonRecipe *self)
{
  self->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  g_array_set_clear_func (self->runs, run_clear);
}

/* ---- reading ---- */

/* Adds the run and those that it comes from, where they are not there yet; its position. Origins are at most
 * SL_ORIGIN_MAX_DEPTH deep. */
static int
add_run (SlComparisonRecipe *self, const SlRecipe *recipe, const SlOrigin *origin, SlComputed computed)
{
  g_autoptr (SlSettings) settings = sl_settings_new ();
  int parent = origin ? add_run (self, origin->recipe, origin->origin, computed) : -1;
  Run run;

  _sl_settings_set_recipe (settings, recipe);
  run = (Run){ settings, parent, origin ? origin->step : 0, -1, NULL, NULL };
  for (guint i = 0; i < self->runs->len; i++)
    {
      const Run *other = &g_array_index (self->runs, Run, i);

      if (other->parent == run.parent && other->step == run.step
          && sl_settings_equal (other->settings, settings)
          && sl_computed_equal ((SlComputed){ other->device, other->types }, computed))
        return (int)i;
    }
  g_object_ref (settings);
  run.device = g_strdup (computed.device);
  run.types = g_strdup (computed.types);
  g_array_append_val (self->runs, run);
  return (int)self->runs->len - 1;
}

static SlComparisonRecipe *
new_of (const SlCompareText *text)
{
  SlComparisonRecipe *self = g_object_new (SL_TYPE_COMPARISON_RECIPE, NULL);

  if (sl_grid_cells (&text->grid) > 0)
    self->grid = _sl_grid_plan_new_of (&text->grid);
  for (int i = 0; i < text->count; i++)
    {
      const SlMetadata *lane = &text->lane[i];
      int run = add_run (self, lane->recipe, lane->origin, (SlComputed){ lane->device, lane->dtype });

      if (self->grid && text->cell[i] >= 0)
        g_array_index (self->runs, Run, run).cell = text->cell[i];
    }
  self->lanes = (guint)text->count;
  self->animation = text->animation;
  self->fast = text->fast;
  self->model = g_strdup (text->lane[0].model);
  return self;
}

typedef struct
{
  char *path;
  SlComparisonRecipe *recipe;
  GError *error;
  SlComparisonRecipeFunc read;
  gpointer user_data;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_free (reading->path);
  g_clear_object (&reading->recipe);
  g_clear_error (&reading->error);
  g_free (reading);
}

static void
read_run (gpointer data)
{
  Reading *reading = data;
  char *json = sl_compare_text_of (reading->path, NULL);
  SlCompareText text = { 0 };
  SlError err = { 0 };

  if (json && sl_compare_is_text (json))
    {
      if (sl_compare_text_read (reading->path, json, &text, &err))
        reading->recipe = new_of (&text);
      else
        reading->error = sl_app_error_new (&err);
      sl_compare_text_free (&text);
    }
  free (json);
}

static void
read_done (gpointer data)
{
  Reading *reading = data;

  reading->read (reading->recipe, reading->error, reading->user_data);
}

void
sl_comparison_recipe_read (SlThreadQueue *files,
                           const char *path,
                           SlComparisonRecipeFunc read,
                           gpointer user_data)
{
  Reading *reading = g_new0 (Reading, 1);

  reading->path = g_strdup (path);
  reading->read = read;
  reading->user_data = user_data;
  sl_thread_queue_push (files, TRUE, read_run, read_done, reading, reading_free);
}

/* ---- what it says ---- */

guint
sl_comparison_recipe_get_lanes (SlComparisonRecipe *self)
{
  return self->lanes;
}

gboolean
sl_comparison_recipe_is_animation (SlComparisonRecipe *self)
{
  return self->animation;
}

const char *
sl_comparison_recipe_get_model (SlComparisonRecipe *self)
{
  return self->model;
}

guint
sl_comparison_recipe_get_runs (SlComparisonRecipe *self)
{
  return self->runs->len;
}

SlSettings *
sl_comparison_recipe_get_settings (SlComparisonRecipe *self, guint run)
{
  return g_array_index (self->runs, Run, run).settings;
}

SlComputed
sl_comparison_recipe_get_computed (SlComparisonRecipe *self, guint run)
{
  const Run *of = &g_array_index (self->runs, Run, run);

  return (SlComputed){ of->device, of->types };
}

int
sl_comparison_recipe_get_parent (SlComparisonRecipe *self, guint run, int *step)
{
  *step = g_array_index (self->runs, Run, run).step;
  return g_array_index (self->runs, Run, run).parent;
}

int
sl_comparison_recipe_get_cell (SlComparisonRecipe *self, guint run)
{
  return g_array_index (self->runs, Run, run).cell;
}

SlGridPlan *
sl_comparison_recipe_get_grid (SlComparisonRecipe *self)
{
  return self->grid;
}

gboolean
sl_comparison_recipe_is_fast (SlComparisonRecipe *self)
{
  return self->fast;
}

gboolean
sl_comparison_recipe_is_single (SlComparisonRecipe *self)
{
  return self->runs->len == 1;
}
