/* weight_memory.c - where the cpu device's weights lie: side by side in large blocks.
 *
 * A model has a thousand weights, which come and go together. In blocks of their own each would
 * take its first touch page by page, four gigabytes of it a second and more, or be rounded up to
 * huge pages, some hundred megabytes in all. What a block has left over is never touched.
 */
#include "kernels/cpu/cpu.h"

#include <stdlib.h>

#define BLOCK_SIZE ((size_t)64 << 20)
#define ALIGNMENT  ((size_t)256)

struct SlWeightBlock {
    char *data;
    size_t capacity, used;
    int64_t live; /* weights in it */
    SlWeightBlock *next;
};

static SlWeightBlock *add_block(SlDevice *dev, size_t bytes)
{
    SlCpuDevice *cpu = (SlCpuDevice *)dev;
    SlWeightBlock *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->capacity = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE;
    b->data = dev->ops->alloc(dev, b->capacity);
    if (!b->data && bytes < b->capacity) { /* memory is short: no more than is needed */
        b->capacity = bytes;
        b->data = dev->ops->alloc(dev, bytes);
    }
    if (!b->data) {
        free(b);
        return NULL;
    }
    b->next = cpu->weight_blocks;
    cpu->weight_blocks = b;
    return b;
}

void *sl_cpu_weight_alloc(SlDevice *dev, size_t bytes)
{
    SlCpuDevice *cpu = (SlCpuDevice *)dev;
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    SlWeightBlock *b = cpu->weight_blocks;
    if (rounded < bytes)
        return NULL;
    if (!b || b->capacity - b->used < rounded)
        b = add_block(dev, rounded);
    if (!b)
        return NULL;
    void *p = b->data + b->used;
    b->used += rounded;
    b->live++;
    dev->work.weight_bytes += bytes;
    return p;
}

void sl_cpu_weight_free(SlDevice *dev, void *p, size_t bytes)
{
    SlCpuDevice *cpu = (SlCpuDevice *)dev;
    SlWeightBlock **link = &cpu->weight_blocks;
    while (*link && ((char *)p < (*link)->data || (char *)p >= (*link)->data + (*link)->used))
        link = &(*link)->next;
    SlWeightBlock *b = *link;
    if (!p || !b)
        return;
    dev->work.weight_bytes -= bytes;
    if (--b->live > 0)
        return;
    *link = b->next;
    dev->ops->free(dev, b->data, b->capacity);
    free(b);
}
