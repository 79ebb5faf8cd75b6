/* timeline.c - what is kept of a run, and looking at it; see timeline.h.
 *
 * Easy to get wrong: other threads read while it grows. Everything is allocated before the first
 * moment, a moment is written completely, and only then the count goes up.
 */
#include "app/recipe/recipe.h"
#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

static size_t sample_bytes(const SlTimeline *t)
{
    return (size_t)t->elements * sizeof(float);
}

/* ---- what is kept ---- */

/* Sides that a preview of a moment which is not kept may have at most. */
static const int light_sides[] = {64, 32, 16};
/* Moments of a stretch that are kept where there is no room for all of it. */
#define SHORT_STRETCH 2
#define LIGHT_SIDES   (int)(sizeof light_sides / sizeof light_sides[0])

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

/* Of one preview of both sides. */
static size_t preview_bytes(int height, int width)
{
    return (size_t)height * (size_t)width * 3 * 2;
}

static int light_step(const SlTimeline *t, int side)
{
    int most = t->width > t->height ? t->width : t->height;
    return most > side ? (most + side - 1) / side : 1;
}

static size_t light_bytes(const SlTimeline *t, int side)
{
    int by = light_step(t, side);
    return preview_bytes((t->height + by - 1) / by, (t->width + by - 1) / by);
}

static size_t said_bytes(const SlTimeline *t)
{
    return t->keeps_said ? 2 * sample_bytes(t) : 0;
}

/* What is shown of a moment that is kept, and of one that was computed again. */
static size_t half_bytes(const SlTimeline *t, bool output)
{
    size_t half = (size_t)t->elements * sizeof(uint16_t);
    return t->views ? half * (size_t)(output + t->guided) : 0;
}

static size_t bytes_for(const SlTimeline *t, int interval, int room, size_t state, int side)
{
    size_t slots = (size_t)slots_for(t->total, interval), sample = sample_bytes(t);
    size_t views = t->views ? preview_bytes(t->height, t->width) : 0;
    if (interval == 1)
        return slots * (sample * 3 + said_bytes(t) + half_bytes(t, false) + views);
    size_t light = t->views ? light_bytes(t, side) : 0;
    return slots * (sample * 2 + state + half_bytes(t, true) + views) +
           ((size_t)t->total - slots) * light + (size_t)room * (sample * 2 + half_bytes(t, true));
}

static size_t word_bytes(const SlTimeline *t)
{
    return t->words ? sl_word_record_bytes(t->words) : 0;
}

size_t sl_timeline_whole(const SlTimeline *t)
{
    return bytes_for(t, 1, 1, 0, 0) + word_bytes(t);
}

/* The largest with which the small previews take no more than a third. */
static int choose_side(const SlTimeline *t, size_t budget)
{
    int i = 0;
    while (i + 1 < LIGHT_SIDES && (size_t)t->total * light_bytes(t, light_sides[i]) > budget / 3)
        i++;
    return light_sides[i];
}

/* The shortest interval within the budget; where there is none, the one that needs least. most:
 * moments of a stretch that are kept when it is computed again. */
static int choose_interval(const SlTimeline *t, int most, size_t state, size_t budget, int side)
{
    int best = 1;
    size_t least = bytes_for(t, 1, 1, state, side);
    for (int k = 1; k <= t->total; k++) {
        size_t bytes = bytes_for(t, k, k < most ? k : most, state, side);
        if (bytes <= budget)
            return k;
        if (bytes < least) {
            least = bytes;
            best = k;
        }
    }
    return best;
}

static bool make_views(SlTimeline *t, bool output16)
{
    size_t values = (size_t)t->slots * (size_t)t->elements;
    size_t between = (size_t)(t->total - t->slots) + 1;
    bool ok = true;
    for (int side = 0; side < 2; side++) {
        t->preview[side] = malloc((size_t)t->slots * preview_bytes(t->height, t->width) / 2);
        if (t->light_side)
            t->light[side] = malloc(between * preview_bytes(t->light_h, t->light_w) / 2);
        ok = ok && t->preview[side] && (t->light[side] || !t->light_side);
    }
    t->half[0] = output16 ? malloc(values * sizeof *t->half[0]) : NULL;
    t->half[1] = t->guided ? malloc(values * sizeof *t->half[1]) : NULL;
    return ok && (t->half[0] || !output16) && (t->half[1] || !t->guided);
}

