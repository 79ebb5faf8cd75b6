/* sl-grid-plan-private.h - the grid behind a plan; for app/ only. */
#pragma once

#include "app/objects/compare/sl-grid-plan.h"
#include "app/record/record.h"

G_BEGIN_DECLS

const SlGrid *_sl_grid_plan_get_grid (SlGridPlan *self);
SlGridPlan *_sl_grid_plan_new_of (const SlGrid *grid);

G_END_DECLS
