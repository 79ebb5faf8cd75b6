/* png_text_private.h - what the pixel reader asks the walker before it gives a file to libpng. */
#ifndef SL_APP_PNG_TEXT_PRIVATE_H
#define SL_APP_PNG_TEXT_PRIVATE_H

#include "app/image/picture_file.h"
#include "app/image/png_text.h"

/* Whether every chunk up to IEND lies inside the file, which starts with a PNG's signature; false
 * and *err. libpng takes memory for a chunk's claimed length before it reads it. */
bool sl_png_complete(const SlPictureFile *file, SlError *err);

#endif
