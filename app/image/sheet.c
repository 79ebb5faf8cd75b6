/* sheet.c - see sheet.h. Small pictures are enlarged by a whole factor, so that their pixels stay
 * what they are and the labels have room.
 */
#include "app/image/sheet.h"
#include "app/image/font.h"
#include "app/image/png.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN       16
#define SMALLEST     224 /* pixels that a label needs */
#define TITLE_SCALE  12.0
#define DETAIL_SCALE 9.0

static const uint8_t paper[3] = {24, 24, 27}, ink[3] = {240, 240, 240}, pale[3] = {170, 170, 178};

typedef struct Layout {
    int factor, columns, rows;
    int tile_width, tile_height; /* with label */
    int picture_width, picture_height;
    int top; /* of the first row */
    int width, height;
} Layout;

static Layout lay_out(const SlSheet *sheet)
{
    Layout l = {.factor =
                    sheet->width < SMALLEST ? (SMALLEST + sheet->width - 1) / sheet->width : 1};
    l.columns = (int)ceil(sqrt(sheet->count));
    l.rows = (sheet->count + l.columns - 1) / l.columns;
    l.picture_width = sheet->width * l.factor;
    l.picture_height = sheet->height * l.factor;
    l.tile_width = l.picture_width + MARGIN;
    l.tile_height =
        l.picture_height + MARGIN + sl_font_line(TITLE_SCALE) + sl_font_line(DETAIL_SCALE);
    l.top = MARGIN + sl_font_line(TITLE_SCALE) + MARGIN / 2;
    l.width = MARGIN + l.columns * l.tile_width;
    l.height = l.top + l.rows * l.tile_height;
    return l;
}

void sl_sheet_size(int count, int width, int height, int *sheet_width, int *sheet_height)
{
    const SlSheet sheet = {.width = width, .height = height, .count = count};
    Layout l = lay_out(&sheet);
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
    int x = MARGIN + i % l->columns * l->tile_width, y = l->top + i / l->columns * l->tile_height;
    if (tile->rgb)
        copy_picture(canvas, sheet, tile->rgb, l->factor, x, y);
    y += l->picture_height + MARGIN / 4;
    draw_fitting(canvas, tile->title, x, y, TITLE_SCALE, l->picture_width, ink);
    y += sl_font_line(TITLE_SCALE);
    draw_fitting(canvas, tile->detail, x, y, DETAIL_SCALE, l->picture_width, pale);
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
    for (int i = 0; i < sheet->count; i++)
        draw_tile(&canvas, sheet, &l, i);
    *width = l.width;
    *height = l.height;
    return canvas.rgb;
}
