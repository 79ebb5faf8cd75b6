/* cache_path.c - see cache_path.h. */
#include "app/files/cache_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool sl_cache_path(const char *name, char *path, size_t size, bool make)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = cache && *cache == '/' ? snprintf(path, size, "%s/safelight/%s", cache, name)
            : home && *home == '/' ? snprintf(path, size, "%s/.cache/safelight/%s", home, name)
                                   : 0;
    if (n <= 0 || n >= (int)size)
        return false;
    for (char *c = path + 1; make && (c = strchr(c, '/')); c++) {
        *c = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *c = '/';
        if (!made)
            return false;
    }
    return true;
}
