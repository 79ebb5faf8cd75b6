/* lanes_verify.c - a comparison's lanes computed again and compared; see lanes_file.h.
 *
 * Lanes that were computed as one batch are computed as one batch again, where all of it is there;
 * otherwise each stands in for the others (batches.h), which takes longer.
 */
#include "app/record/lanes_file.h"
#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

/* A moment as it was computed again. */
typedef struct Again {
    int step;
    bool ends_step, cached;
    double timestep, sigma;
    const float *x_t, *x_0;
} Again;

static bool equal_here(const SlTimeline *t, int i, const Again *again)
{
    const SlMoment *m = &t->moments[i];
    size_t bytes = (size_t)t->elements * sizeof(float);
    return m->step == again->step && m->ends_step == again->ends_step &&
           m->cached == again->cached && m->timestep == again->timestep &&
           m->sigma == again->sigma && !memcmp(m->x_t, again->x_t, bytes) &&
           !memcmp(m->x_0, again->x_0, bytes);
}

static bool equal_noise(const SlTimeline *t, const float *noise)
{
    char hex[65];
    sl_sha256(noise, (size_t)t->elements * sizeof(float), hex);
    return !t->noise_sha256[0] || strcmp(t->noise_sha256, hex) == 0;
}

static void check_moment(const SlTimeline *t, int i, const Again *again, SlLaneCheck *check)
{
    bool all = check->same == check->kept;
    if (!t->moments[i].x_t)
        return;
    check->kept++;
    check->same += all && equal_here(t, i, again);
}

static bool too_long(int lane, SlError *err)
{
    return sl_fail(err, SL_FORMAT, "lane %d has more steps than its recipe", lane + 1);
}

/* ---- by itself ---- */

static bool verify_alone(const SlLanes *lanes, SlModel *model, int lane, SlLaneCheck *check,
                         SlError *err)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    SlRun *run = sl_origin_run(model, t->recipe, t->origin, NULL, err);
    bool ok = run != NULL;
    *check = (SlLaneCheck){.noise = run && equal_noise(t, sl_run_noise(run))};
    for (int i = 0; ok && i < t->count; i++) {
        SlFrame f;
        ok = sl_run_done(run) ? too_long(lane, err) : sl_run_next(run, &f, err);
        const Again again = {f.step, f.ends_step, f.cached, f.timestep, f.sigma, f.x_t, f.x_0};
        if (ok)
            check_moment(t, i, &again, check);
    }
    sl_run_free(run);
    return ok;
}

/* ---- as one batch ---- */

static bool add_again(const SlLanes *lanes, SlModel *model, SlLanes *again, SlError *err)
{
    int count = sl_lanes_count(lanes);
    sl_lanes_set_fast(again, true);
    for (int i = 0; i < count; i++) {
        const SlTimeline *t = sl_lanes_timeline(lanes, i);
        SlBatches batches;
        const SlTimelineOptions options = {.origin = t->origin, .batches = &batches};
        bool ok = (sl_timeline_batches(t, t->total, &batches) ||
                   sl_fail(err, SL_MEMORY, "memory ran out")) &&
                  sl_lanes_add(again, model, t->recipe, &options, count, err) >= 0;
        sl_batches_free(&batches);
        if (!ok)
            return false;
        if (sl_timeline_total(sl_lanes_timeline(again, i)) < t->count)
            return too_long(i, err);
    }
    return true;
}

static bool check_lane(const SlTimeline *t, SlTimeline *again, SlModel *model, SlLaneCheck *check,
                       SlError *err)
{
    size_t bytes = (size_t)t->elements * sizeof(float);
    float *x_t = malloc(bytes), *x_0 = malloc(bytes);
    bool ok = (x_t && x_0) || sl_fail(err, SL_MEMORY, "memory ran out");
    *check = (SlLaneCheck){.noise = equal_noise(t, sl_timeline_noise(again))};
    for (int i = 0; ok && i < t->count; i++) {
        SlMoment m = sl_timeline_planned(again, i);
        bool there = i < sl_timeline_count(again);
        const Again moment = {
            m.step, m.ends_step, there && sl_timeline_moment(again, i)->cached, m.timestep, m.sigma,
            x_t,    x_0};
        if (t->moments[i].x_t && there)
            ok = sl_timeline_fetch(again, model, i, x_t, x_0, err);
        if (ok && there)
            check_moment(t, i, &moment, check);
        else
            check->kept += t->moments[i].x_t != NULL; /* it did not come so far */
    }
    free(x_t);
    free(x_0);
    return ok;
}

static bool verify_together(const SlLanes *lanes, SlModel *model, SlLaneCheck *checks, SlError *err)
{
    SlLanes *again = sl_lanes_new();
    int lane = 0;
    bool ok =
        again ? add_again(lanes, model, again, err) : sl_fail(err, SL_MEMORY, "memory ran out");
    while (ok && lane >= 0) {
        ok = sl_lanes_next(again, model, &lane, err);
        if (ok && lane >= 0 &&
            sl_timeline_count(sl_lanes_timeline(again, lane)) >=
                sl_lanes_timeline(lanes, lane)->count)
            sl_lanes_pause(again, lane, true);
    }
    for (int i = 0; ok && i < sl_lanes_count(lanes); i++)
        ok = check_lane(sl_lanes_timeline(lanes, i), sl_lanes_timeline(again, i), model, &checks[i],
                        err);
    sl_lanes_free(again);
    return ok;
}

bool sl_lanes_verify(const SlLanes *lanes, SlModel *model, SlLaneCheck *checks, SlError *err)
{
    bool ok = true;
    if (!sl_lanes_check(lanes, sl_model_info(model), err))
        return false;
    if (sl_lanes_fast(lanes))
        return verify_together(lanes, model, checks, err);
    for (int i = 0; ok && i < sl_lanes_count(lanes); i++)
        ok = verify_alone(lanes, model, i, &checks[i], err);
    return ok;
}
