/* sha256_x86.c - SHA-256 with the x86 SHA instructions, ten times as fast: the identity of a 4 GB
 * model should not take half a minute.
 *
 * Easy to get wrong: the instructions keep the state as two vectors, ABEF and CDGH, highest lane
 * first; sha256rnds2 does two rounds and takes its two words from the lower half of w + k.
 */
#include "engine/files/sha256_private.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>

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
        __m128i k = _mm_loadu_si128((const __m128i *)(sl_sha256_constants + 4 * i));
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
