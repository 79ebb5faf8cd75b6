/* timeline_run.c - a timeline's runs: beginning one, its next evaluations by itself or in a batch
 * with others', and moments computed again; see timeline.h.
 *
 * With the recorded outputs the scheduler alone is run again; with keyframes the model is, from the
 * keyframe before. Easy to get wrong: a saved state does not hold x_0, so a run that has to know
 * its last x_0 is restored one keyframe earlier. And a run must not be ahead of what was recorded
 * of it: where recording fails, the run is let go.
 */
#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_BUDGET ((size_t)20 << 20)

static size_t sample_bytes(const SlTimeline *t)
{
    return (size_t)t->elements * sizeof(float);
}

static SlShare *share_of(SlTimeline *t, SlModel *model, SlError *err)
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

/* A timeline that was loaded has the plan that its file says. */
static bool is_run_of(const SlTimeline *t, const SlRun *run, SlError *err)
{
    int first = t->moments[0].evaluation;
    if (sl_run_evaluation(run) != first)
        return sl_fail(err, SL_FORMAT, "the run begins with evaluation %d here; expected %d",
                       sl_run_evaluation(run) + 1, first + 1);
    if (sl_run_evaluations(run) != first + t->total)
        return sl_fail(err, SL_FORMAT, "the run has %d evaluations here; expected %d",
                       sl_run_evaluations(run), first + t->total);
    return sl_run_sample_elements(run) == t->elements ||
           sl_fail(err, SL_FORMAT, "the run's sample has %lld numbers here; expected %lld",
                   (long long)sl_run_sample_elements(run), (long long)t->elements);
}

/* At the timeline's own start. A branch that was loaded without its state is computed from
 * noise. */
