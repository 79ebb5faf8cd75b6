/* animation_read_none.c - animation_read.h for a build without libwebp: it says so. */
#include "app/image/animation_read.h"

SlAnimationReader *sl_animation_open(const char *path, SlError *err)
{
    sl_fail(err, SL_UNSUPPORTED,
            "%s: this build of Safelight shows no WebP: it was made without libwebp", path);
    return NULL;
}

void sl_animation_size(const SlAnimationReader *reader, int *width, int *height, int *pictures)
{
    *width = *height = *pictures = 0;
}

bool sl_animation_next(SlAnimationReader *reader, uint8_t *rgb, int *ms, SlError *err)
{
    return sl_fail(err, SL_UNSUPPORTED, "there is no picture");
}

void sl_animation_close(SlAnimationReader *reader)
{
}
