/* handover.c - a run that a refiner goes on with: which evaluations are whose, and what of the run
 * changes where the one hands it to the other.
 *
 * Mirrors diffusers' denoising_end of StableDiffusionXLPipeline and denoising_start of
 * StableDiffusionXLImg2ImgPipeline: the timesteps at and above round(T - share T) are the model's,
 * those below it the refiner's, whose scheduler begins there with a history of nothing. Easy to get
 * wrong: diffusers cuts the steps of schedulers with two evaluations in their middle and goes on from
 * there as if from their beginning; here a step is ended by who began it.
 */
#include "engine/run/run_private.h"

#include <math.h>
#include <string.h>

bool sl_run_refines(const SlRun *run)
{
    return run->sides > 1;
}

SlRunSide *sl_run_side_at(SlRun *run, int evaluation)
{
    return &run->side[run->sides > 1 && evaluation >= run->handover];
}

const SlRunSide *sl_run_side(const SlRun *run)
{
    return sl_run_side_at((SlRun *)run, run->evaluation);
}

bool sl_run_find_handover(SlRun *run, SlError *err)
{
    const SlScheduler *first = run->side[0].scheduler, *second = run->side[1].scheduler;
    int evaluations = sl_scheduler_evaluations(first);
    if (sl_scheduler_evaluations(second) != evaluations)
        return sl_fail(err, SL_ARGUMENT,
                       "with %s the model has %d evaluations and its refiner %d; expected equal "
                       "numbers, another scheduler or another number of steps",
                       run->recipe.scheduler, evaluations, sl_scheduler_evaluations(second));
    run->handover = sl_scheduler_cut(first, run->recipe.refine_from);
    return run->handover < evaluations ||
           sl_fail(err, SL_ARGUMENT,
                   "refine from is %g: of %d steps none is left to the refiner; expected a smaller "
                   "number, or more steps",
                   run->recipe.refine_from, run->recipe.steps);
}

/* Whether a sample before this evaluation is the same for both. */
static bool same_form(const SlScheduler *a, const SlScheduler *b, int evaluation)
{
    SlNoiseLevel x = sl_scheduler_level(a, evaluation), y = sl_scheduler_level(b, evaluation);
    return x.alpha == y.alpha && x.sigma == y.sigma;
}

bool sl_run_hand_over(SlRun *run, SlError *err)
{
    const SlScheduler *from = run->side[0].scheduler;
    SlScheduler *to = run->side[1].scheduler;
    if (!sl_scheduler_enter(to, run->handover, err))
        return false;
    if (!same_form(to, from, run->handover))
        sl_scheduler_cross(to, from, run->sample, run->x0, run->sample);
    return true;
}

int sl_run_evaluations(const SlRun *run)
{
    return sl_scheduler_evaluations(run->side[0].scheduler);
}
