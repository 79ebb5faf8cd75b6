/* read_ahead.c - see read_ahead.h. */
#include "engine/files/read_ahead.h"

#include "engine/files/file_kind.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Bytes between two looks whether to stop: naming them takes as long as a disk's queue is full. */
#define PIECE ((uint64_t)4 << 20)

struct SlReadAhead {
    SlWeightSource *weights;
    pthread_t thread;
    uint64_t left; /* bytes that may still be named */
    int stop;      /* atomic */
};

static bool name_pieces(SlReadAhead *a, int fd, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PIECE) {
        uint64_t bytes = size - at < PIECE ? size - at : PIECE;
        if (bytes > a->left || __atomic_load_n(&a->stop, __ATOMIC_RELAXED) ||
            posix_fadvise(fd, (off_t)at, (off_t)bytes, POSIX_FADV_WILLNEED) != 0)
            return false;
        a->left -= bytes;
    }
    return true;
}

static bool name_file(SlReadAhead *a, const char *path)
{
    uint64_t size;
    int fd = sl_file_open(path, &size, NULL);
    bool all = fd >= 0 && name_pieces(a, fd, size);
    if (fd >= 0)
        close(fd);
    return all;
}

/* The result: NULL if not all was named. */
static void *name_files(void *arg)
{
    SlReadAhead *a = arg;
    for (int i = 0; i < sl_weights_files(a->weights); i++)
        if (!name_file(a, sl_weights_file(a->weights, i)))
            return NULL;
    return a;
}

static void let_go(SlReadAhead *a)
{
    sl_weights_close(a->weights);
    free(a);
}

SlReadAhead *sl_read_ahead_begin(SlWeightSource *weights)
{
    SlReadAhead *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->weights = sl_weights_hold(weights);
    a->left = sl_host_memory_left("") / 2;
    if (pthread_create(&a->thread, NULL, name_files, a) == 0)
        return a;
    let_go(a);
    return NULL;
}

bool sl_read_ahead_wait(SlReadAhead *a)
{
    void *all = NULL;
    if (!a)
        return false;
    pthread_join(a->thread, &all);
    let_go(a);
    return all != NULL;
}

void sl_read_ahead_end(SlReadAhead *a)
{
    if (a)
        __atomic_store_n(&a->stop, 1, __ATOMIC_RELAXED);
    sl_read_ahead_wait(a);
}
