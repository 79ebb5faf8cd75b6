/* sl-unsaved-bar.h - what could not be saved by itself and is kept until it is: a bar at the lower edge of the window
 * that says how much and why, and offers to try again or to save it elsewhere.
 */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_UNSAVED_BAR (sl_unsaved_bar_get_type ())

G_DECLARE_FINAL_TYPE (SlUnsavedBar, sl_unsaved_bar, SL, UNSAVED_BAR, AdwBin)

/* Once. Adds the actions "save-again", "save-elsewhere" and "save-elsewhere-to" (a folder). */
void sl_unsaved_bar_connect (SlUnsavedBar *self, SlWorkspace *workspace, GActionMap *actions);
/* Whether the window can be closed without a loss. forgotten says why what waits cannot be remembered, or is NULL. Otherwise the person is asked, and quit is called where it shall be
 * closed nevertheless. What is being written is waited for. */
gboolean
sl_unsaved_bar_allows_quit (SlUnsavedBar *self, const char *forgotten, void (*quit) (GtkWindow *window));

G_END_DECLS
