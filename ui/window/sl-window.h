/* sl-window.h - the window: the panel with the recipe at the left, and the pages darkroom, compare and gallery beside
 * it. It puts them together; what happens on a page is the page's.
 */
#pragma once

#include <adwaita.h>

#include "ui/compare/sl-compare-page.h"
#include "ui/darkroom/sl-darkroom-page.h"
#include "ui/gallery/sl-gallery-page.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_WINDOW (sl_window_get_type ())

G_DECLARE_FINAL_TYPE (SlWindow, sl_window, SL, WINDOW, AdwApplicationWindow)

SlWindow *sl_window_new (AdwApplication *application, GSettings *preferences);
/* A picture (its settings are taken), a comparison, a model's folder or file; or several of them, which are opened as
 * far as they go together. Up to NULL. */
void sl_window_open_paths (SlWindow *self, const char *const *paths);
/* Its parts; all borrowed. */
SlWorkspace *sl_window_get_workspace (SlWindow *self);
SlDarkroomPage *sl_window_get_darkroom (SlWindow *self);
SlComparePage *sl_window_get_compare (SlWindow *self);
SlGalleryPage *sl_window_get_gallery (SlWindow *self);

G_END_DECLS
