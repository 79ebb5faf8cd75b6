/* sl-comparison.h - lanes that develop side by side from the same noise, and the place in all of them
 * that is looked at.
 *
 * A list of SlCompareLane. The place is a position on an axis that all lanes share: steps, noise level
 * (sigma, from much to little) or model evaluations. A lane that has not come as far shows its newest
 * frame; one that is finished its last.
 *
 * Main thread only.
 */
#pragma once

#include "app/objects/compare/sl-compare-lane.h"
#include "app/objects/compare/sl-grid-plan.h"
#include "app/objects/worker/sl-worker.h"

G_BEGIN_DECLS

#define SL_COMPARISON_MAX 1024 /* as many as a file holds; a window shows some of them at a time */

typedef enum
{
  SL_ALIGN_STEPS,
  SL_ALIGN_SIGMA,
  SL_ALIGN_EVALUATIONS,
} SlAlign;

#define SL_TYPE_COMPARISON (sl_comparison_get_type ())

G_DECLARE_FINAL_TYPE (SlComparison, sl_comparison, SL, COMPARISON, GObject)

/* Signals: "items-changed" of the list; "lane-changed" (guint): its settings or run; "frame" (guint,
 * SlFrameObject): a lane has another frame; "moved": place or alignment; "state": sl_comparison_get_state
 * and its companions may answer otherwise; "reference"; "leaves": lanes or their runs
 * are about to go. */
SlComparison *sl_comparison_new (SlWorker *worker);
/* FALSE when there are SL_COMPARISON_MAX. */
gboolean sl_comparison_add (SlComparison *self, SlCompareLane *lane);
void sl_comparison_remove (SlComparison *self, guint index);
void sl_comparison_clear (SlComparison *self);
/* Borrowed; NULL beyond the end. */
SlCompareLane *sl_comparison_get_lane (SlComparison *self, guint index);
SlJob *sl_comparison_get_job (SlComparison *self, guint index);
/* What a lane is called beside the others (app/record/lane_name.h), in the person's language: its run's settings, or
 * before it has one those that recipe would give it. */
char *sl_comparison_dup_lane_name (SlComparison *self, guint index, SlSettings *recipe);
/* Of all lanes, NULL behind the last. */
char **sl_comparison_dup_lane_names (SlComparison *self, SlSettings *recipe);

/* Whether prompts that lanes have of their own are templates: the folder of models that is looked into first, "" none;
 * NULL: they are not. */
void sl_comparison_set_templates (SlComparison *self, const char *preferred);
/* Starts all lanes anew, as the preferences say now; those that are branches go. FALSE and a sentence when a lane's settings do not fit the
 * model; then nothing is started. */
gboolean sl_comparison_start (
    SlComparison *self, SlModelItem *model, SlSettings *recipe, SlPreviews previews, GError **error);
/* The recipe and the model as a person has them, when lanes were started; NULL: nothing is known of it, and no lane is
 * stale. Kept until the lanes are cleared. */
void sl_comparison_set_origin (SlComparison *self, SlSettings *recipe);
/* Marks the lanes that would be made otherwise with the recipe and the model as they are now, and says how many they
 * are. A branch is its run's and never stale; nor does a seed count that nobody chose (FALSE). */
guint
sl_comparison_find_stale (SlComparison *self, SlModelItem *model, SlSettings *recipe, gboolean seed_counts);
/* Makes those anew that were found last, computed as the lanes were, with a recipe whose prompts' choices are made. FALSE and a sentence when one
 * does not fit; then nothing is started. */
gboolean sl_comparison_start_stale (
    SlComparison *self, SlModelItem *model, SlSettings *recipe, SlPreviews previews, GError **error);
/* The seed that lanes have without one of their own; 0 before they were started. */
guint64 sl_comparison_get_seed (SlComparison *self);
/* One lane that was added or changed since, with the model and recipe of the others and computed as they were; nothing before
 * they were started. FALSE and a sentence when its settings do not fit. */
gboolean sl_comparison_start_lane (SlComparison *self, guint index, GError **error);
/* A new lane that goes on from a lane's frame at the position, with own values over that lane's
 * settings. FALSE and a sentence when that cannot be. */
gboolean
sl_comparison_branch (SlComparison *self, guint index, SlOwn own, SlSettings *values, GError **error);
/* A run that was made elsewhere as a lane. */
gboolean sl_comparison_adopt (SlComparison *self, SlJob *job);
/* In place of all lanes these, of SlCompareLane, not started: the cells of a grid and others, or of none (NULL). */
void sl_comparison_set_lanes (SlComparison *self, GPtrArray *lanes, SlGridPlan *grid);
/* In place of all lanes one for each cell of a grid, not started. FALSE and a sentence, and nothing is changed, where
 * they do not fit the model. */
gboolean sl_comparison_set_grid (
    SlComparison *self, SlGridPlan *grid, SlModelItem *model, SlSettings *recipe, GError **error);
/* Borrowed; NULL where the lanes are none. They stand in the order of their cells as long as none is changed; lanes
 * that are no cells come behind. */
SlGridPlan *sl_comparison_get_grid (SlComparison *self);
/* A lane that is no cell, but has the values of one that no lane is, becomes it. */
void sl_comparison_place_lane (SlComparison *self, guint index);
/* The lane that is a cell; G_MAXUINT where none is. */
guint sl_comparison_find_cell (SlComparison *self, int cell);
void sl_comparison_stop (SlComparison *self);
void sl_comparison_pause (SlComparison *self);
void sl_comparison_resume (SlComparison *self);
/* Some lane waits, loads or runs. */
gboolean sl_comparison_is_busy (SlComparison *self);
gboolean sl_comparison_is_paused (SlComparison *self);
/* Evaluations made, and of how many; of all lanes. */
void sl_comparison_get_progress (SlComparison *self, guint *done, guint *planned);

void sl_comparison_set_align (SlComparison *self, SlAlign align);
SlAlign sl_comparison_get_align (SlComparison *self);
/* The axis' ends; FALSE before there is anything. */
gboolean sl_comparison_get_range (SlComparison *self, double *first, double *last);
/* At most the last position that is computed. */
void sl_comparison_set_position (SlComparison *self, double position);
double sl_comparison_get_position (SlComparison *self);
/* Moves the cursor by so many positions; G_MININT and G_MAXINT go to the start and the end. At the end it follows
 * new frames. */
void sl_comparison_move (SlComparison *self, int by);
gboolean sl_comparison_is_following (SlComparison *self);
/* Where an evaluation of a lane is on the axis; 0 before the lane's run started. */
double sl_comparison_position_of (SlComparison *self, guint index, guint evaluation);
/* What a lane shows at the position; NULL before its first frame. Borrowed. */
SlFrameObject *sl_comparison_get_frame (SlComparison *self, guint index);
/* The lane that the others are measured against. */
void sl_comparison_set_reference (SlComparison *self, guint index);
guint sl_comparison_get_reference (SlComparison *self);

G_END_DECLS
