/* test_font_memory.c - a font of the system that cannot be opened, since each of FreeType's calls for memory fails
 * in turn: the fonts say that memory ran out, and no box is drawn in silence where the letter is.
 */
#include "app/image/image.h"
#include "failing_memory.h"
#include "test.h"

#include <dlfcn.h>
#include <ft2build.h>
#include <string.h>
#include FT_FREETYPE_H

#define W 200
#define H 30

static int failures; /* of FT_New_Face */

FT_Error FT_New_Face(FT_Library library, const char *file, FT_Long place, FT_Face *face)
{
    void *found = dlsym(RTLD_NEXT, "FT_New_Face");
    FT_Error (*next)(FT_Library, const char *, FT_Long, FT_Face *);
    memcpy(&next, &found, sizeof next);
    counted = true;
    FT_Error status = next(library, file, place, face);
    counted = false;
    failures += status != 0;
    return status;
}

/* Whether the fonts say that it is drawn. */
static bool draw(const char *text, uint8_t rgb[W * H * 3])
{
    static const uint8_t white[3] = {255, 255, 255};
    SlBitmap canvas = {rgb, W, H};
    SlError err = {0};
    memset(rgb, 0, W * H * 3);
    asked = 0;
    SlFonts *fonts = sl_fonts_open(&err);
    if (fonts)
        sl_font_draw(fonts, &canvas, text, strlen(text), 2, 2, 12, white);
    bool ok = fonts && sl_fonts_ok(fonts, &err);
    sl_fonts_free(fonts);
    return ok;
}

static void test_text(const char *text)
{
    static uint8_t good[W * H * 3], now[W * H * 3];
    int failed = 0, silent = 0;
    draw(text, good); /* what is made once is there */
    bool made = draw(text, good);
    long calls = asked;
    for (long i = 0; i < calls; i++) {
        fails_at = i;
        failures = 0;
        bool ok = draw(text, now);
        fails_at = -1;
        failed += failures > 0;
        silent += ok && memcmp(now, good, sizeof good) != 0 && failures > 0;
    }
    sl_test(made && silent == 0, "%s: %ld calls for memory, %d times no font, %d boxes instead",
            text, calls, failed, silent);
}

int main(void)
{
    test_text("호수"); /* a box on a machine without such a font */
    return sl_test_done();
}
