/* loose_json.c - see loose_json.h. */
#include "app/recipe/foreign/loose_json.h"
#include "app/files/files.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool all_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

static bool is_token(const char *p, size_t n, const char *token)
{
    return n == strlen(token) && memcmp(p, token, n) == 0;
}

static void add_bare(SlText *out, const char *p, size_t n)
{
    if (is_token(p, n, "NaN") || is_token(p, n, "Infinity") || is_token(p, n, "-Infinity"))
        sl_text_add(out, "null");
    else if (n >= 16 && all_digits(p, n))
        sl_text_addf(out, "\"%.*s\"", (int)n, p);
    else
        sl_text_append(out, p, n);
}

static size_t string_length(const char *p)
{
    size_t n = 1;
    while (p[n] && p[n] != '"')
        n += p[n] == '\\' && p[n + 1] ? 2 : 1;
    return p[n] ? n + 1 : n;
}

cJSON *sl_loose_parse(const char *json, bool *failed)
{
    SlText out = {0};
    for (const char *p = json; *p;) {
        size_t n = 1;
        if (*p == '"') {
            n = string_length(p);
            sl_text_append(&out, p, n);
        } else if ((n = strcspn(p, "\"{}[],: \t\r\n")) > 0) {
            add_bare(&out, p, n);
        } else {
            n = 1;
            sl_text_append(&out, p, n);
        }
        p += n;
    }
    char *text = sl_text_take(&out);
    errno = 0; /* cJSON does not say whether the text or memory was not good enough */
    cJSON *root = text ? cJSON_Parse(text) : NULL;
    *failed |= !text || (!root && errno == ENOMEM);
    free(text);
    return root;
}

const char *sl_loose_text(const cJSON *item, SlScratch *scratch)
{
    if (cJSON_IsString(item))
        return item->valuestring;
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return NULL;
    if (item->valuedouble == floor(item->valuedouble) && fabs(item->valuedouble) < 1e15)
        snprintf(scratch->text, sizeof scratch->text, "%.0f", item->valuedouble);
    else
        sl_format_double(item->valuedouble, scratch->text);
    return scratch->text;
}

const char *sl_loose_member(const cJSON *object, const char *key, SlScratch *scratch)
{
    return sl_loose_text(cJSON_GetObjectItemCaseSensitive(object, key), scratch);
}
