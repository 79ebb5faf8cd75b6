/* worker.h - the state of one block that is being run: its threads, warps and shared memory.
 *
 * One operating system thread (a worker) runs one block at a time; a CUDA thread is a fiber of it.
 * Private to kernels/cuda/emu/.
 */
#ifndef SL_CUDA_EMU_WORKER_H
#define SL_CUDA_EMU_WORKER_H

#include "emu.h"

#if defined(__SANITIZE_ADDRESS__)
#define EMU_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define EMU_ASAN 0
#endif
/* 1: every load and store of a kernel comes to check.cpp. */
#ifndef EMU_CHECK
#define EMU_CHECK 0
#endif

namespace cuda_emu
{
constexpr int MAXT = 1024;
/* Of one thread; untouched pages cost nothing. No power of two, or the tops of all stacks would share
 * a few places of the processor's table of pages. */
constexpr size_t STACK = 260 << 10;
constexpr int MAXCOPY = 192;

/* A cp.async that was not waited for yet. */
struct Copy {
    char *dst;
    const char *src;
    unsigned bytes, src_bytes;
    int group;
};

enum LaneState : uint8_t { L_UNSTARTED, L_READY, L_BAR, L_WARP, L_DONE };

/* A thread. */
struct alignas(64) Lane : LaneView {
    void *sp;
    const char *wfile;
    int wline;
    int stack;
    int group, n_copies;
    LaneState state;
};

/* Lanes of a warp that wait for each other. */
struct Group {
    unsigned mask, arrived;
    int kind;
    const char *file;
    int line;
};

struct Warp {
    unsigned ready, alive, epoch;
    int ngrp;
    Group grp[32];
    void *payload[32];
};

/* Check build, of each 2 bytes of shared memory: the last writer and two readers (thread + 1), and
 * at which barrier of the block (e) and of the warp (we) that was. */
struct SCell {
    uint16_t w, r1, r2;
    uint8_t flags;
    uint32_t we, wwe, r1e, r1we, r2e, r2we;
};
enum { C_ALLOC = 1, C_INIT = 2, C_PENDING = 4 };

struct Worker {
    Lane lanes[MAXT];
    Warp warps[32];
    int nthreads, n_alive, n_bar, cur_warp;
    uint32_t ready_warps;
    const char *bar_file;
    int bar_line;
    bool div_reported, exit_reported, failed;
    unsigned epoch;
    uint64_t rng;
    char *stacks;
    int free_stacks[MAXT], n_free;
    void *main_sp;
    int run_stack;
    char *smem;
    size_t smem_used;
    struct {
        const void *key;
        size_t off;
    } stat[32];
    int n_stat;
    const std::function<void()> *body;
    uint64_t block_lin;
    uint32_t launch_id;
    const void *main_stack_lo;
    size_t main_stack_sz;
    void *fake_main, *fake[MAXT];
    SCell *shadow;
    size_t shadow_used;
    Copy copies[MAXT][MAXCOPY];
};

extern __thread Worker *wk __attribute__((tls_model("initial-exec")));

static inline Lane *me_lane()
{
    return static_cast<Lane *>(cur);
}

static inline bool in_shared(uintptr_t a)
{
    return a - SH_BASE < SH_STRIDE * MAX_WORKERS;
}

static inline bool in_device(uintptr_t a)
{
    return a - REAL_BASE < DEV_SIZE;
}

// fiber.cpp
void run_first(Worker *w); // returns when every thread of the block has ended, or the block failed

// shared.cpp
void open_shared(Worker *w, size_t offset, size_t n);

// heap.cpp
enum { S_NONE = 0, S_UNINIT = 1, S_INIT = 2, S_FREED = 3 };
static inline uint8_t *state_of(uintptr_t a) // check build: of each 2 bytes of device memory
{
    return reinterpret_cast<uint8_t *>(ST_BASE + ((a - REAL_BASE) >> 1));
}

// check.cpp, check build only
void shared_access(Worker *w, Lane *me, uintptr_t a, size_t n, bool write, const void *pc);
void global_access(Worker *w, Lane *me, uintptr_t a, size_t n, bool write, const void *pc);
} // namespace cuda_emu

#endif
