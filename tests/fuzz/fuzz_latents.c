/* fuzz_latents.c - the first byte chooses --latents or --step-noise, the rest is the safetensors
 * file that is given with it. */
#include "tests/fuzz/fuzz.h"

#include "app/cli/session.h"

#include <stdio.h>
#include <stdlib.h>

static SlModel *open_model(void)
{
    SlError err = {0};
    SlModel *model = sl_model_open(fuzz_tests("goldens/model/sd1"),
                                   &(SlModelOptions){.device = "cpu", .threads = 1}, &err);
    if (!model) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlModel *model;
    static SlOptions options;
    SlError err = {0};
    SlInputArrays arrays;
    SlRecipe recipe;
    if (size == 0)
        return 0;
    if (!model)
        model = open_model();
    const char *path = fuzz_file(data + 1, size - 1);
    options.latents = data[0] & 1 ? NULL : path;
    options.step_noise = data[0] & 1 ? path : NULL;
    const SlSession session = {.options = &options, .model = model};
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.width = recipe.height = sl_model_info(model)->factor * 2;
    bool ok = sl_session_inputs(&session, &recipe, &arrays, &err);
    if (ok ? !arrays.latents && !arrays.step_noise : err.code == SL_OK || !*err.message)
        abort();
    volatile float sum = 0;
    size_t values = (size_t)sl_model_info(model)->channels * 2 * 2;
    for (size_t i = 0; ok && arrays.latents && i < values; i++)
        sum += arrays.latents[i];
    for (size_t i = 0; ok && i < values * (size_t)arrays.inputs.step_noise_count; i++)
        sum += arrays.step_noise[i];
    sl_inputs_free(&arrays);
    return 0;
}
