/* faults.c - a shim for LD_PRELOAD that lets the N-th call of one kind fail, from main on. What
 * sweep.py needs to find the calls whose failure the program does not survive.
 *
 *     FAULT_CALL=alloc FAULT_N=17 LD_PRELOAD=./faults.so safelight generate ...
 *
 * FAULT_CALL     a name of the table of kinds below
 * FAULT_N        which call of that kind fails, from 1; 0 or not set: none
 * FAULT_ERROR    a name of the table of errors below (for memory always ENOMEM), or "short" (read,
 *                pread, write: half of what was asked for) or "end" (read, pread: nothing)
 * FAULT_FOREVER  set: the calls after the N-th fail, too
 * FAULT_RECORD   a file that gets a line "kind n stack place" per call: a hash of the return addresses,
 *                and the innermost of them that is the program's, both the same in every run
 * FAULT_LOG      a file that gets the stack of the first call that was made to fail
 *
 * As `alloc` counts what the program, the C library and the small libraries ask memory for, as
 * `onednn` what that library does, which does not check all of it (kernels/cpu/guard.cpp). The shim itself must not allocate within a call that it counts, so it writes with
 * system calls of its own. It needs glibc, whose allocator has a second name for each function.
 */
#undef _FILE_OFFSET_BITS /* open and open64 are two functions here */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

typedef enum Kind {
    ALLOC,
    ONEDNN,
    OPEN,
    READ,
    PREAD,
    WRITE,
    FSYNC,
    RENAME,
    CLOSE,
    STAT,
    MKDIR,
    TRUNCATE,
    CHMOD,
    UNLINK,
    THREAD,
    FOLDER,
    REALPATH,
    LOCK,
    KINDS
} Kind;

static const char *const kinds[KINDS] = {
    "alloc", "onednn", "open",     "read",  "pread",  "write",  "fsync",  "rename",   "close",
    "stat",  "mkdir",  "truncate", "chmod", "unlink", "thread", "folder", "realpath", "lock"};

static const struct {
    const char *name;
    int number;
} errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
              {"EINTR", EINTR},   {"EACCES", EACCES}, {"EMFILE", EMFILE},
              {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM}, {"EROFS", EROFS}};

/* Code, and as what it asks for memory; KINDS: that is not counted. */
typedef struct Asking {
    uintptr_t base, from, to;
    Kind kind;
} Asking;

static struct {
    bool on;
    Kind kind; /* KINDS: none fails */
    long n;
    bool forever;
    int number; /* errno */
    bool half, end;
    int record;
    const char *log;
    bool logged;
    long count[KINDS];
    Asking asking[256]; /* who may ask for memory */
    int asks;
    uintptr_t program; /* its base */
} fault = {.kind = KINDS, .number = EIO, .record = -1};

static __thread int inside; /* the shim's own calls are not counted */

/* ---- which memory counts ---- */

static int note_range(struct dl_phdr_info *info, size_t size, void *arg)
{
    static const struct {
        const char *name;
        Kind kind;
    } libraries[] = {{"libc.so", ALLOC},  {"libpng", ALLOC},       {"libz.so", ALLOC},
                     {"libcjson", ALLOC}, {"libwebp", ALLOC},      {"libunistring", ALLOC},
                     {"libdnnl", ONEDNN}, {"libstdc++.so", ONEDNN}};
    Kind kind = info->dlpi_name[0] ? KINDS : ALLOC; /* the program */
    if (!info->dlpi_name[0] && !fault.asks)
        fault.program = info->dlpi_addr;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strstr(info->dlpi_name, libraries[i].name))
            kind = libraries[i].kind;
    for (int i = 0; i < info->dlpi_phnum && fault.asks < 256; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t base = info->dlpi_addr, from = base + part->p_vaddr;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X))
            fault.asking[fault.asks++] = (Asking){base, from, from + part->p_memsz, kind};
    }
    return 0;
}

/* Whose code this is; KINDS and from 0: nobody's that was there before main. */
static Asking who_asks(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    for (int i = 0; i < fault.asks; i++)
        if (at >= fault.asking[i].from && at < fault.asking[i].to)
            return fault.asking[i];
    return (Asking){.kind = KINDS};
}

/* ---- counting ---- */

static int open_for_shim(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
}

static void put(int fd, const char *text, int bytes)
{
    if (syscall(SYS_write, fd, text, bytes) != bytes)
        _exit(97); /* a sweep with half a record would lie */
}

static void record_call(Kind kind, long n)
{
    void *stack[8]; /* deeper, every layer of a net would be a place of its own */
    char line[80];
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    uintptr_t place = 0;
    int depth = backtrace(stack, 8);
    for (int i = 2; i < depth; i++) {
        Asking who = who_asks(stack[i]);
        uintptr_t at = (uintptr_t)stack[i] - who.base;
        hash = (hash ^ at) * 1099511628211u;
        if (!place && who.from && who.base == fault.program)
            place = at;
    }
    put(fault.record, line,
        snprintf(line, sizeof line, "%s %ld %016llx %llx\n", kinds[kind], n,
                 (unsigned long long)hash, (unsigned long long)place));
}

