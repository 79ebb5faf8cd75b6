/* cuda_module.c - the CUDA device lives in a module of its own, opened at run time, so that the
 * program starts on a machine without NVIDIA software.
 *
 * The module is looked for where $SAFELIGHT_CUDA_MODULE says (nowhere else then), beside the
 * program, in ../lib/safelight of it, in the build folder, and where the system's loader looks. It
 * never leaves the process again: the CUDA runtime does not survive being unloaded.
 */
#include "kernels/device_layout.h"
#include "kernels/devices.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "libsafelight-cuda.so"

typedef SlDevice *(*OpenCuda)(const SlDeviceOptions *options, SlError *err);

/* Opens the module in a folder relative to the program's. NULL when there is no such file; NULL
 * and *err when it cannot be loaded. */
static void *open_beside_program(const char *folder, SlError *err)
{
    char path[4200];
    ssize_t n = readlink("/proc/self/exe", path, 4000);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (!slash)
        return NULL;
    snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "%s" MODULE, folder);
    if (access(path, R_OK) != 0)
        return NULL;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        sl_fail(err, SL_UNSUPPORTED, "the CUDA module cannot be loaded: %s", dlerror());
    return module;
}

static void *open_named(const char *path, SlError *err)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        sl_fail(err, SL_UNSUPPORTED, "the CUDA module cannot be loaded: %s", dlerror());
    return module;
}

static void *find_module(SlError *err)
{
    static const char *const folders[] = {"", "../lib/safelight/", "kernels/cuda/"};
    const char *named = getenv("SAFELIGHT_CUDA_MODULE");
    if (named && named[0])
        return open_named(named, err);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        SlError found = {0};
        void *module = open_beside_program(folders[i], &found);
        if (found.code != SL_OK && err)
            *err = found;
        if (module || found.code != SL_OK)
            return module;
    }
    void *module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        sl_fail(err, SL_UNSUPPORTED, "the CUDA module (" MODULE ") is not installed");
    return module;
}

SlDevice *sl_cuda_open(const SlDeviceOptions *options, SlError *err)
{
    static const SlDeviceLayout here = SL_DEVICE_LAYOUT_HERE;
    void *module = find_module(err);
    if (!module)
        return NULL;
    OpenCuda open = (OpenCuda)dlsym(module, "sl_cuda_device_open");
    const SlDeviceLayout *layout = dlsym(module, "sl_cuda_device_layout");
    if (!open || !layout || memcmp(layout, &here, sizeof here) != 0) {
        sl_fail(err, SL_UNSUPPORTED,
                "the CUDA module (" MODULE ") is of another version of this program");
        dlclose(module);
        return NULL;
    }
    return open(options, err);
}
