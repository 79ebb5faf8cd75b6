/* font.c - lines of text; see font.h. Where a line may end, libunistring says. */
#include "app/image/font.h"

#include <math.h>
#include <string.h>
#include <unilbrk.h>
#include <unistr.h>

#define LONGEST 4096

int sl_font_line(double scale)
{
    return (int)ceil(scale * 10 / 6);
}

static size_t next_character(const char *text, size_t bytes, size_t i)
{
    do
        i++;
    while (i < bytes && ((unsigned char)text[i] & 0xC0) == 0x80);
    return i;
}

/* Without the blanks that a line ends with. */
static size_t without_blanks(const char *text, size_t from, size_t end)
{
    while (end > from && (text[end - 1] == ' ' || text[end - 1] == '\n'))
        end--;
    return end;
}

typedef struct Page {
    SlFonts *fonts;
    const char *text, *breaks; /* of libunistring, for each byte */
    size_t bytes;
    double scale;
    int width;
} Page;

static bool has_room(const Page *p, size_t from, size_t end)
{
    return sl_font_width(p->fonts, p->text + from, without_blanks(p->text, from, end) - from,
                         p->scale) <= p->width;
}

/* Within a word that is too long for a line. A character has its line, however narrow that is. */
static size_t end_within_word(const Page *p, size_t from)
{
    size_t end = next_character(p->text, p->bytes, from);
    for (size_t next = end; end < p->bytes; end = next) {
        next = next_character(p->text, p->bytes, end);
        if (!has_room(p, from, next))
            break;
    }
    return end;
}

/* Where the line that begins at `from` ends: behind the last words that have room. */
static size_t end_of_line(const Page *p, size_t from)
{
    size_t end = from;
    for (size_t i = from + 1; i <= p->bytes; i++) {
        bool must = i < p->bytes && p->breaks[i] == UC_BREAK_MANDATORY;
        if (i < p->bytes && !must && p->breaks[i] != UC_BREAK_POSSIBLE)
            continue;
        if (!has_room(p, from, i))
            break;
        end = i;
        if (must)
            break;
    }
    return end > from ? end : end_within_word(p, from);
}

typedef struct Line {
    size_t from, bytes;
} Line;

/* Of lines (may be NULL) the first `most` are filled in; gives how many there would be, at most
 * most + 1. */
static int break_lines(SlFonts *fonts, const char *text, double scale, int width, Line *lines,
                       int most)
{
    char breaks[LONGEST];
    Page page = {fonts, text, breaks, strnlen(text, LONGEST), scale, width};
    size_t from = 0;
    int count = 0;
    u8_possible_linebreaks((const uint8_t *)text, page.bytes, "UTF-8", breaks);
    while (from < page.bytes && count <= most) {
        size_t end = end_of_line(&page, from);
        if (lines && count < most)
            lines[count] = (Line){from, without_blanks(text, from, end) - from};
        count++;
        from = end;
    }
    return count;
}

int sl_font_lines(SlFonts *fonts, const char *text, double scale, int width, int most)
{
    int count = break_lines(fonts, text, scale, width, NULL, most);
    return count < most ? count : most;
}

/* The last line of a text that goes on: as much of it as fits with "..." behind it. */
static void draw_cut(SlFonts *fonts, SlBitmap *canvas, const char *text, size_t bytes, int x, int y,
                     double scale, int width, const uint8_t color[3])
{
    int dots = sl_font_width(fonts, "...", 3, scale);
    while (bytes > 0 && sl_font_width(fonts, text, bytes, scale) + dots > width) {
        do
            bytes--;
        while (bytes > 0 && ((unsigned char)text[bytes] & 0xC0) == 0x80);
    }
    sl_font_draw(fonts, canvas, text, bytes, x, y, scale, color);
    sl_font_draw(fonts, canvas, "...", 3, x + sl_font_width(fonts, text, bytes, scale), y, scale,
                 color);
}

void sl_font_draw_lines(SlFonts *fonts, SlBitmap *canvas, const char *text, int x, int y,
                        double scale, int width, int most, const uint8_t color[3])
{
    enum { LINES = 32 };
    Line lines[LINES];
    most = most < LINES ? most : LINES;
    int count = break_lines(fonts, text, scale, width, lines, most);
    for (int i = 0; i < count && i < most; i++, y += sl_font_line(scale)) {
        if (i == most - 1 && count > most)
            draw_cut(fonts, canvas, text + lines[i].from, lines[i].bytes, x, y, scale, width,
                     color);
        else
            sl_font_draw(fonts, canvas, text + lines[i].from, lines[i].bytes, x, y, scale, color);
    }
}
