/* picture_texts.h - the texts inside a picture's file, whatever its kind: PNG, JPEG or WebP.
 *
 * A text has a keyword: a PNG's own ("parameters"), or where it stands ("EXIF UserComment", "XMP
 * description", "JPEG comment"). No pixel is decoded, the file is walked piece by piece, and what is
 * kept is bounded, so that neither a large file nor a decompression bomb costs anything.
 */
#ifndef SL_APP_PICTURE_TEXTS_H
#define SL_APP_PICTURE_TEXTS_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_PICTURE_TEXT_MAX_BYTES ((size_t)1 << 20)  /* of one text, inflated */
#define SL_PICTURE_TEXT_MAX_TOTAL ((size_t)16 << 20) /* of all of them */
#define SL_PICTURE_TEXT_MAX_COUNT 64

typedef struct SlPictureText {
    char keyword[80];
    char *text; /* UTF-8 */
} SlPictureText;

typedef struct SlPictureTexts {
    const char *kind; /* "PNG", "JPEG", "WebP"; static */
    int width, height;
    int count;
    SlPictureText entry[SL_PICTURE_TEXT_MAX_COUNT];
    size_t bytes;      /* of the texts that are kept */
    int skipped;       /* texts that were damaged, too long or too many */
    char problem[200]; /* of the first skipped one, a sentence */
} SlPictureTexts;

/* Of a PNG, a JPEG or a WebP, told by its first bytes. False and *err when the file is none of
 * these or damaged. A text that is bad in itself is skipped and counted: the others are still good.
 * Free in any case. */
bool sl_picture_texts_read(const char *path, SlPictureTexts *texts, SlError *err);
/* The same for a file in memory; name is for messages. */
bool sl_picture_texts_parse(const char *name, const uint8_t *data, size_t bytes,
                            SlPictureTexts *texts, SlError *err);
void sl_picture_texts_free(SlPictureTexts *texts);
/* The first text under a keyword, or NULL. */
const char *sl_picture_texts_find(const SlPictureTexts *texts, const char *keyword);
/* "PNG", "JPEG" or "WebP" by a file's first bytes (12 are enough); NULL for anything else. */
const char *sl_picture_kind(const uint8_t *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
