/* fuzz_hash_cache.c - the input is the cache of hashes ($XDG_CACHE_HOME/safelight/hashes); a line
 * that begins with "@ " gets the key of the one large file here instead. Behind it the right line
 * is put, but where the input begins with "!": hashing the file is slow. Whatever stands in the
 * cache, the answer is a hash, and without a line of the input for the file it is the file's own.
 */
#include "tests/fuzz/fuzz.h"

#include "app/files/files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char large[80], key[200], own[65];

/* The large file's key as hash_cache.c writes it. The file is touched: the program remembers the
 * hashes of files that have been still for a while itself, and would not look into the cache. */
static void renew_key(void)
{
    struct stat st;
    if (utimensat(AT_FDCWD, large, NULL, 0) || stat(large, &st))
        abort();
    snprintf(key, sizeof key, "%jx %jx %jd %jd.%09ld %jd.%09ld ", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

/* A file of 16 MiB that takes no room, and its hash. */
static void make_large(void)
{
    SlError err = {0};
    static char cache[80];
    snprintf(cache, sizeof cache, "%s/cache", fuzz_folder());
    setenv("XDG_CACHE_HOME", cache, 1);
    snprintf(large, sizeof large, "%s/large", fuzz_folder());
    int fd = open(large, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, 16 << 20) || close(fd) || !sl_hash_file(large, own, NULL, &err))
        abort();
    mkdir(cache, 0700);
    strcat(cache, "/safelight");
    mkdir(cache, 0700);
    cache[strlen(cache) - strlen("/safelight")] = '\0';
}

/* The input with the key put in; true where a line has it. */
static bool put_cache(const uint8_t *data, size_t size)
{
    char path[100];
    bool named = false, begins = true;
    snprintf(path, sizeof path, "%s/cache/safelight/hashes", fuzz_folder());
    FILE *f = fopen(path, "wb");
    if (!f)
        abort();
    for (size_t i = 0; i < size; i++) {
        bool at = begins && i + 1 < size && data[i] == '@' && data[i + 1] == ' ';
        begins = data[i] == '\n';
        if (at)
            fputs(key, f);
        else
            fputc(data[i], f);
        named = named || at;
        i += at;
    }
    if (!size || data[0] != '!')
        fprintf(f, "\n%s%s\n", key, own);
    if (fclose(f))
        abort();
    return named;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char hex[65] = "";
    SlError err = {0};
    if (!*large)
        make_large();
    renew_key();
    bool named = put_cache(data, size);
    if (!sl_hash_file(large, hex, NULL, &err) || strlen(hex) != 64 ||
        strspn(hex, "0123456789abcdef") != 64 || (!named && strcmp(hex, own) != 0))
        abort();
    return 0;
}
