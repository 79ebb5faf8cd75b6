/* test_driver.c - the CUDA module is loaded where the driver knows a GPU that it can use, and only there: with
 * it comes cuBLAS, which takes 100 MB and a tenth of a second.
 *
 * Beside this program lie libsafelight-cuda.so (module.c) and, in the loader's path, libcuda.so.1 (driver.c).
 */
#include "kernels/kernels.h"
#include "test.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

/* The module beside this program. */
static const char *beside(void)
{
    static char path[4200];
    ssize_t n = readlink("/proc/self/exe", path, 4000);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (slash)
        strcpy(slash + 1, "libsafelight-cuda.so");
    return path;
}

static bool is_loaded(void)
{
    void *module = dlopen(beside(), RTLD_NOLOAD | RTLD_LAZY);
    if (module)
        dlclose(module);
    return module != NULL;
}

static void set_gpus(const char *count, const char *major)
{
    setenv("FAKE_GPUS", count, 1);
    setenv("FAKE_MAJOR", major, 1);
}

static void refused(const char *says)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "cuda", .any_dtype = true}, &err);
    sl_test(!dev && err.code == SL_UNSUPPORTED && strstr(err.message, says), "refused: %s",
            dev ? "it is opened" : err.message);
    sl_device_close(&dev);
}

static void test_auto(void)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "auto", .dtype = SL_F32}, &err);
    const char *line = dev ? sl_device_why(dev) : err.message;
    sl_test(dev && strstr(line, "auto: cpu, because there is no NVIDIA GPU in this machine"),
            "auto: %s", line);
    sl_device_close(&dev);
}

int main(void)
{
    SlError err = {0};
    char line[1000];
    sl_test(access(beside(), R_OK) == 0, "a module lies beside the program");
    set_gpus("0", "9");
    refused("there is no NVIDIA GPU in this machine");
    test_auto();
    set_gpus("1", "7");
    refused("the GPU is of compute capability 7.0, and 8.0 (Ampere, 2020)");
    sl_test(!is_loaded(), "without a GPU that can be used nothing is loaded");
    set_gpus("1", "9");
    bool said = sl_device_foresee(&(SlDeviceOptions){.name = "cuda"}, line, sizeof line, &err);
    sl_test(said && !strcmp(line, "CUDA: Fake GPU 0, compute capability 9.0") && !is_loaded(),
            "looking loads nothing: %s", line);
    refused("is of another version of this program");
    return sl_test_done();
}
