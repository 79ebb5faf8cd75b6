/* cache_path.h - where the program keeps what it could find out again: $XDG_CACHE_HOME/safelight, or
 * ~/.cache/safelight.
 */
#ifndef SL_APP_CACHE_PATH_H
#define SL_APP_CACHE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The path of a file of the cache; its folders are made where make is set. False: there is no place for
 * one. */
bool sl_cache_path(const char *name, char *path, size_t size, bool make);

#ifdef __cplusplus
}
#endif

#endif
