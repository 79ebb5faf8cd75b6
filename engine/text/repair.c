/* repair.c - a text repaired: see repair.h.
 *
 * Mirrors fix_text and fix_and_explain of ftfy 6.3.1 with their default settings. Easy to get wrong:
 * line by line, all repairs in their order, again and again until nothing changes; a "<" turns the
 * replacing of entities off for its line and all that follow. Its repair of surrogates finds nothing
 * in UTF-8. A text that is made to need a pass for every few letters ("&amp;amp;amp;...") is left as
 * it is after MAX_WORK.
 */
#include "engine/text/repair.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unistr.h>

#define MAX_LINE   1000000            /* characters that are repaired at once */
#define MIN_PASSES 8                  /* that any line gets */
#define MAX_WORK   ((size_t)16 << 20) /* bytes of a line times its passes, beyond those */

typedef struct SlEntity {
    char name[26], text[10];
} SlEntity;

typedef struct SlWidth {
    uint16_t character;
    char text[10];
} SlWidth;

#include "engine/text/repair_characters.h"

/* ---- entities ---- */

static int compare_entity(const void *name, const void *entity)
{
    return strcmp(name, ((const SlEntity *)entity)->name);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' ? c - 'a' + 10 : c - 'A' + 10;
}

/* Numbers that stand for nothing: what HTML forbids. */
static bool is_no_character(ucs4_t c)
{
    return (c >= 0x1 && c <= 0x8) || c == 0xb || (c >= 0xe && c <= 0x1f) ||
           (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static void add_number(ucs4_t c, SlBytes *out)
{
    uint8_t utf8[6];
    if (c >= 0x80 && c <= 0x9f)
        c = sl_repair_c1(c);
    else if (c == 0 || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
        c = 0xfffd;
    else if (is_no_character(c))
        return;
    sl_bytes_add(out, (const char *)utf8, (size_t)u8_uctomb(utf8, c, sizeof utf8));
}

/* "&#8217;" and "&#x2019;". False where that is not all. */
static bool unescape_number(SlStretch match, SlBytes *out)
{
    ucs4_t c = 0;
    size_t i = 2, end = match.length - 1;
    unsigned base = match.text[i] == 'x' || match.text[i] == 'X' ? 16 : 10;
    i += base == 16;
    if (i == end)
        return false;
    for (; i < end; i++) {
        int d = digit(match.text[i]);
        if (d >= (int)base)
            return false;
        c = c > 0x110000 ? c : c * base + (ucs4_t)d;
    }
    if (c == ';')
        return false;
    add_number(c, out);
    return true;
}

static void unescape(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out)
{
    (void)r;
    (void)text;
    char name[26] = "";
    if (match.text[1] == '#') {
        if (!unescape_number(match, out))
            sl_bytes_add(out, match.text, match.length);
        return;
    }
    memcpy(name, match.text + 1, match.length - 2);
    const SlEntity *e = bsearch(name, entities, sizeof entities / sizeof *entities,
                                sizeof *entities, compare_entity);
    sl_bytes_add(out, e ? e->text : match.text, e ? strlen(e->text) : match.length);
}

/* ---- single characters ---- */

/* What stands in the place of a character, a text of its own or in `room`; NULL: itself. */
typedef const char *(*Other)(ucs4_t c, char room[8]);

static const char *other_c1(ucs4_t c, char room[8])
{
    if (c < 0x80 || c >= 0xa0)
        return NULL;
    room[u8_uctomb((uint8_t *)room, sl_repair_c1(c), 7)] = 0;
    return room;
}

static const char *other_ligature(ucs4_t c, char room[8])
{
    (void)room;
    static const struct {
        uint16_t character;
        char text[6];
    } ligatures[] = {
        {0x132, "IJ"},  {0x133, "ij"},  {0x149, "ʼn"},  {0x1c4, "DŽ"},   {0x1c5, "Dž"},
        {0x1c6, "dž"},  {0x1c7, "LJ"},  {0x1c8, "Lj"},  {0x1c9, "lj"},   {0x1ca, "NJ"},
        {0x1cb, "Nj"},  {0x1cc, "nj"},  {0x1f1, "DZ"},  {0x1f2, "Dz"},   {0x1f3, "dz"},
        {0xfb00, "ff"}, {0xfb01, "fi"}, {0xfb02, "fl"}, {0xfb03, "ffi"}, {0xfb04, "ffl"},
        {0xfb05, "ſt"}, {0xfb06, "st"},
    };
    if (c < 0x132)
        return NULL;
    for (size_t i = 0; i < sizeof ligatures / sizeof *ligatures; i++)
        if (ligatures[i].character == c)
            return ligatures[i].text;
    return NULL;
}

static const char *other_width(ucs4_t c, char room[8])
{
    (void)room;
    if (c != 0x3000 && (c < 0xff01 || c > 0xffef))
        return NULL;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (widths[i].character == c)
            return widths[i].text;
    return NULL;
}

static const char *other_quote(ucs4_t c, char room[8])
{
    (void)room;
    return c == 0x2bc || (c >= 0x2018 && c <= 0x201b) ? "'"
           : c >= 0x201c && c <= 0x201f               ? "\""
                                                      : NULL;
}

static const char *other_line_end(ucs4_t c, char room[8])
{
    (void)room;
    return c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85 ? "\n" : NULL;
}

static const char *other_control(ucs4_t c, char room[8])
{
    (void)room;
    return c < 0x9 || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f ||
                   (c >= 0x206a && c < 0x2070) || c == 0xfeff || (c >= 0xfff9 && c < 0xfffd)
               ? ""
               : NULL;
}

static void each_char(SlStretch text, Other other, SlBytes *out)
{
    for (size_t i = 0, n; i < text.length; i += n) {
        ucs4_t c;
        n = (size_t)u8_mbtouc(&c, (const uint8_t *)text.text + i, text.length - i);
        char room[8];
        const char *o = other(c, room);
        if (!o)
            sl_bytes_add(out, text.text + i, n);
        else if (c != '\r' || i + 1 == text.length || text.text[i + 1] != '\n')
            sl_bytes_add(out, o, strlen(o)); /* of CR LF the second stays */
    }
}

/* ---- the passes ---- */

static void drop(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out)
{
    (void)r;
    (void)match;
    (void)text;
    (void)out;
}

static void normalize(SlRepair *r, SlStretch text, SlBytes *out)
{
    size_t length;
    uint8_t *nfc =
        u8_normalize(UNINORM_NFC, (const uint8_t *)text.text, text.length, NULL, &length);
    r->failed = r->failed || !nfc;
    if (nfc)
        sl_bytes_add(out, (const char *)nfc, length);
    free(nfc);
}

enum { ENTITIES, ENCODING, FIRST_CHARACTERS, ESCAPES = FIRST_CHARACTERS + 5, CONTROLS, NFC, STEPS };

static void repair_step(SlRepair *r, int step, SlStretch text, SlBytes *out)
{
    static const Other others[] = {other_c1, other_ligature, other_width, other_quote,
                                   other_line_end};
    if (step == ENTITIES)
        sl_repair_replace(r, SL_PATTERN_ENTITY, text, unescape, out);
    else if (step == ENCODING)
        sl_repair_encoding(r, text, out);
    else if (step < ESCAPES)
        each_char(text, others[step - FIRST_CHARACTERS], out);
    else if (step == ESCAPES)
        sl_repair_replace(r, SL_PATTERN_ESCAPE, text, drop, out);
    else if (step == CONTROLS)
        each_char(text, other_control, out);
    else
        normalize(r, text, out);
}

/* All repairs once. */
static void repair_once(SlRepair *r, bool with_entities, SlBytes *line)
{
    SlBytes next = {0};
    for (int i = with_entities ? ENTITIES : ENCODING; i < STEPS && !r->failed; i++) {
        next.length = 0;
        repair_step(r, i, sl_bytes_all(line), &next);
        SlBytes old = *line;
        *line = next;
        next = old;
        r->failed = r->failed || line->failed;
    }
    free(next.text);
}

static void repair_line(SlRepair *r, bool with_entities, SlStretch text, SlBytes *out)
{
    SlBytes line = {0}, before = {0};
    bool changed = true;
    sl_bytes_add(&line, text.text, text.length);
    for (size_t pass = 0; changed && !r->failed; pass++) {
        before.length = 0;
        sl_bytes_add(&before, sl_bytes_all(&line).text, line.length);
        r->failed = before.failed || line.failed;
        if (pass >= MIN_PASSES && line.length * pass > MAX_WORK)
            break;
        repair_once(r, with_entities, &line);
        changed = line.length != before.length ||
                  memcmp(sl_bytes_all(&line).text, sl_bytes_all(&before).text, line.length) != 0;
    }
    sl_bytes_add(out, sl_bytes_all(&line).text, line.length);
    free(line.text);
    free(before.text);
}

/* Bytes of the next line with its end, or of as much of it as is repaired at once. */
static size_t line_length(SlStretch text)
{
    const char *end = memchr(text.text, '\n', text.length);
    size_t line = end ? (size_t)(end - text.text) + 1 : text.length, bytes = 0;
    if (line <= MAX_LINE)
        return line;
    for (size_t n = 0; n < MAX_LINE && bytes < line; n++) {
        ucs4_t c;
        bytes += (size_t)u8_mbtouc(&c, (const uint8_t *)text.text + bytes, line - bytes);
    }
    return bytes;
}

bool sl_repair_text(SlStretch text, SlBytes *out)
{
    SlRepair r = {0};
    bool with_entities = true;
    sl_bytes_add(out, "", 0);
    while (text.length > 0 && !r.failed) {
        SlStretch line = {text.text, line_length(text)};
        with_entities = with_entities && !memchr(line.text, '<', line.length);
        repair_line(&r, with_entities, line, out);
        text.text += line.length;
        text.length -= line.length;
    }
    for (int i = 0; i < SL_PATTERNS; i++)
        pcre2_code_free(r.code[i]);
    pcre2_match_data_free(r.match);
    return !r.failed && !out->failed;
}
