/* animation_read.h - a WebP's pictures one after the other (libwebpdemux), of one that is no animation
 * its only one.
 */
#ifndef SL_APP_ANIMATION_READ_H
#define SL_APP_ANIMATION_READ_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlAnimationReader SlAnimationReader;

/* NULL and *err. Takes the file and 12 bytes for each pixel of the canvas. */
SlAnimationReader *sl_animation_open(const char *path, SlError *err);
void sl_animation_size(const SlAnimationReader *reader, int *width, int *height, int *pictures);
/* RGB rows into rgb, and for how long it is shown (may be NULL). After the last one comes the first.
 * False and *err. */
bool sl_animation_next(SlAnimationReader *reader, uint8_t *rgb, int *ms, SlError *err);
void sl_animation_close(SlAnimationReader *reader); /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
