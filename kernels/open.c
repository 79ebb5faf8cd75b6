/* open.c - opening a device by name. What can be done with any open device is in device.c. */
#include "kernels/arena.h"
#include "kernels/devices.h"

#include <stdio.h>
#include <string.h>

typedef SlDevice *(*OpenDevice)(const SlDeviceOptions *options, SlError *err);

static SlDevice *open_cpu(const SlDeviceOptions *options, SlError *err)
{
    SlDeviceOptions own = *options;
    if (own.any_dtype)
        own.dtype = own.q8 ? sl_q8_dtype() : own.cpu_dtype;
    return sl_cpu_open(&own, err);
}

/* What the cpu device would need. */
static SlDevice *open_measure(const SlDeviceOptions *options, SlError *err)
{
    SlDeviceOptions own = *options;
    if (own.any_dtype && own.q8)
        own.dtype = sl_q8_dtype();
    return sl_measure_open(&own, err);
}

static SlDevice *open_auto(const SlDeviceOptions *options, SlError *err)
{
    SlError no_cuda = {0};
    SlDevice *dev = sl_cuda_open(options, &no_cuda);
    if (dev) {
        snprintf(dev->why, sizeof dev->why, sl_words("auto: cuda, because it can be used"));
        return dev;
    }
    dev = open_cpu(options, err);
    if (dev)
        snprintf(dev->why, sizeof dev->why, sl_words("auto: cpu, because %.700s"), no_cuda.message);
    return dev;
}

static SlDevice *open_check(const SlDeviceOptions *options, SlError *err)
{
    SlDeviceOptions own = *options;
    own.name = options->under_test ? options->under_test : "cpu";
    if (!strcmp(own.name, "check")) {
        sl_fail(err, SL_ARGUMENT, "the check device cannot test itself");
        return NULL;
    }
    SlDevice *tested = sl_device_open(&own, err);
    return tested ? sl_check_over(tested, err) : NULL;
}

static OpenDevice find(const char *name)
{
    static const struct {
        const char *name;
        OpenDevice open;
    } devices[] = {{"auto", open_auto},   {"ref", sl_ref_open},      {"cpu", open_cpu},
                   {"check", open_check}, {"measure", open_measure}, {"cuda", sl_cuda_open}};
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
        own.dtype = SL_F32; /* cuda and cpu read any_dtype themselves */
    OpenDevice open = find(name);
    if (!open) {
        sl_fail(err, SL_ARGUMENT,
                "the device is \"%s\"; expected auto, ref, cpu, cuda, check or measure", name);
        return NULL;
    }
    SlDevice *dev = open(&own, err);
    if (dev)
        dev->q8 = own.q8;
    if (dev && !dev->arena && !sl_arena_open(dev)) {
        sl_fail(err, SL_MEMORY, "no memory for the device %s", name);
        sl_device_close(&dev);
    }
    return dev;
}

bool sl_device_is_cpu(const char *name)
{
    char gpu[200];
    SlError no_cuda = {0};
    if (!name || !strcmp(name, "auto"))
        return !sl_cuda_look(gpu, sizeof gpu, &no_cuda);
    return !strcmp(name, "cpu") || !strcmp(name, "check");
}

bool sl_device_foresee(const SlDeviceOptions *options, char *line, size_t size, SlError *err)
{
    const char *name = options->name ? options->name : "auto";
    bool automatic = !strcmp(name, "auto");
    char gpu[200];
    SlError no_cuda = {0}, problem = {0};
    SlDeviceOptions own = *options;
    bool looked = automatic || !strcmp(name, "cuda");
    if (looked && sl_cuda_look(gpu, sizeof gpu, &no_cuda)) {
        snprintf(line, size, "%s%s", gpu,
                 automatic ? sl_words(" (auto: cuda, because it is there)") : "");
        return true;
    }
    if (looked && !automatic) {
        snprintf(line, size, "%.900s", no_cuda.message);
        return true;
    }
    own.name = automatic ? "cpu" : name;
    SlDevice *dev = sl_device_open(&own, &problem);
    if (!dev)
        snprintf(line, size, "%.900s", problem.message);
    else if (automatic)
        snprintf(line, size, sl_words("%.400s (auto: cpu, because %.400s)"),
                 sl_device_describe(dev), no_cuda.message);
    else
        snprintf(line, size, "%.400s", sl_device_describe(dev));
    sl_device_close(&dev);
    if (problem.code == SL_MEMORY)
        sl_fail(err, SL_MEMORY, "%s", problem.message);
    return problem.code != SL_MEMORY;
}
