/* heat.c - see heat.h. The picture under the colours loses its own as it gets dark, so that where little
 * is, its shapes are still seen, and where much is, nothing but the heat is read as colour. */
#include "app/image/heat.h"

#include "app/image/font.h"
#include "app/image/png.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN      16
#define SMALLEST    320 /* pixels of the picture's shorter side */
#define BAR         14
#define LABEL       64 /* room for the scale's labels */
#define TITLE_SCALE 12.0
#define LABEL_SCALE 9.0

static const uint8_t paper[3] = {24, 24, 27}, ink[3] = {240, 240, 240}, pale[3] = {170, 170, 178};

/* From dark violet over red to pale yellow, growing lighter all the way. */
static void color_of(double t, double rgb[3])
{
    static const double stop[][3] = {{8, 6, 24},     {58, 12, 92},   {128, 28, 108}, {196, 54, 78},
                                     {238, 102, 42}, {252, 166, 40}, {252, 244, 172}};
    enum { STOPS = sizeof stop / sizeof *stop };
    double at = (t < 0 ? 0 : t > 1 ? 1 : t) * (STOPS - 1);
    int i = at >= STOPS - 1 ? STOPS - 2 : (int)at;
    for (int c = 0; c < 3; c++)
        rgb[c] = stop[i][c] + (stop[i + 1][c] - stop[i][c]) * (at - i);
}

void sl_heat_color(double t, uint8_t rgb[3])
{
    double color[3];
    color_of(t, color);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(color[c] + 0.5);
}

double sl_heat_cover(double t)
{
    return 0.35 + 0.4 * t;
}

void sl_heat_range(const float *value, size_t count, float *low, float *high)
{
    *low = *high = count ? value[0] : 0;
    for (size_t i = 1; i < count; i++) {
        *low = value[i] < *low ? value[i] : *low;
        *high = value[i] > *high ? value[i] : *high;
    }
}

static double between(double a, double b, double t)
{
    return a + (b - a) * t;
}

/* The value at a pixel's centre, 0 .. 1 of the scale. */
static double at(const SlHeat *h, int y, int x)
{
    double fy = (y + 0.5) * h->height / h->picture_height - 0.5;
    double fx = (x + 0.5) * h->width / h->picture_width - 0.5;
    int y0 = (int)floor(fy), x0 = (int)floor(fx);
    int ys[2] = {y0 < 0 ? 0 : y0, y0 + 1 < h->height ? y0 + 1 : h->height - 1};
    int xs[2] = {x0 < 0 ? 0 : x0, x0 + 1 < h->width ? x0 + 1 : h->width - 1};
    const float *top = h->value + (int64_t)ys[0] * h->width;
    const float *bottom = h->value + (int64_t)ys[1] * h->width;
    double v = between(between(top[xs[0]], top[xs[1]], fx - x0),
                       between(bottom[xs[0]], bottom[xs[1]], fx - x0), fy - y0);
    return h->high > h->low ? (v - h->low) / ((double)h->high - h->low) : 0;
}

void sl_heat_draw(const SlHeat *heat, uint8_t *out)
{
    for (int y = 0; y < heat->picture_height; y++)
        for (int x = 0; x < heat->picture_width; x++) {
            const uint8_t *p = heat->rgb + ((int64_t)y * heat->picture_width + x) * 3;
            uint8_t *to = out + ((int64_t)y * heat->picture_width + x) * 3;
            double t = at(heat, y, x), color[3];
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double gray = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2], part = sl_heat_cover(t);
            color_of(t, color);
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)(between(gray * 0.8, color[c], part) + 0.5);
        }
}

static void fill(SlBitmap *canvas, int x, int y, int width, const uint8_t color[3])
{
    for (int i = 0; i < width; i++)
        memcpy(canvas->rgb + ((size_t)y * (size_t)canvas->width + (size_t)(x + i)) * 3, color, 3);
}

static void draw_scale(SlFonts *fonts, SlBitmap *canvas, const SlHeatLabels *labels, int x, int y,
                       int height)
{
    for (int row = 0; row < height; row++) {
        uint8_t rgb[3];
        sl_heat_color(1 - (row + 0.5) / height, rgb);
        fill(canvas, x, y + row, BAR, rgb);
    }
    sl_font_draw(fonts, canvas, labels->high, strlen(labels->high), x + BAR + 6, y, LABEL_SCALE,
                 pale);
    sl_font_draw(fonts, canvas, labels->low, strlen(labels->low), x + BAR + 6,
                 y + height - sl_font_line(LABEL_SCALE), LABEL_SCALE, pale);
}

uint8_t *sl_heat_render(const SlHeat *heat, const SlHeatLabels *labels, int *width, int *height,
                        SlError *err)
{
    int w = heat->picture_width, h = heat->picture_height, side = w < h ? w : h;
    int factor = side < SMALLEST ? (SMALLEST + side - 1) / side : 1;
    int top = MARGIN + sl_font_line(TITLE_SCALE) + MARGIN / 2;
    SlBitmap canvas = {.width = 2 * MARGIN + w * factor + MARGIN / 2 + BAR + LABEL,
                       .height = top + h * factor + MARGIN};
    SlFonts *fonts = sl_fonts_open(err);
    if (!fonts)
        return NULL;
    canvas.rgb = malloc((size_t)canvas.width * (size_t)canvas.height * 3);
    SlHeat large = *heat;
    large.picture_width = w * factor;
    large.picture_height = h * factor;
    size_t pixels = (size_t)large.picture_width * (size_t)large.picture_height;
    uint8_t *under = malloc(pixels * 3), *drawn = malloc(pixels * 3);
    if (!canvas.rgb || !under || !drawn) {
        free(canvas.rgb);
        free(under);
        free(drawn);
        sl_fonts_free(fonts);
        sl_fail(err, SL_MEMORY, "memory ran out for the picture of a word's map");
        return NULL;
    }
    for (int y = 0; y < large.picture_height; y++)
        for (int x = 0; x < large.picture_width; x++)
            memcpy(under + ((int64_t)y * large.picture_width + x) * 3,
                   heat->rgb + ((int64_t)(y / factor) * w + x / factor) * 3, 3);
    large.rgb = under;
    sl_heat_draw(&large, drawn);
    for (int y = 0; y < canvas.height; y++)
        fill(&canvas, 0, y, canvas.width, paper);
    for (int y = 0; y < large.picture_height; y++)
        memcpy(canvas.rgb + ((int64_t)(top + y) * canvas.width + MARGIN) * 3,
               drawn + (int64_t)y * large.picture_width * 3, (size_t)large.picture_width * 3);
    sl_font_draw_lines(fonts, &canvas, labels->title, MARGIN, MARGIN, TITLE_SCALE,
                       canvas.width - 2 * MARGIN, 1, ink);
    draw_scale(fonts, &canvas, labels, MARGIN + large.picture_width + MARGIN / 2, top,
               large.picture_height);
    free(under);
    free(drawn);
    bool ok = sl_fonts_ok(fonts, err);
    sl_fonts_free(fonts);
    if (!ok) {
        free(canvas.rgb);
        return NULL;
    }
    *width = canvas.width;
    *height = canvas.height;
    return canvas.rgb;
}
