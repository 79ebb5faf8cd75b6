/* host_limits.c - how much memory this process may still use, before it is asked for.
 *
 * Linux gives memory out before it has it, and ends programs when it is touched and not there; so a
 * run that will not fit has to be refused by these numbers. Easy to get wrong: a control group's
 * usage counts the file cache, which goes when memory is wanted; every group above has a limit of
 * its own; in a container the path of the group may be the host's, and only the topmost folder is
 * there.
 */
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATH_ROOM 1024

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t plus(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static size_t minus(size_t a, size_t b)
{
    return a > b ? a - b : 0;
}

/* ---- small files ---- */

static FILE *open_under(const char *root, const char *folder, const char *name)
{
    char path[2 * PATH_ROOM];
    int n = snprintf(path, sizeof path, "%s%s%s", root, folder, name);
    return n > 0 && n < (int)sizeof path ? fopen(path, "re") : NULL;
}

/* The only number of a file; false where there is none, or it says "max". */
static bool read_number(const char *root, const char *folder, const char *name, size_t *out)
{
    unsigned long long value;
    FILE *f = open_under(root, folder, name);
    bool ok = f && fscanf(f, "%llu", &value) == 1;
    if (f)
        fclose(f);
    if (ok)
        *out = (size_t)value;
    return ok;
}

/* The sum of the named numbers of a file of "name number" or "name: number kB" lines; false where
 * it has none of them. */
static bool read_named(const char *root, const char *folder, const char *name,
                       const char *const *keys, size_t *out)
{
    char line[256], key[128];
    unsigned long long value;
    bool any = false;
    FILE *f = open_under(root, folder, name);
    *out = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%127[^: ]%*[: ]%llu", key, &value) != 2)
            continue;
        for (int i = 0; keys[i]; i++)
            if (!strcmp(key, keys[i])) {
                *out = plus(*out, (size_t)value * (strstr(line, " kB") ? 1024 : 1));
                any = true;
            }
    }
    if (f)
        fclose(f);
    return any;
}

/* ---- limits of the process ---- */

/* A limit minus what is used of it, by its place in /proc/self/statm (pages). */
static size_t left_of_limit(const char *root, int resource, int place)
{
    unsigned long long pages[7];
    struct rlimit limit;
    FILE *f;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        !(f = open_under(root, "/proc/self/", "statm")))
        return SIZE_MAX;
    int n = fscanf(f, "%llu %llu %llu %llu %llu %llu %llu", &pages[0], &pages[1], &pages[2],
                   &pages[3], &pages[4], &pages[5], &pages[6]);
    fclose(f);
    if (n != 7)
        return SIZE_MAX;
    return minus((size_t)limit.rlim_cur, (size_t)pages[place] * (size_t)sysconf(_SC_PAGESIZE));
}

/* ---- the machine ---- */

static size_t free_swap(const char *root)
{
    static const char *const swap[] = {"SwapFree", NULL};
    size_t bytes;
    return read_named(root, "/proc/", "meminfo", swap, &bytes) ? bytes : 0;
}

static size_t left_of_machine(const char *root)
{
    static const char *const available[] = {"MemAvailable", NULL};
    size_t bytes;
    return read_named(root, "/proc/", "meminfo", available, &bytes) ? plus(bytes, free_swap(root))
                                                                    : SIZE_MAX;
}

/* ---- control groups ---- */

static size_t left_of_group_2(const char *root, const char *folder)
{
    static const char *const cache[] = {"active_file", "inactive_file", "slab_reclaimable", NULL};
    size_t limit, used, reclaimable, swap = free_swap(root), swap_limit, swap_used;
    if (!read_number(root, folder, "/memory.max", &limit) ||
        !read_number(root, folder, "/memory.current", &used))
        return SIZE_MAX;
    read_named(root, folder, "/memory.stat", cache, &reclaimable);
    if (read_number(root, folder, "/memory.swap.max", &swap_limit) &&
        read_number(root, folder, "/memory.swap.current", &swap_used))
        swap = least(swap, minus(swap_limit, swap_used));
    return plus(minus(plus(limit, reclaimable), used), swap);
}

static size_t left_of_group_1(const char *root, const char *folder)
{
    static const char *const cache[] = {"total_active_file", "total_inactive_file", NULL};
    size_t limit, used, reclaimable, both, both_used;
    if (!read_number(root, folder, "/memory.limit_in_bytes", &limit) ||
        !read_number(root, folder, "/memory.usage_in_bytes", &used))
        return SIZE_MAX;
    read_named(root, folder, "/memory.stat", cache, &reclaimable);
    size_t left = plus(minus(plus(limit, reclaimable), used), free_swap(root));
    if (read_number(root, folder, "/memory.memsw.limit_in_bytes", &both) &&
        read_number(root, folder, "/memory.memsw.usage_in_bytes", &both_used))
        left = least(left, minus(plus(both, reclaimable), both_used));
    return left;
}

/* The least of a group and all above it. group: "/a/b", is changed. */
static size_t left_of_groups(const char *root, const char *mount, char *group,
                             size_t (*left_of)(const char *root, const char *folder))
{
    char folder[2 * PATH_ROOM];
    size_t left = SIZE_MAX;
    for (;;) {
        snprintf(folder, sizeof folder, "%s%s", mount, group);
        left = least(left, left_of(root, folder));
        char *slash = strrchr(group, '/');
        if (!slash)
            return left;
        *slash = 0;
    }
}

/* A line of /proc/self/cgroup: "0::/group" (v2), or "4:cpu,memory:/group" (v1). */
static size_t left_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return SIZE_MAX;
    *controllers++ = *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    if (!*controllers)
        return left_of_groups(root, "/sys/fs/cgroup", group, left_of_group_2);
    for (char *rest = controllers, *one; (one = strsep(&rest, ","));)
        if (!strcmp(one, "memory"))
            return left_of_groups(root, "/sys/fs/cgroup/memory", group, left_of_group_1);
    return SIZE_MAX;
}

static size_t left_of_cgroups(const char *root)
{
    char line[PATH_ROOM];
    size_t left = SIZE_MAX;
    FILE *f = open_under(root, "/proc/self/", "cgroup");
    while (f && fgets(line, sizeof line, f))
        left = least(left, left_of_line(root, line));
    if (f)
        fclose(f);
    return left;
}

size_t sl_host_memory_left(const char *root)
{
    size_t left = least(left_of_limit(root, RLIMIT_AS, 0), left_of_limit(root, RLIMIT_DATA, 5));
    return least(left, least(left_of_cgroups(root), left_of_machine(root)));
}
