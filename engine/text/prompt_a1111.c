/* prompt_a1111.c - the prompt language of AUTOMATIC1111's web UI (modules/extra_networks.py,
 * modules/prompt_parser.py), in its order: tags are cut out, AND splits, schedules give a text for
 * every evaluation, brackets give weights.
 *
 * Easy to get wrong: a part's weight ("a cat :0.5") counts without any AND, too. A construct of the
 * schedule that does not close is text, but only at the top: within another one it makes that one
 * text. "|" and a lone backslash at the top make the whole text literal. A weight multiplies what
 * its bracket holds, the word BREAK included, which then is a word. Evaluations count from 0 in the
 * program, the steps of a schedule from 1, and it compares the two as they are: the first text of
 * [a:b:3] is evaluated four times.
 */
#include "engine/text/prompt_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tags ---- */

/* One of a tag's values: "0.8" or "te=0.8". False where it is neither. */
static bool read_strength(SlTraced value, int place, double *unet, double *text)
{
    static const struct {
        const char *name;
        bool unet;
    } names[] = {{"te=", false}, {"unet=", true}};
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(names[i].name);
        if (value.length > n && !memcmp(value.text, names[i].name, n))
            return sl_prompt_number(sl_traced_trim(sl_traced_cut(value, n, value.length)),
                                    names[i].unet ? unet : text);
    }
    return place <= 2 && sl_prompt_number(sl_traced_trim(value), place == 1 ? text : unet);
}

/* name:values, of <lora:...>. One number is both strengths. */
static void read_lora(SlPromptReader *r, SlTraced inside, int at, int length)
{
    size_t begin = 0, end = 0;
    double unet = NAN, text = NAN;
    SlTraced name = {0};
    for (int place = 0; begin <= inside.length; begin = end + 1, place++) {
        for (end = begin; end < inside.length && inside.text[end] != ':'; end++)
            ;
        SlTraced value = sl_traced_cut(inside, begin, end);
        if (place == 0)
            name = value;
        else if (value.length && !read_strength(value, place, &unet, &text))
            sl_prompt_add_fault(r, SL_FAULT_NUMBER, value.from[0]);
    }
    text = isnan(text) ? 1 : text;
    SlPromptLora *lora = sl_prompt_add_lora(r, name, text);
    if (!lora)
        return;
    lora->unet = isnan(unet) ? text : unet;
    lora->at = at;
    lora->length = length;
}

/* The text without <word:...>; blanks beside a tag stay. */
static void cut_tags(SlPromptReader *r, SlTraced t, SlTracer *out)
{
    for (size_t i = 0; i < t.length;) {
        size_t word = i + 1, end;
        while (t.text[i] == '<' && word < t.length && sl_prompt_word_at(t, word))
            do
                word++;
            while (word < t.length && ((unsigned char)t.text[word] & 0xC0) == 0x80);
        const char *close = word > i + 1 && word + 1 < t.length && t.text[word] == ':'
                                ? memchr(t.text + word + 1, '>', t.length - word - 1)
                                : NULL;
        end = close ? (size_t)(close - t.text) : 0;
        if (end <= word + 1) {
            sl_tracer_add(out, sl_traced_cut(t, i, i + 1));
            i++;
            continue;
        }
        SlTraced name = sl_traced_cut(t, i + 1, word);
        if (name.length == 4 && (!memcmp(name.text, "lora", 4) || !memcmp(name.text, "lyco", 4)))
            read_lora(r, sl_traced_cut(t, word + 1, end), t.from[i], (int)(end + 1 - i));
        i = end + 1;
    }
}

/* ---- schedules ---- */

typedef enum NodeKind { NODE_TEXT, NODE_LIST, NODE_SCHEDULED, NODE_ALTERNATE } NodeKind;

/* Of the tree; places in the array of nodes, -1: none. */
typedef struct Node {
    NodeKind kind;
    SlTraced text;
    int first, next; /* children, in order */
    double when; /* of scheduled: its first child is what comes before, its last what comes after */
    bool fraction;
} Node;

