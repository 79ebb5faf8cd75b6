/* prompt_tokens.c - see prompt_tokens.h.
 *
 * Easy to get wrong: A1111 moves what follows the last comma into the next chunk where that is at most
 * 20 tokens, and a chunk that is exactly full gets no successor; ComfyUI keeps stretches of fewer
 * than 8 tokens together; compel's chunk ends with a sentence, else a phrase, else a word.
 */
#include "engine/text/prompt_tokens.h"
#include "engine/files/files.h"
#include "engine/text/tokenizer_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKTRACK  20 /* A1111's default for "prompt word wrap length limit" */
#define WORD_LIMIT 8  /* ComfyUI's max_word_length */

/* ---- rows that grow ---- */

typedef struct Rows {
    SlTokenRow *row;
    int count, room;
    bool failed;
} Rows;

static void add_row(Rows *rows, SlTokenRow row)
{
    if (rows->count == rows->room) {
        int room = rows->room ? 2 * rows->room : 80;
        SlTokenRow *more = realloc(rows->row, (size_t)room * sizeof *more);
        rows->failed |= !more;
        if (!more)
            return;
        rows->row = more;
        rows->room = room;
    }
    rows->row[rows->count++] = row;
}

static void add_special(Rows *rows, int id, int count)
{
    for (int i = 0; i < count; i++)
        add_row(rows, (SlTokenRow){id, 1, -1, -1});
}

/* ---- tokens of a phrase ---- */

typedef struct Job {
    const SlPromptTokensAsk *ask;
    const SlTokenizer *t;
    int room;            /* tokens in a chunk */
    int comma;           /* its id; -1: it is no single token */
    int **name, *length; /* a1111: the textual inversions' names as tokens */
    SlError *err;
} Job;

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "Out of memory while the prompt was split into tokens");
}

static bool open_job(Job *job, const SlPromptTokensAsk *ask, SlError *err)
{
    int *ids = NULL, count = 0;
    *job = (Job){.ask = ask, .t = ask->tokenizer, .comma = -1, .err = err};
    job->room = job->t->max_length - 2;
    if (!sl_tokenize(job->t, ",", &ids, &count, err))
        return false;
    job->comma = count == 1 ? ids[0] : -1;
    free(ids);
    if (ask->vectors_count == 0)
        return true;
    job->name = calloc((size_t)ask->vectors_count, sizeof *job->name);
    job->length = calloc((size_t)ask->vectors_count, sizeof *job->length);
    if (!job->name || !job->length)
        return no_memory(err);
    for (int i = 0; i < ask->vectors_count; i++)
        if (!sl_tokenize(job->t, ask->vectors[i].name, &job->name[i], &job->length[i], err))
            return false;
    return true;
}

static void close_job(Job *job)
{
    for (int i = 0; job->name && i < job->ask->vectors_count; i++)
        free(job->name[i]);
    free(job->name);
    free(job->length);
}

/* The textual inversion whose name's tokens stand at i, the longest; NULL: none. */
static const SlPromptVectors *vectors_at(const Job *job, const int *ids, int count, int i,
                                         int *length)
{
    const SlPromptVectors *best = NULL;
    *length = 0;
    for (int k = 0; k < job->ask->vectors_count; k++) {
        int n = job->length[k];
        if (n > *length && n <= count - i &&
            !memcmp(ids + i, job->name[k], (size_t)n * sizeof *ids)) {
            best = &job->ask->vectors[k];
            *length = n;
        }
    }
    return best;
}

SlTokenizer *sl_tokenizer_with_vectors(const SlTokenizer *t, const SlPromptVectors *vectors,
                                       int count, SlError *err)
{
    int words = 0, total = 0;
    for (int i = 0; i < count; i++)
        total += vectors[i].count;
    SlAddedWord *word = calloc((size_t)total + 1, sizeof *word);
    char **name = calloc((size_t)total + 1, sizeof *name);
    bool ok = word && name;
    for (int i = 0; i < count; i++)
        for (int k = 0; ok && k < vectors[i].count; k++) {
            const SlPromptVectors *v = &vectors[i];
            ok = (k ? asprintf(&name[words], "%s_%d", v->name, k)
                    : asprintf(&name[words], "%s", v->name)) >= 0;
            if (ok) {
                word[words] = (SlAddedWord){name[words], v->first + k};
                words++;
            }
        }
    SlTokenizer *with = ok ? sl_tokenizer_with(t, word, words, err) : NULL;
    if (!ok)
        no_memory(err);
    for (int i = 0; name && i < words; i++)
        free(name[i]);
    free(name);
    free(word);
    return with;
}