static SlRun *run_at_start(SlTimeline *t, SlModel *model, SlError *err)
{
    if (t->only_shown) {
        sl_fail(
            err, SL_UNSUPPORTED,
            "the run that a branch left is not in the file, so what was not kept of it cannot be "
            "computed again");
        return NULL;
    }
    if (!share_of(t, model, err))
        return NULL;
    if (t->given_latents != (t->inputs.latents != NULL) ||
        t->given_step_noise != (t->inputs.step_noise != NULL)) {
        sl_fail(err, SL_UNSUPPORTED,
                "the run's noise came from a file (--latents, --step-noise) that is not here, so "
                "what was not kept of it cannot be computed again");
        return NULL;
    }
    SlRunInputs inputs = t->inputs;
    inputs.settled = true;
    const SlOriginCall call = {.inputs = &inputs};
    bool known = t->start.data != NULL;
    SlRun *run = sl_origin_run(model, t->recipe, known ? NULL : t->origin, &call, err);
    if (run && known && !sl_run_restore(run, t->start.data, t->start.bytes, err)) {
        sl_run_free(run);
        run = NULL;
    }
    if (!run || is_run_of(t, run, err))
        return run;
    sl_run_free(run);
    return NULL;
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

static bool save_state(SlTimeline *t, const SlRun *run, SlState *state, SlError *err)
{
    state->data = sl_run_save(run, &state->bytes);
    if (!state->data)
        return sl_fail(err, SL_MEMORY, "memory ran out for a run's state");
    __atomic_add_fetch(&t->state_bytes, state->bytes, __ATOMIC_RELAXED);
    return true;
}

/* A timeline that was loaded has no states: what is passed on the way is kept for the next time. */
static bool keep_place(SlTimeline *t, const SlRun *run, int i, SlError *err)
{
    int slot = t->interval > 1 && (i + 1) % t->interval == 0 ? sl_timeline_slot(t, i) : -1;
    SlState *state = slot >= 0 ? &t->states[slot] : NULL;
    if (!state || state->data)
        return true;
    return save_state(t, run, state, err);
}

/* Moment i's evaluation, as it was made the first time. */
static bool make_moment(const SlTimeline *t, int i, SlRun *run, SlFrame *frame, SlError *err)
{
    const SlMoment *m = &t->moments[i];
    return sl_run_next_among(run, m->place, m->together ? m->together : 1, frame, err);
}

/* A run that stands behind moment i (-1: at its start), with its last x_0 where that is not -1. */
static SlRun *run_at(SlTimeline *t, SlModel *model, int i, SlError *err)
{
    int at = keyframe_before(t, i);
    SlRun *run = run_at_keyframe(t, model, at, err);
    bool ok = run != NULL;
    while (ok && at < i) {
        const SlMoment *m = &t->moments[++at];
        bool known = m->output && (m->said || !sl_run_needs_said(run));
        const SlKnown of = {m->output, m->said, m->cached, m->place, m->together};
        ok = known ? sl_run_advance(run, &of, NULL, err) : make_moment(t, at, run, NULL, err);
        ok = ok && keep_place(t, run, at, err);
    }
    if (ok)
        return run;
    sl_run_free(run);
    return NULL;
}

SlRun *sl_timeline_run_at(SlTimeline *t, SlModel *model, SlShare *share, int i, SlError *err)
{
    SlShare *own = t->share, *of_inputs = t->inputs.share;
    t->share = t->inputs.share = share;
    SlRun *run = run_at(t, model, i, err);
    t->share = own;
    t->inputs.share = of_inputs;
    return run;
}

/* ---- beginning ---- */

/* Evaluations, steps and noise levels of all moments. */
static void plan(SlTimeline *t, const SlRun *run, int work)
{
    const SlScheduler *s = sl_run_scheduler(run);
    int evaluations = sl_run_evaluations(run), first = evaluations - t->total;
    for (int i = 0; i < t->total; i++) {
        SlMoment *m = &t->moments[i];
        int evaluation = first + i;
        m->evaluation = evaluation;
        m->step = sl_scheduler_step_of(s, evaluation, &m->ends_step);
        m->last = evaluation + 1 == evaluations;
        m->timestep = sl_scheduler_timestep(s, evaluation);
        m->sigma = sl_scheduler_sigma(s, evaluation);
        m->work = work + i + 1;
    }
}

typedef struct Begin {
    SlRun *run; /* taken over */
    const SlOrigin *origin;
    const SlTimelineOptions *options;
    SlShare *share;
    bool own_share;
    int work; /* of the ancestors */
} Begin;

static SlTimeline *shape_for(SlModel *model, const Begin *b, SlError *err)
{
    const SlModelInfo *info = sl_model_info(model);
    const SlRecipe *recipe = sl_run_recipe(b->run);
    const SlTimelineShape shape = {.channels = info->channels,
                                   .height = recipe->height / info->factor,
                                   .width = recipe->width / info->factor,
                                   .total = sl_run_evaluations(b->run) - sl_run_evaluation(b->run),
                                   .views = b->options && b->options->views,
                                   .guided = sl_run_is_guided(b->run)};
    return sl_timeline_shaped(recipe, b->origin, &shape, err);
}

bool sl_timeline_set_budget(SlTimeline *t, size_t budget, SlError *err)
{
    size_t state = 0;
    if (t->interval > 0)
        return true;
    free(sl_run_save(t->run, &state));
    sl_timeline_plan_keeping(t, budget ? budget : DEFAULT_BUDGET, state);
    return sl_timeline_keep(t, err);
}

/* With room for what is kept of it and of those that are opened with it. */
static bool keep(SlTimeline *t, SlModel *model, const SlTimelineOptions *options, SlError *err)
{
    size_t budget = options && options->budget ? options->budget : DEFAULT_BUDGET, state = 0;
    free(sl_run_save(t->run, &state));
    size_t bytes = sl_timeline_plan_keeping(t, budget, state);
    size_t together = options ? (size_t)options->together : 0;
    if (together > 0 && t->keeps_said &&
        !sl_model_check_memory(model, t->recipe, bytes * together, NULL)) {
        t->keeps_said = false;
        bytes = sl_timeline_whole(t);
    }
    return (together == 0 || sl_model_check_memory(model, t->recipe, bytes * together, err)) &&
           sl_timeline_keep(t, err);
}

size_t sl_timeline_whole_bytes(const SlTimeline *t)
{
    return sl_timeline_whole(t);
}

static bool fill(SlTimeline *t, const Begin *b, SlError *err)
{
    const char *warning = sl_run_warning(b->run);
    memcpy(t->noise, sl_run_noise(b->run), sample_bytes(t));
    sl_sha256(t->noise, sample_bytes(t), t->noise_sha256);
    plan(t, b->run, b->work);
    if (b->options && b->options->batches)
        sl_timeline_set_batches(t, b->options->batches);
    if (warning && !(t->warning = strdup(warning)))
        return sl_fail(err, SL_MEMORY, "memory ran out");
    if (sl_run_evaluation(b->run) > 0 && !(t->start.data = sl_run_save(b->run, &t->start.bytes)))
        return sl_fail(err, SL_MEMORY, "memory ran out for the start of a branch");
    if (b->options && b->options->inputs)
        t->inputs = *b->options->inputs;
    t->given_latents = t->inputs.latents != NULL;
    t->given_step_noise = t->inputs.step_noise != NULL;
    t->inputs.share = t->share;
    if (!b->options || !b->options->words)
        return true;
    if (!sl_word_record_new(&t->words, t->run, t->total, err))
        return false;
    sl_run_want_maps(t->run, t->words ? SL_MAPS_TEXT : SL_MAPS_NONE);
    return true;
}

/* Owns the run and the share from here on. */
static SlTimeline *begin(SlModel *model, const Begin *b, SlError *err)
{
    SlTimeline *t = b->run ? shape_for(model, b, err) : NULL;
    if (!t) {
        sl_run_free(b->run);
        if (b->own_share)
            sl_share_free(b->share);
        return NULL;
    }
    t->run = b->run;
    t->share = b->share;
    t->own_share = b->own_share;
    bool later = b->options && b->options->keep_later;
    if (fill(t, b, err) && (later || keep(t, model, b->options, err)))
        return t;
    sl_timeline_free(t);
    return NULL;
}

static bool make_share(SlModel *model, const SlTimelineOptions *options, Begin *b, SlError *err)
{
    b->share = options && options->inputs ? options->inputs->share : NULL;
    b->own_share = !b->share;
    if (!b->share)
        b->share = sl_share_new(model);
    return b->share || sl_fail(err, SL_MEMORY, "memory ran out");
}

static bool count_work(void *arg, SlRun *run, const SlFrame *frame, SlError *err)
{
    *(int *)arg += 1;
    return true;
}

SlTimeline *sl_timeline_new(SlModel *model, const SlRecipe *recipe,
                            const SlTimelineOptions *options, SlError *err)
{
    Begin b = {.origin = options ? options->origin : NULL, .options = options};
    if (!make_share(model, options, &b, err))
        return NULL;
    SlRunInputs inputs = options && options->inputs ? *options->inputs : (SlRunInputs){0};
    inputs.share = b.share;
    const SlOriginCall call = {.inputs = &inputs, .frame = count_work, .arg = &b.work};
    b.run = sl_origin_run(model, recipe, b.origin, &call, err);
    return begin(model, &b, err);
}

/* ---- a branch ---- */

static SlOrigin *origin_at(const SlTimeline *parent, int step, int moment)
{
    SlOrigin *origin = sl_origin_new(parent->recipe, parent->origin, step);
    if (!origin)
        return NULL;
    if (moment >= 0 && parent->moments[moment].x_t)
        sl_sha256(parent->moments[moment].x_t, sample_bytes(parent), origin->sha256);
    if (sl_timeline_batches(parent, moment + 1, &origin->batches))
        return origin;
    sl_origin_free(origin);
    return NULL;
}

static bool check_branch(SlTimeline *parent, int step, int moment, SlError *err)
{
    bool begins = step == 0 && !parent->start.data;
    if ((moment < 0 && !begins) || (moment >= 0 && parent->moments[moment].last))
        return sl_fail(err, SL_ARGUMENT,
                       "a branch after step %d is not possible: %s; expected %d to %d", step,
                       moment >= 0 ? sl_words("nothing is left to do there")
                                   : sl_words("the run does not have it"),
                       parent->start.data ? parent->moments[0].step + 1 : 0,
                       sl_timeline_steps_done(parent) - (sl_timeline_done(parent) ? 1 : 0));
    return sl_origin_depth(parent->origin) < SL_ORIGIN_MAX_DEPTH ||
           sl_fail(err, SL_ARGUMENT, "the run is already %d branches deep", SL_ORIGIN_MAX_DEPTH);
}

SlTimeline *sl_timeline_branch(SlModel *model, SlTimeline *parent, int step, const SlRecipe *recipe,
                               const SlTimelineOptions *options, SlError *err)
{
    int moment = step > 0 ? sl_timeline_step_end(parent, step) : -1;
    Begin b = {.options = options, .work = moment >= 0 ? parent->moments[moment].work : 0};
    if (!check_branch(parent, step, moment, err))
        return NULL;
    SlOrigin *origin = origin_at(parent, step, moment);
    SlRun *from = origin && moment >= 0 ? run_at(parent, model, moment, err) : NULL;
    SlTimeline *t = NULL;
    b.origin = origin;
    if (!origin)
        sl_fail(err, SL_MEMORY, "memory ran out");
    else if ((from || moment < 0) && make_share(model, options, &b, err)) {
        SlRunInputs inputs = parent->inputs;
        inputs.share = b.share;
        b.run = sl_run_new(model, recipe, &inputs, err);
        if (b.run && from && !sl_run_continue(b.run, from, err)) {
            sl_run_free(b.run);
            b.run = NULL;
        }
        SlTimelineOptions own = options ? *options : (SlTimelineOptions){0};
        own.inputs = &inputs;
        b.options = &own;
        t = begin(model, &b, err);
    }
    sl_run_free(from);
    sl_origin_free(origin);
    return t;
}

/* ---- advancing ---- */

/* The state at which its run was let go, or the last moment. */
static bool go_on(SlTimeline *t, SlModel *model, SlError *err)
{
    if (!t->paused.data)
        t->run = run_at(t, model, t->count - 1, err);
    else if ((t->run = run_at_start(t, model, err)) &&
             !sl_run_restore(t->run, t->paused.data, t->paused.bytes, err)) {
        sl_run_free(t->run);
        t->run = NULL;
    }
    if (!t->run)
        return false;
    free(t->paused.data);
    t->paused = (SlState){0};
    sl_run_want_maps(t->run, t->words ? SL_MAPS_TEXT : SL_MAPS_NONE);
    return true;
}

static bool keep_state(SlTimeline *t, SlError *err)
{
    int slot = sl_timeline_slot(t, t->count);
    return t->interval == 1 || slot < 0 || t->states[slot].data ||
           save_state(t, t->run, &t->states[slot], err);
}

/* Every by-th pixel of every by-th row. */
static void shrink(const uint8_t *from, int width, int by, uint8_t *to, int height, int across)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < across; x++) {
            const uint8_t *pixel =
                from + 3 * ((size_t)y * (size_t)by * (size_t)width + (size_t)x * (size_t)by);
            memcpy(to + 3 * ((size_t)y * (size_t)across + (size_t)x), pixel, 3);
        }
}

