/* weight.c - making, filling, copying and freeing a device's weights. */
#include "kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

/* As the device holds it, but for what its layout adds. */
static uint64_t bytes_of(const SlDevice *dev, SlWeightKind kind, const SlTensor *host)
{
    SlDtype dtype = kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    return (uint64_t)sl_tensor_elements(host) * sl_dtype_size(dtype);
}

SlWeight *sl_weight_new(SlDevice *dev, SlWeightKind kind, const SlTensor *host)
{
    if (dev->status != SL_OK)
        return NULL;
    SlWeight *w = calloc(1, sizeof *w);
    if (!w) {
        sl_device_fail(dev, SL_MEMORY, "%s: no memory for a weight", dev->name);
        return NULL;
    }
    w->kind = kind;
    w->rank = host->rank;
    memcpy(w->size, host->size, sizeof w->size);
    if (!dev->ops->weight_init(dev, w, host)) {
        sl_device_fail(dev, SL_MEMORY, "%s: no memory for a weight of %s", dev->name,
                       sl_bytes_text(bytes_of(dev, kind, host)).text);
        free(w);
        return NULL;
    }
    return w;
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
    free(w);
}
