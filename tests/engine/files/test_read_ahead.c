/* test_read_ahead.c - files that are named ahead come into the page cache; nothing else changes.
 *
 * Whether pages are there is asked with mincore. Where the file system lets none go (tmpfs), they are
 * there from the start, and only the rest is tested. */
#include "engine/files/files.h"
#include "tests/engine/files/util.h"
#include "tests/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB   ((size_t)1 << 20)
#define BYTES (24 * MIB)

/* One tensor of zeros. */
static bool write_file(const char *path)
{
    char header[100];
    int length = snprintf(header, sizeof header,
                          "{\"a\":{\"dtype\":\"U8\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}",
                          BYTES, BYTES);
    uint64_t size = (uint64_t)length;
    char *zeros = calloc(1, BYTES);
    FILE *f = fopen(path, "wb");
    bool ok = zeros && f && fwrite(&size, sizeof size, 1, f) == 1 &&
              fwrite(header, (size_t)length, 1, f) == 1 && fwrite(zeros, BYTES, 1, f) == 1;
    ok = f && fflush(f) == 0 && fsync(fileno(f)) == 0 && ok;
    if (f)
        fclose(f);
    free(zeros);
    return ok;
}

static void forget(const char *path)
{
    int fd = open(path, O_RDONLY);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

/* The share of a file's pages that are in memory. */
static double share_there(const char *path)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = BYTES / page, there = 0;
    unsigned char *seen = calloc(1, pages);
    int fd = open(path, O_RDONLY);
    void *p = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (seen && p != MAP_FAILED && mincore(p, BYTES, seen) == 0)
        for (size_t i = 0; i < pages; i++)
            there += seen[i] & 1;
    munmap(p, BYTES);
    close(fd);
    free(seen);
    return (double)there / (double)pages;
}

static void test_comes(const char *path, SlWeightSource *weights)
{
    forget(path);
    double before = share_there(path), after = 0;
    sl_test(sl_read_ahead_wait(sl_read_ahead_begin(weights)), "all of a file is named");
    for (int i = 0; i < 1000 && after < 1; i++) { /* the disk may take its time */
        after = share_there(path);
        usleep(10000);
    }
    sl_test_note("%.0f %% of the pages were there before", before * 100);
    sl_test(after == 1, "%.0f %% of its pages are in memory", after * 100);
}

/* At any time, and without anything. */
static void end_often(const char *path, SlWeightSource *weights)
{
    for (int i = 0; i < 20; i++) {
        forget(path);
        sl_read_ahead_end(sl_read_ahead_begin(weights));
    }
    sl_read_ahead_end(NULL);
}

int main(void)
{
    char path[] = "read-ahead-XXXXXX";
    SlError err = {0};
    int fd = mkstemp(path);
    if (fd < 0 || !write_file(path))
        return 1;
    close(fd);
    SlWeightSource *weights = sl_weights_open_file(path, &err);
    if (!sl_test(weights, "the file opens %s", err.message))
        return sl_test_done();
    end_often(path, weights);
    test_comes(path, weights);
    unlink(path);
    sl_test(!sl_read_ahead_wait(sl_read_ahead_begin(weights)),
            "of a file that is gone nothing is named");
    sl_test(!sl_read_ahead_wait(NULL), "none is nothing");
    sl_weights_close(weights);
    return sl_test_done();
}
