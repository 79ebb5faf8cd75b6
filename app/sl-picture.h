/* sl-picture.h - a finished picture: its PNG file and what the gallery shows of it. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define SL_TYPE_PICTURE (sl_picture_get_type ())

G_DECLARE_FINAL_TYPE (SlPicture, sl_picture, SL, PICTURE, GObject)

/* time is in microseconds since 1970. prompt may be "". */
SlPicture *sl_picture_new (const char *path, const char *prompt, gint64 time);
const char *sl_picture_get_path (SlPicture *self);
const char *sl_picture_get_prompt (SlPicture *self);
gint64 sl_picture_get_time (SlPicture *self);
/* RGB rows, or NULL while it is not loaded. Signal "thumbnail" when that changes. */
GBytes *sl_picture_get_thumbnail (SlPicture *self, int *width, int *height);
void sl_picture_set_thumbnail (SlPicture *self, GBytes *rgb, int width, int height);

G_END_DECLS
