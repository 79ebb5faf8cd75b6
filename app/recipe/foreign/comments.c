/* comments.c - see comments.h. */
#include "app/recipe/foreign/comments.h"

#include <ctype.h>
#include <string.h>

/* Where any program may put anything. */
static const char *const comments[] = {
    "parameters",     "EXIF UserComment", "XMP UserComment", "EXIF ImageDescription",
    "EXIF XPComment", "JPEG comment",     "XMP description", "Comment"};

const char *sl_foreign_find_comment(const SlPictureTexts *texts, bool (*is)(const char *text))
{
    for (size_t i = 0; i < sizeof comments / sizeof comments[0]; i++)
        for (int k = 0; k < texts->count; k++)
            if (strcmp(texts->entry[k].keyword, comments[i]) == 0 && is(texts->entry[k].text))
                return texts->entry[k].text;
    return NULL;
}

bool sl_foreign_is_json(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return *text == '{';
}

bool sl_foreign_has_key(const char *json, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = json; (at = strchr(at, '"')); at++)
        if (strncmp(at + 1, key, n) == 0 && at[1 + n] == '"')
            return true;
    return false;
}
