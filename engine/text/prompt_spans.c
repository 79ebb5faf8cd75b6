/* prompt_spans.c - where the tokens of a prompt stand in its text (prompt_tokens.h).
 *
 * A tokenizer does not say which characters a token was made of, so the words of a piece are tokenized
 * one by one and counted. Easy to get wrong: a schedule shows a stretch of the prompt in several
 * texts; it is counted in the first.
 */
#include "engine/text/prompt_tokens.h"
#include "engine/text/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

typedef struct Walk {
    const SlTokenizer *t;        /* with the embeddings, in modes that go by tokens; */
    const SlNamedVectors *names; /* in others these, else NULL */
    SlPromptMode mode;
    SlPromptSpans *out;
    bool *seen; /* of each byte of the prompt */
    int room;
    SlError *err;
} Walk;

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "Out of memory while the prompt was split into tokens");
}

static bool add_span(Walk *w, SlPromptSpan span)
{
    SlPromptSpans *out = w->out;
    if (out->spans == w->room) {
        int room = w->room ? 2 * w->room : 32;
        SlPromptSpan *more = realloc(out->span, (size_t)room * sizeof *more);
        if (!more)
            return no_memory(w->err);
        out->span = more;
        w->room = room;
    }
    out->span[out->spans++] = span;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Tokens of a word as it is typed, with all vectors where they are tokens; -1 without memory. */
static int count_tokens(Walk *w, const char *text, size_t length)
{
    char *word = strndup(text, length);
    bool ok = word || no_memory(w->err);
    bool by_token = w->mode == SL_PROMPT_PLAIN || w->mode == SL_PROMPT_COMPEL;
    char *all = ok && by_token ? sl_tokenizer_expand(w->t, word, w->err) : NULL;
    int *ids = NULL, count = 0;
    ok = ok && (all || !by_token) && sl_tokenize(w->t, all ? all : word, &ids, &count, w->err);
    free(all);
    free(word);
    free(ids);
    return ok ? count : -1;
}

/* comfyui: of "embedding:NAME" the vectors, and the tokens of commas behind it; -1: it is none that is known, or
 * without memory. */
static int count_named(Walk *w, const char *text, size_t length)
{
    static const char sign[] = "embedding:";
    const size_t skip = sizeof sign - 1;
    size_t end = length;
    if (!w->names || w->mode != SL_PROMPT_COMFYUI || length <= skip ||
        strncmp(text, sign, skip) != 0)
        return -1;
    while (end > skip && text[end - 1] == ',')
        end--;
    for (int i = 0; i < w->names->count; i++) {
        const SlPromptVectors *v = &w->names->vectors[i];
        if (strlen(v->name) != end - skip || memcmp(v->name, text + skip, end - skip) != 0)
            continue;
        int commas = end < length ? count_tokens(w, text + end, length - end) : 0;
        return commas < 0 ? -1 : v->count + commas;
    }
    return -1;
}

/* a1111: rows that begin at a word's tokens; a name of several words counts at its first. */
static int count_rows(const SlTokenTerm *term, int rows, int piece, const int range[2])
{
    int count = 0;
    for (int i = 0; i < rows; i++)
        count += term->row[i].piece == piece && term->row[i].ordinal >= range[0] &&
                 term->row[i].ordinal < range[1];
    return count;
}

/* The chunk of a piece's token; tokens that are not there have the last one's. */
static int chunk_of(const SlTokenTerm *term, const SlTokenSection *section, int length, int piece,
                    int ordinal)
{
    int chunk = 0;
    for (int i = 0; i < section->chunks * length; i++)
        if (term->row[i].piece == piece) {
            chunk = i / length;
            if (term->row[i].ordinal >= ordinal)
                break;
        }
    return chunk;
}

/* Where a phrase lies. */
typedef struct Place {
    int part, first_chunk, length;
    const SlTokenSection *section;
    const SlTokenTerm *term;
} Place;

static bool add_words(Walk *w, const SlPromptPiece *piece, int number, const Place *place)
{
    int ordinal = 0;
    for (size_t i = 0; piece->text[i];) {
        size_t end = i;
        if (is_blank(piece->text[i])) {
            i++;
            continue;
        }
        while (piece->text[end] && !is_blank(piece->text[end]))
            end++;
        int count = count_tokens(w, piece->text + i, end - i);
        if (count < 0)
            return false;
        int named = count_named(w, piece->text + i, end - i), rows = place->section->chunks;
        int shows = w->names && w->mode == SL_PROMPT_A1111
                        ? count_rows(place->term, rows * place->length, number,
                                     (const int[]){ordinal, ordinal + count})
                    : named >= 0 ? named
                                 : count;
        /* parts that follow one another in the prompt, too */
        for (size_t k = i; k < end;) {
            size_t next = k + 1;
            while (next < end && piece->from[next] == piece->from[next - 1] + 1)
                next++;
            int begin = piece->from[k], last = piece->from[next - 1] + 1;
            bool shown = begin >= 0 && !w->seen[begin];
            if (shown) {
                memset(w->seen + begin, true, (size_t)(last - begin));
                int chunk = chunk_of(place->term, place->section, place->length, number, ordinal);
                if (!add_span(w, (SlPromptSpan){begin, last, k == i ? shows : 0, place->part,
                                                place->first_chunk + chunk, piece->weight}))
                    return false;
            }
            k = next;
        }
        ordinal += count;
        i = end;
    }
    return true;
}

static int tokens_of(const SlPromptTokens *tokens, int text)
{
    int count = 0;
    for (int s = 0; s < tokens->text[text].sections; s++) {
        const SlTokenSection *section = &tokens->text[text].section[s];
        for (int i = 0; i < section->chunks * tokens->length; i++)
            count += section->term[0].row[i].piece >= 0;
    }
    return count;
}

static bool walk_text(Walk *w, const SlPromptText *text, const SlPromptTokens *tokens,
                      const int place_of[2])
{
    Place place = {.part = place_of[0], .length = tokens->length};
    for (int s = 0; s < text->sections; s++) {
        place.section = &tokens->text[place_of[1]].section[s];
        for (int k = 0; k < place.section->terms; k++) {
            place.term = &place.section->term[k];
            if (place.term->phrase < 0 || place.term->mask[1])
                continue;
            const SlPromptPhrase *phrase = &text->section[s].phrase[place.term->phrase];
            for (int i = 0; i < phrase->pieces; i++)
                if (!add_words(w, &phrase->piece[i], i, &place))
                    return false;
        }
        place.first_chunk += place.section->chunks;
    }
    return true;
}

static bool walk_part(Walk *w, const SlPrompt *prompt, int part, const SlPromptAsk *ask)
{
    const SlPromptTokensAsk of = {prompt,
                                  part,
                                  ask->text,
                                  w->t,
                                  w->names ? w->names->vectors : NULL,
                                  w->names ? w->names->count : 0};
    SlPromptTokens *tokens = sl_prompt_tokens(&of, w->err);
    bool ok = tokens != NULL;
    for (int i = 0; ok && i < prompt->part[part].texts; i++) {
        int count = tokens_of(tokens, i),
            chunks = sl_prompt_tokens_rows(tokens, i) / tokens->length;
        w->out->tokens = count > w->out->tokens ? count : w->out->tokens;
        w->out->chunks = chunks > w->out->chunks ? chunks : w->out->chunks;
        ok = walk_text(w, &prompt->part[part].text[i], tokens, (const int[]){part, i});
    }
    sl_prompt_tokens_free(tokens);
    return ok;
}

static int by_place(const void *a, const void *b)
{
    return ((const SlPromptSpan *)a)->begin - ((const SlPromptSpan *)b)->begin;
}

bool sl_prompt_spans(const SlPromptAsk *ask, const SlTokenizer *tokenizer,
                     const SlNamedVectors *names, SlPromptSpans *out, SlError *err)
{
    *out = (SlPromptSpans){.limit = sl_tokenizer_max_length(tokenizer) - 2};
    bool by_token = ask->mode == SL_PROMPT_PLAIN || ask->mode == SL_PROMPT_COMPEL;
    SlTokenizer *with =
        by_token && names ? sl_tokenizer_with_vectors(tokenizer, names->vectors, names->count, err)
                          : NULL;
    if (by_token && names && !with)
        return false;
    SlPrompt *prompt = sl_prompt_read(ask, err);
    Walk w = {.t = with ? with : tokenizer,
              .names = by_token ? NULL : names,
              .mode = ask->mode,
              .out = out,
              .err = err};
    w.seen = prompt ? calloc((ask->text ? strlen(ask->text) : 0) + 1, sizeof *w.seen) : NULL;
    bool ok = prompt && (w.seen || no_memory(err));
    for (int i = 0; ok && i < prompt->parts; i++)
        ok = walk_part(&w, prompt, i, ask);
    if (ok && ask->mode == SL_PROMPT_PLAIN) { /* one chunk, whatever the text is */
        out->dropped = out->tokens > out->limit ? out->tokens - out->limit : 0;
        out->chunks = 1;
    }
    if (out->spans)
        qsort(out->span, (size_t)out->spans, sizeof *out->span, by_place);
    free(w.seen);
    sl_prompt_free(prompt);
    sl_tokenizer_without(with);
    if (!ok)
        sl_prompt_spans_free(out);
    return ok;
}

void sl_named_vectors_free(SlNamedVectors *names)
{
    for (int i = 0; i < names->count; i++)
        free((char *)(uintptr_t)names->vectors[i].name);
    free(names->vectors);
    *names = (SlNamedVectors){0};
}

void sl_prompt_spans_free(SlPromptSpans *spans)
{
    free(spans->span);
    *spans = (SlPromptSpans){0};
}
