/* embedding_names.c - see embedding_names.h; and the names that a recipe's prompts may have, for showing.
 *
 * Easy to get wrong: which name counts is the mode's: the file's, or the one in it.
 */
#include "engine/run/embedding_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sl_embedding_stem(const char *path, size_t *length)
{
    static const char *const endings[] = {".safetensors", ".pt", ".bin"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    *length = strlen(name);
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(endings[i]);
        if (*length > n && !strcmp(name + *length - n, endings[i])) {
            *length -= n;
            break;
        }
    }
    return name;
}

char *sl_embedding_own_name(SlPromptMode mode, const char *said, const SlEmbeddingFile *file,
                            const SlEmbedding *e)
{
    size_t length;
    const char *stem = sl_embedding_stem(said, &length);
    bool of_file = mode == SL_PROMPT_A1111 || mode == SL_PROMPT_COMFYUI;
    bool many = e->bundled || (e->named && sl_embedding_count(file) > 1);
    return e->word && *e->word && (!of_file || many) ? strdup(e->word) : strndup(stem, length);
}

bool sl_embedding_may_be_named(const char *text, const char *name, size_t length)
{
    for (const char *p = text; *p; p++) {
        const char *q = p;
        size_t i = 0;
        for (;;) {
            while (i < length && isspace((unsigned char)name[i]))
                i++;
            while (*q && isspace((unsigned char)*q))
                q++;
            if (i == length)
                return true;
            if (!*q || tolower((unsigned char)*q) != tolower((unsigned char)name[i]))
                break;
            q++;
            i++;
        }
    }
    return false;
}

void sl_embedding_comfyui_names(char *names[3], const char *name, const char *path)
{
    size_t length;
    const char *file = sl_embedding_stem(path, &length);
    names[0] = strdup(file);
    names[1] = strdup(name);
    if (asprintf(&names[2], "%s%s", name, file + length) < 0)
        names[2] = NULL;
}

/* ---- of a recipe ---- */

#define FIRST_ID (1 << 24) /* behind every vocabulary: the ids are for counting */

typedef struct Search {
    const SlRecipe *recipe;
    SlNamedVectors *names;
    int found; /* files that prompts found by themselves */
    bool ok;
} Search;

/* Takes the name, which NULL says there was no memory for. */
static void add(Search *s, char *name, int vectors)
{
    SlNamedVectors *n = s->names;
    SlPromptVectors *more =
        name ? realloc(n->vectors, ((size_t)n->count + 1) * sizeof *more) : NULL;
    if (!more) {
        free(name);
        s->ok = false;
        return;
    }
    n->vectors = more;
    int first = n->count ? more[n->count - 1].first + more[n->count - 1].count : FIRST_ID;
    more[n->count++] = (SlPromptVectors){name, first, vectors};
}

static bool is_known(const Search *s, const char *name, size_t length)
{
    for (int i = 0; i < s->names->count; i++)
        if (strlen(s->names->vectors[i].name) == length &&
            !memcmp(s->names->vectors[i].name, name, length))
            return true;
    return false;
}

/* What cannot be read is left out: the run says why. */
static void add_file(Search *s, const SlEmbeddingUse *use, const char *path, bool bundled)
{
    SlError ignored = {0};
    SlEmbeddingFile *file = path ? sl_embedding_open(path, &ignored) : NULL;
    int count = file ? sl_embedding_count(file) : 0;
    for (int i = 0; i < count; i++) {
        const SlEmbedding *e = sl_embedding_get(file, i);
        if (e->bundled != bundled ||
            (*use->word && count > 1 && (!e->word || strcmp(e->word, use->word) != 0)))
            continue;
        add(s,
            *use->word ? strdup(use->word)
            : bundled
                ? strdup(e->word)
                : sl_embedding_own_name((SlPromptMode)s->recipe->prompt_mode, use->name, file, e),
            e->vectors);
    }
    sl_embedding_close(file);
}

static void add_said(Search *s, SlFindAdapter find)
{
    SlEmbeddingUses uses;
    SlError ignored = {0};
    bool ok =
        sl_embedding_uses_parse(s->recipe->embedding ? s->recipe->embedding : "", &uses, &ignored);
    for (int i = 0; ok && i < uses.count; i++) {
        char *path = find(uses.use[i].name, uses.use[i].hash, &ignored);
        add_file(s, &uses.use[i], path, false);
        free(path);
    }
    sl_embedding_uses_free(&uses);
}

/* Those that LoRAs bring. */
static void add_bundles(Search *s, SlFindAdapter find)
{
    static const SlEmbeddingUse any;
    SlAdapterUses uses = {0};
    SlError ignored = {0};
    int said;
    bool ok = sl_recipe_adapters(s->recipe, &uses, &said, &ignored);
    for (int i = 0; ok && i < uses.count; i++) {
        char *path = find(uses.use[i].name, uses.use[i].hash, &ignored);
        add_file(s, &any, path, true);
        free(path);
    }
    sl_adapter_uses_free(&uses);
}

static void look_at(void *arg, const char *name, const char *path)
{
    Search *s = arg;
    SlError ignored = {0};
    size_t length;
    const char *stem = sl_embedding_stem(path, &length);
    const char *prompt = s->recipe->prompt ? s->recipe->prompt : "";
    const char *negative = s->recipe->negative_prompt ? s->recipe->negative_prompt : "";
    if (!s->ok || s->found == SL_EMBEDDINGS_MAX || is_known(s, stem, length) ||
        (!sl_embedding_may_be_named(prompt, stem, length) &&
         !sl_embedding_may_be_named(negative, stem, length)))
        return;
    SlEmbeddingFile *file = sl_embedding_open(path, &ignored);
    if (file && sl_embedding_count(file) == 1) {
        char *more[3] = {NULL};
        int vectors = sl_embedding_get(file, 0)->vectors;
        s->found++;
        add(s, strndup(stem, length), vectors);
        if (s->recipe->prompt_mode == SL_PROMPT_COMFYUI)
            sl_embedding_comfyui_names(more, name, path);
        for (int i = 0; i < 3; i++)
            if (more[i])
                add(s, more[i], vectors);
    }
    sl_embedding_close(file);
}

bool sl_recipe_embeddings(const SlRecipe *recipe, const SlEmbeddingPlaces *places,
                          SlNamedVectors *names, SlError *err)
{
    Search s = {.recipe = recipe, .names = names, .ok = true};
    SlError ignored = {0};
    int mode = recipe->prompt_mode;
    *names = (SlNamedVectors){0};
    add_said(&s, places->find);
    add_bundles(&s, places->find_adapter);
    if (mode == SL_PROMPT_A1111 || mode == SL_PROMPT_COMFYUI)
        places->list(look_at, &s, &ignored);
    if (s.ok)
        return true;
    sl_named_vectors_free(names);
    return sl_fail(err, SL_MEMORY, "out of memory for the embeddings");
}
