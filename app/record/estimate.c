/* estimate.c - see estimate.h. */
#include "app/record/estimate.h"

#include "app/record/grid.h"

/* Of the evaluations those that take over a part, with deep caching. How many a first block spares is known only when
 * they are made. */
static double cached_share(const SlRecipe *recipe)
{
    int within = 0, interval = recipe->caching_interval;
    if (recipe->caching != SL_CACHING_DEEP || recipe->steps < 1)
        return 0;
    for (int i = 0; i < recipe->steps; i++)
        within += sl_recipe_caches(recipe, i);
    return (double)(within - (within + interval - 1) / interval) / recipe->steps;
}

bool sl_estimate(const SlModelInfo *info, const SlRecipe *recipe, const char *dtype,
                 SlEstimate *estimate, SlError *err)
{
    SlCost cost;
    *estimate = (SlEstimate){0};
    if (!sl_model_cost(info, recipe, dtype ? dtype : "auto", &cost, err))
        return false;
    /* the picture itself, in floats and in bytes, and once more for who asked (engine/run/memory.c) */
    uint64_t picture = (uint64_t)recipe->width * (uint64_t)recipe->height * (12 + 12 + 3 + 3);
    uint64_t working = cost.step_bytes > cost.text_bytes ? cost.step_bytes : cost.text_bytes;
    double cached = cached_share(recipe);
    *estimate = (SlEstimate){.evaluations = sl_grid_evaluations(recipe),
                             .evaluation_flops =
                                 (1 - cached) * cost.step_flops + cached * cost.cached_flops,
                             .other_flops = cost.text_flops + cost.decode_flops,
                             .weights = cost.weight_bytes,
                             .least = cost.weight_bytes + (working > picture ? working : picture)};
    estimate->bytes = cost.peak_bytes > estimate->least ? cost.peak_bytes : estimate->least;
    return true;
}

double sl_estimate_flops(const SlEstimate *e)
{
    return e->evaluations * e->evaluation_flops + e->other_flops;
}
