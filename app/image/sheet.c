/* sheet.c - see sheet.h. Small pictures are enlarged by a whole factor, so that their pixels stay
 * what they are and the labels have room; those of a grid that is too large for one file are made
 * smaller by a whole factor, each pixel the mean of those that it stands for.
 */
#include "app/image/sheet.h"
#include "app/image/font.h"
#include "app/image/png.h"
#include "app/image/strokes.h"

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

/* ---- layout ---- */

typedef struct Places {
    int margin, shrink, columns, rows;
    int left, header;            /* what the names of rows and columns take */
    int tile_width, tile_height; /* with label */
    int picture_width, picture_height;
    int top; /* of the first row */
    int width, height;
} Places;

/* Rows of a grid, and those beside it. */
static int rows_of(const SlSheet *sheet)
{
    int most = sheet->grid->columns * sheet->grid->rows - 1;
    for (int i = 0; i < sheet->count; i++)
        most = sheet->grid->cell[i] > most ? sheet->grid->cell[i] : most;
    return most / sheet->grid->columns + 1;
}

static Places place_at(const SlSheet *sheet, int shrink)
{
    const SlSheetLayout *l = &sheet->layout;
    /* a picture by itself with nothing said about it has no frame */
    bool bare = sheet->count == 1 && !sheet->grid && l->heading + l->title + l->detail == 0;
    int title = l->title * sl_font_line(TITLE_SCALE);
    Places p = {.margin = bare ? 0 : MARGIN, .shrink = shrink};
    p.columns = sheet->grid ? sheet->grid->columns : (int)ceil(sqrt(sheet->count));
    p.rows = sheet->grid ? rows_of(sheet) : (sheet->count + p.columns - 1) / p.columns;
    p.left = sheet->grid && l->title ? ROW_NAME + MARGIN : 0;
    p.header = sheet->grid && l->title ? title + MARGIN / 2 : 0;
    p.picture_width = (sheet->width + shrink - 1) / shrink * l->factor;
    p.picture_height = (sheet->height + shrink - 1) / shrink * l->factor;
    p.tile_width = p.picture_width + p.margin;
    p.tile_height = p.picture_height + p.margin + (sheet->grid ? 0 : title) +
                    l->detail * sl_font_line(DETAIL_SCALE);
    p.top = p.margin + p.header;
    if (l->heading > 0)
        p.top += l->heading * sl_font_line(TITLE_SCALE) + MARGIN / 2;
    p.width = p.margin + p.left + p.columns * p.tile_width;
    p.height = p.top + p.rows * p.tile_height;
    return p;
}

static Places place(const SlSheet *sheet)
{
    Places p = place_at(sheet, 1);
    int least = sheet->layout.factor; /* of a picture that is one pixel, enlarged */
    while (sheet->grid && (p.width > SL_PNG_MAX_SIDE || p.height > SL_PNG_MAX_SIDE) &&
           p.picture_width > least && p.picture_height > least)
        p = place_at(sheet, p.shrink + 1);
    return p;
}

int sl_sheet_factor(const SlSheet *sheet, int side)
{
    int least = sheet->grid ? SMALLEST_IN_GRID : SMALLEST;
    int from = sheet->width;
    if (side > 0) {
        least = side;
        from = sheet->width < sheet->height ? sheet->width : sheet->height;
    }
    int factor = from < least ? (least + from - 1) / from : 1;
    return factor < SL_SHEET_FACTOR ? factor : SL_SHEET_FACTOR;
}

SlSheetLayout sl_sheet_first_layout(const SlSheet *sheet)
{
    return (SlSheetLayout){sl_sheet_factor(sheet, 0), 1, 1, 1};
}

bool sl_sheet_layout_is_good(const SlSheetLayout *l)
{
    const int lines[] = {l->heading, l->title, l->detail};
    for (int i = 0; i < 3; i++)
        if (lines[i] < 0 || lines[i] > SL_SHEET_LINES)
            return false;
    return l->factor >= 1 && l->factor <= SL_SHEET_FACTOR;
}

