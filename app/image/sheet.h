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

/* Pictures at crossings of columns and rows, which have names. */
typedef struct SlSheetGrid {
    int columns, rows;
    const char *const *column, *const *row; /* [columns], [rows]: their names */
    /* A cell's picture has its title under it, or where that is "" its detail. */
    const int *cell; /* [count], of each tile: row * columns + column; beyond the last: beside them,
                        in rows without a name */
} SlSheetGrid;

typedef struct SlSheet {
    int width, height; /* of each picture */
    const char *heading;
    int count;
    const SlSheetTile *tile;
    const SlSheetGrid *grid; /* NULL: as many columns as rows, one picture after the other */
} SlSheet;

/* What a sheet measures; tiles, heading and names are not looked at. */
void sl_sheet_size(const SlSheet *sheet, int *sheet_width, int *sheet_height);
/* malloc'ed RGB rows; NULL and *err when there is no memory or the sheet would be too large for a
 * PNG. The pictures of a grid that would be are made smaller instead. */
uint8_t *sl_sheet_render(const SlSheet *sheet, int *width, int *height, SlError *err);

#endif
