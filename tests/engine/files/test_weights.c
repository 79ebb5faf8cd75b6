/* test_weights.c - reading tensors of each type, shards, variants, folders without weights, and
 * files that change while they are read. */
#include "tests/engine/files/util.h"
#include "tests/readdir.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- values ---- */

static bool reads(const SlWeightSource *w, const char *name, const float *want, size_t n)
{
    float got[16];
    SlError err = {0};
    const SlTensorInfo *info = sl_weights_find(w, name);
    if (!info || !sl_weights_read_f32(w, info, got, &err)) {
        sl_test_note("%s: %s", name, info ? err.message : "not found");
        return false;
    }
    return !memcmp(got, want, n * sizeof *want);
}

static void test_values(void)
{
    static const char header[] =
        "{\"bf16\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]},"
        "\"f16\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[6,14]},"
        "\"f32\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[14,22]},"
        "\"i64\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[22,30]},"
        "\"__metadata__\":{\"format\":\"pt\"}}";
    static const uint16_t bf16[] = {0x3f80, 0xc040, 0x0001};        /* 1, -3, smallest denormal */
    static const uint16_t f16[] = {0x3c00, 0x7bff, 0x8001, 0x3555}; /* 1, 65504, -2^-24, ~1/3 */
    static const float f32[] = {3.4028235e38f, -1.4e-45f};
    static const float want_bf16[] = {1, -3, 0x1p-133f};
    static const float want_f16[] = {1, 65504, -0x1p-24f, 0.33325195f};
    unsigned char data[30] = {0};
    const char *path = test_file("values.safetensors");
    SlError err = {0};
    memcpy(data, bf16, 6);
    memcpy(data + 6, f16, 8);
    memcpy(data + 14, f32, 8);
    test_write_safetensors(path, header, strlen(header), data, sizeof data);
    SlWeightSource *w = sl_weights_open_file(path, &err);
    if (!sl_test(w != NULL, "a file with four types is opened"))
        return;
    sl_test(sl_weights_count(w) == 4 && sl_weights_files(w) == 1 &&
                !strcmp(sl_weights_file(w, 0), path),
            "four tensors, one file");
    sl_test(reads(w, "bf16", want_bf16, 3), "BF16 values");
    sl_test(reads(w, "f16", want_f16, 4), "F16 values, at an offset that is not aligned");
    sl_test(reads(w, "f32", f32, 2), "F32 values, at an offset that is not aligned");
    const SlTensorInfo *info = sl_weights_find(w, "i64");
    float one;
    bool read = info && sl_weights_read_f32(w, info, &one, &err);
    test_refused("I64 where a float is needed", info && !read, &err, SL_UNSUPPORTED,
                 (const char *const[]){"values.safetensors", "\"i64\"", "I64", "F32", NULL});
    sl_test(info && !info->known && !strcmp(info->dtype_name, "I64"), "I64 is listed");
    sl_test(!sl_weights_find(w, "f64") && !sl_weights_find(w, ""),
            "what is not there is not found");
    sl_weights_close(w);
}

/* Every type of file as every type of host memory, by all threads, over several pieces. */
static bool reads_as(SlDevice *dev, SlDtype stored, SlDtype wanted)
{
    enum { COUNT = 600001 };
    static const char *const names[] = {[SL_F32] = "F32", [SL_F16] = "F16", [SL_BF16] = "BF16"};
    const char *path = test_file("types.safetensors");
    size_t bytes = COUNT * sl_dtype_size(stored);
    float *values = malloc(COUNT * sizeof *values), *back = malloc(COUNT * sizeof *back);
    char *data = malloc(bytes), header[120];
    const int64_t size = COUNT;
    SlTensor got = sl_tensor_view(calloc(COUNT, sizeof(float)), wanted, 1, &size);
    SlError err = {0};
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)(i % 251 - 125) * (i % 2 ? 0.125f : 64.0f); /* exact in all three */
    sl_convert(values, SL_F32, data, stored, COUNT);
    snprintf(header, sizeof header,
             "{\"t\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}", names[stored],
             COUNT, bytes);
    test_write_safetensors(path, header, strlen(header), data, bytes);
    SlWeightSource *w = sl_weights_open_file(path, &err);
    bool ok = w && sl_weights_read_on(dev, w, sl_weights_find(w, "t"), &got, &err);
    sl_convert(got.data, wanted, back, SL_F32, COUNT);
    ok = ok && !memcmp(back, values, COUNT * sizeof *values);
    sl_weights_close(w);
    free(got.data);
    free(data);
    free(back);
    free(values);
    return ok;
}

