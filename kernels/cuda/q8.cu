/* q8.cu - weights in 8 bits (kernels/q8.h): made from a file's tensor, and made plain again before
 * a product. Rounds as kernels/q8.c, to the same bytes.
 *
 * A block is 32 neighbours of one output's weights in the order of the window: row, column, channel.
 * The plain weights have that order, too, but their channels may be padded with zeros. */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"
#include "kernels/q8.h"

#define LAUNCH_BOUNDS __launch_bounds__(256)
#define BLOCK         SL_Q8_BLOCK

struct Shape {
    int64_t outputs;
    int channels, taps, padded;
};

static Shape shape_of(const SlQ8Launch *q)
{
    return {q->outputs, q->channels, q->taps, q->padded};
}

/* A thread rounds a block: the file's tensor is [output][channel][tap]. */
template <class T>
__global__ void LAUNCH_BOUNDS round_kernel(const T *from, __half *scales, signed char *numbers,
                                           Shape q, int64_t count)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t blocks = count / q.outputs, depth = (int64_t)q.channels * q.taps;
        const int64_t output = i / blocks, first = i % blocks * BLOCK;
        const T *row = from + output * depth;
        float values[BLOCK], most = 0;
        for (int k = 0; k < BLOCK; k++) {
            const int64_t e = first + k;
            values[k] = e < depth ? gpu_f(row[e % q.channels * q.taps + e / q.channels]) : 0;
            most = fabsf(values[k]) > most ? fabsf(values[k]) : most;
        }
        const float scale = most / 127, by = scale > 0 ? 1 / scale : 0;
        for (int k = 0; k < BLOCK; k++) {
            const float n = roundf(values[k] * by);
            numbers[i * BLOCK + k] = (signed char)(n >= 127    ? 127
                                                   : n <= -127 ? -127
                                                   : n == n    ? n
                                                               : 0);
        }
        scales[i] = gpu_from<__half>(scale);
    }
}

template <class T>
__global__ void LAUNCH_BOUNDS plain_kernel(const __half *scales, const signed char *numbers, T *to,
                                           Shape q, int64_t count)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t depth = (int64_t)q.channels * q.taps, blocks = (depth + BLOCK - 1) / BLOCK;
        const int64_t row = (int64_t)q.padded * q.taps, output = i / row, at = i % row;
        const int64_t channel = at % q.padded, e = at / q.padded * q.channels + channel;
        const int64_t block = output * blocks + e / BLOCK;
        float v = 0;
        if (channel < q.channels)
            v = gpu_f(scales[block]) * (float)numbers[block * BLOCK + e % BLOCK];
        to[i] = gpu_from<T>(v);
    }
}

cudaError_t sl_launch_q8_round(const SlQ8Launch *q, const SlTensor *from, cudaStream_t s)
{
    const int64_t depth = (int64_t)q->channels * q->taps;
    const int64_t count = q->outputs * ((depth + BLOCK - 1) / BLOCK);
    return gpu_by_type(from->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(round_kernel<T>, gpu_flat(count, s), (const T *)from->data,
                          (__half *)q->scale, q->value, shape_of(q), count);
    });
}

cudaError_t sl_launch_q8_plain(const SlQ8Launch *q, const SlTensor *to, cudaStream_t s)
{
    const int64_t count = q->outputs * q->padded * q->taps;
    return gpu_by_type(to->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(plain_kernel<T>, gpu_flat(count, s), (const __half *)q->scale,
                          (const signed char *)q->value, (T *)to->data, shape_of(q), count);
    });
}
