/* sheet.h - a labelled contact sheet: pictures of one size in a grid, each with its name and what else
 * is said of it below. Where these are longer than a picture is wide they take more lines, and the
 * sheet is as much higher: how many is its layout, from which alone its size follows.
 */
#ifndef SL_APP_SHEET_H
#define SL_APP_SHEET_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_SHEET_LINES  8  /* that a text may take; what is longer is cut */
#define SL_SHEET_FACTOR 64 /* by which pictures are enlarged at most */

typedef struct SlSheetTile {
    const uint8_t *rgb; /* NULL: a picture that could not be made */
    char title[256];    /* "Euler ancestral" */
    char detail[128];   /* "step 8 of 25, sigma 1.23, 8 evaluations" */
} SlSheetTile;

/* Pictures at crossings of columns and rows, which have names. */
typedef struct SlSheetGrid {
    int columns, rows;
    const char *const *column, *const *row; /* [columns], [rows]: their names */
    /* A cell's picture has its title under it, or where that is "" its detail. */
    const int *cell; /* [count], of each tile: row * columns + column; beyond the last: beside them,
                        in rows without a name */
} SlSheetGrid;

typedef struct SlSheetLayout {
    int factor;                 /* pictures are enlarged so many times */
    int heading, title, detail; /* lines of each; 0: none. Of a grid, title: its columns' names */
} SlSheetLayout;

typedef struct SlSheet {
    int width, height; /* of each picture */
    const char *heading;
    int count;
    const SlSheetTile *tile;
    const SlSheetGrid *grid; /* NULL: as many columns as rows, one picture after the other */
    SlSheetLayout layout;
    bool first_edition; /* lettered as the first edition was: strokes, cut at a picture's width */
} SlSheet;

/* The factor by which a sheet's pictures are enlarged so that both sides have so many pixels; side 0:
 * as many as labels need. */
int sl_sheet_factor(const SlSheet *sheet, int side);
/* The lines that a sheet's texts take with the factor of its layout, of every tile the same. False and
 * *err without memory. */
bool sl_sheet_lay_out(const SlSheet *sheet, SlSheetLayout *layout, SlError *err);
/* The first edition's: one line of each. */
SlSheetLayout sl_sheet_first_layout(const SlSheet *sheet);
/* False: no sheet has this one. */
bool sl_sheet_layout_is_good(const SlSheetLayout *layout);

/* What a sheet measures with its layout; tiles, heading and names are not looked at. */
void sl_sheet_size(const SlSheet *sheet, int *sheet_width, int *sheet_height);
/* With a layout of factor 0 it is laid out as its texts need. malloc'ed RGB rows; NULL and *err when there is no memory or the sheet would be too large for a
 * PNG. The pictures of a grid that would be are made smaller instead. */
uint8_t *sl_sheet_render(const SlSheet *sheet, int *width, int *height, SlError *err);
/* A picture a whole number of times as large, its pixels as squares: into `to`, height * factor rows
 * of `stride` bytes. */
void sl_enlarge(const uint8_t *rgb, int width, int height, int factor, uint8_t *to, size_t stride);

#ifdef __cplusplus
}
#endif

#endif
