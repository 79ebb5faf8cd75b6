/* gguf_blocks.c - see gguf_blocks.h: the blocks of ggml (ggml-common.h has their layouts,
 * ggml-quants.c what they stand for), turned into f32 with the roundings of the reference: a scale
 * of a group is rounded to f32 before it multiplies a value.
 *
 * Easy to get wrong: four-bit types keep the first half of a block in the low nibbles and the second
 * half in the high ones, not neighbours side by side; the six-bit scales of Q4_K and Q5_K are cut
 * in two differently for the first four groups and the last four.
 */
#include "engine/files/gguf_blocks.h"

#include <string.h>

#define SMALL 32  /* elements of a block of the simple types */
#define LARGE 256 /* of the K types */

static float half_at(const uint8_t *p)
{
    uint16_t half;
    float value;
    memcpy(&half, p, sizeof half);
    sl_convert(&half, SL_F16, &value, SL_F32, 1);
    return value;
}

/* ---- blocks of 32 ---- */

static void q8_0(const uint8_t *b, float *out)
{
    float d = half_at(b);
    for (int i = 0; i < SMALL; i++)
        out[i] = d * (float)(int8_t)b[2 + i];
}

/* Nibbles of 16 bytes: the low ones are elements 0-15, the high ones 16-31. */
static int nibble(const uint8_t *bytes, int i)
{
    return i < 16 ? bytes[i] & 15 : bytes[i - 16] >> 4;
}

static void q4_0(const uint8_t *b, float *out)
{
    float d = half_at(b);
    for (int i = 0; i < SMALL; i++)
        out[i] = d * (float)(nibble(b + 2, i) - 8);
}

static void q4_1(const uint8_t *b, float *out)
{
    float d = half_at(b), m = half_at(b + 2);
    for (int i = 0; i < SMALL; i++)
        out[i] = d * (float)nibble(b + 4, i) + m;
}

/* Bit i of four bytes is the fifth bit of element i. */
static int fifth(const uint8_t *bits, int i)
{
    return (bits[i / 8] >> (i % 8) & 1) << 4;
}

static void q5_0(const uint8_t *b, float *out)
{
    float d = half_at(b);
    for (int i = 0; i < SMALL; i++)
        out[i] = d * (float)((nibble(b + 6, i) | fifth(b + 2, i)) - 16);
}

static void q5_1(const uint8_t *b, float *out)
{
    float d = half_at(b), m = half_at(b + 2);
    for (int i = 0; i < SMALL; i++)
        out[i] = d * (float)(nibble(b + 8, i) | fifth(b + 4, i)) + m;
}

static void iq4_nl(const uint8_t *b, float *out)
{
    static const int8_t values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
    float d = half_at(b);
    for (int i = 0; i < SMALL; i++)
        out[i] = d * (float)values[nibble(b + 2, i)];
}

/* ---- blocks of 256 ---- */

