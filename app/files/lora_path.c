/* lora_path.c - see lora_path.h. */
#include "app/files/lora_path.h"

#include "app/files/hash_cache.h"
#include "app/files/model_path.h"
#include "app/files/text.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH      4    /* of folders in folders */
#define MOST_FILES 4096 /* looked at for a hash */

static const char ending[] = ".safetensors";

/* ---- what the process remembers ---- */

typedef struct Kept {
    struct Kept *next;
    struct stat file; /* of hashes */
    SlAdapterHashes hashes;
    char text[]; /* a path, or a text that was kept */
} Kept;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Kept *paths, *texts, *hashed;
static const Kept *first_folder; /* or NULL */

/* With the lock held. NULL without memory. */
static Kept *keep(Kept **list, const char *text)
{
    for (Kept *k = *list; k; k = k->next)
        if (!strcmp(k->text, text))
            return k;
    size_t n = strlen(text) + 1;
    Kept *k = calloc(1, sizeof *k + n);
    if (!k)
        return NULL;
    memcpy(k->text, text, n);
    k->next = *list;
    return *list = k;
}

static Kept *keep_locked(Kept **list, const char *text)
{
    pthread_mutex_lock(&lock);
    Kept *k = keep(list, text);
    pthread_mutex_unlock(&lock);
    return k;
}

bool sl_lora_remember(const char *path)
{
    return keep_locked(&paths, path) != NULL;
}

void sl_lora_look_in(const char *folder)
{
    pthread_mutex_lock(&lock);
    first_folder = folder && *folder ? keep(&texts, folder) : NULL;
    pthread_mutex_unlock(&lock);
}

const char *sl_lora_keep(const char *text)
{
    Kept *k = keep_locked(&texts, text);
    return k ? k->text : NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool sl_lora_hashes(const char *path, SlAdapterHashes *hashes, SlError *err)
{
    struct stat st;
    bool is_file = stat(path, &st) == 0;
    pthread_mutex_lock(&lock);
    bool known = false;
    for (Kept *k = hashed; is_file && k && !known; k = k->next) {
        known = !strcmp(k->text, path) && same_file(&k->file, &st);
        if (known)
            *hashes = k->hashes;
    }
    pthread_mutex_unlock(&lock);
    if (known)
        return true;
    if (!sl_adapter_hash(path, hashes, NULL, err))
        return false;
    pthread_mutex_lock(&lock);
    Kept *k = is_file ? keep(&hashed, path) : NULL;
    if (k) {
        k->file = st;
        k->hashes = *hashes;
    }
    pthread_mutex_unlock(&lock);
    return true;
}

/* ---- names and hashes ---- */

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The file's name without folder and ending; its length. */
static const char *stem_of(const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name), m = sizeof ending - 1;
    *length = n > m && !strcmp(name + n - m, ending) ? n - m : n;
    return name;
}

static bool is_named(const char *path, const char *name)
{
    size_t length, wanted;
    const char *stem = stem_of(path, &length), *want = stem_of(name, &wanted);
    return length == wanted && !memcmp(stem, want, length);
}

/* Ten digits and the whole are of the file, which hashes are remembered of for good. *memory: it ran
 * out, and nothing is known. */
static bool has_hash(const char *path, const char *hash, bool *memory)
{
    SlError err = {0};
    SlAdapterHashes all;
    bool yes;
    char hex[65];
    size_t n = strlen(hash);
    if (n == 0)
        return true;
    if (n == 10 || n == 64)
        yes = sl_hash_file(path, hex, NULL, &err) && !strncmp(hex, hash, n);
    else
        yes = sl_lora_hashes(path, &all, &err) && sl_adapter_has_hash(&all, hash);
    *memory = *memory || err.code == SL_MEMORY;
    return yes;
}

/* ---- the folders ---- */

/* What is done with each file, with its path; true: that was the last. */
typedef struct Walk {
    bool (*visit)(struct Walk *walk, const char *path);
    int files;   /* visited so far */
    bool memory; /* it ran out on the way: not all were visited */
} Walk;

static bool visit(Walk *w, const char *path)
{
    size_t n = strlen(path), m = sizeof ending - 1;
    if (n <= m || strcmp(path + n - m, ending) != 0 || !exists(path))
        return false;
    return w->files++ >= MOST_FILES || w->visit(w, path);
}

static bool walk_folder(Walk *w, const char *folder, int depth)
{
    errno = 0;
    DIR *dir = depth > 0 ? opendir(folder) : NULL;
    w->memory = w->memory || (!dir && errno == ENOMEM);
    const struct dirent *entry;
    bool last = false;
    while (dir && !last && (entry = readdir(dir))) {
        char *path;
        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
            w->memory = true;
            continue;
        }
        last = visit(w, path) || walk_folder(w, path, depth - 1);
        free(path);
    }
    if (dir)
        closedir(dir);
    return last;
}

/* The folders of LoRAs in a folder of models, and beside it, as other programs have them. */
static bool walk_beside(Walk *w, const char *folder)
{
    static const char *const inner[] = {"loras", "lora", "Lora", "../loras", "../lora", "../Lora"};
    bool last = false;
    for (size_t k = 0; k < sizeof inner / sizeof inner[0] && !last; k++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, inner[k]) < 0) {
            w->memory = true;
            continue;
        }
        last = walk_folder(w, path, DEPTH);
        free(path);
    }
    return last;
}

