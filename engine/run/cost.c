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

/* The most memory beside the weights since the last call; *most: of all calls. */
static size_t take_peak(SlDevice *dev, size_t *most)
{
    size_t peak = dev->work.arena_peak + dev->work.buffer_bytes;
    dev->work.arena_peak = sl_arena_mark(dev);
    *most = peak > *most ? peak : *most;
    return peak;
}

static bool run_stages(SlStages *stages, const SlRecipe *recipe, SlCost *cost, SlError *err)
{
    SlDevice *dev = sl_stages_device(stages);
    size_t most = 0, kept = sl_stages_kept_bytes(stages, recipe);
    if (!sl_stages_encode(stages, err))
        return false;
    cost->text_flops = take_flops(dev);
    cost->text_bytes = take_peak(dev, &most);
    if (!sl_stages_step(stages, err))
        return false;
    cost->step_flops = take_flops(dev) * sl_stages_texts(stages).parts;
    cost->step_bytes = take_peak(dev, &most) + kept;
    most = cost->step_bytes > most ? cost->step_bytes : most;
    if (recipe->caching == SL_CACHING_DEEP) {
        if (!sl_stages_step_branch(stages, recipe->caching_branch, err))
            return false;
        cost->cached_flops = take_flops(dev);
        take_peak(dev, &most);
    }
    if (!sl_stages_decode(stages, err))
        return false;
    cost->decode_flops = take_flops(dev);
    cost->decode_bytes = take_peak(dev, &most);
    cost->weight_bytes = dev->work.weight_bytes;
    cost->peak_bytes = cost->weight_bytes + most;
    return true;
}

static bool measure(const SlStagesOf *of, const SlDeviceOptions *options, SlCost *cost,
                    SlError *err)
{
    *cost = (SlCost){0};
    if (!sl_recipe_check(of->recipe, of->info, err))
        return false;
    SlDevice *dev = sl_device_open(options, err);
    SlStages *stages = dev ? sl_stages_new(of, dev, err) : NULL;
    bool ok = stages && run_stages(stages, of->recipe, cost, err);
    sl_stages_close(&stages);
    return ok;
}

bool sl_model_cost(const SlModelInfo *info, const SlRecipe *recipe, const char *dtype, SlCost *cost,
                   SlError *err)
{
    SlDtypes types;
    const SlModelOptions options = {.dtype = dtype};
    *cost = (SlCost){0};
    if (!sl_dtypes_read(dtype, &types, err))
        return false;
    const SlDeviceOptions device = {
        .name = "measure", .dtype = types.dtype, .any_dtype = types.automatic, .q8 = types.q8};
    return measure(&(SlStagesOf){info, recipe, NULL, &options}, &device, cost, err);
}

bool sl_model_measure(const SlModel *model, const SlRecipe *recipe, SlCost *cost, SlError *err)
{
    const SlDeviceOptions device = {
        .name = "measure", .dtype = model->dev->dtype, .q8 = model->dev->q8};
    return measure(&(SlStagesOf){&model->info, recipe, model, NULL}, &device, cost, err);
}

bool sl_model_decode_is_cheap(const SlModelInfo *info, bool *cheap, SlError *err)
{
    SlRecipe recipe;
    SlCost cost;
    sl_recipe_defaults(&recipe, info);
    if (!sl_model_cost(info, &recipe, NULL, &cost, err))
        return false;
    *cheap = cost.decode_flops < cost.step_flops;
    return true;
}
