/* estimate.c - see estimate.h. */
#include "app/record/estimate.h"

#include "app/record/grid.h"

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
    *estimate = (SlEstimate){.evaluations = sl_grid_evaluations(recipe),
                             .evaluation_flops = cost.step_flops,
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