typedef struct Schedule {
    SlPromptReader *r;
    SlTraced text;
    Node *node;
    int nodes;
    struct Known {
        int node;   /* -1: no construct begins here; -2: not tried yet */
        size_t end; /* of the construct */
    } * known;      /* for each byte, so that a hostile text stays linear */
    int depth;
} Schedule;

static int add_node(Schedule *s, NodeKind kind, SlTraced text)
{
    Node *more = sl_prompt_grow(s->r, s->node, s->nodes, sizeof *more);
    if (!more)
        return -1;
    s->node = more;
    more[s->nodes] = (Node){.kind = kind, .text = text, .first = -1, .next = -1};
    return s->nodes++;
}

/* *last: the child that was added before, -1: none. */
static void add_child(Schedule *s, int parent, int *last, int child)
{
    if (parent < 0 || child < 0)
        return;
    if (*last < 0)
        s->node[parent].first = child;
    else
        s->node[*last].next = child;
    *last = child;
}

static int text_node(Schedule *s, size_t begin, size_t end)
{
    return add_node(s, NODE_TEXT, sl_traced_cut(s->text, begin, end));
}

static int construct_at(Schedule *s, size_t i, size_t *end);

/* Characters that are text anywhere, from i on; their end. A backslash stands with what follows it. */
static size_t plain_at(SlTraced t, size_t i)
{
    while (i < t.length && !strchr("[]():|", t.text[i])) {
        if (t.text[i] != '\\') {
            i++;
            continue;
        }
        if (i + 1 >= t.length || t.text[i + 1] == '\n')
            break;
        i += 2;
        while (i < t.length && ((unsigned char)t.text[i] & 0xC0) == 0x80)
            i++;
    }
    return i;
}

/* What may stand within a construct; *at moves behind it. */
static int prompt_at(Schedule *s, size_t *at)
{
    int list = add_node(s, NODE_LIST, (SlTraced){0}), last = -1;
    while (list >= 0 && *at < s->text.length) {
        size_t end = plain_at(s->text, *at);
        int child;
        if (end > *at)
            child = text_node(s, *at, end);
        else if (s->text.text[*at] == '(' || s->text.text[*at] == '[')
            child = construct_at(s, *at, &end);
        else
            break;
        if (child < 0)
            break;
        add_child(s, list, &last, child);
        *at = end;
    }
    return list;
}

static bool is_at(const Schedule *s, size_t i, char c)
{
    return i < s->text.length && s->text.text[i] == c;
}

/* A number with white space round it, and the bracket that closes. */
static bool when_at(const Schedule *s, size_t i, Node *node, size_t *end)
{
    size_t close = i;
    while (close < s->text.length && !strchr("[]():|\\", s->text.text[close]))
        close++;
    SlTraced number = sl_traced_trim(sl_traced_cut(s->text, i, close));
    if (!is_at(s, close, ']') || !sl_prompt_number(number, &node->when))
        return false;
    node->fraction = memchr(number.text, '.', number.length) != NULL;
    *end = close + 1;
    return true;
}

/* Behind the first text of [a:...; first is its node. */
static int scheduled_at(Schedule *s, size_t colon, int first, size_t *end)
{
    Node when = {0};
    int last = -1, node = add_node(s, NODE_SCHEDULED, (SlTraced){0});
    size_t at = colon + 1;
    if (node < 0)
        return -1;
    if (when_at(s, at, &when, end)) { /* [b:N] */
        add_child(s, node, &last, add_node(s, NODE_LIST, (SlTraced){0}));
        add_child(s, node, &last, first);
    } else {
        int second = prompt_at(s, &at);
        if (second < 0 || !is_at(s, at, ':') || !when_at(s, at + 1, &when, end))
            return -1;
        add_child(s, node, &last, first);
        add_child(s, node, &last, second);
    }
    s->node[node].when = when.when;
    s->node[node].fraction = when.fraction;
    return node;
}

