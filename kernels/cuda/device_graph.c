/* device_graph.c - repeated work as a CUDA graph, and what concerns the stream as a whole.
 *
 * Easy to get wrong: a capture that fails says nothing about the device's health, so it only ends
 * remembering; what a cancel leaves of a capture must be thrown away by the caller; while capturing,
 * events of outside must not be waited for.
 */
#include "kernels/cuda/device.h"

#include "kernels/devices.h"

#include <time.h>

/* ---- not too far ahead ---- */

#define MOST_ASKED 8 /* operations of a chunk */
/* Seconds of a chunk: longer ones are made smaller, shorter ones larger. */
#define LONG_CHUNK  0.02
#define SHORT_CHUNK 0.005

bool sl_cuda_pace_open(SlCudaPace *p, SlError *err)
{
    p->chunk = 1;
    for (int i = 0; i < 2; i++)
        if (!sl_cuda_open_check(cudaEventCreateWithFlags(&p->end[i], cudaEventDisableTiming),
                                SL_WORDS("an event"), err))
            return false;
    return true;
}

void sl_cuda_pace_close(SlCudaPace *p)
{
    for (int i = 0; i < 2; i++)
        if (p->end[i])
            cudaEventDestroy(p->end[i]);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits for the chunk before the last one and fits the size of the next to how long that took. */
static bool wait_for_chunk(SlCudaDevice *d)
{
    SlCudaPace *p = &d->pace;
    if (!p->recorded[p->next])
        return true;
    if (!sl_cuda_check(d, cudaEventSynchronize(p->end[p->next]),
                       SL_WORDS("waiting for the device")))
        return false;
    double now = seconds(), took = now - p->waited_at;
    p->waited_at = now;
    if (took > LONG_CHUNK && p->chunk > 1)
        p->chunk /= 2;
    else if (took < SHORT_CHUNK && p->chunk < MOST_ASKED)
        p->chunk *= 2;
    return true;
}

static void cuda_look(SlDevice *dev)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    SlCudaPace *p = &d->pace;
    if (d->capturing || ++p->asked <= p->chunk)
        return;
    p->asked = 1;
    if (!wait_for_chunk(d))
        return;
    p->recorded[p->next] =
        sl_cuda_check(d, cudaEventRecord(p->end[p->next], d->stream), SL_WORDS("an event"));
    p->next = 1 - p->next;
}

bool sl_cuda_go_on(SlDevice *dev)
{
    if (dev->status == SL_OK)
        cuda_look(dev);
    return sl_device_go_on(dev);
}

/* A multiprocessor of the slowest GPUs that are taken does some 10^12 operations a second on 16-bit
 * values; a third of that is usual. f32 has no tensor cores. */
void sl_cuda_set_limits(SlCudaDevice *d)
{
    double rate = 3e11 * (d->multiprocessors > 0 ? d->multiprocessors : 1);
    if (d->base.dtype == SL_F32)
        rate /= 8;
    d->base.cut_flops = 0.02 * rate;
    d->base.repeat_flops = 0.1 * rate;
}

int64_t sl_cuda_rows_at_once(const SlDevice *dev, double flops, int64_t rows, int64_t grain)
{
    if (flops <= dev->cut_flops)
        return rows;
    int64_t most = (int64_t)((double)rows * (dev->cut_flops / flops)) / grain * grain;
    return most < grain ? grain : most;
}

/* ---- the stream ---- */

static void cuda_finish(SlDevice *dev)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    sl_cuda_check(d, cudaStreamSynchronize(d->stream), SL_WORDS("waiting for the device"));
}

static bool cuda_idle(SlDevice *dev)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    cudaError_t error = cudaStreamQuery(d->stream);
    if (error == cudaErrorNotReady) {
        cudaGetLastError(); /* else the next launch would report this error as its own */
        return false;
    }
    sl_cuda_check(d, error, SL_WORDS("asking whether the device is done"));
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
    sl_cuda_check(d, cudaGraphLaunch(captured, d->stream), SL_WORDS("a repeated step"));
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
    ops->look = cuda_look;
    ops->capture = cuda_capture;
    ops->replay = cuda_replay;
    ops->forget = cuda_forget;
}
