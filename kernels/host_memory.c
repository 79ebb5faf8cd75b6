/* host_memory.c - the host's memory, for devices that compute there. */
#include "kernels/devices.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Bytes of a block from which on it is worth some hundred microseconds to know that memory is there. */
#define LARGE ((size_t)32 << 20)

/* Large blocks on huge pages where the system gives them when asked: the first touch of gigabytes
 * is otherwise a quarter of the time of a first step. */
void *sl_host_alloc(SlDevice *dev, size_t bytes)
{
    (void)dev;
    const size_t huge = (size_t)2 << 20, alignment = bytes >= 2 * huge ? huge : 256;
    size_t rounded = (bytes + 255) / 256 * 256;
    if (alignment == huge)
        rounded = (bytes + huge - 1) / huge * huge;
    if (rounded < bytes || (rounded >= LARGE && rounded > sl_host_memory_left("")))
        return NULL;
    void *p = aligned_alloc(alignment, rounded ? rounded : 256);
#ifdef MADV_HUGEPAGE
    if (p && alignment == huge)
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
    (void)bytes;
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
