/* sha256.c - SHA-256 (FIPS 180-4), for the identity of weight files and of results. */
#include "engine/files/sha256.h"
#include "engine/files/file_kind.h"
#include "engine/files/sha256_private.h"
#include "engine/files/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sl_sha256_begin(SlSha256 *sha)
{
    SlSha256Blocks fast = sl_sha256_blocks_x86();
    *sha = (SlSha256){.add_blocks = fast ? fast : sl_sha256_blocks_plain,
                      .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sl_sha256_add(SlSha256 *sha, const void *data, size_t n)
{
    const uint8_t *p = data;
    sha->bytes += n;
    while (n > 0) {
        if (sha->used == 0 && n >= 64) {
            size_t blocks = n / 64;
            sha->add_blocks(sha->state, p, blocks);
            p += 64 * blocks;
            n -= 64 * blocks;
            continue;
        }
        size_t part = 64 - sha->used < n ? 64 - sha->used : n;
        memcpy(sha->block + sha->used, p, part);
        p += part;
        n -= part;
        sha->used = (sha->used + part) % 64;
        if (sha->used == 0)
            sha->add_blocks(sha->state, sha->block, 1);
    }
}

void sl_sha256_end(SlSha256 *sha, char hex[65])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = sha->bytes * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    sl_sha256_add(sha, padding, 1 + (119 - sha->used) % 64);
    sl_sha256_add(sha, length, 8);
    for (int i = 0; i < 8; i++)
        snprintf(hex + 8 * i, 9, "%08x", (unsigned)sha->state[i]);
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
