/* sl-lanes-again.h - the runs that a sheet or an animation was made of, made again: those from noise as lanes, and each
 * branch once its parent is done.
 */
#pragma once

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_LANES_AGAIN (sl_lanes_again_get_type ())

G_DECLARE_FINAL_TYPE (SlLanesAgain, sl_lanes_again, SL, LANES_AGAIN, GObject)

SlLanesAgain *sl_lanes_again_new (SlWorkspace *workspace);
/* In place of the lanes that are there, with the chosen model. FALSE and a sentence where a run does not fit it. */
gboolean sl_lanes_again_begin (SlLanesAgain *self, SlComparisonRecipe *recipe, GError **error);

G_END_DECLS
