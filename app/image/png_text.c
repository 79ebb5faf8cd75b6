/* png_text.c - the chunk walker (see png_text.h; the PNG specification, third edition, 5 and
 * 11.3.3).
 */
#include "app/image/png_text.h"
#include "app/files/files.h"
#include "app/image/exif.h"
#include "app/image/picture_texts_private.h"
#include "app/image/png.h"
#include "app/image/png_text_private.h"
#include "app/image/xmp.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Of a chunk that is looked at: a text of the longest and what stands before it. */
#define MAX_CHUNK_BYTES (SL_PICTURE_TEXT_MAX_BYTES + 4096)
#define PIECE           8192

typedef struct Walker {
    const SlPictureFile *file;
    const char *name;
    uint64_t position;
    uint8_t *room; /* [MAX_CHUNK_BYTES] */
    SlPictureTexts *texts;
    bool seen_header, seen_pixels, seen_end;
    bool no_memory; /* for a text */
} Walker;

typedef struct Chunk {
    char type[5];
    const uint8_t *data;
    size_t length;
    bool cut; /* it is longer than what is looked at */
} Chunk;

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool sl_png_complete(const SlPictureFile *file, SlError *err)
{
    uint64_t at = 8;
    for (int i = 0; i < SL_PNG_TEXT_MAX_CHUNKS && file->bytes - at >= 12; i++) {
        uint8_t head[8];
        if (!sl_picture_file_read(file, at, head, sizeof head, err))
            return false;
        size_t length = big_endian(head);
        if (length > file->bytes - at - 12)
            break;
        if (memcmp(head + 4, "IEND", 4) == 0)
            return true;
        at += 12 + length;
    }
    return sl_fail(err, SL_FORMAT, "%s: the PNG is damaged: the file ends too early", file->name);
}

/* ---- texts ---- */

/* 1 to 79 printable Latin-1 bytes without blanks at the ends; gives its length, 0 when bad. */
static size_t keyword_length(const Chunk *c)
{
    size_t limit = c->length < 80 ? c->length : 80;
    const uint8_t *end = memchr(c->data, 0, limit);
    size_t length = end ? (size_t)(end - c->data) : 0;
    if (length == 0 || c->data[0] == ' ' || c->data[length - 1] == ' ')
        return 0;
    for (size_t i = 0; i < length; i++)
        if (c->data[i] < 32 || (c->data[i] > 126 && c->data[i] < 161))
            return 0;
    return length;
}

/* malloc'ed; NULL when damaged, longer than the limit, or without memory. */
static char *inflate_text(const uint8_t *data, size_t bytes, size_t *length)
{
    char *out = malloc(SL_PICTURE_TEXT_MAX_BYTES + 1);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)bytes};
    if (!out || inflateInit(&z) != Z_OK) {
        free(out);
        return NULL;
    }
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)SL_PICTURE_TEXT_MAX_BYTES + 1;
    int result = inflate(&z, Z_FINISH);
    *length = z.total_out;
    inflateEnd(&z);
    if (result != Z_STREAM_END || *length > SL_PICTURE_TEXT_MAX_BYTES) {
        free(out);
        return NULL;
    }
    return out;
}

/* Takes over bytes of which it is known only whether they should be UTF-8. */
static void add_text(Walker *w, const Chunk *c, size_t keyword, const char *bytes, size_t length,
                     bool latin1)
{
    char key[80];
    memcpy(key, c->data, keyword);
    key[keyword] = '\0';
    bool ok = strcmp(key, "XML:com.adobe.xmp") == 0
                  ? sl_xmp_texts(bytes, length, w->texts)
                  : sl_picture_texts_add(w->texts, key, bytes, length, latin1);
    w->no_memory |= !ok;
}

static void add_maybe_compressed(Walker *w, const Chunk *c, size_t keyword, size_t at,
                                 bool compressed, bool latin1)
{
    const char *bytes = (const char *)c->data + at;
    size_t length = c->length - at;
    if (!compressed) {
        if (c->cut || length > SL_PICTURE_TEXT_MAX_BYTES)
            sl_picture_texts_skip(w->texts, sl_words("the text \"%.*s\" is longer than 1 MiB"),
                                  (int)keyword, c->data);
        else
            add_text(w, c, keyword, bytes, length, latin1);
        return;
    }
    char *inflated = inflate_text(c->data + at, length, &length);
    if (inflated)
        add_text(w, c, keyword, inflated, length, latin1);
    else
        sl_picture_texts_skip(
            w->texts, sl_words("the compressed text \"%.*s\" is damaged or longer than 1 MiB"),
            (int)keyword, c->data);
    free(inflated);
}

