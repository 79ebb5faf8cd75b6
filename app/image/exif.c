/* exif.c - see exif.h. */
#include "app/image/exif.h"
#include "app/files/files.h"
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 1000

enum { IMAGE, EXIF_DIRECTORY };

typedef struct Tiff {
    const uint8_t *data;
    size_t bytes;
    bool big_endian;
    uint32_t exif_at; /* of the second directory; 0: there is none */
    SlPictureTexts *texts;
    bool no_memory;
} Tiff;

typedef struct Tag {
    unsigned id;
    const char *keyword;
    bool wide; /* UTF-16 in little endian, as Windows writes it */
} Tag;

static const Tag tags[] = {
    {0x010E, "EXIF ImageDescription", false},
    {0x010F, "EXIF Make", false},
    {0x0110, "EXIF Model", false},
    {0x0131, "EXIF Software", false},
    {0x013B, "EXIF Artist", false},
    {0x9286, "EXIF UserComment", false},
    {0x927C, "EXIF MakerNote", false},
    {0x9C9B, "EXIF XPTitle", true},
    {0x9C9C, "EXIF XPComment", true},
};

static unsigned read16(const Tiff *t, size_t at)
{
    const uint8_t *p = t->data + at;
    return t->big_endian ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static uint32_t read32(const Tiff *t, size_t at)
{
    uint32_t first = read16(t, at), second = read16(t, at + 2);
    return t->big_endian ? first << 16 | second : second << 16 | first;
}

/* ---- texts ---- */

static unsigned unit(const uint8_t *p, bool big)
{
    return big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

/* The byte order of UTF-16: what its mark says, or the one with more plain letters. */
static bool is_big(const uint8_t *p, size_t n, bool otherwise)
{
    size_t big = 0, little = 0;
    if (n >= 2 && (unit(p, true) == 0xFEFF || unit(p, true) == 0xFFFE))
        return unit(p, true) == 0xFEFF;
    for (size_t i = 0; i + 2 <= n; i += 2) {
        big += p[i] == 0 && p[i + 1] < 0x80;
        little += p[i + 1] == 0 && p[i] < 0x80;
    }
    return big == little ? otherwise : big > little;
}

/* UTF-16 to UTF-8, up to a NUL; half a pair becomes U+FFFD. */
static void add_utf16(Tiff *t, const char *keyword, const uint8_t *p, size_t n, bool big)
{
    SlText out = {0};
    for (size_t i = 0; i + 2 <= n; i += 2) {
        uint32_t c = unit(p + i, big);
        if (c == 0)
            break;
        if (c == 0xFEFF && i == 0)
            continue;
        uint32_t next = i + 4 <= n ? unit(p + i + 2, big) : 0;
        if (c >= 0xD800 && c < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (next - 0xDC00);
            i += 2;
        } else if (c >= 0xD800 && c < 0xE000) {
            c = 0xFFFD;
        }
        sl_text_add_character(&out, c);
    }
    t->no_memory |= out.failed;
    if (!out.failed && out.length)
        t->no_memory |= !sl_picture_texts_add(t->texts, keyword, out.data, out.length, false);
    sl_text_free(&out);
}

/* Bytes up to a NUL, without the blanks that fill a comment's room. */
static void add_bytes(Tiff *t, const char *keyword, const uint8_t *p, size_t n)
{
    const uint8_t *end = n ? memchr(p, 0, n) : NULL;
    if (end)
        n = (size_t)(end - p);
    while (n && p[n - 1] == ' ')
        n--;
    if (n)
        t->no_memory |= !sl_picture_texts_add(t->texts, keyword, (const char *)p, n, true);
}

/* Whether every second byte is 0 at the start, as in UTF-16 that does not say so. */
static bool looks_wide(const uint8_t *p, size_t n)
{
    return n >= 4 &&
           ((p[0] == 0 && p[1] && p[2] == 0 && p[3]) || (p[1] == 0 && p[0] && p[3] == 0 && p[2]));
}

static void add_comment(Tiff *t, const char *keyword, const uint8_t *p, size_t n)
{
    static const char sets[3][9] = {"ASCII\0\0\0", "JIS\0\0\0\0\0", "\0\0\0\0\0\0\0\0"};
    if (n >= 8 && memcmp(p, "UNICODE\0", 8) == 0) {
        add_utf16(t, keyword, p + 8, n - 8, is_big(p + 8, n - 8, t->big_endian));
        return;
    }
    for (int i = 0; n >= 8 && i < 3; i++)
        if (memcmp(p, sets[i], 8) == 0) {
            p += 8;
            n -= 8;
            break;
        }
    if (looks_wide(p, n))
        add_utf16(t, keyword, p, n, is_big(p, n, t->big_endian));
    else
        add_bytes(t, keyword, p, n);
}

/* ---- directories ---- */

static size_t size_of_type(unsigned type)
{
    return type == 1 || type == 2 || type == 7 ? 1 : 0; /* those that hold texts */
}

static void take_entry(Tiff *t, size_t at, int directory)
{
    unsigned id = read16(t, at), type = read16(t, at + 2);
    size_t bytes = (size_t)read32(t, at + 4) * size_of_type(type), place = at + 8;
    if (id == 0x8769 && directory == IMAGE && (type == 4 || type == 13))
        t->exif_at = read32(t, at + 8);
    const Tag *tag = NULL;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (tags[i].id == id)
            tag = &tags[i];
    if (!tag || bytes == 0)
        return;
    if (bytes > 4)
        place = read32(t, at + 8);
    if (place > t->bytes || bytes > t->bytes - place)
        sl_picture_texts_skip(t->texts, sl_words("the text \"%s\" is cut off"), tag->keyword);
    else if (tag->wide)
        add_utf16(t, tag->keyword, t->data + place, bytes, false);
    else if (id == 0x9286)
        add_comment(t, tag->keyword, t->data + place, bytes);
    else
        add_bytes(t, tag->keyword, t->data + place, bytes);
}

static void take_directory(Tiff *t, size_t at, int directory)
{
    unsigned entries = at + 2 <= t->bytes ? read16(t, at) : 0;
    if (entries == 0 || entries > MAX_ENTRIES || t->bytes - at - 2 < (size_t)entries * 12) {
        sl_picture_texts_skip(t->texts, sl_words("the EXIF data is damaged"));
        return;
    }
    for (unsigned i = 0; i < entries && !t->no_memory; i++)
        take_entry(t, at + 2 + (size_t)i * 12, directory);
}

bool sl_exif_texts(const uint8_t *data, size_t bytes, SlPictureTexts *texts)
{
    if (bytes >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
        data += 6;
        bytes -= 6;
    }
    Tiff t = {.data = data, .bytes = bytes, .texts = texts};
    t.big_endian = bytes >= 2 && data[0] == 'M';
    if (bytes < 8 || (memcmp(data, "II", 2) != 0 && memcmp(data, "MM", 2) != 0) ||
        read16(&t, 2) != 42) {
        sl_picture_texts_skip(texts, sl_words("the EXIF data does not start as TIFF does"));
        return true;
    }
    take_directory(&t, read32(&t, 4), IMAGE);
    if (t.exif_at && !t.no_memory)
        take_directory(&t, t.exif_at, EXIF_DIRECTORY);
    return !t.no_memory;
}
