/* sl-print.h - a finished picture as a small print: its thumbnail, what it is of its family, and the family's
 * lines under it. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_PRINT (sl_print_get_type ())

G_DECLARE_FINAL_TYPE (SlPrint, sl_print, SL, PRINT, AdwBin)

GtkWidget *sl_print_new (void);
/* Loads the thumbnail on files when the picture has none. NULL: shows nothing, and the picture that was
 * shown keeps no pixels: a gallery may hold thousands. */
void sl_print_set_picture (SlPrint *self, SlPicture *picture, SlThreadQueue *files);
/* Whether the lines of its family are drawn: its neighbours are those of the gallery's order. */
void sl_print_set_in_tree (SlPrint *self, gboolean in_tree);
/* NULL while it is not loaded. Borrowed. */
GdkTexture *sl_print_get_texture (SlPrint *self);
SlPicture *sl_print_get_picture (SlPrint *self);

G_END_DECLS
