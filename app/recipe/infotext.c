/* infotext.c - see infotext.h. Mirrors parse_generation_parameters, quote and create_infotext of
 * AUTOMATIC1111's modules/infotext_utils.py and processing.py, without a regular expression, so
 * that the time stays linear in the length of a hostile text.
 */
#include "app/recipe/infotext.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 1000

static const char negative_mark[] = "Negative prompt:";

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* \w of a Unicode pattern, coarsely: all that is not ASCII counts as letters. */
static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

typedef struct Span {
    const char *start, *end;
} Span;

static Span strip(Span s)
{
    while (s.start < s.end && is_blank(*s.start))
        s.start++;
    while (s.end > s.start && is_blank(s.end[-1]))
        s.end--;
    return s;
}

/* ---- the line of fields ---- */

typedef struct Match {
    Span key, value;
} Match;

/* "..." with backslash escapes, not empty, followed by a comma or the end; NULL when it is not. */
static const char *quoted_end(const char *p, const char *end)
{
    const char *q = p + 1;
    while (q < end && *q != '"')
        q += *q == '\\' ? 2 : 1;
    if (q >= end || q == p + 1)
        return NULL;
    q++;
    return q == end || *q == ',' ? q : NULL;
}

/* Finds the next field at or after *at and moves *at behind it and its comma. */
static bool next_field(const char **at, const char *end, Match *m)
{
    const char *p = *at;
    while (p < end) {
        while (p < end && !is_word(*p))
            p++;
        const char *key = p;
        while (p < end && (is_word(*p) || *p == ' ' || *p == '-' || *p == '/'))
            p++;
        if (p == end)
            break;
        if (*p != ':' || p - key < 2)
            continue;
        m->key = (Span){key, p};
        p++;
        while (p < end && is_blank(*p))
            p++;
        const char *stop = p < end && *p == '"' ? quoted_end(p, end) : NULL;
        if (!stop) {
            stop = memchr(p, ',', (size_t)(end - p));
            stop = stop ? stop : end;
        }
        m->value = (Span){p, stop};
        *at = stop < end ? stop + 1 : end;
        return true;
    }
    *at = end;
    return false;
}

static int count_fields(Span line)
{
    Match m;
    int count = 0;
    for (const char *at = line.start; count < 3 && next_field(&at, line.end, &m);)
        count++;
    return count;
}

