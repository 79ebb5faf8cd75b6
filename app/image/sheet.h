/* sheet.h - a labelled contact sheet: pictures of one size in a grid, each with two lines under it.
 */
#ifndef SL_APP_SHEET_H
#define SL_APP_SHEET_H

#include "kernels/kernels.h"

typedef struct SlSheetTile {
    const uint8_t *rgb; /* NULL: a picture that could not be made */
    char title[64];     /* "Euler ancestral" */
    char detail[128];   /* "25 steps, 25 evaluations, 12.3 s" */
} SlSheetTile;

typedef struct SlSheet {
    int width, height; /* of each picture */
    const char *heading;
    int count;
    const SlSheetTile *tile;
} SlSheet;

/* What a sheet of so many pictures of a size measures. */
void sl_sheet_size(int count, int width, int height, int *sheet_width, int *sheet_height);
/* malloc'ed RGB rows; NULL and *err when there is no memory or the sheet would be too large for a
 * PNG. */
uint8_t *sl_sheet_render(const SlSheet *sheet, int *width, int *height, SlError *err);

#endif
