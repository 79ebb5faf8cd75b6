/* lanes.c - see lanes.h.
 *
 * Easy to get wrong: the window reads while a branch is added. A lane is written completely before
 * the count goes up, and its place in the array never changes.
 */
#include "app/record/lanes.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Lane {
    SlTimeline *timeline;
    int parent;
    SlBefore *before; /* [befores] */
    int befores;
    int paused;          /* atomic */
    int turns;           /* that it had */
    int cell;            /* of the grid; -1: none */
    const char *problem; /* atomic: written once, ours */
} Lane;

struct SlLanes {
    SlShare *share;
    Lane lane[SL_LANES_MAX];
    int count; /* atomic */
    int turn;  /* the lane whose turn it is */
    bool fast;
    int together;               /* as many in a batch at most; fewer where memory is short */
    int told[SL_RUNS_TOGETHER]; /* lanes that have advanced, but were not told of yet */
    int told_count;
    bool ordered; /* lanes come to their ends one after the other: */
    int order[SL_LANES_MAX];
    int order_count;
    SlGrid grid; /* without values: they are none */
};

const char *const sl_line_up_names[] = {"step", "sigma", "evals", NULL};

SlLanes *sl_lanes_new(void)
{
    return calloc(1, sizeof(SlLanes));
}

void sl_lanes_free(SlLanes *lanes)
{
    if (!lanes)
        return;
    for (int i = 0; i < lanes->count; i++) {
        sl_timeline_free(lanes->lane[i].timeline);
        for (int k = 0; k < lanes->lane[i].befores; k++)
            sl_timeline_free(lanes->lane[i].before[k].timeline);
        free(lanes->lane[i].before);
        free((char *)(uintptr_t)lanes->lane[i].problem);
    }
    sl_share_free(lanes->share);
    sl_grid_clear(&lanes->grid);
    free(lanes);
}

/* ---- adding ---- */

static bool ready(SlLanes *lanes, SlModel *model, SlError *err)
{
    if (lanes->count == SL_LANES_MAX)
        return sl_fail(err, SL_ARGUMENT, "there are %d lanes already: no more are possible",
                       SL_LANES_MAX);
    if (!lanes->share && model)
        lanes->share = sl_share_new(model);
    return lanes->share || !model || sl_fail(err, SL_MEMORY, "memory ran out");
}

int sl_lanes_put(SlLanes *lanes, SlTimeline *timeline, int parent)
{
    int i = lanes->count;
    lanes->lane[i] = (Lane){.timeline = timeline, .parent = parent, .cell = -1};
    __atomic_store_n(&lanes->count, i + 1, __ATOMIC_RELEASE);
    return i;
}

void sl_lanes_set_parent(SlLanes *lanes, int lane, int parent)
{
    lanes->lane[lane].parent = parent;
}

bool sl_lanes_add_before(SlLanes *lanes, int i, const SlBefore *before, SlError *err)
{
    Lane *lane = &lanes->lane[i];
    SlBefore *more = realloc(lane->before, (size_t)(lane->befores + 1) * sizeof *more);
    if (!more) {
        sl_timeline_free(before->timeline);
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    }
    lane->before = more;
    lane->before[lane->befores++] = *before;
    return true;
}

int sl_lanes_before(const SlLanes *lanes, int lane, const SlBefore **before)
{
    *before = lanes->lane[lane].before;
    return lanes->lane[lane].befores;
}

int sl_lanes_add(SlLanes *lanes, SlModel *model, const SlRecipe *recipe,
                 const SlTimelineOptions *options, int expected, SlError *err)
{
    if (!ready(lanes, model, err))
        return -1;
    SlTimelineOptions own = options ? *options : (SlTimelineOptions){0};
    SlRunInputs inputs = own.inputs ? *own.inputs : (SlRunInputs){0};
    inputs.share = lanes->share;
    own.inputs = &inputs;
    own.budget = SL_LANES_BUDGET / (size_t)(expected > 1 ? expected : 1);
    own.together = lanes->count > 0 ? 0 : expected > 1 ? expected : 1;
    SlTimeline *timeline = sl_timeline_new(model, recipe, &own, err);
    return timeline ? sl_lanes_put(lanes, timeline, -1) : -1;
}

