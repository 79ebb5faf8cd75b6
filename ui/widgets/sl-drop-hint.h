/* sl-drop-hint.h - lies over a page while something is dragged over the window: a frame, and words that say what will
 * happen when it is dropped. Nothing of it can be clicked.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_DROP_HINT (sl_drop_hint_get_type ())

G_DECLARE_FINAL_TYPE (SlDropHint, sl_drop_hint, SL, DROP_HINT, AdwBin)

/* NULL hides it. With fits FALSE it says why nothing will happen. */
void sl_drop_hint_say (SlDropHint *self, const char *text, gboolean fits);
/* What it says, or NULL. */
const char *sl_drop_hint_get_text (SlDropHint *self);

G_END_DECLS
