/* sl-preset-popover.h - settings that are kept under a name: save those of the recipe, take one, rename, delete. */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_PRESET_POPOVER (sl_preset_popover_get_type ())

G_DECLARE_FINAL_TYPE (SlPresetPopover, sl_preset_popover, SL, PRESET_POPOVER, GtkPopover)

/* Once. Taking one changes the recipe, and the model where it is here; the seed stays, and the prompts where they were not
 * saved with it. */
void sl_preset_popover_connect (SlPresetPopover *self, SlWorkspace *workspace);

G_END_DECLS
