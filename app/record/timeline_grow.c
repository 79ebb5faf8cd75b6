/* timeline_grow.c - a timeline's next evaluation, by itself or as a batch with others'; see timeline.h.
 *
 * Easy to get wrong: other threads read while it grows. Everything is allocated before the first
 * moment, a moment is written completely, and only then the count goes up.
 */
#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

static size_t sample_bytes(const SlTimeline *t)
{
    return (size_t)t->elements * sizeof(float);
}

void sl_timeline_record(SlTimeline *t, const SlMoment *moment)
{
    int i = t->count, slot = sl_timeline_slot(t, i);
    SlMoment *m = &t->moments[i];
    *m = *moment;
    m->x_t = m->x_0 = m->output = NULL;
    if (slot >= 0) {
        size_t at = (size_t)slot * (size_t)t->elements;
        m->x_t = memcpy(t->x_t + at, moment->x_t, sample_bytes(t));
        m->x_0 = memcpy(t->x_0 + at, moment->x_0, sample_bytes(t));
        if (t->output && moment->output)
            m->output = memcpy(t->output + at, moment->output, sample_bytes(t));
    }
    __atomic_store_n(&t->count, i + 1, __ATOMIC_RELEASE);
}

static bool keep_state(SlTimeline *t, SlError *err)
{
    int slot = sl_timeline_slot(t, t->count);
    if (t->interval == 1 || slot < 0)
        return true;
    SlState *state = &t->states[slot];
    state->data = sl_run_save(t->run, &state->bytes);
    return state->data || sl_fail(err, SL_MEMORY, "memory ran out for a run's state");
}

static bool record_frame(SlTimeline *t, const SlFrame *frame, SlError *err)
{
    if (!keep_state(t, err))
        return false;
    SlMoment moment = t->moments[t->count];
    moment.shared = frame->shared;
    moment.place = frame->place;
    moment.together = frame->together;
    t->fast = t->fast || frame->together > 1;
    moment.seconds = frame->seconds;
    moment.elapsed = frame->seconds + (t->count ? t->moments[t->count - 1].elapsed : 0);
    moment.x_t = frame->x_t;
    moment.x_0 = frame->x_0;
    moment.output = frame->model_output;
    sl_timeline_record(t, &moment);
    return true;
}

bool sl_timeline_make(const SlTimeline *t, int i, SlRun *run, SlFrame *frame, SlError *err)
{
    const SlMoment *m = &t->moments[i];
    return sl_run_next_among(run, m->place, m->together ? m->together : 1, frame, err);
}

bool sl_timeline_next(SlTimeline *t, SlModel *model, SlError *err)
{
    SlFrame frame;
    if (!t->run && !(t->run = sl_timeline_run_at(t, model, t->count - 1, err)))
        return false;
    return sl_timeline_make(t, t->count, t->run, &frame, err) && record_frame(t, &frame, err);
}

bool sl_timelines_match(const SlTimeline *a, const SlTimeline *b)
{
    return a->run && b->run && a->count > 0 && b->count > 0 && sl_runs_match(a->run, b->run);
}

bool sl_timelines_repeat(SlTimeline *const *timelines, int count)
{
    for (int i = 0; i < count; i++) {
        const SlMoment *m = &timelines[i]->moments[timelines[i]->count];
        if (timelines[i]->repeats && (m->place != i || m->together != count))
            return false;
    }
    return true;
}

bool sl_timelines_next(SlTimeline *const *timelines, int count, SlError *errs, SlError *err)
{
    SlRun *runs[SL_RUNS_TOGETHER] = {0};
    SlFrame frames[SL_RUNS_TOGETHER];
    for (int i = 0; i < count && i < SL_RUNS_TOGETHER; i++)
        runs[i] = timelines[i]->run;
    if (!sl_runs_next(runs, count, frames, errs, err))
        return false;
    for (int i = 0; i < count; i++) {
        if (errs[i].code == SL_OK)
            record_frame(timelines[i], &frames[i], &errs[i]);
    }
    return true;
}
