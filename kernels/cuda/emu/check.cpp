/* check.cpp - the check build: every load and store of a kernel is looked at.
 *
 * The .cu files are compiled with -fsanitize=thread, but linked with the __tsan functions below
 * instead of libtsan. Found are: accesses outside of memory, freed or never written memory,
 * misaligned vectors, and two threads at one place with no barrier between them, in shared memory
 * and, between blocks or warps, in device memory.
 *
 * Cannot be seen: an order between launches on different streams (seeds and lazy streams show that)
 * and barriers on one source line told apart.
 */
#include "worker.h"

#include <link.h>
#include <utility>
#include <vector>

namespace cuda_emu
{
#if EMU_CHECK
/* Whether what thread who - 1 did at barriers e of the block and we of its warp lies before now. */
static bool ordered(Worker *w, Lane *me, unsigned who, uint32_t e, uint32_t we)
{
    if (who == (unsigned)me->linear + 1 || e != w->epoch)
        return true;
    return (int)((who - 1) / 32) == me->warp && we != w->warps[me->warp].epoch;
}

static void note_write(Worker *w, Lane *me, SCell &s, size_t offset, const void *pc)
{
    const char *const text = "thread %d read, thread %d writes, no barrier between (offset %zu)";
    if (s.r1 && !ordered(w, me, s.r1, s.r1e, s.r1we))
        report("shared-race-WAR", pc, text, s.r1 - 1, me->linear, offset);
    else if (s.r2 && !ordered(w, me, s.r2, s.r2e, s.r2we))
        report("shared-race-WAR", pc, text, s.r2 - 1, me->linear, offset);
    s.w = me->linear + 1;
    s.we = w->epoch;
    s.wwe = w->warps[me->warp].epoch;
    s.r1 = s.r2 = 0;
    s.flags |= C_INIT;
}

/* Two readers of different warps are enough to find a writer that is not ordered after all. */
static void note_read(Worker *w, Lane *me, SCell &s, size_t offset, const void *pc)
{
    unsigned who = me->linear + 1;
    uint32_t we = w->warps[me->warp].epoch;
    if (!(s.flags & C_INIT)) {
        report("shared-uninit", pc,
               "read of shared memory never written in this block (offset %zu)", offset);
        s.flags |= C_INIT;
    }
    if (!s.r1 || s.r1 == who || ordered(w, me, s.r1, s.r1e, s.r1we)) {
        s.r1 = who;
        s.r1e = w->epoch;
        s.r1we = we;
    } else if (!s.r2 || (s.r2 - 1) / 32 == (s.r1 - 1) / 32 || ordered(w, me, s.r2, s.r2e, s.r2we)) {
        s.r2 = who;
        s.r2e = w->epoch;
        s.r2we = we;
    }
}

void shared_access(Worker *w, Lane *me, uintptr_t a, size_t n, bool write, const void *pc)
{
    size_t offset = a - (uintptr_t)w->smem, last = (offset + n - 1) / 2;
    const char *const verb = write ? "write" : "read";
    for (size_t c = offset / 2; c <= last; c++) {
        SCell &s = w->shadow[c];
        if (c >= w->shadow_used || !(s.flags & C_ALLOC)) {
            report("shared-oob", pc, "%s of %zu bytes outside of shared memory (offset %zu)", verb,
                   n, offset);
            return;
        }
        if (s.flags & C_PENDING) {
            report("cp.async-race", pc, "%s of shared memory that a cp.async is still writing",
                   verb);
            return;
        }
        if (s.w && !ordered(w, me, s.w, s.we, s.wwe))
            report(write ? "shared-race-WAW" : "shared-race-RAW", pc,
                   "thread %d and thread %d, no barrier between (offset %zu)", s.w - 1, me->linear,
                   offset);
        if (write)
            note_write(w, me, s, offset, pc);
        else
            note_read(w, me, s, offset, pc);
    }
}

/* Of each 2 bytes of device memory: launch (20 bits), block (22), thread (10) and barrier (12) of
 * the last write and read. */
struct Tag {
    uint64_t w, r;
};

static Tag *tag_of(uintptr_t a)
{
    return (Tag *)(TAG_BASE + ((a - REAL_BASE) >> 1) * 16);
}

#define T_LAUNCH(t) ((t) >> 44)
#define T_BLOCK(t)  ((t) >> 22 & 0x3fffff)
#define T_WARP(t)   ((t) >> 17 & 31)
#define T_EPOCH(t)  ((t)&0xfff)

enum Clash { C_NONE, C_BLOCKS, C_WARPS };

static Clash clash(uint64_t other, uint64_t mine)
{
    if (!other || T_LAUNCH(other) != T_LAUNCH(mine))
        return C_NONE;
    if (T_BLOCK(other) != T_BLOCK(mine))
        return C_BLOCKS;
    return T_WARP(other) != T_WARP(mine) && T_EPOCH(other) == T_EPOCH(mine) ? C_WARPS : C_NONE;
}

static void report_clash(Clash c, bool write, const char *did, uintptr_t a, const void *pc)
{
    if (c != C_NONE)
        report(c == C_BLOCKS ? "global-race-blocks" : "global-race", pc,
               "%s of %p that %s %s in the same launch", write ? "write" : "read",
               (void *)(a - REAL_BASE + DEV_BASE), c == C_BLOCKS ? "another block" : "another warp",
               did);
}

/* False when the memory is not there. */
static bool state_allows(uint8_t *s, bool write, uintptr_t a, const void *pc)
{
    void *shown = (void *)(a - REAL_BASE + DEV_BASE);
    if (*s == S_NONE || *s == S_FREED) {
        report(*s == S_FREED ? "use-after-free" : "global-oob", pc, "%s at %p",
               write ? "write" : "read", shown);
        return false;
    }
    if (!write && *s == S_UNINIT)
        report("global-uninit", pc, "read of memory never written at %p", shown);
    *s = S_INIT;
    return true;
}

void global_access(Worker *w, Lane *me, uintptr_t a, size_t n, bool write, const void *pc)
{
    if (n > 1 && (n & (n - 1)) == 0 && a % n)
        report("misaligned", pc, "%zu byte access at an address that is only %lu aligned", n,
               (unsigned long)(a & -a));
    uint64_t mine = (uint64_t)(w->launch_id & 0xfffff) << 44 | (w->block_lin & 0x3fffff) << 22 |
                    (uint64_t)me->linear << 12 | (w->epoch & 0xfff);
    for (uintptr_t c = a & ~1ull; c < a + n; c += 2) {
        if (!state_allows(state_of(c), write, a, pc))
            return;
        Tag *t = tag_of(c);
        report_clash(clash(t->w, mine), write, "wrote", a, pc);
        if (write) {
            report_clash(clash(t->r, mine), write, "reads", a, pc);
            t->w = mine;
        } else {
            t->r = clash(t->r, mine) == C_BLOCKS ? mine | 0x3fffffull << 22 : mine;
        }
    }
}

static std::vector<std::pair<uintptr_t, uintptr_t>> module_ranges;

static bool known_module(uintptr_t a)
{
    for (auto &range : module_ranges)
        if (a >= range.first && a < range.second)
            return true;
    return false;
}

static int note_module(dl_phdr_info *info, size_t, void *)
{
    for (int k = 0; k < info->dlpi_phnum; k++)
        if (info->dlpi_phdr[k].p_type == PT_LOAD) {
            uintptr_t start = info->dlpi_addr + info->dlpi_phdr[k].p_vaddr;
            module_ranges.push_back({start, start + info->dlpi_phdr[k].p_memsz});
        }
    return 0;
}

/* Constants and tables of the program are no host memory that a kernel must not touch. */
static bool in_module(uintptr_t a)
{
    if (known_module(a))
        return true;
    module_ranges.clear();
    dl_iterate_phdr(note_module, nullptr);
    return known_module(a);
}

static bool emulators_own(uintptr_t a)
{
    return a - EMU_BASE < EMU_SIZE || a - (uintptr_t)&cur < sizeof cur ||
           a - (uintptr_t)&blk < sizeof blk || a - (uintptr_t)wk->body < sizeof *wk->body;
}

static void hook(void *p, size_t n, bool write, const void *pc)
{
    uintptr_t a = (uintptr_t)p;
    if (!cur) {
        if (is_dev(p))
            report("host-deref", pc, "host code %s device memory", write ? "writes" : "reads");
        return;
    }
    if (in_shared(a)) {
        if (n > 1 && a % n)
            report("misaligned", pc, "%zu byte access of shared memory at offset %lu", n,
                   (unsigned long)(a - (uintptr_t)wk->smem));
        shared_access(wk, me_lane(), a, n, write, pc);
    } else if (in_device(a)) {
        global_access(wk, me_lane(), a, n, write, pc);
    } else if (is_dev(p)) {
        report("untranslated", pc,
               "device pointer that did not come as a kernel parameter of its own");
    } else if (!emulators_own(a) && !in_module(a)) {
        report("host-pointer", pc, "kernel %s host memory at %p", write ? "writes" : "reads", p);
    }
}
#endif

void misaligned(const void *p, unsigned n, const char *file, int line)
{
    report("misaligned", nullptr, "%u byte access at %s:%d, address %p", n, file, line, p);
}

#if EMU_CHECK
void vec_access(const void *p, unsigned n, bool write, const char *file, int line)
{
    if ((uintptr_t)p % n)
        misaligned(p, n, file, line);
    hook((void *)p, n, write, __builtin_return_address(0));
}
#endif
} // namespace cuda_emu

#if EMU_CHECK
using namespace cuda_emu;

extern "C" {
#define PC __builtin_return_address(0)
void __tsan_init()
{
}
void __tsan_func_entry(void *)
{
}
void __tsan_func_exit()
{
}
void __tsan_vptr_update(void **, void *)
{
}
void __tsan_vptr_read(void **)
{
}
#define ACCESS(name, n, write)     \
    void __tsan_##name##n(void *p) \
    {                              \
        hook(p, n, write, PC);     \
    }
#define ACCESSES(n)                  \
    ACCESS(read, n, false)           \
    ACCESS(write, n, true)           \
    ACCESS(volatile_read, n, false)  \
    ACCESS(volatile_write, n, true)  \
    ACCESS(unaligned_read, n, false) \
    ACCESS(unaligned_write, n, true)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
void __tsan_read_range(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hook((char *)p + i, 1, false, PC);
}
void __tsan_write_range(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hook((char *)p + i, 1, true, PC);
}
}
#endif
