/* jpeg.c - the segments of a JPEG before its pixels (ITU-T T.81, annex B; Exif 2.32, 4.7; XMP part
 * 3): size, EXIF, XMP and comments. Private to app/image, declared in picture_texts_private.h.
 *
 * Easy to get wrong: any number of 0xFF may stand before a marker, and a segment's length counts its
 * own two bytes. The walk ends where the pixels begin.
 */
#include "app/image/exif.h"
#include "app/image/xmp.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SEGMENTS 10000
#define MAX_LENGTH   65535

typedef struct Walker {
    const SlPictureFile *file;
    uint64_t at;
    uint8_t *room; /* [MAX_LENGTH] */
    SlPictureTexts *texts;
    SlError *err;
} Walker;

static bool damaged(const Walker *w, const char *what)
{
    return sl_fail(w->err, SL_FORMAT, "%s: the JPEG is damaged at byte %llu: %s", w->file->name,
                   (unsigned long long)w->at, what);
}

static bool read_at(Walker *w, void *out, size_t n)
{
    if (n > w->file->bytes - w->at)
        return damaged(w, sl_words("the file ends too early"));
    if (!sl_picture_file_read(w->file, w->at, out, n, w->err))
        return false;
    w->at += n;
    return true;
}

/* The code behind any number of 0xFF. */
static bool read_marker(Walker *w, uint8_t *code)
{
    if (!read_at(w, code, 1))
        return false;
    if (*code != 0xFF)
        return damaged(w, sl_words("a segment should start here"));
    for (int i = 0; *code == 0xFF; i++)
        if (i == MAX_LENGTH || !read_at(w, code, 1))
            return i == MAX_LENGTH ? damaged(w, sl_words("no marker follows")) : false;
    return *code != 0 || damaged(w, sl_words("a segment should start here"));
}

static bool is_frame(uint8_t code)
{
    return code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC;
}

static bool take_size(Walker *w, size_t n)
{
    const uint8_t *p = w->room;
    if (n < 6)
        return damaged(w, sl_words("the header is too short"));
    w->texts->height = p[1] << 8 | p[2];
    w->texts->width = p[3] << 8 | p[4];
    return w->texts->width > 0 || damaged(w, sl_words("it claims a width of 0"));
}

static bool take_texts(Walker *w, uint8_t code, size_t n)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    const char *text = (const char *)w->room;
    bool ok = true;
    if (code == 0xE1 && n >= 6 && memcmp(text, "Exif\0\0", 6) == 0)
        ok = sl_exif_texts(w->room, n, w->texts);
    else if (code == 0xE1 && n >= sizeof xmp && memcmp(text, xmp, sizeof xmp) == 0)
        ok = sl_xmp_texts(text + sizeof xmp, n - sizeof xmp, w->texts);
    else if (code == 0xFE && n > 0)
        ok = sl_picture_texts_add(w->texts, "JPEG comment", text, strnlen(text, n), true);
    return ok || sl_fail(w->err, SL_MEMORY, "%s: memory ran out for its texts", w->file->name);
}

static bool take_segment(Walker *w, uint8_t code)
{
    uint8_t head[2];
    if (code == 0x01 || (code >= 0xD0 && code <= 0xD7))
        return true; /* without a length */
    if (!read_at(w, head, 2))
        return false;
    size_t length = (size_t)head[0] << 8 | head[1];
    if (length < 2)
        return damaged(w, sl_words("a segment's length is wrong"));
    if (!is_frame(code) && code != 0xE1 && code != 0xFE) {
        if (length - 2 > w->file->bytes - w->at)
            return damaged(w, sl_words("the file ends too early"));
        w->at += length - 2;
        return true;
    }
    if (!read_at(w, w->room, length - 2))
        return false;
    return is_frame(code) ? take_size(w, length - 2) : take_texts(w, code, length - 2);
}

static bool walk(Walker *w)
{
    for (int i = 0; i < MAX_SEGMENTS; i++) {
        uint8_t code;
        if (!read_marker(w, &code))
            return false;
        if (code == 0xDA || code == 0xD9)
            return (code == 0xDA && w->texts->width > 0) ||
                   damaged(w, sl_words("it has no picture"));
        if (!take_segment(w, code))
            return false;
    }
    return damaged(w, sl_words("it has too many segments"));
}

bool sl_jpeg_texts_walk(const SlPictureFile *file, SlPictureTexts *texts, SlError *err)
{
    Walker w = {.file = file, .at = 2, .room = malloc(MAX_LENGTH), .texts = texts, .err = err};
    bool ok = w.room ? walk(&w) : sl_fail(err, SL_MEMORY, "%s: memory ran out", file->name);
    free(w.room);
    return ok;
}
