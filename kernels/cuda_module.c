/* cuda_module.c - the CUDA device lives in a module of its own, opened at run time, so that the
 * program starts on a machine without NVIDIA software.
 *
 * The module is looked for where $SAFELIGHT_CUDA_MODULE says (nowhere else then), beside the
 * program, in ../lib/safelight of it, in the build folder, and where the system's loader looks. It
 * never leaves the process again: the CUDA runtime does not survive being unloaded.
 *
 * Easy to get wrong: loading it brings cuBLAS, which costs every start where it serves nothing. So the
 * driver is asked for a GPU first, unless the variable names the module.
 */
#include "kernels/device_layout.h"
#include "kernels/devices.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "libsafelight-cuda.so"

#define NEEDED ((size_t)1 << 30) /* bytes of memory */

typedef SlDevice *(*OpenCuda)(const SlDeviceOptions *options, SlError *err);
typedef void (*UseWords)(SlTranslate translate);

/* The module in a folder relative to the program's; false when there is no such file. */
static bool beside_program(const char *folder, char path[4200])
{
    char program[4000];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program);
    char *slash = n > 0 ? memrchr(program, '/', (size_t)n) : NULL;
    if (!slash)
        return false;
    snprintf(path, 4200, "%.*s%s" MODULE, (int)(slash + 1 - program), program, folder);
    return access(path, R_OK) == 0;
}

/* The module that is asked for by name, or NULL. */
static const char *named_module(void)
{
    const char *named = getenv("SAFELIGHT_CUDA_MODULE");
    return named && named[0] ? named : NULL;
}

/* What to open: a file that is there, or a name for the system's loader. */
static void find_module(char path[4200])
{
    static const char *const folders[] = {"", "../lib/safelight/", "kernels/cuda/"};
    if (named_module()) {
        snprintf(path, 4200, "%s", named_module());
        return;
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (beside_program(folders[i], path))
            return;
    snprintf(path, 4200, "%s", MODULE);
}

/* cuBLAS alone is some hundred megabytes, and ends the program where it does not get what it wants
 * while it is loaded. */
static bool has_room(SlError *err)
{
    size_t left = sl_host_memory_left("");
    return left >= NEEDED || sl_fail(err, SL_MEMORY,
                                     "the CUDA module needs %s of memory to be loaded, and this "
                                     "process may use %s",
                                     sl_bytes_text(NEEDED).text, sl_bytes_text(left).text);
}

/* ---- the driver ---- */

/* What of the driver's interface is asked here; its numbers are fixed. */
typedef struct Driver {
    int (*init)(unsigned flags);
    int (*count)(int *count);
    int (*name)(char *name, int room, int device);
    int (*attribute)(int *value, int which, int device);
} Driver;

enum { COMPUTE_CAPABILITY_MAJOR = 75, COMPUTE_CAPABILITY_MINOR = 76, OLDEST_MAJOR = 8 };

static bool find_driver(Driver *d)
{
    void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL); /* stays, as the module */
    if (!library)
        return false;
    d->init = (int (*)(unsigned))dlsym(library, "cuInit");
    d->count = (int (*)(int *))dlsym(library, "cuDeviceGetCount");
    d->name = (int (*)(char *, int, int))dlsym(library, "cuDeviceGetName");
    d->attribute = (int (*)(int *, int, int))dlsym(library, "cuDeviceGetAttribute");
    return d->init && d->count && d->name && d->attribute;
}

/* The first GPU as the driver knows it; which is the one that the module takes (device.c). */
static bool find_gpu(char *name, size_t size, SlError *err)
{
    char gpu[100] = "";
    int count = 0, major = 0, minor = 0;
    Driver d;
    if (!find_driver(&d))
        return sl_fail(err, SL_UNSUPPORTED, "there is no NVIDIA driver");
    if (d.init(0) != 0 || d.count(&count) != 0 || count < 1 ||
        d.name(gpu, (int)sizeof gpu, 0) != 0 ||
        d.attribute(&major, COMPUTE_CAPABILITY_MAJOR, 0) != 0 ||
        d.attribute(&minor, COMPUTE_CAPABILITY_MINOR, 0) != 0)
        return sl_fail(err, SL_UNSUPPORTED, "there is no NVIDIA GPU in this machine");
    if (major < OLDEST_MAJOR)
        return sl_fail(err, SL_UNSUPPORTED,
                       "the GPU is of compute capability %d.%d, and 8.0 (Ampere, 2020) is the "
                       "oldest that can be used",
                       major, minor);
    snprintf(name, size, "CUDA: %.90s, compute capability %d.%d", gpu, major, minor);
    return true;
}

/* ---- the module ---- */

static void *open_module(SlError *err)
{
    char path[4200], gpu[200];
    find_module(path);
    bool is_file = strchr(path, '/') != NULL;
    if (is_file && !has_room(err))
        return NULL;
    /* Loading cuBLAS takes 100 MB and longer than all else that a program does before its first
     * step: not where there is no GPU. (What is asked for by name may be the emulation.) */
    if (is_file && !named_module() && !find_gpu(gpu, sizeof gpu, err))
        return NULL;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module && is_file)
        sl_fail(err, SL_UNSUPPORTED, "the CUDA module cannot be loaded: %s", dlerror());
    else if (!module)
        sl_fail(err, SL_UNSUPPORTED, "the CUDA module (%s) is not installed", MODULE);
    return module;
}

SlDevice *sl_cuda_open(const SlDeviceOptions *options, SlError *err)
{
    static const SlDeviceLayout here = SL_DEVICE_LAYOUT_HERE;
    void *module = open_module(err);
    if (!module)
        return NULL;
    OpenCuda open = (OpenCuda)dlsym(module, "sl_cuda_device_open");
    const SlDeviceLayout *layout = dlsym(module, "sl_cuda_device_layout");
    UseWords use_words = (UseWords)dlsym(module, "sl_cuda_use_words");
    if (!open || !use_words || !layout || memcmp(layout, &here, sizeof here) != 0) {
        sl_fail(err, SL_UNSUPPORTED, "the CUDA module (%s) is of another version of this program",
                MODULE);
        dlclose(module);
        return NULL;
    }
    use_words(sl_get_translate());
    return open(options, err);
}

bool sl_cuda_look(char *name, size_t size, SlError *err)
{
    char path[4200];
    find_module(path);
    if (access(path, R_OK) != 0)
        return sl_fail(err, SL_UNSUPPORTED, "the CUDA module (%s) is not installed", path);
    return has_room(err) && find_gpu(name, size, err);
}
