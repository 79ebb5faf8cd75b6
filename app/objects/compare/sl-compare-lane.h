/* sl-compare-lane.h - one lane of a comparison: what it changes of the common recipe, and its run.
 *
 * Not to be confused with SlThreadQueue, a background thread.
 */
#pragma once

#include "app/objects/sl-job.h"

G_BEGIN_DECLS

/* What a lane has of its own; everything else is the recipe's. A bit for each setting that a lane can have,
 * as .safelight files have them: the table of settings says which (SlControl.own). Those that code names: */
typedef enum
{
  SL_OWN_SCHEDULER = 1 << 0,
  SL_OWN_SIGMAS = 1 << 1,
  SL_OWN_SPACING = 1 << 2,
  SL_OWN_STEPS = 1 << 3,
  SL_OWN_GUIDANCE = 1 << 4,
  SL_OWN_ETA = 1 << 5,
  SL_OWN_SEED = 1 << 6,
  SL_OWN_PROMPT = 1 << 7,
  SL_OWN_NEGATIVE_PROMPT = 1 << 8,
  SL_OWN_VARIANCE = 1 << 9,
} SlOwn;

#define SL_OWN_ALL ((1 << 24) - 1) /* also what the table will have later */
#define SL_TYPE_COMPARE_LANE (sl_compare_lane_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareLane, sl_compare_lane, SL, COMPARE_LANE, GObject)

/* values are copied; only those that own names count. Signals: "changed": own or values; "job": it has
 * another run, or none. */
SlCompareLane *sl_compare_lane_new (SlOwn own, SlSettings *values);
SlOwn sl_compare_lane_get_own (SlCompareLane *self);
SlSettings *sl_compare_lane_get_values (SlCompareLane *self);
void sl_compare_lane_set (SlCompareLane *self, SlOwn own, SlSettings *values);
/* The recipe with this lane's values over it; a new object. */
SlSettings *sl_compare_lane_resolve (SlCompareLane *self, SlSettings *recipe);
/* The run, or NULL. */
SlJob *sl_compare_lane_get_job (SlCompareLane *self);
void sl_compare_lane_set_job (SlCompareLane *self, SlJob *job);

G_END_DECLS
