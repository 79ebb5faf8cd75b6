/* readdir.h - reading a folder's entries that fails where a test wants it. For one file of a test's program: it takes the
 * library's place. */
#ifndef SL_TESTS_READDIR_H
#define SL_TESTS_READDIR_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/types.h>

/* What it fails with, 0: it does not; and how many entries come before. */
static int readdir_error, readdir_entries;

struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*real)(DIR *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, sizeof(off_t) > sizeof(long) ? "readdir64" : "readdir");
    if (!readdir_error || readdir_entries-- > 0)
        return real(dir);
    errno = readdir_error;
    return NULL;
}

#endif
