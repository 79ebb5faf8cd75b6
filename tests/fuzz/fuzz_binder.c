/* fuzz_binder.c - the first byte changes what is asked for, the rest is a safetensors file: each of
 * its tensors is bound under its own or another shape. */
#include "tests/fuzz/fuzz.h"

#include "engine/files/weights.h"

#include <stdlib.h>

static void bind_all(SlBinder *b, const SlWeights *w, unsigned how)
{
    static const char *const others[] = {"a.to_q.weight", "a.to_k.weight"};
    for (size_t i = 0; i < sl_weights_count(w); i++) {
        const SlTensorInfo *info = sl_weights_info(w, i);
        int64_t size[4] = {1, 1, 1, 1};
        int rank = info->rank < 1 ? 1 : info->rank > 4 ? 4 : info->rank;
        for (int d = 0; d < rank && d < info->rank; d++)
            size[d] = info->size[d];
        if (how & 1 && i % 3 == 0)
            size[rank - 1]++;
        if (how & 2)
            sl_binder_ignore(b, info->name);
        else if (how & 4)
            sl_bind_optional(b, (SlWeightKind)(how >> 4 & 3), info->name, rank, size);
        else
            sl_bind(b, (SlWeightKind)(how >> 4 & 3), info->name, rank, size);
    }
    if (how & 8)
        sl_bind_stacked(b, others, 2, 1 + how % 3, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlDevice *dev;
    SlError err = {0};
    if (!dev)
        dev = sl_device_open(&(SlDeviceOptions){.name = "ref", .dtype = SL_F32}, &err);
    if (!dev || size == 0)
        return 0;
    SlWeights *w = sl_weights_open_file(fuzz_file(data + 1, size - 1), &err);
    if (!w)
        return 0;
    SlBinder *b = sl_binder_new(&(SlBinderOptions){.dev = dev, .weights = w, .component = "fuzz"});
    bind_all(b, w, data[0]);
    err = (SlError){0};
    if (!sl_binder_finish(b, data[0] & 2, &err) && (err.code == SL_OK || !*err.message))
        abort();
    sl_binder_warning(b);
    sl_binder_free(b);
    sl_weights_close(w);
    sl_device_clear(dev);
    return 0;
}
