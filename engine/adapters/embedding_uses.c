/* embedding_uses.c - the text in which a recipe says its embeddings (see embedding.h).
 *
 * Easy to get wrong: a word may hold nearly any sign ("<cat>", "my style"), but neither ";" nor "/", so
 * that "folder:a/cat.pt" stays a path.
 */
#include "engine/adapters/embedding.h"
#include "engine/adapters/uses_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The word behind the last ":", where it is one, is taken off the end. */
static void take_word(const char *start, const char **end, char *word, size_t size)
{
    const char *at = memrchr(start, ':', (size_t)(*end - start));
    size_t length = at ? (size_t)(*end - at - 1) : 0;
    if (!at || at == start || length == 0 || length >= size || memchr(at + 1, '/', length))
        return;
    memcpy(word, at + 1, length);
    word[length] = 0;
    *end = at;
}

static bool is_hash(size_t length)
{
    return length >= 8 && length <= 64;
}

static bool read_use(const char *start, const char *end, void *to, SlError *err)
{
    SlEmbeddingUse *use = to;
    *use = (SlEmbeddingUse){.name = ""};
    take_word(start, &end, use->word, sizeof use->word);
    sl_uses_take_hash(start, &end, is_hash, use->hash);
    if (end == start || *start == ':' || (size_t)(end - start) >= sizeof use->name)
        return sl_fail(err, SL_ARGUMENT,
                       "\"%.200s\" names no embedding; expected something like FILE or FILE:WORD",
                       start);
    memcpy(use->name, start, (size_t)(end - start));
    use->name[end - start] = 0;
    return true;
}

bool sl_embedding_uses_parse(const char *text, SlEmbeddingUses *uses, SlError *err)
{
    static const SlUsesKind kind = {"embeddings", SL_EMBEDDINGS_MAX, sizeof(SlEmbeddingUse),
                                    read_use};
    void *use;
    bool ok = sl_uses_parse(&kind, text, &use, &uses->count, err);
    uses->use = use;
    return ok;
}

void sl_embedding_uses_free(SlEmbeddingUses *uses)
{
    free(uses->use);
    *uses = (SlEmbeddingUses){0};
}

bool sl_embedding_uses_check(const char *text, SlError *err)
{
    SlEmbeddingUses uses;
    bool ok = sl_embedding_uses_parse(text, &uses, err);
    sl_embedding_uses_free(&uses);
    return ok;
}

char *sl_embedding_uses_text(const SlEmbeddingUses *uses)
{
    size_t room = (size_t)uses->count * (sizeof(SlEmbeddingUse) + 8) + 1, used = 0;
    char *text = calloc(room, 1);
    for (int i = 0; text && i < uses->count; i++) {
        const SlEmbeddingUse *u = &uses->use[i];
        used += (size_t)snprintf(text + used, room - used, "%s%s%s%s%s%s", i ? "; " : "", u->name,
                                 *u->hash ? "#" : "", u->hash, *u->word ? ":" : "", u->word);
    }
    return text;
}

bool sl_embedding_has_hash(const char sha256[65], const char *hash)
{
    size_t n = strlen(hash);
    return n >= 8 && n <= 64 && !strncmp(sha256, hash, n);
}
