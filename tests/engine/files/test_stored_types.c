/* test_stored_types.c - weights in types that no device computes with: 8-bit floats with and
 * without scales, doubles, and the blocks of GGUF, against what torch and the gguf package make of
 * them (tests/goldens/files); methods that are refused by name. */
#include "tests/engine/files/util.h"

#include "engine/files/weights_source.h"

#include <stdio.h>
#include <stdlib.h>

static SlWeightSource *golden(const char *name)
{
    char path[100];
    SlError err = {0};
    snprintf(path, sizeof path, "goldens/files/%s", name);
    char *full = sl_test_path(path);
    SlWeightSource *w = sl_weights_open_file(full, &err);
    free(full);
    if (!sl_test(w != NULL, "%s is opened", name))
        sl_test_note("%s", err.message);
    return w;
}

/* Every element, and every range that begins and ends anywhere. */
static bool equal(const SlWeightSource *w, const SlTensorInfo *x, const float *want)
{
    SlError err = {0};
    uint64_t n = sl_tensor_info_elements(x);
    float *got = malloc(((size_t)n + 1) * sizeof *got);
    bool same = sl_weights_read_f32(w, x, got, &err) && !memcmp(got, want, (size_t)n * sizeof *got);
    for (uint64_t i = 0; same && i + 7 < n; i += 5) {
        uint64_t count = 1 + i * 31 % (n - i);
        same = sl_source_read(w, x, i, count, SL_F32, got, &err) &&
               !memcmp(got, want + i, (size_t)count * sizeof *got);
    }
    if (!same && err.code != SL_OK)
        sl_test_note("%s", err.message);
    free(got);
    return same;
}

static void compare(const SlWeightSource *w, const char *name, const SlWeightSource *goldens,
                    const char *want_name)
{
    SlError err = {0};
    const SlTensorInfo *x = sl_weights_find(w, name), *y = sl_weights_find(goldens, want_name);
    float *want = y ? malloc((size_t)y->bytes + 4) : NULL;
    bool ok = x && y && want && sl_weights_read_f32(goldens, y, want, &err) && x->rank == y->rank &&
              !memcmp(x->size, y->size, (size_t)x->rank * sizeof *x->size) && equal(w, x, want);
    sl_test(ok, "%s is what the reference makes of it", name);
    free(want);
}

static void test_float8(void)
{
    static const char *const names[] = {"e4m3",       "e5m2",        "f64",     "old.weight",
                                        "new.weight", "rows.weight", "new.bias"};
    SlError err = {0};
    char want[40];
    SlWeightSource *w = golden("float8.safetensors");
    for (size_t i = 0; w && i < sizeof names / sizeof names[0]; i++) {
        snprintf(want, sizeof want, "want.%s", names[i]);
        compare(w, names[i], w, want);
    }
    sl_test(w && !sl_weights_find(w, "scaled_fp8") && !sl_weights_find(w, "old.scale_weight") &&
                !sl_weights_find(w, "old.scale_input") && !sl_weights_find(w, "new.comfy_quant"),
            "scales and marks are not shown");
    const SlTensorInfo *empty = w ? sl_weights_find(w, "empty") : NULL;
    float nothing;
    sl_test(empty && empty->bytes == 0 && sl_weights_read_f32(w, empty, &nothing, &err),
            "an empty tensor is read");
    sl_weights_close(w);
}

static void test_gguf(void)
{
    static const char *const names[] = {"Q8_0",   "Q4_0", "Q4_1", "Q5_0", "Q5_1",
                                        "IQ4_NL", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
                                        "Q6_K",   "F32",  "F16",  "BF16", "F64"};
    SlWeightSource *w = golden("types.gguf"), *goldens = golden("gguf.safetensors");
    SlWeightSource *shapes = golden("shapes.gguf");
    for (size_t i = 0; w && goldens && i < sizeof names / sizeof names[0]; i++)
        compare(w, names[i], goldens, names[i]);
    if (shapes && goldens)
        compare(shapes, "conv.weight", goldens, "conv.weight");
    const char *arch = shapes ? sl_weights_metadata(shapes, "general.architecture") : NULL;
    sl_test(arch && !strcmp(arch, "sd1"), "a key's text is metadata");
    sl_weights_close(shapes);
    sl_weights_close(goldens);
    sl_weights_close(w);
}