static void log_stack(void)
{
    void *stack[40];
    int fd;
    if (!fault.log || __atomic_exchange_n(&fault.logged, true, __ATOMIC_SEQ_CST) ||
        (fd = open_for_shim(fault.log, O_TRUNC)) < 0)
        return;
    backtrace_symbols_fd(stack, backtrace(stack, 40), fd);
    syscall(SYS_close, fd);
}

/* Counts a call; true if it has to fail. */
static bool hit(Kind kind)
{
    if (!fault.on || inside)
        return false;
    long n = __atomic_add_fetch(&fault.count[kind], 1, __ATOMIC_SEQ_CST);
    bool fails = kind == fault.kind && (n == fault.n || (fault.forever && n > fault.n));
    inside++;
    if (fault.record >= 0)
        record_call(kind, n);
    if (fails)
        log_stack();
    inside--;
    return fails;
}

static int fail(void)
{
    errno = fault.number;
    return -1;
}

/* ---- memory ---- */

static bool no_memory(Kind kind)
{
    if (kind == KINDS || !hit(kind))
        return false;
    errno = ENOMEM;
    return true;
}

#define ASKED who_asks(__builtin_return_address(0)).kind

void *malloc(size_t bytes)
{
    return no_memory(ASKED) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return no_memory(ASKED) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    return no_memory(ASKED) ? NULL : __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return no_memory(ASKED) ? NULL : __libc_memalign(alignment, bytes);
}

/* The program's own hands on what oneDNN asks for. */
int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    void *got =
        no_memory(ASKED == ALLOC ? ONEDNN : ASKED) ? NULL : __libc_memalign(alignment, bytes);
    if (!got)
        return ENOMEM;
    *block = got;
    return 0;
}

#define MAPS(name, offset_type)                                                           \
    void *name(void *at, size_t bytes, int access, int flags, int fd, offset_type offset) \
    {                                                                                     \
        if (fd < 0 && no_memory(ASKED))                                                   \
            return MAP_FAILED;                                                            \
        return (void *)syscall(SYS_mmap, at, bytes, access, flags, fd, offset);           \
    }

MAPS(mmap, off_t)
MAPS(mmap64, off64_t)

/* ---- functions behind the shim ---- */

/* The function of this name behind the shim. */
static void *behind(void **known, const char *name)
{
    if (!*known) {
        inside++;
        *known = dlsym(RTLD_NEXT, name);
        inside--;
    }
    return *known;
}

#define BEHIND(name)    \
    static void *known; \
    __typeof__(&(name)) next = (__typeof__(&(name)))behind(&known, #name)

/* libwebp's decoder follows a NULL where memory runs out. The program asks for what it may need before it
 * calls it (app/image/animation_webp.c), so nothing fails within. */
int WebPAnimDecoderGetNext(void *decoder, uint8_t **rgba, int *ms);
int WebPAnimDecoderGetNext(void *decoder, uint8_t **rgba, int *ms)
{
    BEHIND(WebPAnimDecoderGetNext);
    inside++;
    int ok = next(decoder, rgba, ms);
    inside--;
    return ok;
}

/* Libraries that films are made with end the process where their constructors find no memory. */
void *dlopen(const char *name, int flags)
{
    BEHIND(dlopen);
    inside++;
    void *library = next(name, flags);
    inside--;
    return library;
}

/* ---- files ---- */

/* A function that gives -1 for a failure. */
#define FAILS(kind, type, name, declared, passed) \
    type name declared                            \
    {                                             \
        BEHIND(name);                             \
        return hit(kind) ? fail() : next passed;  \
    }

/* A function that gives NULL for a failure. */
#define FAILS_NULL(kind, type, name, declared, passed) \
    type name declared                                 \
    {                                                  \
        BEHIND(name);                                  \
        if (hit(kind)) {                               \
            fail();                                    \
            return NULL;                               \
        }                                              \
        return next passed;                            \
    }

/* A function that opens a file: the mode is there only with some flags, and passing it on does no
 * harm. */
#define OPENS(name, declared, path)            \
    int name declared                          \
    {                                          \
        va_list list;                          \
        va_start(list, flags);                 \
        mode_t mode = va_arg(list, mode_t);    \
        va_end(list);                          \
        BEHIND(name);                          \
        return hit(OPEN) ? fail() : next path; \
    }

/* A function that can also do less than it was asked for. */
#define PARTIAL(kind, name, declared, passed)      \
    ssize_t name declared                          \
    {                                              \
        BEHIND(name);                              \
        if (hit(kind)) {                           \
            if (fault.end)                         \
                return 0;                          \
            if (!fault.half)                       \
                return fail();                     \
            bytes = bytes > 1 ? bytes / 2 : bytes; \
        }                                          \
        return next passed;                        \
    }

OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENS(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))
FAILS(OPEN, int, mkostemp, (char *path, int flags), (path, flags))
FAILS(OPEN, int, mkostemp64, (char *path, int flags), (path, flags))
FAILS_NULL(OPEN, FILE *, fopen, (const char *path, const char *mode), (path, mode))
FAILS_NULL(OPEN, FILE *, fopen64, (const char *path, const char *mode), (path, mode))

