/* json_out.c - see json_out.h. */
#include "app/files/json_out.h"
#include "app/files/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_INTEGERS ((uint64_t)1 << 53)

/* A member of something that is not there is not reached: that failed before. Gives the item, NULL (and it is deleted) when it has no place in what is put together. */
static cJSON *put(SlJsonOut *out, cJSON *to, const char *key, cJSON *item)
{
    bool ok = item && !out->failed;
    if (ok && to)
        ok = key ? cJSON_AddItemToObject(to, key, item) : cJSON_AddItemToArray(to, item);
    if (ok)
        return item;
    cJSON_Delete(item);
    out->failed = true;
    return NULL;
}

cJSON *sl_out_object(SlJsonOut *out, cJSON *to, const char *key)
{
    return out->failed ? NULL : put(out, to, key, cJSON_CreateObject());
}

cJSON *sl_out_array(SlJsonOut *out, cJSON *to, const char *key)
{
    return out->failed ? NULL : put(out, to, key, cJSON_CreateArray());
}

void sl_out_text(SlJsonOut *out, cJSON *to, const char *key, const char *text)
{
    if (!out->failed)
        put(out, to, key, cJSON_CreateString(text));
}

void sl_out_number(SlJsonOut *out, cJSON *to, const char *key, double number)
{
    if (!out->failed)
        put(out, to, key, cJSON_CreateNumber(number));
}

void sl_out_bool(SlJsonOut *out, cJSON *to, const char *key, bool value)
{
    if (!out->failed)
        put(out, to, key, cJSON_CreateBool(value));
}

void sl_out_null(SlJsonOut *out, cJSON *to, const char *key)
{
    if (!out->failed)
        put(out, to, key, cJSON_CreateNull());
}

void sl_out_u64(SlJsonOut *out, cJSON *to, const char *key, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    if (value <= EXACT_INTEGERS)
        sl_out_number(out, to, key, (double)value);
    else
        sl_out_text(out, to, key, digits);
}

void sl_out_row(SlJsonOut *out, cJSON *to, const char *key, const double *values, int n)
{
    SlText text = {0};
    for (int i = 0; i < n; i++) {
        char number[32];
        sl_format_double(values[i], number);
        sl_text_addf(&text, "%s%s", i ? "," : "[", number);
    }
    sl_text_add(&text, n > 0 ? "]" : "[]");
    char *row = sl_text_take(&text); /* NULL without memory */
    if (!out->failed)
        put(out, to, key, row ? cJSON_CreateRaw(row) : NULL);
    free(row);
}

void sl_out_lines(SlJsonOut *out, cJSON *to, const char *key, const char *text)
{
    cJSON *list = sl_out_array(out, to, key);
    for (const char *p = text; p && *p && !out->failed;) {
        size_t n = strcspn(p, "\n");
        char *line = sl_copy_bytes(p, n);
        put(out, list, NULL, line ? cJSON_CreateString(line) : NULL);
        free(line);
        p += n + (p[n] == '\n');
    }
}

void sl_out_item(SlJsonOut *out, cJSON *to, const char *key, cJSON *item)
{
    put(out, to, key, item);
}

cJSON *sl_out_end(const SlJsonOut *out, cJSON *root)
{
    if (!out->failed)
        return root;
    cJSON_Delete(root);
    return NULL;
}

char *sl_out_end_text(const SlJsonOut *out, cJSON *root)
{
    char *text = out->failed ? NULL : cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}