static bool add_field(SlInfotext *info, Span key, const char *suffix, Span value)
{
    SlInfotextField *grown = realloc(info->field, ((size_t)info->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    info->field = grown;
    SlInfotextField *f = &grown[info->count++];
    SlText name = {0};
    sl_text_append(&name, key.start, (size_t)(key.end - key.start));
    sl_text_add(&name, suffix);
    f->key = sl_text_take(&name);
    f->value = sl_copy_bytes(value.start, (size_t)(value.end - value.start));
    return f->key && f->value;
}

/* <int>x<int>: where the x is, NULL for other values. */
static const char *size_cross(Span v)
{
    const char *p = v.start, *cross;
    while (p < v.end && *p >= '0' && *p <= '9')
        p++;
    cross = p;
    if (p == v.start || p == v.end || *p++ != 'x' || p == v.end)
        return NULL;
    while (p < v.end && *p >= '0' && *p <= '9')
        p++;
    return p == v.end ? cross : NULL;
}

static bool take_field(SlInfotext *info, const Match *m)
{
    Span value = m->value;
    cJSON *json = NULL;
    if (value.end - value.start >= 2 && *value.start == '"' && value.end[-1] == '"') {
        json = cJSON_ParseWithLength(value.start, (size_t)(value.end - value.start));
        if (cJSON_IsString(json))
            value = (Span){json->valuestring, json->valuestring + strlen(json->valuestring)};
    }
    const char *cross = size_cross(value);
    bool ok = cross ? add_field(info, m->key, "-1", (Span){value.start, cross}) &&
                          add_field(info, m->key, "-2", (Span){cross + 1, value.end})
                    : add_field(info, m->key, "", value);
    cJSON_Delete(json);
    return ok;
}

/* ---- the whole text ---- */

static void add_prompt_line(SlText *text, Span line)
{
    if (text->length)
        sl_text_add(text, "\n");
    sl_text_append(text, line.start, (size_t)(line.end - line.start));
}

static void read_prompts(Span text, SlText *prompt, SlText *negative)
{
    bool in_negative = false;
    for (const char *p = text.start; p <= text.end;) {
        const char *line_end = memchr(p, '\n', (size_t)(text.end - p));
        line_end = line_end ? line_end : text.end;
        Span line = strip((Span){p, line_end});
        size_t mark = sizeof negative_mark - 1;
        if ((size_t)(line.end - line.start) >= mark &&
            memcmp(line.start, negative_mark, mark) == 0) {
            in_negative = true;
            line = strip((Span){line.start + mark, line.end});
        }
        add_prompt_line(in_negative ? negative : prompt, line);
        p = line_end + 1;
    }
}

bool sl_infotext_parse(const char *text, SlInfotext *info, SlError *err)
{
    memset(info, 0, sizeof *info);
    Span all = strip((Span){text, text + strlen(text)});
    const char *last = memrchr(all.start, '\n', (size_t)(all.end - all.start));
    Span line = {last ? last + 1 : all.start, all.end};
    bool ok = true;
    if (count_fields(line) >= 3) {
        Match m;
        for (const char *at = line.start;
             ok && info->count < MAX_FIELDS && next_field(&at, line.end, &m);)
            ok = take_field(info, &m);
        all.end = last ? last : all.start;
    }
    SlText prompt = {0}, negative = {0};
    read_prompts(all, &prompt, &negative);
    info->prompt = sl_text_take(&prompt);
    info->negative_prompt = sl_text_take(&negative);
    return (ok && info->prompt && info->negative_prompt) ||
           sl_fail(err, SL_MEMORY, "memory ran out while reading a picture's settings");
}

void sl_infotext_free(SlInfotext *info)
{
    for (int i = 0; i < info->count; i++) {
        free(info->field[i].key);
        free(info->field[i].value);
    }
    free(info->field);
    free(info->prompt);
    free(info->negative_prompt);
    memset(info, 0, sizeof *info);
}

const char *sl_infotext_get(const SlInfotext *info, const char *key)
{
    for (int i = info->count - 1; i >= 0; i--)
        if (strcmp(info->field[i].key, key) == 0)
            return info->field[i].value;
    return NULL;
}

/* ---- writing ---- */

/* A JSON string literal that keeps non-ASCII raw. */
static void add_quoted(SlText *out, const char *value)
{
    sl_text_add(out, "\"");
    for (const char *p = value; *p; p++) {
        const char *escapes = "\"\\\n\r\t\b\f", *letters = "\"\\nrtbf";
        const char *escape = strchr(escapes, *p);
        if (escape)
            sl_text_addf(out, "\\%c", letters[escape - escapes]);
        else if ((unsigned char)*p < 0x20)
            sl_text_addf(out, "\\u%04x", *p);
        else
            sl_text_append(out, p, 1);
    }
    sl_text_add(out, "\"");
}

void sl_infotext_begin(SlText *out, const char *prompt, const char *negative_prompt)
{
    sl_text_add(out, prompt);
    if (*negative_prompt)
        sl_text_addf(out, "\n%s %s", negative_mark, negative_prompt);
    sl_text_add(out, "\n");
}

void sl_infotext_add(SlText *out, const char *key, const char *value)
{
    if (!value)
        return;
    if (out->length && out->data[out->length - 1] != '\n')
        sl_text_add(out, ", ");
    sl_text_addf(out, "%s: ", key);
    if (strpbrk(value, ",\n:"))
        add_quoted(out, value);
    else
        sl_text_add(out, value);
}

char *sl_infotext_end(SlText *out)
{
    char *text = sl_text_take(out);
    if (!text)
        return NULL;
    Span s = strip((Span){text, text + strlen(text)});
    size_t length = (size_t)(s.end - s.start);
    memmove(text, s.start, length);
    text[length] = '\0';
    return text;
}