/* ---- a1111 ---- */

typedef struct Chunk {
    const Job *job;
    Rows all, now; /* finished chunks, and the tokens of the one in the making */
    int last_comma;
    int chunks;
} Chunk;

static void next_chunk(Chunk *c)
{
    const SlTokenizer *t = c->job->t;
    int first = c->all.count;
    add_special(&c->all, t->special[SL_BOS], 1);
    for (int i = 0; i < c->now.count; i++)
        add_row(&c->all, c->now.row[i]);
    add_special(&c->all, t->special[SL_EOS], c->job->room + 1 - c->now.count);
    /* behind the first end there is padding, which may be another token */
    bool ended = false;
    for (int i = first; i < c->all.count && !c->all.failed; i++) {
        if (ended)
            c->all.row[i].id = t->special[SL_PAD];
        ended |= c->all.row[i].id == t->special[SL_EOS];
    }
    c->now.count = 0;
    c->last_comma = -1;
    c->chunks++;
}

static void break_at_comma(Chunk *c)
{
    int kept = c->last_comma + 1, moved = c->now.count - kept;
    SlTokenRow rest[BACKTRACK];
    if (moved > 0)
        memcpy(rest, c->now.row + kept, (size_t)moved * sizeof *rest);
    c->now.count = kept;
    next_chunk(c);
    for (int i = 0; i < moved; i++)
        add_row(&c->now, rest[i]);
}

static void add_vectors(Chunk *c, const SlPromptVectors *v, SlTokenRow as)
{
    if (c->now.count + v->count > c->job->room)
        next_chunk(c);
    for (int k = 0; k < v->count && c->now.count < c->job->room; k++) {
        as.id = v->first + k;
        add_row(&c->now, as);
    }
}

static void add_ids(Chunk *c, const int *ids, int count, SlTokenRow as)
{
    const Job *job = c->job;
    for (int i = 0, length; i < count; i += length) {
        if (ids[i] == job->comma)
            c->last_comma = c->now.count;
        else if (c->now.count == job->room && c->last_comma != -1 &&
                 c->now.count - c->last_comma <= BACKTRACK)
            break_at_comma(c);
        if (c->now.count == job->room)
            next_chunk(c);
        const SlPromptVectors *v = vectors_at(job, ids, count, i, &length);
        as.ordinal = i;
        as.id = ids[i];
        if (v) {
            add_vectors(c, v, as);
        } else {
            add_row(&c->now, as);
            length = 1;
        }
    }
}

static bool chunk_a1111(const Job *job, const SlPromptPhrase *phrase, Rows *out)
{
    Chunk c = {.job = job, .last_comma = -1};
    bool ok = true;
    for (int i = 0; ok && i < phrase->pieces; i++) {
        const SlPromptPiece *piece = &phrase->piece[i];
        int *ids = NULL, count = 0;
        if (piece->kind == SL_PIECE_BREAK) {
            next_chunk(&c);
            continue;
        }
        ok = sl_tokenize(job->t, piece->text, &ids, &count, job->err);
        if (ok)
            add_ids(&c, ids, count, (SlTokenRow){0, (float)piece->weight, i, 0});
        free(ids);
    }
    if (ok && (c.now.count || c.chunks == 0))
        next_chunk(&c);
    ok = ok && ((!c.all.failed && !c.now.failed) || no_memory(job->err));
    free(c.now.row);
    *out = c.all;
    return ok;
}

/* ---- comfyui ---- */

typedef struct Batches {
    const Job *job;
    Rows rows;
    int used; /* rows of the last chunk */
} Batches;

static void end_batch(Batches *b)
{
    const SlTokenizer *t = b->job->t;
    add_special(&b->rows, t->special[SL_EOS], 1);
    add_special(&b->rows, t->special[SL_PAD], b->job->room + 1 - b->used);
    b->used = 0;
}

static void begin_batch(Batches *b)
{
    add_special(&b->rows, b->job->t->special[SL_BOS], 1);
    b->used = 1;
}