PARTIAL(READ, read, (int fd, void *data, size_t bytes), (fd, data, bytes))
PARTIAL(PREAD, pread, (int fd, void *data, size_t bytes, off_t at), (fd, data, bytes, at))
PARTIAL(PREAD, pread64, (int fd, void *data, size_t bytes, off64_t at), (fd, data, bytes, at))
PARTIAL(WRITE, write, (int fd, const void *data, size_t bytes), (fd, data, bytes))

FAILS(FSYNC, int, fsync, (int fd), (fd))
FAILS(RENAME, int, rename, (const char *from, const char *to), (from, to))
FAILS(RENAME, int, renameat, (int in, const char *from, int out, const char *to),
      (in, from, out, to))
FAILS(RENAME, int, renameat2, (int in, const char *from, int out, const char *to, unsigned flags),
      (in, from, out, to, flags))
FAILS(RENAME, int, linkat, (int in, const char *from, int out, const char *to, int flags),
      (in, from, out, to, flags))
FAILS(STAT, int, stat, (const char *path, struct stat *st), (path, st))
FAILS(STAT, int, stat64, (const char *path, struct stat64 *st), (path, st))
FAILS(STAT, int, lstat, (const char *path, struct stat *st), (path, st))
FAILS(STAT, int, lstat64, (const char *path, struct stat64 *st), (path, st))
FAILS(STAT, int, fstat, (int fd, struct stat *st), (fd, st))
FAILS(STAT, int, fstat64, (int fd, struct stat64 *st), (fd, st))
FAILS(STAT, int, fstatat, (int in, const char *path, struct stat *st, int flags),
      (in, path, st, flags))
FAILS(STAT, int, fstatat64, (int in, const char *path, struct stat64 *st, int flags),
      (in, path, st, flags))
FAILS(MKDIR, int, mkdir, (const char *path, mode_t mode), (path, mode))
FAILS(TRUNCATE, int, ftruncate, (int fd, off_t bytes), (fd, bytes))
FAILS(TRUNCATE, int, ftruncate64, (int fd, off64_t bytes), (fd, bytes))
FAILS(CHMOD, int, fchmod, (int fd, mode_t mode), (fd, mode))
FAILS(UNLINK, int, unlink, (const char *path), (path))
FAILS(UNLINK, int, unlinkat, (int in, const char *path, int flags), (in, path, flags))
FAILS(LOCK, int, flock, (int fd, int operation), (fd, operation))
FAILS_NULL(FOLDER, DIR *, opendir, (const char *path), (path))
FAILS_NULL(FOLDER, DIR *, fdopendir, (int fd), (fd))
FAILS(REALPATH, ssize_t, readlink, (const char *path, char *target, size_t room),
      (path, target, room))
FAILS_NULL(REALPATH, char *, realpath, (const char *path, char *real), (path, real))

/* As Linux does it: what was closed with an error is closed. */
int close(int fd)
{
    BEHIND(close);
    bool fails = hit(CLOSE);
    int closed = next(fd);
    return fails ? fail() : closed;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *),
                   void *data)
{
    BEHIND(pthread_create);
    return hit(THREAD) ? EAGAIN : next(thread, attributes, begin, data);
}

/* ---- from main on ---- */

static int (*real_main)(int, char **, char **);

static void read_environment(void)
{
    const char *kind = getenv("FAULT_CALL"), *n = getenv("FAULT_N");
    const char *error = getenv("FAULT_ERROR"), *record = getenv("FAULT_RECORD");
    for (int i = 0; kind && i < KINDS; i++)
        if (!strcmp(kind, kinds[i]))
            fault.kind = (Kind)i;
    for (size_t i = 0; error && i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(error, errors[i].name))
            fault.number = errors[i].number;
    fault.n = n ? atol(n) : 0;
    if (!fault.n)
        fault.kind = KINDS;
    fault.half = error && !strcmp(error, "short");
    fault.end = error && !strcmp(error, "end");
    fault.forever = getenv("FAULT_FOREVER") != NULL;
    fault.log = getenv("FAULT_LOG");
    if (record)
        fault.record = open_for_shim(record, O_TRUNC);
}

static void end(void)
{
    fault.on = false;
}

static int main_with_faults(int argc, char **argv, char **environment)
{
    void *stack[4];
    backtrace(stack, 4); /* loads what it needs now */
    read_environment();
    dl_iterate_phdr(note_range, NULL);
    atexit(end);
    fault.on = true;
    return real_main(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    static void *known;
    __typeof__(&__libc_start_main) next =
        (__typeof__(&__libc_start_main))behind(&known, "__libc_start_main");
    real_main = main;
    return next(main_with_faults, argc, argv, init, fini, rtld_fini, stack_end);
}
