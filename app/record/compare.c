/* compare.c - computing lanes and how far they are apart; see compare.h. */
#include "app/record/compare.h"
#include "app/recipe/recipe.h"
#include "app/record/lane_name.h"
#include "app/record/lanes_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- computing ---- */

/* A grid's cells are computed one after the other, the cheap ones first. */
static bool set_order(SlCompare *c, const SlCompareJob *job, SlError *err)
{
    int cells = sl_grid_cells(job->grid);
    int *evaluations = calloc((size_t)cells * 3, sizeof *evaluations);
    int *order = evaluations + cells, *lane = order + cells;
    if (!evaluations || !sl_lanes_set_grid(c->lanes, job->grid)) {
        free(evaluations);
        return sl_fail(err, SL_MEMORY, "memory ran out for a grid");
    }
    for (int i = 0; i < job->count; i++) {
        int cell = job->cell ? job->cell[i] : i;
        sl_lanes_set_cell(c->lanes, i, cell);
        if (cell < 0)
            continue;
        evaluations[cell] = sl_timeline_total(sl_lanes_timeline(c->lanes, i));
        lane[cell] = i + 1;
    }
    sl_grid_order(job->grid, evaluations, order);
    int count = 0;
    for (int i = 0; i < cells; i++)
        if (lane[order[i]])
            order[count++] = lane[order[i]] - 1;
    sl_lanes_set_order(c->lanes, order, count);
    free(evaluations);
    return true;
}

static bool add_lanes(SlCompare *c, const SlCompareJob *job, SlError *err)
{
    for (int i = 0; i < job->count; i++) {
        const SlTimelineOptions options = {.inputs = job->inputs,
                                           .origin = job->origin ? job->origin[i] : NULL,
                                           .batches = job->batches ? job->batches[i] : NULL,
                                           .words = job->words};
        if (sl_lanes_add(c->lanes, c->model, job->recipe[i], &options, job->count, err) < 0)
            return false;
        if (job->parent)
            sl_lanes_set_parent(c->lanes, i, job->parent[i]);
    }
    return !job->grid || set_order(c, job, err);
}

static int evaluations_of(const SlLanes *lanes)
{
    int sum = 0;
    for (int i = 0; i < sl_lanes_count(lanes); i++)
        sum += sl_timeline_total(sl_lanes_timeline(lanes, i));
    return sum;
}

static void stop_lane(const SlCompare *c, const SlCompareJob *job, int lane)
{
    int step = job->stop_after ? job->stop_after[lane] : 0;
    if (step > 0 && sl_timeline_steps_done(sl_lanes_timeline(c->lanes, lane)) >= step)
        sl_lanes_pause(c->lanes, lane, true);
}

/* True at the end; false on failure and after a stop. */
static bool advance(SlCompare *c, const SlCompareJob *job, SlError *err)
{
    int total = evaluations_of(c->lanes), lane = 0;
    for (int done = 0;; done++) {
        if (job->progress && !job->progress(job->arg, done, total, err))
            return false;
        if (!sl_lanes_next(c->lanes, c->model, &lane, err))
            return false;
        if (lane < 0)
            return true;
        if (job->moment && sl_timeline_count(sl_lanes_timeline(c->lanes, lane)) > 0 &&
            !job->moment(job->arg, lane, sl_lanes_timeline(c->lanes, lane), err))
            return false;
        stop_lane(c, job, lane);
    }
}

/* ---- pictures ---- */

SlSample sl_compare_sample(const SlTimeline *t, int moment, const float *data)
{
    SlSample sample = {.data = data,
                       .step = sl_timeline_planned(t, moment).step + 1,
                       .steps = sl_timeline_recipe(t)->steps};
    sl_timeline_size(t, &sample.channels, &sample.height, &sample.width);
    return sample;
}

static bool picture_of(SlCompare *c, SlTimeline *t, float *sample, SlGenerated *p, SlError *err)
{
    bool done = sl_timeline_done(t);
    int steps = sl_timeline_steps_done(t), count = sl_timeline_count(t);
    int at = done ? count - 1 : sl_timeline_step_end(t, steps);
    if (!sl_timeline_fetch(t, c->model, at, done ? sample : NULL, done ? NULL : sample, err))
        return false;
    const SlPictureOf of = {.recipe = sl_timeline_recipe(t),
                            .origin = sl_timeline_origin(t),
                            .noise_sha256 = sl_timeline_noise_sha256(t),
                            .sample = sl_compare_sample(t, at, sample),
                            .partial = !done,
                            .warning = sl_timeline_warning(t)};
    p->evaluations = sl_timeline_moment(t, at)->work;
    p->cached = sl_timeline_cached(t, at + 1);
    p->seconds = sl_timeline_moment(t, count - 1)->elapsed;
    if (!sl_picture_make(p, c->model, c->identity, &of, err))
        return false;
    sl_timeline_given(t, &p->metadata.given_latents, &p->metadata.given_step_noise);
    p->metadata.fast = sl_timeline_fast(t);
    return sl_timeline_batches(t, at + 1, &p->metadata.batches) ||
           sl_fail(err, SL_MEMORY, "memory ran out");
}

