/* timeline_again.c - moments computed again: runs brought to any of them, what lies between
 * keyframes, and what the model said. See timeline.h.
 *
 * With the recorded outputs the scheduler alone is run again; with keyframes the model is, from the
 * keyframe before. Easy to get wrong: a saved state does not hold x_0, so a run that has to know its
 * last x_0 is restored one keyframe earlier.
 */
#include "app/record/timeline_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t sample_bytes(const SlTimeline *t)
{
    return (size_t)t->elements * sizeof(float);
}

SlShare *sl_timeline_share(SlTimeline *t, SlModel *model, SlError *err)
{
    if (!t->share) {
        t->share = sl_share_new(model);
        t->own_share = t->share != NULL;
        t->inputs.share = t->share;
    }
    if (!t->share)
        sl_fail(err, SL_MEMORY, "memory ran out");
    return t->share;
}

/* ---- runs ---- */

/* At the timeline's own start. A branch that was loaded without its state is computed from noise. */
static SlRun *run_at_start(SlTimeline *t, SlModel *model, SlError *err)
{
    if (!sl_timeline_share(t, model, err))
        return NULL;
    if (t->given_latents != (t->inputs.latents != NULL) ||
        t->given_step_noise != (t->inputs.step_noise != NULL)) {
        sl_fail(err, SL_UNSUPPORTED,
                "the run's noise came from a file (--latents, --step-noise) that is not here, so "
                "what was not kept of it cannot be computed again");
        return NULL;
    }
    const SlOriginCall call = {.inputs = &t->inputs};
    bool known = t->start.data != NULL;
    SlRun *run = sl_origin_run(model, t->recipe, known ? NULL : t->origin, &call, err);
    if (run && known && !sl_run_restore(run, t->start.data, t->start.bytes, err)) {
        sl_run_free(run);
        run = NULL;
    }
    if (run && sl_run_evaluation(run) != t->moments[0].evaluation) {
        sl_fail(err, SL_FORMAT, "the run begins with evaluation %d here; expected %d",
                sl_run_evaluation(run) + 1, t->moments[0].evaluation + 1);
        sl_run_free(run);
        run = NULL;
    }
    return run;
}

/* The last moment before i whose state is there, -1 when there is none. */
static int keyframe_before(const SlTimeline *t, int i)
{
    int k = t->interval > 1 ? i / t->interval * t->interval - 1 : -1;
    while (k >= 0 && !t->states[sl_timeline_slot(t, k)].data)
        k -= t->interval;
    return k >= 0 ? k : -1;
}

static SlRun *run_at_keyframe(SlTimeline *t, SlModel *model, int keyframe, SlError *err)
{
    SlRun *run = run_at_start(t, model, err);
    const SlState *state = keyframe >= 0 ? &t->states[sl_timeline_slot(t, keyframe)] : NULL;
    if (run && state && !sl_run_restore(run, state->data, state->bytes, err)) {
        sl_run_free(run);
        return NULL;
    }
    return run;
}

/* A timeline that was loaded has no states: what is passed on the way is kept for the next time. */
static bool keep_place(SlTimeline *t, const SlRun *run, int i, SlError *err)
{
    int slot = t->interval > 1 && (i + 1) % t->interval == 0 ? sl_timeline_slot(t, i) : -1;
    SlState *state = slot >= 0 ? &t->states[slot] : NULL;
    if (!state || state->data)
        return true;
    state->data = sl_run_save(run, &state->bytes);
    return state->data || sl_fail(err, SL_MEMORY, "memory ran out for a run's state");
}

SlRun *sl_timeline_run_at(SlTimeline *t, SlModel *model, int i, SlError *err)
{
    int at = keyframe_before(t, i);
    SlRun *run = run_at_keyframe(t, model, at, err);
    bool ok = run != NULL;
    while (ok && at < i) {
        const float *output = t->moments[++at].output;
        ok = output ? sl_run_advance(run, output, NULL, err)
                    : sl_timeline_make(t, at, run, NULL, err);
        ok = ok && keep_place(t, run, at, err);
    }
    if (ok)
        return run;
    sl_run_free(run);
    return NULL;
}

/* ---- samples ---- */

static bool in_stretch(const SlTimeline *t, int i)
{
    return t->stretch && i >= t->stretch_first && i < t->stretch_first + t->stretch_count;
}

static void keep_moment(SlTimeline *t, const SlFrame *frame)
{
    size_t room = (size_t)t->interval * (size_t)t->elements;
    size_t place = (size_t)t->stretch_count * (size_t)t->elements;
    memcpy(t->stretch + place, frame->x_t, sample_bytes(t));
    memcpy(t->stretch + room + place, frame->x_0, sample_bytes(t));
    t->stretch_count++;
}

