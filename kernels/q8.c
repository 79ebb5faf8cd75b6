/* q8.c - see q8.h. Mirrors ggml's quantize_row_q8_0: the scale is the largest size / 127 and is kept
 * as f16, the numbers are rounded half away from zero by the scale before that. */
#include "kernels/q8.h"

#include <math.h>

float sl_q8_round(const float values[SL_Q8_BLOCK], int8_t out[SL_Q8_BLOCK])
{
    float most = 0, kept;
    uint16_t half;
    for (int i = 0; i < SL_Q8_BLOCK; i++)
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    float scale = most / 127, by = scale > 0 ? 1 / scale : 0;
    for (int i = 0; i < SL_Q8_BLOCK; i++) {
        float n = roundf(values[i] * by);
        out[i] = (int8_t)(n >= 127 ? 127 : n <= -127 ? -127 : n == n ? n : 0);
    }
    sl_convert(&scale, SL_F32, &half, SL_F16, 1);
    sl_convert(&half, SL_F16, &kept, SL_F32, 1);
    return kept;
}

SlQ8Weight sl_q8_weight(const SlTensor *host)
{
    SlQ8Weight w = {.host = host, .outputs = host->size[0], .channels = host->size[1], .taps = 1};
    if (host->rank == 4)
        w.taps = host->size[2] * host->size[3];
    w.depth = w.channels * w.taps;
    return w;
}

void sl_q8_read(const SlQ8Weight *w, int64_t output, int64_t first, float out[SL_Q8_BLOCK])
{
    SlDtype dtype = w->host->dtype;
    const char *data = w->host->data;
    size_t size = sl_dtype_size(dtype);
    for (int64_t i = 0; i < SL_Q8_BLOCK; i++) {
        int64_t e = first + i;
        if (e >= w->depth)
            out[i] = 0;
        else if (dtype == SL_F32)
            out[i] = ((const float *)w->host->data)[sl_q8_place(w, output, e)];
        else
            sl_convert(data + (size_t)sl_q8_place(w, output, e) * size, dtype, &out[i], SL_F32, 1);
    }
}
