/* test_metadata.c - what a picture says about itself is written whole or not at all, whichever
 * allocation fails, and nothing is written that could not be read again.
 */
#include "app/recipe/recipe.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/safelight-metadata.XXXXXX";
static int left; /* allocations of cJSON's that are given; below 0: all */

static void *give(size_t bytes)
{
    return left == 0 ? NULL : (left -= left > 0, malloc(bytes));
}

static SlMetadata *read_fixture(const char *name)
{
    char relative[128];
    SlError err = {0};
    SlMetadata *m = calloc(1, sizeof *m);
    snprintf(relative, sizeof relative, "fixtures/first-edition/%s", name);
    char *full = sl_test_path(relative);
    sl_test(m && sl_metadata_read(full, m, &err), "%s is read %s", name, err.message);
    free(full);
    return m;
}

static void test_text(const SlMetadata *m, const char *name)
{
    int refused = 0, other = 0, tried = 0;
    left = -1;
    char *whole = sl_metadata_to_json(m);
    for (bool all = false; whole && !all && tried < 5000; tried++) {
        left = tried;
        char *text = sl_metadata_to_json(m);
        all = left > 0; /* it took fewer */
        refused += text == NULL;
        other += text && strcmp(text, whole) != 0;
        free(text);
    }
    left = -1;
    sl_test(whole && other == 0 && refused > 40 && tried < 5000,
            "%s: %d allocations fail one after the other, %d texts are less than whole", name,
            refused, other);
    free(whole);
}

/* The file that was there stays. */
static void test_file(const SlMetadata *m)
{
    static const uint8_t rgb[12], other[12] = {1};
    SlError err = {0};
    SlMetadata again, bad = *m;
    int refused = 0, kept = 0;
    left = -1;
    bool there = sl_metadata_write(path, rgb, 2, 2, m, &err);
    for (int i = 0; i < 200; i += 3) {
        left = i;
        bool ok = sl_metadata_write(path, other, 2, 2, m, &err);
        left = -1;
        refused += !ok;
        kept += !ok && sl_metadata_read(path, &again, &err);
        if (!ok)
            sl_metadata_free(&again);
    }
    sl_test(there && refused > 60 && kept == refused,
            "%d writes without memory: the picture from before is still there", refused);
    bad.step = bad.steps + 1;
    sl_test(!sl_metadata_write(path, other, 2, 2, &bad, &err) && strstr(err.message, path) &&
                strstr(err.message, "\"step\""),
            "what could not be read again is not written: %s", err.message);
    sl_test(sl_metadata_read(path, &again, &err), "and the old one stays");
    sl_metadata_free(&again);
}

/* What earlier builds recorded of weights in 8 bits says what they computed in beside them. */
static void test_plain_q8(const SlMetadata *of)
{
    static const struct {
        const char *device, *description, *dtype, *means;
    } cases[] = {{"cpu", "CPU: AVX2, f32, weights in 8 bits", "q8", "q8/f32"},
                 {"cpu", "CPU: AVX-512, AMX, bf16, weights in 8 bits", "q8", "q8/bf16"},
                 {"check", "", "q8", "q8/f32"},
                 {"cuda", "", "q8", "q8/f16"},
                 {"cpu", "", "q8,text_encoder=bf16", "q8/f32,text_encoder=bf16"}};
    SlMetadata m = *of, read;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SlError err = {0};
        snprintf(m.device, sizeof m.device, "%s", cases[i].device);
        snprintf(m.device_description, sizeof m.device_description, "%s", cases[i].description);
        snprintf(m.dtype, sizeof m.dtype, "%s", cases[i].dtype);
        char *json = sl_metadata_to_json(&m);
        bool ok = json && sl_metadata_from_json("it", json, &read, &err);
        sl_test(ok && !strcmp(read.dtype, cases[i].means), "%s of %s means %s %s", cases[i].dtype,
                cases[i].device, cases[i].means, err.message);
        if (ok)
            sl_metadata_free(&read);
        free(json);
    }
}

/* Types of parts: apart from the model's in the JSON, one text here. */
static void test_types(const SlMetadata *of)
{
    static const struct {
        const char *dtype, *json;
    } cases[] = {{"f32", "\"dtype\":\"f32\",\"step\""},
                 {"q8/bf16", "\"dtype\":\"q8/bf16\",\"step\""},
                 {"q8/f16,text_encoder=f32",
                  "\"dtype\":\"q8/f16\",\"part_dtypes\":\"text_encoder=f32\",\"step\""},
                 {"bf16,vae=f32,text_encoder=f32",
                  "\"dtype\":\"bf16\",\"part_dtypes\":\"vae=f32,text_encoder=f32\",\"step\""}};
    SlMetadata m = *of, read;
    SlError err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(m.dtype, sizeof m.dtype, "%s", cases[i].dtype);
        char *json = sl_metadata_to_json(&m);
        bool ok =
            json && strstr(json, cases[i].json) && sl_metadata_from_json("it", json, &read, &err);
        sl_test(ok && !strcmp(read.dtype, cases[i].dtype) && !read.unknown, "%s, there and back %s",
                cases[i].dtype, err.message);
        if (ok)
            sl_metadata_free(&read);
        free(json);
    }
    static const char *const bad[] = {"vae", "vae=f64", "vae=f32,", "=f32", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(m.dtype, sizeof m.dtype, "bf16,vae=f32");
        char *json = sl_metadata_to_json(&m), *text = NULL, *at = strstr(json, "vae=f32\"");
        if (asprintf(&text, "%.*s%s%s", (int)(at - json), json, bad[i], at + strlen("vae=f32")) < 0)
            abort();
        err = (SlError){0};
        bool taken = sl_metadata_from_json("it", text, &read, &err);
        sl_test(!taken && strstr(err.message, "part_dtypes"), "\"%s\" is refused: %s", bad[i],
                err.message);
        sl_metadata_free(&read);
        free(json);
        free(text);
    }
}

int main(void)
{
    cJSON_Hooks hooks = {.malloc_fn = give, .free_fn = free};
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    left = -1;
    cJSON_InitHooks(&hooks);
    SlMetadata *picture = read_fixture("picture.png"),
               *branch = read_fixture("window-fast-branch.png");
    if (picture->recipe && branch->recipe) {
        test_text(picture, "a picture");
        test_text(branch, "a branch");
        test_file(picture);
        test_types(picture);
        test_plain_q8(picture);
    }
    sl_metadata_free(picture);
    sl_metadata_free(branch);
    free(picture);
    free(branch);
    unlink(path);
    return sl_test_done();
}
