/* prompt_compel.c - compel's prompt language (compel/prompt_parser.py), which InvokeAI has, too:
 * word++, (a b)1.3, ("a", "b").blend(0.7, 0.3), ("a", "b").and(), withLora(name, 0.5).
 *
 * compel's grammar is a list of ordered choices (pyparsing): the first that fits is taken, and nothing
 * is tried again when what follows does not fit. Each function here is one rule: it gives a node and
 * moves *at behind it, or gives -1 and leaves *at. Easy to get wrong: a weight stands directly behind
 * its word, but blanks may stand before every other sign; a word may hold "-" but not end in it; text
 * behind .and() is dropped, behind .blend() it is an error; a comma gets a blank behind it before
 * anything else; .swap() is its first text.
 */
#include "engine/text/prompt_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLUS     1.1
#define MINUS    0.9
#define SIGNS    "()\",.+-="
#define MAX_LIST 64 /* texts of an .and() or a .blend() */

typedef enum NodeKind { NODE_FRAGMENT, NODE_LIST, NODE_ATTENTION, NODE_SWAP, NODE_LORA } NodeKind;

typedef struct Node {
    NodeKind kind;
    SlTraced text;   /* of a fragment, the name of a LoRA */
    double weight;   /* of an attention or a LoRA */
    int first, next; /* children; -1: none */
} Node;

typedef struct Tree {
    SlPromptReader *r;
    Node *node;
    int nodes;
    int depth;
} Tree;

typedef enum Rule { RULE_PARENTHESIZED, RULE_QUOTED, RULES } Rule;

/* A text that is parsed: the prompt, or what stands in quotes. */
typedef struct Parser {
    Tree *tree;
    SlTraced text;
    struct Known {
        int node; /* -1: the rule does not fit here; -2: not tried yet */
        size_t end;
    } * known[RULES]; /* for each byte, so that a hostile text stays linear */
} Parser;

static bool parser_open(Parser *p, Tree *tree, SlTraced text)
{
    *p = (Parser){.tree = tree, .text = text};
    for (int k = 0; k < RULES; k++) {
        p->known[k] = malloc((text.length + 1) * sizeof *p->known[k]);
        for (size_t i = 0; p->known[k] && i <= text.length; i++)
            p->known[k][i] = (struct Known){-2, 0};
        tree->r->failed |= !p->known[k];
    }
    return !tree->r->failed;
}

static void parser_close(Parser *p)
{
    for (int k = 0; k < RULES; k++)
        free(p->known[k]);
}

static int add_node(Tree *tree, NodeKind kind, SlTraced text)
{
    Node *more = sl_prompt_grow(tree->r, tree->node, tree->nodes, sizeof *more);
    if (!more)
        return -1;
    tree->node = more;
    more[tree->nodes] = (Node){.kind = kind, .text = text, .weight = 1, .first = -1, .next = -1};
    return tree->nodes++;
}

/* Takes a copy, since what is known of a place may become the child of several. */
static void add_child(Tree *tree, int parent, int *last, int child)
{
    if (parent < 0 || child < 0)
        return;
    int copy = add_node(tree, NODE_LIST, (SlTraced){0});
    if (copy < 0)
        return;
    tree->node[copy] = tree->node[child];
    tree->node[copy].next = -1;
    if (*last < 0)
        tree->node[parent].first = copy;
    else
        tree->node[*last].next = copy;
    *last = copy;
}

static int parent_of(Tree *tree, NodeKind kind, double weight, int child)
{
    int last = -1, node = add_node(tree, kind, (SlTraced){0});
    add_child(tree, node, &last, child);
    if (node >= 0)
        tree->node[node].weight = weight;
    return node;
}

/* ---- signs ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_end(const Parser *p, size_t at)
{
    return at >= p->text.length;
}

static size_t skip(const Parser *p, size_t at)
{
    while (!is_end(p, at) && is_blank(p->text.text[at]))
        at++;
    return at;
}

/* Blanks, then this text. */
static bool sign(const Parser *p, size_t *at, const char *text)
{
    size_t begin = skip(p, *at), n = strlen(text);
    if (p->text.length - begin < n || memcmp(p->text.text + begin, text, n))
        return false;
    *at = begin + n;
    return true;
}

static size_t digits(const Parser *p, size_t at)
{
    while (!is_end(p, at) && p->text.text[at] >= '0' && p->text.text[at] <= '9')
        at++;
    return at;
}

