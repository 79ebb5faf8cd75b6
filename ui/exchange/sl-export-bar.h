/* sl-export-bar.h - a contact sheet or an animation that is being written: it takes a while, so a bar at the lower
 * edge of the window says how far it is and offers to cancel. One file at a time.
 */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_EXPORT_BAR (sl_export_bar_get_type ())

G_DECLARE_FINAL_TYPE (SlExportBar, sl_export_bar, SL, EXPORT_BAR, AdwBin)

/* Begins to write object (a comparison, a job) to path, as sl_comparison_export_sheet does. */
typedef SlExportTask *(*SlExportStart) (gpointer object, const char *path, const SlExportCall *call);

/* Once, before anything is written. Adds the action "cancel-export". */
void sl_export_bar_connect (SlExportBar *self, SlWorkspace *workspace, GActionMap *actions);
/* Says so where another file is still being written. */
void sl_export_bar_write (SlExportBar *self, SlExportStart start, gpointer object, const char *path);
gboolean sl_export_bar_is_busy (SlExportBar *self);
/* FALSE in a build without animations; the person is told. */
gboolean sl_export_bar_can_animate (SlExportBar *self);

G_END_DECLS
