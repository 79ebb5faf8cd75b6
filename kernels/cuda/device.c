/* device.c - the cuda device: opening, describing, closing. */
#include "kernels/cuda/device.h"

#include "kernels/device_layout.h"
#include "kernels/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* Checked by cuda_module.c before anything is called. */
EXPORT extern const SlDeviceLayout sl_cuda_device_layout;
const SlDeviceLayout sl_cuda_device_layout = SL_DEVICE_LAYOUT_HERE;

EXPORT SlDevice *sl_cuda_device_open(const SlDeviceOptions *options, SlError *err);
/* The module has its own copy of error.c, which has to be told what the program's was told. */
EXPORT void sl_cuda_use_words(SlTranslate translate);

/* ---- closing ---- */

static void cuda_close(SlDevice *dev)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    if (d->stream)
        cudaStreamSynchronize(d->stream);
    sl_cuda_products_close(d);
    sl_cuda_staging_close(&d->staging);
    sl_cuda_pace_close(&d->pace);
    if (d->fetched)
        cudaFreeHost(d->fetched);
    if (d->workspace)
        cudaFree(d->workspace);
    if (d->stream)
        cudaStreamDestroy(d->stream);
    cudaGetLastError();
    free(d);
}

static const char *cuda_describe(const SlDevice *dev)
{
    return ((const SlCudaDevice *)dev)->describe;
}

/* ---- opening ---- */

static int attribute(enum cudaDeviceAttr which)
{
    int value = 0;
    return cudaDeviceGetAttribute(&value, which, 0) == cudaSuccess ? value : 0;
}

/* A driver, a device, and one that the kernels can run on. */
static bool find_device(SlError *err)
{
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver)
        return sl_fail(err, SL_UNSUPPORTED,
                       "there is no NVIDIA driver, or it is older than this program needs");
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count < 1))
        return sl_fail(err, SL_UNSUPPORTED, "there is no NVIDIA GPU in this machine");
    if (!sl_cuda_open_check(error, SL_WORDS("looking for devices"), err) ||
        !sl_cuda_open_check(cudaSetDevice(0), SL_WORDS("choosing the device"), err))
        return false;
    int major = attribute(cudaDevAttrComputeCapabilityMajor);
    if (major < 8)
        return sl_fail(err, SL_UNSUPPORTED,
                       "the GPU is of compute capability %d.%d, and 8.0 (Ampere, 2020) is the "
                       "oldest that can be used",
                       major, attribute(cudaDevAttrComputeCapabilityMinor));
    return true;
}

/* "NVIDIA H200", as far as the runtime tells. */
static void describe(SlCudaDevice *d)
{
    size_t free_bytes = 0, total = 0;
    struct cudaDeviceProp properties;
    bool named = cudaGetDeviceProperties(&properties, 0) == cudaSuccess;
    cudaMemGetInfo(&free_bytes, &total);
    cudaGetLastError();
    snprintf(d->describe, sizeof d->describe,
             "CUDA: %.100s, compute capability %d.%d, %.1f GiB, %s",
             named ? properties.name : "GPU", attribute(cudaDevAttrComputeCapabilityMajor),
             attribute(cudaDevAttrComputeCapabilityMinor), (double)total / (1 << 30),
             sl_dtype_name(d->base.dtype));
}

/* priority: 0 is the lowest there is, -1 above it. */
static bool open_parts(SlCudaDevice *d, int priority, SlError *err)
{
    return sl_cuda_open_check(
               cudaStreamCreateWithPriority(&d->stream, cudaStreamNonBlocking, priority),
               SL_WORDS("a stream"), err) &&
           sl_cuda_open_check(cudaMalloc(&d->workspace, SL_CUDA_WORKSPACE),
                              SL_WORDS("the workspace"), err) &&
           sl_cuda_staging_open(&d->staging, err) && sl_cuda_pace_open(&d->pace, err) &&
           sl_cuda_products_open(d, err);
}

static SlDevice *cuda_beside(SlDevice *dev, SlError *err);

static void cuda_use_dtype(SlDevice *dev, SlDtype dtype)
{
    dev->dtype = dtype;
    sl_cuda_set_limits(sl_cuda_of(dev));
}

static void fill_slots(SlOps *ops)
{
    ops->name = "cuda";
    ops->close = cuda_close;
    ops->describe = cuda_describe;
    ops->beside = cuda_beside;
    ops->use_dtype = cuda_use_dtype;
    sl_cuda_memory_slots(ops);
    sl_cuda_graph_slots(ops);
    sl_cuda_weight_slots(ops);
    sl_cuda_product_slots(ops);
    sl_cuda_attention_slots(ops);
    sl_cuda_simple_slots(ops);
    sl_ops_fill(ops);
}

static SlDevice *make(SlDtype dtype, int priority, SlError *err)
{
    SlCudaDevice *d = calloc(1, sizeof *d);
    if (!d) {
        sl_fail(err, SL_MEMORY, "no memory for the device cuda");
        return NULL;
    }
    fill_slots(&d->ops);
    d->base.ops = &d->ops;
    d->base.name = "cuda";
    d->base.threads = 1;
    d->multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
    cuda_use_dtype(&d->base, dtype);
    if (!open_parts(d, priority, err)) {
        cuda_close(&d->base);
        return NULL;
    }
    describe(d);
    return &d->base;
}

/* The second device's stream has a lower priority than the first's. Weights that the first is
 * still uploading must have arrived before another stream reads them. */
static SlDevice *cuda_beside(SlDevice *dev, SlError *err)
{
    sl_device_finish(dev);
    return sl_device_check(dev, err) ? make(dev->dtype, 0, err) : NULL;
}

SlDevice *sl_cuda_device_open(const SlDeviceOptions *options, SlError *err)
{
    if (sl_cuda_is_dead(err) || !find_device(err))
        return NULL;
    return make(options->any_dtype ? SL_F16 : options->dtype, -1, err);
}

void sl_cuda_use_words(SlTranslate translate)
{
    sl_set_translate(translate);
}