static void test_types(void)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 2}, &err);
    int right = 0;
    for (int stored = SL_F32; dev && stored <= SL_BF16; stored++)
        for (int wanted = SL_F32; wanted <= SL_BF16; wanted++)
            right += reads_as(dev, (SlDtype)stored, (SlDtype)wanted);
    sl_test(right == 9, "F32, F16 and BF16 are read as each other on two threads (%d of 9)", right);
    sl_device_close(&dev);
}

static void test_not_finite(void)
{
    static const struct {
        const char *dtype;
        uint32_t bits;
        int bytes;
    } bad[] = {
        {"F32", 0x7fc00000, 4}, {"F32", 0x7f800000, 4}, {"F32", 0xff800000, 4},
        {"F32", 0xffffffff, 4}, {"F16", 0x7c00, 2},     {"F16", 0xfe00, 2},
        {"BF16", 0x7f80, 2},    {"BF16", 0xffc0, 2},
    };
    const char *path = test_file("nan.safetensors");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum { COUNT = 70000 }; /* more than one piece of a converted read */
        char header[200], id[80];
        size_t bytes = (size_t)COUNT * (size_t)bad[i].bytes;
        unsigned char *data = calloc(1, bytes);
        float *out = malloc(COUNT * sizeof *out);
        SlError err = {0};
        memcpy(data + bytes - (size_t)bad[i].bytes, &bad[i].bits, (size_t)bad[i].bytes);
        snprintf(header, sizeof header,
                 "{\"unet.w\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}",
                 bad[i].dtype, COUNT, bytes);
        test_write_safetensors(path, header, strlen(header), data, bytes);
        SlWeightSource *w = sl_weights_open_file(path, &err);
        const SlTensorInfo *info = w ? sl_weights_find(w, "unet.w") : NULL;
        snprintf(id, sizeof id, "one %s of bits %x in 70,000", bad[i].dtype, bad[i].bits);
        test_refused(id, info && !sl_weights_read_f32(w, info, out, &err), &err, SL_FORMAT,
                     (const char *const[]){"nan.safetensors", "\"unet.w\"", "not a finite", NULL});
        err = (SlError){0};
        test_refused("... read as it is", info && !sl_weights_read(w, info, out, &err), &err,
                     SL_FORMAT, (const char *const[]){"nan.safetensors", "\"unet.w\"", NULL});
        sl_weights_close(w);
        free(out);
        free(data);
    }
}

static void test_truncated_while_open(void)
{
    const char *header = "{\"t\":{\"dtype\":\"F32\",\"shape\":[1024],\"data_offsets\":[0,4096]}}";
    const char *path = test_file("shrinks.safetensors");
    static float out[1024];
    for (int keep = 4095; keep >= 0; keep -= 1365) {
        char id[80];
        SlError err = {0};
        test_write_safetensors(path, header, strlen(header), NULL, 4096);
        SlWeightSource *w = sl_weights_open_file(path, &err);
        const SlTensorInfo *info = w ? sl_weights_find(w, "t") : NULL;
        bool cut = !truncate(path, (off_t)(8 + strlen(header)) + keep);
        snprintf(id, sizeof id, "cut to %d bytes between opening and reading", keep);
        test_refused(id, cut && info && !sl_weights_read(w, info, out, &err), &err, SL_IO,
                     (const char *const[]){"shrinks.safetensors", "shorter", NULL});
        sl_weights_close(w);
    }
}

static void test_replaced_while_open(void)
{
    const char *header = "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    const char *path = test_file("replaced.safetensors");
    float one = 1;
    SlError err = {0};
    test_write_safetensors(path, header, strlen(header), &one, 4);
    SlWeightSource *w = sl_weights_open_file(path, &err);
    unlink(path);
    test_write_text(path, "something else");
    sl_test(w && reads(w, "t", &one, 1), "a replaced file is read as it was");
    sl_weights_close(w);
}

/* ---- folders ---- */

#define ONE_TENSOR(name) "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
#define TWO_TENSORS(a, b)                                                  \
    "{\"" a "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}," \
    "\"" b "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}"

/* Each folder of a case is new. */
static const char *new_folder(void)
{
    static int number;
    static char path[600];
    char name[40];
    snprintf(name, sizeof name, "component%d", ++number);
    snprintf(path, sizeof path, "%s", test_file(name));
    mkdir(path, 0700);
    return path;
}

