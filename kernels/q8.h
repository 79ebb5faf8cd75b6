/* q8.h - weights in 8 bits: blocks of 32 elements with a scale, GGUF's Q8_0. Private to kernels/.
 *
 * A device that keeps weights so (SlDevice.q8) holds the weights of products in little more than a
 * quarter of their f32 size, and turns them into what it computes in just before they are multiplied. A block is 32
 * neighbours of one output's weights in the order of the window: row, column, channel, as the
 * input's NHWC. Rounding a weight that was rounded so changes nothing, so a Q8_0 tensor of a file
 * whose rows have whole blocks keeps its values.
 */
#ifndef SL_KERNELS_Q8_H
#define SL_KERNELS_Q8_H

#include "kernels/kernels.h"

#define SL_Q8_BLOCK 32

/* Is this weight kept in 8 bits by a device that does so? */
static inline bool sl_q8_takes(SlWeightKind kind)
{
    return sl_is_product(kind);
}

/* Bytes of a block as it is kept: the numbers and their scale in f16. */
#define SL_Q8_BYTES (SL_Q8_BLOCK + 2)

/* 32 values as whole numbers from -127 to 127; the result is their scale, an f16 number.
 * Infinite values, and those whose scale f16 does not hold, give an infinite scale. */
float sl_q8_round(const float values[SL_Q8_BLOCK], int8_t out[SL_Q8_BLOCK]);

/* Blocks of a weight of that size. */
static inline int64_t sl_q8_blocks(const SlWeight *w)
{
    int64_t window = w->size[1] * (w->rank == 4 ? w->size[2] * w->size[3] : 1);
    return w->size[0] * ((window + SL_Q8_BLOCK - 1) / SL_Q8_BLOCK);
}

/* How the weights of a product lie in a host's tensor. */
typedef struct SlQ8Weight {
    const SlTensor *host;
    int64_t outputs, channels, taps, depth; /* depth: channels taps */
} SlQ8Weight;

SlQ8Weight sl_q8_weight(const SlTensor *host);
/* Where element e of the window of an output stands in the host's tensor. */
static inline int64_t sl_q8_place(const SlQ8Weight *w, int64_t output, int64_t e)
{
    return output * w->depth + e % w->channels * w->taps + e / w->channels;
}
/* Elements first .. first + 31 of the window of an output; zeros behind the last. */
void sl_q8_read(const SlQ8Weight *w, int64_t output, int64_t first, float out[SL_Q8_BLOCK]);

/* Blocks that sl_q8_read_run reads at once, at most: those of a 3x3 window of 32 channels lie side by
 * side in the host's tensor. */
#define SL_Q8_RUN 9
/* All blocks of an output, some at each call: `done` is how many were read before. Gives how many
 * these are, at least one, and the place of each among the blocks of the output's window. */
int64_t sl_q8_read_run(const SlQ8Weight *w, int64_t output, int64_t done,
                       float out[SL_Q8_RUN][SL_Q8_BLOCK], int64_t place[SL_Q8_RUN]);

#endif
