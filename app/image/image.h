/* image.h - everything that the other rooms see of app/image: PNG, WebP, texts in
 * pictures of any kind, sheets, text on pictures. */
#ifndef SL_APP_IMAGE_H
#define SL_APP_IMAGE_H

#include "app/image/animation.h"
#include "app/image/animation_read.h"
#include "app/image/film.h"
#include "app/image/font.h"
#include "app/image/heat.h"
#include "app/image/picture_texts.h"
#include "app/image/png.h"
#include "app/image/png_text.h"
#include "app/image/sheet.h"
#include "app/image/webp.h"

#endif
