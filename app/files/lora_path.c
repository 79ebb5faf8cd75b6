/* lora_path.c - see lora_path.h; the finding is named_file.c's. */
#include "app/files/lora_path.h"

#include "app/files/hash_cache.h"
#include "app/files/model_path.h"
#include "app/files/named_file.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- hashes, as long as a file is the same ---- */

typedef struct Hashed {
    struct Hashed *next;
    struct stat file;
    SlAdapterHashes hashes;
    char path[];
} Hashed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Hashed *hashed;

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* With the lock held. */
static Hashed *find_hashed(const char *path)
{
    Hashed *h = hashed;
    while (h && strcmp(h->path, path) != 0)
        h = h->next;
    return h;
}

/* With the lock held. Without memory it is not remembered. */
static void remember_hashes(const char *path, const struct stat *file,
                            const SlAdapterHashes *hashes)
{
    size_t n = strlen(path) + 1;
    Hashed *h = find_hashed(path);
    if (!h && (h = malloc(sizeof *h + n))) {
        memcpy(h->path, path, n);
        h->next = hashed;
        hashed = h;
    }
    if (h) {
        h->file = *file;
        h->hashes = *hashes;
    }
}

bool sl_lora_hashes(const char *path, SlAdapterHashes *hashes, SlError *err)
{
    struct stat st;
    bool is_file = stat(path, &st) == 0;
    pthread_mutex_lock(&lock);
    const Hashed *h = is_file ? find_hashed(path) : NULL;
    bool known = h && same_file(&h->file, &st);
    if (known)
        *hashes = h->hashes;
    pthread_mutex_unlock(&lock);
    if (known)
        return true;
    if (!sl_adapter_hash(path, hashes, NULL, err))
        return false;
    pthread_mutex_lock(&lock);
    if (is_file)
        remember_hashes(path, &st, hashes);
    pthread_mutex_unlock(&lock);
    return true;
}

/* Ten digits and the whole are of the file, which hashes are remembered of for good. */
static bool has_hash(const char *path, const char *hash, SlError *err)
{
    SlAdapterHashes all;
    char hex[65];
    size_t n = strlen(hash);
    if (n == 10 || n == 64)
        return sl_hash_file(path, hex, NULL, err) && !strncmp(hex, hash, n);
    return sl_lora_hashes(path, &all, err) && sl_adapter_has_hash(&all, hash);
}

/* ---- finding ---- */

static SlNamedKind loras = {
    .what = "LoRA",
    .wanted = SL_WANT_LORA,
    .folders = "loras and lora",
    .endings = (const char *const[]){".safetensors", NULL},
    .inner = (const char *const[]){"loras", "lora", "Lora", "../loras", "../lora", "../Lora", NULL},
    .has_hash = has_hash,
};

bool sl_lora_remember(const char *path)
{
    return sl_named_remember(&loras, path);
}

void sl_lora_look_in(const char *folder)
{
    sl_named_look_in(&loras, folder);
}

const char *sl_lora_keep(const char *text)
{
    return sl_named_keep(text);
}

char *sl_lora_find(const char *name, const char *hash, SlError *err)
{
    return sl_named_find(&loras, name, hash, err);
}

/* ---- all of them ---- */

typedef struct Listing {
    char **path;       /* with room for one more and the end */
    struct stat *file; /* of each: folders of two names may be one */
    int count;
    bool failed;
} Listing;

static void list_one(void *arg, const char *name, const char *path)
{
    Listing *l = arg;
    struct stat st;
    (void)name;
    if (l->failed || stat(path, &st) != 0)
        return;
    for (int i = 0; i < l->count; i++)
        if (l->file[i].st_dev == st.st_dev && l->file[i].st_ino == st.st_ino)
            return;
    char **paths = realloc(l->path, ((size_t)l->count + 2) * sizeof *paths);
    l->path = paths ? paths : l->path;
    struct stat *files = realloc(l->file, ((size_t)l->count + 1) * sizeof *files);
    l->file = files ? files : l->file;
    char *copy = paths && files ? strdup(path) : NULL;
    l->failed = !copy;
    if (!copy)
        return;
    files[l->count] = st;
    paths[l->count++] = copy;
    paths[l->count] = NULL;
}

char **sl_loras_list(void)
{
    Listing l = {.path = calloc(1, sizeof *l.path)};
    const SlNamedVisit to = {true, list_one, &l};
    SlError ignored = {0};
    bool ok = l.path && sl_named_each(&loras, &to, &ignored) && !l.failed;
    if (!ok) {
        sl_strings_free(l.path);
        l.path = NULL;
    }
    free(l.file);
    return l.path;
}

/* ---- as a recipe has them ---- */

bool sl_lora_settle(SlAdapterUse *use, SlError *err)
{
    return sl_named_settle(&loras, &(SlNamedUse){use->name, sizeof use->name, use->hash}, err);
}

const char *sl_lora_text(const char *text, SlError *err)
{
    SlAdapterUses uses;
    bool ok = sl_adapter_uses_parse(text, &uses, err);
    for (int i = 0; ok && i < uses.count; i++)
        ok = sl_lora_settle(&uses.use[i], err);
    char *settled = ok ? sl_adapter_uses_text(&uses) : NULL;
    const char *kept = settled ? sl_lora_keep(settled) : NULL;
    if (ok && !kept)
        sl_fail(err, SL_MEMORY, "memory ran out");
    free(settled);
    sl_adapter_uses_free(&uses);
    return kept;
}
