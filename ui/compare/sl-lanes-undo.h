/* sl-lanes-undo.h - lanes that were removed come back: one click loses nothing that was computed.
 *
 * First the lanes are remembered (sl_comparison_state_new), then they are changed, then this shows a toast.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_LANES_UNDO (sl_lanes_undo_get_type ())

G_DECLARE_FINAL_TYPE (SlLanesUndo, sl_lanes_undo, SL, LANES_UNDO, GObject)

/* from is the widget that shows the toast (see sl-notice.h); it outlives the object. */
SlLanesUndo *sl_lanes_undo_new (SlComparison *comparison, GtkWidget *from);
/* Shows title with a button that restores state; takes state, and does nothing for NULL. Only the last change can
 * be undone. */
void sl_lanes_undo_offer (SlLanesUndo *self, SlComparisonState *state, const char *title);

G_END_DECLS