/* A lane whose picture is not finite is one that failed. */
static bool decode_lane(SlCompare *c, int lane, SlError *err)
{
    SlTimeline *t = sl_lanes_timeline(c->lanes, lane);
    SlGenerated *picture = &c->picture[c->count];
    SlError problem = {0};
    if (sl_timeline_count(t) == 0 || sl_timeline_steps_done(t) == 0)
        return true;
    float *sample = malloc((size_t)sl_timeline_elements(t) * sizeof *sample);
    bool ok = sample ? picture_of(c, t, sample, picture, &problem)
                     : sl_fail(&problem, SL_MEMORY, "memory ran out");
    free(sample);
    if (ok) {
        c->lane[c->count++] = lane;
        return true;
    }
    sl_picture_free(picture);
    return problem.code == SL_FORMAT ? sl_lanes_fail(c->lanes, lane, &problem)
                                     : sl_fail(err, problem.code, "%s", problem.message);
}

static bool decode_lanes(SlCompare *c, SlError *err)
{
    size_t count = (size_t)sl_lanes_count(c->lanes);
    c->lane = calloc(count + 1, sizeof *c->lane);
    c->picture = calloc(count + 1, sizeof *c->picture);
    bool ok = (c->lane && c->picture) || sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    for (int i = 0; ok && i < sl_lanes_count(c->lanes); i++)
        ok = decode_lane(c, i, err);
    return ok;
}

static bool hash_adapters(const SlLanes *lanes, SlError *err)
{
    bool ok = true;
    for (int i = 0; ok && i < sl_lanes_count(lanes); i++)
        ok = sl_recipe_hash_adapters(sl_timeline_recipe(sl_lanes_timeline(lanes, i)), err);
    return ok;
}

bool sl_compare_run(SlCompare *c, const SlCompareJob *job, SlError *err)
{
    SlError problem = {0};
    memset(c, 0, sizeof *c);
    c->model = job->model;
    c->lanes = sl_lanes_new();
    if (!c->lanes)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    sl_lanes_set_fast(c->lanes, job->fast);
    if (!add_lanes(c, job, err) || !hash_adapters(c->lanes, err))
        return false;
    if (!advance(c, job, &problem) && problem.code != SL_CANCELLED) {
        *err = problem;
        return false;
    }
    sl_device_clear(sl_model_device(c->model));
    if (!decode_lanes(c, err))
        return false;
    return c->count > 0 || (sl_compare_whole(c, err) && sl_fail(err, SL_CANCELLED, "interrupted"));
}

bool sl_compare_whole(const SlCompare *c, SlError *err)
{
    for (int i = 0; i < sl_lanes_count(c->lanes); i++)
        if (sl_lanes_problem(c->lanes, i))
            return sl_fail(err, SL_FORMAT, "lane %d: %s", i + 1, sl_lanes_problem(c->lanes, i));
    return true;
}

bool sl_compare_take(SlCompare *c, SlModel *model, SlLanes *lanes, SlError *err)
{
    memset(c, 0, sizeof *c);
    c->model = model;
    c->lanes = lanes;
    return sl_lanes_check(lanes, sl_model_info(model), err) && decode_lanes(c, err) &&
           (c->count > 0 ||
            (sl_compare_whole(c, err) && sl_fail(err, SL_FORMAT, "no lane has finished a step")));
}

void sl_compare_free(SlCompare *c)
{
    for (int i = 0; i < c->count; i++)
        sl_picture_free(&c->picture[i]);
    free(c->picture);
    free(c->lane);
    sl_lanes_free(c->lanes);
    memset(c, 0, sizeof *c);
}

/* ---- figures and names ---- */

static SlLanePicture end_picture(const SlCompare *c, int i)
{
    const SlGenerated *p = &c->picture[i];
    return (SlLanePicture){p->rgb, p->width, p->height};
}

SlLaneFigures sl_compare_figures(const SlCompare *c, int i)
{
    const SlFiguresOf of = {.lanes = c->lanes,
                            .model = c->model,
                            .lane = c->lane[i],
                            .reference = c->lane[c->reference],
                            .picture = end_picture(c, i),
                            .reference_picture = end_picture(c, c->reference)};
    return sl_lane_measure(&of);
}

/* A title that was cut off ends with a whole character. */
static void end_with_character(char *title)
{
    size_t length = 0, n;
    while (title[length] && (n = sl_utf8_char(title + length, strlen(title + length))) > 0)
        length += n;
    title[length] = '\0';
}

bool sl_compare_rows(const SlCompare *c, SlCompareRows *rows, SlError *err)
{
    rows->count = c->count;
    for (int i = 0; i < c->count; i++) {
        if (!sl_compare_title(c, i, rows->title[i], sizeof rows->title[i], err))
            return false;
        end_with_character(rows->title[i]);
        rows->row[i] = (SlLaneRow){.number = c->lane[i] + 1,
                                   .title = rows->title[i],
                                   .reference = i == c->reference,
                                   .partial = c->picture[i].metadata.partial,
                                   .figures = sl_compare_figures(c, i)};
    }
    return true;
}

bool sl_compare_title(const SlCompare *c, int i, char *out, size_t size, SlError *err)
{
    SlNamedLane *lanes = calloc((size_t)c->count, sizeof *lanes);
    SlText text = {0};
    for (int k = 0; lanes && k < c->count; k++) {
        const SlMetadata *m = &c->picture[k].metadata;
        lanes[k] = (SlNamedLane){.recipe = m->recipe};
        if (m->origin)
            lanes[k] = (SlNamedLane){m->recipe, m->origin->recipe, m->origin->step};
    }
    SlLaneNames *names = lanes ? sl_lane_names_new(lanes, c->count) : NULL;
    if (names)
        sl_lane_names_add(names, i, NULL, &text);
    text.failed |= !names;
    sl_lane_names_free(names);
    free(lanes);
    return sl_text_into(&text, out, size, err);
}
