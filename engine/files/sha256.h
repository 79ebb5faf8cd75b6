/* sha256.h - SHA-256 of bytes and files, the identity of weights, noise and pictures. */
#ifndef SL_ENGINE_SHA256_H
#define SL_ENGINE_SHA256_H

#include "kernels/kernels.h"

/* Lower-case hexadecimal SHA-256. Any thread. */
void sl_sha256(const void *data, size_t bytes, char hex[65]);
/* Piece by piece. What it holds is the library's (sha256.c). */
typedef struct SlSha256 {
    uint64_t state[16];
} SlSha256;
void sl_sha256_begin(SlSha256 *sha);
void sl_sha256_add(SlSha256 *sha, const void *data, size_t bytes);
void sl_sha256_end(SlSha256 *sha, char hex[65]);

bool sl_sha256_file(const char *path, char hex[65], const int *cancel, SlError *err);

#endif
