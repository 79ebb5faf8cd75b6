/* recipe.c - the validators of a run's settings, shared by the command line, the window's controls
 * and files that are opened. */
#include "engine/engine.h"

#include <math.h>
#include <string.h>

#define MAX_PIXELS 16384

void sl_recipe_defaults(SlRecipe *recipe, const SlModelInfo *info)
{
    *recipe = (SlRecipe){
        .prompt = "",
        .negative_prompt = "",
        .scheduler = info->scheduler,
        .eta = -1,
        .steps = info->pipeline->steps,
        .guidance = info->pipeline->guidance,
        .width = info->width,
        .height = info->height,
    };
}

static bool check_scheduler(const SlRecipe *recipe, SlError *err)
{
    if (!recipe->scheduler)
        return true;
    const SlSchedulerInfo *scheduler = sl_scheduler_find(recipe->scheduler);
    if (!scheduler)
        return sl_fail(err, SL_ARGUMENT,
                       "scheduler is \"%s\"; `safelight schedulers` lists the known ones",
                       recipe->scheduler);
    if (recipe->sigmas != SL_SIGMAS_MODEL && !scheduler->takes_sigmas)
        return sl_fail(err, SL_ARGUMENT, "scheduler %s has no choice of sigmas; expected \"model\"",
                       scheduler->id);
    if (recipe->spacing != SL_SPACING_MODEL && !scheduler->takes_spacing)
        return sl_fail(err, SL_ARGUMENT,
                       "scheduler %s has no choice of timestep spacing; expected \"model\"",
                       scheduler->id);
    if (recipe->variance != SL_VARIANCE_MODEL && !scheduler->takes_variance)
        return sl_fail(err, SL_ARGUMENT,
                       "scheduler %s has no choice of variance; expected \"model\"", scheduler->id);
    return true;
}

static bool check_side(const char *name, int value, const SlModelInfo *info, SlError *err)
{
    int m = info->size_multiple > 0 ? info->size_multiple : 1;
    if (value == 0)
        return true;
    if (value < m || value > MAX_PIXELS || value % m)
        return sl_fail(err, SL_ARGUMENT,
                       "%s is %d; expected a multiple of %d from %d to %d for the model %s", name,
                       value, m, m, MAX_PIXELS / m * m, info->name);
    return true;
}

bool sl_recipe_check(const SlRecipe *recipe, const SlModelInfo *info, SlError *err)
{
    if (recipe->steps < 1 || recipe->steps > 1000)
        return sl_fail(err, SL_ARGUMENT, "steps is %d; expected 1 to 1000", recipe->steps);
    if (!isfinite(recipe->guidance) || recipe->guidance < 0 || recipe->guidance > 100)
        return sl_fail(err, SL_ARGUMENT, "guidance is %g; expected 0 to 100", recipe->guidance);
    if (!isfinite(recipe->eta) || recipe->eta > 1)
        return sl_fail(err, SL_ARGUMENT, "eta is %g; expected 0 to 1", recipe->eta);
    if (recipe->noise != SL_NOISE_CPU && recipe->noise != SL_NOISE_CUDA)
        return sl_fail(err, SL_ARGUMENT, "noise source %d is unknown; expected cpu or cuda",
                       (int)recipe->noise);
    if (recipe->noise_threads < 0 || recipe->noise_threads > (int64_t)1 << 30)
        return sl_fail(err, SL_ARGUMENT, "noise threads is %lld; expected 0 to 1073741824",
                       (long long)recipe->noise_threads);
    if (recipe->clip_skip < 0 || recipe->clip_skip > 100)
        return sl_fail(err, SL_ARGUMENT, "clip skip is %d; expected 0 to 100", recipe->clip_skip);
    return check_scheduler(recipe, err) && check_side("width", recipe->width, info, err) &&
           check_side("height", recipe->height, info, err);
}
