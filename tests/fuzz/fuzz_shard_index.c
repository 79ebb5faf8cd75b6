/* fuzz_shard_index.c - the input is the index of two shards that are in order: tensors a and b in
 * s1.safetensors, c in s2.safetensors. */
#include "tests/fuzz/fuzz.h"

#include "engine/files/weights.h"

#include <stdlib.h>
#include <string.h>

static void put_shard(const char *name, const char *header, size_t data)
{
    uint8_t file[300] = {(uint8_t)strlen(header)};
    memcpy(file + 8, header, strlen(header));
    fuzz_put(fuzz_folder(), name, file, 8 + strlen(header) + data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    SlError err = {0};
    if (!ready) {
        put_shard("s1.safetensors",
                  "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                  "\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]}}",
                  8);
        put_shard("s2.safetensors",
                  "{\"c\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1);
        ready = true;
    }
    fuzz_put(fuzz_folder(), "model.safetensors.index.json", data, size);
    SlWeightSource *w = sl_weights_open(fuzz_folder(), "model", &err);
    if (!w && (err.code == SL_OK || !*err.message))
        abort();
    if (w && sl_weights_count(w) != 1 && sl_weights_count(w) != 2 && sl_weights_count(w) != 3)
        abort();
    sl_weights_close(w);
    return 0;
}
