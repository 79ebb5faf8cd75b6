/* broken.h - a fixture model with some of its weights scaled until they are finite no longer once
 * they are used: what a model in too small a dtype, or one whose training went wrong, does.
 */
#ifndef SL_TESTS_BROKEN_H
#define SL_TESTS_BROKEN_H

#include "app/files/safetensors_writer.h"
#include "engine/files/safetensors.h"
#include "engine/files/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The weights file of a component again, in f32, with the tensors whose names end so scaled, or with
 * one more tensor, which nothing uses. */
static bool broken_weights(const char *path, const char *ends, float factor, const char *extra)
{
    SlError err = {0};
    SlWeightSource *from = sl_weights_open_file(path, &err);
    SlTensorWriter *to = sl_tensor_writer_new();
    size_t n = strlen(ends);
    int scaled = 0;
    bool ok = from && to;
    for (size_t i = 0; ok && i < sl_weights_count(from); i++) {
        const SlTensorInfo *info = sl_weights_info(from, i);
        size_t count = info->bytes / sl_dtype_size(info->dtype), length = strlen(info->name);
        float *values = malloc((count ? count : 1) * sizeof *values);
        bool ours = length >= n && strcmp(info->name + length - n, ends) == 0;
        ok = values && sl_weights_read_f32(from, info, values, &err);
        for (size_t k = 0; ok && ours && k < count; k++)
            values[k] *= factor;
        if (ok)
            sl_tensor_writer_add(to, info->name, info->rank, info->size, values);
        scaled += ours;
        free(values);
    }
    if (ok && extra)
        sl_tensor_writer_add(to, extra, 1, (const int64_t[]){1}, &factor);
    ok = ok && scaled > 0 && sl_tensor_writer_save(to, path, &err);
    sl_tensor_writer_free(to);
    sl_weights_close(from);
    if (!ok)
        printf("# %s: %s\n", path, err.message);
    return ok;
}

static bool model_again(const char *from, const char *to, const char *weights, const char *ends,
                        float factor, const char *extra)
{
    char text[9000];
    snprintf(text, sizeof text, "cp -r '%s' '%s'", from, to);
    if (system(text) != 0)
        return false;
    snprintf(text, sizeof text, "%s/%s.safetensors", to, weights);
    return broken_weights(text, ends, factor, extra);
}

/* weights: "vae/diffusion_pytorch_model". */
__attribute__((unused)) static bool broken_model(const char *from, const char *to,
                                                 const char *weights, const char *ends,
                                                 float factor)
{
    return model_again(from, to, weights, ends, factor, NULL);
}

/* A model that works and has a tensor which is not used. */
__attribute__((unused)) static bool model_with_extra(const char *from, const char *to,
                                                     const char *weights, const char *extra)
{
    return model_again(from, to, weights, "", 1, extra);
}

#endif
