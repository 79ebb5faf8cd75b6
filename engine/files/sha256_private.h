/* sha256_private.h - the inner loop of SHA-256, private to sha256*.c and their test. */
#ifndef SL_ENGINE_SHA256_PRIVATE_H
#define SL_ENGINE_SHA256_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

/* Adds `count` blocks of 64 bytes to the state. */
typedef void (*SlSha256Blocks)(uint32_t state[8], const uint8_t *p, size_t count);

void sl_sha256_blocks_plain(uint32_t state[8], const uint8_t *p, size_t count);
/* With the processor's SHA instructions; NULL where it has none. */
SlSha256Blocks sl_sha256_blocks_x86(void);

#endif
