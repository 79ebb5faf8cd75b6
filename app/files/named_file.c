/* named_file.c - see named_file.h. What the process remembers is in lists that only grow at their beginning, so that
 * who walks one need not hold the lock.
 */
#include "app/files/named_file.h"

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
#include <unistd.h>

#define DEPTH      4    /* of folders in folders */
#define MOST_FILES 4096 /* looked at */

/* ---- what the process remembers ---- */

typedef struct SlRemembered {
    struct SlRemembered *next;
    char text[];
} Remembered;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Remembered *texts;

/* NULL without memory. */
static Remembered *keep(Remembered **list, const char *text)
{
    size_t n = strlen(text) + 1;
    pthread_mutex_lock(&lock);
    Remembered *k = *list;
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

void sl_named_look_in(SlNamedKind *kind, const char *folder)
{
    Remembered *k = folder && *folder ? keep(&texts, folder) : NULL;
    pthread_mutex_lock(&lock);
    kind->first = k;
    pthread_mutex_unlock(&lock);
}

bool sl_named_remember(SlNamedKind *kind, const char *path)
{
    return keep(&kind->paths, path) != NULL;
}

const char *sl_named_keep(const char *text)
{
    const Remembered *k = keep(&texts, text);
    return k ? k->text : NULL;
}

static const Remembered *locked(Remembered *const *list)
{
    pthread_mutex_lock(&lock);
    const Remembered *k = *list;
    pthread_mutex_unlock(&lock);
    return k;
}

/* ---- names ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The length of a path without an ending of the kind; 0: it has none of them. */
static size_t without_ending(const SlNamedKind *kind, const char *path)
{
    size_t n = strlen(path);
    for (const char *const *ending = kind->endings; *ending; ending++) {
        size_t m = strlen(*ending);
        if (n > m && !strcmp(path + n - m, *ending))
            return n - m;
    }
    return 0;
}

const char *sl_named_stem(const SlNamedKind *kind, const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = without_ending(kind, path);
    *length = n > (size_t)(name - path) ? n - (size_t)(name - path) : strlen(name);
    return name;
}

static bool is_named(const SlNamedKind *kind, const char *path, const char *name)
{
    size_t length, wanted;
    const char *stem = sl_named_stem(kind, path, &length);
    const char *want = sl_named_stem(kind, name, &wanted);
    return length == wanted && !memcmp(stem, want, length);
}

/* ---- the folders ---- */

/* What is done with each file; name: its path within the folder, without the ending. True: that was
 * the last. */
typedef struct Walk {
    const SlNamedKind *kind;
    bool (*visit)(struct Walk *walk, const char *name, const char *path);
    int files;      /* so far */
    bool memory;    /* it ran out on the way: not all were visited */
    SlError closed; /* the first folder that is there and could not be read to its end */
} Walk;

/* Most that are looked into are not there, or are no folders. */
static void note_folder(Walk *w, const char *folder, int error)
{
    w->memory = w->memory || error == ENOMEM;
    if (error && error != ENOENT && error != ENOTDIR && error != ENOMEM && w->closed.code == SL_OK)
        sl_fail(&w->closed, SL_IO, "%s: %s", sl_show_path(folder).text, strerror(error));
}

/* What was named by its path (folder NULL) may have any ending. */
static bool visit(Walk *w, const char *folder, const char *path)
{
    size_t skipped = folder ? strlen(folder) + 1 : 0, n = without_ending(w->kind, path), length;
    if ((folder && !n) || !is_file(path))
        return false;
    if (w->files++ >= MOST_FILES)
        return true;
    const char *stem = sl_named_stem(w->kind, path, &length);
    char *name = folder ? strndup(path + skipped, n - skipped) : strndup(stem, length);
    bool last = name && w->visit(w, name, path);
    w->memory = w->memory || !name;
    free(name);
    return last;
}

static bool walk_folder(Walk *w, const char *top, const char *folder, int depth)
{
    DIR *dir = depth > 0 ? opendir(folder) : NULL;
    if (depth > 0 && !dir)
        note_folder(w, folder, errno);
    bool last = false;
    while (dir && !last) {
        char *path;
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            note_folder(w, folder, errno);
            break;
        }
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

/* The kind's folders in a folder of models, and beside it, as other programs have them. */
static bool walk_in(Walk *w, const char *folder)
{
    bool last = false;
    for (const char *const *inner = w->kind->inner; *inner && !last; inner++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, *inner) < 0) {
            w->memory = true;
            continue;
        }
        last = walk_folder(w, path, path, DEPTH);
        free(path);
    }
    return last;
}

static bool walk_folders(Walk *w, char **folders)
{
    const Remembered *first = locked(&w->kind->first);
    bool last = first && walk_in(w, first->text);
    for (int i = 0; folders[i] && !last; i++)
        last = walk_in(w, folders[i]);
    return last;
}

static bool walk_remembered(Walk *w)
{
    bool last = false;
    for (const Remembered *k = locked(&w->kind->paths); k && !last; k = k->next)
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
    SlError unread; /* why the first file of the name could not be compared by its hash */
} Search;

