/* sha256.h - SHA-256 of bytes and files, the identity of weights, noise and pictures. */
#ifndef SL_ENGINE_SHA256_H
#define SL_ENGINE_SHA256_H

#include "kernels/kernels.h"

/* Lower-case hexadecimal SHA-256. Any thread. */
void sl_sha256(const void *data, size_t bytes, char hex[65]);
bool sl_sha256_file(const char *path, char hex[65], const int *cancel, SlError *err);

#endif
