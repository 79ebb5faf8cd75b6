/* fuzz_binder.c - the first byte changes what is asked for, the rest is a safetensors file: each of
 * its tensors is bound under its own or another shape, as it is or through views. */
#include "tests/fuzz/fuzz.h"

#include "engine/files/weights_views.h"

#include <stdlib.h>

static void bind_all(SlBinder *b, const SlWeightSource *w, unsigned how)
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

/* Some view of a tensor; NULL and *err where its shape does not allow it. */
static SlWeightView *some_view(SlWeightSource *w, const SlTensorInfo *info, size_t how,
                               SlError *err)
{
    SlWeightView *v = sl_view_of(w, info, err);
    int64_t rows = info->rank ? info->size[0] : 0;
    switch (how % 6) {
    case 0:
        return sl_view_rows(v, rows / 2, rows - rows / 2, err);
    case 1:
        return sl_view_transposed(v, err);
    case 2:
        return sl_view_converted(v, SL_F16, err);
    case 3:
        return sl_view_sum(v, sl_view_of(w, info, err), 0.5f, err);
    case 4:
        v = sl_view_product(v, sl_view_transposed(sl_view_of(w, info, err), err), err);
        return sl_view_renamed(v, info->name, err);
    default:
        return sl_view_reshaped(v, 2, (const int64_t[]){1, rows}, err);
    }
}

/* The file's tensors through views; NULL when none can be made. */
static SlWeightSource *views_of(SlWeightSource *w)
{
    SlError err = {0};
    SlWeightSet *set = sl_weight_set_new(w, &err);
    for (size_t i = 0; set && i < sl_weights_count(w); i++) {
        err = (SlError){0};
        SlWeightView *v = some_view(w, sl_weights_info(w, i), i, &err);
        if (!v && !*err.message)
            abort();
        sl_weight_set_add(set, v, &err);
    }
    return set ? sl_weight_set_finish(set, &err) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlDevice *dev;
    SlError err = {0};
    if (!dev)
        dev = sl_device_open(&(SlDeviceOptions){.name = "ref", .dtype = SL_F32}, &err);
    if (!dev || size == 0)
        return 0;
    SlWeightSource *w = sl_weights_open_file(fuzz_file(data + 1, size - 1), &err);
    if (w && data[0] & 64) {
        SlWeightSource *shown = views_of(w);
        sl_weights_close(w);
        w = shown;
    }
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
