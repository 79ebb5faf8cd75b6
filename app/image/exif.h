/* exif.h - private to app/image: the texts in EXIF, which is a TIFF without a picture (Exif 2.32,
 * 4.6; TIFF 6.0, 2).
 *
 * They become "EXIF UserComment", "EXIF ImageDescription", "EXIF Make" and so on. Easy to get wrong:
 * UserComment has eight bytes before it that name its character set, and under "UNICODE" stands
 * UTF-16 in either byte order, whatever the order of the TIFF around it: the one of more plain
 * letters is taken. Every offset is a stranger's: it is checked against the length before it is
 * used, and directories are not followed beyond the two that have texts.
 */
#ifndef SL_APP_EXIF_H
#define SL_APP_EXIF_H

#include "app/image/picture_texts_private.h"

/* From the TIFF header on ("II" or "MM"); an "Exif\0\0" before it is skipped. What is damaged is
 * skipped and counted. False without memory. */
bool sl_exif_texts(const uint8_t *data, size_t bytes, SlPictureTexts *texts);

#endif
