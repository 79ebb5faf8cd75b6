/* sl-comparison-files.h - a comparison on its way into files and back: a lane's picture, the contact sheet, the
 * animation, the whole comparison.
 */
#pragma once

#include "ui/compare/sl-compare-view.h"
#include "ui/exchange/sl-export-bar.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_COMPARISON_FILES (sl_comparison_files_get_type ())

G_DECLARE_FINAL_TYPE (SlComparisonFiles, sl_comparison_files, SL, COMPARISON_FILES, GObject)

/* view says which lane is chosen, and is where dialogs come from; it outlives the object. Signal "opened": other lanes
 * are there now. */
SlComparisonFiles *
sl_comparison_files_new (SlWorkspace *workspace, SlCompareView *view, SlExportBar *export_bar);
/* Adds "compare-save" (one of "picture", "sheet", "animation", "comparison"), "compare-save-to" (the same and a path)
 * and "compare-open". */
void sl_comparison_files_add_actions (SlComparisonFiles *self, GActionMap *actions);
/* Asks where a lane's picture shall go; nothing where it has none yet. */
void sl_comparison_files_save_lane (SlComparisonFiles *self, guint lane);
void sl_comparison_files_open (SlComparisonFiles *self, const char *path);

G_END_DECLS
