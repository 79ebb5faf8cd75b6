/* test_font.c - letters of other scripts, what no font has, lines. What the letters look like is not
 * asked, since the system's fonts are not the same everywhere. */
#include "app/image/image.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* Fontconfig keeps what it read to the end of the process. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

#define W 400
#define H 40

static SlFonts *fonts;

/* A text by itself on black; malloc'ed. */
static uint8_t *drawn(const char *text)
{
    static const uint8_t white[3] = {255, 255, 255};
    SlBitmap canvas = {calloc(W * H, 3), W, H};
    if (canvas.rgb)
        sl_font_draw(fonts, &canvas, text, strlen(text), 4, 4, 16, white);
    return canvas.rgb;
}

static bool same(const char *a, const char *b)
{
    uint8_t *x = drawn(a), *y = drawn(b);
    bool equal = x && y && memcmp(x, y, W * H * 3) == 0;
    free(x);
    free(y);
    return equal;
}

static bool is_blank(const char *text)
{
    return same(text, "");
}

static int width_of(const char *text);

/* The left of a text is drawn as another one. */
static bool begins_as(const char *text, const char *other)
{
    uint8_t *x = drawn(text), *y = drawn(other);
    bool equal = x && y;
    for (int row = 0; equal && row < H; row++)
        equal = memcmp(x + row * W * 3, y + row * W * 3, (size_t)width_of(other) * 3) == 0;
    free(x);
    free(y);
    return equal;
}

static int width_of(const char *text)
{
    return sl_font_width(fonts, text, strlen(text), 16);
}

/* Private characters, which no font has. */
#define NONE "\xEE\x80\x80"

static bool has_letters(void)
{
    return !same("ö", NONE);
}

static void test_letters(void)
{
    static const char *const texts[] = {"ö", "ß", "Ж", "λ", "ế", "€", "“", "↳"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool other = !same(texts[i], NONE) && !is_blank(texts[i]);
        for (size_t k = 0; k < i; k++)
            other = other && !same(texts[i], texts[k]);
        sl_test(other, "%s is a letter of its own", texts[i]);
    }
    sl_test(!same("ö", "o") && width_of("ö") == width_of("o"), "ö is an o with something on it");
    sl_test(!is_blank("e\xCC\x81") && width_of("e\xCC\x81") == width_of("e"),
            "a mark takes no room of its own");
}

/* Where the system has a font for it. */
static void test_scripts(void)
{
    static const struct {
        const char *name, *one, *other, *mixed;
    } scripts[] = {
        {"Hangul", "한", "글", "ein 한국 haus"}, {"Han", "水", "火", "水 and 火"},
        {"Kana", "か", "カ", "a かな b"},        {"Hebrew", "ש", "ב", "a שלום b"},
        {"Arabic", "بيت", "احمر", "a بيت b"},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (same(scripts[i].one, NONE)) {
            sl_test_note("no font of this system has %s", scripts[i].name);
            continue;
        }
        sl_test(!is_blank(scripts[i].one) && !same(scripts[i].one, scripts[i].other),
                "%s has letters", scripts[i].name);
        sl_test(!same(scripts[i].mixed, scripts[i].one) && !same(scripts[i].mixed, NONE) &&
                    width_of(scripts[i].mixed) > width_of(scripts[i].one),
                "%s with others", scripts[i].name);
    }
    if (!same("ש", NONE))
        sl_test(begins_as("שב", "ב"), "Hebrew goes from right to left");
}

static void test_boxes(void)
{
    sl_test(!is_blank(NONE), "what no font has is seen");
    sl_test(same(NONE, NONE "\xEE\x80\x81\xEE\x80\x82"), "as one box for neighbours");
    sl_test(!same(NONE, NONE "a" NONE), "and as two with a letter between them");
    sl_test(same("\xFF", "\xFF\xFE") || !is_blank("\xFF"), "what is no UTF-8 does no harm");
    sl_test(same("a\nb", "a b"), "a control character is a blank");
}

static void test_lines(void)
{
    const char *text = "a red house by a lake at sunset, with a boat";
    int whole = width_of(text);
    sl_test(sl_font_lines(fonts, text, 16, whole, 8) == 1, "one line where it fits");
    sl_test(sl_font_lines(fonts, text, 16, whole / 2 + 40, 8) == 2, "two where half of it does");
    sl_test(sl_font_lines(fonts, text, 16, whole / 2 + 40, 1) == 1, "never more than asked for");
    sl_test(sl_font_lines(fonts, "aaaaaaaaaaaaaaaaaaaaaaaa", 16, 60, 8) > 2,
            "a word that is too long is broken");
    sl_test(sl_font_lines(fonts, "ab", 16, 1, 8) == 2, "one letter a line at the least");
    sl_test(sl_font_lines(fonts, "", 16, 100, 8) == 0, "no line for nothing");
    sl_test(sl_font_lines(fonts, "a\nb", 16, 100, 8) == 2, "a line ends where the text says so");
}

int main(void)
{
    SlError err = {0};
    fonts = sl_fonts_open(&err);
    if (!fonts)
        return 1;
    if (has_letters()) {
        test_letters();
        test_scripts();
    } else {
        sl_test_note("this build draws ASCII alone");
        sl_test(same("ö", "ö한") && !is_blank("ö"), "all else is one box");
    }
    test_boxes();
    test_lines();
    sl_test(sl_fonts_ok(fonts, &err), "nothing failed: %s", err.message);
    sl_fonts_free(fonts);
    return sl_test_done();
}
