/* png_text.h - the text chunks of a PNG, read by a bounded walker of our own.
 *
 * It walks from chunk to chunk, checks order, lengths and CRCs, and returns tEXt, zTXt and iTXt
 * (compressed or not) as UTF-8. It never looks into pixels, so a picture that is a decompression
 * bomb costs nothing, and it takes a file chunk by chunk, so a large one costs no memory. Easy to get wrong: iTXt has a compression flag, a method, a language and a
 * translated keyword before its text; tEXt and zTXt are Latin-1, though many programs put UTF-8
 * there. EXIF (chunk eXIf) and XMP (a text) are read as in other pictures.
 */
#ifndef SL_APP_PNG_TEXT_H
#define SL_APP_PNG_TEXT_H

#include "app/image/picture_texts.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_PNG_TEXT_MAX_CHUNKS 1000000

/* False and *err when the file is no PNG or its chunks are damaged. A text chunk that is bad in
 * itself is skipped and counted: the others are still good. Free in any case. */
bool sl_png_texts_read(const char *path, SlPictureTexts *texts, SlError *err);
bool sl_png_texts_parse(const char *name, const uint8_t *data, size_t bytes, SlPictureTexts *texts,
                        SlError *err);

#ifdef __cplusplus
}
#endif

#endif
