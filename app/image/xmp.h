/* xmp.h - private to app/image: the two texts of an XMP packet that programs put settings in,
 * exif:UserComment and dc:description, as "XMP UserComment" and "XMP description" (XMP
 * specification, part 1).
 *
 * No XML parser: the element (or attribute) is looked for by its name, tags inside it are left out,
 * and XML's five entities and numbered characters are read. So nothing can be expanded, nested or
 * fetched.
 */
#ifndef SL_APP_XMP_H
#define SL_APP_XMP_H

#include "app/image/picture_texts_private.h"

/* A packet, UTF-8. False without memory. */
bool sl_xmp_texts(const char *packet, size_t bytes, SlPictureTexts *texts);

#endif
