/* memory.cpp - cudaMalloc, copies, and what the runtime says about the device. */
#include "stream.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace cuda_emu
{
static std::map<uintptr_t, size_t> pinned;
static std::map<const void *, int> dynamic_limits;

/* Bytes of dynamic shared memory that a kernel may ask for. */
size_t dynamic_limit(const void *kernel)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    auto found = dynamic_limits.find(kernel);
    return found == dynamic_limits.end() ? 48 << 10 : found->second;
}

static bool is_pinned(const void *p, size_t n)
{
    auto next = pinned.upper_bound((uintptr_t)p);
    if (next == pinned.begin())
        return false;
    --next;
    return (uintptr_t)p + n <= next->first + next->second;
}

static int copy_now(void *to, const void *from, size_t n)
{
    if (is_dev(from) && !dev_check_read(from, n, "cudaMemcpy"))
        return cudaErrorInvalidValue;
    if (is_dev(to) && !dev_live(to, n)) {
        report("global-oob", nullptr,
               "cudaMemcpy: destination of %zu bytes is not inside one live allocation", n);
        return cudaErrorInvalidValue;
    }
    memmove(real(to), real(from), n);
    if (is_dev(to))
        dev_written(to, n);
    return 0;
}

static int set_now(void *p, int value, size_t n)
{
    if (!dev_live(p, n)) {
        report("global-oob", nullptr, "cudaMemset of %zu bytes is not inside one live allocation",
               n);
        return cudaErrorInvalidValue;
    }
    memset(real(p), value, n);
    dev_written(p, n);
    return 0;
}

static bool direction_fits(const void *to, const void *from, cudaMemcpyKind kind)
{
    bool to_dev = is_dev(to), from_dev = is_dev(from);
    bool fits = kind == cudaMemcpyDefault ||
                (to_dev == (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice) &&
                 from_dev == (kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice));
    if (!fits)
        report("memcpy-kind", nullptr,
               "copy direction %d does not fit: destination is %s, source is %s memory", (int)kind,
               to_dev ? "device" : "host", from_dev ? "device" : "host");
    return fits;
}
} // namespace cuda_emu

using namespace cuda_emu;

extern "C" {
const char *cudaGetErrorName(cudaError_t e)
{
    switch ((int)e) {
    case cudaSuccess:
        return "cudaSuccess";
    case cudaErrorInvalidValue:
        return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
        return "cudaErrorInvalidConfiguration";
    case cudaErrorNotReady:
        return "cudaErrorNotReady";
    case cudaErrorLaunchFailure:
        return "cudaErrorLaunchFailure";
    default:
        return "another CUDA error";
    }
}

const char *cudaGetErrorString(cudaError_t e)
{
    return cudaGetErrorName(e);
}

cudaError_t cudaGetDeviceCount(int *n)
{
    *n = 1;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int d)
{
    init_once();
    return d ? fail(cudaErrorInvalidDevice) : cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr which, int)
{
    init_once();
    switch ((int)which) {
    case cudaDevAttrMaxThreadsPerBlock:
        *value = 1024;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = 48 << 10;
        break;
    case cudaDevAttrMultiProcessorCount:
        *value = 4;
        break;
    case cudaDevAttrComputeCapabilityMajor:
        *value = 8;
        break;
    case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = cfg.smem_optin;
        break;
    default:
        return fail(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

#ifndef EMU_TOOLKIT_HEADERS
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int)
{
    init_once();
    memset(properties, 0, sizeof *properties);
    snprintf(properties->name, sizeof properties->name, "the CPU, emulating a GPU");
    properties->totalGlobalMem = cfg.memory;
    properties->major = 8;
    return cudaSuccess;
}
#endif

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total)
{
    init_once();
    *total = cfg.memory;
    *free_bytes = *total - dev_in_use();
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **p, size_t n)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (sticky_error())
        return fail(sticky_error());
    if (!legal_in_capture("cudaMalloc"))
        return fail(cudaErrorStreamCaptureUnsupported);
    *p = n ? dev_alloc(n) : nullptr;
    return *p || !n ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void *p)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (!p)
        return cudaSuccess;
    if (!legal_in_capture("cudaFree"))
        return fail(cudaErrorStreamCaptureUnsupported);
    drain_all(false);
    if (dev_free(p))
        return cudaSuccess;
    report("bad-free", nullptr, "cudaFree(%p): not a live allocation", p);
    return fail(cudaErrorInvalidValue);
}

cudaError_t cudaHostAlloc(void **p, size_t n, unsigned)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (posix_memalign(p, 4096, n ? n : 1))
        return fail(cudaErrorMemoryAllocation);
    memset(*p, 0xff, n);
    pinned[(uintptr_t)*p] = n;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *p)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (!p)
        return cudaSuccess;
    drain_all(false);
    if (!pinned.erase((uintptr_t)p))
        return fail(cudaErrorInvalidValue);
    free(p);
    return cudaSuccess;
}

/* Pageable memory is staged, as by the real one; copies from and to pinned memory are put off. */
static cudaError_t copy_lazily(void *to, const void *from, size_t n, cudaStream_t stream)
{
    CUstream_st *s = stream_of(stream);
    if (!is_dev(from) && !is_pinned(from, n)) {
        std::string staged((const char *)from, n);
        return (cudaError_t)stream_op(stream, "cudaMemcpyAsync",
                                      [=]() -> int { return copy_now(to, staged.data(), n); });
    }
    if (!is_dev(to) && !is_pinned(to, n)) {
        int error = drain(s, s->asked);
        return fail(error ? error : copy_now(to, from, n));
    }
    return (cudaError_t)stream_op(stream, "cudaMemcpyAsync",
                                  [=]() -> int { return copy_now(to, from, n); });
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    if (!n)
        return cudaSuccess;
    if (!direction_fits(to, from, kind))
        return fail(cudaErrorInvalidValue);
    if (cfg.lazy && !stream_of(stream)->capture)
        return copy_lazily(to, from, n, stream);
    return (cudaError_t)stream_op(stream, "cudaMemcpyAsync",
                                  [=]() -> int { return copy_now(to, from, n); });
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t n, enum cudaMemcpyKind kind)
{
    if (!n)
        return cudaSuccess;
    if (!direction_fits(to, from, kind))
        return fail(cudaErrorInvalidValue);
    return (cudaError_t)stream_op(nullptr, "cudaMemcpy",
                                  [=]() -> int { return copy_now(to, from, n); });
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t n, cudaStream_t stream)
{
    return (cudaError_t)stream_op(stream, "cudaMemsetAsync",
                                  [=]() -> int { return set_now(p, value, n); });
}

cudaError_t cudaMemset(void *p, int value, size_t n)
{
    return cudaMemsetAsync(p, value, n, nullptr);
}

cudaError_t cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute which, int value)
{
    init_once();
    if (which != cudaFuncAttributeMaxDynamicSharedMemorySize)
        return cudaSuccess;
    if (value > cfg.smem_optin)
        return fail(cudaErrorInvalidValue);
    std::lock_guard<std::recursive_mutex> held(lock);
    dynamic_limits[kernel] = value;
    return cudaSuccess;
}
}
