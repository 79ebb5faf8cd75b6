/* test_info.c - `safelight info` of every kind of file, in words and as JSON, and of hostile ones
 * within the memory that docs/formats.md allows for facts.
 */
#include "app/files/files.h"
#include "program.h"

#include <cjson/cJSON.h>
#include <sys/resource.h>

static char *fixture(const char *name)
{
    char relative[128];
    snprintf(relative, sizeof relative, "fixtures/first-edition/%s", name);
    return sl_test_path(relative);
}

static const struct {
    const char *name, *kind;
    int lanes; /* 0: a picture by itself */
    const char *says[3];
} files[] = {
    {"picture.png", "picture", 0, {"negative_prompt   fog", "model             starter"}},
    {"sheet.png",
     "sheet",
     3,
     {"sheet             496 x 594", "lane              3 of 3", "a lake"}},
    {"lanes.webp",
     "animation",
     3,
     {"animation         496 x 594, 2 pictures, 2.9 s", "lined up by       sigma",
      "lane              2 of 3"}},
    {"film.webp",
     "animation",
     1,
     {"animation         32 x 32, 3 pictures, 2.7 s", "scheduler         heun"}},
    {"lanes.safelight",
     "comparison",
     3,
     {"comparison        3 lanes", "lane              1 of 3, the one that others",
      "moments           4"}},
    {"window-lanes.safelight",
     "comparison",
     7,
     {"moments           12, 4 of them before it branched", "model             sd1",
      "scheduler         unipc"}},
};

/* The settings of each lane are there. */
static bool is_good_json(const char *text, const char *kind, int lanes)
{
    cJSON *root = cJSON_Parse(text), *lane;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "lanes");
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "kind"));
    bool ok = said && strcmp(said, kind) == 0 && cJSON_GetArraySize(list) == lanes;
    cJSON_ArrayForEach(lane, list)
    {
        const cJSON *ours = cJSON_GetObjectItemCaseSensitive(lane, "safelight");
        ok = ok &&
             cJSON_HasObjectItem(cJSON_GetObjectItemCaseSensitive(ours, "recipe"), "prompt") &&
             cJSON_HasObjectItem(cJSON_GetObjectItemCaseSensitive(ours, "model"), "name");
    }
    cJSON_Delete(root);
    return ok;
}

static void test_files(void)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = fixture(files[i].name);
        Run words = RUN("info", path), json = RUN("info", "--json", path);
        bool ok = words.status == 0 && json.status == 0;
        for (int k = 0; k < 3 && files[i].says[k]; k++)
            ok = ok && strstr(words.out, files[i].says[k]);
        if (!sl_test(ok && is_good_json(json.out, files[i].kind, files[i].lanes), "info %s",
                     files[i].name))
            sl_test_note("%s%s", words.err, json.err);
        done(&words);
        done(&json);
        free(path);
    }
}

/* Of another program's picture what it says, and no zeros of what is unset. */
static void test_foreign(void)
{
    char *path = sl_test_path("fixtures/foreign/a1111-emphasis.png");
    Run run = RUN("info", path, "--json");
    cJSON *root = cJSON_Parse(run.out);
    const cJSON *recipe = cJSON_GetObjectItemCaseSensitive(root, "recipe");
    sl_test(cJSON_HasObjectItem(recipe, "prompt_mode") &&
                !cJSON_HasObjectItem(recipe, "guidance_to") &&
                !cJSON_HasObjectItem(recipe, "aesthetic_score"),
            "a picture of A1111 has the settings that it names %s", run.err);
    cJSON_Delete(root);
    done(&run);
    free(path);
}

static long peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss / 1024;
}

static void write_start(const char *name, const char *fixture_name, size_t keep, const char *find,
                        size_t at, const char *put, size_t length)
{
    char *path = fixture(fixture_name);
    size_t bytes = 0;
    SlError err = {0};
    uint8_t *data = sl_read_file(path, 1 << 24, &bytes, &err);
    uint8_t *place = data ? memmem(data, bytes, find, strlen(find)) : NULL;
    if (place)
        memcpy(place + at, put, length);
    sl_test(place && sl_write_file(file(name), data, keep && keep < bytes ? keep : bytes, &err),
            "%s is made %s", name, err.message);
    free(data);
    free(path);
}

