/* json.c - see json.h.
 *
 * Easy to get wrong: cJSON looks keys up without regard to case unless told otherwise, cuts strings
 * at \u0000, and keeps the position of an error in a global that other threads write; the scan
 * before it and its parse_end are used instead. Its numbers go through strtod with the locale's
 * decimal point put in, so a German locale reads the same values.
 */
#include "engine/json.h"

#include "engine/file_kind.h"
#include "engine/utf8.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES ((uint64_t)16 << 20)
#define MAX_DEPTH 64

struct SlJson {
    char *name; /* fit for messages */
    cJSON *root;
};

static bool fail_at(const char *name, const char *text, const char *at, const char *why,
                    SlError *err)
{
    int line = 1, column = 1;
    for (const char *p = text; p < at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    return sl_fail(err, SL_FORMAT, "%s: line %d, column %d: %s", name, line, column, why);
}

/* Are there four hexadecimal digits, not all zero? cJSON takes anything else for NUL. */
static bool is_character(const char *p, const char *end)
{
    bool zero = true;
    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)p[i]))
            return false;
        zero = zero && p[i] == '0';
    }
    return !zero;
}

/* Checks the string that begins after a quote; gives its closing quote, NULL and *why. */
static const char *scan_string(const char *p, const char *end, const char **why)
{
    for (; p < end && *p != '"'; p++) {
        if ((unsigned char)*p < 0x20) {
            *why = "a control character in a string (a missing quotation mark?)";
            return NULL;
        }
        if (*p != '\\')
            continue;
        if (p[1] == 'u' && !is_character(p + 2, end)) {
            *why = "\\u without four hexadecimal digits, or the NUL character";
            return NULL;
        }
        p++;
    }
    if (p >= end) {
        *why = "the file ends inside a string: it is cut off";
        return NULL;
    }
    return p;
}

/* Python's json writes infinity bare, and diffusers saves "lambda_min_clipped": -Infinity. Such a
 * word at p becomes a number of the same length that is too large for a double. */
static void replace_infinity(char *p, const char *text)
{
    if (!strncmp(p, "Infinity", 8) && p > text && strchr(" \t\r\n:,[-", p[-1]))
        memcpy(p, "1e999   ", 8);
}

