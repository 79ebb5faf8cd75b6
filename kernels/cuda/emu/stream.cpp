/* stream.cpp - streams and events.
 *
 * An operation is done at once, or queued until somebody waits (CUDAEMU_LAZY=1), or recorded into a
 * graph while its stream is being captured.
 */
#include "stream.h"

#include <utility>

namespace cuda_emu
{
std::recursive_mutex lock;
std::set<CUstream_st *> streams;
CUstream_st legacy;
int captures;
static thread_local cudaError_t last_error = cudaSuccess;
static cudaError_t sticky = cudaSuccess;

/* "Not ready" is remembered, too: the programming guide says that it is not, frameworks clear
 * it. */
cudaError_t fail(int error)
{
    if (error != cudaSuccess) {
        last_error = (cudaError_t)error;
        if (error == cudaErrorLaunchFailure)
            sticky = last_error;
    }
    return (cudaError_t)error;
}

cudaError_t sticky_error()
{
    return sticky;
}

CUstream_st *stream_of(cudaStream_t s)
{
    return (uintptr_t)s <= 2 ? &legacy : s; // 1 and 2 name default streams
}

void invalidate_captures()
{
    for (CUstream_st *s : streams)
        if (s->capture)
            s->invalid = true;
}

int drain(CUstream_st *s, uint64_t upto)
{
    int result = 0;
    while (s->done < upto && !s->queue.empty()) {
        std::function<int()> f = std::move(s->queue.front());
        s->queue.pop_front();
        s->done++;
        if (int error = f())
            result = error;
    }
    return result;
}

int drain_all(bool blocking_only)
{
    int result = 0;
    std::vector<CUstream_st *> order(streams.begin(), streams.end());
    for (size_t i = order.size(); cfg.seed && i > 1; i--)
        std::swap(order[i - 1], order[(cfg.seed * 7919 + i) % i]);
    for (CUstream_st *s : order)
        if (!blocking_only || !s->nonblocking)
            if (int error = drain(s, s->asked))
                result = error;
    return result;
}

bool legal_in_capture(const char *what)
{
    for (CUstream_st *s : streams)
        if (captures && s->capture && s->mode != cudaStreamCaptureModeRelaxed) {
            invalidate_captures();
            report("capture-illegal", nullptr, "%s while a stream is being captured", what);
            return false;
        }
    return true;
}

static int record(CUstream_st *s, std::function<int()> f)
{
    if (s->invalid)
        return fail(cudaErrorStreamCaptureInvalidated);
    s->capture->nodes.push_back({std::move(f), s->frontier});
    s->frontier = {(int)s->capture->nodes.size() - 1};
    return 0;
}

/* Waits for every blocking stream. */
static int on_legacy(const char *what, const std::function<int()> &f)
{
    if (captures) {
        invalidate_captures();
        report("capture-illegal", nullptr,
               "%s on the legacy default stream while a stream is being captured", what);
        return fail(cudaErrorStreamCaptureImplicit);
    }
    int error = drain_all(true);
    return fail(error ? error : f());
}

int stream_op(cudaStream_t stream, const char *what, std::function<int()> f)
{
    init_once();
    std::lock_guard<std::recursive_mutex> held(lock);
    CUstream_st *s = stream_of(stream);
    if (sticky)
        return fail(sticky);
    if (s->capture)
        return record(s, std::move(f));
    if (s == &legacy)
        return on_legacy(what, f);
    if (!cfg.lazy)
        return fail(f());
    s->queue.push_back(std::move(f));
    s->asked++;
    return 0;
}

#ifndef EMU_TOOLKIT_HEADERS
/* Whether this is the launch that a test wants to fail. */
static bool fails_now()
{
    static long launches;
    return cfg.fail_at && __atomic_add_fetch(&launches, 1, __ATOMIC_RELAXED) >= cfg.fail_at;
}

int launch(const LaunchInfo &li, std::function<void()> body)
{
    init_once();
    const dim3 &g = li.grid, &b = li.block;
    uint64_t threads = (uint64_t)b.x * b.y * b.z;
    if (!g.x || !g.y || !g.z || !threads || threads > 1024 || b.z > 64 || g.y > 65535 ||
        g.z > 65535 || g.x > 0x7fffffff)
        return fail(cudaErrorInvalidConfiguration);
    if (li.smem > dynamic_limit(li.fn))
        return fail(cudaErrorInvalidValue);
    Grid grid = {g.x, g.y, g.z, b.x, b.y, b.z, li.smem};
    return stream_op((cudaStream_t)li.stream, "a kernel", [grid, body = std::move(body)]() -> int {
        return !fails_now() && run_grid(grid, body) ? 0 : cudaErrorLaunchFailure;
    });
}
#endif
} // namespace cuda_emu

