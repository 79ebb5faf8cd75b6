/* test_text.c - numbers, encodings, atomic files, recipes as JSON. */
#include "app/files/atomic_file.h"
#include "app/image/png.h"
#include "app/recipe/recipe_text.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_numbers(void)
{
    static const char *const bad_doubles[] = {"",      " 1",  "1 ",    "+1", "nan", "inf", "0x10",
                                              "1e999", "1,5", "1.5.5", "e5", "-",   "7.5a"};
    static const char *const bad_ints[] = {"",
                                           "-",
                                           "+5",
                                           " 5",
                                           "5 ",
                                           "5.0",
                                           "1e3",
                                           "0x5",
                                           "9223372036854775808",
                                           "99999999999999999999"};
    static const double doubles[] = {0, 7.5, 0.1, 1e-5, -3, 1e300, 0.30000000000000004, 5e-324};
    double d;
    int64_t i;
    uint64_t u;
    for (size_t k = 0; k < sizeof bad_doubles / sizeof *bad_doubles; k++)
        sl_test(!sl_parse_double(bad_doubles[k], &d), "\"%s\" is no number", bad_doubles[k]);
    for (size_t k = 0; k < sizeof bad_ints / sizeof *bad_ints; k++)
        sl_test(!sl_parse_int(bad_ints[k], INT64_MIN, INT64_MAX, &i), "\"%s\" is no whole number",
                bad_ints[k]);
    for (size_t k = 0; k < sizeof doubles / sizeof *doubles; k++) {
        char text[32];
        sl_format_double(doubles[k], text);
        sl_test(sl_parse_double(text, &d) && d == doubles[k], "%s reads back exactly", text);
    }
    sl_test(sl_parse_int("-5", -5, 5, &i) && i == -5, "the lower bound is allowed");
    sl_test(!sl_parse_int("6", -5, 5, &i), "above the upper bound is not");
    sl_test(sl_parse_u64("18446744073709551615", &u) && u == UINT64_MAX, "the largest seed");
    sl_test(!sl_parse_u64("18446744073709551616", &u), "one more overflows");
}

/* Under the setups "de" and "tr" of tests/meson.build the locale is really another one. */
static void test_locale(void)
{
    const char *wanted = getenv("SAFELIGHT_DECIMAL");
    char text[32], printed[8];
    double d;
    snprintf(printed, sizeof printed, "%.1f", 7.5);
    sl_test(!wanted || (printed[1] == *wanted && printed[3] == '\0'), "the C library prints %s",
            printed);
    sl_format_double(7.5, text);
    sl_test(strcmp(text, "7.5") == 0 && sl_parse_double("7.5", &d) && d == 7.5, "7.5 has a point");
    SlText sheet = {0};
    SlError err;
    sl_text_addf(&sheet, "guidance %g", 7.5);
    sl_fail(&err, SL_ARGUMENT, "guidance is %g", 7.5);
    sl_test(sheet.data && !strcmp(sheet.data, "guidance 7.5") &&
                !strcmp(err.message, "guidance is 7.5"),
            "so it has on sheets and in sentences");
    sl_text_free(&sheet);
}

static void test_encodings(void)
{
    char *text = sl_latin1_to_utf8("caf\xE9", 4);
    sl_test(text && strcmp(text, "caf\xC3\xA9") == 0, "Latin-1 becomes UTF-8");
    free(text);
    sl_test(sl_same_letters(".SAFELIGHT", ".safelight") && !sl_same_letters("a", "ab") &&
                !sl_same_letters("ab", "a") && !sl_same_letters("\xC3\x84", "\xC3\xA4"),
            "I is the capital of i, and only A to Z have a case");
    sl_test(sl_is_ascii("plain") && !sl_is_ascii("caf\xC3\xA9"), "ASCII or not");
}

static bool file_is(const char *path, const char *expected)
{
    size_t bytes;
    SlError err;
    uint8_t *data = sl_read_file(path, 1 << 20, &bytes, &err);
    bool same = data && bytes == strlen(expected) && memcmp(data, expected, bytes) == 0;
    free(data);
    return same;
}

static int files_in(const char *folder)
{
    char command[4200];
    int count = -1;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *pipe = popen(command, "r");
    if (pipe && fscanf(pipe, "%d", &count) != 1)
        count = -1;
    if (pipe)
        pclose(pipe);
    return count;
}

