/* weight_memory.c - where the cpu device's weights lie: side by side in large blocks.
 *
 * A model has a thousand weights, which come and go together. In blocks of their own each would
 * take its first touch page by page, four gigabytes of it a second and more, or be rounded up to
 * huge pages, some hundred megabytes in all. What a block has left over is never touched.
 *
 * Weights that are made for one product only (dev->passing) lie in a block of their own, which is
 * touched once for all of them.
 */
#include "kernels/cpu/cpu.h"

#include <stdlib.h>

#define BLOCK_SIZE ((size_t)64 << 20)
/* Of passing weights, of which most are smaller: it is touched as far as the largest reaches. */
#define PASSING_SIZE ((size_t)256 << 20)
#define ALIGNMENT    ((size_t)256)

struct SlWeightBlock {
    char *data;
    size_t capacity, used;
    int64_t live; /* weights in it */
    SlWeightBlock *next;
};

/* Puts one of `usual` bytes, or of more where that is too few, before the others. */
static SlWeightBlock *add_block(SlDevice *dev, SlWeightBlock **blocks, size_t usual, size_t bytes)
{
    SlWeightBlock *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->capacity = bytes > usual ? bytes : usual;
    b->data = dev->ops->alloc(dev, b->capacity);
    if (!b->data && bytes < b->capacity) { /* memory is short: no more than is needed */
        b->capacity = bytes;
        b->data = dev->ops->alloc(dev, bytes);
    }
    if (!b->data) {
        free(b);
        return NULL;
    }
    b->next = *blocks;
    *blocks = b;
    return b;
}

static void free_block(SlDevice *dev, SlWeightBlock **link)
{
    SlWeightBlock *b = *link;
    *link = b->next;
    dev->ops->free(dev, b->data, b->capacity);
    free(b);
}

static size_t room_in(const SlWeightBlock *b)
{
    return b ? b->capacity - b->used : 0;
}

/* One that is empty stays for the next weight, unless that is too large for it. */
static SlWeightBlock *find_passing(SlDevice *dev, size_t bytes)
{
    SlWeightBlock **blocks = &((SlCpuDevice *)dev)->passing_blocks;
    if (*blocks && (*blocks)->live == 0) {
        (*blocks)->used = 0;
        if (room_in(*blocks) < bytes)
            free_block(dev, blocks);
    }
    return room_in(*blocks) >= bytes ? *blocks : add_block(dev, blocks, PASSING_SIZE, bytes);
}

static SlWeightBlock *find_block(SlDevice *dev, size_t bytes)
{
    SlWeightBlock **blocks = &((SlCpuDevice *)dev)->weight_blocks;
    if (dev->passing)
        return find_passing(dev, bytes);
    return room_in(*blocks) >= bytes ? *blocks : add_block(dev, blocks, BLOCK_SIZE, bytes);
}

void *sl_cpu_weight_alloc(SlDevice *dev, size_t bytes)
{
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    SlWeightBlock *b = rounded >= bytes ? find_block(dev, rounded) : NULL;
    if (!b)
        return NULL;
    void *p = b->data + b->used;
    b->used += rounded;
    b->live++;
    dev->work.weight_bytes += bytes;
    return p;
}

/* The link to the block that p lies in; to NULL where there is none. */
static SlWeightBlock **find_owner(SlWeightBlock **link, const char *p)
{
    while (*link && (p < (*link)->data || p >= (*link)->data + (*link)->used))
        link = &(*link)->next;
    return link;
}

void sl_cpu_weight_free(SlDevice *dev, void *p, size_t bytes)
{
    SlCpuDevice *cpu = (SlCpuDevice *)dev;
    SlWeightBlock **link = find_owner(&cpu->weight_blocks, p);
    bool passing = !*link;
    if (passing)
        link = find_owner(&cpu->passing_blocks, p);
    if (!p || !*link)
        return;
    dev->work.weight_bytes -= bytes;
    if (--(*link)->live > 0)
        return;
    if (!passing || (*link)->next)
        free_block(dev, link);
}

void sl_cpu_weights_passed(SlDevice *dev)
{
    SlWeightBlock **blocks = &((SlCpuDevice *)dev)->passing_blocks;
    while (*blocks)
        free_block(dev, blocks);
}
