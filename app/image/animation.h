/* animation.h - the development as an animated WebP (libwebp, libwebpmux), lossless.
 *
 * The bytes depend on the pictures, the times and the text only.
 */
#ifndef SL_APP_ANIMATION_H
#define SL_APP_ANIMATION_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_ANIMATION_MAX_SIDE 16383 /* of a WebP */
#define SL_ANIMATION_MS       120   /* that a picture is shown, */
#define SL_ANIMATION_LAST_MS  2500  /* and the last of them */

typedef struct SlAnimation SlAnimation;

/* NULL and *err for a size that WebP does not have, or without memory. */
SlAnimation *sl_animation_new(int width, int height, SlError *err);
/* A picture of height rows of 3 width bytes, shown for ms. After a failure additions do nothing and
 * sl_animation_save reports it. */
void sl_animation_add(SlAnimation *animation, const uint8_t *rgb, int ms);
/* text (may be NULL) goes into a chunk of its own (webp.h). Atomic, and read back before it
 * replaces anything. */
bool sl_animation_save(SlAnimation *animation, const char *path, const char *text, SlError *err);
void sl_animation_free(SlAnimation *animation); /* NULL is fine */

/* The hash of a file's pictures as they are now, as sl_film_add makes it. Takes 12 bytes for each
 * pixel of the canvas: after sl_webp_check_size. */
bool sl_animation_hash(const char *path, char pixels[65], SlError *err);

#ifdef __cplusplus
}
#endif

#endif
