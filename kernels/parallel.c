/* parallel.c - loops whose ranges the threads of a device compute.
 *
 * Ranges are cut by count and grain alone; threads only decide who computes which, so results are
 * the same bytes for any number. A caller's grain is worth some ten microseconds: what fits in one
 * range runs on the calling thread and wakes nobody. Ranges are handed out one by one, so that a
 * thread which the system takes away for a while holds up one range and not half of the work.
 */
#include "kernels/devices.h"
#include "kernels/team.h"

#include <stdatomic.h>

typedef struct Loop {
    SlDevice *dev;
    int64_t count, step, pieces;
    _Atomic int64_t next;
    void (*fn)(void *arg, int64_t first, int64_t last);
    void *arg;
} Loop;

static void take_pieces(void *arg)
{
    Loop *l = arg;
    SlDevice *counted = l->dev->serves ? l->dev->serves : l->dev;
    for (int64_t i;
         (i = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed)) < l->pieces;) {
        if (sl_device_stopping(l->dev))
            return;
        l->fn(l->arg, i * l->step, (i + 1) * l->step < l->count ? (i + 1) * l->step : l->count);
        if (i > 0) /* the first is counted as the operation itself */
            __atomic_fetch_add(&counted->ops_done, 1, __ATOMIC_RELAXED);
    }
}

void sl_parallel_for(SlDevice *dev, int64_t count, int64_t grain,
                     void (*fn)(void *arg, int64_t first, int64_t last), void *arg)
{
    int64_t step = grain > 0 ? grain : 1;
    Loop loop = {.dev = dev,
                 .count = count,
                 .step = step,
                 .pieces = (count + step - 1) / step,
                 .fn = fn,
                 .arg = arg};
    int threads = loop.pieces < dev->threads ? (int)loop.pieces : dev->threads;
    if (threads > 1 && dev->team && !sl_team_seat().beside)
        sl_team_run(dev->team, threads, take_pieces, &loop);
    else
        take_pieces(&loop);
    if (!sl_team_seat().beside && sl_device_stopping(dev))
        sl_device_fail(dev, SL_CANCELLED, "stopped");
}

int sl_thread_index(void)
{
    return sl_team_seat().index;
}
