/* embedding_path.c - see embedding_path.h. */
#include "app/files/embedding_path.h"

#include "app/files/hash_cache.h"
#include "app/files/model_path.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH      4    /* of folders in folders */
#define MOST_FILES 4096 /* looked at */

static const char *const endings[] = {".safetensors", ".pt", ".bin"};
static const char *const inner[] = {"embeddings", "textual_inversion", "../embeddings",
                                    "../textual_inversion"};

/* ---- what the process remembers ---- */

typedef struct Kept {
    struct Kept *next;
    char text[];
} Kept;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Kept *paths, *texts;
static const Kept *first_folder; /* NULL: none */

/* NULL without memory. What is kept stays where it is. */
static const Kept *keep(Kept **list, const char *text)
{
    size_t n = strlen(text) + 1;
    pthread_mutex_lock(&lock);
    Kept *k = *list;
    while (k && strcmp(k->text, text) != 0)
        k = k->next;
    if (!k && (k = malloc(sizeof *k + n))) {
        memcpy(k->text, text, n);
        k->next = *list;
        *list = k;
    }
    pthread_mutex_unlock(&lock);
    return k;
}

void sl_embeddings_look_in(const char *folder)
{
    const Kept *k = folder && *folder ? keep(&texts, folder) : NULL;
    pthread_mutex_lock(&lock);
    first_folder = k;
    pthread_mutex_unlock(&lock);
}

/* ---- names ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The length of a path without an ending that embeddings have; 0: it has none of them. */
static size_t without_ending(const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && !strcmp(path + n - m, endings[i]))
            return n - m;
    }
    return 0;
}

/* The file's name without folder and ending, and its length. */
static const char *stem_of(const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = without_ending(path);
    *length = n ? n - (size_t)(name - path) : strlen(name);
    return name;
}

static bool is_named(const char *path, const char *name)
{
    size_t length, wanted;
    const char *stem = stem_of(path, &length), *want = stem_of(name, &wanted);
    return length == wanted && !memcmp(stem, want, length);
}

/* ---- the folders ---- */

/* What is done with each file; name: its path within the folder, without the ending. True: that was
 * the last. */
typedef struct Walk {
    bool (*visit)(struct Walk *walk, const char *name, const char *path);
    int files;   /* so far */
    bool memory; /* it ran out on the way: not all were visited */
} Walk;

static bool visit(Walk *w, const char *folder, const char *path)
{
    size_t skipped = folder ? strlen(folder) + 1 : 0, n = without_ending(path);
    if (!n || !is_file(path))
        return false;
    if (w->files++ >= MOST_FILES)
        return true;
    size_t length;
    const char *stem = stem_of(path, &length);
    char *name = folder ? strndup(path + skipped, n - skipped) : strndup(stem, length);
    bool last = name && w->visit(w, name, path);
    w->memory = w->memory || !name;
    free(name);
    return last;
}

static bool walk_folder(Walk *w, const char *top, const char *folder, int depth)
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
        last = visit(w, top, path) || walk_folder(w, top, path, depth - 1);
        free(path);
    }
    if (dir)
        closedir(dir);
    return last;
}

static bool walk_in(Walk *w, const char *folder)
{
    bool last = false;
    for (size_t k = 0; k < sizeof inner / sizeof inner[0] && !last; k++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, inner[k]) < 0) {
            w->memory = true;
            continue;
        }
        last = walk_folder(w, path, path, DEPTH);
        free(path);
    }
    return last;
}

static bool walk_all(Walk *w, char **folders)
{
    pthread_mutex_lock(&lock);
    const Kept *first = first_folder;
    pthread_mutex_unlock(&lock);
    bool last = first && walk_in(w, first->text);
    for (int i = 0; folders[i] && !last; i++)
        last = walk_in(w, folders[i]);
    return last;
}

static bool walk_paths(Walk *w)
{
    pthread_mutex_lock(&lock);
    const Kept *k = paths;
    pthread_mutex_unlock(&lock);
    bool last = false;
    for (; k && !last; k = k->next)
        last = visit(w, NULL, k->text);
    return last;
}

static char **folders_of_models(SlError *err)
{
    char **folders = sl_model_folders();
    if (!folders)
        sl_fail(err, SL_MEMORY, "memory ran out");
    return folders;
}

/* ---- one ---- */

typedef struct Search {
    Walk walk;
    const char *name; /* NULL: any */
    const char *hash; /* "": any */
    char *found;
} Search;

static bool has_hash(Search *s, const char *path)
{
    SlError err = {0};
    char hex[65];
    if (!*s->hash)
        return true;
    bool yes = sl_hash_file(path, hex, NULL, &err) && sl_embedding_has_hash(hex, s->hash);
    s->walk.memory = s->walk.memory || err.code == SL_MEMORY;
    return yes;
}

static bool look_at(Walk *w, const char *name, const char *path)
{
    Search *s = (Search *)w;
    bool named = !s->name || !strcmp(name, s->name) || is_named(path, s->name);
    if (!named || !has_hash(s, path))
        return false;
    s->found = strdup(path);
    w->memory = w->memory || !s->found;
    return true;
}

