/* sl-gallery.h - the finished pictures of a folder, the newest first, and with each its family: branches
 * follow the picture that they come from (see SlPicturePlace).
 *
 * The PNG files hold everything; the index (sl-gallery-index.h) only saves opening each of them at the start.
 * What it does not know but the folder holds is found and added.
 */
#pragma once

#include "app/objects/sl-thread-queue.h"
#include "app/objects/sl-list.h"
#include "app/objects/gallery/sl-picture.h"

G_BEGIN_DECLS

#define SL_TYPE_GALLERY (sl_gallery_get_type ())

G_DECLARE_FINAL_TYPE (SlGallery, sl_gallery, SL, GALLERY, SlList)

/* files is borrowed and must outlive the gallery. */
SlGallery *sl_gallery_new (SlThreadQueue *files);
/* Reads the folder in the background, forgetting what the list held. Signal "loaded". Signal "arranged"
 * whenever places in families may have changed. */
void sl_gallery_open (SlGallery *self, const char *folder);
/* In the background, for what others did in the folder meanwhile: pictures that came are added, those whose files are
 * gone leave the list. Signal "unread" (const char *), after this and after opening: the folder is there and could not
 * be read to its end, for this reason, said once; pictures that were found or known before are in the list. */
void sl_gallery_look_again (SlGallery *self);
/* A picture that was written just now. */
SlPicture *sl_gallery_add (SlGallery *self, const char *path, const char *prompt);
/* Takes it off the list; the file goes to the trash when sl_gallery_commit_removal is called. */
void sl_gallery_remove (SlGallery *self, SlPicture *picture);
void sl_gallery_undo_removal (SlGallery *self, SlPicture *picture);
void sl_gallery_commit_removal (SlGallery *self, SlPicture *picture);
/* Commits every removal that can still be undone. */
void sl_gallery_flush (SlGallery *self);
/* Kept beside the pictures (sl-favourites.h). Signals: "favourites-damaged" (const char *, guint): the file was, and is
 * now kept under this path: so many names in it could not be read, or 0: nothing of it could; "favourites-unsaved"
 * (const char *): a change could not be written, for this reason, and is undone. */
void sl_gallery_set_favourite (SlGallery *self, SlPicture *picture, gboolean favourite);
guint sl_gallery_find (SlGallery *self, const char *path);

G_END_DECLS