static bool keep_preview(SlTimeline *t, const SlModel *model, const SlMoment *m, bool noisy,
                         SlError *err)
{
    int height, width;
    const float *sample = noisy || m->last ? m->x_t : m->x_0;
    uint8_t *to = sl_timeline_preview_place(t, t->count, noisy, &height, &width);
    if (!to || height == t->height) {
        if (to)
            sl_preview(model, sample, t->height, t->width, to);
        return true;
    }
    uint8_t *rgb = malloc((size_t)t->height * (size_t)t->width * 3);
    if (!rgb)
        return sl_fail(err, SL_MEMORY, "memory ran out for a preview");
    int most = t->width > t->height ? t->width : t->height;
    sl_preview(model, sample, t->height, t->width, rgb);
    shrink(rgb, t->width, (most + t->light_side - 1) / t->light_side, to, height, width);
    free(rgb);
    return true;
}

static void halve(const float *values, int64_t n, uint16_t *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = values ? sl_f32_to_f16(values[i]) : 0;
}

static uint16_t *keep_half(SlTimeline *t, int which, const float *values)
{
    int slot = sl_timeline_slot(t, t->count);
    if (!t->half[which] || slot < 0)
        return NULL;
    uint16_t *to = t->half[which] + (size_t)slot * (size_t)t->elements;
    halve(values, t->elements, to);
    return to;
}