static int alternate_at(Schedule *s, size_t at, int first, size_t *end)
{
    int last = -1, node = add_node(s, NODE_ALTERNATE, (SlTraced){0});
    add_child(s, node, &last, first);
    while (node >= 0 && is_at(s, at, '|')) {
        at++;
        add_child(s, node, &last, prompt_at(s, &at));
    }
    *end = at + 1;
    return is_at(s, at, ']') ? node : -1;
}

/* (text), (text:text) and [text] stay as they are: brackets, colon (0: none) and what is between. */
typedef struct Emphasis {
    size_t begin, colon, close;
    int first, second;
} Emphasis;

static int emphasized(Schedule *s, const Emphasis *e)
{
    int last = -1, node = add_node(s, NODE_LIST, (SlTraced){0});
    add_child(s, node, &last, text_node(s, e->begin, e->begin + 1));
    add_child(s, node, &last, e->first);
    if (e->colon) {
        add_child(s, node, &last, text_node(s, e->colon, e->colon + 1));
        add_child(s, node, &last, e->second);
    }
    add_child(s, node, &last, text_node(s, e->close, e->close + 1));
    return node;
}

static int try_construct(Schedule *s, size_t begin, size_t *end)
{
    Emphasis e = {.begin = begin, .second = -1};
    size_t at = begin + 1;
    bool square = s->text.text[begin] == '[';
    e.first = prompt_at(s, &at);
    if (e.first < 0)
        return -1;
    if (square && is_at(s, at, '|'))
        return alternate_at(s, at, e.first, end);
    if (square && is_at(s, at, ':'))
        return scheduled_at(s, at, e.first, end);
    if (is_at(s, at, ':')) {
        e.colon = at++;
        e.second = prompt_at(s, &at);
        if (e.second < 0)
            return -1;
    }
    e.close = at;
    *end = at + 1;
    return is_at(s, at, square ? ']' : ')') ? emphasized(s, &e) : -1;
}

/* The construct that begins with the bracket at i; -1: there is none. */
static int construct_at(Schedule *s, size_t i, size_t *end)
{
    struct Known *known = &s->known[i];
    if (known->node == -2) {
        size_t behind = 0;
        if (s->depth >= SL_PROMPT_MAX_DEPTH) {
            s->r->too_deep = true;
            return -1;
        }
        s->depth++;
        int node = try_construct(s, i, &behind);
        s->depth--;
        known->node = node;
        known->end = behind;
    }
    *end = known->end;
    return known->node;
}

/* The whole text; -1 where it is to be taken literally. */
static int start(Schedule *s)
{
    int list = add_node(s, NODE_LIST, (SlTraced){0}), last = -1;
    for (size_t i = 0; list >= 0 && i < s->text.length;) {
        size_t end = plain_at(s->text, i);
        int child = -1;
        if (end > i)
            child = text_node(s, i, end);
        else if (s->text.text[i] == '(' || s->text.text[i] == '[')
            child = construct_at(s, i, &end);
        if (child < 0) {
            if (!strchr("[]():", s->text.text[i]))
                return -1;
            end = i + 1;
            child = text_node(s, i, end);
        }
        add_child(s, list, &last, child);
        i = end;
    }
    return list;
}

static int when_of(const Node *node, int steps)
{
    double when = node->fraction ? node->when * steps : node->when;
    return when >= steps ? steps : when <= -1 ? -1 : (int)when;
}

/* Marks the steps behind which another text may come. */
static void find_ends(const Schedule *s, int node, int steps, bool *ends)
{
    const Node *n = &s->node[node];
    if (n->kind == NODE_SCHEDULED && when_of(n, steps) >= 1)
        ends[when_of(n, steps)] = true;
    for (int i = 1; n->kind == NODE_ALTERNATE && i <= steps; i++)
        ends[i] = true;
    for (int child = n->first; child >= 0; child = s->node[child].next)
        find_ends(s, child, steps, ends);
}

