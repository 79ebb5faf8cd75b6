/* sl-strip-handle.h - the upper edge of a strip that can be made taller: by dragging, or with the arrow keys.
 *
 * It only says what a person wants; whoever has the strip sets its height and says how tall it is.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define SL_TYPE_STRIP_HANDLE (sl_strip_handle_get_type ())

G_DECLARE_FINAL_TYPE (SlStripHandle, sl_strip_handle, SL, STRIP_HANDLE, GtkWidget)

/* Signals: "grabbed": what follows counts from the height that the strip has now; "pulled" (int): so many pixels
 * upwards since; "released": that is it; "reset": the strip's own height is wanted. */
/* What a screen reader says of the height. */
void sl_strip_handle_set_height (SlStripHandle *self, int height);

G_END_DECLS
