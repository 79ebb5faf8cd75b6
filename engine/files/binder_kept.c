/* binder_kept.c - see binder_kept.h.
 *
 * Easy to get wrong: lanes take turns, so the set that was not used for the longest time is the one that
 * comes next. A set makes place for others only when it was passed over for as many changes as there may be
 * lanes, twice; where memory is short some sets stay and the others are read at each turn.
 */
#include "engine/files/binder_kept.h"

#include <stdlib.h>

#define PASSED_OVER 32 /* changes */

static void free_set(SlKept *kept, SlKeptSet *set, SlDevice *dev, size_t count)
{
    for (size_t i = 0; set->weight && i < count; i++)
        sl_weight_free(dev, set->weight[i]);
    free(set->weight);
    kept->bytes -= set->bytes;
    *set = (SlKeptSet){0};
}

static SlKeptSet *find(SlKept *kept, unsigned number)
{
    for (int i = 0; i < SL_KEPT_SETS; i++)
        if (kept->set[i].weight && kept->set[i].number == number)
            return &kept->set[i];
    return NULL;
}

static SlKeptSet *add(SlKept *kept, unsigned number, size_t count)
{
    for (int i = 0; i < SL_KEPT_SETS; i++)
        if (!kept->set[i].weight) {
            SlWeight **weight = calloc(count + 1, sizeof(SlWeight *));
            kept->set[i] = (SlKeptSet){.number = number, .weight = weight};
            return weight ? &kept->set[i] : NULL;
        }
    return NULL;
}

void sl_kept_begin(SlKept *kept, SlDevice *dev, const SlKeptChange *change)
{
    kept->changes++;
    kept->limit = change->limit;
    for (int i = 0; change->limit > 0 && i < SL_KEPT_SETS; i++)
        if (kept->set[i].weight && kept->changes - kept->set[i].used > PASSED_OVER)
            free_set(kept, &kept->set[i], dev, change->count);
    kept->before = find(kept, change->before);
    if (!kept->before && change->limit > kept->bytes)
        kept->before = add(kept, change->before, change->count);
    kept->now = find(kept, change->now);
    if (kept->before)
        kept->before->used = kept->changes;
    if (kept->now)
        kept->now->used = kept->changes;
}

void sl_kept_keep(SlKept *kept, SlDevice *dev, size_t i, const SlWeight *w)
{
    SlKeptSet *set = kept->before;
    if (!set || set->weight[i] || kept->bytes >= kept->limit)
        return;
    uint64_t had = dev->work.weight_bytes;
    set->weight[i] = sl_weight_twin(dev, w);
    size_t bytes = (size_t)(dev->work.weight_bytes - had);
    set->bytes += bytes;
    kept->bytes += bytes;
    if (!set->weight[i])
        kept->limit = 0; /* there is no more */
}

const SlWeight *sl_kept_find(const SlKept *kept, size_t i)
{
    return kept->now ? kept->now->weight[i] : NULL;
}

void sl_kept_free(SlKept *kept, SlDevice *dev, size_t count)
{
    for (int i = 0; i < SL_KEPT_SETS; i++)
        free_set(kept, &kept->set[i], dev, count);
    kept->before = kept->now = NULL;
}
