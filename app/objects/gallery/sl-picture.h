/* sl-picture.h - a finished picture: its PNG file and what the gallery shows of it. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where a picture stands among those that it has to do with. Pictures of one family follow each other in
 * the gallery, and their tree is drawn along them, its root at the left: a line of depth d leads from a
 * picture of that depth to its branches. Bit d of before (after) is set where such a line comes in from
 * the picture before (goes on to the next one). */
typedef struct
{
  guint64 family; /* the same number for all of one; 0: it is alone */
  guint members;  /* of the family */
  guint depth;
  guint32 before;
  guint32 after;
  gboolean orphan; /* a branch whose parent is not here */
  gboolean again;  /* the same moment of the same run as the picture before: no line leads to it */
} SlPicturePlace;

#define SL_TYPE_PICTURE (sl_picture_get_type ())

G_DECLARE_FINAL_TYPE (SlPicture, sl_picture, SL, PICTURE, GObject)

/* time is in microseconds since 1970. prompt may be "". */
SlPicture *sl_picture_new (const char *path, const char *prompt, gint64 time);
const char *sl_picture_get_path (SlPicture *self);
const char *sl_picture_get_prompt (SlPicture *self);
gint64 sl_picture_get_time (SlPicture *self);
/* It shows several runs that can be made again: a sheet or an animation of ours. */
gboolean sl_picture_shows_lanes (SlPicture *self);
void sl_picture_set_shows_lanes (SlPicture *self, gboolean shows_lanes);
/* The names that it was made with; "" while they are not known. */
const char *sl_picture_get_model (SlPicture *self);
const char *sl_picture_get_scheduler (SlPicture *self);
/* Signal "favourite" when it changes; sl_gallery_set_favourite changes it. */
gboolean sl_picture_is_favourite (SlPicture *self);
/* RGB rows, or NULL while it is not loaded. Signal "thumbnail" when that changes. */
GBytes *sl_picture_get_thumbnail (SlPicture *self, int *width, int *height);
void sl_picture_set_thumbnail (SlPicture *self, GBytes *rgb, int width, int height);

/* After how many steps it left its parent's run; 0 for a picture that is no branch (or one from the noise). */
int sl_picture_get_branch_step (SlPicture *self);
gboolean sl_picture_is_branch (SlPicture *self);
/* What the branch does otherwise, "guidance: 7.5, 5", a line each; "" when nothing. */
const char *sl_picture_get_changes (SlPicture *self);
/* The step that it shows of a run that went on; 0: where the run ended. */
int sl_picture_get_moment (SlPicture *self);
/* The picture of the run that it branched from, or NULL. Borrowed. */
SlPicture *sl_picture_get_parent (SlPicture *self);
/* Signal "place" when it or the parent changes. */
const SlPicturePlace *sl_picture_get_place (SlPicture *self);

G_END_DECLS
