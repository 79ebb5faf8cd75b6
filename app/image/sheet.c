/* sheet.c - see sheet.h. Small pictures are enlarged by a whole factor, so that their pixels stay
 * what they are and the labels have room; those of a grid that is too large for one file are made
 * smaller by a whole factor, each pixel the mean of those that it stands for.
 */
#include "app/image/sheet.h"
#include "app/image/font.h"
#include "app/image/png.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN           16
#define SMALLEST         224 /* pixels that a label needs */
#define SMALLEST_IN_GRID 128
#define ROW_NAME         180 /* pixels for the names of a grid's rows */
#define TITLE_SCALE      12.0
#define DETAIL_SCALE     9.0

static const uint8_t paper[3] = {24, 24, 27}, ink[3] = {240, 240, 240}, pale[3] = {170, 170, 178};

typedef struct Layout {
    int factor, shrink, columns, rows;
    int left, header;            /* what the names of rows and columns take */
    int tile_width, tile_height; /* with label */
    int picture_width, picture_height;
    int top; /* of the first row */
    int width, height;
} Layout;

/* Rows of a grid, and those beside it. */
static int rows_of(const SlSheet *sheet)
{
    int most = sheet->grid->columns * sheet->grid->rows - 1;
    for (int i = 0; i < sheet->count; i++)
        most = sheet->grid->cell[i] > most ? sheet->grid->cell[i] : most;
    return most / sheet->grid->columns + 1;
}

static Layout lay_out_at(const SlSheet *sheet, int shrink)
{
    int least = sheet->grid ? SMALLEST_IN_GRID : SMALLEST;
    Layout l = {.factor = sheet->width < least ? (least + sheet->width - 1) / sheet->width : 1,
                .shrink = shrink};
    l.columns = sheet->grid ? sheet->grid->columns : (int)ceil(sqrt(sheet->count));
    l.rows = sheet->grid ? rows_of(sheet) : (sheet->count + l.columns - 1) / l.columns;
    l.left = sheet->grid ? ROW_NAME + MARGIN : 0;
    l.header = sheet->grid ? sl_font_line(TITLE_SCALE) + MARGIN / 2 : 0;
    l.picture_width = (sheet->width + shrink - 1) / shrink * l.factor;
    l.picture_height = (sheet->height + shrink - 1) / shrink * l.factor;
    l.tile_width = l.picture_width + MARGIN;
    l.tile_height = l.picture_height + MARGIN + (sheet->grid ? 0 : sl_font_line(TITLE_SCALE)) +
                    sl_font_line(DETAIL_SCALE);
    l.top = MARGIN + sl_font_line(TITLE_SCALE) + MARGIN / 2 + l.header;
    l.width = MARGIN + l.left + l.columns * l.tile_width;
    l.height = l.top + l.rows * l.tile_height;
    return l;
}

static Layout lay_out(const SlSheet *sheet)
{
    Layout l = lay_out_at(sheet, 1);
    while (sheet->grid && (l.width > SL_PNG_MAX_SIDE || l.height > SL_PNG_MAX_SIDE) &&
           l.picture_width > 1 && l.picture_height > 1)
        l = lay_out_at(sheet, l.shrink + 1);
    return l;
}

void sl_sheet_size(const SlSheet *sheet, int *sheet_width, int *sheet_height)
{
    Layout l = lay_out(sheet);
    *sheet_width = l.width;
    *sheet_height = l.height;
}

static void copy_picture(SlBitmap *canvas, const SlSheet *sheet, const uint8_t *rgb, int factor,
                         int x, int y)
{
    for (int row = 0; row < sheet->height * factor; row++) {
        const uint8_t *from = rgb + (size_t)(row / factor) * (size_t)sheet->width * 3;
        uint8_t *to = canvas->rgb + ((size_t)(y + row) * (size_t)canvas->width + (size_t)x) * 3;
        for (int column = 0; column < sheet->width * factor; column++)
            memcpy(to + 3 * column, from + 3 * (column / factor), 3);
    }
}

