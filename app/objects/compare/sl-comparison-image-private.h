/* sl-comparison-image-private.h - a comparison as it is at one moment, to be written: its lanes do not grow, so that another
 * thread can do it. For app/ only.
 */
#pragma once

#include "app/objects/compare/sl-comparison.h"

G_BEGIN_DECLS

typedef struct _SlComparisonImage SlComparisonImage;

/* NULL where no lane has a step of its own. Free it on the main thread. */
SlComparisonImage *_sl_comparison_image_new (SlComparison *comparison);
void _sl_comparison_image_free (SlComparisonImage *image);
/* Any thread, also several times. Hashing the models takes seconds the first time. FALSE and a sentence. */
gboolean _sl_comparison_image_write (SlComparisonImage *image, const char *path, GError **error);

G_END_DECLS
