/* prompt_comfyui.c - the prompt language of ComfyUI (comfy/sd1_clip.py, token_weights): round
 * brackets and weights, nothing else.
 *
 * Easy to get wrong: an explicit weight is the weight, whatever is round it; 1.1 multiplies. A text
 * that is not balanced is split where its brackets happen to be, so "((a)" loses its outer ones and is
 * 1.1. A colon in front ("(:2)") is text.
 */
#include "engine/text/prompt_private.h"

#include <stdlib.h>
#include <string.h>

/* Stand for escaped brackets while the text is split; no prompt has a 0 in it. */
#define MARK       '\0'
#define MARK_CLOSE '\1'
#define MARK_OPEN  '\2'

static void escape(SlTraced t, SlTracer *out)
{
    for (size_t i = 0; i < t.length; i++) {
        bool escaped =
            t.text[i] == '\\' && i + 1 < t.length && (t.text[i + 1] == '(' || t.text[i + 1] == ')');
        if (!escaped) {
            sl_tracer_add(out, sl_traced_cut(t, i, i + 1));
            continue;
        }
        sl_tracer_add_byte(out, MARK, t.from[i]);
        sl_tracer_add_byte(out, t.text[i + 1] == '(' ? MARK_OPEN : MARK_CLOSE, t.from[i + 1]);
        i++;
    }
}

static void unescape(SlTraced t, SlTracer *out)
{
    sl_tracer_add(out, (SlTraced){"", NULL, 0});
    for (size_t i = 0; i < t.length; i++) {
        bool mark = t.text[i] == MARK && i + 1 < t.length;
        if (mark)
            sl_tracer_add_byte(out, t.text[i + 1] == MARK_OPEN ? '(' : ')', t.from[i + 1]);
        else
            sl_tracer_add(out, sl_traced_cut(t, i, i + 1));
        i += mark;
    }
}

/* As Python's float() takes it, with blanks round it. */
static bool read_weight(SlTraced t, double *weight)
{
    return sl_prompt_number(sl_traced_trim(t), weight);
}

typedef struct Weights {
    SlPromptReader *r;
    SlPromptPhrase *phrase;
    int depth;
} Weights;

static void split(Weights *w, SlTraced t, double weight);

/* A stretch between outer brackets, or one of them with its brackets. */
static void read_item(Weights *w, SlTraced t, double weight)
{
    SlTracer text = {0};
    double inner = weight * 1.1;
    if (t.length == 0)
        return;
    if (t.length >= 2 && t.text[0] == '(' && t.text[t.length - 1] == ')') {
        t = sl_traced_cut(t, 1, t.length - 1);
        const char *colon = t.length ? memrchr(t.text, ':', t.length) : NULL;
        size_t at = colon ? (size_t)(colon - t.text) : 0;
        if (at > 0 && read_weight(sl_traced_cut(t, at + 1, t.length), &inner))
            t = sl_traced_cut(t, 0, at);
        split(w, t, inner);
        return;
    }
    unescape(t, &text);
    w->r->failed |= text.failed;
    if (!text.failed)
        sl_prompt_add_piece(w->r, w->phrase, sl_tracer_all(&text), weight);
    sl_tracer_free(&text);
}

static void split(Weights *w, SlTraced t, double weight)
{
    size_t begin = 0;
    int level = 0;
    if (w->depth >= SL_PROMPT_MAX_DEPTH || w->r->failed) {
        w->r->too_deep = true;
        return;
    }
    w->depth++;
    for (size_t i = 0; i < t.length; i++) {
        if (t.text[i] == '(' && level++ == 0) {
            read_item(w, sl_traced_cut(t, begin, i), weight);
            begin = i;
        } else if (t.text[i] == ')' && --level == 0) {
            read_item(w, sl_traced_cut(t, begin, i + 1), weight);
            begin = i + 1;
        }
    }
    read_item(w, sl_traced_cut(t, begin, t.length), weight);
    w->depth--;
}

void sl_prompt_read_comfyui(SlPromptReader *r)
{
    SlTracer text = {0};
    SlPromptPart *part = sl_prompt_add_part(r, 1);
    Weights w = {.r = r, .phrase = part ? sl_prompt_add_simple(r, part) : NULL};
    sl_tracer_add(&text, (SlTraced){"", NULL, 0});
    escape(sl_tracer_all(&r->source), &text);
    r->failed |= text.failed;
    if (w.phrase && !r->failed) {
        split(&w, sl_tracer_all(&text), 1);
        sl_prompt_find_faults(r);
    }
    if (part)
        sl_prompt_add_turn(r, part, r->ask->evaluations, 0);
    sl_tracer_free(&text);
}