/* 1.3, .5, -2, but not +2. */
static bool number(const Parser *p, size_t *at, double *value)
{
    size_t begin = skip(p, *at), whole, end;
    bool plus = !is_end(p, begin) && p->text.text[begin] == '+';
    size_t first = begin + (plus || (!is_end(p, begin) && p->text.text[begin] == '-'));
    whole = end = digits(p, first);
    if (!is_end(p, whole) && p->text.text[whole] == '.') {
        end = digits(p, whole + 1);
        if (end == whole + 1 && whole == first)
            return false;
    } else if (plus || whole == first) {
        return false;
    }
    *at = end;
    return sl_prompt_number(sl_traced_cut(p->text, begin, end), value);
}

/* "++", "---" or a number. */
static bool strength(const Parser *p, size_t *at, bool numbers, double *weight)
{
    size_t begin = skip(p, *at), end = begin;
    char c = is_end(p, begin) ? ' ' : p->text.text[begin];
    while ((c == '+' || c == '-') && !is_end(p, end) && p->text.text[end] == c)
        end++;
    if (end == begin)
        return numbers && number(p, at, weight);
    *weight = pow(c == '+' ? PLUS : MINUS, (double)(end - begin));
    *at = end;
    return true;
}

static bool keyword(const Parser *p, size_t *at, SlTraced *word)
{
    size_t begin = skip(p, *at), end = begin;
    while (!is_end(p, end) && ((p->text.text[end] >= '0' && p->text.text[end] <= '9') ||
                               (p->text.text[end] >= 'A' && p->text.text[end] <= 'Z') ||
                               (p->text.text[end] >= 'a' && p->text.text[end] <= 'z') ||
                               p->text.text[end] == '_' || p->text.text[end] == '-'))
        end++;
    *word = sl_traced_cut(p->text, begin, end);
    *at = end > begin ? end : *at;
    return end > begin;
}

/* One of an operator's options; its word's length is 0 where it is a number. */
typedef struct Option {
    SlTraced word;
    double value;
} Option;

static bool option(const Parser *p, size_t *at, Option *o)
{
    size_t behind = *at;
    SlTraced other;
    *o = (Option){.value = 0};
    if (keyword(p, &behind, &o->word) && sign(p, &behind, "=") &&
        (number(p, &behind, &o->value) || keyword(p, &behind, &other))) {
        *at = behind;
        return true;
    }
    o->word.length = 0;
    return number(p, at, &o->value) || keyword(p, at, &o->word);
}

/* Those between an operator's brackets; the closing one is not taken. Gives their number. */
static int options(const Parser *p, size_t *at, Option out[MAX_LIST])
{
    int count = 0;
    size_t behind = *at;
    while (count < MAX_LIST && (count == 0 || sign(p, &behind, ",")) &&
           option(p, &behind, &out[count])) {
        *at = behind;
        count++;
    }
    return count;
}

/* ---- rules ---- */

static int parts(Parser *p, size_t *at, bool commas);
static int prompt(Parser *p, size_t *at);

/* What of a word stands at i: its end, i where it ends. */
static size_t word_part(const Parser *p, size_t i)
{
    const char *t = p->text.text;
    if (t[i] == '\\' && !is_end(p, i + 1) && strchr(SIGNS, t[i + 1]))
        return i + 2;
    if (t[i] == '-' || t[i] == '+') {
        bool inside = !is_end(p, i + 1) && !is_blank(t[i + 1]) && !strchr(SIGNS, t[i + 1]);
        return i + inside;
    }
    return i + (!sl_prompt_is_space(t[i]) && !strchr(SIGNS, t[i]));
}

static int word(Parser *p, size_t *at)
{
    size_t begin = skip(p, *at), end = begin;
    for (size_t next; !is_end(p, end) && (next = word_part(p, end)) > end;)
        end = next;
    if (end == begin)
        return -1;
    *at = end;
    return add_node(p->tree, NODE_FRAGMENT, sl_traced_cut(p->text, begin, end));
}

/* Everything up to white space. */
static int free_word(Parser *p, size_t *at)
{
    size_t begin = *at, end = begin;
    while (!is_end(p, end) && !sl_prompt_is_space(p->text.text[end]))
        end++;
    if (end == begin)
        return -1;
    *at = end;
    return add_node(p->tree, NODE_FRAGMENT, sl_traced_cut(p->text, begin, end));
}

