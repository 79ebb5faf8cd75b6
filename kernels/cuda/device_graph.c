/* device_graph.c - repeated work as a CUDA graph, and what concerns the stream as a whole.
 *
 * Easy to get wrong: a capture that fails says nothing about the device's health, so it only ends
 * remembering; what a cancel leaves of a capture must be thrown away by the caller.
 */
#include "kernels/cuda/device.h"

static void cuda_finish(SlDevice *dev)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    sl_cuda_check(d, cudaStreamSynchronize(d->stream), "waiting for the device");
}

static bool cuda_idle(SlDevice *dev)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    cudaError_t error = cudaStreamQuery(d->stream);
    if (error == cudaErrorNotReady) {
        cudaGetLastError(); /* else the next launch would report this error as its own */
        return false;
    }
    sl_cuda_check(d, error, "asking whether the device is done");
    return true;
}

/* Work that cannot be captured is done one by one from now on. */
static void *give_up(SlCudaDevice *d)
{
    cudaGetLastError();
    d->ops.capture = NULL;
    if (d->base.status == SL_UNSUPPORTED) {
        d->base.status = SL_OK;
        d->base.message[0] = 0;
    }
    return NULL;
}

static void *cuda_capture(SlDevice *dev, void (*work)(void *arg), void *arg)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    cudaGraph_t graph = NULL;
    cudaGraphExec_t exec = NULL;
    if (cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal) != cudaSuccess)
        return give_up(d);
    d->capturing = true;
    work(arg);
    d->capturing = false;
    cudaError_t error = cudaStreamEndCapture(d->stream, &graph);
    bool whole = dev->status == SL_OK || dev->status == SL_CANCELLED;
    if (error == cudaSuccess && whole)
        error = cudaGraphInstantiate(&exec, graph, 0);
    if (graph)
        cudaGraphDestroy(graph);
    return error == cudaSuccess && whole ? exec : give_up(d);
}

static void cuda_replay(SlDevice *dev, void *captured)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    sl_cuda_check(d, cudaGraphLaunch(captured, d->stream), "a repeated step");
}

static void cuda_forget(SlDevice *dev, void *captured)
{
    (void)dev;
    cudaGraphExecDestroy(captured);
    cudaGetLastError();
}

void sl_cuda_graph_slots(SlOps *ops)
{
    ops->finish = cuda_finish;
    ops->idle = cuda_idle;
    ops->capture = cuda_capture;
    ops->replay = cuda_replay;
    ops->forget = cuda_forget;
}
