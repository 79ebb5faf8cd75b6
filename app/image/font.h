/* font.h - lettering for contact sheets: a small stroke font of our own, ASCII only, drawn with
 * smooth edges on RGB rows. No library, so that the command line needs none.
 */
#ifndef SL_APP_FONT_H
#define SL_APP_FONT_H

#include <stdint.h>

typedef struct SlBitmap {
    uint8_t *rgb;
    int width, height;
} SlBitmap;

/* Pixels from one line to the next, and those that a text takes in width. scale is the height of a
 * capital in pixels. */
int sl_font_line(double scale);
/* Draws with the top left corner at x, y; cuts at the canvas' edges. UTF-8 beyond ASCII is drawn as
 * a box. */
void sl_font_draw(SlBitmap *canvas, const char *text, int x, int y, double scale,
                  const uint8_t color[3]);
/* As many characters of text as fit into width, with "..." when it had to be cut; into out. */
void sl_font_fit(const char *text, double scale, int width, char *out, int out_size);

#endif
