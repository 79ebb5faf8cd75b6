/* uses_text.c - see uses_text.h. Easy to get wrong: names may hold any sign but ";", so a hash is looked for from the
 * end, and is one only where all behind the "#" are its digits. */
#include "engine/adapters/uses_text.h"

#include <stdlib.h>
#include <string.h>

bool sl_uses_parse(const SlUsesKind *kind, const char *text, void **use, int *count, SlError *err)
{
    *use = NULL;
    *count = 0;
    for (const char *p = text; *p;) {
        const char *stop = p + strcspn(p, ";"), *end = stop;
        while (p < end && *p == ' ')
            p++;
        while (end > p && end[-1] == ' ')
            end--;
        if (end > p) {
            if (*count == kind->most)
                return sl_fail(err, SL_ARGUMENT, "there are more than %d %s", kind->most,
                               kind->what);
            if (!*use)
                *use = calloc((size_t)kind->most, kind->size);
            if (!*use)
                return sl_fail(err, SL_MEMORY, "out of memory for the %s", kind->what);
            if (!kind->read(p, end, (char *)*use + (size_t)*count * kind->size, err))
                return false;
            ++*count;
        }
        p = stop + (*stop == ';');
    }
    return true;
}

void sl_uses_take_hash(const char *start, const char **end, bool (*fits)(size_t length),
                       char hash[65])
{
    const char *at = memrchr(start, '#', (size_t)(*end - start));
    size_t length = at ? (size_t)(*end - at - 1) : 0;
    hash[0] = 0;
    if (!at || at == start || length > 64 || !fits(length) ||
        strspn(at + 1, "0123456789abcdefABCDEF") < length)
        return;
    for (size_t i = 0; i < length; i++) {
        char c = at[1 + i];
        hash[i] = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
    }
    hash[length] = 0;
    *end = at;
}
