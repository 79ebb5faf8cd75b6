/* strokes.h - a small stroke font of our own, ASCII only. The first edition lettered its sheets with
 * it, so that those can be drawn again to the same bytes (replay), and builds without FreeType have
 * no other (font_strokes.c).
 */
#ifndef SL_APP_STROKES_H
#define SL_APP_STROKES_H

#include "app/image/font.h"

/* Pixels that a text takes. */
int sl_strokes_width(const char *text, double scale);
/* As sl_font_draw. Each character beyond ASCII is drawn as a box. */
void sl_strokes_draw(SlBitmap *canvas, const char *text, int x, int y, double scale,
                     const uint8_t color[3]);
/* As many characters of text as fit into width, with "..." when it had to be cut; into out. */
void sl_strokes_fit(const char *text, double scale, int width, char *out, int out_size);

#endif
