/* device.c - opening a device by name. */
#include "kernels/arena.h"
#include "kernels/devices.h"

#include <stdio.h>
#include <string.h>

typedef SlDevice *(*OpenDevice)(const SlDeviceOptions *options, SlError *err);

static SlDevice *open_auto(const SlDeviceOptions *options, SlError *err)
{
    SlError no_cuda = {0};
    SlDevice *dev = sl_cuda_open(options, &no_cuda);
    if (dev) {
        snprintf(dev->why, sizeof dev->why, "auto: cuda, because it can be used");
        return dev;
    }
    dev = sl_cpu_open(options, err);
    if (dev)
        snprintf(dev->why, sizeof dev->why, "auto: cpu, because %.300s", no_cuda.message);
    return dev;
}

static OpenDevice find(const char *name)
{
    static const struct {
        const char *name;
        OpenDevice open;
    } devices[] = {{"auto", open_auto},      {"ref", sl_ref_open},         {"cpu", sl_cpu_open},
                   {"check", sl_check_open}, {"measure", sl_measure_open}, {"cuda", sl_cuda_open}};
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (!strcmp(devices[i].name, name))
            return devices[i].open;
    return NULL;
}

SlDevice *sl_device_open(const SlDeviceOptions *options, SlError *err)
{
    const char *name = options->name ? options->name : "auto";
    SlDeviceOptions own = *options;
    if (own.any_dtype)
        own.dtype = SL_F32; /* cuda reads any_dtype itself */
    OpenDevice open = find(name);
    if (!open) {
        sl_fail(err, SL_ARGUMENT,
                "the device is \"%s\"; expected auto, ref, cpu, cuda, check or measure", name);
        return NULL;
    }
    SlDevice *dev = open(&own, err);
    if (dev && !dev->arena && !sl_arena_open(dev)) {
        sl_fail(err, SL_MEMORY, "no memory for the device %s", name);
        sl_device_close(&dev);
    }
    return dev;
}

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

/* ---- memory ---- */

size_t sl_device_memory(SlDevice *dev)
{
    return dev->ops->memory ? dev->ops->memory(dev) : SIZE_MAX;
}
