/* mojibake.c - a text that was UTF-8, was read in another encoding and was kept so: "schÃ¶n".
 *
 * Mirrors fix_encoding of ftfy 6.3.1 (__init__.py, fixes.py, bad_codecs). Easy to get wrong: an
 * encoding is tried only where all characters of the text are in it; Windows' encodings hold the
 * character U+FFFD as byte 1A, and so not U+001A; a text that is plausible stays; within a text that
 * is none of one encoding, stretches that look like UTF-8 are repaired each by itself.
 */
#include "engine/text/repair.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

typedef struct SlEncoding {
    bool sloppy; /* Windows' own: see above */
    uint16_t character[128];
    struct {
        uint16_t character;
        uint8_t byte;
    } order[128]; /* by their characters */
} SlEncoding;

#include "engine/text/repair_encodings.h"

enum { LATIN_1, WINDOWS_1252, MAC_ROMAN = 8, ENCODINGS = sizeof encodings / sizeof *encodings };

#define MAX_DEPTH 50

unsigned sl_repair_c1(unsigned c)
{
    return encodings[WINDOWS_1252].character[c - 0x80];
}

/* ---- characters and bytes ---- */

/* The byte of a character, -1 where the encoding has none. */
static int byte_of(const SlEncoding *e, ucs4_t c)
{
    if (c < 0x80)
        return c == 0x1a && e->sloppy ? -1 : (int)c;
    if (c == 0xfffd && e->sloppy)
        return 0x1a;
    int low = 0, high = 127;
    while (low < high) {
        int middle = (low + high) / 2;
        if (e->order[middle].character < c)
            low = middle + 1;
        else
            high = middle;
    }
    return e->order[low].character == c ? e->order[low].byte : -1;
}

/* False where a character is not in the encoding. */
static bool encode(const SlEncoding *e, SlStretch text, SlBytes *out)
{
    for (size_t i = 0; i < text.length;) {
        ucs4_t c;
        i += (size_t)u8_mbtouc(&c, (const uint8_t *)text.text + i, text.length - i);
        int byte = byte_of(e, c);
        if (byte < 0)
            return false;
        sl_bytes_add(out, &(char){(char)byte}, 1);
    }
    return true;
}

static void add_char(SlBytes *out, ucs4_t c)
{
    uint8_t utf8[6];
    int n = u8_uctomb(utf8, c, sizeof utf8);
    sl_bytes_add(out, (const char *)utf8, n > 0 ? (size_t)n : 0);
}

static bool add_utf8(SlStretch bytes, SlBytes *out)
{
    if (u8_check((const uint8_t *)bytes.text, bytes.length))
        return false;
    sl_bytes_add(out, bytes.text, bytes.length);
    return true;
}

/* What is not UTF-8 but was meant so: C0 80 for U+0000, and six bytes for a character beyond
 * U+FFFF. */
static bool add_nearly_utf8(SlRepair *r, SlStretch bytes, SlBytes *out)
{
    SlFound found;
    while (bytes.length > 0) {
        if (!sl_repair_find(r, SL_PATTERN_NEARLY_UTF8, bytes, 0, &found))
            return add_utf8(bytes, out);
        const unsigned char *b = (const unsigned char *)bytes.text + found.first;
        size_t left = bytes.length - found.first, used = 2;
        if (!add_utf8((SlStretch){bytes.text, found.first}, out))
            return false;
        if (b[0] == 0xc0 && left > 1) {
            sl_bytes_add(out, "", 1);
        } else if (left >= 6 && sl_repair_find(r, SL_PATTERN_CESU8,
                                               (SlStretch){(const char *)b, left}, 0, &found)) {
            add_char(out, ((ucs4_t)(b[1] & 0x0f) << 16) + ((ucs4_t)(b[2] & 0x3f) << 10) +
                              ((ucs4_t)(b[4] & 0x0f) << 6) + (b[5] & 0x3f) + 0x10000);
            used = 6;
        } else {
            return left < 6 && add_utf8((SlStretch){(const char *)b, left}, out);
        }
        bytes.text = (const char *)b + used;
        bytes.length = left - used;
    }
    return true;
}

/* ---- bytes that were changed on the way ---- */

static void put_a_grave(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out)
{
    (void)r;
    (void)match;
    (void)text;
    sl_bytes_add(out, "\xc3\xa0 ", 3);
}

static void put_a0(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out)
{
    (void)r;
    (void)text;
    for (size_t i = 0; i < match.length; i++)
        sl_bytes_add(out, match.text[i] == ' ' ? "\xa0" : match.text + i, 1);
}

static void put_unknown(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out)
{
    (void)r;
    (void)match;
    (void)text;
    sl_bytes_add(out, "\xef\xbf\xbd", 3);
}