static bool has_hash(Search *s, const char *path)
{
    SlError err = {0};
    bool yes = !*s->hash || s->walk.kind->has_hash(path, s->hash, &err);
    s->walk.memory = s->walk.memory || err.code == SL_MEMORY;
    if (s->name && s->unread.code == SL_OK)
        s->unread = err;
    return yes;
}

static bool look_at(Walk *w, const char *name, const char *path)
{
    Search *s = (Search *)w;
    bool named = !s->name || !strcmp(name, s->name) || is_named(w->kind, path, s->name);
    if (!named || !has_hash(s, path))
        return false;
    s->found = strdup(path);
    w->memory = w->memory || !s->found;
    return true;
}

static void look(Search *s, char **folders)
{
    if (!walk_remembered(&s->walk))
        walk_folders(&s->walk, folders);
}

/* A path is a file's; a name may have a folder in it, too. */
static bool not_found(const Search *s, char **folders, SlError *err)
{
    const SlNamedKind *kind = s->walk.kind;
    const Remembered *first = locked(&kind->first);
    const char *name = s->name;
    struct stat st;
    SlText text = {0};
    uint64_t size;
    int fd = !*s->hash && stat(name, &st) == 0 ? sl_file_open(name, &size, err) : -2;
    if (fd == -1 && S_ISDIR(st.st_mode))
        return sl_file_check(name, kind->wanted, err);
    if (fd == -1) /* what lies there is no file */
        return false;
    if (fd >= 0)
        close(fd);
    bool path = *name == '/' || *name == '.';
    if (strchr(name, '/') && !*s->hash && stat(name, &st) != 0 && (path || errno != ENOENT))
        return sl_fail(err, SL_IO, "%s: %s", sl_show_path(name).text,
                       errno == ENOENT ? sl_words("there is no such file") : strerror(errno));
    if (first)
        sl_text_addf(&text, "%s%s", first->text, folders[0] ? ", " : "");
    for (int i = 0; folders[i]; i++)
        sl_text_addf(&text, "%s%s", i ? ", " : "", folders[i]);
    const char *of = text.data ? text.data : sl_words("no folder");
    const char *with = *s->hash ? sl_words(" with the hash ") : "";
    if (s->walk.closed.code == SL_OK)
        sl_fail(err, SL_IO, "there is no %s \"%.200s\"%s%s; looked in the folders %s of %.600s",
                kind->what, name, with, s->hash, kind->folders, of);
    else
        sl_fail(err, SL_IO,
                "the %s \"%.200s\"%s%s was not found, but not all folders %s of %.300s could be "
                "read: %.380s",
                kind->what, name, with, s->hash, kind->folders, of, s->walk.closed.message);
    sl_text_free(&text);
    return false;
}

char *sl_named_find(SlNamedKind *kind, const char *name, const char *hash, SlError *err)
{
    Search by_name = {.walk = {.kind = kind, .visit = look_at}, .name = name, .hash = hash};
    Search by_hash = {.walk = {.kind = kind, .visit = look_at}, .hash = hash};
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
        sl_fail(err, SL_MEMORY, "memory ran out while the %s %.200s was looked for", kind->what,
                name);
    else if (!by_name.found && by_name.unread.code != SL_OK)
        sl_fail(err, by_name.unread.code, "%s", by_name.unread.message);
    else if (!by_name.found)
        not_found(&by_name, folders, err);
    sl_strings_free(folders);
    return by_name.found;
}

/* ---- all ---- */

typedef struct Listing {
    Walk walk;
    const SlNamedVisit *to;
} Listing;

static bool pass_on(Walk *w, const char *name, const char *path)
{
    const Listing *l = (const Listing *)w;
    l->to->each(l->to->arg, name, path);
    return false;
}

bool sl_named_each(SlNamedKind *kind, const SlNamedVisit *to, SlError *err)
{
    Listing l = {.walk = {.kind = kind, .visit = pass_on}, .to = to};
    char **folders = folders_of_models(err);
    if (!folders)
        return false;
    if (to->remembered)
        walk_remembered(&l.walk);
    walk_folders(&l.walk, folders);
    sl_strings_free(folders);
    return !l.walk.memory ||
           sl_fail(err, SL_MEMORY, "memory ran out while files were looked for: %s", kind->what);
}

/* ---- as a recipe has it ---- */

bool sl_named_settle(SlNamedKind *kind, const SlNamedUse *use, SlError *err)
{
    char hex[65];
    size_t length;
    char *path = sl_named_find(kind, use->name, use->hash, err);
    if (!path)
        return false;
    const char *stem = sl_named_stem(kind, path, &length);
    bool ok = sl_file_check(path, kind->wanted, err) && sl_hash_file(path, hex, NULL, err) &&
              (sl_named_remember(kind, path) || sl_fail(err, SL_MEMORY, "memory ran out"));
    if (ok && length >= use->size)
        ok = sl_fail(err, SL_ARGUMENT, "the name of the %s %.200s is too long", kind->what, path);
    if (ok && memchr(stem, ';', length))
        ok = sl_fail(err, SL_ARGUMENT,
                     "the name of the %s %.200s has a \";\", which ends a name in a recipe",
                     kind->what, path);
    if (ok) {
        memcpy(use->name, stem, length);
        use->name[length] = 0;
        snprintf(use->hash, 11, "%.10s", hex);
    }
    free(path);
    return ok;
}
