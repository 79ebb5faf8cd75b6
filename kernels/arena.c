/* arena.c - memory of a run: blocks taken from the device on demand, handed out in order, never
 * given back before the end.
 *
 * A position in the arena is one number: the sum of the capacities of the blocks before, plus the
 * place in the block. The same sequence of requests from the same mark gets the same addresses,
 * since blocks are kept: captured CUDA graphs rely on it. In the host's memory, where nothing does,
 * empty blocks that are too small for a request make room for the one that it gets: the UNet's
 * memory would lie idle beside the VAE's otherwise. Two sequences in turn settle on blocks that do
 * for both, or trade some.
 */
#include "kernels/arena.h"
#include "kernels/devices.h"

#include <stdlib.h>

#define ALIGNMENT    256
#define BLOCK_SIZE   ((size_t)32 << 20)
#define MAX_BLOCKS   512
#define MAX_ELEMENTS ((int64_t)1 << 44)

typedef struct Block {
    void *data;
    size_t capacity, start; /* start: position of its first byte */
} Block;

struct SlArena {
    Block blocks[MAX_BLOCKS];
    int count, current;
    size_t used; /* in the current block */
    uint64_t generation;
};

bool sl_arena_open(SlDevice *dev)
{
    dev->arena = calloc(1, sizeof *dev->arena);
    return dev->arena != NULL;
}

void sl_arena_release(SlDevice *dev)
{
    SlArena *a = dev->arena;
    for (int i = 0; i < a->count; i++)
        dev->ops->free(dev, a->blocks[i].data, a->blocks[i].capacity);
    a->count = a->current = 0;
    a->used = 0;
    a->generation++;
}

size_t sl_arena_capacity(const SlDevice *dev)
{
    const SlArena *a = dev->arena;
    const Block *last = a->count ? &a->blocks[a->count - 1] : NULL;
    return last ? last->start + last->capacity : 0;
}

uint64_t sl_arena_generation(const SlDevice *dev)
{
    return dev->arena->generation;
}

void sl_arena_close(SlDevice *dev)
{
    if (!dev->arena)
        return;
    sl_arena_release(dev);
    free(dev->arena);
    dev->arena = NULL;
}

/* Blocks behind the current one are empty. */
static void drop_empty_blocks(SlDevice *dev)
{
    SlArena *a = dev->arena;
    while (a->count > a->current + 1) {
        a->count--;
        dev->ops->free(dev, a->blocks[a->count].data, a->blocks[a->count].capacity);
    }
}

static bool add_block(SlDevice *dev, size_t bytes)
{
    SlArena *a = dev->arena;
    if (dev->ops->free == sl_host_free)
        drop_empty_blocks(dev);
    size_t capacity = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE;
    void *data = a->count < MAX_BLOCKS ? dev->ops->alloc(dev, capacity) : NULL;
    if (!data) {
        sl_device_fail(dev, SL_MEMORY,
                       "%s: no memory for another %s (%s are in use by this picture); "
                       "a smaller picture needs less",
                       dev->name, sl_bytes_text(capacity).text,
                       sl_bytes_text(dev->work.arena_peak).text);
        return false;
    }
    Block *last = a->count ? &a->blocks[a->count - 1] : NULL;
    a->blocks[a->count++] = (Block){data, capacity, last ? last->start + last->capacity : 0};
    return true;
}

/* The current block, or the next one that has room. */
static void *take(SlDevice *dev, size_t bytes)
{
    SlArena *a = dev->arena;
    for (int i = a->current; i < a->count || add_block(dev, bytes); i++) {
        i = i < a->count ? i : a->count - 1;
        size_t used = i == a->current ? a->used : 0;
        if (a->blocks[i].capacity - used < bytes)
            continue;
        a->current = i;
        a->used = used + bytes;
        if (a->blocks[i].start + a->used > dev->work.arena_peak)
            dev->work.arena_peak = a->blocks[i].start + a->used;
        return (char *)a->blocks[i].data + used;
    }
    return NULL;
}

/* Bytes of a tensor rounded up; 0 and a failure when they cannot be counted. */
static size_t bytes_of(SlDevice *dev, SlDtype dtype, int rank, const int64_t *size)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        if (size[i] < 0 || __builtin_mul_overflow(n, size[i], &n) || n > MAX_ELEMENTS) {
            sl_device_fail(dev, SL_MEMORY, "%s: a tensor of that size cannot be made", dev->name);
            return 0;
        }
    size_t bytes = (size_t)n * sl_dtype_size(dtype);
    return bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
}

SlTensor sl_tensor_new(SlDevice *dev, SlDtype dtype, int rank, const int64_t *size)
{
    size_t bytes = dev->status == SL_OK ? bytes_of(dev, dtype, rank, size) : 0;
    return sl_tensor_view(bytes ? take(dev, bytes) : NULL, dtype, rank, size);
}

SlTensor sl_tensor_new1(SlDevice *dev, int64_t a)
{
    return sl_tensor_new(dev, dev->dtype, 1, &a);
}

SlTensor sl_tensor_new2(SlDevice *dev, int64_t a, int64_t b)
{
    return sl_tensor_new(dev, dev->dtype, 2, (const int64_t[]){a, b});
}

SlTensor sl_tensor_new3(SlDevice *dev, int64_t a, int64_t b, int64_t c)
{
    return sl_tensor_new(dev, dev->dtype, 3, (const int64_t[]){a, b, c});
}

SlTensor sl_tensor_new4(SlDevice *dev, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return sl_tensor_new(dev, dev->dtype, 4, (const int64_t[]){a, b, c, d});
}

size_t sl_arena_mark(const SlDevice *dev)
{
    const SlArena *a = dev->arena;
    return a->count ? a->blocks[a->current].start + a->used : 0;
}

void sl_arena_reset(SlDevice *dev, size_t mark)
{
    SlArena *a = dev->arena;
    for (int i = 0; i < a->count; i++) {
        const Block *b = &a->blocks[i];
        if (mark >= b->start && mark <= b->start + b->capacity) {
            a->current = i;
            a->used = mark - b->start;
            return;
        }
    }
}

SlTensor sl_buffer_new(SlDevice *dev, SlDtype dtype, int rank, const int64_t *size)
{
    size_t bytes = dev->status == SL_OK ? bytes_of(dev, dtype, rank, size) : 0;
    void *data = bytes ? dev->ops->alloc(dev, bytes) : NULL;
    if (bytes && !data)
        sl_device_fail(dev, SL_MEMORY, "%s: no memory for %s", dev->name,
                       sl_bytes_text(bytes).text);
    if (data)
        dev->work.buffer_bytes += bytes;
    return sl_tensor_view(data, dtype, rank, size);
}

void sl_buffer_free(SlDevice *dev, SlTensor *t)
{
    if (!t->data)
        return;
    size_t bytes = (size_t)sl_tensor_elements(t) * sl_dtype_size(t->dtype);
    bytes = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    dev->ops->free(dev, t->data, bytes);
    dev->work.buffer_bytes -= bytes;
    t->data = NULL;
}
