/* evaluation.c - what an evaluation of the model needs: what it is told, what it derives from the timesteps, the
 * step that computes it, and the question itself. The loop over them is run.c, those that take over a part
 * of an earlier one are caching.c.
 */
#include "engine/run/run_private.h"

#include <math.h>

bool sl_run_find_told(SlRun *run, SlRunSide *side, const SlCondition *const *given, SlError *err)
{
    const int64_t size[] = {run->channels, run->height, run->width};
    int first = side == run->side ? 0 : run->handover;
    if (!sl_run_find_words(run, side, given, err))
        return false;
    if (side->parts > 1 && run->recipe.caching != SL_CACHING_OFF)
        return sl_fail(
            err, SL_ARGUMENT,
            "caching is \"%s\"; expected \"off\" with a prompt of %d parts (AND), each of "
            "which is evaluated by itself",
            sl_setting(SL_SETTING_CACHING)->choices[run->recipe.caching], side->parts);
    if (!sl_run_tell_all(run, side, first, 0, err))
        return false;
    side->shape = sl_step_shape(side->model, side->rule, size, side->told);
    side->ready = true;
    return true;
}

bool sl_run_need_side(SlRun *run, SlRunSide *side, SlError *err)
{
    return side->ready || (sl_run_find_told(run, side, NULL, err) &&
                           sl_model_make_room(side->model, &run->recipe, err));
}

bool sl_run_need_times(SlRun *run, int i, SlError *err)
{
    SlRunSide *side = sl_run_side_at(run, i);
    SlModel *model = side->model;
    int first = i / SL_TIMES * SL_TIMES, rest = sl_run_evaluations(run) - first;
    int count = rest < SL_TIMES ? rest : SL_TIMES;
    float timesteps[SL_TIMES];
    if (!sl_run_need_side(run, side, err))
        return false;
    const SlStepShape shape = sl_run_shape(run, side, i);
    int batch = shape.batch / sl_step_passes(&shape);
    if (side->times && side->times_first == first && side->times_mix == side->mix &&
        side->times_batch == batch)
        return true;
    if (!sl_model_need(model, SL_USE_DENOISE, err))
        return false;
    sl_times_free(model->dev, side->times);
    for (int k = 0; k < count; k++)
        timesteps[k] = (float)sl_scheduler_timestep(side->scheduler, first + k);
    const SlTimesOf of = {.timesteps = timesteps,
                          .count = count,
                          .batch = batch,
                          .guidance = model->info.told_guidance ? run->recipe.guidance : NAN,
                          .label = run->recipe.class_label};
    side->times = sl_times_new(model->dev, sl_model_denoiser(model), &of, err);
    side->times_first = first;
    side->times_mix = side->mix;
    side->times_batch = batch;
    return side->times != NULL;
}

SlStep *sl_run_step(const SlRunSide *side, SlStepShape shape, SlMapHalves maps, SlError *err)
{
    SlModel *model = side->model;
    if (!sl_model_need(model, SL_USE_DENOISE, err))
        return NULL;
    shape.maps = maps;
    shape.loads = sl_step_loads(model);
    if (!sl_step_fits(model->step, &shape)) {
        sl_step_free(model->step);
        model->step = sl_step_new(model->dev, sl_model_denoiser(model), &shape, err);
    }
    return model->step;
}

double sl_run_guidance_of(const SlRun *run, const SlRunSide *side)
{
    return run->recipe.guidance *
           (side->parts == 1 && side->part_weight ? side->part_weight[0] : 1);
}

SlStepRun sl_run_ask(SlRun *run, int i)
{
    const SlRunSide *side = sl_run_side_at(run, i);
    return (SlStepRun){.told = side->told,
                       .times = side->times,
                       .row = i - side->times_first,
                       .guidance = sl_run_guidance_of(run, side),
                       .input = run->input,
                       .output = run->output};
}