static void test_written_out(void)
{
    SlText text = {0};
    sl_text_add_html(&text, "a<b> & \"c\" 'd'\n\x01ö\x7f");
    sl_test(strcmp(text.data,
                   "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\n\xEF\xBF\xBDö\xEF\xBF\xBD") == 0,
            "as HTML: %s", text.data);
    sl_text_free(&text);
    static const char *const in[] = {"", "f", "fo", "foo", "foobar"};
    static const char *const out[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"};
    for (int i = 0; i < 5; i++) {
        sl_text_add_base64(&text, in[i], strlen(in[i]));
        sl_test(strcmp(text.data ? text.data : "", out[i]) == 0, "base64 of \"%s\"", in[i]);
        sl_text_free(&text);
    }
}

static void test_atomic(const char *folder)
{
    char path[4096], link_path[4096];
    SlError err = {0};
    struct stat st;
    snprintf(path, sizeof path, "%s/a file.txt", folder);
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    sl_test(sl_write_file(path, "one", 3, &err) && file_is(path, "one"), "a new file");
    chmod(path, 0640);
    sl_test(sl_write_file(path, "two!", 4, &err) && file_is(path, "two!"), "a replaced file");
    sl_test(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640, "its permissions are kept");
    SlAtomicFile *file = sl_atomic_open(path, &err);
    sl_atomic_write(file, "half", 4);
    sl_atomic_abandon(file);
    sl_test(file_is(path, "two!") && files_in(folder) == 1, "an abandoned write leaves no trace");
    sl_test(symlink("a file.txt", link_path) == 0 && sl_write_file(link_path, "three", 5, &err) &&
                file_is(path, "three") && lstat(link_path, &st) == 0 && S_ISLNK(st.st_mode),
            "a link is followed");
    unlink(link_path);
    sl_test(!sl_write_file(folder, "x", 1, &err) && strstr(err.message, "folder"),
            "a folder is refused: %s", err.message);
    sl_test(!sl_write_file("/dev/full", "x", 1, &err) && strstr(err.message, "device"),
            "a device is refused: %s", err.message);
    sl_test(!sl_write_file("/nowhere/at/all.png", "x", 1, &err) &&
                strstr(err.message, "/nowhere/at/all.png"),
            "a missing folder: %s", err.message);
    unlink(path);
}

/* A file system of one page run full; needs root or user namespaces, else it is skipped. */
static void test_full_disk(const char *folder)
{
    char command[9000];
    const char *self = getenv("SAFELIGHT_TEST_SELF");
    snprintf(command, sizeof command,
             "unshare -rm sh -c \"mount -t tmpfs -o size=64k none '%s' && '%s' --full-disk '%s'\""
             " 2>/dev/null",
             folder, self ? self : "/proc/self/exe", folder);
    int status = self ? system(command) : -1;
    if (status == -1 || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 9))
        printf("ok %d - a full disk # SKIP no private mounts here\n", ++sl_test_count_);
    else
        sl_test(WEXITSTATUS(status) == 0, "a full disk keeps the old file and leaves nothing else");
}

/* The part that runs inside the small file system: 0 good, 9 bad. */
static int inside_full_disk(const char *folder)
{
    char path[4096];
    char *big = calloc(1, 1 << 20);
    SlError err = {0};
    snprintf(path, sizeof path, "%s/keep", folder);
    bool ok = sl_write_file(path, "old", 3, &err) && !sl_write_file(path, big, 1 << 20, &err) &&
              strstr(err.message, "No space left") && file_is(path, "old") && files_in(folder) == 1;
    free(big);
    return ok ? 0 : 9;
}

static void test_recipes(void)
{
    SlRecipe recipe = {.prompt = "a \"red\" house\n\xF0\x9F\x8F\xA0",
                       .negative_prompt = "blurry",
                       .scheduler = "euler-a",
                       .sigmas = SL_SIGMAS_KARRAS,
                       .spacing = SL_SPACING_TRAILING,
                       .variance = SL_VARIANCE_SMALL_LOG,
                       .eta = 0.25,
                       .steps = 31,
                       .guidance = 6.7,
                       .seed = UINT64_MAX,
                       .noise = SL_NOISE_CUDA,
                       .noise_threads = 43008,
                       .width = 512,
                       .height = 768,
                       .clip_skip = 1};
    SlRecipe *copy = sl_recipe_copy(&recipe), back = {0};
    sl_test(copy && sl_recipe_equal(copy, &recipe) && copy->prompt != recipe.prompt, "a copy");
    cJSON *json = sl_recipe_to_json(&recipe);
    SlError err = {0};
    SlText unknown = {0};
    sl_test(sl_recipe_from_json(json, &back, &unknown, &err) && sl_recipe_equal(&back, &recipe) &&
                unknown.length == 0,
            "every setting survives JSON");
    copy->variance = SL_VARIANCE_MODEL;
    cJSON *plain = sl_recipe_to_json(copy);
    sl_test(!cJSON_HasObjectItem(plain, "variance") && cJSON_HasObjectItem(json, "variance"),
            "a variance is said only where it is chosen: ids of older files stay");
    cJSON_Delete(plain);
    copy->variance = recipe.variance;
    cJSON_AddStringToObject(json, "colour", "red");
    sl_test(sl_recipe_from_json(json, &back, &unknown, &err) && strcmp(unknown.data, "colour") == 0,
            "an unknown member is listed");
    sl_text_free(&unknown);
    cJSON_ReplaceItemInObject(json, "sigmas", cJSON_CreateString("square"));
    sl_test(!sl_recipe_from_json(json, &back, NULL, &err) && strstr(err.message, "karras"),
            "a wrong name: %s", err.message);
    cJSON_ReplaceItemInObject(json, "sigmas", cJSON_CreateString("beta"));
    cJSON_ReplaceItemInObject(json, "steps", cJSON_CreateNumber(2.5));
    sl_test(!sl_recipe_from_json(json, &back, NULL, &err), "half a step: %s", err.message);
    cJSON_ReplaceItemInObject(json, "steps", cJSON_CreateNumber(31));
    cJSON_ReplaceItemInObject(json, "seed", cJSON_CreateNumber(1e20));
    sl_test(!sl_recipe_from_json(json, &back, NULL, &err), "too large a seed: %s", err.message);
    cJSON_Delete(json);
    copy->steps = 20;
    copy->sigmas = SL_SIGMAS_MODEL;
    char *diff = sl_recipe_diff(&recipe, copy);
    sl_test(diff && strcmp(diff, "sigmas: karras, model\nsteps: 31, 20") == 0, "the difference");
    free(diff);
    free(copy);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/safelight-text.XXXXXX";
    if (argc == 3 && strcmp(argv[1], "--full-disk") == 0)
        return inside_full_disk(argv[2]);
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        setenv("SAFELIGHT_TEST_SELF", self, 1);
    }
    if (!mkdtemp(folder))
        return 1;
    test_written_out();
    test_numbers();
    test_locale();
    test_encodings();
    test_atomic(folder);
    test_full_disk(folder);
    test_recipes();
    rmdir(folder);
    return sl_test_done();
}