/* Element i of planes of two bits: each 32 bytes hold four planes of 32 elements. */
static int two_bits(const uint8_t *bytes, int i)
{
    return bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

static void q2_k(const uint8_t *b, float *out)
{
    float d = half_at(b + 80), dmin = half_at(b + 82);
    for (int i = 0; i < LARGE; i++) {
        float scale = d * (float)(b[i / 16] & 15), least = dmin * (float)(b[i / 16] >> 4);
        out[i] = scale * (float)two_bits(b + 16, i) - least;
    }
}

/* Six bits: four in the nibbles of the first eight bytes, two in the last four bytes. */
static int q3_scale(const uint8_t *s, int i)
{
    return (s[i % 8] >> (i / 8 * 4) & 15) | (s[8 + i % 4] >> (i / 4 * 2) & 3) << 4;
}

static void q3_k(const uint8_t *b, float *out)
{
    float d = half_at(b + 108);
    for (int i = 0; i < LARGE; i++) {
        float scale = d * (float)(q3_scale(b + 96, i / 16) - 32);
        int high = b[i % 32] >> (i / 32) & 1;
        out[i] = scale * (float)(two_bits(b + 32, i) - (high ? 0 : 4));
    }
}

/* Scale and least value of group j of 32 elements, six bits each. */
static void q4_scales(const uint8_t *s, int j, int *scale, int *least)
{
    if (j < 4) {
        *scale = s[j] & 63;
        *least = s[j + 4] & 63;
    } else {
        *scale = (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
        *least = s[j + 4] >> 4 | s[j] >> 6 << 4;
    }
}

/* Q4_K, and with the fifth bits of 32 bytes (bit g for group g) Q5_K. */
static void q4_or_5_k(const uint8_t *b, const uint8_t *high, const uint8_t *low, float *out)
{
    float d = half_at(b), dmin = half_at(b + 2);
    for (int j = 0; j < 8; j++) {
        int scale, least;
        q4_scales(b + 4, j, &scale, &least);
        float by = d * (float)scale, minus = dmin * (float)least;
        for (int i = 0; i < 32; i++) {
            int q = low[j / 2 * 32 + i] >> (j % 2 * 4) & 15;
            if (high)
                q |= (high[i] >> j & 1) << 4;
            out[j * 32 + i] = by * (float)q - minus;
        }
    }
}

static void q4_k(const uint8_t *b, float *out)
{
    q4_or_5_k(b, NULL, b + 16, out);
}

static void q5_k(const uint8_t *b, float *out)
{
    q4_or_5_k(b, b + 16, b + 48, out);
}

/* Per 128 elements: 64 bytes of low nibbles, 32 bytes with four planes of two high bits. */
static void q6_k(const uint8_t *b, float *out)
{
    float d = half_at(b + 208);
    for (int i = 0; i < LARGE; i++) {
        int low = b[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
        int q = low | two_bits(b + 128, i) << 4;
        out[i] = d * (float)(int8_t)b[192 + i / 16] * (float)(q - 32);
    }
}

/* ---- the rows ---- */

/* Decoding all blocks, and looking at their one or two f16 scales: the rest are whole numbers. */
#define ROW_OF(type, elements, bytes, first, second)                                \
    static void decode_##type(const void *blocks, float *out, size_t count)         \
    {                                                                               \
        const uint8_t *b = blocks;                                                  \
        for (size_t i = 0; i < count; i += elements, b += bytes)                    \
            type(b, out + i);                                                       \
    }                                                                               \
    static bool finite_##type(const void *blocks, size_t count)                     \
    {                                                                               \
        const uint8_t *b = blocks;                                                  \
        unsigned bad = 0;                                                           \
        for (size_t i = 0; i < count; i += elements, b += bytes)                    \
            bad |= (b[first + 1] & 0x7c) == 0x7c || (b[second + 1] & 0x7c) == 0x7c; \
        return !bad;                                                                \
    }

ROW_OF(q8_0, SMALL, 34, 0, 0)
ROW_OF(q4_0, SMALL, 18, 0, 0)
ROW_OF(q4_1, SMALL, 20, 0, 2)
ROW_OF(q5_0, SMALL, 22, 0, 0)
ROW_OF(q5_1, SMALL, 24, 0, 2)
ROW_OF(iq4_nl, SMALL, 18, 0, 0)
ROW_OF(q2_k, LARGE, 84, 80, 82)
ROW_OF(q3_k, LARGE, 110, 108, 108)
ROW_OF(q4_k, LARGE, 144, 0, 2)
ROW_OF(q5_k, LARGE, 176, 0, 2)
ROW_OF(q6_k, LARGE, 210, 208, 208)

static const SlStorage rows[] = {
    {"Q8_0", SMALL, 34, false, SL_F32, decode_q8_0, finite_q8_0},
    {"Q4_0", SMALL, 18, false, SL_F32, decode_q4_0, finite_q4_0},
    {"Q4_1", SMALL, 20, false, SL_F32, decode_q4_1, finite_q4_1},
    {"Q5_0", SMALL, 22, false, SL_F32, decode_q5_0, finite_q5_0},
    {"Q5_1", SMALL, 24, false, SL_F32, decode_q5_1, finite_q5_1},
    {"IQ4_NL", SMALL, 18, false, SL_F32, decode_iq4_nl, finite_iq4_nl},
    {"Q2_K", LARGE, 84, false, SL_F32, decode_q2_k, finite_q2_k},
    {"Q3_K", LARGE, 110, false, SL_F32, decode_q3_k, finite_q3_k},
    {"Q4_K", LARGE, 144, false, SL_F32, decode_q4_k, finite_q4_k},
    {"Q5_K", LARGE, 176, false, SL_F32, decode_q5_k, finite_q5_k},
    {"Q6_K", LARGE, 210, false, SL_F32, decode_q6_k, finite_q6_k},
};

const SlStorage *sl_gguf_storage(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}
