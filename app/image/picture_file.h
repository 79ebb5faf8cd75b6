/* picture_file.h - the bytes of a picture's file, private to app/image: in memory, or read from the file
 * where they are asked for, so that a large file takes no memory.
 */
#ifndef SL_APP_PICTURE_FILE_H
#define SL_APP_PICTURE_FILE_H

#include "engine/engine.h"

typedef struct SlPictureFile {
    const char *name;    /* for messages; the path of a file */
    const uint8_t *data; /* NULL: of the file */
    int fd;
    uint64_t bytes;
} SlPictureFile;

SlPictureFile sl_picture_file_of(const char *name, const uint8_t *data, size_t bytes);
/* A regular file of at most 1 GiB. False and *err; otherwise close it. */
bool sl_picture_file_open(SlPictureFile *file, const char *path, SlError *err);
void sl_picture_file_close(SlPictureFile *file);
/* at + n lies within bytes. False and *err when the file cannot be read, or became shorter. */
bool sl_picture_file_read(const SlPictureFile *file, uint64_t at, void *out, size_t n,
                          SlError *err);

#endif