/* Tokens that stay together where they are few. */
static void add_group(Batches *b, const SlTokenRow *row, int count)
{
    bool large = count >= WORD_LIMIT;
    while (count > 0 && !b->rows.failed) {
        int left = b->job->room + 1 - b->used;
        bool fits = count <= left;
        int take = fits ? count : large ? left : 0;
        for (int i = 0; i < take; i++)
            add_row(&b->rows, row[i]);
        b->used += take;
        row += take;
        count -= take;
        if (!fits) {
            end_batch(b);
            begin_batch(b);
        }
    }
}

static bool add_words(Batches *b, const char *text, size_t length, SlTokenRow as)
{
    int *ids = NULL, count = 0;
    char *words = strndup(text, length);
    bool ok =
        words ? sl_tokenize(b->job->t, words, &ids, &count, b->job->err) : no_memory(b->job->err);
    SlTokenRow *group = ok ? malloc(((size_t)count + 1) * sizeof *group) : NULL;
    ok = ok && (group || no_memory(b->job->err));
    for (int i = 0; ok && i < count; i++) {
        group[i] = as;
        group[i].id = ids[i];
        group[i].ordinal = as.ordinal < 0 ? -1 : as.ordinal + i;
    }
    if (ok)
        add_group(b, group, count);
    free(group);
    free(words);
    free(ids);
    return ok;
}

/* The textual inversion of that name; a comma behind the name is no part of it. */
static const SlPromptVectors *vectors_named(const Job *job, const char *name, size_t *length)
{
    for (int commas = 0; commas < 2; commas++) {
        for (; commas && *length && name[*length - 1] == ','; --*length)
            ;
        for (int i = 0; i < job->ask->vectors_count; i++)
            if (strlen(job->ask->vectors[i].name) == *length &&
                !memcmp(job->ask->vectors[i].name, name, *length))
                return &job->ask->vectors[i];
    }
    return NULL;
}

static bool add_embedding(Batches *b, const char *text, size_t length, SlTokenRow as)
{
    static const char mark[] = "embedding:";
    const size_t skip = strlen(mark);
    size_t name = 0, behind;
    while (skip + name < length && !strchr(" \t\r\v\f\n", text[skip + name]))
        name++;
    behind = name;
    const SlPromptVectors *v = vectors_named(b->job, text + skip, &name);
    SlTokenRow *group = v ? malloc((size_t)v->count * sizeof *group) : NULL;
    as.ordinal = -1;
    for (int i = 0; group && i < v->count; i++) {
        group[i] = as;
        group[i].id = v->first + i;
    }
    if (group)
        add_group(b, group, v->count);
    free(group);
    if (v && !group)
        return no_memory(b->job->err);
    /* a name that nobody knows is left out; what follows it is text */
    size_t from = skip + (v ? name : behind);
    return from >= length || add_words(b, text + from, length - from, as);
}

/* A piece: text, and "embedding:name" at its beginning or behind a blank or a line's end. */
static bool add_piece(Batches *b, const SlPromptPiece *piece, SlTokenRow as)
{
    static const char *const marks[] = {" embedding:", "\nembedding:"};
    const char *text = piece->text;
    bool ok = true;
    if (b->job->ask->vectors_count == 0)
        return add_words(b, text, strlen(text), as);
    for (bool first = true; ok && (*text || first); first = false) {
        const char *end = text + strlen(text);
        for (int i = 0; i < 2; i++) {
            const char *found = strstr(text, marks[i]);
            end = found && found < end ? found : end;
        }
        size_t length = (size_t)(end - text);
        bool named = !strncmp(text, "embedding:", 10) && length > 10;
        if (length)
            ok = named ? add_embedding(b, text, length, as) : add_words(b, text, length, as);
        as.ordinal = -1; /* counted only where no embedding is before it */
        text = *end ? end + 1 : end;
    }
    return ok;
}

static bool chunk_comfyui(const Job *job, const SlPromptPhrase *phrase, Rows *out)
{
    Batches b = {.job = job};
    bool ok = true;
    begin_batch(&b);
    for (int i = 0; ok && i < phrase->pieces; i++)
        ok =
            add_piece(&b, &phrase->piece[i], (SlTokenRow){0, (float)phrase->piece[i].weight, i, 0});
    end_batch(&b);
    *out = b.rows;
    return ok && (!b.rows.failed || no_memory(job->err));
}

/* ---- compel ---- */

