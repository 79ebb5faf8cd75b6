/* animation_none.c - animation.h for a build without libwebp: it says so. */
#include "app/image/animation.h"

static bool none(SlError *err)
{
    return sl_fail(err, SL_UNSUPPORTED,
                   "this build of Safelight has no animations: it was made "
                   "without libwebp");
}

SlAnimation *sl_animation_new(int width, int height, SlError *err)
{
    none(err);
    return NULL;
}

void sl_animation_add(SlAnimation *animation, const uint8_t *rgb, int ms)
{
}

bool sl_animation_save(SlAnimation *animation, const char *path, const char *text, SlError *err)
{
    return none(err);
}

void sl_animation_free(SlAnimation *animation)
{
}

bool sl_animation_hash(const char *path, char pixels[65], SlError *err)
{
    return none(err);
}
