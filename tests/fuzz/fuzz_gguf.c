/* fuzz_gguf.c - the input is a whole GGUF file. */
#include "tests/fuzz/fuzz.h"

#include "engine/files/gguf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlError err = {0};
    SlWeightSource *w = sl_source_gguf(fuzz_file(data, size), &err);
    uint64_t total = 0;
    if (!w && (err.code == SL_OK || !*err.message))
        abort(); /* refused without a sentence */
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        const SlTensorInfo *info = sl_weights_info(w, i);
        SlError ignored = {0};
        total += info->bytes;
        if (total > size || sl_weights_find(w, info->name) != info)
            abort(); /* more data than the file has, or a name that is there twice */
        void *out = malloc((size_t)sl_tensor_info_elements(info) * 4 + (size_t)info->bytes + 4);
        sl_weights_read(w, info, out, &ignored);
        if (info->storage)
            sl_weights_read_f32(w, info, out, &ignored);
        free(out);
    }
    sl_weights_close(w);
    return 0;
}
