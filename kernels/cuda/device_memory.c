/* device_memory.c - memory of the cuda device and the ways in and out of it.
 *
 * Everything goes through two halves of pinned memory, so that a copy travels while the next piece
 * is prepared. Easy to get wrong: sl_upload promises that the host memory may change when it
 * returns, not that the data has arrived; the device's stream keeps the order. cudaMalloc and
 * cudaFree are illegal while a step is being captured, which never happens: the arena has its
 * blocks from the run before.
 */
#include "kernels/cuda/device.h"

#include <string.h>

bool sl_cuda_staging_open(SlCudaStaging *s, SlError *err)
{
    for (int i = 0; i < 2; i++)
        if (!sl_cuda_open_check(cudaHostAlloc((void **)&s->half[i], SL_CUDA_STAGING, 0),
                                SL_WORDS("pinned memory"), err) ||
            !sl_cuda_open_check(cudaEventCreateWithFlags(&s->done[i], cudaEventDisableTiming),
                                SL_WORDS("an event"), err))
            return false;
    return true;
}

void sl_cuda_staging_close(SlCudaStaging *s)
{
    for (int i = 0; i < 2; i++) {
        if (s->done[i])
            cudaEventDestroy(s->done[i]);
        if (s->half[i])
            cudaFreeHost(s->half[i]);
    }
}

/* Copies with the host and calls that allocate memory cannot be recorded in a graph. */
static bool outside_capture(SlCudaDevice *d)
{
    if (d->capturing)
        sl_device_fail(&d->base, SL_UNSUPPORTED,
                       "cuda: the host cannot be part of a repeated step");
    return !d->capturing;
}

/* The half that is free first, waited for. */
static int take_half(SlCudaDevice *d)
{
    int i = d->staging.next;
    d->staging.next = 1 - i;
    sl_cuda_check(d, cudaEventSynchronize(d->staging.done[i]), SL_WORDS("waiting for a copy"));
    return i;
}

static size_t piece(size_t bytes, size_t at)
{
    return bytes - at < SL_CUDA_STAGING ? bytes - at : SL_CUDA_STAGING;
}

void sl_cuda_send(SlCudaDevice *d, const void *host, void *p, size_t bytes)
{
    if (!outside_capture(d))
        return;
    for (size_t at = 0; at < bytes && d->base.status == SL_OK; at += SL_CUDA_STAGING) {
        size_t n = piece(bytes, at);
        int i = take_half(d);
        memcpy(d->staging.half[i], (const char *)host + at, n);
        if (sl_cuda_check(d,
                          cudaMemcpyAsync((char *)p + at, d->staging.half[i], n,
                                          cudaMemcpyHostToDevice, d->stream),
                          SL_WORDS("copying to the device")))
            sl_cuda_check(d, cudaEventRecord(d->staging.done[i], d->stream), SL_WORDS("an event"));
    }
}

static void cuda_upload(SlDevice *dev, const void *host, void *p, size_t bytes)
{
    sl_cuda_send(sl_cuda_of(dev), host, p, bytes);
}

/* Starts the copy of a piece into a half; -1 on failure. */
static int start_receive(SlCudaDevice *d, const char *p, size_t n)
{
    int i = take_half(d);
    bool ok =
        d->base.status == SL_OK &&
        sl_cuda_check(d,
                      cudaMemcpyAsync(d->staging.half[i], p, n, cudaMemcpyDeviceToHost, d->stream),
                      SL_WORDS("copying from the device")) &&
        sl_cuda_check(d, cudaEventRecord(d->staging.done[i], d->stream), SL_WORDS("an event"));
    return ok ? i : -1;
}

/* The next piece travels while one is copied out. */
static void cuda_download(SlDevice *dev, const void *p, void *host, size_t bytes)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    int now = bytes && outside_capture(d) ? start_receive(d, p, piece(bytes, 0)) : -1;
    for (size_t at = 0; at < bytes && now >= 0;) {
        size_t n = piece(bytes, at), then = at + n;
        int next = then < bytes ? start_receive(d, (const char *)p + then, piece(bytes, then)) : -1;
        if (!sl_cuda_check(d, cudaEventSynchronize(d->staging.done[now]),
                           SL_WORDS("copying from the device")))
            return;
        memcpy((char *)host + at, d->staging.half[now], n);
        now = next;
        at = then;
    }
}

/* Makes the pinned place large enough. */
static bool fetch_place(SlCudaDevice *d, size_t bytes)
{
    if (d->fetched_bytes >= bytes)
        return true;
    cudaStreamSynchronize(d->stream); /* an earlier copy may still be on its way there */
    if (d->fetched)
        cudaFreeHost(d->fetched);
    d->fetched = NULL;
    d->fetched_bytes = 0;
    if (!sl_cuda_check(d, cudaHostAlloc(&d->fetched, bytes, 0), SL_WORDS("a picture on its way")))
        return false;
    d->fetched_bytes = bytes;
    return true;
}

static const void *cuda_fetch(SlDevice *dev, const void *p, size_t bytes)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    bool ok =
        outside_capture(d) && fetch_place(d, bytes) &&
        sl_cuda_check(d, cudaMemcpyAsync(d->fetched, p, bytes, cudaMemcpyDeviceToHost, d->stream),
                      SL_WORDS("copying from the device"));
    return ok ? d->fetched : NULL;
}

static size_t cuda_memory(SlDevice *dev)
{
    (void)dev;
    size_t free_bytes = 0, total = 0;
    if (cudaMemGetInfo(&free_bytes, &total) != cudaSuccess)
        cudaGetLastError();
    return free_bytes;
}

static void *cuda_alloc(SlDevice *dev, size_t bytes)
{
    void *p = NULL;
    if (!outside_capture(sl_cuda_of(dev)))
        return NULL;
    cudaError_t error = cudaMalloc(&p, bytes ? bytes : 1);
    if (error == cudaSuccess)
        return p;
    cudaGetLastError(); /* running out of memory is not sticky */
    if (error != cudaErrorMemoryAllocation)
        sl_cuda_check(sl_cuda_of(dev), error, SL_WORDS("taking memory"));
    return NULL;
}

/* cudaFree waits for the device, so nothing that runs still uses the memory. */
static void cuda_free(SlDevice *dev, void *p, size_t bytes)
{
    (void)dev;
    (void)bytes;
    cudaFree(p);
    cudaGetLastError(); /* after a fatal error even this fails, which changes nothing any more */
}

void sl_cuda_memory_slots(SlOps *ops)
{
    ops->alloc = cuda_alloc;
    ops->free = cuda_free;
    ops->upload = cuda_upload;
    ops->download = cuda_download;
    ops->fetch = cuda_fetch;
    ops->memory = cuda_memory;
}