static bool record_frame(SlTimeline *t, const SlModel *model, const SlFrame *frame, SlError *err)
{
    SlMoment moment = t->moments[t->count];
    moment.shared = frame->shared;
    moment.cached = frame->cached;
    moment.place = frame->place;
    moment.together = frame->together;
    moment.seconds = frame->seconds;
    moment.refined = frame->refined;
    moment.elapsed = frame->seconds + (t->count ? t->moments[t->count - 1].elapsed : 0);
    moment.x_t = frame->x_t;
    moment.x_0 = frame->x_0;
    moment.output = frame->model_output;
    moment.said = frame->said;
    if (!keep_state(t, err) || !keep_preview(t, model, &moment, false, err) ||
        !keep_preview(t, model, &moment, true, err) ||
        (t->words && !sl_word_record_add(t->words, t->count, t->run, frame, err)))
        return false;
    moment.output16 = keep_half(t, 0, frame->model_output);
    moment.guidance16 = keep_half(t, 1, frame->guidance_term);
    sl_timeline_record(t, &moment);
    t->new_x_t = frame->x_t;
    t->new_x_0 = frame->x_0;
    return true;
}

static void drop_run(SlTimeline *t)
{
    sl_run_free(t->run);
    t->run = NULL;
    t->new_x_t = t->new_x_0 = NULL;
}