static bool ends_with(const SlTokenizer *t, int id, const char *const *ends)
{
    const char *piece = sl_tokenizer_piece(t, id);
    size_t n = piece ? strlen(piece) : 0;
    for (int i = 0; piece && ends[i]; i++) {
        /* of "</w>" any piece that ends a word, of the others the sign alone */
        bool any = ends[i][0] == '<';
        if (any ? n >= 4 && !strcmp(piece + n - 4, ends[i]) : !strcmp(piece, ends[i]))
            return true;
    }
    return false;
}

/* How many of the tokens go into the next chunk. */
static int split_point(const Job *job, const SlTokenRow *row, int count)
{
    static const char *const ends[3][5] = {
        {".</w>"}, {".</w>", ",</w>", ";</w>", ":</w>"}, {"</w>"}};
    if (count <= job->room)
        return count;
    for (int kind = 0; kind < 3; kind++)
        for (int i = job->room - 1; i >= 0; i--)
            if (ends_with(job->t, row[i].id, ends[kind]))
                return i + 1;
    return job->room;
}

static bool chunk_compel(const Job *job, const SlPromptPhrase *phrase, Rows *out)
{
    const SlTokenizer *t = job->t;
    Rows all = {0};
    bool ok = true;
    for (int i = 0; ok && i < phrase->pieces; i++) {
        const SlPromptPiece *piece = &phrase->piece[i];
        int *ids = NULL, count = 0;
        char *text = sl_tokenizer_expand(t, piece->text, job->err);
        ok = text && sl_tokenize(t, text, &ids, &count, job->err);
        for (int k = 0; ok && k < count; k++)
            add_row(&all, (SlTokenRow){ids[k], (float)piece->weight, i, k});
        free(ids);
        free(text);
    }
    for (int at = 0, n; ok && !all.failed && (at < all.count || out->count == 0); at += n) {
        const SlTokenRow *rest = all.row ? all.row + at : NULL; /* none of an empty text */
        n = split_point(job, rest, all.count - at);
        add_special(out, t->special[SL_BOS], 1);
        for (int i = 0; i < n; i++)
            add_row(out, rest[i]);
        add_special(out, t->special[SL_EOS], 1);
        add_special(out, t->special[SL_PAD], job->room - n);
        if (out->failed)
            break;
    }
    bool full = all.failed || out->failed;
    free(all.row);
    return ok && (!full || no_memory(job->err));
}

/* ---- sections ---- */

static SlTokenTerm *add_term(SlTokenSection *section, double factor, int phrase, SlError *err)
{
    SlTokenTerm *more =
        realloc(section->term, ((size_t)section->terms + 1) * sizeof *section->term);
    if (!more) {
        no_memory(err);
        return NULL;
    }
    section->term = more;
    more += section->terms++;
    *more = (SlTokenTerm){.factor = factor, .phrase = phrase};
    return more;
}

static bool chunk(const Job *job, const SlPromptPhrase *phrase, Rows *out)
{
    switch (job->ask->prompt->mode) {
    case SL_PROMPT_A1111:
        return chunk_a1111(job, phrase, out);
    case SL_PROMPT_COMFYUI:
        return chunk_comfyui(job, phrase, out);
    default:
        return chunk_compel(job, phrase, out);
    }
}

/* Where the first and the last token of a piece lie, both 0 where it has none. */
static void range_of(const Rows *rows, int piece, int range[2])
{
    range[0] = range[1] = 0;
    for (int i = 0; i < rows->count; i++)
        if (rows->row[i].piece == piece) {
            range[0] = range[1] ? range[0] : i;
            range[1] = i + 1;
        }
}

/* compel: a piece of weight below 1 is also mixed with what it would be without it, the more so the
 * lower the weight. The factors of a phrase add up to `factor`. */
static bool add_without(const Job *job, const SlPromptPhrase *phrase, double factor,
                        SlTokenSection *section, const Rows *rows)
{
    bool compel = job->ask->prompt->mode == SL_PROMPT_COMPEL;
    SlError *err = job->err;
    int first = section->terms - 1, which = section->term[first].phrase;
    double sum = 1;
    for (int i = 0; i < (compel ? phrase->pieces : 0); i++) {
        double weight = phrase->piece[i].weight;
        int range[2];
        range_of(rows, i, range);
        if (weight >= 1 || range[1] == 0)
            continue;
        double part = tan((1 - fmax(1e-5, weight)) * acos(-1.0) / 2);
        SlTokenTerm *term = add_term(section, part, which, err);
        if (!term)
            return false;
        memcpy(term->mask, range, sizeof range);
        term->row = malloc(((size_t)rows->count + 1) * sizeof *term->row);
        if (!term->row)
            return no_memory(err);
        memcpy(term->row, rows->row, (size_t)rows->count * sizeof *term->row);
        sum += part;
    }
    for (int i = first; i < section->terms; i++)
        section->term[i].factor *= factor / sum;
    return true;
}

