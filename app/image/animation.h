/* animation.h - the development as a file that moves. WebP (libwebp, libwebpmux) is lossless and says
 * what it was made of, so that it can be replayed; GIF, APNG, WebM and MP4 (libavformat, libavcodec,
 * libavfilter) are for other programs. Which of them a build has is asked of it.
 *
 * The bytes depend on the pictures, the times and the text only, and on the versions of the
 * libraries; no encoder gets a thread of its own.
 */
#ifndef SL_APP_ANIMATION_H
#define SL_APP_ANIMATION_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_ANIMATION_MAX_SIDE 16383 /* of a WebP, and so of all */
#define SL_ANIMATION_MS       120   /* that a picture is shown, */
#define SL_ANIMATION_LAST_MS  2500  /* and the last of them */

typedef enum SlAnimationFormat {
    SL_ANIMATION_WEBP,
    SL_ANIMATION_GIF,
    SL_ANIMATION_APNG,
    SL_ANIMATION_WEBM,
    SL_ANIMATION_MP4,
    SL_ANIMATION_FORMATS,
} SlAnimationFormat;

/* "WebP", ".webp" */
const char *sl_animation_name(SlAnimationFormat format);
const char *sl_animation_ending(SlAnimationFormat format);
/* NULL where this build, with the libraries that it finds, writes the format; else why it does not, a
 * sentence that sl_words translates. */
const char *sl_animation_lacks(SlAnimationFormat format);
/* By a path's ending, whatever its case. False and *err, with those that this build writes, where it
 * is none of them, or cannot be written. */
bool sl_animation_format(const char *path, SlAnimationFormat *format, SlError *err);

typedef struct SlAnimation SlAnimation;

/* What the path's ending says. NULL and *err for a size that the format does not have, without memory,
 * and where this build does not write it. */
SlAnimation *sl_animation_new(const char *path, int width, int height, SlError *err);
/* A picture of height rows of 3 width bytes, shown for ms. After a failure additions do nothing and
 * sl_animation_save reports it. */
void sl_animation_add(SlAnimation *animation, const uint8_t *rgb, int ms);
/* To the path with the ending that it was begun with. text (may be NULL) goes into a WebP's chunk of its
 * own (webp.h); other formats have no place for it. Atomic, and read back before it replaces anything. */
bool sl_animation_save(SlAnimation *animation, const char *path, const char *text, SlError *err);
void sl_animation_free(SlAnimation *animation); /* NULL is fine */

/* The hash of a WebP's pictures as they are now, as sl_film_add makes it. Takes 12 bytes for each
 * pixel of the canvas: after sl_webp_check_size. */
bool sl_animation_hash(const char *path, char pixels[65], SlError *err);

#ifdef __cplusplus
}
#endif

#endif
