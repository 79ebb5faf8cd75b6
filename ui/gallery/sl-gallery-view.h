/* sl-gallery-view.h - the finished pictures as a grid, all or one family of them. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_GALLERY_VIEW (sl_gallery_view_get_type ())

G_DECLARE_FINAL_TYPE (SlGalleryView, sl_gallery_view, SL, GALLERY_VIEW, AdwBin)

/* Signal "opened" (SlPicture) when a picture is clicked, "selected" when get_selected changes. files
 * loads the thumbnails. */
void sl_gallery_view_connect (SlGalleryView *self, SlGallery *gallery, SlThreadQueue *files);
/* The selected picture, or NULL. */
SlPicture *sl_gallery_view_get_selected (SlGalleryView *self);
/* Gives the keyboard to the selected picture. */
void sl_gallery_view_focus (SlGalleryView *self);
/* Brings it into sight, and the keyboard to it. */
void sl_gallery_view_select (SlGalleryView *self, SlPicture *picture);
/* Only the family of a picture; NULL: all. */
void sl_gallery_view_show_family (SlGalleryView *self, SlPicture *picture);
gboolean sl_gallery_view_shows_family (SlGalleryView *self);

G_END_DECLS
