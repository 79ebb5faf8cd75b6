/* sl-preferences-window.h - folders, device, looks; every change takes effect at once. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_PREFERENCES_WINDOW (sl_preferences_window_get_type ())

G_DECLARE_FINAL_TYPE (
    SlPreferencesWindow, sl_preferences_window, SL, PREFERENCES_WINDOW, AdwPreferencesWindow)

/* device_line says what is in use now, may be "". */
SlPreferencesWindow *
sl_preferences_window_new (GtkWindow *parent, GSettings *preferences, const char *device_line);

G_END_DECLS
