/* atomic_file.c - see atomic_file.h.
 *
 * The temporary file has a short hidden name of its own, so that a target may have the longest name
 * that the file system takes, and everything goes by the folder's descriptor, so that its path may
 * be the longest, too. Its writer holds a lock on it: who gets that lock has found one whose writer
 * is dead, also where that one ran in a container or, on a network, on another machine.
 *
 * Easy to get wrong: another process may sweep the file between its making and its locking, so the
 * writer looks whether it is still linked once it has the lock.
 */
#include "app/files/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES 65536
#define PREFIX       ".safelight-"
#define SUFFIX       ".part"
#define DIGITS       12 /* random ones between them */
#define NAME_ROOM    (sizeof PREFIX - 1 + DIGITS + sizeof SUFFIX)
#define MAX_LINKS    40 /* as the kernel */

struct SlAtomicFile {
    int fd, folder;
    int error;  /* errno of the first failure */
    bool fresh; /* it replaces nothing */
    size_t used;
    char *path;       /* what was asked for, links resolved */
    const char *name; /* its last part */
    char temporary[NAME_ROOM];
    unsigned char buffer[BUFFER_BYTES];
};

static void free_file(SlAtomicFile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->folder >= 0)
        close(file->folder);
    free(file->path);
    free(file);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- where the file goes ---- */

/* EACCES for a link of another person, in a folder where everyone may make files: the kernel does not
 * follow such a link either (protected_symlinks). Another errno where it cannot be known; 0: it is none. */
static int trap(const char *path, const struct stat *link)
{
    struct stat folder;
    size_t length = (size_t)(name_of(path) - path);
    char *above = length ? strndup(path, length) : strdup(".");
    int error = !above ? ENOMEM : stat(above, &folder) != 0 ? errno : 0;
    free(above);
    if (error)
        return error;
    bool open_to_all = (folder.st_mode & S_ISVTX) && (folder.st_mode & S_IWOTH);
    return open_to_all && link->st_uid != geteuid() && link->st_uid != folder.st_uid ? EACCES : 0;
}

/* What the link at path names, relative to the folder that it lies in; malloc'ed, NULL with
 * errno. */
static char *follow(const char *path)
{
    char target[PATH_MAX], *whole = NULL;
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return NULL;
    target[length] = '\0';
    if (*target == '/')
        return strdup(target);
    return asprintf(&whole, "%.*s%s", (int)(name_of(path) - path), path, target) < 0 ? NULL : whole;
}

/* The end of a chain of links, whether there is a file or not; malloc'ed, NULL with errno. */
static char *resolve(const char *path)
{
    struct stat st;
    char *at = strdup(path);
    for (int links = 0; at && lstat(at, &st) == 0 && S_ISLNK(st.st_mode); links++) {
        int refused = links == MAX_LINKS ? ELOOP : trap(at, &st);
        char *next = refused ? NULL : follow(at);
        int error = refused ? refused : errno;
        free(at);
        at = next;
        errno = error;
    }
    return at;
}

/* What an existing file's permissions are; those of a new one are the kernel's business, which
 * knows the umask. A name that the file system does not take shows here, not at the rename. */
static bool check_target(const SlAtomicFile *file, mode_t *mode, bool *exists, SlError *err)
{
    struct stat st;
    if (!*file->name) /* "folder/" */
        return sl_fail(err, SL_IO, "%s: cannot be written: it is a folder, not a file", file->path);
    *exists = fstatat(file->folder, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*exists && errno == ENOENT)
        return true;
    if (!*exists || file->fresh)
        return sl_fail(err, SL_IO, "%s: cannot be written: %s", file->path,
                       strerror(*exists ? EEXIST : errno));
    if (!S_ISREG(st.st_mode))
        return sl_fail(err, SL_IO, "%s: cannot be written: it is %s, not a file", file->path,
                       S_ISDIR(st.st_mode) ? sl_words("a folder") : sl_words("a device or a pipe"));
    *mode = st.st_mode & 0777;
    return true;
}

/* ---- what dead processes left ---- */

static bool is_temporary(const char *name)
{
    size_t prefix = strlen(PREFIX);
    return strlen(name) == NAME_ROOM - 1 && strncmp(name, PREFIX, prefix) == 0 &&
           strspn(name + prefix, "0123456789abcdef") == DIGITS &&
           strcmp(name + prefix + DIGITS, SUFFIX) == 0;
}

/* Removes it when it is this person's and no one writes it any more. */
static void sweep_one(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

/* True once for each of the last folders: reading a large one takes milliseconds. */
static bool is_first_visit(int folder)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct {
        dev_t device;
        ino_t inode;
    } visited[16];
    static unsigned count;
    struct stat st;
    if (fstat(folder, &st) != 0)
        return false;
    pthread_mutex_lock(&lock);
    bool first = true;
    for (unsigned i = 0; i < 16 && i < count; i++)
        if (visited[i].device == st.st_dev && visited[i].inode == st.st_ino)
            first = false;
    if (first) {
        visited[count % 16].device = st.st_dev;
        visited[count++ % 16].inode = st.st_ino;
    }
    pthread_mutex_unlock(&lock);
    return first;
}