/* Offset behind the NUL-terminated field at `at`; 0 when there is no NUL. */
static size_t after_field(const Chunk *c, size_t at)
{
    const uint8_t *end = at < c->length ? memchr(c->data + at, 0, c->length - at) : NULL;
    return end ? (size_t)(end - c->data) + 1 : 0;
}

static void read_itxt(Walker *w, const Chunk *c, size_t keyword)
{
    size_t at = keyword + 1;
    if (c->length - at < 2 || c->data[at] > 1 || (c->data[at] == 1 && c->data[at + 1] != 0)) {
        sl_picture_texts_skip(w->texts,
                              sl_words("the iTXt chunk \"%.*s\" has an unknown compression"),
                              (int)keyword, c->data);
        return;
    }
    bool compressed = c->data[at] == 1;
    at = after_field(c, at + 2);      /* language */
    at = at ? after_field(c, at) : 0; /* translated keyword */
    if (!at)
        sl_picture_texts_skip(w->texts, sl_words("the iTXt chunk \"%.*s\" is cut off"),
                              (int)keyword, c->data);
    else
        add_maybe_compressed(w, c, keyword, at, compressed, false);
}

static void read_text(Walker *w, const Chunk *c)
{
    size_t keyword = keyword_length(c);
    if (!keyword)
        sl_picture_texts_skip(w->texts, sl_words("a %s chunk has a bad keyword"), c->type);
    else if (c->type[0] == 'i')
        read_itxt(w, c, keyword);
    else if (c->type[0] == 't')
        add_maybe_compressed(w, c, keyword, keyword + 1, false, true);
    else if (c->length < keyword + 2 || c->data[keyword + 1] != 0)
        sl_picture_texts_skip(w->texts,
                              sl_words("the zTXt chunk \"%.*s\" has an unknown compression"),
                              (int)keyword, c->data);
    else
        add_maybe_compressed(w, c, keyword, keyword + 2, true, true);
}

/* ---- chunks ---- */

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Type and length, checked; the chunk's data follow at position + 8. */
static bool read_head(const Walker *w, Chunk *c, SlError *err)
{
    uint64_t left = w->file->bytes - w->position;
    uint8_t head[8];
    if (left < 12)
        return sl_fail(err, SL_FORMAT, "%s: the PNG is cut off at byte %llu", w->name,
                       (unsigned long long)w->position);
    if (!sl_picture_file_read(w->file, w->position, head, sizeof head, err))
        return false;
    c->length = big_endian(head);
    memcpy(c->type, head + 4, 4);
    c->type[4] = '\0';
    for (int i = 0; i < 4; i++)
        if (!is_letter(head[4 + i]))
            return sl_fail(err, SL_FORMAT, "%s: byte %llu of the PNG should start a chunk", w->name,
                           (unsigned long long)w->position);
    if (c->length > 0x7FFFFFFF || c->length > left - 12)
        return sl_fail(err, SL_FORMAT,
                       "%s: the PNG chunk %s at byte %llu claims %zu bytes; %llu are left", w->name,
                       c->type, (unsigned long long)w->position, c->length,
                       (unsigned long long)(left - 12));
    return true;
}

/* The checksum over type and data; what is looked at of the data stays in w->room. */
static bool read_data(const Walker *w, const Chunk *c, uint32_t *crc, SlError *err)
{
    uint8_t piece[PIECE];
    uint64_t at = w->position + 8;
    size_t kept = c->length < MAX_CHUNK_BYTES ? c->length : MAX_CHUNK_BYTES;
    bool pixels = memcmp(c->type, "IDAT", 4) == 0;
    *crc = (uint32_t)crc32(0, (const Bytef *)c->type, 4);
    if (pixels)
        kept = 0;
    if (!sl_picture_file_read(w->file, at, w->room, kept, err))
        return false;
    *crc = (uint32_t)crc32(*crc, w->room, (uInt)kept);
    for (size_t done = kept; done < c->length;) {
        size_t n = c->length - done < sizeof piece ? c->length - done : sizeof piece;
        if (!sl_picture_file_read(w->file, at + done, piece, n, err))
            return false;
        *crc = (uint32_t)crc32(*crc, piece, (uInt)n);
        done += n;
    }
    return true;
}

static bool next_chunk(Walker *w, Chunk *c, SlError *err)
{
    uint32_t crc;
    uint8_t expected[4];
    if (!read_head(w, c, err) || !read_data(w, c, &crc, err) ||
        !sl_picture_file_read(w->file, w->position + 8 + c->length, expected, 4, err))
        return false;
    if (crc != big_endian(expected))
        return sl_fail(err, SL_FORMAT, "%s: the checksum of the PNG chunk %s at byte %llu is wrong",
                       w->name, c->type, (unsigned long long)w->position);
    w->position += 12 + (uint64_t)c->length;
    c->data = w->room;
    c->cut = c->length > MAX_CHUNK_BYTES;
    if (c->cut)
        c->length = MAX_CHUNK_BYTES;
    return true;
}

