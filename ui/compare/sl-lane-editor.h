/* sl-lane-editor.h - a window in which a person changes the settings that a lane has of its own. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LANE_EDITOR (sl_lane_editor_get_type ())

G_DECLARE_FINAL_TYPE (SlLaneEditor, sl_lane_editor, SL, LANE_EDITOR, AdwWindow)

/* Signal "applied" (SlOwn own, SlSettings values) when a person agrees; the window closes itself. */
SlLaneEditor *sl_lane_editor_new (
    GtkWindow *parent, SlCompareLane *lane, SlSettings *recipe, SlModelItem *model, SlPromptReader *prompts);
/* The same for a branch: what is not chosen stays as it is in the run. */
SlLaneEditor *sl_lane_editor_new_branch (GtkWindow *parent, SlJob *run, SlPromptReader *prompts);
/* Where the branch begins, both from 1; lane 0: the run is no lane. */
void sl_lane_editor_name_place (SlLaneEditor *self, guint lane, guint step);
SlCompareLane *sl_lane_editor_get_lane (SlLaneEditor *self);

G_END_DECLS
