/* sha256_blocks.c - the inner loop of SHA-256, in plain C and with the x86 SHA instructions, ten
 * times as fast: the identity of a 4 GB model should not take half a minute.
 *
 * Easy to get wrong: the instructions keep the state as two vectors, ABEF and CDGH, highest lane
 * first; sha256rnds2 does two rounds and takes its two words from the lower half of w + k.
 */
#include "engine/files/sha256_private.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t constants[64] = {
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
                         ((e & V(5)) ^ (~e & V(6))) + constants[i + k] + w[i + k];
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

/* ---- x86 ---- */

#if defined(__x86_64__)

/* The next four words of the schedule from the last sixteen, oldest first. */
__attribute__((target("sha,sse4.1"))) static __m128i next_words(const __m128i w[4])
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8(w[3], w[2], 4));
    return _mm_sha256msg2_epu32(sum, w[3]);
}

/* One block; abef and cdgh are advanced by its 64 rounds. */
__attribute__((target("sha,sse4.1"))) static void add_block(__m128i *abef, __m128i *cdgh,
                                                            const uint8_t *p)
{
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    __m128i w[4];
    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 16 * i)), big_endian);
    for (int i = 0; i < 16; i++) {
        __m128i k = _mm_loadu_si128((const __m128i *)(constants + 4 * i));
        __m128i words = _mm_add_epi32(w[0], k);
        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, words);
        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(words, 0x0e));
        __m128i next = next_words(w);
        w[0] = w[1];
        w[1] = w[2];
        w[2] = w[3];
        w[3] = next;
    }
}

__attribute__((target("sha,sse4.1"))) static void add_blocks(uint32_t state[8], const uint8_t *p,
                                                             size_t count)
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; count > 0; count--, p += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh;
        add_block(&abef, &cdgh, p);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

SlSha256Blocks sl_sha256_blocks_x86(void)
{
    unsigned a, b = 0, c, d;
    bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1u << 29;
    bool sse41 = __get_cpuid(1, &a, &b, &c, &d) && c & 1u << 19;
    return sha && sse41 ? add_blocks : NULL;
}

#else

SlSha256Blocks sl_sha256_blocks_x86(void)
{
    return NULL;
}

#endif