using namespace cuda_emu;

extern "C" {
cudaError_t cudaGetLastError(void)
{
    cudaError_t error = last_error;
    last_error = sticky;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_error;
}

cudaError_t cudaDeviceSynchronize(void)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (!legal_in_capture("cudaDeviceSynchronize"))
        return fail(cudaErrorStreamCaptureUnsupported);
    int error = drain_all(false);
    return fail(error ? error : sticky);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *s, unsigned flags, int)
{
    init_once();
    CUstream_st *stream = new CUstream_st;
    stream->nonblocking = flags & cudaStreamNonBlocking;
    std::lock_guard<std::recursive_mutex> held(lock);
    streams.insert(stream);
    *s = stream;
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags)
{
    return cudaStreamCreateWithPriority(s, flags, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (!streams.erase(s))
        return fail(cudaErrorInvalidResourceHandle);
    drain(s, s->asked);
    delete s;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    CUstream_st *s = stream_of(stream);
    if (s->capture) {
        s->invalid = true;
        report("capture-illegal", nullptr, "cudaStreamSynchronize of a stream being captured");
        return fail(cudaErrorStreamCaptureUnsupported);
    }
    if (s == &legacy && !legal_in_capture("cudaStreamSynchronize(0)"))
        return fail(cudaErrorStreamCaptureImplicit);
    int error = s == &legacy ? drain_all(true) : drain(s, s->asked);
    return fail(error ? error : sticky);
}

/* A query makes a lazy stream do one queued operation. */
cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    CUstream_st *s = stream_of(stream);
    if (sticky)
        return fail(sticky);
    if (s->queue.empty())
        return cudaSuccess;
    int error = drain(s, s->done + 1);
    return fail(error ? error : cudaErrorNotReady);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags)
{
    *e = new CUevent_st;
    (*e)->timing = !(flags & cudaEventDisableTiming);
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *e)
{
    return cudaEventCreateWithFlags(e, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    drain_all(false); // a queued operation may be going to write its time
    delete e;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    CUstream_st *s = stream_of(stream);
    e->capture = s->capture;
    if (s->capture) {
        e->deps = s->frontier;
        return cudaSuccess;
    }
    e->stream = s;
    e->position = s->asked + 1;
    return (cudaError_t)stream_op(stream, "cudaEventRecord", [e]() -> int {
        e->time = now();
        return 0;
    });
}

/* A fork or a join inside a capture. */
static cudaError_t wait_in_capture(CUstream_st *s, const CUevent_st *e)
{
    if (s->capture && s->capture != e->capture)
        return fail(cudaErrorStreamCaptureMerge);
    if (!s->capture) {
        s->capture = e->capture;
        s->origin = s->invalid = false;
        s->frontier.clear();
    }
    s->frontier.insert(s->frontier.end(), e->deps.begin(), e->deps.end());
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t e, unsigned)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    CUstream_st *s = stream_of(stream);
    if (e->capture)
        return wait_in_capture(s, e);
    if (s->capture) {
        report("capture-illegal", nullptr,
               "captured stream waits for an event recorded outside of the capture");
        s->invalid = true;
        return fail(cudaErrorStreamCaptureIsolation);
    }
    if (!e->stream)
        return cudaSuccess;
    CUstream_st *other = e->stream;
    uint64_t position = e->position;
    return (cudaError_t)stream_op(stream, "cudaStreamWaitEvent",
                                  [other, position]() -> int { return drain(other, position); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (e->capture)
        return fail(cudaErrorStreamCaptureUnsupported);
    int error = e->stream ? drain(e->stream, e->position) : 0;
    return fail(error ? error : sticky);
}

cudaError_t cudaEventQuery(cudaEvent_t e)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (e->capture)
        return fail(cudaErrorStreamCaptureUnsupported);
    if (!e->stream || e->stream->queue.empty() || e->stream->done >= e->position)
        return cudaSuccess;
    int error = drain(e->stream, e->stream->done + 1);
    return fail(error ? error : cudaErrorNotReady);
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b)
{
    if (!a->timing || !b->timing || !a->stream || !b->stream)
        return fail(cudaErrorInvalidResourceHandle);
    *ms = (float)((b->time - a->time) * 1e3);
    return cudaSuccess;
}
}
