/* cost.c - what a run would need, found by building the model and running each stage once on the
 * measure device: nothing is read or computed. */
#include "engine/run/stages.h"

/* Flops since the last call. */
static double take_flops(SlDevice *dev)
{
    double flops = dev->work.flops;
    dev->work.flops = 0;
    return flops;
}

static bool measure(SlStages *stages, SlCost *cost, SlError *err)
{
    SlDevice *dev = sl_stages_device(stages);
    if (!sl_stages_encode(stages, err))
        return false;
    cost->text_flops = take_flops(dev);
    if (!sl_stages_step(stages, err))
        return false;
    cost->step_flops = take_flops(dev);
    cost->step_bytes = dev->work.arena_peak + dev->work.buffer_bytes;
    if (!sl_stages_decode(stages, err))
        return false;
    cost->decode_flops = take_flops(dev);
    cost->weight_bytes = dev->work.weight_bytes;
    cost->peak_bytes = cost->weight_bytes + dev->work.arena_peak + dev->work.buffer_bytes;
    return true;
}

bool sl_model_cost(const SlModelInfo *info, const SlRecipe *recipe, const char *dtype, SlCost *cost,
                   SlError *err)
{
    SlDeviceOptions options = {.name = "measure"};
    *cost = (SlCost){0};
    if (!sl_dtype_parse(dtype, NULL, &options.dtype, err) || !sl_recipe_check(recipe, info, err))
        return false;
    SlDevice *dev = sl_device_open(&options, err);
    SlStages *stages = dev ? sl_stages_new(info, recipe, dev, err) : NULL;
    bool ok = stages && measure(stages, cost, err);
    sl_stages_close(&stages);
    return ok;
}

/* A model that cannot be measured has said why when it was loaded. */
bool sl_model_decode_is_cheap(const SlModelInfo *info)
{
    SlRecipe recipe;
    SlCost cost;
    sl_recipe_defaults(&recipe, info);
    return sl_model_cost(info, &recipe, NULL, &cost, NULL) && cost.decode_flops < cost.step_flops;
}