static void look(Search *s, char **folders)
{
    s->walk.visit = look_at;
    if (!walk_paths(&s->walk))
        walk_all(&s->walk, folders);
}

static bool not_found(const char *name, const char *hash, char **folders, SlError *err)
{
    struct stat st;
    char looked[700] = "no folder";
    size_t used = 0;
    if (strchr(name, '/') && !*hash && stat(name, &st) != 0)
        return sl_fail(err, SL_IO, "%s: %s", sl_show_path(name).text,
                       errno == ENOENT ? "there is no such file" : strerror(errno));
    for (int i = 0; folders[i] && used < sizeof looked; i++)
        used += (size_t)snprintf(looked + used, sizeof looked - used, "%s%s", i ? ", " : "",
                                 folders[i]);
    return sl_fail(err, SL_IO,
                   "there is no embedding \"%.200s\"%s%s; looked in the folders embeddings and "
                   "textual_inversion of %.600s",
                   name, *hash ? " with the hash " : "", hash, looked);
}

char *sl_embedding_find(const char *name, const char *hash, SlError *err)
{
    Search by_name = {.name = name, .hash = hash}, by_hash = {.hash = hash};
    if (is_file(name) && has_hash(&by_name, name)) {
        by_name.found = strdup(name);
        return by_name.found ? by_name.found : (sl_fail(err, SL_MEMORY, "memory ran out"), NULL);
    }
    char **folders = folders_of_models(err);
    if (!folders)
        return NULL;
    look(&by_name, folders);
    if (!by_name.found && *hash) {
        look(&by_hash, folders);
        by_name.found = by_hash.found;
    }
    if (!by_name.found && (by_name.walk.memory || by_hash.walk.memory))
        sl_fail(err, SL_MEMORY, "memory ran out while the embedding %.200s was looked for", name);
    else if (!by_name.found)
        not_found(name, hash, folders, err);
    sl_strings_free(folders);
    return by_name.found;
}

/* ---- all ---- */

typedef struct Listing {
    Walk walk;
    void (*each)(void *arg, const char *name, const char *path);
    void *arg;
} Listing;

static bool pass_on(Walk *w, const char *name, const char *path)
{
    const Listing *l = (const Listing *)w;
    l->each(l->arg, name, path);
    return false;
}

bool sl_embeddings_each(void (*each)(void *arg, const char *name, const char *path), void *arg,
                        SlError *err)
{
    Listing l = {.walk = {.visit = pass_on}, .each = each, .arg = arg};
    char **folders = folders_of_models(err);
    if (!folders)
        return false;
    walk_all(&l.walk, folders);
    sl_strings_free(folders);
    return !l.walk.memory ||
           sl_fail(err, SL_MEMORY, "memory ran out while embeddings were looked for");
}

typedef struct Names {
    char **name;
    size_t count;
    bool failed;
} Names;

static void add_name(void *arg, const char *name, const char *path)
{
    Names *names = arg;
    size_t length;
    const char *stem = stem_of(path, &length);
    (void)name;
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->name[i]) == length && !memcmp(names->name[i], stem, length))
            return;
    char **more = realloc(names->name, (names->count + 2) * sizeof *more);
    char *copy = strndup(stem, length);
    if (more)
        names->name = more;
    if (!more || !copy) {
        names->failed = true;
        free(copy);
        return;
    }
    more[names->count++] = copy;
    more[names->count] = NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **sl_embeddings_list(void)
{
    Names names = {.name = calloc(1, sizeof(char *))};
    SlError ignored = {0};
    bool ok = names.name && sl_embeddings_each(add_name, &names, &ignored) && !names.failed;
    if (ok) {
        qsort(names.name, names.count, sizeof *names.name, compare);
        return names.name;
    }
    sl_strings_free(names.name);
    return NULL;
}

/* ---- as a recipe has them ---- */

/* Its name and hash in place of what was said. */
static bool settle(SlEmbeddingUse *use, SlError *err)
{
    char hex[65];
    size_t length;
    char *path = sl_embedding_find(use->name, use->hash, err);
    if (!path)
        return false;
    const char *stem = stem_of(path, &length);
    bool ok = sl_hash_file(path, hex, NULL, err) &&
              (keep(&paths, path) || sl_fail(err, SL_MEMORY, "memory ran out"));
    if (ok && length >= sizeof use->name)
        ok = sl_fail(err, SL_ARGUMENT, "the name of the embedding %.200s is too long", path);
    if (ok) {
        memcpy(use->name, stem, length);
        use->name[length] = 0;
        snprintf(use->hash, sizeof use->hash, "%.10s", hex);
    }
    free(path);
    return ok;
}

const char *sl_embedding_text(const char *text, SlError *err)
{
    SlEmbeddingUses uses;
    bool ok = sl_embedding_uses_parse(text, &uses, err);
    for (int i = 0; ok && i < uses.count; i++)
        ok = settle(&uses.use[i], err);
    char *settled = ok ? sl_embedding_uses_text(&uses) : NULL;
    const Kept *kept = settled ? keep(&texts, settled) : NULL;
    if (ok && !kept)
        sl_fail(err, SL_MEMORY, "memory ran out");
    free(settled);
    sl_embedding_uses_free(&uses);
    return kept ? kept->text : NULL;
}
