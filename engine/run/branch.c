/* branch.c - a timeline saved, restored, and continued with other settings.
 *
 * Has no counterpart in diffusers, whose pipelines cannot be taken up again. Easy to get wrong: the
 * same settings must go on to the same bytes, so the scheduler's history and the noise generator
 * are saved with the sample; another scheduler may scale its samples otherwise and enters at
 * another noise level.
 */
#include "engine/run/run_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- saving and going on ---- */

/* What a saved timeline starts with; the sample and the scheduler's state follow, and the momentum of a
 * guidance method that has one. */
typedef struct StateHead {
    char magic[8];
    int64_t elements, scheduler_bytes;
    int32_t evaluation, given_used;
    SlNoise generator;
} StateHead;

static const char state_magic[8] = "SLRUN01";

void *sl_run_save(const SlRun *run, size_t *bytes)
{
    size_t scheduler_bytes = 0, sample_bytes = (size_t)run->elements * sizeof(float);
    void *scheduler = sl_scheduler_save(sl_run_side(run)->scheduler, &scheduler_bytes);
    size_t momentum = sl_run_remembers(run) ? sample_bytes : 0;
    size_t all = sizeof(StateHead) + sample_bytes + scheduler_bytes + momentum;
    char *state = scheduler ? malloc(all) : NULL;
    if (state) {
        StateHead head;
        memset(&head, 0, sizeof head);
        memcpy(head.magic, state_magic, sizeof head.magic);
        head.elements = run->elements;
        head.scheduler_bytes = (int64_t)scheduler_bytes;
        head.evaluation = run->evaluation;
        head.given_used = run->noise_source.given_used;
        head.generator = run->generator;
        memcpy(state, &head, sizeof head);
        memcpy(state + sizeof head, run->sample, sample_bytes);
        memcpy(state + sizeof head + sample_bytes, scheduler, scheduler_bytes);
        memcpy(state + all - momentum, run->momentum, momentum);
        *bytes = all;
    }
    free(scheduler);
    return state;
}

bool sl_run_restore(SlRun *run, const void *state, size_t bytes, SlError *err)
{
    StateHead head;
    size_t sample_bytes = (size_t)run->elements * sizeof(float);
    if (bytes < sizeof head + sample_bytes)
        return sl_fail(err, SL_FORMAT, "the saved run has %zu bytes; expected at least %zu", bytes,
                       sizeof head + sample_bytes);
    memcpy(&head, state, sizeof head);
    size_t rest = bytes - sizeof head - sample_bytes;
    if (memcmp(head.magic, state_magic, sizeof head.magic) || head.elements != run->elements ||
        head.scheduler_bytes < 0 ||
        ((uint64_t)head.scheduler_bytes != rest &&
         (uint64_t)head.scheduler_bytes + sample_bytes != rest) ||
        head.evaluation < 0 || head.evaluation > sl_run_evaluations(run) || head.given_used < 0 ||
        head.generator.mt_index < 0 || head.generator.mt_index > 624)
        return sl_fail(err, SL_FORMAT,
                       "the saved run does not belong to this recipe (%lld values at evaluation "
                       "%d; expected %lld values, at most %d evaluations)",
                       (long long)head.elements, (int)head.evaluation, (long long)run->elements,
                       sl_run_evaluations(run));
    const char *p = (const char *)state + sizeof head;
    if (!sl_scheduler_restore(sl_run_side_at(run, head.evaluation)->scheduler, p + sample_bytes,
                              (size_t)head.scheduler_bytes, err))
        return false;
    memcpy(run->sample, p, sample_bytes);
    if (rest > (size_t)head.scheduler_bytes)
        memcpy(run->momentum, p + bytes - sizeof head - sample_bytes, sample_bytes);
    else
        memset(run->momentum, 0, sample_bytes);
    run->generator = head.generator;
    run->noise_source.given_used = head.given_used;
    run->evaluation = head.evaluation;
    return true;
}

/* ---- branching ---- */

static bool take_over(SlRun *run, const SlRun *from, SlError *err)
{
    size_t bytes;
    void *state = sl_run_save(from, &bytes);
    bool ok = state ? sl_run_restore(run, state, bytes, err)
                    : sl_fail(err, SL_MEMORY, "out of memory for the run");
    free(state);
    return ok;
}

bool sl_run_continue(SlRun *run, const SlRun *from, SlError *err)
{
    if (run->elements != from->elements || run->width != from->width)
        return sl_fail(
            err, SL_ARGUMENT, "a branch must have its run's size: it is %d x %d; expected %d x %d",
            run->recipe.width, run->recipe.height, from->recipe.width, from->recipe.height);
    if (from->evaluation < 1 || sl_run_done(from))
        return sl_fail(err, SL_ARGUMENT,
                       "a branch can begin after evaluation 1 to %d; this is evaluation %d",
                       sl_run_evaluations(from) - 1, from->evaluation);
    if (sl_recipe_same_schedule(&run->recipe, &from->recipe))
        return take_over(run, from, err);
    const SlScheduler *before = sl_run_side(from)->scheduler;
    double here = sl_scheduler_sigma(before, from->evaluation);
    int entry = sl_scheduler_entry(run->side[0].scheduler, here);
    if (entry < 0)
        return sl_fail(err, SL_ARGUMENT,
                       "%s with %d steps has no step left at noise level %.4g: branch earlier",
                       run->recipe.scheduler, run->recipe.steps, here);
    SlScheduler *after = sl_run_side_at(run, entry)->scheduler;
    if (!sl_scheduler_enter(after, entry, err))
        return false;
    sl_scheduler_cross(after, before, from->sample, from->x0, run->sample);
    run->generator = from->generator;
    run->evaluation = entry;
    return true;
}
