/* sl-moving-picture.h - an animation in a file, one of its pictures after the other, read on the file thread. */
#pragma once

#include "app/objects/sl-thread-queue.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define SL_TYPE_MOVING_PICTURE (sl_moving_picture_get_type ())

G_DECLARE_FINAL_TYPE (SlMovingPicture, sl_moving_picture, SL, MOVING_PICTURE, GObject)

/* files is borrowed for each call of sl_moving_picture_next. Signal "picture" (GBytes of RGB rows, int width, int height,
 * int milliseconds that it is shown for). */
SlMovingPicture *sl_moving_picture_new (const char *path);
/* "picture" follows, of the first one after the last; but not for a file that has one picture or none that can be
 * decoded. One call at a time. */
void sl_moving_picture_next (SlMovingPicture *self, SlThreadQueue *files);

G_END_DECLS
