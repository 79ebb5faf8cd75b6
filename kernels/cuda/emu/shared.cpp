/* shared.cpp - shared memory: one arena per worker, filled with 0xff (NaN) when a block begins, its
 * arrays at least 64 bytes apart so that an overrun is seen. */
#include "worker.h"

#include <cstdlib>
#include <cstring>

namespace cuda_emu
{
void open_shared(Worker *w, size_t offset, size_t n)
{
#if EMU_ASAN
    __asan_unpoison_memory_region(w->smem + offset, n);
#endif
    if (cfg.poison)
        memset(w->smem + offset, 0xff, n);
#if EMU_CHECK
    size_t first = offset / 2, end = (offset + n + 1) / 2;
    for (size_t c = first; c < end; c++) {
        w->shadow[c] = SCell();
        w->shadow[c].flags = C_ALLOC;
    }
    if (end > w->shadow_used)
        w->shadow_used = end;
#endif
}

void *shared_dynamic()
{
    return wk->smem;
}

void *shared_static(const void *key, size_t bytes, size_t align, const char *name)
{
    Worker *w = wk;
    for (int i = 0; i < w->n_stat; i++)
        if (w->stat[i].key == key)
            return w->smem + w->stat[i].off;
    if (align < 16)
        align = 16;
    size_t offset = (w->smem_used + 64 + align - 1) & ~(align - 1);
    if (w->n_stat == 32 || offset + bytes > SH_STRIDE) {
        report("shared-limit", nullptr, "too much static shared memory (%s)", name);
        abort();
    }
    w->stat[w->n_stat++] = {key, offset};
    w->smem_used = offset + bytes;
    open_shared(w, offset, bytes);
    return w->smem + offset;
}
} // namespace cuda_emu
