/* prompt_build.c - what all grammars of prompts fill (prompt_private.h): texts that remember where they
 * come from, and the result piece by piece. */
#include "engine/files/files.h"
#include "engine/text/prompt_private.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

/* ---- texts that remember where they come from ---- */

static bool make_room(SlTracer *t, size_t more)
{
    if (t->failed)
        return false;
    if (t->length + more + 1 <= t->room)
        return true;
    size_t room = 2 * t->room > t->length + more + 64 ? 2 * t->room : t->length + more + 64;
    char *text = realloc(t->text, room);
    if (text)
        t->text = text;
    int *from = text ? realloc(t->from, room * sizeof *from) : NULL;
    if (from)
        t->from = from;
    t->failed = !from;
    if (from)
        t->room = room;
    return !t->failed;
}

void sl_tracer_add(SlTracer *t, SlTraced stretch)
{
    if (!make_room(t, stretch.length))
        return;
    if (stretch.length) {
        memcpy(t->text + t->length, stretch.text, stretch.length);
        memcpy(t->from + t->length, stretch.from, stretch.length * sizeof *t->from);
    }
    t->length += stretch.length;
    t->text[t->length] = '\0';
}

void sl_tracer_add_byte(SlTracer *t, char byte, int from)
{
    sl_tracer_add(t, (SlTraced){&byte, &from, 1});
}

void sl_tracer_free(SlTracer *t)
{
    free(t->text);
    free(t->from);
    *t = (SlTracer){0};
}

SlTraced sl_tracer_all(const SlTracer *t)
{
    return (SlTraced){t->text, t->from, t->length};
}

SlTraced sl_traced_cut(SlTraced t, size_t begin, size_t end)
{
    if (end <= begin)
        return (SlTraced){"", t.from, 0};
    return (SlTraced){t.text + begin, t.from + begin, end - begin};
}

bool sl_prompt_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

SlTraced sl_traced_trim(SlTraced t)
{
    size_t begin = 0, end = t.length;
    while (begin < end && sl_prompt_is_space(t.text[begin]))
        begin++;
    while (end > begin && sl_prompt_is_space(t.text[end - 1]))
        end--;
    return sl_traced_cut(t, begin, end);
}

static bool is_word(ucs4_t c)
{
    return c == '_' || uc_is_general_category(c, UC_CATEGORY_L) ||
           uc_is_general_category(c, UC_CATEGORY_N);
}

bool sl_prompt_word_at(SlTraced t, size_t i)
{
    ucs4_t c;
    if (i >= t.length)
        return false;
    u8_mbtouc(&c, (const uint8_t *)t.text + i, t.length - i);
    return is_word(c);
}

bool sl_prompt_word_before(SlTraced t, size_t i)
{
    while (i > 0 && ((unsigned char)t.text[--i] & 0xC0) == 0x80)
        if (i == 0)
            return false;
    return t.length > 0 && sl_prompt_word_at(t, i);
}

bool sl_prompt_is_word(SlTraced t, size_t i, const char *word)
{
    size_t n = strlen(word);
    return t.length - i >= n && !memcmp(t.text + i, word, n) &&
           !(i > 0 && sl_prompt_word_before(t, i)) && !sl_prompt_word_at(t, i + n);
}

bool sl_prompt_number(SlTraced t, double *value)
{
    char text[64];
    if (t.length == 0 || t.length >= sizeof text)
        return false;
    memcpy(text, t.text, t.length);
    text[t.length] = '\0';
    const char *p = text + (*text == '+' || *text == '-');
    size_t whole = strspn(p, "0123456789");
    p += whole;
    if (*p == '.') {
        size_t part = strspn(p + 1, "0123456789");
        p += 1 + part;
        whole += part;
    }
    if (whole && (*p == 'e' || *p == 'E')) {
        const char *e = p + 1 + (p[1] == '+' || p[1] == '-');
        size_t digits = strspn(e, "0123456789");
        if (digits)
            p = e + digits;
    }
    if (!whole || *p)
        return false;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    *value = strtod(text, NULL);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return isfinite(*value);
}

/* ---- the result ---- */

void *sl_prompt_grow(SlPromptReader *r, void *array, int count, size_t size)
{
    /* doubled at powers of two */
    bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    size_t room = count < 4 ? 4 : 2 * (size_t)count;
    void *more = full ? realloc(array, room * size) : array;
    if (!more) {
        r->failed = true;
        return NULL;
    }
    memset((char *)more + (size_t)count * size, 0, size);
    return more;
}

SlPromptPart *sl_prompt_add_part(SlPromptReader *r, double weight)
{
    SlPrompt *p = r->prompt;
    SlPromptPart *more = sl_prompt_grow(r, p->part, p->parts, sizeof *more);
    if (!more)
        return NULL;
    p->part = more;
    more[p->parts].weight = weight;
    return &more[p->parts++];
}

SlPromptText *sl_prompt_add_text(SlPromptReader *r, SlPromptPart *part)
{
    SlPromptText *more = sl_prompt_grow(r, part->text, part->texts, sizeof *more);
    if (!more)
        return NULL;
    part->text = more;
    return &more[part->texts++];
}

void sl_prompt_add_turn(SlPromptReader *r, SlPromptPart *part, int last, int text)
{
    SlPromptTurn *more = sl_prompt_grow(r, part->turn, part->turns, sizeof *more);
    if (!more)
        return;
    part->turn = more;
    more[part->turns++] = (SlPromptTurn){last, text};
}

