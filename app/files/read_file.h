/* read_file.h - a small file as a whole. */
#ifndef SL_APP_READ_FILE_H
#define SL_APP_READ_FILE_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A regular file of at most max_bytes into memory (malloc'ed); links are followed, pipes and
 * devices refused without waiting for them. */
uint8_t *sl_read_file(const char *path, size_t max_bytes, size_t *bytes, SlError *err);

/* For files that the program keeps for itself (an index, a cache): a regular file that belongs to
 * this person and that not everyone may write to. No link is followed and no pipe waited for, since
 * others may be able to put something else in its place. flags as for open(); what is made is for
 * this person alone. -1 and errno. */
int sl_open_own(const char *path, int flags);
uint8_t *sl_read_own_file(const char *path, size_t max_bytes, size_t *bytes, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