int sl_lanes_branch(SlLanes *lanes, SlModel *model, int parent, int step, const SlRecipe *recipe,
                    SlError *err)
{
    if (!ready(lanes, model, err))
        return -1;
    const SlRunInputs inputs = {.share = lanes->share};
    const SlTimelineOptions options = {
        .inputs = &inputs, .budget = SL_LANES_BUDGET / (size_t)(lanes->count + 1), .together = 1};
    SlTimeline *timeline =
        sl_timeline_branch(model, lanes->lane[parent].timeline, step, recipe, &options, err);
    return timeline ? sl_lanes_put(lanes, timeline, parent) : -1;
}

/* ---- a grid ---- */

bool sl_lanes_set_grid(SlLanes *lanes, const SlGrid *grid)
{
    sl_grid_clear(&lanes->grid);
    return sl_grid_copy(grid, &lanes->grid);
}

void sl_lanes_set_cell(SlLanes *lanes, int lane, int cell)
{
    lanes->lane[lane].cell = cell;
}

const SlGrid *sl_lanes_grid(const SlLanes *lanes)
{
    return sl_grid_cells(&lanes->grid) > 0 ? &lanes->grid : NULL;
}

int sl_lanes_cell(const SlLanes *lanes, int lane)
{
    return lanes->lane[lane].cell;
}

/* ---- advancing ---- */

static bool can_go(const SlLanes *lanes, int i)
{
    const Lane *lane = &lanes->lane[i];
    return !sl_timeline_done(lane->timeline) && !lane->problem &&
           !__atomic_load_n(&lane->paused, __ATOMIC_RELAXED);
}

/* Groups are not neighbours, so that going on behind the last one would pass over some. */
static int fewest_turns(const SlLanes *lanes)
{
    int found = -1;
    for (int i = 0; i < lanes->count; i++)
        if (can_go(lanes, i) && (found < 0 || lanes->lane[i].turns < lanes->lane[found].turns))
            found = i;
    return found;
}

void sl_lanes_set_order(SlLanes *lanes, const int *order, int count)
{
    lanes->ordered = true;
    lanes->order_count = count < SL_LANES_MAX ? count : SL_LANES_MAX;
    memcpy(lanes->order, order, (size_t)lanes->order_count * sizeof *order);
}

/* Of the first in order that can go on, as many as advance together: the one that is behind the
 * others, so that it joins them. */
static int next_in_order(const SlLanes *lanes)
{
    int most = lanes->fast ? lanes->together : 1, seen = 0, found = -1;
    for (int k = 0; k < lanes->order_count && seen < most; k++) {
        int i = lanes->order[k];
        if (i >= lanes->count || !can_go(lanes, i))
            continue;
        seen++;
        if (found < 0 || lanes->lane[i].turns < lanes->lane[found].turns)
            found = i;
    }
    return found;
}

static int next_in_turn(const SlLanes *lanes)
{
    int in_order = lanes->ordered ? next_in_order(lanes) : -1;
    if (in_order >= 0)
        return in_order;
    if (lanes->fast)
        return fewest_turns(lanes);
    for (int k = 0; k < lanes->count; k++) {
        int i = (lanes->turn + k) % lanes->count;
        if (can_go(lanes, i))
            return i;
    }
    return -1;
}

void sl_lanes_set_fast(SlLanes *lanes, bool fast)
{
    lanes->fast = fast;
    lanes->together = SL_RUNS_TOGETHER;
}

bool sl_lanes_fast(const SlLanes *lanes)
{
    for (int i = 0; i < sl_lanes_count(lanes); i++)
        if (sl_timeline_fast(lanes->lane[i].timeline))
            return true;
    return lanes->fast;
}

/* A lane that fails is left out; a cancel is everybody's. */
static bool note_problem(SlLanes *lanes, int lane, const SlError *problem, SlError *err)
{
    if (problem->code == SL_CANCELLED)
        return sl_fail(err, SL_CANCELLED, "%s", problem->message);
    return sl_lanes_fail(lanes, lane, problem) || sl_fail(err, SL_MEMORY, "memory ran out");
}

/* Lanes that lane i advances with, itself among them: which those are depends on nothing but which
 * lanes there are still. */
static int group_of(const SlLanes *lanes, int i, int group[SL_RUNS_TOGETHER])
{
    const SlTimeline *t = lanes->lane[i].timeline;
    int all[SL_LANES_MAX], count = 0, at = 0;
    for (int k = 0; k < lanes->count; k++) {
        if (!can_go(lanes, k) || (k != i && !sl_timelines_match(t, lanes->lane[k].timeline)))
            continue;
        at = k == i ? count : at;
        all[count++] = k;
    }
    int first = at / lanes->together * lanes->together, n = count - first;
    n = n < lanes->together ? n : lanes->together;
    memcpy(group, all + first, (size_t)n * sizeof *group);
    return n;
}

