/* test_atomic_file.c - names of any length, links, permissions, and what a killed process leaves. */
#include "app/files/atomic_file.h"
#include "app/files/read_file.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/safelight-atomic-XXXXXX";

static const char *in(const char *name)
{
    static char paths[4][4200];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static bool writes(const char *path, const char *text)
{
    SlError err = {0};
    bool ok = sl_write_file(path, text, strlen(text), &err);
    if (!ok)
        sl_test_note("%s", err.message);
    return ok;
}

static bool holds(const char *path, const char *text)
{
    size_t bytes = 0;
    SlError err = {0};
    char *data = (char *)sl_read_file(path, 1000, &bytes, &err);
    bool same = data && strcmp(data, text) == 0;
    free(data);
    return same;
}

static int count_hidden(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        count += strncmp(e->d_name, ".safelight-", 11) == 0;
    if (dir)
        closedir(dir);
    return count;
}

/* ---- names ---- */

static void test_names(void)
{
    char name[300], deep[4090];
    SlError err = {0};
    bool all = true;
    for (int n = 240; n <= 255; n++) {
        memset(name, 'n', (size_t)n);
        name[n] = '\0';
        all = writes(in(name), name) && holds(in(name), name) && all;
    }
    sl_test(all, "names of 240 to 255 bytes");
    memset(name, 'n', 256);
    name[256] = '\0';
    sl_test(!sl_atomic_check(in(name), &err) && strstr(err.message, "too long"),
            "256 bytes are refused before the work: %.80s", err.message + 250);
    sl_test(count_hidden(folder) == 0, "and leave nothing");
    snprintf(deep, sizeof deep, "%s", folder);
    while (strlen(deep) + 101 + 4 < sizeof deep) {
        memset(name, 'd', 100);
        name[100] = '\0';
        snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "/%s", name);
        if (mkdir(deep, 0700) != 0)
            break;
    }
    snprintf(
        name, sizeof name, "/%.*s", (int)(4095 - strlen(deep) - 1),
        "ffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
    char longest[4400];
    snprintf(longest, sizeof longest, "%s%s", deep, name);
    sl_test(writes(longest, "x") && holds(longest, "x"), "a path of %zu bytes", strlen(longest));
}

/* ---- links ---- */

static void test_links(void)
{
    struct stat st;
    SlError err = {0};
    mkdir(in("sub"), 0700);
    sl_test(symlink("sub/target", in("link")) == 0 && writes(in("link"), "one") &&
                holds(in("sub/target"), "one") && lstat(in("link"), &st) == 0 &&
                S_ISLNK(st.st_mode),
            "a dangling link is followed: the file is made where it points");
    sl_test(writes(in("link"), "two") && holds(in("sub/target"), "two") &&
                lstat(in("link"), &st) == 0 && S_ISLNK(st.st_mode),
            "and replaced there; the link stays");
    sl_test(symlink("link", in("second")) == 0 && writes(in("second"), "three") &&
                holds(in("sub/target"), "three"),
            "links to links");
    sl_test(symlink(in("gone/away"), in("nowhere")) == 0 && !sl_atomic_check(in("nowhere"), &err) &&
                strstr(err.message, "No such file"),
            "a link into no folder: %s", err.message);
    sl_test(symlink("loop", in("loop")) == 0 && !sl_atomic_check(in("loop"), &err) &&
                strstr(err.message, "symbolic links"),
            "a loop: %s", err.message);
    sl_test(symlink("sub", in("tosub")) == 0 && !sl_atomic_check(in("tosub"), &err) &&
                strstr(err.message, "a folder"),
            "a link to a folder: %s", err.message);
    sl_test(!sl_atomic_check(in("sub/"), &err) && strstr(err.message, "a folder"),
            "a folder with a slash: %s", err.message);
    sl_test(mkfifo(in("fifo"), 0600) == 0 && !sl_atomic_check(in("fifo"), &err) &&
                strstr(err.message, "not a file"),
            "a pipe: %s", err.message);
    if (geteuid() == 0) { /* who else could make another's link */
        sl_test(mkdir(in("all"), 0700) == 0 && chmod(in("all"), 01777) == 0 &&
                    symlink(in("sub/target"), in("all/theirs")) == 0 &&
                    lchown(in("all/theirs"), 12345, 12345) == 0 &&
                    !sl_atomic_check(in("all/theirs"), &err) && strstr(err.message, "denied"),
                "another's link in a folder for everyone: %s", err.message);
    }
}

/* ---- permissions ---- */

static void *write_many(void *arg)
{
    for (int i = 0; i < 50; i++)
        writes(arg, "text");
    return NULL;
}

static void test_permissions(void)
{
    struct stat st;
    pthread_t writer;
    bool right = true;
    char busy[200];
    snprintf(busy, sizeof busy, "%s/busy", folder);
    umask(027);
    sl_test(writes(in("new"), "x") && stat(in("new"), &st) == 0 && (st.st_mode & 0777) == 0640,
            "a new file's permissions are what the umask leaves");
    sl_test(chmod(in("new"), 0604) == 0 && writes(in("new"), "y") && stat(in("new"), &st) == 0 &&
                (st.st_mode & 0777) == 0604,
            "an old one's stay");
    pthread_create(&writer, NULL, write_many, busy);
    for (int i = 0; i < 2000; i++) {
        int fd = open(in("other"), O_CREAT | O_EXCL | O_WRONLY, 0666);
        right = fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0640 && right;
        close(fd);
        unlink(in("other"));
    }
    pthread_join(writer, NULL);
    sl_test(right, "while one thread writes, another's files keep to the umask");
    umask(022);
}

/* ---- what is left behind ---- */

/* A process that has begun to write path and waits. */
static pid_t start_writer(const char *path)
{
    int ready[2];
    char byte;
    SlError err;
    if (pipe(ready) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        SlAtomicFile *file = sl_atomic_open(path, &err);
        sl_atomic_write(file, "half", 4);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    bool ok = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    close(ready[1]);
    return ok ? pid : -1;
}

static void test_leftovers(void)
{
    mkdir(in("left"), 0700);
    mkdir(in("left2"), 0700);
    pid_t dead = start_writer(in("left/a")), alive = start_writer(in("left/b"));
    kill(dead, SIGKILL);
    waitpid(dead, NULL, 0);
    int fd = open(in("left/.safelight-0123456789ab.part.txt"), O_CREAT | O_WRONLY, 0600);
    close(fd);
    symlink("nothing", in("left/.safelight-0123456789ab.part"));
    mkfifo(in("left/.safelight-0123456789ac.part"), 0600);
    sl_test(count_hidden(in("left")) == 5, "two begun files and three that only look like it");
    sl_test(writes(in("left/c"), "x") && count_hidden(in("left")) == 4,
            "the next file in the folder sweeps what the dead process left, and nothing else");
    kill(alive, SIGKILL);
    waitpid(alive, NULL, 0);
    if (geteuid() == 0) {
        fd = open(in("left2/.safelight-0123456789ad.part"), O_CREAT | O_WRONLY, 0600);
        sl_test(fd >= 0 && fchown(fd, 12345, 12345) == 0 && close(fd) == 0 &&
                    writes(in("left2/c"), "x") && count_hidden(in("left2")) == 1,
                "another's file is left alone");
    }
}

/* ---- files that replace nothing ---- */

/* What a file system lacks. */
static bool no_rename, no_links;

int renameat2(int in, const char *from, int out, const char *to, unsigned flags)
{
    if (!no_rename)
        return (int)syscall(SYS_renameat2, in, from, out, to, flags);
    errno = EINVAL;
    return -1;
}

int linkat(int in, const char *from, int out, const char *to, int flags)
{
    if (!no_links)
        return (int)syscall(SYS_linkat, in, from, out, to, flags);
    errno = EPERM;
    return -1;
}

static char raced[100]; /* what all threads write */

static void *write_new(void *text)
{
    SlError err;
    return sl_write_new_file(raced, text, strlen(text), &err) ? text : NULL;
}

/* Of threads that write one name at once, one does. */
static void race(const char *how)
{
    static char texts[8][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    pthread_t threads[8];
    int won = 0;
    const char *text = NULL;
    snprintf(raced, sizeof raced, "%s/fresh/raced", folder);
    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, write_new, texts[i]) != 0)
            abort();
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        won += result != NULL;
        text = result ? result : text;
    }
    sl_test(won == 1 && holds(raced, text) && unlink(raced) == 0,
            "one of eight writes a new file, %s: %d", how, won);
}

