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

#ifdef __cplusplus
}
#endif

#endif
