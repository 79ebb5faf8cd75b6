/* test_sweep.c - every prefix and every single-bit flip of small good files. What is accepted must
 * then be readable in full; what is refused must have its sentence. Under ASan and UBSan this is
 * where a wrong bound shows. */
#include "tests/engine/files/util.h"

#include "engine/files/json.h"
#include "engine/files/utf8.h"

#include <unistd.h>

typedef struct Tally {
    int cases, accepted, wordless;
} Tally;

static void count(Tally *tally, bool accepted, const SlError *err)
{
    tally->cases++;
    tally->accepted += accepted;
    tally->wordless += !accepted && (err->code == SL_OK || !*err->message ||
                                     !sl_utf8_valid(err->message, strlen(err->message)));
}

static void try_safetensors(const char *path, Tally *tally)
{
    SlError err = {0};
    SlWeightSource *w = sl_weights_open_file(path, &err);
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        const SlTensorInfo *info = sl_weights_info(w, i);
        void *raw = malloc((size_t)info->bytes + 1);
        float *f32 = malloc((size_t)info->bytes * 4 + 4);
        SlError ignored = {0}; /* a flipped bit can make a NaN */
        sl_weights_read(w, info, raw, &ignored);
        sl_weights_read_f32(w, info, f32, &ignored);
        free(raw);
        free(f32);
    }
    count(tally, w != NULL, &err);
    sl_weights_close(w);
}

static void try_json(const char *path, Tally *tally)
{
    SlError err = {0};
    int64_t list[4];
    SlJson *json = sl_json_open(path, &err);
    if (json) {
        SlError ignored = {0};
        sl_json_ints(json, "block_out_channels", list, 4, 0, 1, 1000, &ignored);
        sl_json_string(json, "act_fn", "silu", &ignored);
    }
    count(tally, json != NULL, &err);
    sl_json_close(json);
}

static void sweep(const char *what, const unsigned char *good, size_t bytes,
                  void (*try)(const char *path, Tally *tally))
{
    const char *path = test_file("sweep");
    unsigned char *bad = malloc(bytes + 1);
    Tally cut = {0}, flipped = {0};
    for (size_t n = 0; n < bytes; n++) {
        test_write(path, good, n);
        try(path, &cut);
    }
    sl_test(cut.accepted == 0 && !cut.wordless, "%s: all %d prefixes are refused", what, cut.cases);
    memcpy(bad, good, bytes);
    test_write(path, bad, bytes);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        bad[bit / 8] ^= (unsigned char)(1 << bit % 8);
        test_write(path, bad, bytes);
        try(path, &flipped);
        bad[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    sl_test(!flipped.wordless, "%s: %d flipped bits, %d still valid", what, flipped.cases,
            flipped.accepted);
    free(bad);
}

static void sweep_safetensors(const char *what, const char *header, size_t data)
{
    const char *path = test_file("good.safetensors");
    size_t bytes;
    Tally whole = {0};
    test_write_safetensors(path, header, strlen(header), NULL, data);
    try_safetensors(path, &whole);
    sl_test(whole.accepted == 1, "%s: the whole file is read", what);
    unsigned char *good = test_read(path, &bytes);
    sweep(what, good, bytes, try_safetensors);
    free(good);
}

int main(void)
{
    static const char config[] =
        "{\n \"act_fn\": \"silu\",\n \"block_out_channels\": [32, 64],\n \"eps\": 1e-05,\n"
        " \"nested\": {\"caf\xc3\xa9\": null, \"\\u00e9\": true}\n}";
    sweep_safetensors("one tensor",
                      "{\"weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}",
                      24);
    sweep_safetensors("three types, metadata",
                      "{\"__metadata__\":{\"format\":\"pt\"},"
                      "\"a\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]},"
                      "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[6,8]},"
                      "\"c\":{\"dtype\":\"I64\",\"shape\":[1,1],\"data_offsets\":[8,16]}}",
                      16);
    sweep_safetensors(
        "escapes, empty tensors, spaces",
        " {\"\\u00e9\\ud83d\\ude00\":{\"data_offsets\":[0,4],\"dtype\":\"U8\",\"shape\":[4]} ,\n"
        "\"z\":{\"dtype\":\"F32\",\"shape\":[0,9],\"data_offsets\":[4,4]}}  ",
        4);
    sweep("a configuration", (const unsigned char *)config, sizeof config - 1, try_json);
    return sl_test_done();
}
