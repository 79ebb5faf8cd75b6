/* grid.cpp - a launch: its blocks on a few operating system threads, each block on one.
 *
 * With a seed blocks begin elsewhere and run forwards or backwards, so that a block which relies on
 * another's result is found out.
 */
#include "worker.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace cuda_emu
{
static Worker *workers[MAX_WORKERS];
static uint32_t launches;

static Worker *new_worker(int id)
{
    size_t head = (sizeof(Worker) + 4095) & ~4095ull;
    char *base = (char *)EMU_BASE + (STACK * MAXT + head) * id;
    Worker *w = new (base) Worker();
    w->stacks = base + head;
    w->smem = (char *)(SH_BASE + SH_STRIDE * id);
    for (int i = 0; i < MAXT; i++)
        mprotect(w->stacks + STACK * (size_t)i, 4096, PROT_NONE); // a stack that is too small dies
#if EMU_CHECK
    w->shadow = (SCell *)mmap(nullptr, SH_STRIDE / 2 * sizeof(SCell), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
#endif
    return w;
}

static Worker *use_worker(int id)
{
    if (!workers[id])
        workers[id] = new_worker(id);
    wk = workers[id];
#if EMU_ASAN
    /* (Asked once: of the first thread the C library finds it in /proc/self/maps.) */
    static thread_local void *low;
    static thread_local size_t size;
    if (!low) {
        pthread_attr_t attributes;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstack(&attributes, &low, &size);
        pthread_attr_destroy(&attributes);
    }
    wk->main_stack_lo = low;
    wk->main_stack_sz = size;
#endif
    return wk;
}

static void place_threads(Worker *w, const Grid &g)
{
    int n = (int)(g.bx * g.by * g.bz), warps = (n + 31) / 32;
    w->nthreads = w->n_alive = n;
    w->cur_warp = 0;
    w->ready_warps = warps == 32 ? 0xffffffffu : (1u << warps) - 1;
    for (int i = 0; i < n; i++) {
        Lane &l = w->lanes[i];
        l.tid = {i % g.bx, i / g.bx % g.by, i / g.bx / g.by};
        l.linear = i;
        l.lane = i & 31;
        l.warp = i >> 5;
        l.state = L_UNSTARTED;
        l.group = l.n_copies = 0;
    }
    for (int i = 0; i < warps; i++) {
        Warp &warp = w->warps[i];
        int lanes = n - i * 32;
        warp.alive = warp.ready = lanes >= 32 ? 0xffffffffu : (1u << lanes) - 1;
        warp.ngrp = 0;
        warp.epoch = 1;
    }
    w->n_free = 0;
    for (int i = n - 1; i >= 0; i--)
        w->free_stacks[w->n_free++] = i;
}

static void clear_shared(Worker *w, const Grid &g)
{
#if EMU_ASAN
    __asan_poison_memory_region(w->smem, (w->smem_used + 4096) & ~4095ull);
#endif
#if EMU_CHECK
    for (size_t c = 0; c < w->shadow_used; c++)
        w->shadow[c].flags = 0;
    w->shadow_used = 0;
#endif
    w->n_stat = 0;
    w->smem_used = g.smem;
    if (g.smem)
        open_shared(w, 0, g.smem);
}

/* The same draw for a block whichever worker runs it. */
static uint64_t block_seed(uint64_t block)
{
    return cfg.seed ? (cfg.seed * 0x9E3779B97F4A7C15ull ^ (block + 1) * 0xD1B54A32D192ED03ull) | 1
                    : 1;
}

static bool run_block(Worker *w, const Grid &g, const std::function<void()> &body, uint64_t block)
{
    blk.bid = {(unsigned)(block % g.gx), (unsigned)(block / g.gx % g.gy),
               (unsigned)(block / g.gx / g.gy)};
    blk.bdim = {g.bx, g.by, g.bz};
    blk.gdim = {g.gx, g.gy, g.gz};
    w->n_bar = 0;
    w->epoch = 1;
    w->div_reported = w->exit_reported = w->failed = false;
    w->body = &body;
    w->block_lin = block;
    w->rng = block_seed(block);
    place_threads(w, g);
    clear_shared(w, g);
    run_first(w);
    if (w->smem_used > (size_t)cfg.smem_optin || w->smem_used - g.smem > (48u << 10) + 4096)
        report("shared-limit", nullptr, "block uses %zu bytes of shared memory", w->smem_used);
    return !w->failed;
}

/* Operating system threads that wait for a job; every one of them runs it. */
class Pool
{
  public:
    ~Pool()
    {
        {
            std::lock_guard<std::mutex> lock(mutex);
            quit = true;
        }
        wake.notify_all();
        for (auto &t : threads)
            t.join();
    }

    void run(int n, const std::function<void(int)> &f)
    {
        if (n <= 1) {
            f(0);
            return;
        }
        {
            std::lock_guard<std::mutex> lock(mutex);
            while ((int)threads.size() < n - 1)
                threads.emplace_back(&Pool::work, this, (int)threads.size() + 1, generation);
            job = &f;
            generation++;
            left = (int)threads.size();
        }
        wake.notify_all();
        f(0);
        std::unique_lock<std::mutex> lock(mutex);
        done.wait(lock, [&] { return left == 0; });
    }

  private:
    void work(int id, unsigned long seen)
    {
        std::unique_lock<std::mutex> lock(mutex);
        for (;;) {
            wake.wait(lock, [&] { return quit || generation != seen; });
            if (quit)
                return;
            seen = generation;
            const std::function<void(int)> *f = job;
            lock.unlock();
            (*f)(id);
            lock.lock();
            if (--left == 0)
                done.notify_all();
        }
    }

    std::mutex mutex;
    std::condition_variable wake, done;
    std::vector<std::thread> threads;
    const std::function<void(int)> *job = nullptr;
    unsigned long generation = 0;
    int left = 0;
    bool quit = false;
};

static Pool &pool()
{
    static Pool p;
    return p;
}

void parallel_for(long n, const std::function<void(long)> &f)
{
    init_once();
    std::atomic<long> next{0};
    pool().run(n < 2 ? 1 : cfg.threads, [&](int) {
        for (long i; (i = next++) < n;)
            f(i);
    });
}

static uint64_t block_in_order(uint64_t i, uint64_t total)
{
    if (!cfg.seed)
        return i;
    uint64_t at = (i + cfg.seed * 2654435761u % total) % total;
    return cfg.seed & 1 ? total - 1 - at : at;
}

bool run_grid(const Grid &g, const std::function<void()> &body)
{
    init_once();
    uint64_t total = (uint64_t)g.gx * g.gy * g.gz;
    std::atomic<uint64_t> next{0};
    std::atomic<bool> ok{true};
    uint32_t id = ++launches;
    pool().run(total < 2 ? 1 : cfg.threads, [&](int t) {
        Worker *w = use_worker(t);
        w->launch_id = id;
        for (uint64_t i; (i = next++) < total && ok;)
            if (!run_block(w, g, body, block_in_order(i, total)))
                ok = false;
    });
    return ok;
}
} // namespace cuda_emu
