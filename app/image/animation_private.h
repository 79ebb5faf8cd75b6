/* animation_private.h - what a format has to have: see animation.c. */
#ifndef SL_APP_ANIMATION_PRIVATE_H
#define SL_APP_ANIMATION_PRIVATE_H

#include "app/image/animation.h"

#define N_(text) text

/* Of pictures that are encoded as they come. problem, [160], is "" until something failed; then the
 * others are not called any more but free. */
typedef struct SlAnimationMaker {
    void *(*begin)(SlAnimationFormat format, int width, int height, SlError *err);
    void (*add)(void *maker, const uint8_t *rgb, int ms, char *problem);
    bool (*save)(void *maker, const char *path, const char *text, SlError *err);
    void (*free)(void *maker);
    /* NULL: it can */
    const char *(*lacks)(SlAnimationFormat format);
} SlAnimationMaker;

extern const SlAnimationMaker sl_animation_webp; /* animation_webp.c, or without libwebp _none.c */
extern const SlAnimationMaker sl_animation_av;   /* animation_av.c, or without libav* _none.c */

#endif