static bool legal_depth(unsigned depth, unsigned color)
{
    switch (color) {
    case 0:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2:
    case 4:
    case 6:
        return depth == 8 || depth == 16;
    default:
        return false;
    }
}

static bool read_header(Walker *w, const Chunk *c, SlError *err)
{
    if (w->seen_header || c->length != 13)
        return sl_fail(err, SL_FORMAT, "%s: the PNG has a bad header", w->name);
    uint32_t width = big_endian(c->data), height = big_endian(c->data + 4);
    if (width < 1 || height < 1 || width > 0x7FFFFFFF || height > 0x7FFFFFFF)
        return sl_fail(err, SL_FORMAT, "%s: the PNG claims a size of %u x %u", w->name, width,
                       height);
    if (!legal_depth(c->data[8], c->data[9]) || c->data[10] || c->data[11] || c->data[12] > 1)
        return sl_fail(err, SL_FORMAT, "%s: the PNG has a bad header", w->name);
    w->texts->width = (int)width;
    w->texts->height = (int)height;
    w->seen_header = true;
    return true;
}

static bool take_chunk(Walker *w, const Chunk *c, SlError *err)
{
    if (strcmp(c->type, "IHDR") == 0)
        return read_header(w, c, err);
    if (!w->seen_header)
        return sl_fail(err, SL_FORMAT, "%s: the PNG starts with a %s chunk instead of IHDR",
                       w->name, c->type);
    if (strcmp(c->type, "IDAT") == 0)
        w->seen_pixels = true;
    else if (strcmp(c->type, "IEND") == 0)
        w->seen_end = true;
    else if (strcmp(c->type, "tEXt") == 0 || strcmp(c->type, "zTXt") == 0 ||
             strcmp(c->type, "iTXt") == 0)
        read_text(w, c);
    else if (strcmp(c->type, "eXIf") == 0 && c->cut)
        sl_picture_texts_skip(w->texts, sl_words("the EXIF data is longer than 1 MiB"));
    else if (strcmp(c->type, "eXIf") == 0)
        w->no_memory |= !sl_exif_texts(c->data, c->length, w->texts);
    return true;
}

static bool walk(Walker *w, SlError *err)
{
    for (int i = 0; !w->seen_end; i++) {
        Chunk chunk;
        if (i == SL_PNG_TEXT_MAX_CHUNKS)
            return sl_fail(err, SL_FORMAT, "%s: the PNG has more than %d chunks", w->name,
                           SL_PNG_TEXT_MAX_CHUNKS);
        if (!next_chunk(w, &chunk, err) || !take_chunk(w, &chunk, err))
            return false;
        if (w->no_memory)
            return sl_fail(err, SL_MEMORY, "%s: memory ran out for its texts", w->name);
    }
    return w->seen_pixels || sl_fail(err, SL_FORMAT, "%s: the PNG has no pixels", w->name);
}

bool sl_png_texts_walk(const SlPictureFile *file, SlPictureTexts *texts, SlError *err)
{
    Walker w = {.file = file,
                .name = file->name,
                .position = 8,
                .texts = texts,
                .room = malloc(MAX_CHUNK_BYTES)};
    bool ok = w.room ? walk(&w, err) : sl_fail(err, SL_MEMORY, "%s: memory ran out", w.name);
    free(w.room);
    return ok;
}

static bool parse(const SlPictureFile *file, SlPictureTexts *texts, SlError *err)
{
    uint8_t head[SL_FILE_HEAD] = {0};
    size_t n = file->bytes < sizeof head ? (size_t)file->bytes : sizeof head;
    if (!sl_picture_file_read(file, 0, head, n, err))
        return false;
    texts->kind = sl_picture_kind(head, n);
    if (!texts->kind || strcmp(texts->kind, "PNG") != 0)
        return sl_fail(err, SL_FORMAT, "%s: not a PNG picture but %s", file->name,
                       sl_picture_what(head, n));
    return sl_png_texts_walk(file, texts, err);
}

bool sl_png_texts_parse(const char *name, const uint8_t *data, size_t bytes, SlPictureTexts *texts,
                        SlError *err)
{
    const SlPictureFile file = sl_picture_file_of(name, data, bytes);
    memset(texts, 0, sizeof *texts);
    return parse(&file, texts, err);
}

bool sl_png_texts_read(const char *path, SlPictureTexts *texts, SlError *err)
{
    SlPictureFile file;
    memset(texts, 0, sizeof *texts);
    if (!sl_picture_file_open(&file, path, err))
        return false;
    bool ok = parse(&file, texts, err);
    sl_picture_file_close(&file);
    return ok;
}
