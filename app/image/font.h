/* font.h - text on pictures: sheets, animations, the maps of words.
 *
 * With FreeType, HarfBuzz (by Raqm) and Fontconfig the letters of Latin, Greek and Cyrillic are those
 * of a font that is part of the program, so that they are the same on every machine; all others come
 * from the fonts of the system, from right to left where they are written so. What no font has is a
 * box, one for neighbours together. A build without these libraries draws ASCII with strokes of our
 * own, and what is beyond it as such a box.
 *
 * The same text gives the same pixels on one machine, as long as its fonts stay the same. Nothing that
 * is compared between machines may depend on what is drawn here (see compare.h).
 */
#ifndef SL_APP_FONT_H
#define SL_APP_FONT_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlBitmap {
    uint8_t *rgb;
    int width, height;
} SlBitmap;

/* The fonts that one picture, or a row of them, is lettered with. For one thread. */
typedef struct SlFonts SlFonts;

SlFonts *sl_fonts_open(SlError *err); /* NULL and *err without memory */
void sl_fonts_free(SlFonts *fonts);   /* NULL is fine */
/* False and *err where something could not be drawn, or measured, for want of memory: to be asked
 * before a picture is used. */
bool sl_fonts_ok(const SlFonts *fonts, SlError *err);

/* Pixels from one line to the next. scale, here and below, is the height of a capital in pixels. */
int sl_font_line(double scale);
/* Pixels that a text of so many bytes takes in width. */
int sl_font_width(SlFonts *fonts, const char *text, size_t bytes, double scale);
/* Draws with the top left corner at x, y; cuts at the canvas' edges. */
void sl_font_draw(SlFonts *fonts, SlBitmap *canvas, const char *text, size_t bytes, int x, int y,
                  double scale, const uint8_t color[3]);

/* How many lines a text takes in a width, broken between words and where none fits within them; at
 * most `most`. */
int sl_font_lines(SlFonts *fonts, const char *text, double scale, int width, int most);
/* Draws a text so, at most `most` lines; where it needs more, the last ends in "...". */
void sl_font_draw_lines(SlFonts *fonts, SlBitmap *canvas, const char *text, int x, int y,
                        double scale, int width, int most, const uint8_t color[3]);

#ifdef __cplusplus
}
#endif

#endif