static void put_in(const char *folder, const char *name, const char *header, size_t data)
{
    char path[900];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (*header == '{' && data)
        test_write_safetensors(path, header, strlen(header), NULL, data);
    else
        test_write_text(path, header);
}

static void test_variants(void)
{
    static const char *const order[] = {"model.safetensors", "model.fp16.safetensors",
                                        "model.bf16.safetensors"};
    for (int first = 0; first < 3; first++) {
        const char *folder = new_folder();
        SlError err = {0};
        for (int i = first; i < 3; i++)
            put_in(folder, order[i], ONE_TENSOR("t"), 4);
        SlWeightSource *w = sl_weights_open(folder, "model", &err);
        sl_test(w && strstr(sl_weights_file(w, 0), order[first]), "%s is found", order[first]);
        sl_weights_close(w);
    }
}

static const char index_good[] =
    "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a\":\"model-1.safetensors\","
    "\"b\":\"model-1.safetensors\",\"c\":\"model-2.safetensors\"}}";

static void put_shards(const char *folder, const char *index)
{
    put_in(folder, "model-1.safetensors", TWO_TENSORS("a", "b"), 8);
    put_in(folder, "model-2.safetensors", ONE_TENSOR("c"), 4);
    put_in(folder, "model.safetensors.index.json", index, 0);
}