/* "text" on one line; what is between the quotes. Where no quote follows, an escaped one closes. */
static bool quotes(const Parser *p, size_t *at, SlTraced *inside)
{
    size_t begin = skip(p, *at), end, escaped = 0;
    if (is_end(p, begin) || p->text.text[begin] != '"')
        return false;
    for (end = begin + 1; !is_end(p, end) && !strchr("\"\n\r", p->text.text[end]); end++)
        if (p->text.text[end] == '\\' && !is_end(p, end + 1) && p->text.text[end + 1] == '"')
            escaped = ++end;
    if (is_end(p, end) || p->text.text[end] != '"')
        end = escaped;
    if (!end)
        return false;
    *inside = sl_traced_cut(p->text, begin + 1, end);
    *at = end + 1;
    return true;
}

/* A text in quotes, parsed as a whole: as a prompt, or as parts with commas. */
static int quoted_as(Parser *p, size_t *at, bool whole)
{
    SlTraced inside;
    Parser inner;
    size_t behind = *at, end = 0;
    if (!quotes(p, &behind, &inside))
        return -1;
    int node = -1;
    if (sl_traced_trim(inside).length == 0) {
        node = add_node(p->tree, NODE_FRAGMENT, sl_traced_cut(inside, 0, 0));
    } else {
        bool ok = parser_open(&inner, p->tree, inside);
        node = !ok ? -1 : whole ? prompt(&inner, &end) : parts(&inner, &end, true);
        if (ok && skip(&inner, end) < inside.length)
            node = -1;
        parser_close(&inner);
    }
    *at = node >= 0 ? behind : *at;
    return node;
}

static int parenthesized_now(Parser *p, size_t *at)
{
    size_t behind = *at;
    if (!sign(p, &behind, "("))
        return -1;
    if (p->tree->depth >= SL_PROMPT_MAX_DEPTH) {
        p->tree->r->too_deep = true;
        return -1;
    }
    p->tree->depth++;
    int node = parts(p, &behind, true);
    p->tree->depth--;
    if (node < 0 || !sign(p, &behind, ")"))
        return -1;
    *at = behind;
    return node;
}

/* A rule at a place, tried once. */
static int once(Parser *p, size_t *at, Rule rule)
{
    size_t begin = skip(p, *at), end = begin;
    struct Known *known = &p->known[rule][begin];
    if (known->node == -2) {
        int node = rule == RULE_QUOTED ? quoted_as(p, &end, false) : parenthesized_now(p, &end);
        known->node = node;
        known->end = end;
    }
    if (known->node >= 0)
        *at = known->end;
    return known->node;
}

static int bracketed(Parser *p, size_t *at)
{
    int node = once(p, at, RULE_QUOTED);
    return node >= 0 ? node : once(p, at, RULE_PARENTHESIZED);
}

/* What an operator may stand behind. */
static int target(Parser *p, size_t *at)
{
    int node = bracketed(p, at);
    return node >= 0 ? node : word(p, at);
}

static int attention(Parser *p, size_t *at)
{
    size_t behind = *at;
    double weight;
    int node = target(p, &behind);
    if (node >= 0 && sign(p, &behind, ".attend") && sign(p, &behind, "(") &&
        strength(p, &behind, true, &weight) && sign(p, &behind, ")")) {
        *at = behind;
        return parent_of(p->tree, NODE_ATTENTION, weight, node);
    }
    for (int with_brackets = 1; with_brackets >= 0; with_brackets--) {
        behind = *at;
        node = with_brackets ? bracketed(p, &behind) : word(p, &behind);
        if (node < 0 || is_end(p, behind) || is_blank(p->text.text[behind]) ||
            !strength(p, &behind, with_brackets, &weight))
            continue;
        *at = behind;
        return parent_of(p->tree, NODE_ATTENTION, weight, node);
    }
    return -1;
}

static int swap(Parser *p, size_t *at)
{
    Option out[MAX_LIST];
    size_t behind = *at;
    int node = target(p, &behind);
    if (node < 0 || !sign(p, &behind, ".swap") || !sign(p, &behind, "("))
        return -1;
    if (parts(p, &behind, false) < 0)
        return -1;
    if (sign(p, &behind, ","))
        options(p, &behind, out);
    if (!sign(p, &behind, ")"))
        return -1;
    *at = behind;
    return parent_of(p->tree, NODE_SWAP, 1, node);
}

