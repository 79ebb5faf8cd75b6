/* sl-gallery-view.h - the finished pictures as a grid, all or one family of them, or those that words and a kind find,
 * in the order of the gallery or another one. The lines of families are drawn only where their pictures stand together:
 * in the gallery's own order, with none left out. Pictures can be dragged out. */
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
/* The picture that stands so many places behind (negative: before) another one; NULL: none. */
SlPicture *sl_gallery_view_get_neighbour (SlGalleryView *self, SlPicture *picture, int by);
/* Asks again which pictures are shown: one became a favourite, or is none any more. */
void sl_gallery_view_look_again (SlGalleryView *self);
/* Whether several pictures can be chosen at once: then a click chooses, and does not open. */
void sl_gallery_view_set_choosing (SlGalleryView *self, gboolean choosing);
gboolean sl_gallery_view_is_choosing (SlGalleryView *self);
/* Those that are chosen, or the selected one; of SlPicture, free with g_ptr_array_unref. */
GPtrArray *sl_gallery_view_get_chosen (SlGalleryView *self);
/* Chooses one more, or takes it back. */
void sl_gallery_view_toggle (SlGalleryView *self, SlPicture *picture);
/* Gives the keyboard to the field for words. */
void sl_gallery_view_find (SlGalleryView *self);
/* Gives the keyboard to the selected picture. */
void sl_gallery_view_focus (SlGalleryView *self);
/* Brings it into sight, and the keyboard to it. */
void sl_gallery_view_select (SlGalleryView *self, SlPicture *picture);
/* Selects it, no more: somebody looks at another page. */
void sl_gallery_view_choose (SlGalleryView *self, SlPicture *picture);
/* Only the family of a picture; NULL: all. */
void sl_gallery_view_show_family (SlGalleryView *self, SlPicture *picture);
gboolean sl_gallery_view_shows_family (SlGalleryView *self);

G_END_DECLS
