/* test_cuda_module.c - which CUDA modules are refused before anything of them is called.
 * usage: test_cuda_module REORDERED [EMULATED]
 */
#include "kernels/kernels.h"
#include "test.h"

#include <string.h>

static SlDevice *open_module(const char *path, SlError *err)
{
    setenv("SAFELIGHT_CUDA_MODULE", path, 1);
    return sl_device_open(&(SlDeviceOptions){.name = "cuda", .any_dtype = true}, err);
}

static void refused(const char *path, const char *says, const char *what)
{
    SlError err = {0};
    SlDevice *dev = open_module(path, &err);
    if (!sl_test(!dev && err.code == SL_UNSUPPORTED && strstr(err.message, says), "%s", what))
        sl_test_note("%s", dev ? "it is opened" : err.message);
    sl_device_close(&dev);
}

int main(int argc, char **argv)
{
    SlError err = {0};
    if (argc < 2)
        return 2;
    refused(argv[1], "of another version of this program", "slots in another order");
    refused("/no/such/module.so", "cannot be loaded", "no such file");
    if (argc > 2) {
        SlDevice *dev = open_module(argv[2], &err);
        if (!sl_test(dev != NULL, "the module of this build is opened"))
            sl_test_note("%s", err.message);
        sl_device_close(&dev);
    }
    return sl_test_done();
}
