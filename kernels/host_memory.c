/* host_memory.c - the host's memory, for devices that compute there. */
#include "kernels/devices.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Bytes of a block from which on it is worth some hundred microseconds to know that memory is there. */
#define LARGE ((size_t)32 << 20)

#define HUGE_PAGE ((size_t)2 << 20)

static size_t round_up(size_t bytes)
{
    size_t unit = bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : 256;
    return (bytes + unit - 1) / unit * unit;
}

/* Sanitizers watch what malloc gives. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FROM_SYSTEM 0
#else
#define FROM_SYSTEM 1
#endif

/* At a multiple of `alignment`, which the system's pages divide. It is where malloc takes blocks of
 * this size from as well; what malloc would write into them in tests (MALLOC_PERTURB_) is most of
 * the time of a small model. */
static void *map_block(size_t bytes, size_t alignment)
{
    if (bytes + alignment < bytes)
        return NULL;
    char *p =
        mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = (alignment - (uintptr_t)p % alignment) % alignment;
    if (before > 0)
        munmap(p, before);
    munmap(p + before + bytes, alignment - before);
    return p + before;
}

/* Large blocks on huge pages where the system gives them when asked: the first touch of gigabytes
 * is otherwise a quarter of the time of a first step. */
void *sl_host_alloc(SlDevice *dev, size_t bytes)
{
    (void)dev;
    const size_t alignment = bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : 256, rounded = round_up(bytes);
    if (rounded < bytes || (rounded >= LARGE && rounded > sl_host_memory_left("")))
        return NULL;
    void *p = FROM_SYSTEM && rounded >= LARGE ? map_block(rounded, alignment)
                                              : aligned_alloc(alignment, rounded ? rounded : 256);
#ifdef MADV_HUGEPAGE
    if (p && alignment == HUGE_PAGE)
        madvise(p, rounded, MADV_HUGEPAGE); /* a hint: refusing it costs nothing but time */
#endif
    return p;
}

/* From the system where it is much: what malloc has kept is of no use to a library that maps memory
 * for its code. */
bool sl_host_has_room(size_t bytes)
{
    if (bytes >= (size_t)1 << 20) {
        void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return p != MAP_FAILED && munmap(p, bytes) == 0;
    }
    void *volatile p = malloc(bytes); /* or the compiler would take both calls away */
    bool ok = p != NULL;
    free(p);
    return ok;
}

void sl_host_free(SlDevice *dev, void *p, size_t bytes)
{
    (void)dev;
    if (FROM_SYSTEM && p && round_up(bytes) >= LARGE)
        munmap(p, round_up(bytes));
    else
        free(p);
}

void sl_host_upload(SlDevice *dev, const void *host, void *p, size_t bytes)
{
    (void)dev;
    memcpy(p, host, bytes);
}

void sl_host_download(SlDevice *dev, const void *p, void *host, size_t bytes)
{
    (void)dev;
    memcpy(host, p, bytes);
}
