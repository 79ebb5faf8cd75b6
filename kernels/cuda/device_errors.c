/* device_errors.c - what becomes of CUDA's errors.
 *
 * Easy to get wrong: a CUDA error other than "out of memory" is sticky in the driver, for every
 * context of the process; from then on opening is refused, and the caller goes on with the cpu
 * device.
 */
#include "kernels/cuda/device.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t dead_lock = PTHREAD_MUTEX_INITIALIZER;
static char dead[300]; /* why CUDA cannot be used in this process any more; "" while it can */

void sl_cuda_set_dead(const char *message)
{
    pthread_mutex_lock(&dead_lock);
    if (!dead[0])
        snprintf(dead, sizeof dead, "%.290s", message);
    pthread_mutex_unlock(&dead_lock);
}

bool sl_cuda_is_dead(SlError *err)
{
    pthread_mutex_lock(&dead_lock);
    bool is = dead[0] != 0;
    if (is)
        sl_fail(err, SL_DEVICE, "the GPU failed earlier and cannot be used until a restart: %s",
                dead);
    pthread_mutex_unlock(&dead_lock);
    return is;
}

bool sl_cuda_open_check(cudaError_t error, const char *what, SlError *err)
{
    if (error == cudaSuccess)
        return true;
    cudaGetLastError();
    return sl_fail(err, error == cudaErrorMemoryAllocation ? SL_MEMORY : SL_UNSUPPORTED,
                   "the GPU cannot be used: %s: %s", sl_words(what), cudaGetErrorString(error));
}

bool sl_cuda_check(SlCudaDevice *d, cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return true;
    cudaGetLastError();
    const char *scope = d->base.scope;
    if (d->capturing) { /* says nothing about the device: device_graph.c */
        sl_device_fail(&d->base, SL_UNSUPPORTED, "cuda: %s cannot be remembered", sl_words(what));
        return false;
    }
    if (error == cudaErrorMemoryAllocation) {
        sl_device_fail(&d->base, SL_MEMORY, "cuda: no memory for %s", sl_words(what));
        return false;
    }
    if (error == cudaErrorInvalidValue || error == cudaErrorInvalidConfiguration) {
        sl_device_fail(&d->base, SL_UNSUPPORTED,
                       "cuda: %s%s%s of this size cannot be computed on a GPU", sl_words(what),
                       scope ? sl_words(" of ") : "", scope ? scope : "");
        return false;
    }
    sl_device_fail(&d->base, SL_DEVICE, "the GPU failed in %s%s%s: %s (%s)", sl_words(what),
                   scope ? sl_words(" of ") : "", scope ? scope : "", cudaGetErrorString(error),
                   cudaGetErrorName(error));
    sl_cuda_set_dead(d->base.message);
    return false;
}
