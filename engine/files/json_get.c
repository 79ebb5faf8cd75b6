/* json_get.c - see json.h: members of the root, with their type and range checked, one by one and
 * as lists.
 *
 * Easy to get wrong: the first complaint stays, so that a parser can ask for all its keys and look
 * once.
 */
#include "engine/files/json_private.h"
#include "engine/files/utf8.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The value, NULL when absent or null. */
static const cJSON *get(const SlJson *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json->root, key);
    return cJSON_IsNull(item) ? NULL : item;
}

bool sl_json_has(const SlJson *json, const char *key)
{
    return get(json, key) != NULL;
}

static SlShown describe(const cJSON *item)
{
    SlShown shown;
    if (cJSON_IsString(item)) {
        SlShown text = sl_show_name(item->valuestring);
        snprintf(shown.text, sizeof shown.text, "\"%.200s\"", text.text);
    } else if (cJSON_IsNumber(item)) {
        sl_sentence(shown.text, sizeof shown.text, "%.17g", item->valuedouble); /* as in the file */
    } else {
        snprintf(shown.text, sizeof shown.text, "%s",
                 cJSON_IsArray(item)    ? sl_words("a list")
                 : cJSON_IsObject(item) ? sl_words("an object")
                 : cJSON_IsTrue(item)   ? "true"
                 : cJSON_IsFalse(item)  ? "false"
                                        : "null");
    }
    return shown;
}

/* The first complaint stays. */
__attribute__((format(printf, 5, 6))) static void complain(const SlJson *json, const char *key,
                                                           const cJSON *item, SlError *err,
                                                           const char *expected, ...)
{
    char text[600];
    va_list args;
    if (!err || err->code != SL_OK)
        return;
    va_start(args, expected);
    sl_sentence_v(text, sizeof text, expected, args);
    va_end(args);
    sl_fail(err, SL_FORMAT, "%s: \"%s\" is %s; expected %s", json->name, key, describe(item).text,
            text);
}

static bool is_int(const cJSON *item, int64_t min, int64_t max)
{
    return cJSON_IsNumber(item) && item->valuedouble == floor(item->valuedouble) &&
           fabs(item->valuedouble) <= 9007199254740992.0 && item->valuedouble >= (double)min &&
           item->valuedouble <= (double)max;
}

static bool is_double(const cJSON *item, double min, double max)
{
    return cJSON_IsNumber(item) && item->valuedouble >= min && item->valuedouble <= max;
}

int64_t sl_json_int(const SlJson *json, const char *key, int64_t fallback, int64_t min, int64_t max,
                    SlError *err)
{
    const cJSON *item = get(json, key);
    if (!item)
        return fallback;
    if (is_int(item, min, max))
        return (int64_t)item->valuedouble;
    complain(json, key, item, err, sl_words("a whole number from %lld to %lld"), (long long)min,
             (long long)max);
    return fallback;
}

double sl_json_double(const SlJson *json, const char *key, double fallback, double min, double max,
                      SlError *err)
{
    const cJSON *item = get(json, key);
    if (!item)
        return fallback;
    if (is_double(item, min, max))
        return item->valuedouble;
    complain(json, key, item, err, sl_words("a number from %g to %g"), min, max);
    return fallback;
}

bool sl_json_bool(const SlJson *json, const char *key, bool fallback, SlError *err)
{
    const cJSON *item = get(json, key);
    if (!item)
        return fallback;
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item);
    complain(json, key, item, err, sl_words("true or false"));
    return fallback;
}

const char *sl_json_string(const SlJson *json, const char *key, const char *fallback, SlError *err)
{
    const cJSON *item = get(json, key);
    if (!item)
        return fallback;
    if (cJSON_IsString(item))
        return item->valuestring;
    complain(json, key, item, err, sl_words("a text in quotation marks"));
    return fallback;
}

int sl_json_choice(const SlJson *json, const char *key, const char *const *choices, int fallback,
                   SlError *err)
{
    const cJSON *item = get(json, key);
    char list[280] = "";
    size_t used = 0;
    if (!item)
        return fallback;
    for (int i = 0; choices[i]; i++) {
        if (cJSON_IsString(item) && !strcmp(item->valuestring, choices[i]))
            return i;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", i ? ", " : "",
                                     choices[i]);
    }
    complain(json, key, item, err, "%s%s", choices[1] ? sl_words("one of ") : "", list);
    return -1;
}

/* ---- lists ---- */

typedef struct List {
    const SlJson *json;
    const char *key;
    int max_count, spread;
    const char *expected; /* of an element, for messages */
    SlError *err;
} List;

/* Stores an element at out[i]; false when it is of the wrong type or out of range. */
typedef bool (*ListStore)(const cJSON *item, int i, const void *range, void *out);