static int lora(Parser *p, size_t *at)
{
    size_t behind = *at, comma;
    SlTraced name;
    double weight = 1;
    if (!(sign(p, &behind, "useLora") || sign(p, &behind, "withLora")) || !sign(p, &behind, "(") ||
        !keyword(p, &behind, &name))
        return -1;
    comma = behind;
    if (sign(p, &comma, ",") && number(p, &comma, &weight))
        behind = comma;
    if (!sign(p, &behind, ")"))
        return -1;
    int node = add_node(p->tree, NODE_LORA, name);
    if (node >= 0)
        p->tree->node[node].weight = weight;
    *at = behind;
    return node;
}

static int comma_or_point(Parser *p, size_t *at)
{
    size_t behind = *at;
    if (!sign(p, &behind, ",") && !sign(p, &behind, "."))
        return -1;
    *at = behind;
    return add_node(p->tree, NODE_FRAGMENT, sl_traced_cut(p->text, behind - 1, behind));
}

/* What stands in brackets or quotes. */
static int parts(Parser *p, size_t *at, bool commas)
{
    int list = add_node(p->tree, NODE_LIST, (SlTraced){0}), last = -1, node;
    while (list >= 0 && !p->tree->r->failed) {
        if ((node = lora(p, at)) < 0 && (node = attention(p, at)) < 0 && (node = swap(p, at)) < 0 &&
            (node = once(p, at, RULE_PARENTHESIZED)) < 0 && (node = once(p, at, RULE_QUOTED)) < 0 &&
            (node = word(p, at)) < 0 && (node = commas ? comma_or_point(p, at) : -1) < 0)
            break;
        add_child(p->tree, list, &last, node);
    }
    return list;
}

static int prompt(Parser *p, size_t *at)
{
    int list = add_node(p->tree, NODE_LIST, (SlTraced){0}), last = -1, node;
    while (list >= 0 && !p->tree->r->failed) {
        if ((node = swap(p, at)) < 0 && (node = lora(p, at)) < 0 && (node = attention(p, at)) < 0 &&
            (node = once(p, at, RULE_QUOTED)) < 0 && (node = once(p, at, RULE_PARENTHESIZED)) < 0 &&
            (node = free_word(p, at)) < 0) {
            size_t behind = skip(p, *at);
            if (behind == *at)
                break;
            *at = behind;
            continue;
        }
        add_child(p->tree, list, &last, node);
    }
    return list;
}

/* ("a", "b").operator(options) */
typedef struct Operation {
    int text[MAX_LIST];
    int texts;
    Option option[MAX_LIST];
    int options;
    size_t at; /* of the operator */
} Operation;

static bool operation(Parser *p, size_t *at, const char *const *names, Operation *op)
{
    size_t behind = *at;
    int node;
    bool named = false;
    op->texts = 0;
    if (!sign(p, &behind, "("))
        return false;
    do {
        if ((node = target(p, &behind)) < 0 && (node = quoted_as(p, &behind, true)) < 0)
            return false;
        op->text[op->texts++] = node;
    } while (op->texts < MAX_LIST && sign(p, &behind, ","));
    if (!sign(p, &behind, ")"))
        return false;
    op->at = skip(p, behind);
    for (int i = 0; names[i] && !named; i++)
        named = sign(p, &behind, names[i]);
    if (!named || !sign(p, &behind, "("))
        return false;
    op->options = options(p, &behind, op->option);
    if (!sign(p, &behind, ")"))
        return false;
    *at = behind;
    return true;
}

/* ---- the tree to pieces ---- */

/* A phrase being filled. */
typedef struct Filling {
    Tree *tree;
    SlPromptPhrase *phrase; /* NULL: only LoRAs are looked for */
    SlPromptPiece *last;    /* that a fragment of the same weight joins, NULL: none */
    bool escapes;           /* are left in it */
    int fragments, swaps;
} Filling;

static bool is_escape(SlTraced t, size_t i)
{
    return t.text[i] == '\\' && i + 1 < t.length && strchr("()\"", t.text[i + 1]);
}

/* \( \) and \" stand for themselves; other signs keep their backslash. Whether any are left. */
static bool unescape(SlTracer *t)
{
    SlTracer out = {.failed = t->failed};
    SlTraced all = sl_tracer_all(t);
    bool left = false;
    sl_tracer_add(&out, (SlTraced){"", NULL, 0});
    for (size_t i = 0; i < all.length; i++) {
        i += is_escape(all, i);
        sl_tracer_add(&out, sl_traced_cut(all, i, i + 1));
    }
    sl_tracer_free(t);
    *t = out;
    all = sl_tracer_all(t);
    for (size_t i = 0; !left && !t->failed && i < all.length; i++)
        left = is_escape(all, i);
    return left;
}

