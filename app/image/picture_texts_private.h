/* picture_texts_private.h - what the walkers of the three kinds of files fill. */
#ifndef SL_APP_PICTURE_TEXTS_PRIVATE_H
#define SL_APP_PICTURE_TEXTS_PRIVATE_H

#include "app/image/picture_file.h"
#include "app/image/picture_texts.h"

/* Counts a text that cannot be kept; what it was is remembered of the first one. */
void sl_picture_texts_skip(SlPictureTexts *texts, const char *format, ...) SL_PRINTF(2, 3);
/* Keeps a copy of a text: UTF-8, or with latin1 what is not UTF-8 is read as Latin-1. One that
 * cannot be kept is skipped. False without memory. */
bool sl_picture_texts_add(SlPictureTexts *texts, const char *keyword, const char *bytes,
                          size_t length, bool latin1);

/* "a JPEG picture", "an empty file": for messages, by its first bytes. */
const char *sl_picture_what(const uint8_t *data, size_t bytes);

/* Each fills *texts, which is empty. False and *err when the file is damaged. */
bool sl_png_texts_walk(const SlPictureFile *file, SlPictureTexts *texts, SlError *err);
bool sl_jpeg_texts_walk(const SlPictureFile *file, SlPictureTexts *texts, SlError *err);
bool sl_webp_texts_walk(const SlPictureFile *file, SlPictureTexts *texts, SlError *err);

#endif
