/* test_json.c - what is not JSON for us, and the getters' complaints. */
#include "tests/engine/files/util.h"

#include "engine/files/json.h"

#include <math.h>

/* ---- texts ---- */

static const struct {
    const char *id, *text, *says; /* says NULL: is read */
} texts[] = {
    {"an empty object", "{}", NULL},
    {"spaces around", " \r\n\t{ \"a\" : [ 1 , { } ] } \n", NULL},
    {"escapes", "{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\":1}", NULL},
    {"the same key in two objects", "{\"a\":{\"a\":1},\"b\":{\"a\":1}}", NULL},
    {"empty", "", "empty"},
    {"only spaces", "  \n ", "not valid JSON"},
    {"a list", "[1]", "expected a JSON object"},
    {"a number", "1", "expected a JSON object"},
    {"a text", "\"a\"", "expected a JSON object"},
    {"null", "null", "expected a JSON object"},
    {"cut in a key", "{\"a", "cut off"},
    {"cut after a key", "{\"a\"", "line 1, column 5"},
    {"cut after a colon", "{\"a\":", "not valid JSON"},
    {"cut in a number", "{\"a\":-", "not valid JSON"},
    {"cut after a value", "{\"a\":1", "not valid JSON"},
    {"cut after a comma", "{\"a\":1,", "not valid JSON"},
    {"cut in a list", "{\"a\":[1,", "not valid JSON"},
    {"trailing comma", "{\"a\":1,}", "column 9"},
    {"trailing comma in a list", "{\"a\":[1,]}", "not valid JSON"},
    {"two commas", "{\"a\":1,,\"b\":2}", "not valid JSON"},
    {"a comment", "{\"a\":1 /* x */}", "not valid JSON"},
    {"a line comment", "{\n\"a\":1 // x\n}", "line 2"},
    {"single quotes", "{'a':1}", "not valid JSON"},
    {"a bare key", "{a:1}", "not valid JSON"},
    {"NaN twice", "{\"a\":NaNNaN}", "not valid JSON"},
    {"Infinity", "{\"a\":Infinity,\"b\":[-Infinity, Infinity]}", NULL},
    {"Infinity behind a digit", "{\"a\":1Infinity}", "not valid JSON"},
    {"Infinity in a word", "{\"a\":nInfinity}", "not valid JSON"},
    {"Infinity cut off", "{\"a\":Infin", "not valid JSON"},
    {"plus Infinity", "{\"a\":+Infinity}", "not valid JSON"},
    {"True", "{\"a\":True}", "not valid JSON"},
    {"None", "{\"a\":None}", "not valid JSON"},
    {"hexadecimal", "{\"a\":0x10}", "not valid JSON"},
    {"two values", "{} {}", "more text after the end"},
    {"text after the end", "{\"a\":1} x", "more text after the end"},
    {"closed twice", "{\"a\":1}}", "more text after the end"},
    {"a key twice", "{\"a\":1,\"b\":2,\"a\":3}", "\"a\" stands there twice"},
    {"a key twice, deeper", "{\"x\":[{\"y\":{\"a\":1,\"a\":1}}]}", "\"a\" stands there twice"},
    {"a key twice, once escaped", "{\"a\":1,\"\\u0061\":1}", "\"a\" stands there twice"},
    {"a newline in a text", "{\"a\":\"x\ny\"}", "control character"},
    {"a tab in a text", "{\"a\":\"x\ty\"}", "control character"},
    {"\\u0000 in a text", "{\"a\":\"x\\u0000y\"}", "NUL"},
    {"\\u0000 in a key", "{\"a\\u0000b\":1}", "NUL"},
    {"a lone high surrogate", "{\"a\":\"\\ud800\"}", "not valid JSON"},
    {"a lone low surrogate", "{\"a\":\"\\udc00\"}", "not valid JSON"},
    {"a bad escape", "{\"a\":\"\\x\"}", "not valid JSON"},
    {"a bad \\u", "{\"a\":\"\\u12g4\"}", "four hexadecimal digits"},
    {"invalid UTF-8", "{\"a\":\"\xff\"}", "not JSON text in UTF-8"},
    {"Latin-1", "{\"a\":\"caf\xe9\"}", "not JSON text in UTF-8"},
    {"a surrogate as bytes", "{\"a\":\"\xed\xa0\x80\"}", "not JSON text in UTF-8"},
    {"a pickle", "\x80\x02}q\x01.", "pickle"},
    {"a web page", "<!doctype html><html></html>", "web page"},
    {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"},
};

static void test_texts(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        SlError err = {0};
        const char *path = test_file("config.json");
        test_write_text(path, texts[i].text);
        SlJson *json = sl_json_open(path, &err);
        if (texts[i].says)
            test_refused(texts[i].id, !json, &err, SL_FORMAT,
                         (const char *const[]){"config.json", texts[i].says, NULL});
        else if (!sl_test(json != NULL, "%s is read", texts[i].id))
            sl_test_note("%s", err.message);
        sl_json_close(json);
    }
}

