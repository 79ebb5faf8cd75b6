/* animation_av_none.c - GIF, APNG and videos in a build without libavformat, libavcodec and
 * libavfilter: it says so. */
#include "app/image/animation_private.h"

static const char *lacks(SlAnimationFormat format)
{
    return N_("this build of Safelight was made without libavformat, libavcodec and libavfilter");
}

const SlAnimationMaker sl_animation_av = {.lacks = lacks};