SlPromptSection *sl_prompt_add_section(SlPromptReader *r, SlPromptText *text, double weight)
{
    SlPromptSection *more = sl_prompt_grow(r, text->section, text->sections, sizeof *more);
    if (!more)
        return NULL;
    text->section = more;
    more[text->sections].weight = weight;
    return &more[text->sections++];
}

SlPromptPhrase *sl_prompt_add_phrase(SlPromptReader *r, SlPromptSection *section, double factor)
{
    SlPromptPhrase *more = sl_prompt_grow(r, section->phrase, section->phrases, sizeof *more);
    if (!more)
        return NULL;
    section->phrase = more;
    more[section->phrases].factor = factor;
    return &more[section->phrases++];
}

SlPromptPhrase *sl_prompt_add_simple(SlPromptReader *r, SlPromptPart *part)
{
    SlPromptText *text = sl_prompt_add_text(r, part);
    SlPromptSection *section = text ? sl_prompt_add_section(r, text, 1) : NULL;
    return section ? sl_prompt_add_phrase(r, section, 1) : NULL;
}

/* Of a piece with so many bytes: doubled at powers of two, as a prompt may append to it byte by byte. */
static size_t piece_room(size_t length)
{
    size_t room = 16;
    while (room < length + 1)
        room *= 2;
    return room;
}

bool sl_prompt_append_piece(SlPromptReader *r, SlPromptPiece *piece, SlTraced text)
{
    size_t length = piece->text ? strlen(piece->text) : 0, all = length + text.length;
    size_t room = piece_room(all);
    bool full = !piece->from || room > piece_room(length);
    char *bytes = full ? realloc(piece->text, room) : piece->text;
    if (bytes)
        piece->text = bytes;
    int *from = full && bytes ? realloc(piece->from, room * sizeof *from) : piece->from;
    if (bytes && from)
        piece->from = from;
    if (!bytes || !from) {
        r->failed = true;
        return false;
    }
    if (text.length) {
        memcpy(bytes + length, text.text, text.length);
        memcpy(from + length, text.from, text.length * sizeof *from);
    }
    bytes[all] = '\0';
    from[all] = -1;
    return true;
}

SlPromptPiece *sl_prompt_add_piece(SlPromptReader *r, SlPromptPhrase *phrase, SlTraced text,
                                   double weight)
{
    SlPromptPiece *more = sl_prompt_grow(r, phrase->piece, phrase->pieces, sizeof *more);
    if (!more)
        return NULL;
    phrase->piece = more;
    more += phrase->pieces++;
    more->weight = weight;
    return sl_prompt_append_piece(r, more, text) ? more : NULL;
}

SlPromptLora *sl_prompt_add_lora(SlPromptReader *r, SlTraced name, double strength)
{
    SlPrompt *p = r->prompt;
    SlPromptLora *more = sl_prompt_grow(r, p->lora, p->loras, sizeof *more);
    if (!more)
        return NULL;
    p->lora = more;
    more += p->loras++;
    more->unet = more->text = strength;
    more->name = strndup(name.text, name.length);
    r->failed |= !more->name;
    return more;
}

void sl_prompt_add_fault(SlPromptReader *r, SlPromptFault fault, int at)
{
    SlPrompt *p = r->prompt;
    int place = p->faults;
    if (p->faults == SL_PROMPT_MAX_FAULTS)
        return;
    for (int i = 0; i < p->faults; i++)
        if (p->fault[i].at == at)
            return; /* in another text of the schedule, too */
    SlPromptFaultAt *more = sl_prompt_grow(r, p->fault, p->faults, sizeof *more);
    if (!more)
        return;
    p->fault = more;
    for (; place > 0 && more[place - 1].at > at; place--)
        more[place] = more[place - 1];
    more[place] = (SlPromptFaultAt){fault, at};
    p->faults++;
}

void sl_prompt_find_faults(SlPromptReader *r)
{
    const char *text = r->source.text;
    int *open = malloc((r->source.length + 1) * sizeof *open), count = 0;
    r->failed |= !open;
    for (int i = 0; open && text[i]; i++) {
        if (i > 0 && text[i - 1] == '\\')
            continue;
        if (text[i] == '(')
            open[count++] = i;
        else if (text[i] == ')' && count)
            count--;
        else if (text[i] == ')')
            sl_prompt_add_fault(r, SL_FAULT_UNOPENED, i);
    }
    for (int i = 0; i < count; i++)
        sl_prompt_add_fault(r, SL_FAULT_UNCLOSED, open[i]);
    free(open);
}

static void free_phrase(SlPromptPhrase *phrase)
{
    for (int i = 0; i < phrase->pieces; i++) {
        free(phrase->piece[i].text);
        free(phrase->piece[i].from);
    }
    free(phrase->piece);
}

static void free_part(SlPromptPart *part)
{
    for (int t = 0; t < part->texts; t++) {
        for (int s = 0; s < part->text[t].sections; s++) {
            SlPromptSection *section = &part->text[t].section[s];
            for (int i = 0; i < section->phrases; i++)
                free_phrase(&section->phrase[i]);
            free(section->phrase);
        }
        free(part->text[t].section);
    }
    free(part->text);
    free(part->turn);
}

void sl_prompt_free(SlPrompt *prompt)
{
    if (!prompt)
        return;
    for (int i = 0; i < prompt->parts; i++)
        free_part(&prompt->part[i]);
    for (int i = 0; i < prompt->loras; i++)
        free(prompt->lora[i].name);
    free(prompt->part);
    free(prompt->lora);
    free(prompt->fault);
    free(prompt);
}
