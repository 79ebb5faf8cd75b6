/* fiber.cpp - threads of a block as fibers, barriers, and the meetings of a warp.
 *
 * A thread that waits gives way to another of its block; one that never waits costs no switch, as
 * the next begins on the same stack. Without a seed threads go in order; with one their order is
 * drawn anew at every wait. A warp operation (shuffle, vote, mma, ldmatrix, __syncwarp) is a
 * meeting: lanes leave their arguments, and the last to come does the work for all.
 */
#include "worker.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace cuda_emu
{
/* Saves the registers that a call keeps, and goes on on another stack. */
extern "C" void cuda_emu_switch(void **save, void *load);
#if defined(__x86_64__)
asm(R"(
.text
.globl cuda_emu_switch
.hidden cuda_emu_switch
.type cuda_emu_switch,@function
cuda_emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_emu_switch,.-cuda_emu_switch
)");
#else
#error "add a context switch for this CPU (or a ucontext fallback, about 70 times slower)"
#endif

__thread LaneView *cur;
__thread BlockView blk;
__thread Worker *wk;

static inline uint64_t rnd(Worker *w)
{
    w->rng ^= w->rng << 13;
    w->rng ^= w->rng >> 7;
    w->rng ^= w->rng << 17;
    return w->rng;
}

static unsigned pick_bit(Worker *w, uint32_t m)
{
    if (!cfg.seed)
        return __builtin_ctz(m);
    unsigned n = rnd(w) % (unsigned)__builtin_popcount(m);
    while (n--)
        m &= m - 1;
    return __builtin_ctz(m);
}

/* The warp that goes on: the same while it can, or the next. */
static int pick_warp(Worker *w)
{
    int c = w->cur_warp;
    if (cfg.seed)
        return w->ready_warps >> c & 1 && rnd(w) & 3 ? c : (int)pick_bit(w, w->ready_warps);
    uint32_t later = w->ready_warps & ~((2u << c) - 1);
    return __builtin_ctz(later ? later : w->ready_warps);
}

static inline Lane *pick_next(Worker *w)
{
    if (!w->ready_warps)
        return nullptr;
    int c = w->cur_warp;
    if (cfg.seed || !(w->ready_warps >> c & 1))
        c = w->cur_warp = pick_warp(w);
    Warp &wp = w->warps[c];
    unsigned b = cfg.seed ? pick_bit(w, wp.ready) : (unsigned)__builtin_ctz(wp.ready);
    wp.ready &= ~(1u << b);
    if (!wp.ready)
        w->ready_warps &= ~(1u << c);
    return &w->lanes[c * 32 + b];
}

static inline void make_ready(Worker *w, int warp, unsigned mask)
{
    if (mask) {
        w->warps[warp].ready |= mask;
        w->ready_warps |= 1u << warp;
    }
}

static void fiber_main();

/* Stacks begin at different distances from a page: no conflicts in the first cache. */
static char *stack_top(Worker *w, int s)
{
    return w->stacks + STACK * (size_t)(s + 1) - 64 - (size_t)(s * 1088u) % 16384u;
}

static void *fresh_sp(Worker *w, int s)
{
    void **p = (void **)((uintptr_t)stack_top(w, s) & ~15ull);
    *--p = nullptr;
    *--p = (void *)fiber_main;
    p -= 6;
    return p;
}

static inline void asan_start(Worker *w, void **save, int target)
{
#if EMU_ASAN
    if (target < 0)
        __sanitizer_start_switch_fiber(save, w->main_stack_lo, w->main_stack_sz);
    else
        __sanitizer_start_switch_fiber(save, w->stacks + STACK * (size_t)target, STACK);
#else
    (void)w;
    (void)save;
    (void)target;
#endif
}

static inline void asan_finish(void *fake)
{
#if EMU_ASAN
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    (void)fake;
#endif
}

static void fail_block(Worker *w, const char *kind, const char *msg);
/* me keeps its stack. */
static inline void switch_from(Worker *w, Lane *me, Lane *n)
{
    void *to;
    if (n->state == L_UNSTARTED) {
        int s = w->free_stacks[--w->n_free];
        n->stack = s;
        w->fake[s] = nullptr;
        to = fresh_sp(w, s);
    } else
        to = n->sp;
    n->state = L_READY;
    cur = n;
    w->run_stack = n->stack;
    int ms = me->stack;
    asan_start(w, &w->fake[ms], n->stack);
    cuda_emu_switch(&me->sp, to);
    asan_finish(w->fake[ms]);
}

static void to_main(Worker *w, void **save, bool dying)
{
    asan_start(w, dying ? nullptr : &w->fake[w->run_stack], -1);
    cuda_emu_switch(save, w->main_sp);
}

static inline void block_here(Worker *w, Lane *me, LaneState st, const char *file, int line)
{
    me->state = st;
    me->wfile = file;
    me->wline = line;
    Lane *n = pick_next(w);
    if (!n) {
        fail_block(w, "deadlock", "no thread can run");
        to_main(w, &me->sp, false);
        abort();
    }
    if (n == me) {
        me->state = L_READY;
        return;
    }
    switch_from(w, me, n);
    if (w->failed) {
        to_main(w, &me->sp, false);
        abort();
    }
}

static void release_barrier(Worker *w)
{
    if (w->n_alive < w->nthreads && !w->exit_reported) {
        w->exit_reported = true;
        report("exited-before-barrier", nullptr,
               "%d of %d threads had returned when the others met at %s:%d",
               w->nthreads - w->n_alive, w->nthreads, w->bar_file, w->bar_line);
    }
    w->n_bar = 0;
    w->epoch++;
    for (int i = 0; i < (w->nthreads + 31) / 32; i++)
        make_ready(w, i, w->warps[i].alive);
}

static bool left_out(const char *file, int line)
{
    if (!cfg.skip_file || line != cfg.skip_line)
        return false;
    size_t n = strlen(file), m = strlen(cfg.skip_file);
    return n >= m && !strcmp(file + n - m, cfg.skip_file);
}

void sync_block(const char *file, int line)
{
    Worker *w = wk;
    if (left_out(file, line))
        return;
    Lane *me = me_lane();
    if (w->n_bar == 0) {
        w->bar_file = file;
        w->bar_line = line;
    } else if ((line != w->bar_line || (file != w->bar_file && strcmp(file, w->bar_file))) &&
               !w->div_reported) {
        w->div_reported = true;
        report("divergent-barrier", nullptr,
               "threads of one block wait at different barriers: %s:%d and %s:%d", w->bar_file,
               w->bar_line, file, line);
    }
    if (++w->n_bar == w->n_alive) {
        release_barrier(w);
        Warp &wp = w->warps[me->warp];
        wp.ready &= ~(1u << me->lane);
        if (!wp.ready)
            w->ready_warps &= ~(1u << me->warp);
        if (cfg.seed) {
            make_ready(w, me->warp, 1u << me->lane);
            block_here(w, me, L_READY, file, line);
        }
        return;
    }
    block_here(w, me, L_BAR, file, line);
}

static const char *kind_name(int k)
{
    static const char *n[] = {"__syncwarp", "__shfl", "vote", "mma", "ldmatrix"};
    return n[k];
}

/* The meeting that this lane belongs to, where it is not simply the warp's only one; what is wrong
 * with it is reported. mask becomes that of the lanes that can come. */
static __attribute__((noinline)) Group *find_meeting(Worker *w, const char *file, int line,
                                                     int kind, unsigned &mask)
{
    Lane *me = me_lane();
    Warp &wp = w->warps[me->warp];
    unsigned bit = 1u << me->lane;
    if (!(mask & bit)) {
        report("warp-mask", nullptr, "%s at %s:%d: the calling lane is not in the mask %08x",
               kind_name(kind), file, line, mask);
        mask |= bit;
    }
    if (mask & ~wp.alive) {
        report("warp-mask", nullptr,
               "%s at %s:%d: mask %08x names lanes that do not exist or have returned (alive %08x)",
               kind_name(kind), file, line, mask, wp.alive);
        mask &= wp.alive;
    }
    Group *g = nullptr;
    for (int i = 0; i < wp.ngrp; i++) {
        if (wp.grp[i].mask == mask)
            g = &wp.grp[i];
        else if (wp.grp[i].mask & mask)
            report("warp-mask", nullptr,
                   "%s at %s:%d: mask %08x overlaps mask %08x of lanes waiting at %s:%d",
                   kind_name(kind), file, line, mask, wp.grp[i].mask, wp.grp[i].file,
                   wp.grp[i].line);
    }
    if (!g) {
        g = &wp.grp[wp.ngrp++];
        *g = {mask, 0, kind, file, line};
    } else if (g->kind != kind || (g->line != line && kind != K_SYNCWARP)) {
        report("warp-divergence", nullptr,
               "lanes of one warp meet in different operations: %s at %s:%d and %s at %s:%d",
               kind_name(g->kind), g->file, g->line, kind_name(kind), file, line);
        if (g->kind != kind) {
            fail_block(w, "warp-divergence", "different operations");
            to_main(w, &me->sp, false);
            abort();
        }
    }
    return g;
}

void warp_collective(const char *file, int line, int kind, unsigned mask, void *payload, Combine fn)
{
    Worker *w = wk;
    Lane *me = me_lane();
    Warp &wp = w->warps[me->warp];
    unsigned bit = 1u << me->lane;
    Group *g = &wp.grp[0];
    bool fits = (mask & bit) && !(mask & ~wp.alive);
    if (fits && wp.ngrp == 0)
        wp.grp[wp.ngrp++] = {mask, 0, kind, file, line};
    else if (!fits || wp.ngrp != 1 || g->mask != mask || g->kind != kind || g->line != line)
        g = find_meeting(w, file, line, kind, mask);
    wp.payload[me->lane] = payload;
    if ((g->arrived |= bit) == mask) {
        if (fn)
            fn(wp.payload, mask);
        *g = wp.grp[--wp.ngrp];
        if (kind == K_SYNCWARP)
            wp.epoch++;
        make_ready(w, me->warp, mask & ~bit);
        if (cfg.seed && (rnd(w) & 1)) {
            make_ready(w, me->warp, bit);
            block_here(w, me, L_READY, file, line);
        }
    } else
        block_here(w, me, L_WARP, file, line);
}

static void lane_exit(Worker *w, Lane *me)
{
    Warp &wp = w->warps[me->warp];
    if (me->n_copies) {
        report("cp.async-unwaited", nullptr, "thread ends with %d copies never waited for",
               me->n_copies);
        me->n_copies = 0;
    }
    me->state = L_DONE;
    w->n_alive--;
    wp.alive &= ~(1u << me->lane);
    for (int i = 0; i < wp.ngrp; i++)
        if (wp.grp[i].mask >> me->lane & 1) {
            report("warp-mask", nullptr,
                   "lane %d returned although %s at %s:%d names it in mask %08x", me->lane,
                   kind_name(wp.grp[i].kind), wp.grp[i].file, wp.grp[i].line, wp.grp[i].mask);
        }
    if (w->n_bar && w->n_bar == w->n_alive)
        release_barrier(w);
}

static void fiber_main()
{
    asan_finish(nullptr);
    Worker *w = wk;
    for (;;) {
        Lane *me = me_lane();
        int s = w->run_stack;
        (*w->body)();
        lane_exit(w, me);
        Lane *n = w->failed ? nullptr : pick_next(w);
        if (n && n->state == L_UNSTARTED) {
            n->stack = s;
            n->state = L_READY;
            cur = n;
            continue; // no switch at all
        }
        w->free_stacks[w->n_free++] = s;
        if (!n) {
            if (w->n_alive && !w->failed)
                fail_block(w, "deadlock", "no thread can run");
            void *dummy;
            to_main(w, &dummy, true);
            abort();
        }
        n->state = L_READY;
        cur = n;
        w->run_stack = n->stack;
        void *dummy;
        asan_start(w, nullptr, n->stack);
        cuda_emu_switch(&dummy, n->sp);
        abort();
    }
}

static void fail_block(Worker *w, const char *kind, const char *msg)
{
    std::string s;
    int shown = 0;
    for (int i = 0; i < w->nthreads && shown < 4; i++) {
        Lane &l = w->lanes[i];
        if (l.state == L_BAR || l.state == L_WARP) {
            char b[160];
            snprintf(b, sizeof b, " thread %d at %s:%d;", i, l.wfile, l.wline);
            if (s.find(b + 8) == std::string::npos) {
                s += b;
                shown++;
            }
        }
    }
    report(kind, nullptr, "%s: %d threads alive, %d at a barrier;%s", msg, w->n_alive, w->n_bar,
           s.c_str());
    w->failed = true;
}

void run_first(Worker *w)
{
    Lane *first = pick_next(w);
    int s = w->free_stacks[--w->n_free];
    first->stack = s;
    first->state = L_READY;
    cur = first;
    w->run_stack = s;
    w->fake[s] = nullptr;
    void *to = fresh_sp(w, s);
    asan_start(w, &w->fake_main, s);
    cuda_emu_switch(&w->main_sp, to);
    asan_finish(w->fake_main);
    cur = nullptr;
}
} // namespace cuda_emu
