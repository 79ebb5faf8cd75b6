/* device_weights.c - weights on the device: uploaded as they are in the file, converted and
 * reordered there.
 *
 * The upload goes through pinned memory and returns when the host's copy may be reused, so the next
 * tensor is read from the file while this one travels and is converted. Easy to get wrong: the
 * temporary place in the arena is used again at once by the next weight; the stream's order keeps
 * that right.
 *
 * Weights in 8 bits (kernels/q8.h) are made plain in the arena before each product: they are read
 * once more than others, in a quarter or half of the bytes, and what is taken for them is as much as
 * the largest weight.
 */
#include "kernels/cuda/device.h"
#include "kernels/cuda/launch.h"
#include "kernels/q8.h"

#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* How a weight is laid out, and the order in which the file's axes come there. */
static SlTensor layout_of(const SlDevice *dev, const SlWeight *w, const SlTensor *host, int *axes)
{
    static const int conv_axes[] = {0, 2, 3, 1}; /* [O, I, KH, KW] -> [O, KH, KW, I] */
    int64_t size[SL_MAX_RANK];
    bool conv = w->kind == SL_WEIGHT_CONV && host->rank == 4;
    for (int i = 0; i < host->rank; i++) {
        axes[i] = conv ? conv_axes[i] : i;
        size[i] = host->size[axes[i]];
    }
    if (conv && dev->dtype != SL_F32)
        size[3] = (int64_t)round_up((size_t)size[3], SL_CUDA_CHANNELS);
    return sl_tensor_view(NULL, w->kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype, host->rank,
                          size);
}

static size_t bytes_of(const SlTensor *t)
{
    return (size_t)sl_tensor_elements(t) * sl_dtype_size(t->dtype);
}

static size_t extra_bytes(const SlDevice *dev, const SlWeight *w)
{
    bool vector = w->kind == SL_WEIGHT_VECTOR && dev->dtype != SL_F32;
    return vector ? (size_t)sl_tensor_elements(&w->value) * sl_dtype_size(dev->dtype) : 0;
}

static bool is_q8(const SlWeight *w)
{
    return w->value.dtype == SL_U8;
}

static size_t q8_blocks(const SlWeight *w)
{
    return (size_t)sl_q8_blocks(w);
}

static size_t whole_bytes(const SlDevice *dev, const SlWeight *w)
{
    if (is_q8(w))
        return q8_blocks(w) * SL_Q8_BYTES;
    return round_up(bytes_of(&w->value), 256) + extra_bytes(dev, w);
}

/* ---- in 8 bits ---- */

/* Where its scales and values are: value.data has the scales first. */
static SlQ8Launch q8_of(const SlWeight *w)
{
    const SlTensor *v = &w->value;
    return (SlQ8Launch){.outputs = w->size[0],
                        .channels = (int)w->size[1],
                        .taps = w->rank == 4 ? (int)(w->size[2] * w->size[3]) : 1,
                        .padded = (int)v->size[v->rank - 1],
                        .scale = v->data,
                        .value = (signed char *)v->data + q8_blocks(w) * sizeof(uint16_t)};
}

const void *sl_cuda_plain_weight(SlDevice *dev, const SlWeight *w, SlDtype dtype)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    if (!is_q8(w))
        return w->value.data;
    SlTensor plain = sl_tensor_new(dev, dtype, w->value.rank, w->value.size);
    SlQ8Launch q = q8_of(w);
    if (plain.data)
        sl_cuda_check(d, sl_launch_q8_plain(&q, &plain, d->stream), SL_WORDS("weights in 8 bits"));
    return plain.data;
}

/* ---- making ---- */

/* raw is the file's tensor on the device. */
static void fill(SlCudaDevice *d, SlWeight *w, const SlTensor *raw, const int *axes)
{
    SlDevice *dev = &d->base;
    SlTensor view = sl_permute(raw, axes), inside = w->value;
    for (int i = 0; i < raw->rank; i++)
        inside.size[i] = view.size[i];
    if (sl_tensor_elements(&inside) != sl_tensor_elements(&w->value))
        sl_cuda_check(d, cudaMemsetAsync(w->value.data, 0, bytes_of(&w->value), d->stream),
                      SL_WORDS("clearing a weight"));
    d->ops.copy(dev, &view, &inside);
    if (extra_bytes(dev, w) == 0)
        return;
    w->prepared = (char *)w->value.data + round_up(bytes_of(&w->value), 256);
    SlTensor half = sl_tensor_view(w->prepared, dev->dtype, raw->rank, raw->size);
    d->ops.copy(dev, raw, &half);
}

/* The stream's order keeps what was asked for before with the old values. */
static bool cuda_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    int axes[SL_MAX_RANK];
    layout_of(dev, w, host, axes);
    size_t mark = sl_arena_mark(dev);
    SlTensor raw = sl_tensor_new(dev, host->dtype, host->rank, host->size);
    if (raw.data) {
        sl_cuda_send(d, host->data, raw.data, bytes_of(host));
        SlQ8Launch q = q8_of(w);
        if (is_q8(w))
            sl_cuda_check(d, sl_launch_q8_round(&q, &raw, d->stream),
                          SL_WORDS("weights in 8 bits"));
        else
            fill(d, w, &raw, axes);
    }
    sl_arena_reset(dev, mark);
    return dev->status == SL_OK;
}

static bool cuda_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    int axes[SL_MAX_RANK];
    w->value = layout_of(dev, w, host, axes);
    if (dev->q8 && sl_q8_takes(w->kind))
        w->value.dtype = SL_U8;
    w->value.data = dev->ops->alloc(dev, whole_bytes(dev, w));
    if (!w->value.data)
        return false;
    if (cuda_weight_fill(dev, w, host)) {
        dev->work.weight_bytes += whole_bytes(dev, w);
        return true;
    }
    dev->ops->free(dev, w->value.data, 0);
    return false;
}

static void cuda_weight_clear(SlDevice *dev, SlWeight *w)
{
    if (!w->value.data)
        return;
    dev->ops->free(dev, w->value.data, 0);
    dev->work.weight_bytes -= whole_bytes(dev, w);
}

/* A twin that does not fit is not made: nothing has failed then. */
static bool make_place(SlDevice *dev, SlWeight *w, const SlWeight *like)
{
    size_t bytes = whole_bytes(dev, like);
    if (dev->ops->memory(dev) < bytes)
        return false;
    w->value.data = dev->ops->alloc(dev, bytes);
    if (!w->value.data)
        return false;
    dev->work.weight_bytes += bytes;
    if (like->prepared)
        w->prepared =
            (char *)w->value.data + ((const char *)like->prepared - (const char *)like->value.data);
    return true;
}

static bool cuda_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    bool fresh = !to->value.data;
    if (fresh && !make_place(dev, to, from))
        return false;
    sl_cuda_check(d,
                  cudaMemcpyAsync(to->value.data, from->value.data, whole_bytes(dev, from),
                                  cudaMemcpyDeviceToDevice, d->stream),
                  SL_WORDS("copying a weight"));
    if (dev->status != SL_OK && fresh)
        cuda_weight_clear(dev, to);
    return dev->status == SL_OK;
}

const void *sl_cuda_half_vector(const SlWeight *w)
{
    return !w ? NULL : w->prepared ? w->prepared : w->value.data;
}

void sl_cuda_weight_slots(SlOps *ops)
{
    ops->weight_init = cuda_weight_init;
    ops->weight_fill = cuda_weight_fill;
    ops->weight_copy = cuda_weight_copy;
    ops->weight_clear = cuda_weight_clear;
}
