/* sl-history-popover.h - the prompts of before: choose one, forget one or all of them. */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_HISTORY_POPOVER (sl_history_popover_get_type ())

G_DECLARE_FINAL_TYPE (SlHistoryPopover, sl_history_popover, SL, HISTORY_POPOVER, GtkPopover)

/* Once. Choosing sets the recipe's prompts, and nothing else. */
void sl_history_popover_connect (SlHistoryPopover *self, SlWorkspace *workspace);

G_END_DECLS
