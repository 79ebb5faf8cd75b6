/* sl-gallery-page.h - the page with all finished pictures, and what can be done with one of them: take its settings, go
 * to its parent or its family, show it in the file manager; and with several: delete them with a way back, make them
 * favourites, copy them to a folder, compare them.
 *
 * While the page is in front these act on the picture that is selected in it; otherwise on the one that the darkroom
 * shows.
 */
#pragma once

#include <adwaita.h>

#include "ui/gallery/sl-gallery-view.h"
#include "ui/gallery/sl-picture-lanes.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_GALLERY_PAGE (sl_gallery_page_get_type ())

G_DECLARE_FINAL_TYPE (SlGalleryPage, sl_gallery_page, SL, GALLERY_PAGE, AdwBin)

/* Once, before the page is shown. Adds its actions: "delete", "use-settings", "show-parent", "show-family",
 * "show-in-files", "open-pictures-folder", "favourite", "find",
 * "copy-pictures", "copy-pictures-to" (a folder), "compare-pictures". Signal "compare-wanted" (SlPictureLanes). Signals: "opened" (SlPicture): it shall be shown in the tray; "deleted"
 * (SlPicture); "settings-wanted" (const char *): the settings in the file at this path shall be taken. */
void sl_gallery_page_connect (SlGalleryPage *self, SlWorkspace *workspace, GActionMap *actions);
/* The picture that the darkroom shows, or NULL. */
void sl_gallery_page_set_shown (SlGalleryPage *self, SlPicture *picture);
/* Which of the actions can be done; for when another page came to the front. */
void sl_gallery_page_update (SlGalleryPage *self);
SlGalleryView *sl_gallery_page_get_view (SlGalleryPage *self);

G_END_DECLS
