/* atomic_file.c - see atomic_file.h. */
#include "app/files/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES 65536

struct SlAtomicFile {
    int fd;
    int error; /* errno of the first failure */
    size_t used;
    char *path; /* what was asked for, links resolved */
    char *temporary;
    unsigned char buffer[BUFFER_BYTES];
};

static void free_file(SlAtomicFile *file)
{
    free(file->path);
    free(file->temporary);
    free(file);
}

/* Where a rename must go: the end of a chain of links, or path itself. malloc'ed. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

static bool check_target(const char *path, mode_t *mode, SlError *err)
{
    struct stat st;
    if (!*path)
        return sl_fail(err, SL_IO, "the name of the file to write is empty");
    if (stat(path, &st) != 0) {
        mode_t mask = umask(0);
        umask(mask);
        *mode = 0666 & ~mask;
        return true; /* any other error shows when the temporary file is opened */
    }
    if (!S_ISREG(st.st_mode))
        return sl_fail(err, SL_IO, "%s: cannot be written: it is %s, not a file", path,
                       S_ISDIR(st.st_mode) ? "a folder" : "a device");
    *mode = st.st_mode & 0777;
    return true;
}

SlAtomicFile *sl_atomic_open(const char *path, SlError *err)
{
    mode_t mode = 0;
    if (!check_target(path, &mode, err))
        return NULL;
    SlAtomicFile *file = calloc(1, sizeof *file);
    if (file) {
        file->path = resolve(path);
        if (!file->path || asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0)
            file->temporary = NULL;
    }
    if (!file || !file->temporary) {
        if (file)
            free_file(file);
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
        return NULL;
    }
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    if (file->fd < 0 || fchmod(file->fd, mode) != 0) {
        sl_fail(err, SL_IO, "%s: cannot be written: %s", path, strerror(errno));
        if (file->fd >= 0)
            sl_atomic_abandon(file);
        else
            free_file(file);
        return NULL;
    }
    return file;
}

static void write_out(SlAtomicFile *file, const unsigned char *data, size_t bytes)
{
    while (bytes > 0 && !file->error) {
        ssize_t n = write(file->fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            file->error = n < 0 ? errno : ENOSPC;
            return;
        }
        data += n;
        bytes -= (size_t)n;
    }
}

static void flush_buffer(SlAtomicFile *file)
{
    write_out(file, file->buffer, file->used);
    file->used = 0;
}

void sl_atomic_write(SlAtomicFile *file, const void *data, size_t bytes)
{
    if (file->error)
        return;
    if (bytes > BUFFER_BYTES - file->used)
        flush_buffer(file);
    if (bytes >= BUFFER_BYTES) {
        write_out(file, data, bytes);
        return;
    }
    memcpy(file->buffer + file->used, data, bytes);
    file->used += bytes;
}

/* Makes the rename itself durable; a file system that cannot sync folders is not an error. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

bool sl_atomic_commit(SlAtomicFile *file, SlError *err)
{
    flush_buffer(file);
    if (!file->error && fsync(file->fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        file->error = errno;
    if (close(file->fd) != 0 && !file->error)
        file->error = errno;
    if (!file->error && rename(file->temporary, file->path) != 0)
        file->error = errno;
    if (file->error) {
        sl_fail(err, SL_IO, "%s: cannot be written: %s", file->path, strerror(file->error));
        unlink(file->temporary);
    } else {
        sync_folder(file->path);
    }
    bool ok = !file->error;
    free_file(file);
    return ok;
}

void sl_atomic_abandon(SlAtomicFile *file)
{
    if (!file)
        return;
    close(file->fd);
    unlink(file->temporary);
    free_file(file);
}

bool sl_atomic_check(const char *path, SlError *err)
{
    SlAtomicFile *file = sl_atomic_open(path, err);
    sl_atomic_abandon(file);
    return file != NULL;
}

bool sl_write_file(const char *path, const void *data, size_t bytes, SlError *err)
{
    SlAtomicFile *file = sl_atomic_open(path, err);
    if (!file)
        return false;
    sl_atomic_write(file, data, bytes);
    return sl_atomic_commit(file, err);
}
