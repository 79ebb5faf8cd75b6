/* sl-window.h - the darkroom: settings at the left, the tray in the middle, the film strip under it,
 * the gallery on its other page. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_WINDOW (sl_window_get_type ())

G_DECLARE_FINAL_TYPE (SlWindow, sl_window, SL, WINDOW, AdwApplicationWindow)

SlWindow *sl_window_new (AdwApplication *application, GSettings *preferences);
/* A picture (its settings are taken), a model folder or a model file. */
void sl_window_open_path (SlWindow *self, const char *path);
void sl_window_toast (SlWindow *self, const char *message);

G_END_DECLS