/* The section's terms become as long as its longest one: chunks without words follow. */
static bool even_out(const SlPromptTokens *out, SlTokenSection *section, const int *counts,
                     SlError *err)
{
    int length = out->length;
    for (int i = 0; i < section->terms; i++)
        section->chunks =
            counts[i] / length > section->chunks ? counts[i] / length : section->chunks;
    int rows = section->chunks * length;
    for (int i = 0; i < section->terms; i++) {
        SlTokenTerm *term = &section->term[i];
        SlTokenRow *more = realloc(term->row, ((size_t)rows + 1) * sizeof *more);
        if (!more)
            return no_memory(err);
        term->row = more;
        for (int k = counts[i]; k < rows; k++)
            more[k] = (SlTokenRow){out->empty[k % length], 1, -1, -1};
    }
    return true;
}

static bool make_section(const Job *job, const SlPromptSection *of, const SlPromptTokens *out,
                         SlTokenSection *section)
{
    int most = 1, *counts = NULL;
    for (int i = 0; i < of->phrases; i++)
        most += 1 + of->phrase[i].pieces;
    counts = calloc((size_t)most, sizeof *counts);
    bool ok = counts || no_memory(job->err);
    for (int i = 0; ok && i < of->phrases; i++) {
        Rows rows = {0};
        int first = section->terms;
        SlTokenTerm *term = add_term(section, 1, i, job->err);
        ok = term && chunk(job, &of->phrase[i], &rows);
        if (term)
            term->row = rows.row;
        else
            free(rows.row);
        ok = ok &&
             add_without(job, &of->phrase[i], of->phrase[i].factor * of->weight, section, &rows);
        for (int k = first; ok && k < section->terms; k++)
            counts[k] = rows.count;
    }
    if (ok && of->weight != 1) /* of what the empty prompt is, the rest */
        ok = add_term(section, 1 - of->weight, -1, job->err) != NULL;
    ok = ok && even_out(out, section, counts, job->err);
    free(counts);
    return ok;
}

/* A1111: all texts of a schedule have as many chunks as the longest. */
static bool even_texts(SlPromptTokens *out, SlError *err)
{
    int most = 0;
    for (int i = 0; i < out->texts; i++)
        most = out->text[i].section[0].chunks > most ? out->text[i].section[0].chunks : most;
    for (int i = 0; i < out->texts; i++) {
        SlTokenSection *section = &out->text[i].section[0];
        int count = section->chunks * out->length;
        section->chunks = most;
        if (!even_out(out, section, &count, err))
            return false;
    }
    return true;
}

static bool add_texts(const Job *job, SlPromptTokens *out)
{
    const SlPromptPart *part = &job->ask->prompt->part[job->ask->part];
    out->text = calloc((size_t)part->texts + 1, sizeof *out->text);
    if (!out->text)
        return no_memory(job->err);
    for (int i = 0; i < part->texts; i++) {
        SlTokenText *text = &out->text[out->texts++];
        text->section = calloc((size_t)part->text[i].sections + 1, sizeof *text->section);
        if (!text->section)
            return no_memory(job->err);
        for (int s = 0; s < part->text[i].sections; s++) {
            text->sections++;
            if (!make_section(job, &part->text[i].section[s], out, &text->section[s]))
                return false;
        }
    }
    for (int i = 0; i < part->turns; i++)
        out->text[part->turn[i].text].turns++;
    return out->mode != SL_PROMPT_A1111 || even_texts(out, job->err);
}

/* ---- the identity ---- */

static void hash_term(char identity[65], const SlTokenTerm *term, int rows)
{
    char parts[4][65] = {{0}};
    memcpy(parts[0], identity, 65);
    sl_sha256(&term->factor, sizeof term->factor, parts[1]);
    sl_sha256(term->mask, sizeof term->mask, parts[2]);
    for (int i = 0; i < rows; i++) {
        struct {
            char before[65];
            int id;
            float weight;
        } row;
        memset(&row, 0, sizeof row);
        memcpy(row.before, parts[3], 65);
        row.id = term->row[i].id;
        row.weight = term->row[i].weight;
        sl_sha256(&row, sizeof row, parts[3]);
    }
    sl_sha256(parts, sizeof parts, identity);
}

