/* text_words.c - see text_words.h.
 *
 * A tokenizer does not say which characters a token was made of, so words and the punctuation round
 * them are tokenized one by one and counted, as in prompt_spans.c. Easy to get wrong: a comma is a
 * token of its own and no part of the word before it; "<cat>" may be a textual inversion of several
 * tokens.
 */
#include "engine/text/text_words.h"

#include <stdlib.h>
#include <string.h>

typedef struct Walk {
    const SlTextWordsAsk *ask;
    SlTextWords *out;
    int room;
    const SlTokenTerm *term; /* NULL: plain text, whose tokens follow one another */
    bool expands;            /* names of textual inversions stand for all their tokens */
    int first, rows;         /* row of the term's first one; rows of the term */
    SlError *err;
} Walk;

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "Out of memory while the prompt was split into words");
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Signs that a tokenizer splits off a word, but those that names of textual inversions have. */
static bool is_punctuation(char c)
{
    return c && strchr(",.;:!?\"()[]{}", c) != NULL;
}

/* Tokens of a stretch of text; -1 without memory. */
static int count_tokens(const Walk *w, const char *text, size_t length)
{
    char *part = strndup(text, length);
    char *whole = part && w->expands ? sl_tokenizer_expand(w->ask->tokenizer, part, w->err) : NULL;
    int *ids = NULL, count = 0;
    bool ok = part ? sl_tokenize(w->ask->tokenizer, whole ? whole : part, &ids, &count, w->err)
                   : no_memory(w->err);
    free(whole);
    free(part);
    free(ids);
    return ok ? count : -1;
}

static bool add_word(Walk *w, SlTextWord word)
{
    SlTextWords *out = w->out;
    if (out->words == w->room) {
        int room = w->room ? 2 * w->room : 32;
        SlTextWord *more = realloc(out->word, (size_t)room * sizeof *more);
        if (!more)
            return no_memory(w->err);
        out->word = more;
        w->room = room;
    }
    out->word[out->words++] = word;
    return true;
}

/* The rows of a piece's tokens from number `ordinal` on. */
static void find_rows(const Walk *w, int piece, int ordinal, int count, SlTextWord *word)
{
    if (!w->term) {
        word->row = 1 + ordinal;
        word->rows = ordinal + count < w->rows ? count : w->rows - ordinal;
        return;
    }
    for (int i = 0; i < w->rows; i++) {
        const SlTokenRow *row = &w->term->row[i];
        if (row->piece != piece || row->ordinal < ordinal || row->ordinal >= ordinal + count)
            continue;
        word->row = word->rows ? word->row : w->first + i;
        word->rows++;
    }
}

/* text: its bytes' places in the prompt are `from`, NULL: the same. */
static bool walk_piece(Walk *w, const char *text, const int *from, int piece, double weight)
{
    int ordinal = 0;
    for (size_t i = 0, end; text[i]; i = end) {
        end = i + 1;
        if (is_blank(text[i]))
            continue;
        bool sign = is_punctuation(text[i]);
        while (text[end] && !is_blank(text[end]) && (!sign || is_punctuation(text[end])))
            end++;
        while (!sign && is_punctuation(text[end - 1]))
            end--;
        int count = count_tokens(w, text + i, end - i);
        if (count < 0)
            return false;
        SlTextWord word = {.weight = weight};
        word.begin = from ? from[i] : (int)i;
        word.end = (from ? from[end - 1] : (int)end - 1) + 1;
        if (!sign)
            find_rows(w, piece, ordinal, count, &word);
        if (word.rows > 0 && word.begin >= 0 && word.end > word.begin && !add_word(w, word))
            return false;
        ordinal += count;
    }
    return true;
}

static bool walk_text(Walk *w)
{
    const SlTextWordsAsk *ask = w->ask;
    const SlPromptText *text = &ask->prompt->part[ask->part].text[ask->text];
    for (int s = 0; s < text->sections; s++) {
        const SlTokenSection *section = &ask->tokens->text[ask->text].section[s];
        w->rows = section->chunks * ask->tokens->length;
        for (int k = 0; k < section->terms; k++) {
            w->term = &section->term[k];
            if (w->term->phrase < 0 || w->term->mask[1])
                continue;
            const SlPromptPhrase *phrase = &text->section[s].phrase[w->term->phrase];
            for (int i = 0; i < phrase->pieces; i++)
                if (phrase->piece[i].kind == SL_PIECE_TEXT &&
                    !walk_piece(w, phrase->piece[i].text, phrase->piece[i].from, i,
                                phrase->piece[i].weight))
                    return false;
        }
        w->first += w->rows;
    }
    return true;
}

bool sl_text_words(const SlTextWordsAsk *ask, SlTextWords *out, SlError *err)
{
    Walk w = {.ask = ask, .out = out, .room = out->words, .err = err};
    w.expands = !ask->prompt || ask->prompt->mode == SL_PROMPT_COMPEL;
    out->length = sl_tokenizer_max_length(ask->tokenizer);
    if (ask->prompt)
        return walk_text(&w);
    w.rows = out->length - 2;
    return walk_piece(&w, ask->typed ? ask->typed : "", NULL, 0, 1);
}

void sl_text_words_free(SlTextWords *words)
{
    free(words->word);
    *words = (SlTextWords){0};
}
