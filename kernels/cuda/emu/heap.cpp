/* heap.cpp - device memory at fixed addresses, and the settings from the environment.
 *
 * Memory is filled with 0xff (NaN in f32, f16 and bf16) and its addresses are never given out
 * twice, so that a stale pointer stays stale. What is freed goes back to the system.
 */
#include "worker.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <time.h>

namespace cuda_emu
{
Config cfg;

double now()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static std::mutex heap_mu;
static std::map<uintptr_t, size_t> live_allocs;
static uintptr_t heap_top = DEV_BASE + 4096;
static size_t heap_bytes;

static void must_map(uintptr_t base, size_t size, int prot)
{
    void *p = mmap((void *)base, size, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)base) {
        perror("cuda_emu: mmap");
        abort();
    }
}

static long env(const char *n, long d)
{
    const char *s = getenv(n);
    return s && *s ? strtol(s, nullptr, 0) : d;
}

/* "conv.cu:120" */
static void parse_skip(const char *text)
{
    static std::string file;
    const char *colon = text ? strrchr(text, ':') : nullptr;
    if (!colon)
        return;
    file = "/" + std::string(text, colon);
    cfg.skip_file = file.c_str();
    cfg.skip_line = atoi(colon + 1);
}

void init_once()
{
    static bool done = [] {
        cfg.seed = env("CUDAEMU_SEED", 0);
        cfg.lazy = env("CUDAEMU_LAZY", 0);
        cfg.poison = env("CUDAEMU_POISON", 1);
        cfg.fatal = env("CUDAEMU_FATAL", 0);
        cfg.threads = env("CUDAEMU_THREADS", std::thread::hardware_concurrency());
        if (cfg.threads < 1 || EMU_CHECK)
            cfg.threads = 1;
        if (cfg.threads > MAX_WORKERS)
            cfg.threads = MAX_WORKERS;
        cfg.smem_optin = 99 << 10; // the smallest of sm_80 .. sm_120
        cfg.memory = (size_t)env("CUDAEMU_MEMORY", 8192) << 20;
        cfg.fail_at = env("CUDAEMU_FAIL", 0);
        cfg.refuse = env("CUDAEMU_REFUSE", 0);
        parse_skip(getenv("CUDAEMU_SKIP_BARRIER"));
        must_map(DEV_BASE, DEV_SIZE, PROT_NONE);
        must_map(REAL_BASE, DEV_SIZE, PROT_READ | PROT_WRITE);
        must_map(SH_BASE, SH_STRIDE * MAX_WORKERS, PROT_READ | PROT_WRITE);
        must_map(EMU_BASE, EMU_SIZE, PROT_READ | PROT_WRITE);
#if EMU_CHECK
        must_map(ST_BASE, DEV_SIZE / 2, PROT_READ | PROT_WRITE);
        must_map(TAG_BASE, DEV_SIZE / 2 * 16, PROT_READ | PROT_WRITE);
#endif
#if EMU_ASAN
        __asan_poison_memory_region((void *)SH_BASE, SH_STRIDE * MAX_WORKERS);
#endif
        return true;
    }();
    (void)done;
}

void *real_ptr(const void *p)
{
    return real(p);
}

void *dev_alloc(size_t n)
{
    init_once();
    std::lock_guard<std::mutex> l(heap_mu);
    uintptr_t p = (heap_top + 255) & ~255ull, r = (uintptr_t)real((void *)p);
    if (n > cfg.memory - heap_bytes || p + n + 512 > DEV_BASE + DEV_SIZE)
        return nullptr;
    heap_top = p + n + 512; // never used again: access through a freed pointer is found
    live_allocs[p] = n;
    heap_bytes += n;
#if EMU_ASAN
    __asan_poison_memory_region((void *)r, n + 512);
    __asan_unpoison_memory_region((void *)r, n);
#endif
    if (cfg.poison)
        memset((void *)r, 0xff, n); // NaN in fp32, fp16 and bf16
#if EMU_CHECK
    memset(state_of(r), S_UNINIT, (n + 1) / 2);
#endif
    return (void *)p;
}

bool dev_free(void *q)
{
    std::lock_guard<std::mutex> l(heap_mu);
    auto it = live_allocs.find((uintptr_t)q);
    if (it == live_allocs.end())
        return false;
    uintptr_t r = (uintptr_t)real(q);
    size_t n = it->second;
    heap_bytes -= n;
    live_allocs.erase(it);
#if EMU_CHECK
    memset(state_of(r), S_FREED, (n + 1) / 2);
#endif
    if (cfg.poison)
        memset((void *)r, 0xfd, n < 65536 ? n : 65536);
    uintptr_t a = (r + 65536 + 4095) & ~4095ull, b = (r + n) & ~4095ull;
    if (b > a)
        madvise((void *)a, b - a, MADV_DONTNEED);
#if EMU_ASAN
    __asan_poison_memory_region((void *)r, n);
#endif
    return true;
}

bool dev_live(const void *q, size_t n)
{
    std::lock_guard<std::mutex> l(heap_mu);
    uintptr_t p = (uintptr_t)q;
    auto it = live_allocs.upper_bound(p);
    if (it == live_allocs.begin())
        return false;
    --it;
    return p >= it->first && p + n <= it->first + it->second;
}

size_t dev_in_use()
{
    return heap_bytes;
}

void dev_written(const void *p, size_t n)
{
#if EMU_CHECK
    if (n)
        memset(state_of((uintptr_t)real(p)), S_INIT, (n + 1) / 2);
#else
    (void)p;
    (void)n;
#endif
}

bool dev_check_read(const void *p, size_t n, const char *who)
{
    if (!dev_live(p, n)) {
        report("global-oob", nullptr, "%s: %zu bytes at %p are not inside one live allocation", who,
               n, p);
        return false;
    }
#if EMU_CHECK
    for (size_t i = 0; i < (n + 1) / 2; i++)
        if (state_of((uintptr_t)real(p))[i] == S_UNINIT) {
            report("global-uninit", nullptr,
                   "%s reads device memory never written (byte %zu of %zu at %p)", who, i * 2, n,
                   p);
            break;
        }
#endif
    return true;
}
} // namespace cuda_emu
