/* test_template.c - templates of prompts: every prompt that the dynamicprompts library makes of them
 * (goldens/prompt/make_dynamic.py), the same draws for the same seed, and what is wrong with a text, in a sentence. */
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "tests/readdir.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/safelight-template-XXXXXX";
static const char *const folders[] = {"/nowhere", folder, NULL};

static void write_file(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "wb");
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

static cJSON *read_json(void)
{
    SlError err = {0};
    size_t bytes;
    char *path = sl_test_path("goldens/prompt/dynamic.json");
    uint8_t *data = sl_read_file(path, 1 << 20, &bytes, &err);
    cJSON *json = data ? cJSON_ParseWithLength((char *)data, bytes) : NULL;
    free(data);
    free(path);
    return json;
}

/* Runs of blanks are one, none at the ends. */
static void squeeze(char *text)
{
    char *to = text;
    for (char *p = text; *p; p++) {
        bool blank = *p == ' ' || *p == '\n';
        if (!blank)
            *to++ = *p;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    while (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

static bool is_among(const cJSON *list, const char *text)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list) if (!strcmp(one->valuestring, text)) return true;
    return false;
}

/* All of a template are those of the list, and each of the list is one of them; so are 40 draws. */
static void check_case(const cJSON *one)
{
    const char *text = cJSON_GetArrayItem(one, 0)->valuestring;
    const cJSON *want = cJSON_GetArrayItem(one, 1);
    cJSON *found = cJSON_CreateArray();
    SlError err = {0};
    int count = 0, wrong = 0, drawn = 0;
    SlTemplate *t = sl_template_read(text, folders, &err), *none = sl_template_read("", NULL, &err);
    SlTemplatePair *pairs = t && none ? sl_template_all(t, none, &count, &err) : NULL;
    for (int i = 0; i < count; i++) {
        squeeze(pairs[i].prompt);
        wrong += !is_among(want, pairs[i].prompt);
        if (!is_among(found, pairs[i].prompt))
            cJSON_AddItemToArray(found, cJSON_CreateString(pairs[i].prompt));
    }
    for (uint64_t seed = 0; t && seed < 40; seed++) {
        char *draw = sl_template_draw(t, seed, 0, &err);
        if (draw)
            squeeze(draw);
        drawn += draw && is_among(want, draw);
        free(draw);
    }
    sl_test(pairs && !wrong && drawn == 40 && cJSON_GetArraySize(found) == cJSON_GetArraySize(want),
            "\"%s\": %d prompts, %d expected, %d wrong, %d of 40 draws %s", text,
            cJSON_GetArraySize(found), cJSON_GetArraySize(want), wrong, drawn, err.message);
    sl_template_pairs_free(pairs, count);
    sl_template_free(t);
    sl_template_free(none);
    cJSON_Delete(found);
}

/* What is made of it, all of them joined by " / "; or why not. */
static void check(const char *text, const char *want)
{
    SlError err = {0};
    int count = 0;
    SlText got = {0};
    SlTemplate *t = sl_template_read(text, folders, &err), *none = sl_template_read("", NULL, &err);
    SlTemplatePair *pairs = t ? sl_template_all(t, none, &count, &err) : NULL;
    for (int i = 0; i < count; i++)
        sl_text_addf(&got, "%s%s", i ? " / " : "", pairs[i].prompt);
    if (!pairs)
        sl_text_add(&got, err.message);
    sl_test(got.data ? strstr(got.data, want) != NULL && (!pairs || !strcmp(got.data, want))
                     : !*want,
            "%.60s: %s", text, got.data ? got.data : "");
    sl_text_free(&got);
    sl_template_pairs_free(pairs, count);
    sl_template_free(t);
    sl_template_free(none);
}

static void test_signs(void)
{
    check("\\{a\\|b\\} \\#1 \\(c\\) \\__x__ {d\\|e|f}",
          "{a|b} #1 \\(c\\) __x__ d|e / {a|b} #1 \\(c\\) __x__ f");
    check("a_b __ c__", "a_b __ c__");
    check("{a|b} {1|2}", "a 1 / a 2 / b 1 / b 2");
    check("{2$$a|b|c}", "a,b / a,c / b,a / b,c / c,a / c,b");
    check("__weighted__", "oak / elm");
    check("__animals/*__ x", "tabby x / siamese kitten x / siamese cat x");
    sl_test(!sl_template_has_choices("a (cat:1.2), [x|y] \\{a\\} snake_case __ init") &&
                sl_template_has_choices("a {b|c}") && sl_template_has_choices("__a__") &&
                !sl_template_has_choices(NULL),
            "texts with choices are known");
}

static void test_faults(void)
{
    char deep[400] = "";
    check("a {b|c", "a brace that is not closed: \"{b|c\"");
    check("__missing__",
          "no wildcard file for __missing__; missing.txt was looked for in /nowhere, /tmp/");
    check("__*missing*__", "no wildcard file");
    readdir_error = EIO;
    readdir_entries = 4;
    check("__*__", "The folder of wildcards /tmp/");
    readdir_entries = 4;
    check("__**__", "could not be read: Input/output error");
    readdir_entries = 4;
    check("__weighted__", "oak / elm");
    readdir_error = 0;
    check("__self__", "self.txt names __self__, which is being read");
    check("__two__", "one.txt names __two__, which is being read");
    check("__empty__", "empty.txt has no lines");
    check("__latin__", "latin.txt is not UTF-8");
    check("__../x__", "leads out of the folder");
    check("__/etc/passwd__", "leads out of the folder");
    check("__broken__", "broken.txt has a brace that is not closed");
    check("${x=a}", "not known here");
    check("{@a|b}", "not known here");
    check("{3-2$$a|b}", "picks 3 to 2");
    check("{999$$a|b}", "expected two numbers up to 100");
    check("{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}", "1024 prompts; at most 1000");
    memset(deep, '{', 300);
    check(deep, "nested deeper than 60");
    check("__a*a*a*a*a*a*a*a*a*__", "more than 8 stars");
    check("\xff", "not valid UTF-8");
}

/* Texts that would take for ever. */
static void test_hostile(void)
{
    SlError err = {0};
    for (int i = 0; i < 50; i++) {
        char name[32], text[80];
        snprintf(name, sizeof name, "bomb%d.txt", i);
        snprintf(text, sizeof text, i < 49 ? "__bomb%d____bomb%d__" : "{|}", i + 1, i + 1);
        write_file(name, text);
    }
    SlTemplate *t = sl_template_read("__bomb0__", folders, &err);
    char *draw = t ? sl_template_draw(t, 1, 0, &err) : NULL;
    sl_test(t && (draw || strstr(err.message, "parts")), "a bomb ends: %s", err.message);
    free(draw);
    sl_template_free(t);
    SlText many = {0};
    for (int i = 0; i < 1001; i++)
        sl_text_addf(&many, "%c%d", i ? '|' : '{', i);
    sl_text_add(&many, "}");
    err = (SlError){0};
    sl_test(!sl_template_read(many.data, NULL, &err) && strstr(err.message, "wildcard file"), "%s",
            err.message);
    sl_text_free(&many);
}

static void test_draws(void)
{
    SlError err = {0};
    SlTemplate *t = sl_template_read("{3::a|b} {2$$x|y|z} __colour__", folders, &err);
    int first = 0, same = 0, streams = 0;
    for (uint64_t seed = 0; t && seed < 400; seed++) {
        char *one = sl_template_draw(t, seed, 0, &err), *two = sl_template_draw(t, seed, 0, &err);
        char *other = sl_template_draw(t, seed, 1, &err);
        first += one && one[0] == 'a';
        same += one && two && !strcmp(one, two);
        streams += one && other && strcmp(one, other);
        free(one);
        free(two);
        free(other);
    }
    sl_test(same == 400 && streams > 300, "a seed gives the same prompt: %d, another stream %d",
            same, streams);
    sl_test(first > 270 && first < 330, "weights count: %d of 400 draws, 300 expected", first);
    char *known = t ? sl_template_draw(t, 1234, 0, &err) : NULL;
    sl_test(known && !strcmp(known, "a y,x red"), "on every machine: %s",
            known ? known : err.message);
    free(known);
    sl_template_free(t);
}

static void remove_all(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    if (system(command) != 0)
        sl_test_note("%s stays", folder);
}

int main(void)
{
    cJSON *json = read_json();
    const cJSON *one;
    int cases = 0;
    if (!sl_test(json && mkdtemp(folder), "goldens and a folder"))
        return sl_test_done();
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(json, "files"))
        write_file(one->string, one->valuestring);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(json, "cases"))
    {
        check_case(one);
        cases++;
    }
    sl_test(cases >= 30, "%d cases", cases);
    write_file("weighted.txt", "0.5::oak\r\nelm\r\n");
    write_file("self.txt", "a __self__\n");
    write_file("one.txt", "{a|__two__}\n");
    write_file("two.txt", "__one__\n");
    write_file("empty.txt", "# nothing\n\n");
    write_file("latin.txt", "caf\xe9\n");
    write_file("broken.txt", "{a|b\n");
    test_signs();
    test_faults();
    test_hostile();
    test_draws();
    remove_all();
    cJSON_Delete(json);
    return sl_test_done();
}