static void test_shards(void)
{
    static const struct {
        const char *name;
    } names[] = {{"model.safetensors.index.json"},
                 {"model.safetensors.index.fp16.json"},
                 {"model.fp16.safetensors.index.json"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *folder = new_folder();
        SlError err = {0};
        float zero = 0;
        put_in(folder, "model-1.safetensors", TWO_TENSORS("a", "b"), 8);
        put_in(folder, "model-2.safetensors", ONE_TENSOR("c"), 4);
        put_in(folder, names[i].name, index_good, 0);
        SlWeightSource *w = sl_weights_open(folder, "model", &err);
        sl_test(w && sl_weights_count(w) == 3 && sl_weights_files(w) == 2 &&
                    reads(w, "a", &zero, 1) && reads(w, "c", &zero, 1) &&
                    strstr(sl_weights_file_of(w, sl_weights_find(w, "c")), "model-2"),
                "shards by %s", names[i].name);
        sl_weights_close(w);
    }
}

static void folder_refused(const char *id, const char *folder, SlCode code, const char *file,
                           const char *says)
{
    SlError err = {0};
    SlWeightSource *w = sl_weights_open(folder, "model", &err);
    test_refused(id, !w, &err, code, (const char *const[]){file, says, NULL});
    sl_weights_close(w);
}

static void test_bad_indexes(void)
{
#define INDEX(map) "{\"weight_map\":{" map "}}"
#define AB         "\"a\":\"model-1.safetensors\",\"b\":\"model-1.safetensors\","
    static const struct {
        const char *id, *index, *says;
    } bad[] = {
        {"no weight_map", "{\"metadata\":{}}", "\"weight_map\" is missing"},
        {"an empty weight_map", "{\"weight_map\":{}}", "\"weight_map\" is not"},
        {"weight_map is a list", "{\"weight_map\":[]}", "\"weight_map\" is not"},
        {"weight_map is null", "{\"weight_map\":null}", "\"weight_map\" is not"},
        {"an absolute path", INDEX(AB "\"c\":\"/etc/passwd\""),
         "\"c\" should be in \"/etc/passwd\""},
        {"a path upwards", INDEX(AB "\"c\":\"../model-2.safetensors\""),
         "\"../model-2.safetensors\""},
        {"a path downwards", INDEX(AB "\"c\":\"sub/model-2.safetensors\""), "the bare name"},
        {"..", INDEX(AB "\"c\":\"..\""), "the bare name"},
        {"a hidden file", INDEX(AB "\"c\":\".safetensors\""), "the bare name"},
        {"an empty name", INDEX(AB "\"c\":\"\""), "the bare name"},
        {"a NUL in it", INDEX(AB "\"c\":\"model-2.safetensors\\u0000\""), "NUL"},
        {"an address", INDEX(AB "\"c\":\"https://example.org/model-2.safetensors\""),
         "the bare name"},
        {"a backslash", INDEX(AB "\"c\":\"..\\\\model-2.safetensors\""), "the bare name"},
        {"a pickle", INDEX(AB "\"c\":\"model-2.bin\""), "\"model-2.bin\""},
        {"a number", INDEX(AB "\"c\":2"), "(not a text)"},
        {"null", INDEX(AB "\"c\":null"), "(not a text)"},
        {"a list", INDEX(AB "\"c\":[\"model-2.safetensors\"]"), "(not a text)"},
        {"a tensor twice in the map", INDEX(AB "\"a\":\"model-2.safetensors\""),
         "\"a\" stands there twice"},
        {"an index cut off", "{\"weight_map\":{\"a\":\"model-1.safe", "cut off"},
        {"an empty index", "", "empty"},
        {"a web page", "<html><body>Not found</body></html>", "web page"},
        {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *folder = new_folder();
        put_shards(folder, bad[i].index);
        folder_refused(bad[i].id, folder, SL_FORMAT, "model.safetensors.index.json", bad[i].says);
    }
}

static void test_bad_shards(void)
{
    const char *folder = new_folder();
    char path[800];
    put_shards(folder, index_good);
    snprintf(path, sizeof path, "%s/model-2.safetensors", folder);
    unlink(path);
    folder_refused("a shard is missing", folder, SL_IO, "model-2.safetensors", "no such file");
    mkdir(path, 0700);
    folder_refused("a shard is a folder", folder, SL_IO, "model-2.safetensors", "a folder");
    rmdir(path);
    if (!symlink("model-1.safetensors", path))
        folder_refused("one file under two names", folder, SL_FORMAT, "model-2.safetensors",
                       "\"a\"");
    unlink(path);
    put_in(folder, "model-2.safetensors", TWO_TENSORS("c", "a"), 8);
    folder_refused("a tensor in two shards", folder, SL_FORMAT, "model-2.safetensors",
                   "\"a\" is there twice");
    put_in(folder, "model-2.safetensors", ONE_TENSOR("c"), 3);
    folder_refused("a shard is cut off", folder, SL_FORMAT, "model-2.safetensors", "it is cut off");
}

static void test_unread_folder(void)
{
    const char *folder = new_folder();
    readdir_error = EIO;
    folder_refused("a folder that fails", folder, SL_IO, folder,
                   "the folder cannot be read: Input/output error");
    readdir_error = 0;
}

/* 600 shards are more than this program keeps open. */
static void test_many_shards(void)
{
    const char *folder = new_folder();
    char *index = malloc(600 * 60), *to = index;
    if (!index)
        abort();
    to += sprintf(to, "{\"weight_map\":{");
    for (int i = 0; i < 600; i++) {
        char name[40], header[120];
        snprintf(name, sizeof name, "s%d.safetensors", i);
        snprintf(header, sizeof header,
                 "{\"t%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", i);
        put_in(folder, name, header, 1);
        to += sprintf(to, "%s\"t%d\":\"%s\"", i ? "," : "", i, name);
    }
    strcpy(to, "}}");
    put_in(folder, "model.safetensors.index.json", index, 0);
    free(index);
    folder_refused("600 shards", folder, SL_UNSUPPORTED, "s512.safetensors", "more than 512 files");
}

static void test_folders_without_weights(void)
{
    const char *folder = new_folder();
    folder_refused("an empty folder", folder, SL_IO, folder, "there is no model.safetensors");
    put_in(folder, "adapter.safetensors", ONE_TENSOR("t"), 4);
    folder_refused("another name", folder, SL_IO, folder, "found only adapter.safetensors");
    put_in(folder, "pytorch_model.bin", "\x80\x02}.", 0);
    folder_refused("only a pickle", folder, SL_UNSUPPORTED, "pytorch_model.bin",
                   "look for model.safetensors");
    put_in(folder, "model.safetensors", "\x80\x02}q\x01.", 0);
    folder_refused("a pickle under its name", folder, SL_FORMAT, "model.safetensors", "pickle");
    folder_refused("no folder", test_file("nowhere"), SL_IO, "nowhere", "no such folder");
    folder_refused("a file as folder", "/dev/null", SL_IO, "/dev/null", "no such folder");
}

int main(void)
{
    test_values();
    test_types();
    test_not_finite();
    test_truncated_while_open();
    test_replaced_while_open();
    test_variants();
    test_shards();
    test_bad_indexes();
    test_bad_shards();
    test_unread_folder();
    test_many_shards();
    test_folders_without_weights();
    return sl_test_done();
}