static void text_at(const Schedule *s, int node, int step, int steps, SlTracer *out)
{
    const Node *n = &s->node[node];
    int count = 0, only = -1, place = 0;
    for (int child = n->first; child >= 0; child = s->node[child].next)
        count++;
    if (n->kind == NODE_TEXT)
        sl_tracer_add(out, n->text);
    if (n->kind == NODE_SCHEDULED)
        only = step <= when_of(n, steps) ? 0 : 1;
    if (n->kind == NODE_ALTERNATE)
        only = (step - 1) % count;
    for (int child = n->first; child >= 0; child = s->node[child].next, place++)
        if (only < 0 || place == only)
            text_at(s, child, step, steps, out);
}

/* ---- weights ---- */

/* Pieces before equal weights are joined. */
typedef struct Pieces {
    SlPromptReader *r;
    struct Piece {
        SlTraced text;
        double weight;
    } * piece;
    int count;
    /* the brackets that are open, as the number of pieces before each and its place */
    struct Open {
        int piece, at;
    } * round, *square;
    int rounds, squares;
} Pieces;

static void add_piece(Pieces *p, SlTraced text, double weight)
{
    struct Piece *more = sl_prompt_grow(p->r, p->piece, p->count, sizeof *more);
    if (!more)
        return;
    p->piece = more;
    more[p->count++] = (struct Piece){text, weight};
}

static void open_bracket(Pieces *p, bool round, int at)
{
    struct Open **open = round ? &p->round : &p->square;
    int *count = round ? &p->rounds : &p->squares;
    struct Open *more = sl_prompt_grow(p->r, *open, *count, sizeof *more);
    if (!more)
        return;
    *open = more;
    more[(*count)++] = (struct Open){p->count, at};
}

static void multiply(Pieces *p, int from, double weight)
{
    for (int i = from; i < p->count; i++)
        p->piece[i].weight *= weight;
}

/* :weight) at i, with blanks; its end, 0: there is none. */
static size_t weight_at(SlTraced t, size_t i, SlTraced *number)
{
    size_t begin = i + 1, end;
    while (begin < t.length && sl_prompt_is_space(t.text[begin]))
        begin++;
    end = begin + (begin < t.length && (t.text[begin] == '+' || t.text[begin] == '-'));
    size_t digits = end;
    while (end < t.length && (t.text[end] == '.' || (t.text[end] >= '0' && t.text[end] <= '9')))
        end++;
    *number = sl_traced_cut(t, begin, end);
    if (end == digits)
        return 0;
    while (end < t.length && sl_prompt_is_space(t.text[end]))
        end++;
    return end < t.length && t.text[end] == ')' ? end + 1 : 0;
}

/* A run of text, split at the word BREAK, which takes the white space round it along. */
static void add_run(Pieces *p, SlTraced run)
{
    size_t begin = 0;
    for (size_t i = 0; i < run.length; i++) {
        if (run.text[i] != 'B' || !sl_prompt_is_word(run, i, "BREAK"))
            continue;
        size_t end = i, behind = i + 5;
        while (end > begin && sl_prompt_is_space(run.text[end - 1]))
            end--;
        while (behind < run.length && sl_prompt_is_space(run.text[behind]))
            behind++;
        add_piece(p, sl_traced_cut(run, begin, end), 1);
        add_piece(p, sl_traced_cut(run, i, i + 5), -1);
        begin = behind;
        i = behind - 1;
    }
    add_piece(p, sl_traced_cut(run, begin, run.length), 1);
}

static void close_bracket(Pieces *p, bool round, SlTraced at)
{
    int *count = round ? &p->rounds : &p->squares;
    if (*count == 0) {
        sl_prompt_add_fault(p->r, SL_FAULT_UNOPENED, at.from[0]);
        add_piece(p, at, 1);
        return;
    }
    --*count;
    if (round)
        multiply(p, p->round[*count].piece, 1.1);
    else
        multiply(p, p->square[*count].piece, 1 / 1.1);
}