/* The lines of a text that is wider than others. */
static void want_lines(SlFonts *fonts, const char *text, double scale, int width, int *lines)
{
    int needs = sl_font_lines(fonts, text, scale, width, SL_SHEET_LINES);
    *lines = needs > *lines ? needs : *lines;
}

bool sl_sheet_lay_out(const SlSheet *sheet, SlSheetLayout *layout, SlError *err)
{
    SlFonts *fonts = sl_fonts_open(err);
    SlSheet laid = *sheet;
    if (!fonts)
        return false;
    if (laid.layout.factor == 0)
        laid.layout.factor = sl_sheet_factor(sheet, 0);
    laid.layout = (SlSheetLayout){laid.layout.factor, 1, 1, 1};
    Places p = place(&laid);
    SlSheetLayout l = {.factor = laid.layout.factor, .title = sheet->grid ? 1 : 0};
    want_lines(fonts, sheet->heading, TITLE_SCALE, p.width - 2 * MARGIN, &l.heading);
    for (int i = 0; sheet->grid && i < sheet->grid->columns; i++)
        want_lines(fonts, sheet->grid->column[i], TITLE_SCALE, p.picture_width, &l.title);
    for (int i = 0; i < sheet->count; i++) {
        const SlSheetTile *tile = &sheet->tile[i];
        if (!sheet->grid)
            want_lines(fonts, tile->title, TITLE_SCALE, p.picture_width, &l.title);
        want_lines(fonts, sheet->grid && *tile->title ? tile->title : tile->detail, DETAIL_SCALE,
                   p.picture_width, &l.detail);
    }
    bool ok = sl_fonts_ok(fonts, err);
    sl_fonts_free(fonts);
    *layout = l;
    return ok;
}

void sl_sheet_size(const SlSheet *sheet, int *sheet_width, int *sheet_height)
{
    Places p = place(sheet);
    *sheet_width = p.width;
    *sheet_height = p.height;
}

/* ---- drawing ---- */