/* The mean of shrink * shrink pixels, or of those that there are at the edges. */
static void shrink_picture(SlBitmap *canvas, const SlSheet *sheet, const uint8_t *rgb, int shrink,
                           int x, int y)
{
    for (int top = 0; top < sheet->height; top += shrink)
        for (int left = 0; left < sheet->width; left += shrink) {
            int high = top + shrink < sheet->height ? shrink : sheet->height - top;
            int wide = left + shrink < sheet->width ? shrink : sheet->width - left;
            size_t at = (size_t)(y + top / shrink) * (size_t)canvas->width;
            uint8_t *to = canvas->rgb + (at + (size_t)(x + left / shrink)) * 3;
            for (int c = 0; c < 3; c++) {
                int sum = high * wide / 2;
                for (int i = 0; i < high * wide; i++) {
                    size_t row = (size_t)(top + i / wide) * (size_t)sheet->width;
                    sum += rgb[(row + (size_t)(left + i % wide)) * 3 + (size_t)c];
                }
                to[c] = (uint8_t)(sum / (high * wide));
            }
        }
}

static void draw_fitting(SlBitmap *canvas, const char *text, int x, int y, double scale, int width,
                         const uint8_t color[3])
{
    char fitting[256];
    sl_font_fit(text, scale, width, fitting, sizeof fitting);
    sl_font_draw(canvas, fitting, x, y, scale, color);
}

static void draw_tile(SlBitmap *canvas, const SlSheet *sheet, const Layout *l, int i)
{
    const SlSheetTile *tile = &sheet->tile[i];
    int at = sheet->grid ? sheet->grid->cell[i] : i;
    int x = MARGIN + l->left + at % l->columns * l->tile_width;
    int y = l->top + at / l->columns * l->tile_height;
    if (tile->rgb && l->shrink > 1)
        shrink_picture(canvas, sheet, tile->rgb, l->shrink, x, y);
    else if (tile->rgb)
        copy_picture(canvas, sheet, tile->rgb, l->factor, x, y);
    y += l->picture_height + MARGIN / 4;
    if (!sheet->grid) {
        draw_fitting(canvas, tile->title, x, y, TITLE_SCALE, l->picture_width, ink);
        y += sl_font_line(TITLE_SCALE);
    } else if (*tile->title) {
        draw_fitting(canvas, tile->title, x, y, DETAIL_SCALE, l->picture_width, ink);
        return;
    }
    draw_fitting(canvas, tile->detail, x, y, DETAIL_SCALE, l->picture_width, pale);
}

/* Of columns above them, of rows beside the middle of their pictures. */
static void draw_names(SlBitmap *canvas, const SlSheetGrid *grid, const Layout *l)
{
    for (int i = 0; i < grid->columns; i++)
        draw_fitting(canvas, grid->column[i], MARGIN + l->left + i * l->tile_width,
                     l->top - l->header, TITLE_SCALE, l->picture_width, ink);
    for (int i = 0; i < grid->rows; i++)
        draw_fitting(canvas, grid->row[i], MARGIN,
                     l->top + i * l->tile_height + (l->picture_height - (int)TITLE_SCALE) / 2,
                     TITLE_SCALE, ROW_NAME, ink);
}

uint8_t *sl_sheet_render(const SlSheet *sheet, int *width, int *height, SlError *err)
{
    Layout l = lay_out(sheet);
    if (l.width > SL_PNG_MAX_SIDE || l.height > SL_PNG_MAX_SIDE) {
        sl_fail(err, SL_ARGUMENT,
                "the sheet would be %d x %d pixels; at most %d a side: compare fewer or smaller "
                "pictures",
                l.width, l.height, SL_PNG_MAX_SIDE);
        return NULL;
    }
    size_t pixels = (size_t)l.width * (size_t)l.height;
    SlBitmap canvas = {.rgb = malloc(pixels * 3), .width = l.width, .height = l.height};
    if (!canvas.rgb) {
        sl_fail(err, SL_MEMORY, "memory ran out for a sheet of %d x %d", l.width, l.height);
        return NULL;
    }
    for (size_t i = 0; i < pixels; i++)
        memcpy(canvas.rgb + 3 * i, paper, 3);
    draw_fitting(&canvas, sheet->heading, MARGIN, MARGIN, TITLE_SCALE, l.width - 2 * MARGIN, ink);
    if (sheet->grid)
        draw_names(&canvas, sheet->grid, &l);
    for (int i = 0; i < sheet->count; i++)
        draw_tile(&canvas, sheet, &l, i);
    *width = l.width;
    *height = l.height;
    return canvas.rgb;
}
