/* fuzz_preview.c - the input is a model's preview.json, with which a sample becomes a quick
 * picture. */
#include "tests/fuzz/fuzz.h"

#include "engine/run/run.h"

#include <stdio.h>
#include <stdlib.h>

/* A small model, with its folder told to be the one where the input is. */
static SlModel *open_model(void)
{
    SlError err = {0};
    SlModel *model = sl_model_open(fuzz_tests("goldens/model/sd1"),
                                   &(SlModelOptions){.device = "cpu", .threads = 1}, &err);
    if (!model) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    snprintf(model->info.path, sizeof model->info.path, "%s", fuzz_folder());
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlModel *model;
    float sample[SL_MAX_LATENT_CHANNELS * 4] = {1, -1, 0.5f, 1e30f};
    uint8_t rgb[4 * 3];
    SlError err = {0};
    if (!model)
        model = open_model();
    fuzz_put(fuzz_folder(), "preview.json", data, size);
    if (sl_model_find_preview(model, &err))
        sl_preview(model, sample, 2, 2, rgb);
    else if (err.code == SL_OK || !*err.message)
        abort();
    return 0;
}