/* compel resolves escapes whenever it makes a fragment of another: at first, when the tree is
 * flattened, when fragments of one weight are joined. */
static void join(Filling *f, SlTracer *text, bool left)
{
    SlPromptReader *r = f->tree->r;
    const int nowhere = -1;
    SlPromptPiece *last = f->last;
    sl_prompt_append_piece(r, last, (SlTraced){" ", &nowhere, 1});
    sl_prompt_append_piece(r, last, sl_tracer_all(text));
    f->escapes |= left;
    if (!f->escapes || r->failed)
        return;
    SlTracer all = {0};
    sl_tracer_add(&all, (SlTraced){last->text, last->from, strlen(last->text)});
    f->escapes = unescape(&all);
    r->failed |= all.failed;
    last->text[0] = '\0';
    if (!all.failed)
        sl_prompt_append_piece(r, last, sl_tracer_all(&all));
    sl_tracer_free(&all);
}

static void add_fragment(Filling *f, SlTraced text, double weight)
{
    SlPromptReader *r = f->tree->r;
    SlTracer out = {0};
    f->fragments++;
    if (!f->phrase)
        return;
    sl_tracer_add(&out, (SlTraced){"", NULL, 0});
    sl_tracer_add(&out, text);
    bool left = unescape(&out) && unescape(&out);
    r->failed |= out.failed;
    if (!r->failed && f->last && f->last->weight == weight) {
        join(f, &out, left);
    } else if (!r->failed) {
        f->last = sl_prompt_add_piece(r, f->phrase, sl_tracer_all(&out), weight);
        f->escapes = left;
    }
    sl_tracer_free(&out);
}

static void fill(Filling *f, int node, double weight)
{
    const Node n = f->tree->node[node];
    bool loras = f->phrase == NULL;
    if (n.kind == NODE_FRAGMENT)
        add_fragment(f, n.text, weight);
    if (n.kind == NODE_LORA && loras) {
        SlPromptLora *found = sl_prompt_add_lora(f->tree->r, n.text, n.weight);
        if (found) {
            found->at = n.text.from[0];
            found->length = (int)n.text.length;
        }
    }
    if (n.kind == NODE_SWAP) {
        f->swaps++;
        f->last = NULL;
    }
    for (int child = n.first; child >= 0 && !f->tree->r->failed; child = f->tree->node[child].next)
        fill(f, child, n.kind == NODE_ATTENTION ? weight * n.weight : weight);
    if (n.kind == NODE_SWAP)
        f->last = NULL;
}

/* How many fragments a text has; its LoRAs are taken on the way. */
static Filling look(Tree *tree, int node)
{
    Filling f = {.tree = tree};
    fill(&f, node, 1);
    return f;
}

static void add_phrase(Tree *tree, SlPromptSection *section, int node, double factor)
{
    SlPromptPhrase *phrase = sl_prompt_add_phrase(tree->r, section, factor);
    Filling f = {.tree = tree, .phrase = phrase};
    if (phrase)
        fill(&f, node, 1);
}

static void refuse(Tree *tree, const char *why, const Operation *op, const Parser *p)
{
    if (tree->r->refused.code == SL_OK)
        sl_fail(&tree->r->refused, SL_ARGUMENT, "compel does not take the prompt: byte %d: %s",
                op && op->at < p->text.length ? p->text.from[op->at] + 1 : 1, why);
}

/* The numbers of an operation, one for each text; all 1 where none are given. */
static bool weights_of(Tree *tree, const Parser *p, const Operation *op, int count,
                       double weight[MAX_LIST])
{
    for (int i = 0; i < op->texts; i++)
        weight[i] = count ? op->option[i < count ? i : 0].value : 1;
    for (int i = 0; i < count; i++)
        if (op->option[i].word.length) {
            refuse(tree, "a weight is a word; expected a number", op, p);
            return false;
        }
    if (count && count != op->texts) {
        refuse(tree, "there are not as many weights as texts", op, p);
        return false;
    }
    return true;
}

static void add_conjunction(Tree *tree, const Parser *p, const Operation *op, SlPromptText *text)
{
    double weight[MAX_LIST];
    if (!weights_of(tree, p, op, op->options, weight))
        return;
    for (int i = 0; i < op->texts && !tree->r->failed; i++) {
        SlPromptSection *section = look(tree, op->text[i]).fragments
                                       ? sl_prompt_add_section(tree->r, text, weight[i])
                                       : NULL;
        if (section)
            add_phrase(tree, section, op->text[i], 1);
    }
}

