/* fuzz.c - see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[40];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("input", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    return path;
}

static char folder[40];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
    if (!*folder) {
        bool shm = access("/dev/shm", W_OK) == 0; /* in memory: ten times as many runs */
        snprintf(folder, sizeof folder, "%s/safelight-fuzz-XXXXXX", shm ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
    }
    return folder;
}

void fuzz_put(const char *in, const char *name, const void *data, size_t size)
{
    char path[200];
    const char *slash = strchr(name, '/');
    if (slash) {
        snprintf(path, sizeof path, "%s/%.*s", in, (int)(slash - name), name);
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/%s", in, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f))
        abort();
}

const char *fuzz_tests(const char *path)
{
    static char full[4096];
    const char *root = getenv("SAFELIGHT_TESTS");
    snprintf(full, sizeof full, "%s/%s", root ? root : "tests", path);
    return full;
}

void fuzz_put_good(const char *in, const char *from, const char *name)
{
    static uint8_t data[1 << 16];
    char path[200];
    snprintf(path, sizeof path, "%s/%s", from, name);
    FILE *f = fopen(fuzz_tests(path), "rb");
    size_t size = f ? fread(data, 1, sizeof data, f) : 0;
    snprintf(path, sizeof path, "%s/%s", in, name);
    if (f)
        fclose(f);
    if (f)
        fuzz_put(in, name, data, size);
    else
        unlink(path);
}

void fuzz_repair_png(uint8_t *data, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        const uint8_t *p = data + at;
        size_t length = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (length > size - at - 12)
            return;
        uint32_t crc = (uint32_t)crc32(0, p + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}