static bool advance_one(SlLanes *lanes, SlModel *model, int i, SlError *err)
{
    SlError problem = {0};
    lanes->turn = i + 1;
    lanes->lane[i].turns++;
    lanes->told[0] = i;
    lanes->told_count = 1;
    return sl_timeline_next(lanes->lane[i].timeline, model, &problem) ||
           note_problem(lanes, i, &problem, err);
}

/* The lanes of a batch that was made. */
static bool note_group(SlLanes *lanes, const int *group, int n, const SlError *problems,
                       SlError *err)
{
    bool ok = true;
    for (int k = 0; k < n; k++) {
        lanes->told[n - 1 - k] = group[k];
        lanes->lane[group[k]].turns++;
        if (problems[k].code != SL_OK)
            ok = note_problem(lanes, group[k], &problems[k], err) && ok;
    }
    lanes->told_count = n;
    return ok;
}

/* As many together as fit into memory. A batch for which there is none has moved no lane. */
static bool advance(SlLanes *lanes, SlModel *model, int i, SlError *err)
{
    while (lanes->fast && lanes->together > 1) {
        int group[SL_RUNS_TOGETHER], n = group_of(lanes, i, group);
        SlTimeline *timelines[SL_RUNS_TOGETHER];
        SlError problem = {0}, problems[SL_RUNS_TOGETHER];
        for (int k = 0; k < n; k++)
            timelines[k] = lanes->lane[group[k]].timeline;
        if (n == 1 || !sl_timelines_repeat(timelines, n))
            break;
        if (sl_timelines_next(timelines, n, model, problems, &problem))
            return note_group(lanes, group, n, problems, err);
        if (problem.code != SL_MEMORY)
            return sl_fail(err, problem.code, "%s", problem.message);
        lanes->together = n / 2;
    }
    return advance_one(lanes, model, i, err);
}

bool sl_lanes_next(SlLanes *lanes, SlModel *model, int *lane, SlError *err)
{
    if (lanes->told_count == 0) {
        int i = *lane = next_in_turn(lanes);
        if (i >= 0 && !advance(lanes, model, i, err)) {
            lanes->told_count = 0;
            return false;
        }
    }
    if (lanes->told_count > 0)
        *lane = lanes->told[--lanes->told_count];
    return true;
}

bool sl_lanes_fail(SlLanes *lanes, int lane, const SlError *problem)
{
    if (lanes->lane[lane].problem)
        return true;
    const char *sentence = strdup(problem->message);
    __atomic_store_n(&lanes->lane[lane].problem, sentence, __ATOMIC_RELEASE);
    return sentence != NULL;
}

void sl_lanes_pause(SlLanes *lanes, int lane, bool paused)
{
    __atomic_store_n(&lanes->lane[lane].paused, paused, __ATOMIC_RELAXED);
}

/* ---- looking ---- */

int sl_lanes_count(const SlLanes *lanes)
{
    return __atomic_load_n(&lanes->count, __ATOMIC_ACQUIRE);
}

SlTimeline *sl_lanes_timeline(const SlLanes *lanes, int lane)
{
    return lanes->lane[lane].timeline;
}

int sl_lanes_parent(const SlLanes *lanes, int lane)
{
    return lanes->lane[lane].parent;
}

const char *sl_lanes_problem(const SlLanes *lanes, int lane)
{
    return __atomic_load_n(&lanes->lane[lane].problem, __ATOMIC_ACQUIRE);
}

SlShareCounts sl_lanes_shared(const SlLanes *lanes)
{
    return lanes->share ? sl_share_counts(lanes->share) : (SlShareCounts){0};
}

size_t sl_lanes_bytes(const SlLanes *lanes)
{
    size_t bytes = sizeof *lanes;
    for (int i = 0; i < sl_lanes_count(lanes); i++)
        bytes += sl_timeline_bytes(lanes->lane[i].timeline);
    return bytes;
}

/* ---- lining up ---- */

typedef struct Axis {
    double first, last;
} Axis;

static double log_sigma(double sigma)
{
    return log(sigma > 1e-6 ? sigma : 1e-6);
}

static double measure(const SlMoment *m, SlLineUp line_up)
{
    if (line_up == SL_LINE_UP_STEP)
        return m->step + 1;
    return line_up == SL_LINE_UP_SIGMA ? log_sigma(m->sigma) : m->work;
}

