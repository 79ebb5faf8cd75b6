/* portable.c - weights without oneDNN, packed for products.c.
 *
 * A product's weights are kept in panels of SL_CPU_PANEL outputs: [panel][element of the
 * window][output], zeros behind the last output. The elements of a window are in the order of its
 * NHWC input: row, column, channel, while the file has [O, I, KH, KW].
 */
#include "kernels/cpu/cpu.h"

#if !SL_HAVE_ONEDNN

#include <string.h>

SlOneDnn *sl_onednn_open(SlError *err)
{
    return NULL;
}

void sl_onednn_close(SlOneDnn *o)
{
}

static void pack(SlWeight *w, const SlTensor *host, char *data, SlDtype dtype)
{
    int64_t taps = w->rank == 4 ? w->size[2] * w->size[3] : 1, channels = w->size[1];
    size_t from = sl_dtype_size(host->dtype), to = sl_dtype_size(dtype);
    for (int64_t o = 0; o < w->size[0]; o++) {
        for (int64_t i = 0; i < taps * channels; i++) {
            int64_t source = (o * channels + i % channels) * taps + i / channels;
            int64_t place = (o / SL_CPU_PANEL * taps * channels + i) * SL_CPU_PANEL;
            sl_convert((const char *)host->data + (size_t)source * from, host->dtype,
                       data + (size_t)(place + o % SL_CPU_PANEL) * to, dtype, 1);
        }
    }
}

bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlDtype dtype = w->kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    bool product = w->kind == SL_WEIGHT_LINEAR || w->kind == SL_WEIGHT_CONV;
    int64_t n = sl_tensor_elements(host);
    if (product)
        n = n / w->size[0] * ((w->size[0] + SL_CPU_PANEL - 1) / SL_CPU_PANEL * SL_CPU_PANEL);
    size_t bytes = (size_t)n * sl_dtype_size(dtype);
    char *data = dev->ops->alloc(dev, bytes);
    if (!data)
        return false;
    dev->work.weight_bytes += bytes;
    if (product) {
        w->value = sl_tensor_view(data, dtype, 1, &n);
        memset(data, 0, bytes);
        pack(w, host, data, dtype);
    } else {
        w->value = sl_tensor_view(data, dtype, host->rank, host->size);
        sl_convert(host->data, host->dtype, data, dtype, (size_t)n);
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
