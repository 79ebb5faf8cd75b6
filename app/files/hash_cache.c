/* hash_cache.c - see hash_cache.h.
 *
 * Easy to get wrong: a file that was changed a moment ago may change again within the same tick of
 * the clock, so only files that have been still for a while are remembered; and one that changes
 * while it is read is not remembered at all.
 */
#include "app/files/hash_cache.h"
#include "app/files/cache_path.h"
#include "app/files/read_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEAST      ((int64_t)16 << 20) /* smaller ones only this process remembers */
#define STILL      2                   /* seconds */
#define MAX_BYTES  ((size_t)256 << 10) /* of the cache: some two thousand files */
#define KEY_LENGTH 160
#define KEPT       128
#define PATH_ROOM  4400 /* of a folder and a name in it */

/* What a line begins with. */
static bool key_of(const char *path, char key[KEY_LENGTH], struct stat *st)
{
    key[0] = '\0';
    if (stat(path, st) != 0 || !S_ISREG(st->st_mode))
        return false;
    snprintf(key, KEY_LENGTH, "%jx %jx %jd %jd.%09ld %jd.%09ld ", (uintmax_t)st->st_dev,
             (uintmax_t)st->st_ino, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
    return true;
}

static bool is_hash(const char *text, size_t length)
{
    return length == 64 && strspn(text, "0123456789abcdef") >= 64;
}

/* The whole cache as text; NULL where there is none. */
static char *read_cache(void)
{
    char path[4096];
    size_t bytes = 0;
    uint8_t *data = sl_cache_path("hashes", path, sizeof path, false)
                        ? sl_read_own_file(path, 2 * MAX_BYTES, &bytes, NULL)
                        : NULL;
    char *text = data ? malloc(bytes + 1) : NULL;
    if (text) {
        memcpy(text, data, bytes);
        text[bytes] = '\0';
    }
    free(data);
    return text;
}

/* ---- this process's own memory, for where no cache can be written ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char key[KEY_LENGTH], hex[65];
} kept[KEPT]; /* the last ones */
static int next_kept;

/* Under the lock; -1: not there. */
static int find_kept(const char *key)
{
    for (int i = 0; i < KEPT; i++)
        if (!strcmp(kept[i].key, key))
            return i;
    return -1;
}

static bool recall_kept(const char *key, char hex[65])
{
    pthread_mutex_lock(&lock);
    int i = find_kept(key);
    if (i >= 0)
        memcpy(hex, kept[i].hex, 65);
    pthread_mutex_unlock(&lock);
    return i >= 0;
}

static void keep(const char *key, const char *hex)
{
    pthread_mutex_lock(&lock);
    int i = find_kept(key);
    if (i < 0) {
        i = next_kept;
        next_kept = (next_kept + 1) % KEPT;
        memcpy(kept[i].hex, hex, 65);
        snprintf(kept[i].key, KEY_LENGTH, "%s", key);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- the cache ---- */

static bool recall(const char *key, char hex[65])
{
    char *text = read_cache();
    bool found = false;
    for (char *line = text; line && *line && !found;) {
        char *end = strchrnul(line, '\n');
        size_t length = strlen(key);
        if (!strncmp(line, key, length) && is_hash(line + length, (size_t)(end - line) - length)) {
            memcpy(hex, line + length, 64);
            hex[64] = '\0';
            found = true;
        }
        line = *end ? end + 1 : end;
    }
    free(text);
    return found;
}

/* One write, so that lines of several processes do not mix. What cannot be written is computed
 * again the next time. */
static void remember(const char *key, const char *hex)
{
    char path[4096], line[KEY_LENGTH + 70];
    struct stat st;
    if (!sl_cache_path("hashes", path, sizeof path, true))
        return;
    int fd = sl_open_own(path, O_WRONLY | O_CREAT | O_APPEND);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && (size_t)st.st_size > MAX_BYTES && ftruncate(fd, 0) != 0) {
        close(fd);
        return;
    }
    int n = snprintf(line, sizeof line, "%s%s\n", key, hex);
    ssize_t written = write(fd, line, (size_t)n);
    (void)written; /* the last line may be cut off */
    close(fd);
}

/* As it was when it had the key `was`; NULL: as it is now. */
static bool hash_as(const char *path, const char *was, char hex[65], const int *cancel,
                    SlError *err)
{
    char key[KEY_LENGTH], after[KEY_LENGTH];
    struct stat st;
    bool known = key_of(path, key, &st), large = known && st.st_size >= LEAST;
    const char *wanted = was ? was : key;
    if (*wanted && (recall_kept(wanted, hex) || ((large || was) && recall(wanted, hex))))
        return true;
    if (was && strcmp(key, was) != 0) {
        hex[0] = '\0';
        return true;
    }
    if (!sl_sha256_file(path, hex, cancel, err))
        return false;
    if (known && time(NULL) - st.st_ctim.tv_sec > STILL && key_of(path, after, &st) &&
        !strcmp(key, after)) {
        keep(key, hex);
        if (large)
            remember(key, hex);
    }
    return true;
}

bool sl_hash_file(const char *path, char hex[65], const int *cancel, SlError *err)
{
    return hash_as(path, NULL, hex, cancel, err);
}

/* ---- models ---- */

struct SlModelKeys {
    int count;
    char key[][KEY_LENGTH]; /* "": there was no such file */
};

SlModelKeys *sl_model_keys(const SlModelInfo *info)
{
    char path[PATH_ROOM];
    struct stat st;
    SlModelKeys *keys = calloc(1, sizeof *keys + (size_t)info->files * KEY_LENGTH);
    if (!keys)
        return NULL;
    keys->count = info->files;
    for (int i = 0; i < info->files; i++)
        if (sl_model_file_path(info, i, path, sizeof path))
            key_of(path, keys->key[i], &st);
    return keys;
}

SlModelKeys *sl_model_keys_copy(const SlModelKeys *keys)
{
    size_t bytes = keys ? sizeof *keys + (size_t)keys->count * KEY_LENGTH : 0;
    SlModelKeys *copy = keys ? malloc(bytes) : NULL;
    if (copy)
        memcpy(copy, keys, bytes);
    return copy;
}

bool sl_hash_model_as(SlModelInfo *info, const SlModelKeys *keys, const int *cancel, SlError *err)
{
    char path[PATH_ROOM];
    bool as_it_was = keys && keys->count == info->files;
    for (int i = 0; i < info->files; i++)
        if (!sl_model_file_path(info, i, path, sizeof path))
            return sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(path).text);
        else if (!hash_as(path, as_it_was ? keys->key[i] : NULL, info->file[i].sha256, cancel, err))
            return false;
    return true;
}

bool sl_hash_model(SlModelInfo *info, const int *cancel, SlError *err)
{
    return sl_model_hash(info, sl_hash_file, cancel, err);
}
