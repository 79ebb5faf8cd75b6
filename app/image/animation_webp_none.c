/* animation_webp_none.c - animated WebP in a build without libwebp: it says so. */
#include "app/image/animation_private.h"

static const char *lacks(SlAnimationFormat format)
{
    return N_("this build of Safelight was made without libwebp");
}

const SlAnimationMaker sl_animation_webp = {.lacks = lacks};

bool sl_animation_hash(const char *path, char pixels[65], SlError *err)
{
    return sl_fail(err, SL_UNSUPPORTED, "%s: no WebP: %s", path,
                   sl_words(lacks(SL_ANIMATION_WEBP)));
}