/* What is in the list of paths stays as it is: new ones come before. */
static bool walk_remembered(Walk *w)
{
    pthread_mutex_lock(&lock);
    Kept *k = paths;
    pthread_mutex_unlock(&lock);
    bool last = false;
    for (; k && !last; k = k->next)
        last = visit(w, k->text);
    return last;
}

static bool walk_all(Walk *w, char **folders)
{
    pthread_mutex_lock(&lock);
    const Kept *first = first_folder;
    pthread_mutex_unlock(&lock);
    bool last = walk_remembered(w) || (first && walk_beside(w, first->text));
    for (int i = 0; folders[i] && !last; i++)
        last = walk_beside(w, folders[i]);
    return last;
}

/* ---- looking for one ---- */

typedef struct Search {
    Walk walk;
    const char *name; /* NULL: any */
    const char *hash;
    char *found;
} Search;

static bool look_at(Walk *walk, const char *path)
{
    Search *s = (Search *)walk;
    if ((s->name && !is_named(path, s->name)) || !has_hash(path, s->hash, &walk->memory))
        return false;
    s->found = strdup(path);
    walk->memory = walk->memory || !s->found;
    return true;
}

static bool not_found(const char *name, const char *hash, char **folders, SlError *err)
{
    struct stat st;
    SlText text = {0};
    if (strchr(name, '/') && !*hash && stat(name, &st) != 0 && errno != ENOENT)
        return sl_fail(err, SL_IO, "%s: %s", sl_show_path(name).text, strerror(errno));
    pthread_mutex_lock(&lock);
    const Kept *first = first_folder;
    pthread_mutex_unlock(&lock);
    if (first)
        sl_text_addf(&text, "%s%s", first->text, folders[0] ? ", " : "");
    for (int i = 0; folders[i]; i++)
        sl_text_addf(&text, "%s%s", i ? ", " : "", folders[i]);
    sl_fail(err, SL_IO,
            "there is no LoRA \"%.200s\"%s%s; looked in the folders loras and lora of %.600s", name,
            *hash ? " with the hash " : "", hash, text.data ? text.data : "no folder");
    sl_text_free(&text);
    return false;
}

char *sl_lora_find(const char *name, const char *hash, SlError *err)
{
    Search by_name = {.walk.visit = look_at, .name = name, .hash = hash};
    Search by_hash = {.walk.visit = look_at, .hash = hash};
    if (exists(name) && has_hash(name, hash, &by_name.walk.memory)) {
        by_name.found = strdup(name);
        return by_name.found ? by_name.found : (sl_fail(err, SL_MEMORY, "memory ran out"), NULL);
    }
    char **folders = sl_model_folders();
    if (!folders) {
        sl_fail(err, SL_MEMORY, "memory ran out");
        return NULL;
    }
    walk_all(&by_name.walk, folders);
    if (!by_name.found && *hash) {
        walk_all(&by_hash.walk, folders);
        by_name.found = by_hash.found;
    }
    if (!by_name.found && (by_name.walk.memory || by_hash.walk.memory))
        sl_fail(err, SL_MEMORY, "memory ran out while the LoRA %.200s was looked for", name);
    else if (!by_name.found)
        not_found(name, hash, folders, err);
    sl_strings_free(folders);
    return by_name.found;
}

/* ---- all of them ---- */

typedef struct Listing {
    Walk walk;
    char **path;
    struct stat *file; /* of each: folders of two names may be one */
    int count;
} Listing;

static bool list_one(Walk *walk, const char *path)
{
    Listing *l = (Listing *)walk;
    struct stat *st = &l->file[l->count];
    if (stat(path, st) != 0)
        return false;
    for (int i = 0; i < l->count; i++)
        if (l->file[i].st_dev == st->st_dev && l->file[i].st_ino == st->st_ino)
            return false;
    l->path[l->count] = strdup(path);
    walk->memory = walk->memory || !l->path[l->count];
    l->count += l->path[l->count] != NULL;
    return walk->memory;
}

char **sl_loras_list(void)
{
    char **folders = sl_model_folders();
    Listing l = {.walk.visit = list_one,
                 .path = calloc(MOST_FILES + 1, sizeof *l.path),
                 .file = calloc(MOST_FILES + 1, sizeof *l.file)};
    if (folders && l.path && l.file)
        walk_all(&l.walk, folders);
    if (!folders || !l.file || l.walk.memory) {
        sl_strings_free(l.path);
        l.path = NULL;
    }
    sl_strings_free(folders);
    free(l.file);
    return l.path;
}

/* ---- as a recipe has them ---- */

bool sl_lora_settle(SlAdapterUse *use, SlError *err)
{
    char hex[65];
    size_t length;
    char *path = sl_lora_find(use->name, use->hash, err);
    if (!path)
        return false;
    const char *stem = stem_of(path, &length);
    bool ok = sl_hash_file(path, hex, NULL, err) &&
              (keep_locked(&paths, path) || sl_fail(err, SL_MEMORY, "memory ran out"));
    if (ok && length >= sizeof use->name)
        ok = sl_fail(err, SL_ARGUMENT, "the name of the LoRA %.200s is too long", path);
    if (ok && memchr(stem, ';', length))
        ok =
            sl_fail(err, SL_ARGUMENT,
                    "the name of the LoRA %.200s has a \";\", which ends a name in a recipe", path);
    if (ok) {
        memcpy(use->name, stem, length);
        use->name[length] = 0;
        snprintf(use->hash, sizeof use->hash, "%.10s", hex);
    }
    free(path);
    return ok;
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