static void add_blend(Tree *tree, const Parser *p, const Operation *op, SlPromptText *text)
{
    static const char flag[] = "no_normalize";
    double weight[MAX_LIST], sum = 0;
    int count = op->options;
    SlTraced last = count ? op->option[count - 1].word : (SlTraced){0};
    bool normalize = last.length != strlen(flag) || memcmp(last.text, flag, last.length) != 0;
    if (!weights_of(tree, p, op, count - !normalize, weight))
        return;
    for (int i = 0; i < op->texts; i++) {
        Filling f = look(tree, op->text[i]);
        if (!f.fragments || f.swaps)
            refuse(tree, f.swaps ? ".swap() in a .blend()" : "an empty text in a .blend()", op, p);
        sum += weight[i];
    }
    if (normalize && sum == 0)
        refuse(tree, "the weights of a .blend() add up to 0", op, p);
    SlPromptSection *section = sl_prompt_add_section(tree->r, text, 1);
    for (int i = 0; section && i < op->texts && !tree->r->failed; i++)
        add_phrase(tree, section, op->text[i], normalize ? weight[i] / sum : weight[i]);
}

/* What is left of a text: LoRAs, one .blend() or one prompt, LoRAs. */
static void add_single(Tree *tree, Parser *p, SlPromptText *text)
{
    static const char *const blend[] = {".blend", NULL};
    Operation *op = calloc(1, sizeof *op);
    size_t at = 0;
    int node;
    tree->r->failed |= !op;
    while (op && (node = lora(p, &at)) >= 0)
        look(tree, node);
    if (op && operation(p, &at, blend, op)) {
        while ((node = lora(p, &at)) >= 0)
            look(tree, node);
        if (skip(p, at) < p->text.length)
            refuse(tree, "text follows .blend()", op, p);
        add_blend(tree, p, op, text);
    } else if (op && (node = prompt(p, &at)) >= 0 && look(tree, node).fragments) {
        SlPromptSection *section = sl_prompt_add_section(tree->r, text, 1);
        if (section)
            add_phrase(tree, section, node, 1);
    }
    free(op);
}

static void read_text(Tree *tree, SlTraced all, SlPromptText *text)
{
    static const char *const conjunction[] = {".and", ".add", NULL};
    Operation *op = calloc(1, sizeof *op);
    Parser p;
    size_t at = 0;
    bool ok = parser_open(&p, tree, all);
    tree->r->failed |= !op;
    if (ok && op && operation(&p, &at, conjunction, op))
        add_conjunction(tree, &p, op, text);
    else if (ok && op)
        add_single(tree, &p, text);
    parser_close(&p);
    free(op);
}

/* A blank behind every comma. */
static void space_commas(SlTraced t, SlTracer *out)
{
    sl_tracer_add(out, (SlTraced){"", NULL, 0});
    for (size_t i = 0; i < t.length; i++) {
        sl_tracer_add(out, sl_traced_cut(t, i, i + 1));
        if (t.text[i] != ',' || i + 1 >= t.length || sl_prompt_is_space(t.text[i + 1]))
            continue;
        sl_tracer_add_byte(out, ' ', -1);
        i++; /* of two commas the second one is looked at no more */
        sl_tracer_add(out, sl_traced_cut(t, i, i + 1));
    }
}

void sl_prompt_read_compel(SlPromptReader *r)
{
    Tree tree = {.r = r};
    SlTracer spaced = {0};
    SlPromptPart *part = sl_prompt_add_part(r, 1);
    SlPromptText *text = part ? sl_prompt_add_text(r, part) : NULL;
    space_commas(sl_tracer_all(&r->source), &spaced);
    r->failed |= spaced.failed;
    SlTraced all = sl_tracer_all(&spaced);
    if (text && !r->failed && sl_traced_trim(all).length)
        read_text(&tree, all, text);
    if (text && !r->failed && text->sections == 0) {
        SlPromptSection *section = sl_prompt_add_section(r, text, 1);
        SlPromptPhrase *phrase = section ? sl_prompt_add_phrase(r, section, 1) : NULL;
        if (phrase)
            sl_prompt_add_piece(r, phrase, sl_traced_cut(all, 0, 0), 1);
    }
    if (part)
        sl_prompt_add_turn(r, part, r->ask->evaluations, 0);
    if (!r->failed)
        sl_prompt_find_faults(r);
    free(tree.node);
    sl_tracer_free(&spaced);
}