/* Refuses what cJSON lets pass or could not bear: NUL, control characters, deep nesting. */
static bool scan(const char *name, char *text, const char *end, SlError *err)
{
    int depth = 0;
    for (char *p = text; p < end; p++) {
        const char *why = NULL, *closing;
        if (*p == '"') {
            closing = scan_string(p + 1, end, &why);
            if (!closing)
                return fail_at(name, text, p, why, err);
            p += closing - p;
        } else if (*p == 'I') {
            replace_infinity(p, text);
        } else if (*p == '{' || *p == '[') {
            if (++depth > MAX_DEPTH)
                return fail_at(name, text, p, "nested more than 64 levels deep", err);
        } else if (*p == '}' || *p == ']') {
            depth--;
        } else if (*p == 0) {
            return fail_at(name, text, p, "a NUL byte, not JSON text", err);
        }
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_keys(const char *name, const cJSON *object, SlError *err)
{
    size_t count = 0, i = 0;
    for (const cJSON *c = object->child; c; c = c->next)
        count++;
    if (count < 2)
        return true;
    const char **keys = malloc(count * sizeof *keys);
    if (!keys)
        return sl_fail(err, SL_MEMORY, "%s: out of memory", name);
    for (const cJSON *c = object->child; c; c = c->next)
        keys[i++] = c->string;
    qsort(keys, count, sizeof *keys, compare_keys);
    for (i = 1; i < count && strcmp(keys[i - 1], keys[i]); i++)
        ;
    bool ok = i == count || sl_fail(err, SL_FORMAT, "%s: the key \"%s\" stands there twice", name,
                                    sl_show_name(keys[i]).text);
    free(keys);
    return ok;
}

/* Every object below node has different keys. The depth is limited by scan(). */
static bool check_all_keys(const char *name, const cJSON *node, SlError *err)
{
    if (cJSON_IsObject(node) && !check_keys(name, node, err))
        return false;
    for (const cJSON *c = node->child; c; c = c->next)
        if (c->child && !check_all_keys(name, c, err))
            return false;
    return true;
}

/* text[length] is 0; text is changed. */
static cJSON *parse_text(const char *name, char *text, size_t length, SlError *err)
{
    const char *end = text + length, *at = NULL;
    if (length == 0) {
        sl_fail(err, SL_FORMAT, "%s: the file is empty (0 bytes), expected JSON", name);
        return NULL;
    }
    if (!sl_utf8_valid(text, length)) {
        SlFileKind kind = sl_file_kind(text, length < SL_FILE_HEAD ? length : SL_FILE_HEAD);
        const char *what = sl_file_kind_sentence(kind);
        sl_fail(err, SL_FORMAT, "%s: not JSON text in UTF-8%s%s", name, what ? ": " : "",
                what ? what : "");
        return NULL;
    }
    if (!scan(name, text, end, err))
        return NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text, length + 1, &at, false);
    while (root && at < end && strchr(" \t\r\n", *at))
        at++;
    if (!root || at != end) {
        SlFileKind kind = sl_file_kind(text, length < SL_FILE_HEAD ? length : SL_FILE_HEAD);
        if (kind == SL_FILE_LFS || kind == SL_FILE_HTML)
            sl_fail(err, SL_FORMAT, "%s: %s", name, sl_file_kind_sentence(kind));
        else
            fail_at(name, text, at && at < end ? at : end,
                    root ? "more text after the end of the JSON value" : "this is not valid JSON",
                    err);
    } else if (!cJSON_IsObject(root)) {
        sl_fail(err, SL_FORMAT, "%s: expected a JSON object ({...}) as the whole file", name);
    } else if (check_all_keys(name, root, err)) {
        return root;
    }
    cJSON_Delete(root);
    return NULL;
}

SlJson *sl_json_parse(const char *name, const char *text, size_t length, SlError *err)
{
    SlShown shown = sl_show_path(name);
    if (length > MAX_BYTES) {
        sl_fail(err, SL_FORMAT, "%s: the file has %zu bytes; at most 16 MiB are read", shown.text,
                length);
        return NULL;
    }
    SlJson *json = calloc(1, sizeof *json);
    char *copy = malloc(length + 1); /* cJSON is only safe on text that ends in 0 */
    if (json)
        json->name = strdup(shown.text);
    if (json && json->name && copy) {
        memcpy(copy, text, length);
        copy[length] = 0;
        json->root = parse_text(json->name, copy, length, err);
    } else {
        sl_fail(err, SL_MEMORY, "%s: out of memory", shown.text);
    }
    free(copy);
    if (json && json->root)
        return json;
    sl_json_close(json);
    return NULL;
}

SlJson *sl_json_open(const char *path, SlError *err)
{
    uint64_t size;
    SlJson *json = NULL;
    int fd = sl_file_open(path, &size, err);
    if (fd < 0)
        return NULL;
    char *text = size <= MAX_BYTES ? malloc((size_t)size + 1) : NULL;
    if (size > MAX_BYTES)
        sl_fail(err, SL_FORMAT, "%s: the file has %llu bytes; at most 16 MiB are read",
                sl_show_path(path).text, (unsigned long long)size);
    else if (!text)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
    else if (sl_file_read(fd, path, text, size, 0, err))
        json = sl_json_parse(path, text, (size_t)size, err);
    free(text);
    close(fd);
    return json;
}

void sl_json_close(SlJson *json)
{
    if (!json)
        return;
    cJSON_Delete(json->root);
    free(json->name);
    free(json);
}

const char *sl_json_name(const SlJson *json)
{
    return json->name;
}

struct cJSON *sl_json_root(const SlJson *json)
{
    return json->root;
}

/* ---- getters ---- */

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
        snprintf(shown.text, sizeof shown.text, "%.17g", item->valuedouble);
    } else {
        snprintf(shown.text, sizeof shown.text, "%s",
                 cJSON_IsArray(item)    ? "a list"
                 : cJSON_IsObject(item) ? "an object"
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
    char text[300];
    va_list args;
    if (!err || err->code != SL_OK)
        return;
    va_start(args, expected);
    vsnprintf(text, sizeof text, expected, args);
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
    complain(json, key, item, err, "a whole number from %lld to %lld", (long long)min,
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
    complain(json, key, item, err, "a number from %g to %g", min, max);
    return fallback;
}

bool sl_json_bool(const SlJson *json, const char *key, bool fallback, SlError *err)
{
    const cJSON *item = get(json, key);
    if (!item)
        return fallback;
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item);
    complain(json, key, item, err, "true or false");
    return fallback;
}

const char *sl_json_string(const SlJson *json, const char *key, const char *fallback, SlError *err)
{
    const cJSON *item = get(json, key);
    if (!item)
        return fallback;
    if (cJSON_IsString(item))
        return item->valuestring;
    complain(json, key, item, err, "a text in quotation marks");
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
    complain(json, key, item, err, "%s%s", choices[1] ? "one of " : "", list);
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
            complain(l->json, l->key, item, l->err, "%s or a list of them", l->expected);
        return count < l->spread ? 0 : count;
    }
    if (!cJSON_IsArray(item)) {
        complain(l->json, l->key, item, l->err, "a list, each %s", l->expected);
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
    char expected[100];
    IntRange range = {min, max};
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)min,
             (long long)max);
    List l = {json, key, max_count, spread, expected, err};
    return read_list(&l, store_int, &range, out);
}

int sl_json_strings(const SlJson *json, const char *key, const char **out, int max_count,
                    SlError *err)
{
    List l = {json, key, max_count, 0, "a text in quotation marks", err};
    return read_list(&l, store_string, NULL, out);
}

int sl_json_bools(const SlJson *json, const char *key, bool *out, int max_count, int spread,
                  SlError *err)
{
    List l = {json, key, max_count, spread, "true or false", err};
    return read_list(&l, store_bool, NULL, out);
}

int sl_json_doubles(const SlJson *json, const char *key, double *out, int max_count, SlError *err)
{
    List l = {json, key, max_count, 0, "a number", err};
    return read_list(&l, store_double, NULL, out);
}
