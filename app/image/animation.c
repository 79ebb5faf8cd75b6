/* animation.c - see animation.h: which format is whose, and what all have in common. */
#include "app/image/animation.h"
#include "app/files/files.h"
#include "app/image/animation_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PROBLEM 160

static const struct {
    const char *name, *ending;
    const SlAnimationMaker *maker;
} formats[SL_ANIMATION_FORMATS] = {
    [SL_ANIMATION_WEBP] = {"WebP", ".webp", &sl_animation_webp},
    [SL_ANIMATION_GIF] = {"GIF", ".gif", &sl_animation_av},
    [SL_ANIMATION_APNG] = {"APNG", ".apng", &sl_animation_av},
    [SL_ANIMATION_WEBM] = {"WebM", ".webm", &sl_animation_av},
    [SL_ANIMATION_MP4] = {"MP4", ".mp4", &sl_animation_av},
};

struct SlAnimation {
    SlAnimationFormat format;
    void *maker;
    int count;
    char problem[MAX_PROBLEM]; /* "" so far */
};

const char *sl_animation_name(SlAnimationFormat format)
{
    return formats[format].name;
}

const char *sl_animation_ending(SlAnimationFormat format)
{
    return formats[format].ending;
}

const char *sl_animation_lacks(SlAnimationFormat format)
{
    return formats[format].maker->lacks(format);
}

static bool find(const char *path, SlAnimationFormat *format)
{
    size_t length = strlen(path);
    for (int i = 0; i < SL_ANIMATION_FORMATS; i++) {
        size_t n = strlen(formats[i].ending);
        if (length > n && sl_same_letters(path + length - n, formats[i].ending)) {
            *format = (SlAnimationFormat)i;
            return true;
        }
    }
    return false;
}

bool sl_animation_format(const char *path, SlAnimationFormat *format, SlError *err)
{
    char known[96] = "";
    bool found = find(path, format);
    if (found && !sl_animation_lacks(*format))
        return true;
    if (found)
        return sl_fail(err, SL_UNSUPPORTED, "%s: no %s: %s", path, formats[*format].name,
                       sl_words(sl_animation_lacks(*format)));
    for (int i = 0; i < SL_ANIMATION_FORMATS; i++)
        if (!sl_animation_lacks((SlAnimationFormat)i)) {
            size_t n = strlen(known);
            snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", formats[i].ending);
        }
    return sl_fail(err, SL_ARGUMENT, "%s: an animation's name ends in one of %s", path,
                   known[0] ? known : sl_words("none in this build"));
}

SlAnimation *sl_animation_new(const char *path, int width, int height, SlError *err)
{
    SlAnimationFormat format;
    if (!sl_animation_format(path, &format, err))
        return NULL;
    if (width < 1 || height < 1 || width > SL_ANIMATION_MAX_SIDE ||
        height > SL_ANIMATION_MAX_SIDE) {
        sl_fail(err, SL_ARGUMENT,
                "an animation of %d x %d is not possible; expected 1 to %d a side", width, height,
                SL_ANIMATION_MAX_SIDE);
        return NULL;
    }
    SlAnimation *a = calloc(1, sizeof *a);
    if (!a) {
        sl_fail(err, SL_MEMORY, "memory ran out for an animation of %d x %d", width, height);
        return NULL;
    }
    a->format = format;
    a->maker = formats[format].maker->begin(format, width, height, err);
    if (a->maker)
        return a;
    free(a);
    return NULL;
}

void sl_animation_add(SlAnimation *a, const uint8_t *rgb, int ms)
{
    char problem[MAX_PROBLEM] = "";
    if (a->problem[0])
        return;
    a->count++;
    formats[a->format].maker->add(a->maker, rgb, ms > 0 ? ms : 1, problem);
    if (problem[0])
        snprintf(a->problem, sizeof a->problem, sl_words("picture %d: %.100s"), a->count, problem);
}

bool sl_animation_save(SlAnimation *a, const char *path, const char *text, SlError *err)
{
    const char *problem = a->count == 0 ? sl_words("there is none") : a->problem;
    if (*problem)
        return sl_fail(err, SL_MEMORY, "%s: the animation could not be made: %s", path, problem);
    return formats[a->format].maker->save(a->maker, path, text, err);
}

void sl_animation_free(SlAnimation *a)
{
    if (!a)
        return;
    formats[a->format].maker->free(a->maker);
    free(a);
}
