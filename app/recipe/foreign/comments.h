/* comments.h - the places of a picture in which any program puts anything, and what a text there
 * looks like. */
#ifndef SL_APP_COMMENTS_H
#define SL_APP_COMMENTS_H

#include "app/image/image.h"

/* The first text of those that hold whatever a program wants (PNG's "parameters", EXIF's
 * UserComment, ...) for which is() says yes; NULL: none. */
const char *sl_foreign_find_comment(const SlPictureTexts *texts, bool (*is)(const char *text));
/* Whether a text begins like a JSON object, and has such a key somewhere. */
bool sl_foreign_is_json(const char *text);
bool sl_foreign_has_key(const char *json, const char *key);

#endif
