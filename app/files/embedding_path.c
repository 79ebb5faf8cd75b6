/* embedding_path.c - see embedding_path.h; the finding is named_file.c's. */
#include "app/files/embedding_path.h"

#include "app/files/hash_cache.h"
#include "app/files/model_path.h"
#include "app/files/named_file.h"

#include <stdlib.h>
#include <string.h>

static bool has_hash(const char *path, const char *hash, SlError *err)
{
    char hex[65];
    return sl_hash_file(path, hex, NULL, err) && sl_embedding_has_hash(hex, hash);
}

static SlNamedKind embeddings = {
    .what = "embedding",
    .wanted = SL_WANT_EMBEDDING,
    .folders = "embeddings and textual_inversion",
    .endings = (const char *const[]){".safetensors", ".pt", ".bin", NULL},
    .inner = (const char *const[]){"embeddings", "textual_inversion", "../embeddings",
                                   "../textual_inversion", NULL},
    .has_hash = has_hash,
};

void sl_embeddings_look_in(const char *folder)
{
    sl_named_look_in(&embeddings, folder);
}

char *sl_embedding_find(const char *name, const char *hash, SlError *err)
{
    return sl_named_find(&embeddings, name, hash, err);
}

bool sl_embeddings_each(void (*each)(void *arg, const char *name, const char *path), void *arg,
                        SlError *err)
{
    return sl_named_each(&embeddings, &(SlNamedVisit){false, each, arg}, err);
}

/* ---- names ---- */

typedef struct Names {
    char **name;
    size_t count;
    bool failed;
} Names;

static void add_name(void *arg, const char *name, const char *path)
{
    Names *names = arg;
    size_t length;
    const char *stem = sl_named_stem(&embeddings, path, &length);
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

const char *sl_embedding_text(const char *text, SlError *err)
{
    SlEmbeddingUses uses;
    bool ok = sl_embedding_uses_parse(text, &uses, err);
    for (int i = 0; ok && i < uses.count; i++)
        ok = sl_named_settle(
            &embeddings, &(SlNamedUse){uses.use[i].name, sizeof uses.use[i].name, uses.use[i].hash},
            err);
    char *settled = ok ? sl_embedding_uses_text(&uses) : NULL;
    const char *kept = settled ? sl_named_keep(settled) : NULL;
    if (ok && !kept)
        sl_fail(err, SL_MEMORY, "memory ran out");
    free(settled);
    sl_embedding_uses_free(&uses);
    return kept;
}