/* ---- not finite ---- */

static void refused_value(const char *dtype, int bytes, const unsigned char *value)
{
    char header[200], id[60];
    const char *path = test_file("nan.safetensors");
    SlError err = {0};
    unsigned char data[80] = {0};
    float out[10];
    memcpy(data + 9 * bytes, value, (size_t)bytes);
    snprintf(header, sizeof header,
             "{\"w\":{\"dtype\":\"%s\",\"shape\":[10],\"data_offsets\":[0,%d]}}", dtype,
             10 * bytes);
    test_write_safetensors(path, header, strlen(header), data, 10 * (size_t)bytes);
    SlWeightSource *w = sl_weights_open_file(path, &err);
    bool read = w && sl_weights_read_f32(w, sl_weights_info(w, 0), out, &err);
    snprintf(id, sizeof id, "%s of byte %02x is refused", dtype, value[bytes - 1]);
    test_refused(id, w && !read, &err, SL_FORMAT,
                 (const char *const[]){"nan.safetensors", "\"w\"", "not a finite", NULL});
    sl_weights_close(w);
}

static void test_not_finite(void)
{
    double huge = 1e300;
    unsigned char bytes[8];
    memcpy(bytes, &huge, sizeof huge);
    refused_value("F8_E4M3", 1, (const unsigned char[]){0x7f});
    refused_value("F8_E4M3", 1, (const unsigned char[]){0xff});
    refused_value("F8_E5M2", 1, (const unsigned char[]){0x7c});
    refused_value("F8_E5M2", 1, (const unsigned char[]){0xfe});
    refused_value("F64", 8, bytes);
}

/* ---- methods ---- */

static void test_methods(void)
{
    static const struct {
        const char *id, *header, *data;
        int bytes;
        SlCode code;
        const char *says;
    } bad[] = {
        {"bitsandbytes NF4",
         "{\"a.weight.quant_state.bitsandbytes__nf4\":{\"dtype\":\"U8\",\"shape\":[2],"
         "\"data_offsets\":[0,2]}}",
         "{}", 2, SL_UNSUPPORTED, "bitsandbytes NF4"},
        {"bitsandbytes int8",
         "{\"a.SCB\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "abcd", 4,
         SL_UNSUPPORTED, "bitsandbytes int8"},
        {"nvfp4", "{\"a.weight_scale_2\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
         "abcd", 4, SL_UNSUPPORTED, "nvfp4"},
        {"a mark of another format",
         "{\"a.comfy_quant\":{\"dtype\":\"U8\",\"shape\":[19],\"data_offsets\":[0,19]}}",
         "{\"format\": \"mxfp8\"}", 19, SL_UNSUPPORTED, "method mxfp8"},
        {"a mark that is no JSON",
         "{\"a.comfy_quant\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", "what", 4,
         SL_FORMAT, "a.comfy_quant"},
        {"int8_tensorwise",
         "{\"a.weight\":{\"dtype\":\"I8\",\"shape\":[1,4],\"data_offsets\":[0,4]},"
         "\"a.weight_scale\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}",
         "abcdefgh", 8, SL_UNSUPPORTED, "int8_tensorwise"},
        {"metadata of another format",
         "{\"__metadata__\":{\"_quantization_metadata\":\"{\\\"layers\\\":{\\\"a\\\":{"
         "\\\"format\\\":"
         "\\\"int8_convrot\\\"}}}\"},"
         "\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         "abcd", 4, SL_UNSUPPORTED, "int8_convrot"},
        {"scales that do not fit",
         "{\"a.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
         "\"a.weight_scale\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[4,7]}}",
         "abcdefg", 7, SL_FORMAT, "one for each row"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *path = test_file("method.safetensors");
        SlError err = {0};
        test_write_safetensors(path, bad[i].header, strlen(bad[i].header), bad[i].data,
                               (size_t)bad[i].bytes);
        SlWeightSource *w = sl_weights_open_file(path, &err);
        test_refused(bad[i].id, !w, &err, bad[i].code, (const char *const[]){bad[i].says, NULL});
        sl_weights_close(w);
    }
}

int main(void)
{
    test_float8();
    test_gguf();
    test_not_finite();
    test_methods();
    return sl_test_done();
}
