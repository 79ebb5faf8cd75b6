/* ceiling.c - measures the highest rates of a device (multiply-adds, memory copies), which a
 * profile compares with. */
#include "kernels/clock.h"
#include "kernels/kernels.h"

#include <stdlib.h>

#define SIDE   1536                /* of the square matrices of a product */
#define COPIED ((int64_t)32 << 20) /* bytes: more than a cache holds */
#define ROUNDS 4

/* Waits for the device, too. */
static double since(SlDevice *dev, double start, const SlTensor *out)
{
    char byte;
    dev->ops->download(dev, out->data, &byte, 1);
    return sl_clock_now() - start;
}

static double best_product(SlDevice *dev)
{
    float *zeros = calloc((size_t)SIDE * SIDE, sizeof *zeros);
    SlTensor host = sl_tensor_view(zeros, SL_F32, 2, (const int64_t[]){SIDE, SIDE});
    SlWeight *w = zeros ? sl_weight_new(dev, SL_WEIGHT_LINEAR, &host) : NULL;
    SlTensor x = sl_tensor_new2(dev, SIDE, SIDE), out = sl_tensor_new2(dev, SIDE, SIDE);
    double best = 0;
    for (int i = 0; i < ROUNDS && w && x.data && out.data; i++) {
        double start = sl_clock_now();
        sl_linear(dev, &x, w, NULL, &out);
        double rate = 2.0 * SIDE * SIDE * SIDE / since(dev, start, &out);
        best = rate > best ? rate : best;
    }
    sl_weight_free(dev, w);
    free(zeros);
    return best;
}

/* Reads and writes counted. */
static double best_copy(SlDevice *dev)
{
    SlTensor from = sl_tensor_new(dev, SL_U8, 1, (const int64_t[]){COPIED});
    SlTensor to = sl_tensor_new(dev, SL_U8, 1, (const int64_t[]){COPIED});
    double best = 0;
    for (int i = 0; i < ROUNDS && from.data && to.data; i++) {
        double start = sl_clock_now();
        sl_copy(dev, &from, &to);
        double rate = 2.0 * (double)COPIED / since(dev, start, &to);
        best = rate > best ? rate : best;
    }
    return best;
}

SlCeiling sl_device_ceiling(SlDevice *dev)
{
    size_t mark = sl_arena_mark(dev);
    SlCeiling c = {0};
    if (dev->ops->peak)
        c.flops = dev->ops->peak(dev);
    if (c.flops <= 0)
        c.flops = best_product(dev);
    c.bytes = best_copy(dev);
    sl_arena_reset(dev, mark);
    return c;
}
