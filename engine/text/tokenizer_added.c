/* tokenizer_added.c - textual inversions among the added tokens. Those of several vectors: "<cat>" in a
 * prompt stands for "<cat> <cat>_1 <cat>_2", as many as there are; and those that a run brings.
 *
 * Mirrors TextualInversionLoaderMixin.maybe_convert_prompt of diffusers (loaders/
 * textual_inversion.py), which every pipeline calls before its tokenizer. Easy to get wrong: a token
 * is replaced wherever its text stands, also in the middle of a longer token's. diffusers takes the
 * tokens of a prompt in no certain order; here it is the order in which they stand.
 */
#include "engine/text/tokenizer_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "Out of memory while the text was split into tokens");
}

/* The added token "TOKEN_number", NULL when there is none. */
static const SlAddedToken *vector_of(const SlTokenizer *t, const SlAddedToken *token, int number)
{
    char suffix[16];
    size_t length = (size_t)snprintf(suffix, sizeof suffix, "_%d", number);
    for (int i = 0; i < t->added_count; i++) {
        const SlAddedToken *a = &t->added[i];
        if (a->length == token->length + length && !memcmp(a->text, token->text, token->length) &&
            !strcmp(a->text + token->length, suffix))
            return a;
    }
    return NULL;
}

/* The token and its further vectors, spaces between; malloc'ed. */
static char *all_vectors(const SlTokenizer *t, const SlAddedToken *token)
{
    const SlAddedToken *next;
    size_t length = token->length;
    char *text = strdup(token->text);
    for (int i = 1; text && (next = vector_of(t, token, i)); i++) {
        char *longer = realloc(text, length + next->length + 2);
        if (!longer) {
            free(text);
            return NULL;
        }
        text = longer;
        length += (size_t)sprintf(text + length, " %s", next->text);
    }
    return text;
}

/* Every `find` in *text replaced; *text is the old one where that fails. */
static bool replace_all(char **text, const char *find, const char *by, SlError *err)
{
    size_t count = 0, find_length = strlen(find), by_length = strlen(by);
    for (const char *p = *text; (p = strstr(p, find)); p += find_length)
        count++;
    size_t length = strlen(*text) + count * (by_length - find_length);
    if (length > SL_TEXT_MAX_BYTES)
        return sl_fail(err, SL_FORMAT,
                       "The text has %zu bytes with all vectors of \"%s\"; at most 16 MiB are read",
                       length, find);
    char *out = malloc(length + 1), *to = out;
    if (!out)
        return no_memory(err);
    const char *from = *text;
    for (const char *p; (p = strstr(from, find)); from = p + find_length) {
        memcpy(to, from, (size_t)(p - from));
        memcpy(to + (p - from), by, by_length);
        to += (size_t)(p - from) + by_length;
    }
    strcpy(to, from);
    free(*text);
    *text = out;
    return true;
}

static bool expand(const SlTokenizer *t, const SlAddedToken *token, char **text, SlError *err)
{
    char *by = all_vectors(t, token);
    bool ok = by ? replace_all(text, token->text, by, err) : no_memory(err);
    free(by);
    return ok;
}

/* The added token with this id, NULL when it is none. */
static const SlAddedToken *added_with(const SlTokenizer *t, int id)
{
    for (int i = 0; i < t->added_count; i++)
        if (t->added[i].id == id)
            return &t->added[i];
    return NULL;
}

/* *whole becomes the text with all vectors of its tokens, whose ids are these. */
static bool expand_all(const SlTokenizer *t, const int *ids, int count, char **whole, SlError *err)
{
    bool ok = true, *seen = calloc((size_t)t->added_count + 1, sizeof *seen);
    if (!seen)
        return no_memory(err);
    for (int i = 0; ok && i < count; i++) {
        const SlAddedToken *token = added_with(t, ids[i]);
        if (!token || seen[token - t->added])
            continue;
        seen[token - t->added] = true;
        ok = !vector_of(t, token, 1) || expand(t, token, whole, err);
    }
    free(seen);
    return ok;
}

char *sl_tokenizer_expand(const SlTokenizer *t, const char *text, SlError *err)
{
    int *ids, count;
    if (!sl_tokenize(t, text, &ids, &count, err))
        return NULL;
    char *whole = strdup(text);
    bool ok = whole ? expand_all(t, ids, count, &whole, err) : no_memory(err);
    free(ids);
    if (ok)
        return whole;
    free(whole);
    return NULL;
}

/* ---- more words ---- */

static bool add_word(SlTokenizer *with, const SlAddedWord *word, SlError *err)
{
    SlAddedToken *a = &with->added[with->added_count++];
    *a = (SlAddedToken){.text = strdup(word->text),
                        .length = strlen(word->text),
                        .id = word->id,
                        .normalized = true,
                        .listing = SL_LISTED_WHOLE};
    if (!a->text)
        return no_memory(err);
    a->normal = sl_text_normalize(SL_TOKENS_TRANSFORMERS_5, a->text, a->length, &a->normal_length);
    with->added_starts[(unsigned char)*a->text] = true;
    return a->normal || no_memory(err);
}

SlTokenizer *sl_tokenizer_with(const SlTokenizer *t, const SlAddedWord *words, int count,
                               SlError *err)
{
    SlTokenizer *with = malloc(sizeof *with);
    bool ok = with != NULL;
    if (ok) {
        *with = *t;
        with->added = calloc((size_t)t->added_count + (size_t)count + 1, sizeof *with->added);
        with->borrowed = t->added_count;
        ok = with->added != NULL;
    }
    if (!ok) {
        free(with);
        no_memory(err);
        return NULL;
    }
    if (t->added_count)
        memcpy(with->added, t->added, (size_t)t->added_count * sizeof *t->added);
    for (int i = 0; ok && i < count; i++)
        ok = add_word(with, &words[i], err);
    if (ok)
        return with;
    sl_tokenizer_without(with);
    return NULL;
}

void sl_tokenizer_without(SlTokenizer *with)
{
    for (int i = with ? with->borrowed : 0; with && i < with->added_count; i++) {
        free(with->added[i].text);
        free(with->added[i].normal);
    }
    if (with)
        free(with->added);
    free(with);
}

bool sl_tokenizer_knows(const SlTokenizer *t, const char *text)
{
    for (int i = 0; i < t->added_count; i++)
        if (!strcmp(t->added[i].text, text))
            return true;
    for (int i = 0; i < t->size; i++)
        if (t->piece[i] && !strcmp(t->piece[i], text))
            return true;
    return false;
}
