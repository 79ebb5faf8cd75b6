/* picture_read.c - which of the three walkers a file is for (see picture_texts.h). */
#include "app/image/picture_texts_private.h"
#include "engine/engine.h"

#include <string.h>

static bool parse(const SlPictureFile *file, SlPictureTexts *texts, SlError *err)
{
    uint8_t head[SL_FILE_HEAD] = {0};
    size_t n = file->bytes < sizeof head ? (size_t)file->bytes : sizeof head;
    if (!sl_picture_file_read(file, 0, head, n, err))
        return false;
    texts->kind = sl_picture_kind(head, n);
    if (!texts->kind)
        return sl_fail(err, SL_FORMAT, "%s: not a PNG, JPEG or WebP picture but %s", file->name,
                       sl_picture_what(head, n));
    if (*texts->kind == 'J')
        return sl_jpeg_texts_walk(file, texts, err);
    return *texts->kind == 'W' ? sl_webp_texts_walk(file, texts, err)
                               : sl_png_texts_walk(file, texts, err);
}

bool sl_picture_texts_parse(const char *name, const uint8_t *data, size_t bytes,
                            SlPictureTexts *texts, SlError *err)
{
    const SlPictureFile file = sl_picture_file_of(name, data, bytes);
    memset(texts, 0, sizeof *texts);
    return parse(&file, texts, err);
}

bool sl_picture_texts_read(const char *path, SlPictureTexts *texts, SlError *err)
{
    SlPictureFile file;
    memset(texts, 0, sizeof *texts);
    if (!sl_picture_file_open(&file, path, err))
        return false;
    bool ok = parse(&file, texts, err);
    sl_picture_file_close(&file);
    return ok;
}
