/* timeline.c - beginning to record a run, and looking at what was recorded; see timeline.h. */
#include "app/recipe/recipe.h"
#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_BUDGET ((size_t)20 << 20)

static size_t sample_bytes(const SlTimeline *t)
{
    return (size_t)t->elements * sizeof(float);
}

/* ---- what is kept ---- */

int sl_timeline_slot(const SlTimeline *t, int i)
{
    if (t->interval == 1)
        return i;
    if ((i + 1) % t->interval == 0)
        return (i + 1) / t->interval - 1;
    return i == t->total - 1 ? t->slots - 1 : -1;
}

static int slots_for(int total, int interval)
{
    return total / interval + (total % interval != 0);
}

static size_t bytes_for(int total, int interval, size_t sample, size_t state)
{
    size_t slots = (size_t)slots_for(total, interval);
    if (interval == 1)
        return slots * sample * 3;
    return slots * (sample * 2 + state) + (size_t)interval * sample * 2;
}

/* The shortest interval within the budget; where there is none, the one that needs least. */
static int choose_interval(int total, size_t sample, size_t state, size_t budget)
{
    int best = 1;
    for (int k = 1; k <= total; k++) {
        size_t bytes = bytes_for(total, k, sample, state);
        if (bytes <= budget)
            return k;
        if (bytes < bytes_for(total, best, sample, state))
            best = k;
    }
    return best;
}

static bool make_arrays(SlTimeline *t, bool outputs)
{
    size_t values = (size_t)t->slots * (size_t)t->elements;
    t->moments = calloc((size_t)t->total, sizeof *t->moments);
    t->noise = calloc((size_t)t->elements, sizeof *t->noise);
    t->x_t = calloc(values, sizeof *t->x_t);
    t->x_0 = calloc(values, sizeof *t->x_0);
    t->output = outputs && t->interval == 1 ? calloc(values, sizeof *t->output) : NULL;
    t->states = t->interval > 1 ? calloc((size_t)t->slots, sizeof *t->states) : NULL;
    return t->moments && t->noise && t->x_t && t->x_0 &&
           (t->output || !outputs || t->interval > 1) && (t->states || t->interval == 1);
}

SlTimeline *sl_timeline_shaped(const SlRecipe *recipe, const SlOrigin *origin,
                               const SlTimelineShape *shape, SlError *err)
{
    SlTimeline *t = calloc(1, sizeof *t);
    bool ok = t != NULL;
    if (ok) {
        t->channels = shape->channels;
        t->height = shape->height;
        t->width = shape->width;
        t->elements = (int64_t)shape->channels * shape->height * shape->width;
        t->total = shape->total;
        t->interval = shape->interval;
        t->slots = slots_for(t->total, t->interval);
        t->recipe = sl_recipe_copy(recipe);
        t->origin = sl_origin_copy(origin);
        ok = t->recipe && (t->origin || !origin) && make_arrays(t, shape->outputs);
    }
    if (ok)
        return t;
    sl_timeline_free(t);
    sl_fail(err, SL_MEMORY, "memory ran out for the moments of a run");
    return NULL;
}

void sl_timeline_free(SlTimeline *t)
{
    if (!t)
        return;
    sl_run_free(t->run);
    if (t->own_share)
        sl_share_free(t->share);
    for (int i = 0; t->states && i < t->slots; i++)
        free(t->states[i].data);
    free(t->states);
    free(t->start.data);
    free(t->recipe);
    sl_origin_free(t->origin);
    free(t->warning);
    free(t->moments);
    free(t->noise);
    free(t->x_t);
    free(t->x_0);
    free(t->output);
    free(t->stretch);
    free(t);
}

/* ---- beginning ---- */

