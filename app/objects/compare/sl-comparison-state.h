/* sl-comparison-state.h - a comparison as it was, to have it back: all lanes with their runs. */
#pragma once

#include "app/objects/compare/sl-comparison.h"

G_BEGIN_DECLS

typedef struct _SlComparisonState SlComparisonState;

/* NULL where there is nothing to lose: no lane has a frame. Runs that go on meanwhile go on. */
SlComparisonState *sl_comparison_state_new (SlComparison *comparison);
void sl_comparison_state_free (SlComparisonState *state);
gboolean sl_comparison_state_has_branches (const SlComparisonState *state);
/* In place of what is there now. */
void sl_comparison_state_restore (const SlComparisonState *state, SlComparison *comparison);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlComparisonState, sl_comparison_state_free)

G_END_DECLS
