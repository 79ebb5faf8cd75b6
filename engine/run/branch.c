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

/* What a saved timeline starts with; the sample and the scheduler's state follow, the momentum of a
 * guidance method that has one, and with caching the input of the last evaluation that was made as a
 * whole. */
typedef struct StateHead {
    char magic[8];
    int64_t elements, scheduler_bytes;
    int32_t evaluation, given_used;
    int32_t momentum;                                   /* whether it follows, */
    int32_t kept_evaluation, kept_place, kept_together; /* and -1: no input of one that is kept */
    char kept_told[72];
    SlNoise generator;
} StateHead;

static const char state_magic[8] = "SLRUN02";

void *sl_run_save(const SlRun *run, size_t *bytes)
{
    size_t scheduler_bytes = 0, sample_bytes = (size_t)run->elements * sizeof(float);
    void *scheduler = sl_scheduler_save(sl_run_side(run)->scheduler, &scheduler_bytes);
    size_t momentum = sl_run_remembers(run) ? sample_bytes : 0;
    size_t kept = run->kept.evaluation >= 0 ? sample_bytes : 0;
    size_t all = sizeof(StateHead) + sample_bytes + scheduler_bytes + momentum + kept;
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
        head.momentum = momentum > 0;
        head.kept_evaluation = run->kept.evaluation;
        head.kept_place = run->kept.place;
        head.kept_together = run->kept.together;
        memcpy(head.kept_told, run->kept.told, sizeof run->kept.told);
        memcpy(state, &head, sizeof head);
        memcpy(state + sizeof head, run->sample, sample_bytes);
        memcpy(state + sizeof head + sample_bytes, scheduler, scheduler_bytes);
        memcpy(state + all - momentum - kept, run->momentum, momentum);
        memcpy(state + all - kept, run->kept.input, kept);
        *bytes = all;
    }
    free(scheduler);
    return state;
}

/* Whether what the head says of the evaluation that is kept can be. */
static bool check_kept(const StateHead *head)
{
    return head->kept_evaluation < 0 ||
           (head->kept_evaluation < head->evaluation && head->kept_together >= 1 &&
            head->kept_together <= SL_RUNS_TOGETHER && head->kept_place >= 0 &&
            head->kept_place < head->kept_together && head->kept_told[64] == '\0');
}

/* What was left of it on the device stays where it is the same evaluation. */
static void restore_kept(SlRun *run, const StateHead *head, const void *input)
{
    SlRunKept *kept = &run->kept;
    size_t bytes = (size_t)run->elements * sizeof(float);
    kept->there = kept->there && head->kept_evaluation == kept->evaluation &&
                  head->kept_place == kept->place && head->kept_together == kept->together &&
                  !strcmp(head->kept_told, kept->told) && !memcmp(input, kept->input, bytes);
    kept->evaluation = head->kept_evaluation;
    if (kept->evaluation < 0)
        return;
    kept->place = head->kept_place;
    kept->together = head->kept_together;
    memcpy(kept->told, head->kept_told, sizeof kept->told);
    memcpy(kept->input, input, bytes);
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
    int arrays = (head.momentum != 0) + (head.kept_evaluation >= 0); /* behind the scheduler's */
    if (memcmp(head.magic, state_magic, sizeof head.magic) || head.elements != run->elements ||
        head.scheduler_bytes < 0 ||
        (uint64_t)head.scheduler_bytes + (uint64_t)arrays * sample_bytes != rest ||
        !check_kept(&head) || head.evaluation < 0 || head.evaluation > sl_run_evaluations(run) ||
        head.given_used < 0 || head.generator.mt_index < 0 || head.generator.mt_index > 624)
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
    const char *behind = p + sample_bytes + head.scheduler_bytes;
    if (head.momentum)
        memcpy(run->momentum, behind, sample_bytes);
    else
        memset(run->momentum, 0, sample_bytes);
    restore_kept(run, &head, behind + (head.momentum ? sample_bytes : 0));
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
