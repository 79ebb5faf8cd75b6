/* webp.c - see webp.h. Easy to get wrong: a chunk of an odd length has a byte behind it, and sizes
 * are written minus one. */
#include "app/image/webp.h"
#include "app/image/exif.h"
#include "app/image/picture_file.h"
#include "app/image/xmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHUNKS 1000000

typedef struct Walker {
    SlPictureFile file;
    uint64_t end; /* as the head says */
    SlWebp *webp;
    bool extended, pixels; /* the size is the canvas's; there is a picture */
    SlError *err;
} Walker;

typedef struct Chunk {
    char type[5];
    uint64_t at; /* of its data */
    uint32_t length;
} Chunk;

static uint32_t little_endian(const uint8_t *p, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

static bool damaged(const Walker *w, const char *what)
{
    return sl_fail(w->err, SL_FORMAT, "%s: not a whole WebP file: %s", w->file.name, what);
}

/* The first bytes of a chunk's data; false and *err when it is shorter. */
static bool read_start(const Walker *w, const Chunk *c, uint8_t *out, size_t n)
{
    char what[200];
    if (c->length >= n)
        return sl_picture_file_read(&w->file, c->at, out, n, w->err);
    snprintf(what, sizeof what, sl_words("its chunk %s has only %u bytes"), c->type, c->length);
    return damaged(w, what);
}

static bool take_canvas(Walker *w, const Chunk *c)
{
    uint8_t data[10];
    if (!read_start(w, c, data, sizeof data))
        return false;
    w->webp->width = (int)little_endian(data + 4, 3) + 1;
    w->webp->height = (int)little_endian(data + 7, 3) + 1;
    w->extended = true;
    return true;
}

static bool take_frame(Walker *w, const Chunk *c)
{
    uint8_t data[16];
    if (!read_start(w, c, data, sizeof data))
        return false;
    w->webp->pictures++;
    w->webp->ms += little_endian(data + 12, 3);
    w->pixels = true;
    return true;
}

/* A picture that is no animation's; without VP8X its size is the file's. */
static bool take_picture(Walker *w, const Chunk *c)
{
    bool lossless = c->type[3] == 'L';
    uint8_t data[10] = {0};
    if (!read_start(w, c, data, lossless ? 5 : 10))
        return false;
    w->webp->pictures = 1;
    w->pixels = true;
    if (w->extended)
        return true;
    uint32_t bits = little_endian(data + 1, 4);
    w->webp->width = (int)(lossless ? bits & 0x3FFF : little_endian(data + 6, 2) & 0x3FFF);
    w->webp->height = (int)(lossless ? bits >> 14 & 0x3FFF : little_endian(data + 8, 2) & 0x3FFF);
    w->webp->width += lossless;
    w->webp->height += lossless;
    return true;
}

static bool take_text(Walker *w, const Chunk *c)
{
    if (w->webp->text)
        return true; /* the first counts */
    if (c->length > SL_WEBP_TEXT_MAX_BYTES)
        return damaged(w, sl_words("its text is longer than 4 MiB"));
    char *text = malloc((size_t)c->length + 1);
    if (!text)
        return sl_fail(w->err, SL_MEMORY, "%s: memory ran out", w->file.name);
    text[c->length] = '\0';
    w->webp->text = text;
    if (!sl_picture_file_read(&w->file, c->at, text, c->length, w->err))
        return false;
    return !memchr(text, 0, c->length) ||
           sl_fail(w->err, SL_FORMAT, "%s: the chunk \"%s\" is not a text", w->file.name, c->type);
}

static void take_place(const Chunk *c, const char *type, uint64_t *at, uint32_t *length)
{
    if (*length == 0 && strcmp(c->type, type) == 0) {
        *at = c->at;
        *length = c->length;
    }
}

static bool take_chunk(Walker *w, const Chunk *c)
{
    if (strcmp(c->type, "VP8X") == 0)
        return take_canvas(w, c);
    if (strcmp(c->type, "ANMF") == 0)
        return take_frame(w, c);
    if (strcmp(c->type, "VP8 ") == 0 || strcmp(c->type, "VP8L") == 0)
        return take_picture(w, c);
    take_place(c, "EXIF", &w->webp->exif_at, &w->webp->exif_length);
    take_place(c, "XMP ", &w->webp->xmp_at, &w->webp->xmp_length);
    return strcmp(c->type, SL_WEBP_TEXT_CHUNK) != 0 || take_text(w, c);
}

static bool read_head(Walker *w)
{
    uint8_t head[12] = {0};
    if (w->file.bytes < sizeof head)
        return damaged(w, sl_words("it ends too early"));
    if (!sl_picture_file_read(&w->file, 0, head, sizeof head, w->err))
        return false;
    if (memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WEBP", 4) != 0)
        return damaged(w, sl_words("it begins with something else"));
    w->end = 8 + (uint64_t)little_endian(head + 4, 4);
    return w->end <= w->file.bytes || damaged(w, sl_words("it ends too early"));
}

static bool walk(Walker *w)
{
    uint64_t at = 12;
    for (int i = 0; at + 8 <= w->end; i++) {
        uint8_t head[8];
        Chunk c = {.at = at + 8};
        if (i == MAX_CHUNKS)
            return damaged(w, sl_words("it has too many chunks"));
        if (!sl_picture_file_read(&w->file, at, head, sizeof head, w->err))
            return false;
        memcpy(c.type, head, 4);
        c.length = little_endian(head + 4, 4);
        if (c.length > w->end - c.at)
            return damaged(w, sl_words("a chunk goes beyond its end"));
        if (!take_chunk(w, &c))
            return false;
        at = c.at + c.length + c.length % 2;
    }
    return w->pixels || damaged(w, sl_words("it has no picture"));
}

/* EXIF or XMP, read as a whole. */
static bool take_block(const Walker *w, uint64_t at, uint32_t length, const char *what,
                       SlPictureTexts *texts)
{
    if (length == 0)
        return true;
    if (length > SL_PICTURE_TEXT_MAX_BYTES) {
        sl_picture_texts_skip(texts, sl_words("the %s data is longer than 1 MiB"), what);
        return true;
    }
    uint8_t *data = malloc(length);
    if (!data)
        return sl_fail(w->err, SL_MEMORY, "%s: memory ran out for its texts", w->file.name);
    bool ok = sl_picture_file_read(&w->file, at, data, length, w->err);
    if (ok && !(*what == 'E' ? sl_exif_texts(data, length, texts)
                             : sl_xmp_texts((const char *)data, length, texts)))
        ok = sl_fail(w->err, SL_MEMORY, "%s: memory ran out for its texts", w->file.name);
    free(data);
    return ok;
}

bool sl_webp_texts_walk(const SlPictureFile *file, SlPictureTexts *texts, SlError *err)
{
    SlWebp webp = {0};
    Walker w = {.file = *file, .webp = &webp, .err = err};
    bool ok = read_head(&w) && walk(&w);
    if (ok) {
        texts->width = webp.width;
        texts->height = webp.height;
        /* as in our PNG: who wrote it is told by the same text */
        if (webp.text &&
            !sl_picture_texts_add(texts, "safelight", webp.text, strlen(webp.text), false))
            ok = sl_fail(err, SL_MEMORY, "%s: memory ran out for its texts", file->name);
        ok = ok && take_block(&w, webp.exif_at, webp.exif_length, "EXIF", texts) &&
             take_block(&w, webp.xmp_at, webp.xmp_length, "XMP", texts);
    }
    sl_webp_free(&webp);
    return ok;
}

bool sl_webp_read(const char *path, SlWebp *webp, SlError *err)
{
    Walker w = {.webp = webp, .err = err};
    memset(webp, 0, sizeof *webp);
    if (!sl_picture_file_open(&w.file, path, err))
        return false;
    bool ok = read_head(&w) && walk(&w);
    sl_picture_file_close(&w.file);
    return ok;
}

void sl_webp_free(SlWebp *webp)
{
    free(webp->text);
    memset(webp, 0, sizeof *webp);
}

char *sl_webp_text(const char *path, SlError *err)
{
    SlWebp webp;
    char *text = NULL;
    if (sl_webp_read(path, &webp, err)) {
        text = webp.text;
        webp.text = NULL;
        if (!text)
            sl_fail(err, SL_FORMAT,
                    "%s: this WebP was not made by Safelight: it has no \"%s\" chunk", path,
                    SL_WEBP_TEXT_CHUNK);
    }
    sl_webp_free(&webp);
    return text;
}

bool sl_webp_check_size(const char *path, int width, int height, SlError *err)
{
    SlWebp webp;
    bool ok = sl_webp_read(path, &webp, err);
    if (ok && (webp.width != width || webp.height != height))
        ok = sl_fail(err, SL_FORMAT, "%s: its pictures are %d x %d; expected %d x %d", path,
                     webp.width, webp.height, width, height);
    sl_webp_free(&webp);
    return ok;
}
