/* failing_memory.h - calls for memory that fail, for a test of what a library makes of that: this malloc stands
 * before the C library's, which glibc allows. For one source file of a program. */
#ifndef SL_TESTS_FAILING_MEMORY_H
#define SL_TESTS_FAILING_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

static bool counted;              /* whether calls are, at the moment */
static long asked, fails_at = -1; /* calls so far; which one fails, -1: none */

static bool refused(void)
{
    if (!counted || asked++ != fails_at)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    return refused() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return refused() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    return refused() ? NULL : __libc_realloc(block, bytes);
}

#endif
