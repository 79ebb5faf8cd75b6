/* portable.c - weights without oneDNN, for products.c.
 *
 * A convolution's weights are kept as [O, KH, KW, I], so that a tap is one contiguous row on both
 * sides.
 */
#include "kernels/cpu/cpu.h"

#if !SL_HAVE_ONEDNN

SlOneDnn *sl_onednn_open(SlError *err)
{
    return NULL;
}

void sl_onednn_close(SlOneDnn *o)
{
}

bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlDtype dtype = w->kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    int64_t n = sl_tensor_elements(host);
    size_t bytes = (size_t)n * sl_dtype_size(dtype);
    char *data = dev->ops->alloc(dev, bytes);
    if (!data)
        return false;
    w->value = sl_tensor_view(data, dtype, host->rank, host->size);
    dev->work.weight_bytes += bytes;
    if (w->kind != SL_WEIGHT_CONV) {
        sl_convert(host->data, host->dtype, data, dtype, (size_t)n);
        return true;
    }
    int64_t taps = w->size[2] * w->size[3], channels = w->size[1];
    size_t from = sl_dtype_size(host->dtype), to = sl_dtype_size(dtype);
    for (int64_t i = 0; i < n; i++) {
        int64_t o = i / taps / channels, c = i / taps % channels, tap = i % taps;
        sl_convert((const char *)host->data + i * (int64_t)from, host->dtype,
                   data + ((o * taps + tap) * channels + c) * (int64_t)to, dtype, 1);
    }
    return true;
}

void sl_cpu_weight_clear(SlDevice *dev, SlWeight *w)
{
    size_t bytes = (size_t)sl_tensor_elements(&w->value) * sl_dtype_size(w->value.dtype);
    if (!w->value.data)
        return;
    dev->work.weight_bytes -= bytes;
    dev->ops->free(dev, w->value.data, bytes);
}

#endif