static void parse_refused(const char *id, const char *text, size_t n, const char *says)
{
    SlError err = {0};
    SlJson *json = sl_json_parse("config.json", text, n, &err);
    test_refused(id, !json, &err, SL_FORMAT, (const char *const[]){"config.json", says, NULL});
    sl_json_close(json);
}

static void test_large(void)
{
    enum { LARGE = (16 << 20) + 1 };
    char *text = malloc(LARGE + 1);
    if (!text)
        abort();
    SlError err = {0};
    parse_refused("a NUL byte", "{\"a\":1}\0", 8, "NUL");
    parse_refused("UTF-16", "{\0\"\0a\0\"\0:\0001\0}\0", 14, "NUL");
    memset(text, ' ', LARGE);
    memcpy(text, "{}", 2);
    parse_refused("more than 16 MiB", text, LARGE, "at most 16 MiB");
    SlJson *json = sl_json_parse("config.json", text, LARGE - 1, &err);
    sl_test(json != NULL, "16 MiB");
    sl_json_close(json);
    for (int depth = 63; depth <= 65; depth++) {
        size_t n = 0;
        memcpy(text, "{\"a\":", 5);
        for (n = 5; n < 4 + (size_t)depth; n++)
            text[n] = '[';
        memset(text + n, ']', (size_t)depth - 1);
        n += (size_t)depth - 1;
        text[n++] = '}';
        json = sl_json_parse("config.json", text, n, &err);
        sl_test((json != NULL) == (depth <= 64), "nested %d deep", depth);
        sl_json_close(json);
    }
    memset(text, '[', 1000000);
    parse_refused("nested a million deep", text, 1000000, "64 levels");
    char *to = text;
    *to++ = '{';
    for (int i = 0; i < 500000; i++)
        to += sprintf(to, "%s\"k%d\":%d", i ? "," : "", i, i);
    *to++ = '}';
    json = sl_json_parse("config.json", text, (size_t)(to - text), &err);
    sl_test(json && sl_json_int(json, "k499999", 0, 0, 1000000, &err) == 499999, "500,000 keys");
    sl_json_close(json);
    free(text);
}

/* ---- getters ---- */

static const char config[] =
    "{\"int\":7,\"float\":0.18215,\"minus\":-1,\"huge\":1e400,\"big\":9007199254740993,\"half\":2."
    "5,"
    "\"zero\":0,\"text\":\"silu\",\"true\":true,\"null\":null,\"list\":[1,2,3],\"mixed\":[1,\"2\"],"
    "\"texts\":[\"a\",\"b\"],\"bools\":[true,false],\"object\":{},\"Int\":8,\"inf\":-Infinity,"
    "\"nan\":\"NaN\"}";

static void test_values(const SlJson *j)
{
    SlError err = {0};
    int64_t ints[4] = {0};
    double doubles[4] = {0};
    bool bools[4] = {0};
    const char *strings[4] = {0};
    static const char *const acts[] = {"gelu", "silu", NULL};
    sl_test(sl_json_int(j, "int", 1, 0, 10, &err) == 7, "a number; case matters");
    sl_test(sl_json_int(j, "absent", 5, 0, 10, &err) == 5, "an absent key gives the fallback");
    sl_test(sl_json_int(j, "null", 5, 0, 10, &err) == 5, "null gives the fallback");
    sl_test(sl_json_double(j, "float", 0, 0, 1, &err) == 0.18215, "a fraction");
    sl_test(sl_json_double(j, "inf", 0, -INFINITY, 1, &err) == -INFINITY, "an infinity in range");
    sl_test(sl_json_bool(j, "true", false, &err), "true");
    sl_test(!strcmp(sl_json_string(j, "text", "", &err), "silu"), "a text");
    sl_test(sl_json_choice(j, "text", acts, 0, &err) == 1, "a choice");
    sl_test(sl_json_choice(j, "absent", acts, 0, &err) == 0, "no choice gives the fallback");
    sl_test(sl_json_ints(j, "list", ints, 4, 0, 0, 9, &err) == 3 && ints[2] == 3, "a list");
    sl_test(sl_json_ints(j, "int", ints, 4, 4, 0, 9, &err) == 4 && ints[3] == 7,
            "one number for four");
    sl_test(sl_json_doubles(j, "list", doubles, 4, &err) == 3 && doubles[0] == 1, "doubles");
    sl_test(sl_json_bools(j, "true", bools, 4, 2, &err) == 2 && bools[1], "one bool for two");
    sl_test(sl_json_bools(j, "bools", bools, 4, 0, &err) == 2 && !bools[1], "bools");
    sl_test(sl_json_strings(j, "texts", strings, 4, &err) == 2 && !strcmp(strings[1], "b"),
            "texts");
    sl_test(sl_json_strings(j, "absent", strings, 4, &err) == 0, "an absent list is empty");
    sl_test(sl_json_has(j, "zero") && !sl_json_has(j, "null") && !sl_json_has(j, "x"), "has");
    sl_test(err.code == SL_OK, "none of these is a complaint");
}

