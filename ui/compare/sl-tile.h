/* sl-tile.h - a small picture with its title under it, one of several in a row. Hidden while it has no picture. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_TILE (sl_tile_get_type ())

G_DECLARE_FINAL_TYPE (SlTile, sl_tile, SL, TILE, AdwBin)

/* Put behind what the row has. The row holds it. */
SlTile *sl_tile_append (GtkBox *row);
/* RGB rows; NULL hides the tile. */
void sl_tile_show (SlTile *self, GBytes *rgb, int width, int height, const char *title);

G_END_DECLS
