/* sl-grid-plan.h - two settings with their values, of which a comparison makes a lane for each pair: the first goes
 * across, the second down; see app/record/grid.h. It does not change once it is made.
 */
#pragma once

#include "app/objects/compare/sl-compare-lane.h"
#include "app/objects/sl-control.h"

G_BEGIN_DECLS

typedef enum
{
  SL_PLAN_ACROSS,
  SL_PLAN_DOWN,
  SL_PLAN_AXES,
} SlPlanAxis;

/* A setting by its property, and its values as they are typed: "4, 8..16:4". */
typedef struct
{
  const char *property;
  const char *values;
} SlPlanText;

#define SL_TYPE_GRID_PLAN (sl_grid_plan_get_type ())

G_DECLARE_FINAL_TYPE (SlGridPlan, sl_grid_plan, SL, GRID_PLAN, GObject)

/* NULL and a sentence where a text is no list of values, or both are too much. */
SlGridPlan *sl_grid_plan_new (const SlPlanText text[SL_PLAN_AXES], GError **error);
/* How many values an axis has: columns, and rows. */
guint sl_grid_plan_count (SlGridPlan *self, SlPlanAxis axis);
const SlControl *sl_grid_plan_get_control (SlGridPlan *self, SlPlanAxis axis);
/* What its cells have of their own: the settings of both axes. */
SlOwn sl_grid_plan_get_own (SlGridPlan *self);
/* The common settings with the values of a cell (row * columns + column) over them; new. NULL and a sentence where
 * one of them is not found (a LoRA). */
SlSettings *sl_grid_plan_settings (SlGridPlan *self, guint cell, SlSettings *recipe, GError **error);
/* The evaluations of all cells: about, as schedulers may make some more to warm up. FALSE and a sentence where a
 * cell's settings do not fit the model, or nothing could keep so many. */
gboolean sl_grid_plan_check (
    SlGridPlan *self, SlModelItem *model, SlSettings *recipe, guint *evaluations, GError **error);

/* Whether an axis may have the setting, with a model (NULL: any). */
gboolean sl_grid_plan_offers (const SlControl *control, SlModelItem *model);
/* A setting's single values, as they are typed, where they can be counted: schedulers that suit the model, the words
 * of a choice. NULL-terminated; empty where they cannot. */
char **sl_grid_plan_values (const SlControl *control, SlModelItem *model, SlSettings *recipe);
/* The place of such a word among all words of a choice, as in SlControl.choice_labels. */
guint sl_grid_plan_find_choice (const SlControl *control, const char *value);
/* Good lists of values to begin with, the usual one first; may be empty. NULL-terminated. */
char **sl_grid_plan_presets (const SlControl *control, SlModelItem *model, SlSettings *recipe);

G_END_DECLS
