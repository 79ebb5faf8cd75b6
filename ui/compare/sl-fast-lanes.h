/* sl-fast-lanes.h - whether lanes are computed as one batch ("fast"): what a person prefers, what an opened file was
 * made with, and what the device does by itself.
 *
 * It says what the next start will do: on a GPU lanes are fast unless somebody said otherwise.
 */
#pragma once

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_FAST_LANES (sl_fast_lanes_get_type ())

G_DECLARE_FINAL_TYPE (SlFastLanes, sl_fast_lanes, SL, FAST_LANES, GObject)

/* Signal "changed": is_on may answer otherwise. */
SlFastLanes *sl_fast_lanes_new (SlWorkspace *workspace);
gboolean sl_fast_lanes_is_on (SlFastLanes *self);
/* A person's choice; it is remembered. */
void sl_fast_lanes_choose (SlFastLanes *self, gboolean fast);
/* On where one of the lanes that are there was computed so, else what the person prefers: after a file was opened. */
void sl_fast_lanes_take_lanes (SlFastLanes *self);
/* As the lanes of a sheet or an animation were computed: before they are made again. */
void sl_fast_lanes_follow (SlFastLanes *self, gboolean fast);
/* One of the lanes was computed in a batch. */
gboolean sl_fast_lanes_any_is_fast (SlFastLanes *self);

G_END_DECLS