static void sweep(int folder)
{
    int fd = is_first_visit(folder) ? openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (is_temporary(entry->d_name))
            sweep_one(folder, entry->d_name);
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
}

/* ---- the temporary file ---- */

static bool random_name(char name[NAME_ROOM])
{
    unsigned char bytes[DIGITS / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    size_t n = (size_t)sprintf(name, PREFIX);
    for (size_t i = 0; i < sizeof bytes; i++)
        n += (size_t)sprintf(name + n, "%02x", bytes[i]);
    memcpy(name + n, SUFFIX, sizeof SUFFIX);
    return true;
}

/* Whether no one sweeps it. A file system without locks has no leftovers swept. */
static bool hold(int fd)
{
    struct stat st;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &st) != 0 || st.st_nlink > 0;
}

/* Made and locked; false with errno. */
static bool make_temporary(SlAtomicFile *file, mode_t mode)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        if (!random_name(file->temporary))
            return false;
        file->fd = openat(file->folder, file->temporary,
                          O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (file->fd < 0 && errno != EEXIST)
            return false;
        if (file->fd >= 0 && hold(file->fd))
            return true;
        if (file->fd >= 0) {
            close(file->fd); /* another process is about to remove it, or has */
            unlinkat(file->folder, file->temporary, 0);
        }
        file->fd = -1;
    }
    errno = EEXIST;
    return false;
}