typedef enum Getter { INT, DOUBLE, BOOL, STRING, CHOICE, INTS, DOUBLES, BOOLS, STRINGS } Getter;

static void call(const SlJson *j, Getter getter, const char *key, SlError *err)
{
    int64_t ints[2];
    double doubles[2];
    bool bools[2];
    const char *strings[2];
    static const char *const acts[] = {"gelu", "relu", NULL};
    switch (getter) {
    case INT:
        sl_json_int(j, key, 1, 1, 100, err);
        break;
    case DOUBLE:
        sl_json_double(j, key, 1, 0, 1, err);
        break;
    case BOOL:
        sl_json_bool(j, key, false, err);
        break;
    case STRING:
        sl_json_string(j, key, "", err);
        break;
    case CHOICE:
        sl_json_choice(j, key, acts, 0, err);
        break;
    case INTS:
        sl_json_ints(j, key, ints, 2, 0, 1, 100, err);
        break;
    case DOUBLES:
        sl_json_doubles(j, key, doubles, 2, err);
        break;
    case BOOLS:
        sl_json_bools(j, key, bools, 2, 0, err);
        break;
    case STRINGS:
        sl_json_strings(j, key, strings, 2, err);
        break;
    }
}

static void test_complaints(const SlJson *j)
{
    static const struct {
        Getter getter;
        const char *key, *found, *expected;
    } bad[] = {
        {INT, "text", "\"silu\"", "a whole number from 1 to 100"},
        {INT, "minus", "-1", "a whole number from 1 to 100"},
        {INT, "zero", "0", "a whole number from 1 to 100"},
        {INT, "half", "2.5", "a whole number"},
        {INT, "huge", "inf", "a whole number"},
        {INT, "big", "9007199254740992", "a whole number"},
        {INT, "true", "true", "a whole number"},
        {INT, "list", "a list", "a whole number"},
        {INT, "object", "an object", "a whole number"},
        {INT, "nan", "\"NaN\"", "a whole number"},
        {DOUBLE, "text", "\"silu\"", "a number from 0 to 1"},
        {DOUBLE, "huge", "inf", "a number from 0 to 1"},
        {DOUBLE, "inf", "-inf", "a number from 0 to 1"},
        {INT, "inf", "-inf", "a whole number"},
        {DOUBLE, "half", "2.5", "a number from 0 to 1"},
        {DOUBLE, "nan", "\"NaN\"", "a number from 0 to 1"},
        {BOOL, "int", "7", "true or false"},
        {BOOL, "text", "\"silu\"", "true or false"},
        {STRING, "int", "7", "a text"},
        {STRING, "true", "true", "a text"},
        {CHOICE, "text", "\"silu\"", "one of \"gelu\", \"relu\""},
        {CHOICE, "int", "7", "one of \"gelu\", \"relu\""},
        {INTS, "list", "3 elements", "at most 2"},
        {INTS, "mixed", "\"2\" as element 1", "a whole number"},
        {INTS, "int", "7", "a list"},
        {INTS, "object", "an object", "a list"},
        {DOUBLES, "texts", "\"a\" as element 0", "a number"},
        {BOOLS, "list", "1 as element 0", "true or false"},
        {STRINGS, "mixed", "1 as element 0", "a text"},
        {STRINGS, "text", "\"silu\"", "a list"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SlError err = {0};
        char id[80], key[40];
        call(j, bad[i].getter, bad[i].key, &err);
        snprintf(id, sizeof id, "getter %d of \"%s\"", bad[i].getter, bad[i].key);
        snprintf(key, sizeof key, "\"%s\"", bad[i].key);
        test_refused(
            id, err.code != SL_OK, &err, SL_FORMAT,
            (const char *const[]){"config.json", key, bad[i].found, bad[i].expected, NULL});
    }
    SlError err = {0};
    call(j, INT, "text", &err);
    call(j, INT, "zero", &err);
    sl_test(strstr(err.message, "\"text\""), "the first complaint stays");
    sl_test(sl_json_int(j, "text", 3, 1, 100, NULL) == 3 &&
                sl_json_double(j, "text", 0.5, 0, 1, NULL) == 0.5 &&
                sl_json_bool(j, "text", true, NULL) &&
                !strcmp(sl_json_string(j, "int", "none", NULL), "none"),
            "what is wrong gives the fallback, also where nobody wants the complaint");
}

static void test_getters(void)
{
    SlError err = {0};
    SlJson *j = sl_json_parse("config.json", config, strlen(config), &err);
    if (!sl_test(j != NULL, "the configuration is read"))
        return;
    test_values(j);
    test_complaints(j);
    sl_json_close(j);
}

int main(void)
{
    test_texts();
    test_large();
    test_getters();
    return sl_test_done();
}
