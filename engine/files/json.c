/* json.c - see json.h: a file is read and checked; the getters are in json_get.c.
 *
 * Easy to get wrong: cJSON looks keys up without regard to case unless told otherwise, cuts strings
 * at \u0000, and keeps the position of an error in a global that other threads write; the scan
 * before it and its parse_end are used instead. Its numbers go through strtod with the locale's
 * decimal point put in, so a German locale reads the same values.
 */
#include "engine/files/file_kind.h"
#include "engine/files/json_private.h"
#include "engine/files/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES ((uint64_t)16 << 20)
#define MAX_DEPTH 64

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
            *why = sl_words("a control character in a string (a missing quotation mark?)");
            return NULL;
        }
        if (*p != '\\')
            continue;
        if (p[1] == 'u' && !is_character(p + 2, end)) {
            *why = sl_words("\\u without four hexadecimal digits, or the NUL character");
            return NULL;
        }
        p++;
    }
    if (p >= end) {
        *why = sl_words("the file ends inside a string: it is cut off");
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

/* A bare NaN becomes a text: a value that is no number, where one is asked for. */
static void replace_nan(char *p, const char *text)
{
    if (!strncmp(p, "NaN", 3) && p > text && strchr(" \t\r\n:,[", p[-1]))
        memcpy(p, "\"\" ", 3);
}

/* Refuses what cJSON lets pass or could not bear: NUL, control characters, deep nesting, more
 * values than are wanted. */
static bool scan(const char *name, char *text, const char *end, size_t most, SlError *err)
{
    size_t values = 1;
    int depth = 0;
    for (char *p = text; p < end; p++) {
        const char *why = NULL, *closing;
        if (*p == ',' || *p == '{' || *p == '[')
            values++;
        if (values > most)
            return sl_fail(err, SL_FORMAT, "%s: has more than %zu values", name, most);
        if (*p == '"') {
            closing = scan_string(p + 1, end, &why);
            if (!closing)
                return fail_at(name, text, p, why, err);
            p += closing - p;
        } else if (*p == 'I') {
            replace_infinity(p, text);
        } else if (*p == 'N') {
            replace_nan(p, text);
            p += *p == '"'; /* its second quotation mark begins no text */
        } else if (*p == '{' || *p == '[') {
            if (++depth > MAX_DEPTH)
                return fail_at(name, text, p, sl_words("nested more than 64 levels deep"), err);
        } else if (*p == '}' || *p == ']') {
            depth--;
        } else if (*p == 0) {
            return fail_at(name, text, p, sl_words("a NUL byte, not JSON text"), err);
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
static cJSON *parse_text(const char *name, char *text, size_t length, size_t most, SlError *err)
{
    const char *end = text + length, *at = NULL;
    if (length == 0) {
        sl_fail(err, SL_FORMAT, "%s: the file is empty (0 bytes), expected JSON", name);
        return NULL;
    }
    if (!sl_utf8_valid(text, length)) {
        SlFileKind kind = sl_file_kind(text, length < SL_FILE_HEAD ? length : SL_FILE_HEAD);
        const char *what = sl_file_kind_what(kind);
        if (what && kind != SL_FILE_JSON)
            sl_fail(err, SL_FORMAT, "%s: this is %s; expected JSON text in UTF-8", name, what);
        else
            sl_fail(err, SL_FORMAT, "%s: not JSON text in UTF-8", name);
        return NULL;
    }
    if (!scan(name, text, end, most, err))
        return NULL;
    errno = 0; /* cJSON does not say whether the text or memory was not good enough */
    cJSON *root = cJSON_ParseWithLengthOpts(text, length + 1, &at, false);
    if (!root && errno == ENOMEM) {
        sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
        return NULL;
    }
    while (root && at < end && strchr(" \t\r\n", *at))
        at++;
    if (!root || at != end) {
        SlFileKind kind = sl_file_kind(text, length < SL_FILE_HEAD ? length : SL_FILE_HEAD);
        if (kind == SL_FILE_LFS || kind == SL_FILE_HTML)
            sl_file_unless_known(name, kind, SL_WANT_MODEL, err);
        else
            fail_at(name, text, at && at < end ? at : end,
                    root ? sl_words("more text after the end of the JSON value")
                         : sl_words("this is not valid JSON"),
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
    return sl_json_parse_bounded(name, text, length, SIZE_MAX, err);
}

SlJson *sl_json_parse_bounded(const char *name, const char *text, size_t length, size_t most,
                              SlError *err)
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
        json->root = parse_text(json->name, copy, length, most, err);
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