void sl_timeline_set_batches(SlTimeline *t, const SlBatches *batches)
{
    for (int i = 0; i < t->total; i++) {
        SlBatch batch = sl_batches_at(batches, i);
        t->moments[i].place = batch.place;
        t->moments[i].together = batch.together;
    }
    t->repeats = true;
}

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
        m->level = m->last ? 0 : sl_scheduler_sigma(s, evaluation + 1);
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
    size_t state = 0,
           budget = b->options && b->options->budget ? b->options->budget : DEFAULT_BUDGET;
    size_t sample = (size_t)sl_run_sample_elements(b->run) * sizeof(float);
    int total = sl_run_evaluations(b->run) - sl_run_evaluation(b->run);
    free(sl_run_save(b->run, &state));
    const SlTimelineShape shape = {.channels = info->channels,
                                   .height = recipe->height / info->factor,
                                   .width = recipe->width / info->factor,
                                   .total = total,
                                   .interval = choose_interval(total, sample, state, budget),
                                   .outputs = true};
    return sl_timeline_shaped(recipe, b->origin, &shape, err);
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
    if (fill(t, b, err))
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
                       moment >= 0 ? "nothing is left to do there" : "the run does not have it",
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
    SlRun *from = origin && moment >= 0 ? sl_timeline_run_at(parent, model, moment, err) : NULL;
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

/* ---- looking ---- */

bool sl_timeline_done(const SlTimeline *t)
{
    return sl_timeline_count(t) == t->total;
}

const SlRecipe *sl_timeline_recipe(const SlTimeline *t)
{
    return t->recipe;
}

const SlOrigin *sl_timeline_origin(const SlTimeline *t)
{
    return t->origin;
}

const char *sl_timeline_warning(const SlTimeline *t)
{
    return t->warning;
}

void sl_timeline_given(const SlTimeline *t, bool *latents, bool *step_noise)
{
    *latents = t->given_latents;
    *step_noise = t->given_step_noise;
}

bool sl_timeline_fast(const SlTimeline *t)
{
    return t->fast;
}

bool sl_timeline_batches(const SlTimeline *t, int count, SlBatches *batches)
{
    bool ok = true;
    *batches = (SlBatches){0};
    for (int i = 0; ok && i < count; i++) {
        const SlMoment *m = &t->moments[i];
        ok = sl_batches_add(batches, m->place, m->together ? m->together : 1);
    }
    return ok;
}

void sl_timeline_size(const SlTimeline *t, int *channels, int *height, int *width)
{
    *channels = t->channels;
    *height = t->height;
    *width = t->width;
}

int64_t sl_timeline_elements(const SlTimeline *t)
{
    return t->elements;
}

int sl_timeline_count(const SlTimeline *t)
{
    return __atomic_load_n(&t->count, __ATOMIC_ACQUIRE);
}

int sl_timeline_total(const SlTimeline *t)
{
    return t->total;
}

const SlMoment *sl_timeline_moment(const SlTimeline *t, int i)
{
    return &t->moments[i];
}

SlMoment sl_timeline_planned(const SlTimeline *t, int i)
{
    /* field by field: the others may just be written */
    const SlMoment *m = &t->moments[i];
    return (SlMoment){.evaluation = m->evaluation,
                      .step = m->step,
                      .ends_step = m->ends_step,
                      .last = m->last,
                      .place = t->repeats ? m->place : 0,
                      .together = t->repeats ? m->together : 0,
                      .timestep = m->timestep,
                      .sigma = m->sigma,
                      .level = m->level,
                      .work = m->work};
}

const float *sl_timeline_noise(const SlTimeline *t)
{
    return t->noise;
}

const char *sl_timeline_noise_sha256(const SlTimeline *t)
{
    return t->noise_sha256;
}

int sl_timeline_step_end(const SlTimeline *t, int step)
{
    int count = sl_timeline_count(t);
    for (int i = 0; i < count; i++)
        if (t->moments[i].ends_step && t->moments[i].step + 1 == step)
            return i;
    return -1;
}

int sl_timeline_steps_done(const SlTimeline *t)
{
    for (int i = sl_timeline_count(t) - 1; i >= 0; i--)
        if (t->moments[i].ends_step)
            return t->moments[i].step + 1;
    return t->moments[0].step;
}

int sl_timeline_interval(const SlTimeline *t)
{
    return t->interval;
}

size_t sl_timeline_bytes(const SlTimeline *t)
{
    size_t sample = sample_bytes(t), bytes = sizeof *t + (size_t)t->total * sizeof *t->moments;
    size_t arrays = (size_t)t->slots * (t->output ? 3 : 2);
    bytes += sample * (1 + arrays + (t->stretch ? 2 * (size_t)t->interval : 0)) + t->start.bytes;
    for (int i = 0; t->states && i < t->slots; i++)
        bytes += t->states[i].data ? t->states[i].bytes : 0;
    return bytes;
}
