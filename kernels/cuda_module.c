/* cuda_module.c - the CUDA device lives in a module of its own, opened at run time, so that the
 * program starts on a machine without NVIDIA software.
 *
 * The module is looked for beside the program, in ../lib/safelight of it, and where the system's
 * loader looks.
 */
#include "kernels/devices.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE "libsafelight-cuda.so"

typedef SlDevice *(*OpenCuda)(const SlDeviceOptions *options, SlError *err);

static void *open_beside_program(const char *folder)
{
    char path[4200];
    ssize_t n = readlink("/proc/self/exe", path, 4000);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (!slash)
        return NULL;
    snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "%s" MODULE, folder);
    return access(path, R_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
}

SlDevice *sl_cuda_open(const SlDeviceOptions *options, SlError *err)
{
    void *module = open_beside_program("");
    if (!module)
        module = open_beside_program("../lib/safelight/");
    if (!module)
        module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        sl_fail(err, SL_UNSUPPORTED, "the CUDA device cannot be used: %s", dlerror());
        return NULL;
    }
    OpenCuda open = (OpenCuda)dlsym(module, "sl_cuda_device_open");
    if (!open) {
        sl_fail(err, SL_UNSUPPORTED,
                "the CUDA device cannot be used: " MODULE " is another version");
        dlclose(module);
        return NULL;
    }
    /* The module stays loaded: the CUDA runtime does not survive being unloaded. */
    return open(options, err);
}
