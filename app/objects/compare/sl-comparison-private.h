/* sl-comparison-private.h - what the files of a comparison share; for app/ only: sl-comparison.c has its lanes,
 * -place.c where one looks, -run.c what runs, -state.c how it was before. */
#pragma once

#include "app/objects/compare/sl-comparison.h"
#include "engine/engine.h"

G_BEGIN_DECLS

struct _SlComparison
{
  GObject parent_instance;
  SlWorker *worker;
  GListStore *lanes;
  SlAlign align;
  double position;
  gboolean following;
  guint reference;
  SlModelItem *model; /* of the last start, as the next two */
  SlSettings *recipe;
  SlPreviews previews;
  SlSettings *origin; /* the recipe before choices of prompts were made; or NULL */
  SlGridPlan *grid;   /* whose cells lanes are; or NULL */
  char *wildcards;    /* the folder of models that is looked into first; NULL: prompts are no templates */
};

guint _sl_comparison_count (SlComparison *self);
/* 0 for NULL. */
guint _sl_comparison_count_frames (SlJob *job);
/* Adds lanes in one change of the list: as many as there is room for. */
void _sl_comparison_add_all (SlComparison *self, GPtrArray *lanes);
/* Stops what its run is at. */
void _sl_comparison_stop_lane (SlComparison *self, SlCompareLane *lane);
/* Before lanes or their runs go. */
void _sl_comparison_leave (SlComparison *self);
/* sl_compare_lane_resolve without an object; texts are borrowed from the lane's values and from recipe. */
void _sl_compare_lane_get_recipe (SlCompareLane *self, SlSettings *recipe, SlRecipe *resolved);
/* Follows a lane's run. */
void _sl_comparison_watch (SlComparison *self, SlJob *job);

/* Takes lanes that were made elsewhere, of SlCompareLane, in place of those that are there; grid may be NULL. */
void _sl_comparison_replace (SlComparison *self, GPtrArray *lanes, SlGridPlan *grid, guint reference);

G_END_DECLS