/* The folder that path lies in; -1 with errno. */
static int open_folder(const char *path, const char *name)
{
    size_t length = (size_t)(name - path);
    char *folder = length ? strndup(path, length) : strdup(".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    /* one that may be written to and not listed */
    if (fd < 0 && folder && errno == EACCES)
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return fd;
}

static bool open_all(SlAtomicFile *file, const char *path, SlError *err)
{
    mode_t mode = 0666;
    bool exists = false;
    file->path = file->fresh ? strdup(path) : resolve(path);
    file->name = file->path ? name_of(file->path) : NULL;
    file->folder = file->path ? open_folder(file->path, file->name) : -1;
    if (file->folder >= 0) {
        if (!check_target(file, &mode, &exists, err))
            return false;
        sweep(file->folder);
        if (make_temporary(file, mode) && (!exists || fchmod(file->fd, mode) == 0))
            return true;
    }
    return sl_fail(err, errno == ENOMEM ? SL_MEMORY : SL_IO, "%s: cannot be written: %s", path,
                   strerror(errno));
}

static SlAtomicFile *open_file(const char *path, bool fresh, SlError *err)
{
    if (!*path) {
        sl_fail(err, SL_IO, "the name of the file to write is empty");
        return NULL;
    }
    SlAtomicFile *file = calloc(1, sizeof *file);
    if (!file) {
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
        return NULL;
    }
    file->fd = file->folder = -1;
    file->fresh = fresh;
    if (open_all(file, path, err))
        return file;
    sl_atomic_abandon(file);
    return NULL;
}

SlAtomicFile *sl_atomic_open(const char *path, SlError *err)
{
    return open_file(path, false, err);
}

SlAtomicFile *sl_atomic_open_new(const char *path, SlError *err)
{
    return open_file(path, true, err);
}

/* ---- writing ---- */

static void write_out(SlAtomicFile *file, const unsigned char *data, size_t bytes)
{
    while (bytes > 0 && !file->error) {
        ssize_t n = write(file->fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            file->error = n < 0 ? errno : ENOSPC;
            return;
        }
        data += n;
        bytes -= (size_t)n;
    }
}

static void flush_buffer(SlAtomicFile *file)
{
    write_out(file, file->buffer, file->used);
    file->used = 0;
}

void sl_atomic_write(SlAtomicFile *file, const void *data, size_t bytes)
{
    if (file->error)
        return;
    if (bytes > BUFFER_BYTES - file->used)
        flush_buffer(file);
    if (bytes >= BUFFER_BYTES) {
        write_out(file, data, bytes);
        return;
    }
    memcpy(file->buffer + file->used, data, bytes);
    file->used += bytes;
}

/* ---- the end ---- */

/* The lock goes with the last descriptor, so the file is renamed before it is closed; what closing
 * still tells (a quota on a network) comes from closing another descriptor of it first. */
static int close_copy(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy >= 0 && close(copy) != 0 ? errno : 0;
}

/* By its descriptor, wherever the folder is by now. A file whose permissions forbid reading is not
 * read. */
static bool read_back(const SlAtomicFile *file, SlAtomicCheck check, void *arg, SlError *err)
{
    char written[40];
    SlError problem = {0};
    snprintf(written, sizeof written, "/proc/self/fd/%d", file->fd);
    if (access(written, R_OK) != 0 || check(arg, written, &problem))
        return true;
    const char *message = problem.message;
    if (strncmp(message, written, strlen(written)) == 0)
        message += strlen(written) + 2; /* "NAME: " */
    return sl_fail(err, problem.code, "%s", message);
}

/* Whether a file system has no such call, in the words that they have for it. */
static bool is_missing(int error)
{
    return error == EINVAL || error == ENOSYS || error == ENOTSUP || error == EPERM ||
           error == EMLINK;
}

/* Gives the file its name where nothing has it: in one call, by a second name where the file system
 * (NFS) has no such call, and where it has none of those either (FAT on old kernels) as well as can
 * be. errno, or 0. */
static int rename_new(const SlAtomicFile *file)
{
    struct stat st;
    int folder = file->folder;
#ifdef RENAME_NOREPLACE
    if (renameat2(folder, file->temporary, folder, file->name, RENAME_NOREPLACE) == 0)
        return 0;
    if (!is_missing(errno))
        return errno;
#endif
    if (linkat(folder, file->temporary, folder, file->name, 0) == 0) {
        unlinkat(folder, file->temporary, 0);
        return 0;
    }
    if (!is_missing(errno))
        return errno;
    if (fstatat(folder, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat(folder, file->temporary, folder, file->name) == 0 ? 0 : errno;
}

static int rename_to(const SlAtomicFile *file)
{
    if (file->fresh)
        return rename_new(file);
    return renameat(file->folder, file->temporary, file->folder, file->name) == 0 ? 0 : errno;
}

static bool commit(SlAtomicFile *file, SlAtomicCheck check, void *arg, SlError *err)
{
    SlError problem = {0};
    flush_buffer(file);
    if (!file->error && fsync(file->fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        file->error = errno;
    if (!file->error)
        file->error = close_copy(file->fd);
    bool right = file->error || !check || read_back(file, check, arg, &problem);
    if (!file->error && right)
        file->error = rename_to(file);
    if (file->error)
        sl_fail(err, SL_IO, "%s: cannot be written: %s", file->path, strerror(file->error));
    else if (!right)
        sl_fail(err, problem.code, "%s: is not written, since it could not be read back: %s",
                file->path, problem.message);
    bool ok = right && !file->error;
    if (ok)
        fsync(file->folder); /* makes the rename durable, where the file system can */
    else
        unlinkat(file->folder, file->temporary, 0);
    return ok;
}

bool sl_atomic_commit_checked(SlAtomicFile *file, SlAtomicCheck check, void *arg, SlError *err)
{
    bool ok = commit(file, check, arg, err);
    free_file(file);
    return ok;
}

bool sl_atomic_commit(SlAtomicFile *file, SlError *err)
{
    return sl_atomic_commit_checked(file, NULL, NULL, err);
}

void sl_atomic_abandon(SlAtomicFile *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        unlinkat(file->folder, file->temporary, 0);
    free_file(file);
}

bool sl_atomic_check(const char *path, SlError *err)
{
    SlAtomicFile *file = sl_atomic_open(path, err);
    sl_atomic_abandon(file);
    return file != NULL;
}

/* The folder that a file at path would be in; false where it cannot be looked at. */
static bool look_at_folder(const char *path, struct stat *st)
{
    size_t length = (size_t)(name_of(path) - path);
    char *folder = length ? strndup(path, length) : strdup(".");
    bool ok = folder && stat(folder, st) == 0;
    free(folder);
    return ok;
}

bool sl_same_place(const char *a, const char *b)
{
    struct stat of_a, of_b;
    char *end_a = resolve(a), *end_b = resolve(b);
    bool same = end_a && end_b && !strcmp(name_of(end_a), name_of(end_b)) &&
                look_at_folder(end_a, &of_a) && look_at_folder(end_b, &of_b) &&
                of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
    free(end_a);
    free(end_b);
    return same;
}

const char *sl_make_folder(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0)
        return NULL;
    int error = errno;
    if (error != EEXIST || stat(path, &st) != 0)
        return strerror(error);
    return S_ISDIR(st.st_mode) ? NULL : sl_words("this is no folder");
}

bool sl_is_taken(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static bool write_all(SlAtomicFile *file, const void *data, size_t bytes, SlError *err)
{
    if (!file)
        return false;
    sl_atomic_write(file, data, bytes);
    return sl_atomic_commit(file, err);
}

bool sl_write_file(const char *path, const void *data, size_t bytes, SlError *err)
{
    return write_all(sl_atomic_open(path, err), data, bytes, err);
}

bool sl_write_new_file(const char *path, const void *data, size_t bytes, SlError *err)
{
    return write_all(sl_atomic_open_new(path, err), data, bytes, err);
}