static bool make_arrays(SlTimeline *t, const SlTimelineShape *shape)
{
    size_t values = (size_t)t->slots * (size_t)t->elements;
    bool outputs = shape->outputs && t->interval == 1;
    t->x_t = malloc(values * sizeof *t->x_t);
    t->x_0 = malloc(values * sizeof *t->x_0);
    t->output = outputs ? malloc(values * sizeof *t->output) : NULL;
    t->said = t->keeps_said ? malloc(2 * values * sizeof *t->said) : NULL;
    t->states = t->interval > 1 ? calloc((size_t)t->slots, sizeof *t->states) : NULL;
    return t->x_t && t->x_0 && (t->output || !outputs) && (t->said || !t->keeps_said) &&
           (t->states || t->interval == 1) && (!t->views || make_views(t, shape->output16));
}

static size_t plan_moments(SlTimeline *t, size_t budget, size_t state)
{
    int side = choose_side(t, budget);
    t->keeps_said = t->guided; /* where all of it fits with them */
    if (bytes_for(t, 1, 1, state, side) > budget)
        t->keeps_said = false;
    t->interval = choose_interval(t, t->total, state, budget, side);
    t->room = t->interval;
    if (bytes_for(t, t->interval, t->room, state, side) > budget) {
        t->interval = choose_interval(t, SHORT_STRETCH, state, budget, side);
        t->room = t->interval < SHORT_STRETCH ? t->interval : SHORT_STRETCH;
    }
    t->slots = slots_for(t->total, t->interval);
    if (t->views && t->interval > 1) {
        int by = light_step(t, side);
        t->light_side = side;
        t->light_h = (t->height + by - 1) / by;
        t->light_w = (t->width + by - 1) / by;
    }
    return bytes_for(t, t->interval, t->room, state, side);
}

/* The maps of the words get what the moments leave, and at least a quarter. */
static size_t words_limit(const SlTimeline *t, size_t budget)
{
    size_t moments = bytes_for(t, 1, 1, 0, 0), part = budget / 4;
    return moments < budget && budget - moments > part ? budget - moments : part;
}

size_t sl_timeline_plan_keeping(SlTimeline *t, size_t budget, size_t state)
{
    if (!t->words)
        return plan_moments(t, budget, state);
    sl_word_record_fit(t->words, words_limit(t, budget));
    size_t words = word_bytes(t);
    return plan_moments(t, budget > words ? budget - words : 0, state) + words;
}

bool sl_timeline_keep(SlTimeline *t, SlError *err)
{
    const SlTimelineShape shape = {.outputs = true, .output16 = t->interval > 1};
    if (t->words && !sl_word_record_keep(t->words, err))
        return false;
    return make_arrays(t, &shape) ||
           sl_fail(err, SL_MEMORY, "memory ran out for the moments of a run");
}

static bool fill_shape(SlTimeline *t, const SlTimelineShape *shape)
{
    t->channels = shape->channels;
    t->height = shape->height;
    t->width = shape->width;
    t->elements = (int64_t)shape->channels * shape->height * shape->width;
    t->total = shape->total;
    t->interval = t->room = shape->interval;
    t->slots = shape->interval ? slots_for(t->total, t->interval) : 0;
    t->views = shape->views;
    t->guided = shape->guided;
    t->moments = calloc((size_t)t->total, sizeof *t->moments);
    t->noise = calloc((size_t)t->elements, sizeof *t->noise);
    return t->moments && t->noise && (!t->interval || make_arrays(t, shape));
}