/* A run that is ahead of what could be recorded is let go: the next call makes that moment
 * again. */
static bool record_or_undo(SlTimeline *t, const SlModel *model, const SlFrame *frame, SlError *err)
{
    bool ok = record_frame(t, model, frame, err);
    if (!ok)
        drop_run(t);
    return ok;
}

bool sl_timeline_next(SlTimeline *t, SlModel *model, SlError *err)
{
    SlFrame frame;
    return (t->run || go_on(t, model, err)) && sl_timeline_set_budget(t, 0, err) &&
           make_moment(t, t->count, t->run, &frame, err) && record_or_undo(t, model, &frame, err);
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

bool sl_timelines_next(SlTimeline *const *timelines, int count, SlModel *model, SlError *errs,
                       SlError *err)
{
    SlRun *runs[SL_RUNS_TOGETHER] = {0};
    SlFrame frames[SL_RUNS_TOGETHER];
    for (int i = 0; i < count && i < SL_RUNS_TOGETHER; i++)
        runs[i] = timelines[i]->run;
    if (!sl_runs_next(runs, count, frames, errs, err))
        return false;
    for (int i = 0; i < count; i++) {
        if (errs[i].code == SL_OK)
            record_or_undo(timelines[i], model, &frames[i], &errs[i]);
    }
    return true;
}

void sl_timeline_newest(const SlTimeline *t, const float **x_t, const float **x_0)
{
    *x_t = t->new_x_t;
    *x_0 = t->new_x_0;
}

bool sl_timeline_is_running(const SlTimeline *t)
{
    return t->run != NULL;
}

void sl_timeline_share_with(SlTimeline *t, SlShare *share)
{
    if (t->share || !share)
        return;
    t->share = share;
    t->inputs.share = share;
}

/* With the outputs a run is brought back without the model; otherwise its state is kept, and
 * without memory for that it is computed from the last keyframe. */
void sl_timeline_rest(SlTimeline *t)
{
    if (t->run && t->count > 0 && t->count < t->total && !t->output)
        t->paused.data = sl_run_save(t->run, &t->paused.bytes);
    drop_run(t);
    if (t->own_share)
        sl_share_free(t->share);
    t->share = NULL;
    t->own_share = false;
    t->inputs.share = NULL;
}

/* ---- computing again ---- */

static bool in_stretch(const SlTimeline *t, int i)
{
    return t->stretch && i >= t->stretch_first && i < t->stretch_first + t->stretch_count;
}

static void keep_moment(SlTimeline *t, const SlFrame *frame)
{
    size_t room = (size_t)t->room * (size_t)t->elements;
    size_t place = (size_t)t->stretch_count * (size_t)t->elements;
    memcpy(t->stretch + place, frame->x_t, sample_bytes(t));
    memcpy(t->stretch + room + place, frame->x_0, sample_bytes(t));
    if (t->stretch16) {
        halve(frame->model_output, t->elements, t->stretch16 + place);
        if (t->guided)
            halve(frame->guidance_term, t->elements, t->stretch16 + room + place);
    }
    t->stretch_count++;
}

static bool make_stretch(SlTimeline *t, SlError *err)
{
    size_t values = (size_t)t->room * (size_t)t->elements;
    size_t bytes = values * 2 * sizeof(float);
    size_t bytes16 = t->views ? values * (t->guided ? 2 : 1) * sizeof(uint16_t) : 0;
    if (!t->stretch)
        t->stretch = malloc(bytes);
    if (!t->stretch16 && bytes16)
        t->stretch16 = malloc(bytes16);
    if (!t->stretch || (bytes16 && !t->stretch16))
        return sl_fail(err, SL_MEMORY, "memory ran out for the moments of a run");
    __atomic_store_n(&t->stretch_bytes, bytes + bytes16, __ATOMIC_RELAXED);
    return true;
}

/* Computes what lies between the keyframes around moment i, and keeps it or the part that i is
 * in. */
static bool compute_stretch(SlTimeline *t, SlModel *model, int i, SlError *err)
{
    int keyframe = keyframe_before(t, i), first = i - i % t->interval % t->room;
    if (!make_stretch(t, err))
        return false;
    t->stretch_first = first;
    t->stretch_count = 0;
    SlRun *run = run_at_keyframe(t, model, keyframe, err);
    bool ok = run != NULL;
    for (int at = keyframe + 1; ok && at < first + t->room && at < t->count; at++) {
        SlFrame frame;
        ok = make_moment(t, at, run, &frame, err) && keep_place(t, run, at, err);
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
        from_0 = from_t + (size_t)t->room * (size_t)t->elements;
    }
    if (x_t)
        memcpy(x_t, from_t, sample_bytes(t));
    if (x_0)
        memcpy(x_0, from_0, sample_bytes(t));
    return true;
}

bool sl_timeline_fetched_halves(const SlTimeline *t, int i, uint16_t *output, uint16_t *term,
                                bool *guided)
{
    const SlMoment *m = &t->moments[i];
    size_t half = (size_t)t->elements * sizeof *output;
    *guided = t->guided;
    if (!t->views || (!m->x_t && (!in_stretch(t, i) || !t->stretch16)))
        return false;
    if (!m->x_t) {
        const uint16_t *from = t->stretch16 + (size_t)(i - t->stretch_first) * (size_t)t->elements;
        memcpy(output, from, half);
        if (t->guided)
            memcpy(term, from + (size_t)t->room * (size_t)t->elements, half);
        return true;
    }
    if (m->output16)
        memcpy(output, m->output16, half);
    else if (m->output)
        halve(m->output, t->elements, output);
    if (m->guidance16)
        memcpy(term, m->guidance16, half);
    *guided = m->guidance16 != NULL;
    return m->output16 || m->output;
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

static bool look(SlTimeline *t, SlModel *model, int i, float *noise, float *term, float *x_t,
                 SlError *err)
{
    SlFrame frame;
    /* what an evaluation takes over is known where the run stands before it */
    bool at_start = t->recipe->caching == SL_CACHING_OFF || i == 0;
    SlRun *run = at_start ? run_at_start(t, model, err) : run_at(t, model, i - 1, err);
    bool ok = run && sample_before(t, model, run, i, x_t, err) &&
              sl_run_look(run, t->moments[i].evaluation, x_t, &frame, err);
    if (ok && term && frame.guidance_term)
        memcpy(term, frame.guidance_term, sample_bytes(t));
    else if (ok && term)
        memset(term, 0, sample_bytes(t));
    if (ok && noise) {
        const SlScheduler *s = sl_run_scheduler(run);
        sl_scheduler_input_at(s, t->moments[i].evaluation, x_t, x_t);
        const float *kept = t->moments[i].output;
        sl_scheduler_noise_of(s, t->moments[i].evaluation, kept ? kept : frame.model_output, x_t,
                              noise);
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