/* A comparison whose text is two million empty lists. */
static void write_full(const char *name, size_t values)
{
    SlText text = {0};
    SlError err = {0};
    SlTensorWriter *w = sl_tensor_writer_new();
    sl_text_add(&text, "{\"version\":1,\"reference\":0,\"lanes\":[[]");
    for (size_t i = 0; i < values; i++)
        sl_text_add(&text, ",0");
    sl_text_add(&text, "]}");
    sl_tensor_writer_set_metadata(w, "safelight", text.data);
    sl_test(sl_tensor_writer_save(w, file(name), &err), "%s is made %s", name, err.message);
    sl_tensor_writer_free(w);
    sl_text_free(&text);
}

static void refused(const char *name, const char *word, long base)
{
    Run run = RUN("info", file(name));
    sl_test(run.status == 1 && strstr(run.err, word) && strstr(run.err, name) && !*run.out,
            "info %s: %s", name, run.err);
    sl_test(peak() <= base + 64, "within 64 MiB (%ld of %ld)", peak() - base, base);
    done(&run);
}

static void test_hostile(void)
{
    char *path = fixture("picture.png");
    Run run = RUN("info", path);
    long base = peak();
    done(&run);
    write_start("canvas.webp", "lanes.webp", 0, "VP8X", 12, "\xFF\x3F\0\xFF\x3F\0", 6);
    run = RUN("info", file("canvas.webp"));
    sl_test(run.status == 0 && strstr(run.out, "16384 x 16384") && peak() <= base + 64,
            "facts of a canvas of 16384 x 16384 (%ld MiB more)", peak() - base);
    done(&run);
    run = RUN("replay", "--verify", file("canvas.webp"));
    sl_test(run.status == 1 && strstr(run.err, "expected 496 x 594") && peak() <= base + 64,
            "replayed: %s", run.err);
    done(&run);
    write_start("cut.webp", "lanes.webp", 300, "VP8X", 0, "VP8X", 4);
    refused("cut.webp", "not a whole WebP", base);
    write_start("cut.safelight", "lanes.safelight", 3000, "lane.0.x_t", 0, "lane.0", 6);
    refused("cut.safelight", "", base);
    write_start("shape.safelight", "lanes.safelight", 0, "\"shape\":[3,8,4,4]", 11, "4,8", 3);
    refused("shape.safelight", "lane.0.", base);
    write_full("full.safelight", 4000000);
    refused("full.safelight", "more than 2097152 values", base);
    free(path);
}

static void test_embeddings(void)
{
    char *pickle = sl_test_path("goldens/embeddings/sd1.pt");
    char *xl = sl_test_path("goldens/embeddings/sdxl.safetensors");
    Run words = RUN("info", pickle), json = RUN("info", "--json", pickle), both = RUN("info", xl);
    sl_test(words.status == 0 && strstr(words.out, "a pickle, read without being run") &&
                strstr(words.out, "3 vectors of 32 numbers, word <cat>") &&
                strstr(words.out, "step          499"),
            "an embedding: %s%s", words.out, words.err);
    cJSON *root = cJSON_Parse(json.out);
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "kind"));
    sl_test(kind && !strcmp(kind, "embedding") &&
                cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(root, "embeddings")) == 1,
            "and as JSON");
    sl_test(both.status == 0 && strstr(both.out, "2 vectors of 16 and 24 numbers"),
            "of two encoders");
    cJSON_Delete(root);
    done(&words);
    done(&json);
    done(&both);
    static const char evil_bytes[] =
        "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
        "\x80\x02"
        "cos\nsystem\nX\x04\0\0\0true\x85R.";
    sl_write_file(file("evil.pt"), evil_bytes, sizeof evil_bytes - 1, NULL);
    Run evil = RUN("info", file("evil.pt"));
    sl_test(evil.status == 1 && strstr(evil.err, "evil.pt") && strstr(evil.err, "\"os.system\"") &&
                strstr(evil.err, "none of it run"),
            "a pickle that would do something: %s", evil.err);
    done(&evil);
    free(pickle);
    free(xl);
}

int main(void)
{
    program_begin();
    test_files();
    test_foreign();
    test_embeddings();
    test_hostile();
    return program_end();
}