static int read_list(const List *l, ListStore store, const void *range, void *out)
{
    const cJSON *item = get(l->json, l->key);
    int count = 0;
    if (!item)
        return 0;
    if (!cJSON_IsArray(item) && l->spread > 0 && l->spread <= l->max_count) {
        for (; count < l->spread && store(item, count, range, out); count++)
            ;
        if (count < l->spread)
            complain(l->json, l->key, item, l->err, sl_words("%s or a list of them"), l->expected);
        return count < l->spread ? 0 : count;
    }
    if (!cJSON_IsArray(item)) {
        complain(l->json, l->key, item, l->err, sl_words("a list, each %s"), l->expected);
        return 0;
    }
    for (const cJSON *c = item->child; c; c = c->next, count++) {
        if (count < l->max_count && store(c, count, range, out))
            continue;
        if (l->err && l->err->code == SL_OK) {
            if (count >= l->max_count)
                sl_fail(l->err, SL_FORMAT, "%s: \"%s\" has %d elements; at most %d are supported",
                        l->json->name, l->key, cJSON_GetArraySize(item), l->max_count);
            else
                sl_fail(l->err, SL_FORMAT, "%s: \"%s\" has %s as element %d; expected %s",
                        l->json->name, l->key, describe(c).text, count, l->expected);
        }
        return 0;
    }
    return count;
}

typedef struct IntRange {
    int64_t min, max;
} IntRange;

static bool store_int(const cJSON *item, int i, const void *range, void *out)
{
    const IntRange *r = range;
    if (!is_int(item, r->min, r->max))
        return false;
    ((int64_t *)out)[i] = (int64_t)item->valuedouble;
    return true;
}

static bool store_string(const cJSON *item, int i, const void *range, void *out)
{
    (void)range;
    ((const char **)out)[i] = item->valuestring;
    return cJSON_IsString(item);
}

static bool store_bool(const cJSON *item, int i, const void *range, void *out)
{
    (void)range;
    ((bool *)out)[i] = cJSON_IsTrue(item);
    return cJSON_IsBool(item);
}

static bool store_double(const cJSON *item, int i, const void *range, void *out)
{
    (void)range;
    ((double *)out)[i] = item->valuedouble;
    return is_double(item, -DBL_MAX, DBL_MAX);
}

int sl_json_ints(const SlJson *json, const char *key, int64_t *out, int max_count, int spread,
                 int64_t min, int64_t max, SlError *err)
{
    char expected[200];
    IntRange range = {min, max};
    snprintf(expected, sizeof expected, sl_words("a whole number from %lld to %lld"),
             (long long)min, (long long)max);
    List l = {json, key, max_count, spread, expected, err};
    return read_list(&l, store_int, &range, out);
}

int sl_json_strings(const SlJson *json, const char *key, const char **out, int max_count,
                    SlError *err)
{
    List l = {json, key, max_count, 0, sl_words("a text in quotation marks"), err};
    return read_list(&l, store_string, NULL, out);
}

int sl_json_bools(const SlJson *json, const char *key, bool *out, int max_count, int spread,
                  SlError *err)
{
    List l = {json, key, max_count, spread, sl_words("true or false"), err};
    return read_list(&l, store_bool, NULL, out);
}

int sl_json_doubles(const SlJson *json, const char *key, double *out, int max_count, SlError *err)
{
    List l = {json, key, max_count, 0, sl_words("a number"), err};
    return read_list(&l, store_double, NULL, out);
}

static bool set_item(SlJson *json, const char *key, cJSON *item, SlError *err)
{
    cJSON *root = json->root;
    bool there = cJSON_GetObjectItemCaseSensitive(root, key) != NULL;
    if (item && (there ? cJSON_ReplaceItemInObjectCaseSensitive(root, key, item)
                       : cJSON_AddItemToObject(root, key, item)))
        return true;
    cJSON_Delete(item);
    return sl_fail(err, SL_MEMORY, "%s: memory ran out", json->name);
}

bool sl_json_set_numbers(SlJson *json, const char *key, const double *values, int count,
                         SlError *err)
{
    return set_item(json, key, cJSON_CreateDoubleArray(values, count), err);
}

bool sl_json_set_number(SlJson *json, const char *key, double value, SlError *err)
{
    return set_item(json, key, cJSON_CreateNumber(value), err);
}

bool sl_json_set_bool(SlJson *json, const char *key, bool value, SlError *err)
{
    return set_item(json, key, cJSON_CreateBool(value), err);
}

bool sl_json_set_string(SlJson *json, const char *key, const char *value, SlError *err)
{
    return set_item(json, key, cJSON_CreateString(value), err);
}
