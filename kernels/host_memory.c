/* host_memory.c - the host's memory, for devices that compute there. */
#include "kernels/devices.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Large blocks on huge pages where the system gives them when asked: the first touch of gigabytes
 * is otherwise a quarter of the time of a first step. */
void *sl_host_alloc(SlDevice *dev, size_t bytes)
{
    (void)dev;
    const size_t huge = (size_t)2 << 20, alignment = bytes >= 2 * huge ? huge : 256;
    size_t rounded = (bytes + 255) / 256 * 256;
    if (alignment == huge)
        rounded = (bytes + huge - 1) / huge * huge;
    if (rounded < bytes)
        return NULL;
    void *p = aligned_alloc(alignment, rounded ? rounded : 256);
#ifdef MADV_HUGEPAGE
    if (p && alignment == huge)
        madvise(p, rounded, MADV_HUGEPAGE); /* a hint: refusing it costs nothing but time */
#endif
    return p;
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
