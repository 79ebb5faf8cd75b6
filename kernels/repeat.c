/* repeat.c - work that is repeated: done the first time, remembered the second, replayed from then
 * on, where the device can.
 *
 * Easy to get wrong: the first time must be done in full, since it is what makes the arena grow and
 * the device choose its algorithms, neither of which may happen while the work is remembered; what
 * was remembered while the device was cancelled or failed is only a part; addresses from the arena
 * are good for the same mark in the same blocks; what is remembered as one cannot be stopped within,
 * so long work is done operation by operation.
 */
#include "kernels/arena.h"

#include <stdlib.h>

struct SlRepeat {
    bool done_once;
    void *captured;
    size_t mark;         /* of the arena when it was done */
    uint64_t generation; /* of the arena's blocks */
    uint64_t operations; /* in one repetition */
    double flops;
};

SlRepeat *sl_repeat_new(void)
{
    return calloc(1, sizeof(SlRepeat));
}

bool sl_repeat_remembers(const SlDevice *dev)
{
    return dev->ops->capture != NULL;
}

static void forget(SlDevice *dev, SlRepeat *r)
{
    if (r->captured)
        dev->ops->forget(dev, r->captured);
    *r = (SlRepeat){0};
}

void sl_repeat_free(SlDevice *dev, SlRepeat *r)
{
    if (r)
        forget(dev, r);
    free(r);
}

static void remember(SlDevice *dev, SlRepeat *r, void (*work)(void *arg), void *arg)
{
    uint64_t before = dev->ops_done;
    void *captured = dev->ops->capture(dev, work, arg);
    r->operations = dev->ops_done - before;
    __atomic_store_n(&dev->ops_done, before, __ATOMIC_RELAXED);
    if (captured && dev->status != SL_OK) {
        dev->ops->forget(dev, captured);
        captured = NULL;
    }
    r->captured = captured;
}

static void do_in_full(SlDevice *dev, SlRepeat *r, void (*work)(void *arg), void *arg)
{
    double before = dev->flops_done;
    r->mark = sl_arena_mark(dev);
    work(arg);
    r->flops = dev->flops_done - before;
    r->generation = sl_arena_generation(dev);
    r->done_once = dev->status == SL_OK;
}

void sl_repeat_run(SlDevice *dev, SlRepeat *r, void (*work)(void *arg), void *arg)
{
    if (r->done_once &&
        (r->mark != sl_arena_mark(dev) || r->generation != sl_arena_generation(dev)))
        forget(dev, r);
    bool short_enough = dev->repeat_flops == 0 || r->flops <= dev->repeat_flops;
    if (r->done_once && short_enough && !r->captured && dev->ops->capture && dev->status == SL_OK)
        remember(dev, r, work, arg);
    if (!r->captured || !dev->ops->capture) { /* without: a profile is taken */
        do_in_full(dev, r, work, arg);
        return;
    }
    if (!sl_device_go_on(dev))
        return;
    dev->ops->replay(dev, r->captured);
    __atomic_store_n(&dev->ops_done, dev->ops_done + r->operations - 1, __ATOMIC_RELAXED);
}