static void identify(SlPromptTokens *out)
{
    struct {
        int mode, emphasis, length, texts;
        char whole[65];
    } head;
    memset(&head, 0, sizeof head);
    head.mode = (int)out->mode;
    head.emphasis = (int)out->emphasis;
    head.length = out->length;
    head.texts = out->texts;
    if (out->whole)
        sl_sha256(out->whole, (size_t)out->length * sizeof *out->whole, head.whole);
    sl_sha256(&head, sizeof head, out->identity);
    for (int t = 0; t < out->texts; t++)
        for (int s = 0; s < out->text[t].sections; s++) {
            const SlTokenSection *section = &out->text[t].section[s];
            struct {
                char before[65];
                int text, section, chunks, turns;
            } place;
            memset(&place, 0, sizeof place);
            memcpy(place.before, out->identity, 65);
            place.text = t;
            place.section = s;
            place.chunks = section->chunks;
            place.turns = out->text[t].turns;
            sl_sha256(&place, sizeof place, out->identity);
            for (int i = 0; i < section->terms; i++)
                hash_term(out->identity, &section->term[i], section->chunks * out->length);
        }
}

/* ---- the whole ---- */

static bool fill_tokens(SlPromptTokens *out, const Job *job, SlError *err)
{
    const SlTokenizer *t = job->t;
    out->empty = calloc((size_t)out->length, sizeof *out->empty);
    if (!out->empty)
        return no_memory(err);
    for (int i = 0; i < out->length; i++)
        out->empty[i] = t->special[i == 0 ? SL_BOS : i == 1 ? SL_EOS : SL_PAD];
    if (out->mode == SL_PROMPT_COMPEL) {
        out->whole = calloc((size_t)out->length, sizeof *out->whole);
        if (!out->whole)
            return no_memory(err);
        if (!sl_tokenize_padded(t, job->ask->text ? job->ask->text : "", out->whole, NULL, NULL,
                                err))
            return false;
    }
    return add_texts(job, out);
}

SlPromptTokens *sl_prompt_tokens(const SlPromptTokensAsk *ask, SlError *err)
{
    SlPromptTokens *out = calloc(1, sizeof *out);
    Job job = {0};
    if (!out) {
        no_memory(err);
        return NULL;
    }
    out->mode = ask->prompt->mode;
    out->emphasis = ask->prompt->emphasis;
    out->length = sl_tokenizer_max_length(ask->tokenizer);
    bool ok = open_job(&job, ask, err) && fill_tokens(out, &job, err);
    if (job.ask)
        close_job(&job);
    if (ok) {
        identify(out);
        return out;
    }
    sl_prompt_tokens_free(out);
    return NULL;
}

bool sl_prompt_tokens_pad(SlPromptTokens *tokens, int rows, SlError *err)
{
    for (int t = 0; t < tokens->texts; t++) {
        SlTokenText *text = &tokens->text[t];
        int missing = rows - sl_prompt_tokens_rows(tokens, t), none = 0;
        if (missing <= 0)
            continue;
        SlTokenSection *more =
            realloc(text->section, ((size_t)text->sections + 1) * sizeof *text->section);
        if (!more)
            return no_memory(err);
        text->section = more;
        more += text->sections++;
        *more = (SlTokenSection){.chunks = missing / tokens->length};
        if (!add_term(more, 1, -1, err) || !even_out(tokens, more, &none, err))
            return false;
    }
    identify(tokens);
    return true;
}

void sl_prompt_tokens_free(SlPromptTokens *tokens)
{
    if (!tokens)
        return;
    for (int t = 0; t < tokens->texts; t++) {
        for (int s = 0; s < tokens->text[t].sections; s++) {
            SlTokenSection *section = &tokens->text[t].section[s];
            for (int i = 0; i < section->terms; i++)
                free(section->term[i].row);
            free(section->term);
        }
        free(tokens->text[t].section);
    }
    free(tokens->text);
    free(tokens->empty);
    free(tokens->whole);
    free(tokens);
}

int sl_prompt_tokens_rows(const SlPromptTokens *tokens, int text)
{
    int chunks = 0;
    for (int s = 0; s < tokens->text[text].sections; s++)
        chunks += tokens->text[text].section[s].chunks;
    return chunks * tokens->length;
}