void sl_enlarge(const uint8_t *rgb, int width, int height, int factor, uint8_t *to, size_t stride)
{
    for (int row = 0; row < height * factor; row++) {
        const uint8_t *from = rgb + (size_t)(row / factor) * (size_t)width * 3;
        uint8_t *line = to + (size_t)row * stride;
        for (int column = 0; column < width * factor; column++)
            memcpy(line + 3 * column, from + 3 * (column / factor), 3);
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

typedef struct Pen {
    SlBitmap canvas;
    SlFonts *fonts; /* NULL: the first edition's strokes */
} Pen;

static void write_text(Pen *pen, const char *text, int x, int y, double scale, int width, int lines,
                       const uint8_t color[3])
{
    char fitting[256];
    if (pen->fonts) {
        sl_font_draw_lines(pen->fonts, &pen->canvas, text, x, y, scale, width, lines, color);
        return;
    }
    sl_strokes_fit(text, scale, width, fitting, sizeof fitting);
    sl_strokes_draw(&pen->canvas, fitting, x, y, scale, color);
}

static void draw_tile(Pen *pen, const SlSheet *sheet, const Places *p, int i)
{
    const SlSheetTile *tile = &sheet->tile[i];
    int at = sheet->grid ? sheet->grid->cell[i] : i;
    int x = p->margin + p->left + at % p->columns * p->tile_width;
    int y = p->top + at / p->columns * p->tile_height;
    size_t stride = (size_t)pen->canvas.width * 3;
    if (tile->rgb && p->shrink > 1)
        shrink_picture(&pen->canvas, sheet, tile->rgb, p->shrink, x, y);
    else if (tile->rgb)
        sl_enlarge(tile->rgb, sheet->width, sheet->height, sheet->layout.factor,
                   pen->canvas.rgb + (size_t)y * stride + (size_t)x * 3, stride);
    y += p->picture_height + MARGIN / 4;
    if (!sheet->grid) {
        write_text(pen, tile->title, x, y, TITLE_SCALE, p->picture_width, sheet->layout.title, ink);
        y += sheet->layout.title * sl_font_line(TITLE_SCALE);
    } else if (*tile->title) {
        write_text(pen, tile->title, x, y, DETAIL_SCALE, p->picture_width, sheet->layout.detail,
                   ink);
        return;
    }
    write_text(pen, tile->detail, x, y, DETAIL_SCALE, p->picture_width, sheet->layout.detail, pale);
}

/* Of columns above them, of rows beside the middle of their pictures. */
static void draw_names(Pen *pen, const SlSheet *sheet, const Places *p)
{
    const SlSheetGrid *grid = sheet->grid;
    int line = sl_font_line(TITLE_SCALE), most = p->picture_height / line;
    most = most < 1 ? 1 : most < SL_SHEET_LINES ? most : SL_SHEET_LINES;
    for (int i = 0; i < grid->columns; i++)
        write_text(pen, grid->column[i], p->margin + p->left + i * p->tile_width,
                   p->top - p->header, TITLE_SCALE, p->picture_width, sheet->layout.title, ink);
    for (int i = 0; i < grid->rows; i++) {
        int lines = sl_font_lines(pen->fonts, grid->row[i], TITLE_SCALE, ROW_NAME, most);
        write_text(pen, grid->row[i], p->margin,
                   p->top + i * p->tile_height + (p->picture_height - lines * line) / 2,
                   TITLE_SCALE, ROW_NAME, most, ink);
    }
}

static bool draw(const SlSheet *sheet, const Places *p, uint8_t *rgb, SlError *err)
{
    Pen pen = {{rgb, p->width, p->height}, NULL};
    if (!sheet->first_edition && !(pen.fonts = sl_fonts_open(err)))
        return false;
    write_text(&pen, sheet->heading, MARGIN, MARGIN, TITLE_SCALE, p->width - 2 * MARGIN,
               sheet->layout.heading, ink);
    if (sheet->grid && sheet->layout.title > 0)
        draw_names(&pen, sheet, p);
    for (int i = 0; i < sheet->count; i++)
        draw_tile(&pen, sheet, p, i);
    bool ok = !pen.fonts || sl_fonts_ok(pen.fonts, err);
    sl_fonts_free(pen.fonts);
    return ok;
}

static uint8_t *render(const SlSheet *sheet, int *width, int *height, SlError *err)
{
    Places p = place(sheet);
    if (p.width > SL_PNG_MAX_SIDE || p.height > SL_PNG_MAX_SIDE) {
        sl_fail(err, SL_ARGUMENT,
                "the sheet would be %d x %d pixels; at most %d a side: compare fewer or smaller "
                "pictures",
                p.width, p.height, SL_PNG_MAX_SIDE);
        return NULL;
    }
    size_t pixels = (size_t)p.width * (size_t)p.height;
    uint8_t *rgb = malloc(pixels * 3);
    if (!rgb) {
        sl_fail(err, SL_MEMORY, "memory ran out for a sheet of %d x %d", p.width, p.height);
        return NULL;
    }
    for (size_t i = 0; i < pixels; i++)
        memcpy(rgb + 3 * i, paper, 3);
    if (!draw(sheet, &p, rgb, err)) {
        free(rgb);
        return NULL;
    }
    *width = p.width;
    *height = p.height;
    return rgb;
}

uint8_t *sl_sheet_render(const SlSheet *sheet, int *width, int *height, SlError *err)
{
    SlSheet laid = *sheet;
    if (laid.layout.factor == 0 && !sl_sheet_lay_out(sheet, &laid.layout, err))
        return NULL;
    return render(&laid, width, height, err);
}
