/* picture_file.c - see picture_file.h. */
#include "app/image/picture_file.h"

#include <string.h>
#include <unistd.h>

#define MAX_BYTES ((uint64_t)1 << 30)

SlPictureFile sl_picture_file_of(const char *name, const uint8_t *data, size_t bytes)
{
    return (SlPictureFile){.name = name, .data = data, .fd = -1, .bytes = bytes};
}

bool sl_picture_file_open(SlPictureFile *file, const char *path, SlError *err)
{
    *file = (SlPictureFile){.name = path};
    file->fd = sl_file_open(path, &file->bytes, err);
    if (file->fd < 0 || file->bytes <= MAX_BYTES)
        return file->fd >= 0;
    sl_picture_file_close(file);
    return sl_fail(err, SL_FORMAT, "%s: %llu bytes; at most %llu are read", path,
                   (unsigned long long)file->bytes, (unsigned long long)MAX_BYTES);
}

void sl_picture_file_close(SlPictureFile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

bool sl_picture_file_read(const SlPictureFile *file, uint64_t at, void *out, size_t n, SlError *err)
{
    if (!file->data)
        return sl_file_read(file->fd, file->name, out, n, at, err);
    memcpy(out, file->data + at, n);
    return true;
}
