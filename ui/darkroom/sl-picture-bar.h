/* sl-picture-bar.h - the bar under a finished picture in the tray: its prompt, where it comes from, and buttons for
 * what can be done with it.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_PICTURE_BAR (sl_picture_bar_get_type ())

G_DECLARE_FINAL_TYPE (SlPictureBar, sl_picture_bar, SL, PICTURE_BAR, AdwBin)

/* Also when its parent or its family changed. */
void sl_picture_bar_show (SlPictureBar *self, SlPicture *picture);

/* Of a picture that has no prompt, once more is known: what its file says or is called. */
void sl_picture_bar_set_name (SlPictureBar *self, const char *name);

G_END_DECLS
