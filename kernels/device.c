/* device.c - what can be done with any open device; open.c opens one by name. */
#include "kernels/arena.h"
#include "kernels/devices.h"

void sl_device_close(SlDevice **dev)
{
    if (!*dev)
        return;
    sl_arena_close(*dev);
    (*dev)->ops->close(*dev);
    *dev = NULL;
}

const char *sl_device_describe(const SlDevice *dev)
{
    return dev->ops->describe(dev);
}

const char *sl_device_why(const SlDevice *dev)
{
    return dev->why;
}

SlDevice *sl_device_beside(SlDevice *dev, SlError *err)
{
    SlDevice *beside = dev->ops->beside ? dev->ops->beside(dev, err) : NULL;
    if (beside && !sl_arena_open(beside)) {
        sl_fail(err, SL_MEMORY, "no memory for the device %s", beside->name);
        sl_device_close(&beside);
    }
    return beside;
}

SlDtype sl_device_use_dtype(SlDevice *dev, SlDtype dtype)
{
    SlDtype before = dev->dtype;
    if (dev->ops->use_dtype)
        dev->ops->use_dtype(dev, dtype);
    else
        dev->dtype = dtype;
    return before;
}

const char *sl_q8_name(SlDtype dtype)
{
    static const char *const names[] = {"q8/f32", "q8/f16", "q8/bf16"};
    return names[dtype];
}

const char *sl_device_dtype_name(const SlDevice *dev)
{
    return dev->q8 ? sl_q8_name(dev->dtype) : sl_dtype_name(dev->dtype);
}

bool sl_device_use_q8(SlDevice *dev, bool q8)
{
    bool before = dev->q8;
    dev->q8 = q8;
    return before;
}

/* ---- memory ---- */

size_t sl_device_memory(SlDevice *dev)
{
    return dev->ops->memory ? dev->ops->memory(dev) : SIZE_MAX;
}
