/* sl-preferences-window.h - folders, device, looks; every change takes effect at once. */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_PREFERENCES_WINDOW (sl_preferences_window_get_type ())

G_DECLARE_FINAL_TYPE (
    SlPreferencesWindow, sl_preferences_window, SL, PREFERENCES_WINDOW, AdwPreferencesWindow)

SlPreferencesWindow *sl_preferences_window_new (GtkWindow *parent, SlWorkspace *workspace);

G_END_DECLS
