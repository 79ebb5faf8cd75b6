/* fuzz_embedding.c - the input is a whole file that may be a textual inversion: of torch.save in one of its
 * two forms, whose pickle is read without being run, or safetensors. */
#include "tests/fuzz/fuzz.h"

#include "engine/adapters/adapters.h"

#include <stdlib.h>
#include <string.h>

static void read_all(const SlEmbeddingFile *file)
{
    for (int i = 0; i < sl_embedding_count(file); i++) {
        const SlEmbedding *e = sl_embedding_get(file, i);
        if (e->vectors < 1 || e->vectors > SL_EMBEDDING_MAX_VECTORS ||
            (!e->tensor[0] && !e->tensor[1]))
            abort();
        for (int k = 0; k < 2; k++) {
            SlError err = {0};
            float *values = calloc((size_t)e->vectors * (size_t)e->width[k] + 1, sizeof *values);
            if (values && e->tensor[k] && !sl_embedding_read(file, e, k, values, &err) &&
                !*err.message)
                abort();
            free(values);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlError err = {0};
    SlEmbeddingFacts facts;
    SlEmbeddingFile *file = sl_embedding_open(fuzz_file(data, size), &err);
    if (!file && (err.code == SL_OK || !*err.message))
        abort(); /* refused without a sentence */
    if (file) {
        sl_embedding_facts(file, &facts);
        read_all(file);
    }
    sl_embedding_close(file);
    return 0;
}