/* Computes what lies between the keyframes around moment i, and keeps it. */
static bool compute_stretch(SlTimeline *t, SlModel *model, int i, SlError *err)
{
    int keyframe = keyframe_before(t, i), first = i / t->interval * t->interval;
    if (!t->stretch)
        t->stretch = malloc((size_t)t->interval * (size_t)t->elements * 2 * sizeof *t->stretch);
    if (!t->stretch)
        return sl_fail(err, SL_MEMORY, "memory ran out for the moments of a run");
    t->stretch_first = first;
    t->stretch_count = 0;
    SlRun *run = run_at_keyframe(t, model, keyframe, err);
    bool ok = run != NULL;
    for (int at = keyframe + 1; ok && at < first + t->interval && at < t->count; at++) {
        SlFrame frame;
        ok = sl_timeline_make(t, at, run, &frame, err) && keep_place(t, run, at, err);
        if (ok && at >= first)
            keep_moment(t, &frame);
    }
    sl_run_free(run);
    return ok;
}

bool sl_timeline_fetch(SlTimeline *t, SlModel *model, int i, float *x_t, float *x_0, SlError *err)
{
    if (i < 0 || i >= t->count)
        return sl_fail(err, SL_ARGUMENT, "moment %d is not there; expected 1 to %d", i + 1,
                       t->count);
    const float *from_t = t->moments[i].x_t, *from_0 = t->moments[i].x_0;
    if (!from_t) {
        if (!in_stretch(t, i) && !compute_stretch(t, model, i, err))
            return false;
        from_t = t->stretch + (size_t)(i - t->stretch_first) * (size_t)t->elements;
        from_0 = from_t + (size_t)t->interval * (size_t)t->elements;
    }
    if (x_t)
        memcpy(x_t, from_t, sample_bytes(t));
    if (x_0)
        memcpy(x_0, from_0, sample_bytes(t));
    return true;
}

/* ---- what the model said ---- */

/* The sample before moment i. */
static bool sample_before(SlTimeline *t, SlModel *model, const SlRun *at_start, int i, float *x_t,
                          SlError *err)
{
    if (i > 0)
        return sl_timeline_fetch(t, model, i - 1, x_t, NULL, err);
    memcpy(x_t, sl_run_sample(at_start), sample_bytes(t));
    return true;
}

/* The prediction as noise, whatever the model was trained to say; input is variance preserving. */
static void to_noise(const SlRun *run, const SlFrame *frame, const float *input, int64_t n,
                     float *noise)
{
    SlPrediction prediction = sl_scheduler_prediction(sl_run_scheduler(run));
    double alpha = 1 / sqrt(1 + frame->sigma * frame->sigma), sigma = frame->sigma * alpha;
    for (int64_t i = 0; i < n; i++) {
        double said = frame->model_output[i];
        if (prediction == SL_PREDICT_V)
            said = alpha * said + sigma * input[i];
        else if (prediction == SL_PREDICT_SAMPLE)
            said = sigma > 0 ? (input[i] - alpha * said) / sigma : 0;
        noise[i] = (float)said;
    }
}

static bool look(SlTimeline *t, SlModel *model, int i, float *noise, float *term, float *x_t,
                 SlError *err)
{
    SlFrame frame;
    SlRun *run = run_at_start(t, model, err);
    bool ok = run && sample_before(t, model, run, i, x_t, err) &&
              sl_run_look(run, t->moments[i].evaluation, x_t, &frame, err);
    if (ok && term && frame.guidance_term)
        memcpy(term, frame.guidance_term, sample_bytes(t));
    else if (ok && term)
        memset(term, 0, sample_bytes(t));
    if (ok && noise) {
        sl_scheduler_input_at(sl_run_scheduler(run), t->moments[i].evaluation, x_t, x_t);
        to_noise(run, &frame, x_t, t->elements, noise);
    }
    sl_run_free(run);
    return ok;
}

bool sl_timeline_look(SlTimeline *t, SlModel *model, int i, float *noise, float *term, SlError *err)
{
    float *x_t = malloc(sample_bytes(t));
    if (!x_t)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    bool ok = i >= 0 && i < t->count
                  ? look(t, model, i, noise, term, x_t, err)
                  : sl_fail(err, SL_ARGUMENT, "moment %d is not there; expected 1 to %d", i + 1,
                            t->count);
    free(x_t);
    return ok;
}