/* Spaces that were the byte A0. Not with Mac Roman, where they are the spaces behind dashes. */
static void restore_spaces(SlRepair *r, SlBytes *bytes)
{
    SlFound found;
    SlBytes first = {0}, second = {0};
    if (!sl_repair_find(r, SL_PATTERN_SPACE_IN, sl_bytes_all(bytes), 0, &found))
        return;
    sl_repair_replace(r, SL_PATTERN_A_GRAVE, sl_bytes_all(bytes), put_a_grave, &first);
    sl_repair_replace(r, SL_PATTERN_SPACE_IN, sl_bytes_all(&first), put_a0, &second);
    r->failed = r->failed || first.failed || second.failed;
    free(first.text);
    free(bytes->text);
    *bytes = second;
}

static void replace_lost(SlRepair *r, SlBytes *bytes)
{
    SlBytes out = {0};
    sl_repair_replace(r, SL_PATTERN_LOST_IN, sl_bytes_all(bytes), put_unknown, &out);
    r->failed = r->failed || out.failed;
    free(bytes->text);
    *bytes = out;
}

/* Bytes to the text that they were, if they are UTF-8. */
static bool decode(SlRepair *r, int encoding, SlBytes *bytes, SlBytes *out)
{
    if (encoding != MAC_ROMAN)
        restore_spaces(r, bytes);
    if (encodings[encoding].sloppy)
        replace_lost(r, bytes);
    SlStretch all = sl_bytes_all(bytes);
    if (r->failed)
        return false;
    bool nearly = memchr(all.text, 0xed, all.length) || memchr(all.text, 0xc0, all.length);
    return nearly ? add_nearly_utf8(r, all, out) : add_utf8(all, out);
}

/* ---- one step ---- */

static bool is_bad(SlRepair *r, SlStretch text)
{
    SlFound found;
    return sl_repair_find(r, SL_PATTERN_BAD, text, 0, &found);
}

static bool is_ascii(SlStretch text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.text[i] >= 0x80)
            return false;
    return true;
}

/* A stretch within a text that looks like UTF-8. */
static void fix_within(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out)
{
    if (match.length < text.length && r->depth < MAX_DEPTH && is_bad(r, match)) {
        r->depth++;
        sl_repair_encoding(r, match, out);
        r->depth--;
    } else {
        sl_bytes_add(out, match.text, match.length);
    }
}

static bool same(SlStretch a, SlStretch b)
{
    return a.length == b.length && !memcmp(a.text, b.text, a.length);
}

/* Latin-1 that was meant as Windows-1252; false where one of its bytes is open there. */
static bool read_as_windows(SlStretch text, SlBytes *out)
{
    for (size_t i = 0; i < text.length;) {
        ucs4_t c;
        i += (size_t)u8_mbtouc(&c, (const uint8_t *)text.text + i, text.length - i);
        if (c >= 0x80 && c < 0xa0 && sl_repair_c1(c) == c)
            return false;
        add_char(out, c >= 0x80 && c < 0xa0 ? sl_repair_c1(c) : c);
    }
    return true;
}

static bool fix_c1(SlStretch text, SlBytes *out)
{
    bool any = false;
    for (size_t i = 0; i < text.length;) {
        ucs4_t c;
        i += (size_t)u8_mbtouc(&c, (const uint8_t *)text.text + i, text.length - i);
        any = any || (c >= 0x80 && c < 0xa0);
        add_char(out, c >= 0x80 && c < 0xa0 ? sl_repair_c1(c) : c);
    }
    return any;
}

static void empty(SlBytes *out)
{
    out->length = 0;
}

/* Tries one thing after another; false where nothing helps. */
static bool fix_once(SlRepair *r, SlStretch text, SlBytes *out)
{
    bool latin_1 = false;
    if (text.length == 0 || is_ascii(text) || !is_bad(r, text))
        return false;
    for (int i = 0; i < ENCODINGS && !r->failed; i++) {
        SlBytes bytes = {0};
        bool in = encode(&encodings[i], text, &bytes), fixed = false;
        r->failed = r->failed || bytes.failed;
        latin_1 = latin_1 || (in && i == LATIN_1);
        empty(out);
        if (in && !r->failed)
            fixed = decode(r, i, &bytes, out);
        free(bytes.text);
        if (fixed)
            return true;
    }
    empty(out);
    SlFound found;
    if (sl_repair_find(r, SL_PATTERN_UTF8, text, 0, &found)) {
        sl_repair_replace(r, SL_PATTERN_UTF8, text, fix_within, out);
        if (!same(text, sl_bytes_all(out)))
            return true;
        empty(out);
    }
    if (latin_1 && read_as_windows(text, out) && !same(text, sl_bytes_all(out)))
        return true;
    empty(out);
    return fix_c1(text, out);
}

void sl_repair_encoding(SlRepair *r, SlStretch text, SlBytes *out)
{
    SlBytes now = {0}, next = {0};
    sl_bytes_add(&now, text.text, text.length);
    while (!r->failed && fix_once(r, sl_bytes_all(&now), &next)) {
        bool done = same(sl_bytes_all(&now), sl_bytes_all(&next));
        SlBytes old = now;
        now = next;
        next = old;
        r->failed = r->failed || now.failed;
        if (done)
            break;
    }
    r->failed = r->failed || now.failed || next.failed;
    sl_bytes_add(out, sl_bytes_all(&now).text, now.length);
    free(now.text);
    free(next.text);
}
