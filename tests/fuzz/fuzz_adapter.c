/* fuzz_adapter.c - the input is a whole safetensors file that may be an adapter: opened, matched to a
 * small UNet and text encoder, asked for its facts, and merged. */
#include "tests/fuzz/fuzz.h"

#include "engine/adapters/adapters.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static SlDevice *dev;
static SlWeightSource *parts[2];
static SlAdapterTargets *targets[2];

static void open_parts(void)
{
    static const char *const files[] = {"goldens/adapters/unet.safetensors",
                                        "goldens/adapters/text.safetensors"};
    SlError err = {0};
    dev = sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 1}, &err);
    for (int i = 0; i < 2; i++) {
        char *path = sl_test_path(files[i]);
        parts[i] = sl_weights_open_file(path, &err);
        targets[i] =
            parts[i] ? sl_adapter_targets_new(i ? SL_ADAPTER_TEXT : SL_ADAPTER_UNET, parts[i], &err)
                     : NULL;
        free(path);
        if (!dev || !targets[i])
            abort();
    }
}

static void merge(const SlAdapter *a, const SlAdapterMatch *match, const SlWeightSource *part)
{
    for (size_t i = 0; i < sl_weights_count(part); i++) {
        const SlTensorInfo *info = sl_weights_info(part, i);
        float *values = malloc((size_t)info->bytes);
        SlTensor tensor = sl_tensor_view(values, SL_F32, info->rank, info->size);
        SlError ignored = {0};
        if (values && sl_adapter_touches(match, info->name) &&
            sl_weights_read_f32(part, info, values, &ignored))
            sl_adapter_apply(a, match, dev, &(SlAdapterChange){info->name, 0.5, &tensor}, &ignored);
        free(values);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlError err = {0};
    if (!dev)
        open_parts();
    SlAdapter *a = sl_adapter_open(fuzz_file(data, size), &err);
    if (!a && (err.code == SL_OK || !*err.message))
        abort(); /* refused without a sentence */
    for (int i = 0; a && i < 2; i++) {
        SlError misfit = {0};
        SlAdapterMatch *match = sl_adapter_match(a, targets[i], &misfit);
        if (!match && !*misfit.message)
            abort();
        if (match)
            merge(a, match, parts[i]);
        sl_adapter_match_free(match);
    }
    if (a) {
        SlAdapterFacts facts;
        char words[200];
        sl_adapter_facts(a, &facts);
        sl_adapter_words(a, 5, words, sizeof words);
    }
    sl_adapter_close(a);
    return 0;
}
