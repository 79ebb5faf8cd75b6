/* font_strokes.c - font.h in a build without FreeType, Raqm or Fontconfig: strokes.h, where what is
 * beyond ASCII is a box, one for neighbours together. */
#include "app/image/font.h"
#include "app/image/strokes.h"

#include <stdlib.h>

#define BOX '\177' /* a character that the strokes have no glyph for */

struct SlFonts {
    bool failed;
};

SlFonts *sl_fonts_open(SlError *err)
{
    SlFonts *fonts = calloc(1, sizeof *fonts);
    if (!fonts)
        sl_fail(err, SL_MEMORY, "memory ran out for letters");
    return fonts;
}

void sl_fonts_free(SlFonts *fonts)
{
    free(fonts);
}

bool sl_fonts_ok(const SlFonts *fonts, SlError *err)
{
    return !fonts->failed || sl_fail(err, SL_MEMORY, "memory ran out for letters");
}

/* malloc'ed; NULL without memory. */
static char *with_boxes(SlFonts *fonts, const char *text, size_t bytes)
{
    char *out = malloc(bytes + 1);
    size_t n = 0;
    if (!out) {
        fonts->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c < 127)
            out[n++] = (char)c;
        else if (c < ' ')
            out[n++] = ' ';
        else if (n == 0 || out[n - 1] != BOX)
            out[n++] = BOX;
    }
    out[n] = '\0';
    return out;
}

int sl_font_width(SlFonts *fonts, const char *text, size_t bytes, double scale)
{
    char *drawn = with_boxes(fonts, text, bytes);
    int width = drawn ? sl_strokes_width(drawn, scale) : 0;
    free(drawn);
    return width;
}

void sl_font_draw(SlFonts *fonts, SlBitmap *canvas, const char *text, size_t bytes, int x, int y,
                  double scale, const uint8_t color[3])
{
    char *drawn = with_boxes(fonts, text, bytes);
    if (drawn)
        sl_strokes_draw(canvas, drawn, x, y, scale, color);
    free(drawn);
}
