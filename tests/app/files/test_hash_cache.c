/* test_hash_cache.c - hashes of large files are remembered, and never for a file that has
 * changed. */
#include "app/files/hash_cache.h"
#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE ((off_t)17 << 20)

static char folder[] = "/tmp/safelight-hashes-XXXXXX", cache[200], model[200];
static char invented[65]; /* no file's hash */

static void write_at(const char *path, off_t at, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || pwrite(fd, text, strlen(text), at) < 0 || close(fd) != 0)
        abort();
}

static char *read_text(const char *path)
{
    char *text = calloc(1, 1 << 20);
    int fd = open(path, O_RDONLY);
    if (fd >= 0 && text && read(fd, text, (1 << 20) - 1) < 0)
        text[0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static bool cache_is_empty(void)
{
    char *text = read_text(cache);
    bool empty = text && !*text;
    free(text);
    return empty;
}

/* Changes the hash in the cache's last line: who gets that one got it from the cache. */
static void falsify_cache(void)
{
    char *text = read_text(cache);
    memcpy(text + strlen(text) - 65, invented, 64);
    unlink(cache);
    write_at(cache, 0, text);
    free(text);
}

static bool gives_here(const char *want, const int *cancel)
{
    char hex[65] = "";
    SlError err = {0};
    return sl_hash_file(model, hex, cancel, &err) && !strcmp(hex, want);
}

/* In a process of its own, which knows nothing but the cache. */
static bool gives(const char *want)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20); /* a cache that is waited for */
        _exit(gives_here(want, NULL) ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* What others may have put in the cache's place. */
static void test_traps(const char *want)
{
    char other[200];
    snprintf(other, sizeof other, "%s/other", folder);
    unlink(cache);
    write_at(other, 0, "precious");
    sl_test(symlink(other, cache) == 0 && gives(want), "a link as the cache");
    char *text = read_text(other);
    sl_test(!strcmp(text, "precious"), "is not followed");
    free(text);
    unlink(cache);
    sl_test(mkfifo(cache, 0600) == 0 && gives(want), "a pipe as the cache is not waited for");
    unlink(cache);
    unlink(other);
}

/* A model keeps the hashes of the files that it was loaded from, whatever lies there later. */
static void test_replaced_model(void)
{
    static SlModelInfo info = {.single_file = true, .files = 1};
    SlError err = {0};
    char now[65];
    snprintf(info.path, sizeof info.path, "%s", model);
    SlModelKeys *first = sl_model_keys(&info);
    sl_test(sl_hash_model_as(&info, first, NULL, &err) && strlen(info.file[0].sha256) == 64,
            "a model's files as they were when it was loaded");
    char was[65];
    memcpy(was, info.file[0].sha256, 65);
    unlink(model);
    write_at(model, LARGE, "other weights");
    SlModelKeys *second = sl_model_keys(&info);
    sl_sha256_file(model, now, NULL, &err);
    sl_test(sl_hash_model_as(&info, first, NULL, &err) && !strcmp(info.file[0].sha256, was),
            "they keep their hash when the file was replaced");
    sl_test(sl_hash_model_as(&info, second, NULL, &err) && !strcmp(info.file[0].sha256, now) &&
                strcmp(now, was) != 0,
            "loaded again, it has the new one");
    unlink(model);
    write_at(model, LARGE, "others again");
    sl_test(sl_hash_model_as(&info, second, NULL, &err) && !info.file[0].sha256[0],
            "a hash that nobody can know any more is not invented");
    sl_sha256_file(model, now, NULL, &err);
    sl_test(sl_hash_model_as(&info, NULL, NULL, &err) && !strcmp(info.file[0].sha256, now),
            "without keys it is what lies there now");
    free(first);
    free(second);
}

int main(void)
{
    char first[65], second[65];
    SlError err = {0};
    if (!mkdtemp(folder))
        return 1;
    memset(invented, 'a', 64);
    snprintf(model, sizeof model, "%s/model.safetensors", folder);
    snprintf(cache, sizeof cache, "%s/safelight/hashes", folder);
    setenv("XDG_CACHE_HOME", folder, 1);

    write_at(model, LARGE, "one");
    sl_sha256_file(model, first, NULL, &err);
    sl_test(gives(first) && cache_is_empty(), "a file that was just written is not remembered");
    sleep(4);
    sl_test(gives(first) && !cache_is_empty(), "one that has been still is");
    falsify_cache();
    sl_test(gives(invented), "its hash is not computed again");

    struct stat st;
    stat(model, &st);
    write_at(model, LARGE, "two");
    const struct timespec times[2] = {st.st_atim, st.st_mtim};
    utimensat(AT_FDCWD, model, times, 0);
    sl_sha256_file(model, second, NULL, &err);
    sl_test(strcmp(first, second) && gives(second),
            "a change is seen, also with the old size and time of writing");

    unlink(cache);
    sleep(4);
    write_at(cache, 0, "not a line\n\n1 2 3\n");
    sl_test(gives(second) && gives(second), "lines that are none do no harm");
    falsify_cache();
    char *text = read_text(cache);
    text[strlen(text) - 10] = '\0';
    unlink(cache);
    write_at(cache, 0, text);
    free(text);
    sl_test(gives(second), "a line that was cut off is no hash");
    write_at(cache, 300 << 10, "x");
    sl_test(gives(second), "a cache that is too large is begun anew");
    stat(cache, &st);
    sl_test(st.st_size < 1000, "and is small then");

    const int cancelled = 1;
    sl_test(gives_here(second, NULL) && gives_here(second, &cancelled),
            "this process remembers it itself");
    test_replaced_model();
    write_at(model, LARGE, "new");
    sl_test(!gives_here(second, NULL), "and not when the file has changed");
    sl_sha256_file(model, second, NULL, &err);
    test_traps(second);

    truncate(model, 1 << 20);
    unlink(cache);
    sl_sha256_file(model, first, NULL, &err);
    sleep(4);
    sl_test(gives(first) && cache_is_empty(), "a small file is not worth a line");
    unlink(model);
    char hex[65];
    sl_test(!sl_hash_file(model, hex, NULL, &err) && strstr(err.message, model),
            "a file that is gone is named: %s", err.message);
    setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
    write_at(model, LARGE, "one");
    sl_sha256_file(model, first, NULL, &err);
    sl_test(gives(first), "without a place for the cache hashes are computed");

    unlink(model);
    unlink(cache);
    *strrchr(cache, '/') = '\0';
    rmdir(cache);
    rmdir(folder);
    return sl_test_done();
}
