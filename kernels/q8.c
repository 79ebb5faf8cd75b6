/* q8.c - see q8.h. Mirrors ggml's quantize_row_q8_0: the scale is the largest size / 127 and is kept
 * as f16, the numbers are rounded half away from zero by the scale before that.
 *
 * A model has a thousand million of these: four are rounded at a time. */
#include "kernels/q8.h"

#include <string.h>

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t FourI __attribute__((vector_size(16), aligned(4), may_alias));
#define FOURS (SL_Q8_BLOCK / 4)

static inline Four choose(FourI where, Four a, Four b)
{
    return (Four)(((FourI)a & where) | ((FourI)b & ~where));
}

static float largest_size(const float values[SL_Q8_BLOCK])
{
    Four most = {0, 0, 0, 0};
    for (int i = 0; i < FOURS; i++) {
        Four size = (Four)((FourI)((const Four *)values)[i] & 0x7fffffff);
        most = choose(size > most, size, most);
    }
    float a = most[0] > most[1] ? most[0] : most[1], b = most[2] > most[3] ? most[2] : most[3];
    return a > b ? a : b;
}

/* As roundf, kept to -127 and 127; 0 of what is no number. */
static inline FourI round_four(Four n)
{
    const Four most = {127, 127, 127, 127}, half = {0.5f, 0.5f, 0.5f, 0.5f};
    n = (Four)((FourI)n & (n == n));
    n = choose(n < most, n, most);
    n = choose(n > -most, n, -most);
    FourI whole = __builtin_convertvector(n, FourI);
    Four rest = n - __builtin_convertvector(whole, Four); /* exact */
    return whole - (rest >= half) + (rest <= -half);      /* a comparison that holds is -1 */
}

float sl_q8_round(const float values[SL_Q8_BLOCK], int8_t out[SL_Q8_BLOCK])
{
    float scale = largest_size(values) / 127, by = scale > 0 ? 1 / scale : 0;
    int32_t whole[SL_Q8_BLOCK]; /* a loop from one array to the other is vector code */
    for (int i = 0; i < FOURS; i++)
        ((FourI *)whole)[i] = round_four(((const Four *)values)[i] * by);
    for (int i = 0; i < SL_Q8_BLOCK; i++)
        out[i] = (int8_t)whole[i];
    return sl_f16_to_f32(sl_f32_to_f16(scale));
}

SlQ8Weight sl_q8_weight(const SlTensor *host)
{
    SlQ8Weight w = {.host = host, .outputs = host->size[0], .channels = host->size[1], .taps = 1};
    if (host->rank == 4)
        w.taps = host->size[2] * host->size[3];
    w.depth = w.channels * w.taps;
    return w;
}

/* Neighbours in the host's tensor. */
static void read_side(const SlQ8Weight *w, int64_t first, int64_t count, float *to)
{
    SlDtype dtype = w->host->dtype;
    const char *from = (const char *)w->host->data + (size_t)first * sl_dtype_size(dtype);
    sl_convert(from, dtype, to, SL_F32, (size_t)count);
}

void sl_q8_read(const SlQ8Weight *w, int64_t output, int64_t first, float out[SL_Q8_BLOCK])
{
    int64_t count = w->depth - first < SL_Q8_BLOCK ? w->depth - first : SL_Q8_BLOCK;
    memset(out + count, 0, (size_t)(SL_Q8_BLOCK - count) * sizeof *out);
    if (w->taps == 1)
        read_side(w, output * w->depth + first, count, out);
    else
        for (int64_t i = 0; i < count; i++)
            read_side(w, sl_q8_place(w, output, first + i), 1, &out[i]);
}

int64_t sl_q8_read_run(const SlQ8Weight *w, int64_t output, int64_t done,
                       float out[SL_Q8_RUN][SL_Q8_BLOCK], int64_t place[SL_Q8_RUN])
{
    float side[SL_Q8_RUN * SL_Q8_BLOCK];
    int64_t taps = w->taps, first = done * SL_Q8_BLOCK; /* channels first / taps and 31 more */
    if (taps == 1 || taps > SL_Q8_RUN || w->channels % SL_Q8_BLOCK) {
        sl_q8_read(w, output, first, out[0]);
        place[0] = done;
        return 1;
    }
    read_side(w, output * w->depth + first, taps * SL_Q8_BLOCK, side);
    for (int64_t t = 0; t < taps; t++) {
        for (int64_t i = 0; i < SL_Q8_BLOCK; i++)
            out[t][i] = side[i * taps + t];
        place[t] = (t * w->channels + first / taps) / SL_Q8_BLOCK;
    }
    return taps;
}
