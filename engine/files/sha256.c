/* sha256.c - SHA-256 with nettle, for the identity of weight files and of results. nettle allocates
 * nothing, so nothing here can fail but reading, and uses the SHA instructions of x86 and Arm: the
 * identity of a 4 GB model takes seconds.
 *
 * Easy to get wrong: nettle 4 knows the length of a digest, nettle 3 is told.
 */
#include "engine/files/sha256.h"
#include "engine/files/file_kind.h"
#include "engine/files/utf8.h"

#include <nettle/sha2.h>
#include <nettle/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(SlSha256), "the library's state fits");

static struct sha256_ctx *context(SlSha256 *sha)
{
    return (struct sha256_ctx *)(void *)sha->state;
}

void sl_sha256_begin(SlSha256 *sha)
{
    nettle_sha256_init(context(sha));
}

void sl_sha256_add(SlSha256 *sha, const void *data, size_t bytes)
{
    nettle_sha256_update(context(sha), bytes, data);
}

void sl_sha256_end(SlSha256 *sha, char hex[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
#if NETTLE_VERSION_MAJOR >= 4
    nettle_sha256_digest(context(sha), digest);
#else
    nettle_sha256_digest(context(sha), sizeof digest, digest);
#endif
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void sl_sha256(const void *data, size_t bytes, char hex[65])
{
    SlSha256 sha;
    sl_sha256_begin(&sha);
    sl_sha256_add(&sha, data, bytes);
    sl_sha256_end(&sha, hex);
}

static bool add_file(SlSha256 *sha, int fd, const char *path, uint64_t size, const int *cancel,
                     SlError *err)
{
    enum { PIECE = 1 << 20 };
    uint8_t *piece = malloc(PIECE);
    bool ok = piece || sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
    for (uint64_t at = 0; at < size && ok; at += PIECE) {
        uint64_t n = size - at < PIECE ? size - at : PIECE;
        if (cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED))
            ok = sl_fail(err, SL_CANCELLED, "%s: stopped while its SHA-256 was computed",
                         sl_show_path(path).text);
        else
            ok = sl_file_read(fd, path, piece, n, at, err);
        if (ok)
            sl_sha256_add(sha, piece, (size_t)n);
    }
    free(piece);
    return ok;
}

bool sl_sha256_file(const char *path, char hex[65], const int *cancel, SlError *err)
{
    SlSha256 sha;
    uint64_t size;
    int fd = sl_file_open(path, &size, err);
    if (fd < 0)
        return false;
    sl_sha256_begin(&sha);
    bool ok = add_file(&sha, fd, path, size, cancel, err);
    if (ok)
        sl_sha256_end(&sha, hex);
    close(fd);
    return ok;
}
