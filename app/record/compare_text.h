/* compare_text.h - the JSON of sheets and animations, out; compare.h has the way in. */
#ifndef SL_APP_COMPARE_TEXT_H
#define SL_APP_COMPARE_TEXT_H

#include "app/record/compare.h"

#ifdef __cplusplus
extern "C" {
#endif

/* line_up: of an animation; NULL for a sheet. malloc'ed. NULL and *err, which names the file that
 * it is for, without memory and where it could not be read again. */
char *sl_compare_to_text(const SlCompare *c, const SlLineUp *line_up, const SlReelSum *sum,
                         const char *path, SlError *err);
/* The same for the animation of a single run. */
char *sl_film_to_text(const SlMetadata *metadata, const SlReelSum *sum, const char *path,
                      SlError *err);

#ifdef __cplusplus
}
#endif

#endif
