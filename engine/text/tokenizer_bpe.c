/* tokenizer_bpe.c - byte pair encoding of one word.
 *
 * Mirrors CLIPTokenizer.bpe of transformers/models/clip/tokenization_clip.py, which merges in each
 * pass every occurrence, from left to right, of the pair with the lowest rank. Easy to get wrong:
 * pairs that arise during a pass wait for its end, even where their rank is lower (in the tokenizers
 * library of transformers 5 they do not wait); the last byte of a word is another symbol than the
 * same byte inside. A heap of candidates keeps a word of a million letters from taking its square.
 */
#include "engine/text/tokenizer_private.h"

#include <stdint.h>
#include <stdlib.h>

/* ---- the table of merges ---- */

static size_t merge_slot(const SlTokenizer *t, int left, int right)
{
    uint64_t h = ((uint64_t)(unsigned)left << 32 | (unsigned)right) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
    size_t i = (size_t)(h ^ h >> 32) & t->merges_mask;
    while (t->merges[i].rank >= 0 && (t->merges[i].left != left || t->merges[i].right != right))
        i = (i + 1) & t->merges_mask;
    return i;
}

bool sl_bpe_init(SlTokenizer *t, size_t count)
{
    size_t places = 16;
    while (places < 2 * count)
        places *= 2;
    t->merges = malloc(places * sizeof *t->merges);
    t->merges_mask = places - 1;
    for (size_t i = 0; t->merges && i < places; i++)
        t->merges[i].rank = -1;
    return t->merges != NULL;
}

const SlMerge *sl_bpe_find(const SlTokenizer *t, int left, int right)
{
    const SlMerge *merge = &t->merges[merge_slot(t, left, right)];
    return merge->rank >= 0 ? merge : NULL;
}

void sl_bpe_add(SlTokenizer *t, SlMerge merge)
{
    t->merges[merge_slot(t, merge.left, merge.right)] = merge;
}

/* ---- ids that are appended ---- */

void sl_ids_add(SlIds *ids, int id)
{
    if (ids->count == ids->room && !ids->failed) {
        size_t room = ids->room ? 2 * ids->room : 96;
        int *grown = realloc(ids->ids, room * sizeof *grown);
        ids->failed = !grown;
        if (grown) {
            ids->ids = grown;
            ids->room = room;
        }
    }
    if (!ids->failed)
        ids->ids[ids->count++] = id;
}

/* ---- one word ---- */

typedef struct Symbol {
    int id; /* -1: swallowed by its left neighbour */
    int previous, next;
} Symbol;

typedef struct Candidate {
    int rank, place; /* of the left symbol */
} Candidate;

typedef struct Word {
    const SlTokenizer *t;
    Symbol *symbols;
    Candidate *heap; /* lowest rank first, then leftmost */
    int *merged;     /* places that the pass in progress has changed */
    int heap_count, merged_count;
    bool at_once; /* the tokenizers library: a pass is one merge */
} Word;

static bool before(Candidate a, Candidate b)
{
    return a.rank < b.rank || (a.rank == b.rank && a.place < b.place);
}

static void push(Word *w, Candidate c)
{
    int i = w->heap_count++;
    for (; i > 0 && before(c, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = c;
}

static Candidate pop(Word *w)
{
    Candidate top = w->heap[0], last = w->heap[--w->heap_count];
    int i = 0;
    for (int child = 1; child < w->heap_count; i = child, child = 2 * i + 1) {
        if (child + 1 < w->heap_count && before(w->heap[child + 1], w->heap[child]))
            child++;
        if (!before(w->heap[child], last))
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return top;
}

/* The merge of the symbol at `place` with its right neighbour, NULL when there is none. */
static const SlMerge *merge_at(const Word *w, int place)
{
    const Symbol *s = place >= 0 ? &w->symbols[place] : NULL;
    if (!s || s->id < 0 || s->next < 0)
        return NULL;
    return sl_bpe_find(w->t, s->id, w->symbols[s->next].id);
}

static void consider(Word *w, int place)
{
    const SlMerge *merge = merge_at(w, place);
    if (merge)
        push(w, (Candidate){merge->rank, place});
}

static void apply(Word *w, Candidate c)
{
    const SlMerge *merge = merge_at(w, c.place);
    if (!merge || merge->rank != c.rank) /* an earlier merge took one of the two */
        return;
    Symbol *left = &w->symbols[c.place], *right = &w->symbols[left->next];
    left->id = merge->result;
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0)
        w->symbols[left->next].previous = c.place;
    w->merged[w->merged_count++] = c.place;
}

static void merge_all(Word *w, int length)
{
    for (int i = 0; i < length; i++)
        consider(w, i);
    while (w->heap_count > 0) {
        int rank = w->heap[0].rank;
        w->merged_count = 0;
        do
            apply(w, pop(w));
        while (w->heap_count > 0 && w->heap[0].rank == rank && !w->at_once);
        for (int i = 0; i < w->merged_count; i++) {
            consider(w, w->symbols[w->merged[i]].previous);
            consider(w, w->merged[i]);
        }
    }
}

bool sl_bpe_word(const SlTokenizer *t, const unsigned char *word, size_t length, SlIds *out)
{
    if (length == 1) {
        sl_ids_add(out, t->byte_symbol_w[word[0]]);
        return !out->failed;
    }
    /* Every merge takes one symbol away and makes two candidates at most. */
    Word w = {.t = t,
              .at_once = t->rules == SL_TOKENS_TRANSFORMERS_5,
              .symbols = malloc(length * sizeof *w.symbols),
              .heap = malloc(3 * length * sizeof *w.heap),
              .merged = malloc(length * sizeof *w.merged)};
    bool ok = w.symbols && w.heap && w.merged;
    int n = (int)length;
    for (int i = 0; ok && i < n; i++)
        w.symbols[i] = (Symbol){i < n - 1 ? t->byte_symbol[word[i]] : t->byte_symbol_w[word[i]],
                                i - 1, i < n - 1 ? i + 1 : -1};
    if (ok)
        merge_all(&w, n);
    for (int i = 0; ok && i >= 0; i = w.symbols[i].next)
        sl_ids_add(out, w.symbols[i].id);
    free(w.symbols);
    free(w.heap);
    free(w.merged);
    return ok && !out->failed;
}
