/* read_file.c - see read_file.h. */
#include "app/files/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t *read_all(int fd, const char *path, size_t size, size_t *bytes, SlError *err)
{
    uint8_t *data = malloc(size + 1);
    if (!data) {
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
        return NULL;
    }
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sl_fail(err, SL_IO, "%s: cannot be read: %s", path, strerror(errno));
            free(data);
            return NULL;
        }
        if (n == 0)
            break; /* the file became shorter meanwhile: use what was read */
        done += (size_t)n;
    }
    data[done] = 0;
    *bytes = done;
    return data;
}

/* What is read of an opened file; closes it. */
static uint8_t *read_opened(int fd, const char *path, size_t max_bytes, size_t *bytes, SlError *err)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        sl_fail(err, SL_IO, "%s: cannot be opened: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    uint8_t *data = NULL;
    if (!S_ISREG(st.st_mode))
        sl_fail(err, SL_IO, "%s: is %s, not a file", path,
                S_ISDIR(st.st_mode) ? sl_words("a folder") : sl_words("a device or a pipe"));
    else if ((uint64_t)st.st_size > max_bytes)
        sl_fail(err, SL_FORMAT, "%s: %lld bytes; at most %zu are read", path, (long long)st.st_size,
                max_bytes);
    else
        data = read_all(fd, path, (size_t)st.st_size, bytes, err);
    close(fd);
    return data;
}

uint8_t *sl_read_file(const char *path, size_t max_bytes, size_t *bytes, SlError *err)
{
    return read_opened(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path, max_bytes, bytes, err);
}

int sl_open_own(const char *path, int flags)
{
    struct stat st;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -1;
    int error = fstat(fd, &st) != 0           ? errno
                : !S_ISREG(st.st_mode)        ? EINVAL
                : st.st_uid != geteuid()      ? EPERM
                : (st.st_mode & S_IWOTH) != 0 ? EPERM
                                              : 0;
    if (!error)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

uint8_t *sl_read_own_file(const char *path, size_t max_bytes, size_t *bytes, SlError *err)
{
    return read_opened(sl_open_own(path, O_RDONLY), path, max_bytes, bytes, err);
}
