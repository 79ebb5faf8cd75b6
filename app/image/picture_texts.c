/* picture_texts.c - see picture_texts.h. */
#include "app/image/picture_texts.h"
#include "app/files/files.h"
#include "app/image/picture_texts_private.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_picture_texts_skip(SlPictureTexts *texts, const char *format, ...)
{
    if (texts->skipped++ > 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(texts->problem, sizeof texts->problem, format, args);
    va_end(args);
}

bool sl_picture_texts_add(SlPictureTexts *t, const char *keyword, const char *bytes, size_t length,
                          bool latin1)
{
    bool utf8 = sl_utf8_valid(bytes, length);
    if (length && memchr(bytes, 0, length))
        sl_picture_texts_skip(t, sl_words("the text \"%s\" contains a NUL"), keyword);
    else if (!utf8 && !latin1)
        sl_picture_texts_skip(t, sl_words("the text \"%s\" is not UTF-8"), keyword);
    else if (length > SL_PICTURE_TEXT_MAX_BYTES)
        sl_picture_texts_skip(t, sl_words("the text \"%s\" is longer than 1 MiB"), keyword);
    else if (t->count == SL_PICTURE_TEXT_MAX_COUNT)
        sl_picture_texts_skip(t, sl_words("there are more than %d texts"),
                              SL_PICTURE_TEXT_MAX_COUNT);
    else if (length > SL_PICTURE_TEXT_MAX_TOTAL - t->bytes)
        sl_picture_texts_skip(t, sl_words("the texts are longer than 16 MiB together"));
    else {
        char *text = utf8 ? sl_copy_bytes(bytes, length) : sl_latin1_to_utf8(bytes, length);
        if (!text)
            return false;
        SlPictureText *entry = &t->entry[t->count++];
        snprintf(entry->keyword, sizeof entry->keyword, "%s", keyword);
        entry->text = text;
        t->bytes += length;
    }
    return true;
}

const char *sl_picture_kind(const uint8_t *data, size_t bytes)
{
    if (bytes >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "PNG";
    if (bytes >= 3 && memcmp(data, "\xFF\xD8\xFF", 3) == 0)
        return "JPEG";
    if (bytes >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return "WebP";
    return NULL;
}

const char *sl_picture_what(const uint8_t *data, size_t bytes)
{
    const char *kind = sl_picture_kind(data, bytes);
    if (kind)
        return *kind == 'P'   ? sl_words("a PNG picture")
               : *kind == 'J' ? sl_words("a JPEG picture")
                              : sl_words("a WebP picture");
    if (bytes >= 6 && memcmp(data, "GIF8", 4) == 0)
        return sl_words("a GIF picture");
    if (bytes >= 12 && memcmp(data + 4, "ftypavif", 8) == 0)
        return sl_words("an AVIF picture");
    if (bytes >= 12 && memcmp(data, "\0\0\0\x0CJXL ", 8) == 0)
        return sl_words("a JPEG XL picture");
    if (bytes > 8 && data[8] == '{' && !memcmp(data + 4, "\0\0\0\0", 4)) /* its header's length */
        return sl_words("a safetensors file");
    const char *what = sl_file_kind_what(sl_file_kind(data, bytes));
    return what ? what : sl_words("something else");
}

void sl_picture_texts_free(SlPictureTexts *texts)
{
    for (int i = 0; i < texts->count; i++)
        free(texts->entry[i].text);
    texts->count = 0;
}

const char *sl_picture_texts_find(const SlPictureTexts *texts, const char *keyword)
{
    for (int i = 0; i < texts->count; i++)
        if (strcmp(texts->entry[i].keyword, keyword) == 0)
            return texts->entry[i].text;
    return NULL;
}
