/* test_host_limits.c - how much memory the process may use: what each source says, from folders that
 * look like /proc and /sys/fs/cgroup, and a limit of the process itself. */
#include "kernels/kernels.h"
#include "test.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static char root[] = "/tmp/safelight-limits-XXXXXX";

/* Writes root/path, and the folders that it is in. */
static void put(const char *path, const char *text)
{
    char full[300];
    int n = snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *slash = full + sizeof root; slash < full + n && (slash = strchr(slash, '/'));
         slash++) {
        *slash = 0;
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *f = fopen(full, "w");
    if (!f || fputs(text, f) < 0 || fclose(f))
        abort();
}

static void expect(size_t mib, const char *what)
{
    size_t left = sl_host_memory_left(root);
    sl_test(left == (mib == SIZE_MAX ? SIZE_MAX : mib * MIB), "%s: %zu MiB", what, left / MIB);
}

static void test_files(void)
{
    expect(SIZE_MAX, "nothing says anything");
    put("proc/meminfo", "MemTotal: 9000000 kB\nMemFree: 1 kB\nMemAvailable:  4096000 kB\n"
                        "SwapTotal: 4096000 kB\nSwapFree: 1024000 kB\n");
    expect(5000, "free memory, and swap");
    put("proc/self/cgroup", "0::/user/session\n");
    put("sys/fs/cgroup/user/session/memory.max", "max\n");
    put("sys/fs/cgroup/user/session/memory.current", "1048576\n");
    expect(5000, "a control group without a limit");
    put("sys/fs/cgroup/user/memory.max", "1073741824\n");
    put("sys/fs/cgroup/user/memory.current", "536870912\n");
    put("sys/fs/cgroup/user/memory.stat",
        "anon 5\ninactive_file 104857600\nactive_file 104857600\n");
    put("sys/fs/cgroup/user/memory.swap.max", "0\n");
    put("sys/fs/cgroup/user/memory.swap.current", "0\n");
    expect(712, "a limit of the group above; what it caches goes when it is wanted");
    put("sys/fs/cgroup/user/session/memory.max", "209715200\n");
    put("sys/fs/cgroup/user/session/memory.swap.max", "max\n");
    put("proc/meminfo", "MemAvailable: 4096000 kB\nSwapFree: 0 kB\n");
    expect(199, "and one of its own");
    put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/elsewhere\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "314572800\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "209715200\n");
    put("sys/fs/cgroup/memory/memory.stat", "cache 7\ntotal_inactive_file 52428800\n");
    expect(150, "version 1, whose path is the host's: the topmost folder counts");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "419430400\n");
    expect(0, "more is used than the limit allows");
}

#ifndef __SANITIZE_ADDRESS__ /* which has more than any limit */
static void test_process(int resource, const char *name)
{
    struct rlimit was, limit, now;
    getrlimit(resource, &was);
    limit = was;
    limit.rlim_cur = 4096 * MIB;
    if (setrlimit(resource, &limit) != 0) {
        sl_test_note("%s cannot be set here", name);
        return;
    }
    getrlimit(resource, &now);
    size_t left = sl_host_memory_left("");
    setrlimit(resource, &was);
    if (now.rlim_cur != limit.rlim_cur) {
        sl_test_note("%s is not kept here (qemu-user)", name);
        return;
    }
    sl_test(left < 4096 * MIB, "%s of 4 GiB leaves %zu MiB", name, left / MIB);
}
#endif

int main(void)
{
    if (!mkdtemp(root))
        return 1;
    test_files();
#ifndef __SANITIZE_ADDRESS__
    test_process(RLIMIT_AS, "RLIMIT_AS");
    test_process(RLIMIT_DATA, "RLIMIT_DATA");
#endif
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", root);
    sl_test(system(command) == 0, "the folder is removed");
    return sl_test_done();
}
