/* weight.c - making, reading, filling, copying and freeing a device's weights, and those that wait until
 * a product wants them.
 *
 * A weight that waits is laid out by the same calls as one that does not, so its products are the same
 * bytes. Easy to get wrong: a cancel ends the loops that lay out, and not all who call them look; and
 * no slot may call a front, since the weight of one product only can be passing.
 */
#include "kernels/devices.h"

#include <stdlib.h>
#include <string.h>

#define MOST_PASSES 2

/* As the device holds it, but for what its layout adds. */
static uint64_t bytes_of(const SlDevice *dev, SlWeightKind kind, const SlTensor *host)
{
    SlDtype dtype = kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    return (uint64_t)sl_tensor_elements(host) * sl_dtype_size(dtype);
}

static SlWeight *new_weight(SlDevice *dev, SlWeightKind kind, const SlTensor *shape)
{
    SlWeight *w = dev->status == SL_OK ? calloc(1, sizeof *w) : NULL;
    if (!w) {
        sl_device_fail(dev, SL_MEMORY, "%s: no memory for a weight", dev->name);
        return NULL;
    }
    w->kind = kind;
    w->rank = shape->rank;
    memcpy(w->size, shape->size, sizeof w->size);
    return w;
}

static void fail_weight(SlDevice *dev, SlWeightKind kind, const SlTensor *shape)
{
    sl_device_fail(dev, SL_MEMORY, "%s: no memory for a weight of %s", dev->name,
                   sl_bytes_text(bytes_of(dev, kind, shape)).text);
}

SlWeight *sl_weight_new(SlDevice *dev, SlWeightKind kind, const SlTensor *host)
{
    SlWeight *w = new_weight(dev, kind, host);
    if (!w || dev->ops->weight_init(dev, w, host))
        return w;
    fail_weight(dev, kind, host);
    free(w);
    return NULL;
}

/* ---- read while it is laid out ---- */

bool sl_weight_reads(SlDevice *dev, SlWeightKind kind, const SlTensor *shape)
{
    SlWeight w = {.kind = kind, .rank = shape->rank};
    memcpy(w.size, shape->size, sizeof w.size);
    return dev->ops->weight_reads && dev->ops->weight_reads(dev, &w, shape);
}

/* A reader, and whether it failed, so that no device need tell that from a lack of memory. */
typedef struct Watched {
    const SlWeightReader *reader;
    int failed; /* atomic */
} Watched;

static bool read_watched(void *arg, int64_t first, int64_t count, void *out)
{
    Watched *watched = arg;
    if (watched->reader->read(watched->reader->arg, first, count, out))
        return true;
    __atomic_store_n(&watched->failed, 1, __ATOMIC_RELAXED);
    return false;
}

SlWeight *sl_weight_read(SlDevice *dev, SlWeightKind kind, const SlWeightReader *reader)
{
    Watched watched = {.reader = reader};
    const SlWeightReader own = {reader->shape, read_watched, &watched};
    SlWeight *w = new_weight(dev, kind, &reader->shape);
    if (!w || (dev->ops->weight_read(dev, w, &own) && dev->status == SL_OK))
        return w;
    if (!__atomic_load_n(&watched.failed, __ATOMIC_RELAXED))
        fail_weight(dev, kind, &reader->shape);
    sl_weight_free(dev, w);
    return NULL;
}

/* ---- weights that wait ---- */

bool sl_weight_can_wait(const SlDevice *dev, SlWeightKind kind)
{
    return dev->ops->weights_passed && sl_is_product(kind);
}

SlWeight *sl_weight_later(SlDevice *dev, SlWeightKind kind, const SlTensor *shape,
                          const SlWeightMaker *maker)
{
    SlWeight *w = new_weight(dev, kind, shape);
    if (!w)
        return NULL;
    size_t stored = sl_dtype_size(shape->dtype), held = sl_dtype_size(dev->dtype);
    held = dev->q8 ? sizeof(int8_t) : stored < held ? stored : held;
    w->maker = *maker;
    w->waiting_bytes = (uint64_t)sl_tensor_elements(shape) * held;
    dev->waits++;
    __atomic_fetch_add(&dev->waiting_bytes, w->waiting_bytes, __ATOMIC_RELAXED);
    return w;
}

static void stop_waiting(SlDevice *dev, SlWeight *w)
{
    if (!w->maker.make)
        return;
    w->maker.make = NULL;
    __atomic_fetch_sub(&dev->waiting_bytes, w->waiting_bytes, __ATOMIC_RELAXED);
    if (--dev->waits == 0)
        dev->ops->weights_passed(dev);
}

/* It does not count as progress: an evaluation takes as many operations with it as without. */
static bool lay_out(SlDevice *dev, SlWeight *w)
{
    uint64_t done = sl_device_ops_done(dev);
    SlWeight *made = dev->status == SL_OK ? w->maker.make(w->maker.arg) : NULL;
    __atomic_store_n(&dev->ops_done, done, __ATOMIC_RELAXED);
    if (!made || dev->status != SL_OK) {
        sl_weight_free(dev, made);
        return false;
    }
    w->value = made->value;
    w->prepared = made->prepared;
    free(made);
    return true;
}

bool sl_weight_settle(SlDevice *dev, SlWeight *w)
{
    if (!w->maker.make)
        return dev->status == SL_OK;
    if (!lay_out(dev, w))
        return false;
    stop_waiting(dev, w);
    return true;
}

bool sl_weight_want(SlDevice *dev, const SlWeight *weight)
{
    SlWeight *w = (SlWeight *)weight; /* where its values are is the device's own */
    if (!w->maker.make)
        return true;
    if (w->passes == MOST_PASSES)
        return sl_weight_settle(dev, w);
    dev->passing = true;
    dev->passing = lay_out(dev, w);
    w->passes += dev->passing;
    return dev->passing;
}

void sl_weight_pass(SlDevice *dev, const SlWeight *weight)
{
    if (!dev->passing)
        return;
    SlWeight *w = (SlWeight *)weight;
    dev->ops->weight_clear(dev, w);
    dev->passing = false;
}

bool sl_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    if (dev->status != SL_OK)
        return false;
    if (dev->ops->weight_fill(dev, w, host))
        return true;
    sl_device_fail(dev, SL_MEMORY, "%s: no memory to fill a weight of %s", dev->name,
                   sl_bytes_text(bytes_of(dev, w->kind, host)).text);
    return false;
}

SlWeight *sl_weight_twin(SlDevice *dev, const SlWeight *w)
{
    SlWeight *twin = dev->status == SL_OK ? calloc(1, sizeof *twin) : NULL;
    if (!twin)
        return NULL;
    *twin = *w;
    twin->value.data = twin->prepared = NULL;
    if (dev->ops->weight_copy(dev, twin, w))
        return twin;
    free(twin);
    return NULL;
}

bool sl_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    if (dev->status != SL_OK)
        return false;
    if (dev->ops->weight_copy(dev, to, from))
        return true;
    sl_device_fail(dev, SL_MEMORY, "%s: no memory to copy a weight", dev->name);
    return false;
}

void sl_weight_free(SlDevice *dev, SlWeight *w)
{
    if (!w)
        return;
    dev->ops->weight_clear(dev, w);
    stop_waiting(dev, w);
    free(w);
}