static void close_weighted(Pieces *p, SlTraced whole, SlTraced number)
{
    double weight;
    if (p->rounds == 0) {
        sl_prompt_add_fault(p->r, SL_FAULT_UNOPENED, whole.from[whole.length - 1]);
        add_piece(p, whole, 1);
        return;
    }
    p->rounds--;
    if (!sl_prompt_number(number, &weight)) {
        sl_prompt_add_fault(p->r, SL_FAULT_NUMBER, number.from[0]);
        weight = 1.1;
    }
    multiply(p, p->round[p->rounds].piece, weight);
}

/* One token of the language at i; its end. */
static size_t read_token(Pieces *p, SlTraced t, size_t i)
{
    SlTraced number;
    size_t end = i + 1;
    char c = t.text[i];
    if (c == '\\') {
        end += i + 1 < t.length && strchr("()[]\\", t.text[i + 1]);
        add_piece(p, sl_traced_cut(t, i + 1, end), 1);
    } else if (c == '(' || c == '[') {
        open_bracket(p, c == '(', t.from[i]);
    } else if (c == ')' || c == ']') {
        close_bracket(p, c == ')', sl_traced_cut(t, i, end));
    } else if (c == ':') {
        size_t behind = weight_at(t, i, &number);
        end = behind ? behind : end;
        if (behind)
            close_weighted(p, sl_traced_cut(t, i, end), number);
        else
            add_piece(p, sl_traced_cut(t, i, end), 1);
    } else {
        while (end < t.length && !strchr("\\()[]:", t.text[end]))
            end++;
        add_run(p, sl_traced_cut(t, i, end));
    }
    return end;
}

static void read_weights(SlPromptReader *r, SlTraced t, SlPromptPhrase *phrase)
{
    Pieces p = {.r = r};
    if (r->prompt->emphasis == SL_EMPHASIS_NONE) {
        sl_prompt_add_piece(r, phrase, t, 1);
        return;
    }
    SlPromptPiece *last = NULL;
    for (size_t i = 0; i < t.length && !r->failed;)
        i = read_token(&p, t, i);
    for (int i = 0; i < p.rounds + p.squares && !r->failed; i++) {
        const struct Open *open = i < p.rounds ? &p.round[i] : &p.square[i - p.rounds];
        multiply(&p, open->piece, i < p.rounds ? 1.1 : 1 / 1.1);
        sl_prompt_add_fault(r, SL_FAULT_UNCLOSED, open->at);
    }
    if (p.count == 0)
        add_piece(&p, sl_traced_cut(t, 0, 0), 1);
    for (int i = 0; i < p.count && !r->failed; i++) {
        const struct Piece *piece = &p.piece[i];
        if (last && last->weight == piece->weight)
            sl_prompt_append_piece(r, last, piece->text);
        else
            last = sl_prompt_add_piece(r, phrase, piece->text, piece->weight);
    }
    for (int i = 0; i < phrase->pieces && !r->failed; i++)
        if (phrase->piece[i].weight == -1 && !strcmp(phrase->piece[i].text, "BREAK"))
            phrase->piece[i].kind = SL_PIECE_BREAK;
    free(p.piece);
    free(p.round);
    free(p.square);
}

/* ---- a part ---- */

/* All texts of a part and in which turns they stand. */
typedef struct Texts {
    SlTracer *text; /* one for each of the part's texts */
    int count;
    size_t bytes;
} Texts;

#define MAX_TEXT_BYTES ((size_t)16 << 20) /* of all texts of a schedule */

/* The number of a text among the part's; it is read where it is new. */
static int text_number(SlPromptReader *r, SlPromptPart *part, Texts *texts, SlTracer *text)
{
    for (int i = texts->count; i-- > 0;)
        if (texts->text[i].length == text->length &&
            !memcmp(texts->text[i].text, text->text, text->length)) {
            sl_tracer_free(text);
            return i;
        }
    SlTracer *more = sl_prompt_grow(r, texts->text, texts->count, sizeof *more);
    SlPromptPhrase *phrase = more ? sl_prompt_add_simple(r, part) : NULL;
    if (more)
        texts->text = more;
    if (!phrase) {
        sl_tracer_free(text);
        return 0;
    }
    texts->bytes += text->length;
    if (texts->bytes > MAX_TEXT_BYTES && r->refused.code == SL_OK)
        sl_fail(&r->refused, SL_ARGUMENT, "The prompt's schedule gives more than 16 MiB of text");
    more[texts->count] = *text;
    read_weights(r, sl_tracer_all(text), phrase);
    return texts->count++;
}