static void test_new(void)
{
    static const char *const how[] = {"renamed", "linked", "looked for before"};
    mkdir(in("fresh"), 0700);
    sl_test(symlink("nothing", in("fresh/link")) == 0 && sl_is_taken(in("fresh/link")) &&
                !sl_is_taken(in("fresh/nothing")),
            "a link to nothing takes its name");
    for (int i = 0; i < 3; i++) {
        SlError err = {0}, late = {0}, link = {0};
        no_rename = i > 0;
        no_links = i > 1;
        sl_test(sl_write_new_file(in("fresh/a"), "first", 5, &err) && holds(in("fresh/a"), "first"),
                "a new file, %s %s", how[i], err.message);
        bool again = sl_write_new_file(in("fresh/a"), "second", 6, &err);
        bool through = sl_write_new_file(in("fresh/link"), "second", 6, &link);
        sl_test(!again && err.code == SL_IO &&
                    strstr(err.message, "fresh/a: cannot be written: ") && !through &&
                    link.code == SL_IO && holds(in("fresh/a"), "first") &&
                    !sl_is_taken(in("fresh/nothing")),
                "what is there stays: %s", err.message);
        SlAtomicFile *file = sl_atomic_open_new(in("fresh/b"), &err);
        sl_test(file && writes(in("fresh/b"), "other") && !sl_atomic_commit(file, &late) &&
                    strstr(late.message, "fresh/b: cannot be written: ") &&
                    holds(in("fresh/b"), "other") && count_hidden(in("fresh")) == 0,
                "and so does what came meanwhile: %s", late.message);
        unlink(in("fresh/a"));
        unlink(in("fresh/b"));
        if (!no_links)
            race(how[i]);
    }
    no_rename = no_links = false;
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_names();
    test_links();
    test_permissions();
    test_leftovers();
    test_new();
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        sl_test_note("%s is left behind", folder);
    return sl_test_done();
}
