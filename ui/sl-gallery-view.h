/* sl-gallery-view.h - the finished pictures as a grid. */
#pragma once

#include <adwaita.h>

#include "app/app.h"

G_BEGIN_DECLS

#define SL_TYPE_GALLERY_VIEW (sl_gallery_view_get_type ())

G_DECLARE_FINAL_TYPE (SlGalleryView, sl_gallery_view, SL, GALLERY_VIEW, AdwBin)

/* Signal "opened" (SlPicture) when a picture is clicked. files loads the thumbnails. */
void sl_gallery_view_connect (SlGalleryView *self, SlGallery *gallery, SlLane *files);
/* The one that the keyboard is on, or NULL. */
SlPicture *sl_gallery_view_get_selected (SlGalleryView *self);

G_END_DECLS