/* From the least that any lane begins with to the most that any ends with. */
static Axis axis_of(const SlLanes *lanes, SlLineUp line_up)
{
    Axis axis = {0, 0};
    for (int i = 0, any = 0; i < sl_lanes_count(lanes); i++) {
        const SlTimeline *t = lanes->lane[i].timeline;
        SlMoment from = sl_timeline_planned(t, 0);
        SlMoment to = sl_timeline_planned(t, sl_timeline_total(t) - 1);
        double a = measure(&from, line_up), b = measure(&to, line_up);
        bool falls = line_up == SL_LINE_UP_SIGMA;
        if (!any || (falls ? a > axis.first : a < axis.first))
            axis.first = a;
        if (!any || (falls ? b < axis.last : b > axis.last))
            axis.last = b;
        any = 1;
    }
    return axis;
}

/* Whether moment m is nearer to the target than the one before it; they are asked in order. */
static bool reached(const SlMoment *m, double before, SlLineUp line_up, double target)
{
    double here = measure(m, line_up);
    if (line_up == SL_LINE_UP_SIGMA)
        return fabs(here - target) <= fabs(before - target);
    return here <= target + 1e-9;
}

static int find(const SlTimeline *t, SlLineUp line_up, double target)
{
    int found = -1;
    double before = INFINITY;
    for (int i = 0; i < sl_timeline_count(t); i++) {
        SlMoment m = sl_timeline_planned(t, i);
        if (!m.ends_step)
            continue;
        if (!reached(&m, before, line_up, target))
            break;
        before = measure(&m, line_up);
        found = i;
    }
    return found;
}

/* Whether a branch had not begun at the target. */
static bool before_branch(const SlTimeline *t, SlLineUp line_up, double target)
{
    SlMoment first = sl_timeline_planned(t, 0);
    double at = measure(&first, line_up);
    return line_up == SL_LINE_UP_SIGMA ? target > at + 1e-9 : target < at - 1e-9;
}

/* The parent's moment from which the branch started, -1 without a parent. The parent's later
 * moments are not part of the branch, even where the branch starts later on the axis than they
 * do. */
static int left_parent_at(const SlLanes *lanes, int lane)
{
    const SlOrigin *origin = sl_timeline_origin(lanes->lane[lane].timeline);
    int parent = lanes->lane[lane].parent;
    return parent >= 0 && origin ? sl_timeline_step_end(lanes->lane[parent].timeline, origin->step)
                                 : -1;
}

SlPlace sl_lanes_place(const SlLanes *lanes, int lane, SlLineUp line_up, double position)
{
    Axis axis = axis_of(lanes, line_up);
    double target = axis.first + (axis.last - axis.first) * position;
    if (line_up != SL_LINE_UP_SIGMA)
        target = round(target);
    int end = INT_MAX, left;
    while (before_branch(lanes->lane[lane].timeline, line_up, target) &&
           (left = left_parent_at(lanes, lane)) >= 0) {
        end = left;
        lane = lanes->lane[lane].parent;
    }
    const SlTimeline *t = lanes->lane[lane].timeline;
    int moment = find(t, line_up, target);
    /* a step of several evaluations that costs more than the position: its end is the first
     * there is */
    if (moment < 0)
        moment = sl_timeline_step_end(t, sl_timeline_planned(t, 0).step + 1);
    return (SlPlace){lane, moment < end ? moment : end};
}

double sl_lanes_value(const SlLanes *lanes, SlLineUp line_up, double position)
{
    Axis axis = axis_of(lanes, line_up);
    double target = axis.first + (axis.last - axis.first) * position;
    return line_up == SL_LINE_UP_SIGMA ? exp(target) : round(target);
}

double sl_lanes_position(const SlLanes *lanes, SlLineUp line_up, int lane, int moment)
{
    Axis axis = axis_of(lanes, line_up);
    SlMoment m = sl_timeline_planned(lanes->lane[lane].timeline, moment);
    double length = axis.last - axis.first;
    return length == 0 ? 1 : (measure(&m, line_up) - axis.first) / length;
}

int sl_lanes_stops(const SlLanes *lanes, SlLineUp line_up)
{
    int most = 1;
    if (line_up != SL_LINE_UP_SIGMA) {
        Axis axis = axis_of(lanes, line_up);
        return (int)(axis.last - axis.first) + 1;
    }
    for (int i = 0; i < sl_lanes_count(lanes); i++) {
        int total = sl_timeline_total(lanes->lane[i].timeline);
        most = total > most ? total : most;
    }
    return most;
}
