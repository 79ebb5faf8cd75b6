/* embedding_uses.c - the text in which a recipe says its embeddings (see embedding.h).
 *
 * Easy to get wrong: a word may hold nearly any sign ("<cat>", "my style"), but neither ";" nor "/", so
 * that "folder:a/cat.pt" stays a path.
 */
#include "engine/adapters/embedding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789abcdef"

/* What stands behind the last `sign`, if it is short enough and `fits`; cut off then. */
static bool take(const char *start, const char **end, char sign, bool (*fits)(const char *, size_t),
                 char *out, size_t size)
{
    const char *at = memrchr(start, sign, (size_t)(*end - start));
    size_t length = at ? (size_t)(*end - at - 1) : 0;
    if (!at || at == start || length >= size || !fits(at + 1, length))
        return false;
    memcpy(out, at + 1, length);
    out[length] = 0;
    *end = at;
    return true;
}

static bool is_word(const char *text, size_t length)
{
    return length > 0 && !memchr(text, '/', length);
}

static bool is_hash(const char *text, size_t length)
{
    return length >= 8 && length <= 64 && strspn(text, DIGITS "ABCDEF") >= length;
}

static bool read_use(const char *start, const char *end, SlEmbeddingUse *use, SlError *err)
{
    const char *first = start;
    *use = (SlEmbeddingUse){.name = ""};
    take(start, &end, ':', is_word, use->word, sizeof use->word);
    if (take(start, &end, '#', is_hash, use->hash, sizeof use->hash))
        for (char *p = use->hash; *p; p++)
            *p = *p >= 'A' && *p <= 'F' ? (char)(*p + 32) : *p;
    if (end == start || *start == ':' || (size_t)(end - start) >= sizeof use->name)
        return sl_fail(err, SL_ARGUMENT,
                       "\"%.200s\" names no embedding; expected something like FILE or FILE:WORD",
                       first);
    memcpy(use->name, start, (size_t)(end - start));
    use->name[end - start] = 0;
    return true;
}

bool sl_embedding_uses_parse(const char *text, SlEmbeddingUses *uses, SlError *err)
{
    *uses = (SlEmbeddingUses){0};
    for (const char *p = text; *p;) {
        const char *stop = p + strcspn(p, ";"), *end = stop;
        while (p < end && *p == ' ')
            p++;
        while (end > p && end[-1] == ' ')
            end--;
        if (end > p) {
            if (uses->count == SL_EMBEDDINGS_MAX)
                return sl_fail(err, SL_ARGUMENT, "there are more than %d embeddings",
                               SL_EMBEDDINGS_MAX);
            if (!uses->use)
                uses->use = calloc(SL_EMBEDDINGS_MAX, sizeof *uses->use);
            if (!uses->use)
                return sl_fail(err, SL_MEMORY, "out of memory for the embeddings");
            if (!read_use(p, end, &uses->use[uses->count], err))
                return false;
            uses->count++;
        }
        p = stop + (*stop == ';');
    }
    return true;
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
