/* driver.c - stands for NVIDIA's driver (libcuda.so.1) in test_driver.c: a machine with $FAKE_GPUS GPUs of
 * compute capability $FAKE_MAJOR.0. Numbers are those of cuda.h.
 */
#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int cuInit(unsigned flags);
EXPORT int cuDeviceGetCount(int *count);
EXPORT int cuDeviceGetName(char *name, int room, int device);
EXPORT int cuDeviceGetAttribute(int *value, int which, int device);

enum { SUCCESS = 0, NO_DEVICE = 100, COMPUTE_CAPABILITY_MAJOR = 75 };

static int number(const char *variable)
{
    const char *text = getenv(variable);
    return text ? atoi(text) : 0;
}

int cuInit(unsigned flags)
{
    return number("FAKE_GPUS") > 0 ? SUCCESS : NO_DEVICE;
}

int cuDeviceGetCount(int *count)
{
    *count = number("FAKE_GPUS");
    return SUCCESS;
}

int cuDeviceGetName(char *name, int room, int device)
{
    snprintf(name, (size_t)room, "Fake GPU %d", device);
    return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int which, int device)
{
    *value = which == COMPUTE_CAPABILITY_MAJOR ? number("FAKE_MAJOR") : 0;
    return SUCCESS;
}
