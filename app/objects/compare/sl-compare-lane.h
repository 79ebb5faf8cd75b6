/* sl-compare-lane.h - one lane of a comparison: what it changes of the common recipe, and its run.
 *
 * Not to be confused with SlThreadQueue, a background thread.
 */
#pragma once

#include "app/objects/sl-job.h"

G_BEGIN_DECLS

/* What a lane has of its own; everything else is the recipe's. A bit for each setting that a lane can have,
 * as .safelight files have them: the table of settings says which (SlControl.own). */
typedef guint64 SlOwn;

/* The bit of a setting, by its property. */
SlOwn sl_own (const char *property);
/* Those of the settings in which two differ. */
SlOwn sl_own_between (SlSettings *a, SlSettings *b);
/* Those of all settings. */
SlOwn sl_own_all (void);

#define SL_TYPE_COMPARE_LANE (sl_compare_lane_get_type ())

G_DECLARE_FINAL_TYPE (SlCompareLane, sl_compare_lane, SL, COMPARE_LANE, GObject)

/* values are copied; only those that own names count. Signals: "changed": own or values; "job": it has
 * another run, or none. */
SlCompareLane *sl_compare_lane_new (SlOwn own, SlSettings *values);
SlOwn sl_compare_lane_get_own (SlCompareLane *self);
SlSettings *sl_compare_lane_get_values (SlCompareLane *self);
void sl_compare_lane_set (SlCompareLane *self, SlOwn own, SlSettings *values);
/* Which of the colours of lanes it has: chosen when it is put into a comparison, its own from then on. */
guint sl_compare_lane_get_color (SlCompareLane *self);
void sl_compare_lane_set_color (SlCompareLane *self, guint color);
gboolean sl_compare_lane_has_color (SlCompareLane *self);
/* How many colours there are, and red, green and blue of one; of more, the same again. */
guint sl_lane_color_count (void);
void sl_lane_color_get (guint color, guint8 rgb[3]);
/* The recipe with this lane's values over it; a new object. */
SlSettings *sl_compare_lane_resolve (SlCompareLane *self, SlSettings *recipe);
/* Which cell of the comparison's grid it is, row * columns + column; -1: none. With other settings of its own
 * (sl_compare_lane_set) it is none any more. */
void sl_compare_lane_set_cell (SlCompareLane *self, int cell);
int sl_compare_lane_get_cell (SlCompareLane *self);
/* Its run was made with other settings than those that are chosen now: sl_comparison_find_stale. */
gboolean sl_compare_lane_is_stale (SlCompareLane *self);
void sl_compare_lane_set_stale (SlCompareLane *self, gboolean stale);
/* Its next run is to be as another one was, whose bytes it is to have; until it has a run. */
void sl_compare_lane_compute_as (SlCompareLane *self, SlComputed computed);
SlComputed sl_compare_lane_get_computed_as (SlCompareLane *self);
/* The run, or NULL. */
SlJob *sl_compare_lane_get_job (SlCompareLane *self);
void sl_compare_lane_set_job (SlCompareLane *self, SlJob *job);

G_END_DECLS
