/* lanes_verify.c - a comparison's lanes computed again and compared; see lanes_file.h. */
#include "app/core/lanes_file.h"
#include "app/core/timeline_private.h"

#include <string.h>

static bool equal_here(const SlTimeline *t, int i, const SlFrame *frame)
{
    const SlMoment *m = &t->moments[i];
    size_t bytes = (size_t)t->elements * sizeof(float);
    return m->step == frame->step && m->ends_step == frame->ends_step &&
           m->timestep == frame->timestep && m->sigma == frame->sigma &&
           !memcmp(m->x_t, frame->x_t, bytes) && !memcmp(m->x_0, frame->x_0, bytes);
}

static bool equal_noise(const SlTimeline *t, const SlRun *run)
{
    char hex[65];
    sl_sha256(sl_run_noise(run), (size_t)t->elements * sizeof(float), hex);
    return !t->noise_sha256[0] || strcmp(t->noise_sha256, hex) == 0;
}

bool sl_lanes_verify(const SlLanes *lanes, SlModel *model, int lane, SlLaneCheck *check,
                     SlError *err)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    SlRun *run = sl_origin_run(model, t->recipe, t->origin, NULL, err);
    bool ok = run != NULL, all = true;
    *check = (SlLaneCheck){.noise = run && equal_noise(t, run)};
    for (int i = 0; ok && i < t->count; i++) {
        SlFrame frame;
        ok = sl_run_done(run)
                 ? sl_fail(err, SL_FORMAT, "lane %d has more steps than its recipe", lane + 1)
                 : sl_run_next(run, &frame, err);
        if (!ok || !t->moments[i].x_t)
            continue;
        all = all && equal_here(t, i, &frame);
        check->same += all;
        check->kept++;
    }
    sl_run_free(run);
    return ok;
}
