/* prompt.c - see prompt.h: the grammars by mode, and the plain mode, which has none. */
#include "engine/files/files.h"
#include "engine/text/prompt_private.h"

#include <stdlib.h>
#include <string.h>

#define N_(text) text

/* ---- reading ---- */

static void read_plain(SlPromptReader *r)
{
    SlPromptPart *part = sl_prompt_add_part(r, 1);
    SlPromptPhrase *phrase = part ? sl_prompt_add_simple(r, part) : NULL;
    if (phrase)
        sl_prompt_add_piece(r, phrase, sl_tracer_all(&r->source), 1);
    if (part)
        sl_prompt_add_turn(r, part, r->ask->evaluations, 0);
}

static bool read_mode(SlPromptReader *r, SlError *err)
{
    static void (*const grammars[SL_PROMPT_MODES])(SlPromptReader *) = {
        [SL_PROMPT_PLAIN] = read_plain,
        [SL_PROMPT_A1111] = sl_prompt_read_a1111,
        [SL_PROMPT_COMFYUI] = sl_prompt_read_comfyui,
        [SL_PROMPT_COMPEL] = sl_prompt_read_compel,
    };
    const char *text = r->ask->text ? r->ask->text : "";
    size_t length = strlen(text);
    if (r->ask->mode != SL_PROMPT_PLAIN && length > SL_PROMPT_MAX_BYTES)
        return sl_fail(err, SL_ARGUMENT,
                       "The prompt has %zu bytes; at most %zu are read with a prompt mode other "
                       "than plain",
                       length, SL_PROMPT_MAX_BYTES);
    if (!sl_utf8_valid(text, length))
        return sl_fail(err, SL_FORMAT, "The prompt is not valid UTF-8");
    sl_tracer_add(&r->source, (SlTraced){"", NULL, 0});
    for (size_t i = 0; i < length; i++)
        sl_tracer_add_byte(&r->source, text[i], (int)i);
    r->failed = r->source.failed;
    if (!r->failed)
        grammars[r->ask->mode](r);
    if (r->failed)
        return sl_fail(err, SL_MEMORY, "Out of memory while the prompt was read");
    if (r->too_deep)
        return sl_fail(err, SL_ARGUMENT, "The prompt's brackets are nested deeper than %d",
                       SL_PROMPT_MAX_DEPTH);
    return r->refused.code == SL_OK || sl_fail(err, r->refused.code, "%s", r->refused.message);
}

SlPrompt *sl_prompt_read(const SlPromptAsk *ask, SlError *err)
{
    SlPromptReader r = {.ask = ask, .prompt = calloc(1, sizeof *r.prompt)};
    if (!r.prompt) {
        sl_fail(err, SL_MEMORY, "Out of memory while the prompt was read");
        return NULL;
    }
    r.prompt->mode = ask->mode;
    if (ask->mode == SL_PROMPT_A1111)
        r.prompt->emphasis = ask->emphasis;
    bool ok = read_mode(&r, err);
    sl_tracer_free(&r.source);
    if (ok)
        return r.prompt;
    sl_prompt_free(r.prompt);
    return NULL;
}

const char *sl_prompt_fault_text(SlPromptFault fault)
{
    static const char *const texts[SL_PROMPT_FAULTS] = {
        [SL_FAULT_UNCLOSED] = N_("this bracket is not closed"),
        [SL_FAULT_UNOPENED] = N_("this bracket closes nothing"),
        [SL_FAULT_NUMBER] = N_("this weight is not a number"),
    };
    return texts[fault];
}

bool sl_prompt_has_weights(const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            continue;
        }
        if (p[0] == '(' && p[1] == '(')
            return true;
        if (*p != ':' || p == text)
            continue;
        const char *end = p + 1 + strspn(p + 1, " +-");
        size_t digits = strspn(end, "0123456789.");
        end += digits;
        end += strspn(end, " ");
        if (digits && *end == ')')
            return true;
    }
    return false;
}