static void add_turns(Schedule *s, int tree, SlPromptPart *part)
{
    SlPromptReader *r = s->r;
    Texts texts = {0};
    int steps = r->ask->evaluations;
    bool *ends = calloc((size_t)steps + 1, sizeof *ends);
    r->failed |= !ends;
    if (ends && tree >= 0)
        find_ends(s, tree, steps, ends);
    if (ends)
        ends[steps] = true;
    for (int step = 1; !r->failed && r->refused.code == SL_OK && step <= steps; step++) {
        SlTracer text = {0};
        if (!ends[step])
            continue;
        sl_tracer_add(&text, (SlTraced){"", NULL, 0});
        if (tree >= 0)
            text_at(s, tree, step, steps, &text);
        else
            sl_tracer_add(&text, s->text);
        r->failed |= text.failed;
        sl_prompt_add_turn(r, part, step, text_number(r, part, &texts, &text));
    }
    for (int i = 0; i < texts.count; i++)
        sl_tracer_free(&texts.text[i]);
    free(texts.text);
    free(ends);
}

static void read_part(SlPromptReader *r, SlTraced text, double weight)
{
    SlPromptPart *part = sl_prompt_add_part(r, weight);
    Schedule s = {.r = r, .text = text, .known = malloc((text.length + 1) * sizeof *s.known)};
    r->failed |= !s.known;
    for (size_t i = 0; s.known && i <= text.length; i++)
        s.known[i] = (struct Known){-2, 0};
    int tree = part && s.known ? start(&s) : -1;
    if (part && !r->failed && !r->too_deep)
        add_turns(&s, tree, part);
    free(s.node);
    free(s.known);
}

/* Cuts ":0.5" off the end of a part, and the blanks before and behind it. */
static SlTraced cut_weight(SlTraced t, double *weight)
{
    size_t end = t.length, number, colon;
    *weight = 1;
    while (end > 0 && sl_prompt_is_space(t.text[end - 1]))
        end--;
    for (number = end; number > 0 && strchr("0123456789.+-", t.text[number - 1]); number--)
        ;
    for (colon = number; colon > 0 && sl_prompt_is_space(t.text[colon - 1]); colon--)
        ;
    if (colon > 0 && t.text[colon - 1] == ':' &&
        sl_prompt_number(sl_traced_cut(t, number, end), weight))
        for (end = colon - 1; end > 0 && sl_prompt_is_space(t.text[end - 1]); end--)
            ;
    return sl_traced_cut(t, 0, end);
}

void sl_prompt_read_a1111(SlPromptReader *r)
{
    SlTracer text = {0};
    size_t begin = 0;
    double weight = 1;
    sl_tracer_add(&text, (SlTraced){"", NULL, 0});
    if (r->ask->negative)
        sl_tracer_add(&text, sl_tracer_all(&r->source));
    else
        cut_tags(r, sl_tracer_all(&r->source), &text);
    r->failed |= text.failed;
    SlTraced all = sl_tracer_all(&text);
    for (size_t i = 0; !r->failed && !r->ask->negative && i < all.length; i++) {
        if (all.text[i] != 'A' || !sl_prompt_is_word(all, i, "AND"))
            continue;
        SlTraced part = cut_weight(sl_traced_cut(all, begin, i), &weight);
        read_part(r, part, weight);
        begin = i + 3;
    }
    SlTraced rest = sl_traced_cut(all, begin, all.length);
    if (!r->failed && !r->ask->negative)
        rest = cut_weight(rest, &weight);
    if (!r->failed)
        read_part(r, rest, weight);
    sl_tracer_free(&text);
}