SlTimeline *sl_timeline_shaped(const SlRecipe *recipe, const SlOrigin *origin,
                               const SlTimelineShape *shape, SlError *err)
{
    SlTimeline *t = calloc(1, sizeof *t);
    bool ok = t != NULL;
    if (ok) {
        t->refs = 1;
        t->recipe = sl_recipe_copy(recipe);
        t->origin = sl_origin_copy(origin);
        ok = t->recipe && (t->origin || !origin) && fill_shape(t, shape);
    }
    if (ok)
        return t;
    sl_timeline_free(t);
    sl_fail(err, SL_MEMORY, "memory ran out for the moments of a run");
    return NULL;
}

/* ---- references ---- */

SlTimeline *sl_timeline_ref(SlTimeline *t)
{
    __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

static void free_arrays(SlTimeline *t)
{
    for (int i = 0; t->states && i < t->slots; i++)
        free(t->states[i].data);
    free(t->states);
    free(t->start.data);
    free(t->recipe);
    sl_origin_free(t->origin);
    free(t->warning);
    sl_word_record_free(t->words);
    free(t->noise);
    free(t->x_t);
    free(t->x_0);
    free(t->output);
    free(t->said);
    for (int k = 0; k < 2; k++) {
        free(t->preview[k]);
        free(t->light[k]);
        free(t->half[k]);
    }
}

void sl_timeline_free(SlTimeline *t)
{
    if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    sl_run_free(t->run);
    if (t->own_share)
        sl_share_free(t->share);
    free(t->moments);
    free(t->paused.data);
    free(t->stretch);
    free(t->stretch16);
    if (t->base)
        sl_timeline_free(t->base);
    else
        free_arrays(t);
    free(t);
}

/* Moments that are not there yet are only planned: the others may just be written. */
SlTimeline *sl_timeline_head(SlTimeline *base, int count)
{
    SlTimeline *t = calloc(1, sizeof *t);
    SlMoment *moments = calloc((size_t)base->total, sizeof *moments);
    if (!t || !moments) {
        free(t);
        free(moments);
        return NULL;
    }
    *t = (SlTimeline){.refs = 1,
                      .base = sl_timeline_ref(base),
                      .recipe = base->recipe,
                      .origin = base->origin,
                      .warning = base->warning,
                      .given_latents = base->given_latents,
                      .given_step_noise = base->given_step_noise,
                      .repeats = base->repeats,
                      .only_shown = base->only_shown,
                      .channels = base->channels,
                      .height = base->height,
                      .width = base->width,
                      .elements = base->elements,
                      .total = base->total,
                      .count = count,
                      .moments = moments,
                      .noise = base->noise,
                      .interval = base->interval,
                      .room = base->room,
                      .slots = base->slots,
                      .x_t = base->x_t,
                      .x_0 = base->x_0,
                      .output = base->output,
                      .keeps_said = base->keeps_said,
                      .said = base->said,
                      .states = base->states,
                      .start = base->start,
                      .views = base->views,
                      .guided = base->guided,
                      .words = base->words,
                      .light_side = base->light_side,
                      .light_h = base->light_h,
                      .light_w = base->light_w};
    memcpy(t->noise_sha256, base->noise_sha256, sizeof t->noise_sha256);
    for (int k = 0; k < 2; k++) {
        t->preview[k] = base->preview[k];
        t->light[k] = base->light[k];
        t->half[k] = base->half[k];
    }
    for (int i = 0; i < t->total; i++) {
        moments[i] = i < count ? base->moments[i] : sl_timeline_planned(base, i);
        t->fast = t->fast || (i < count && moments[i].together > 1);
    }
    return t;
}

/* ---- recording ---- */

void sl_timeline_set_batches(SlTimeline *t, const SlBatches *batches)
{
    for (int i = 0; i < t->total; i++) {
        SlBatch batch = sl_batches_at(batches, i);
        t->moments[i].place = batch.place;
        t->moments[i].together = batch.together;
    }
    t->repeats = true;
}

uint8_t *sl_timeline_preview_place(const SlTimeline *t, int i, bool noisy, int *height, int *width)
{
    int slot = sl_timeline_slot(t, i);
    if (!t->views)
        return NULL;
    *height = slot < 0 ? t->light_h : t->height;
    *width = slot < 0 ? t->light_w : t->width;
    size_t bytes = preview_bytes(*height, *width) / 2;
    if (slot >= 0)
        return t->preview[noisy] + (size_t)slot * bytes;
    return t->light_side ? t->light[noisy] + (size_t)(i - i / t->interval) * bytes : NULL;
}

static const void *keep_values(void *array, size_t at, const void *values, size_t bytes)
{
    char *to = array ? (char *)array + at * bytes : NULL;
    if (!to || !values)
        return NULL;
    return to == values ? to : memcpy(to, values, bytes);
}

void sl_timeline_record(SlTimeline *t, const SlMoment *moment)
{
    int i = t->count, slot = sl_timeline_slot(t, i);
    size_t bytes = sample_bytes(t), at = slot < 0 ? 0 : (size_t)slot;
    SlMoment m = *moment;
    m.x_t = m.x_0 = m.output = m.said = NULL;
    m.output16 = m.guidance16 = NULL;
    if (slot >= 0) {
        m.x_t = keep_values(t->x_t, at, moment->x_t, bytes);
        m.x_0 = keep_values(t->x_0, at, moment->x_0, bytes);
        m.output = keep_values(t->output, at, moment->output, bytes);
        m.said = keep_values(t->said, at, moment->said, 2 * bytes);
        m.output16 = keep_values(t->half[0], at, moment->output16, bytes / 2);
        m.guidance16 = keep_values(t->half[1], at, moment->guidance16, bytes / 2);
    }
    t->moments[i] = m;
    if (m.together > 1)
        __atomic_store_n(&t->fast, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&t->count, i + 1, __ATOMIC_RELEASE);
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
    return __atomic_load_n(&t->fast, __ATOMIC_RELAXED) != 0;
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

int sl_timeline_cached(const SlTimeline *t, int count)
{
    int cached = 0;
    for (int i = 0; i < count; i++)
        cached += t->moments[i].cached;
    return cached;
}

int sl_timeline_steps_done(const SlTimeline *t)
{
    for (int i = sl_timeline_count(t) - 1; i >= 0; i--)
        if (t->moments[i].ends_step)
            return t->moments[i].step + 1;
    return t->moments[0].step;
}

const SlWordRecord *sl_timeline_words(const SlTimeline *t)
{
    return t->words;
}

int sl_timeline_interval(const SlTimeline *t)
{
    return t->interval;
}

const uint8_t *sl_timeline_preview(const SlTimeline *t, int i, bool noisy, int *height, int *width)
{
    const uint8_t *rgb = sl_timeline_preview_place(t, i, noisy, height, width);
    if (rgb || !t->views)
        return rgb;
    int next = (i / t->interval + 1) * t->interval - 1;
    return sl_timeline_preview_place(t, next < t->total ? next : t->total - 1, noisy, height,
                                     width);
}

size_t sl_timeline_bytes(const SlTimeline *t)
{
    size_t bytes = sizeof *t + (size_t)t->total * sizeof *t->moments + t->start.bytes;
    bytes += word_bytes(t);
    size_t slots = (size_t)t->slots, values = slots * (size_t)t->elements;
    bytes += sample_bytes(t) + values * sizeof(float) * (t->output ? 3 : 2) + slots * said_bytes(t);
    for (int k = 0; k < 2; k++)
        bytes += (t->half[k] ? values * sizeof(uint16_t) : 0);
    if (t->views)
        bytes += slots * preview_bytes(t->height, t->width);
    if (t->light_side)
        bytes += ((size_t)t->total - slots) * preview_bytes(t->light_h, t->light_w);
    return bytes + __atomic_load_n(&t->state_bytes, __ATOMIC_RELAXED) +
           __atomic_load_n(&t->stretch_bytes, __ATOMIC_RELAXED);
}
