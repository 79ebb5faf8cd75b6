/* schedule.c - which noise levels a recipe's steps begin at, before anything is computed.
 *
 * The same scheduler as in a run (run_new.c), over the same configuration; no model is opened.
 */
#include "engine/run/run_private.h"

#include <stdlib.h>
#include <string.h>

SlSchedulerChoice sl_run_scheduler_choice(const SlModelInfo *info, const SlRecipe *recipe)
{
    SlSchedulerChoice choice = {.sigmas = recipe->sigmas,
                                .own_sigmas = recipe->sigma_list,
                                .spacing = recipe->spacing,
                                .variance = recipe->variance,
                                .prediction = recipe->prediction,
                                .zero_snr = recipe->zero_snr,
                                .eta = recipe->eta};
    if (choice.eta < 0 && info->pipeline->passes_eta)
        choice.eta = sl_scheduler_find(recipe->scheduler)->default_eta;
    return choice;
}

/* What the recipe leaves to the model. */
static bool complete(const SlModelInfo *info, SlRecipe *recipe, SlError *err)
{
    if (!recipe->scheduler && *info->unknown_scheduler)
        return sl_fail(err, SL_ARGUMENT, "the scheduler of the model %s is a %s; choose another",
                       info->name, info->unknown_scheduler);
    if (!recipe->scheduler)
        recipe->scheduler = info->scheduler;
    if (!recipe->width)
        recipe->width = info->width;
    if (!recipe->height)
        recipe->height = info->height;
    return sl_recipe_check(recipe, info, err);
}

static SlScheduler *lay_out(const SlModelInfo *info, const SlRecipe *recipe, SlError *err)
{
    bool own = !strcmp(recipe->scheduler, info->scheduler) && !*info->unknown_scheduler;
    SlJson *config = sl_model_scheduler_config(info, own, err);
    SlSchedulerChoice choice = sl_run_scheduler_choice(info, recipe);
    int height = recipe->height / info->factor, width = recipe->width / info->factor;
    const SlSchedulerRun run = {.steps = recipe->steps,
                                .size = (int64_t)info->channels * height * width,
                                .height = height,
                                .width = width};
    SlScheduler *s = config ? sl_scheduler_new(recipe->scheduler, config, &choice, err) : NULL;
    sl_json_close(config);
    if (s && sl_scheduler_set_timesteps(s, &run, err))
        return s;
    sl_scheduler_free(s);
    return NULL;
}

/* Of a step's evaluations the first says where it begins. */
static void take_steps(const SlScheduler *s, SlSchedule *schedule, int room)
{
    bool begins = true;
    for (int i = 0; i < sl_scheduler_evaluations(s) && schedule->steps < room; i++) {
        bool ends;
        sl_scheduler_step_of(s, i, &ends);
        if (begins) {
            schedule->sigmas[schedule->steps] = sl_scheduler_sigma(s, i);
            schedule->timesteps[schedule->steps++] = sl_scheduler_timestep(s, i);
        }
        begins = ends;
    }
}

bool sl_schedule_make(const SlModelInfo *info, const SlRecipe *recipe, SlSchedule *schedule,
                      SlError *err)
{
    SlRecipe whole = *recipe;
    *schedule = (SlSchedule){0};
    SlScheduler *s = complete(info, &whole, err) ? lay_out(info, &whole, err) : NULL;
    if (!s)
        return false;
    int room = sl_scheduler_evaluations(s);
    schedule->sigmas = calloc((size_t)room, sizeof(double));
    schedule->timesteps = calloc((size_t)room, sizeof(double));
    bool ok = schedule->sigmas && schedule->timesteps;
    if (ok)
        take_steps(s, schedule, room);
    else
        sl_fail(err, SL_MEMORY, "out of memory for %d noise levels", room);
    sl_scheduler_free(s);
    return ok;
}

void sl_schedule_free(SlSchedule *schedule)
{
    free(schedule->sigmas);
    free(schedule->timesteps);
    *schedule = (SlSchedule){0};
}
