/* sha256.c - SHA-256 (FIPS 180-4), for the identity of weight files and of results. */
#include "engine/files/sha256.h"
#include "engine/files/file_kind.h"
#include "engine/files/sha256_private.h"
#include "engine/files/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Sha256 {
    SlSha256Blocks add_blocks;
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
    size_t used;
} Sha256;

const uint32_t sl_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* The eight working variables stand still and their names rotate: in round i, variable n is
 * v[(n - i) mod 8]. */
static void rounds(uint32_t v[8], const uint32_t w[64])
{
#define V(n) v[((n)-k) & 7]
    for (int i = 0; i < 64; i += 8) {
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++) {
            uint32_t e = V(4), a = V(0);
            uint32_t t = V(7) + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                         ((e & V(5)) ^ (~e & V(6))) + sl_sha256_constants[i + k] + w[i + k];
            V(3) += t;
            V(7) = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                   ((a & V(1)) ^ (a & V(2)) ^ (V(1) & V(2)));
        }
    }
#undef V
}

void sl_sha256_blocks_plain(uint32_t state[8], const uint8_t *p, size_t count)
{
    uint32_t w[64], v[8];
    for (; count > 0; count--) {
        for (int i = 0; i < 16; i++, p += 4)
            w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        for (int i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        memcpy(v, state, sizeof v);
        rounds(v, w);
        for (int i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

static void begin(Sha256 *sha)
{
    SlSha256Blocks fast = sl_sha256_blocks_x86();
    *sha = (Sha256){.add_blocks = fast ? fast : sl_sha256_blocks_plain,
                    .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                              0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static void add(Sha256 *sha, const void *data, size_t n)
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

static void finish(Sha256 *sha, char hex[65])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = sha->bytes * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    add(sha, padding, 1 + (119 - sha->used) % 64);
    add(sha, length, 8);
    for (int i = 0; i < 8; i++)
        snprintf(hex + 8 * i, 9, "%08x", (unsigned)sha->state[i]);
}

void sl_sha256(const void *data, size_t bytes, char hex[65])
{
    Sha256 sha;
    begin(&sha);
    add(&sha, data, bytes);
    finish(&sha, hex);
}

static bool add_file(Sha256 *sha, int fd, const char *path, uint64_t size, const int *cancel,
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
            add(sha, piece, (size_t)n);
    }
    free(piece);
    return ok;
}

bool sl_sha256_file(const char *path, char hex[65], const int *cancel, SlError *err)
{
    Sha256 sha;
    uint64_t size;
    int fd = sl_file_open(path, &size, err);
    if (fd < 0)
        return false;
    begin(&sha);
    bool ok = add_file(&sha, fd, path, size, cancel, err);
    if (ok)
        finish(&sha, hex);
    close(fd);
    return ok;
}
