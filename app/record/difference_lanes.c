/* difference_lanes.c - when a run settles, where two lanes part, how far they are from a third; see
 * difference.h.
 *
 * Easy to get wrong: a timeline with keyframes has no samples between them (NULL), and a branch no
 * steps before it begins.
 */
#include "app/record/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- previews ---- */

typedef struct Previews {
    const SlModel *model;
    int height, width;
    size_t bytes;
} Previews;

static Previews previews_of(const SlTimeline *t, const SlModel *model)
{
    Previews p = {.model = model};
    int channels;
    sl_timeline_size(t, &channels, &p.height, &p.width);
    p.bytes = (size_t)p.height * (size_t)p.width * 3;
    return p;
}

static uint8_t *preview_of(const Previews *p, const float *x_0)
{
    uint8_t *rgb = x_0 && p->model ? malloc(p->bytes) : NULL;
    if (rgb)
        sl_preview(p->model, x_0, p->height, p->width, rgb);
    return rgb;
}

/* Of a moment's picture: that which the timeline has, or one made for it, which *made then is, too.
 * NULL where it is not kept. */
static const uint8_t *picture_of(const Previews *p, const SlTimeline *t, int i, uint8_t **made)
{
    const SlMoment *m = sl_timeline_moment(t, i);
    int height = 0, width = 0;
    *made = NULL;
    if (!m->x_0)
        return NULL;
    const uint8_t *kept = sl_timeline_preview(t, i, false, &height, &width);
    if (kept && height == p->height && width == p->width)
        return kept;
    return *made = preview_of(p, m->last ? m->x_t : m->x_0);
}

static bool look_same(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    const uint8_t *const both[2] = {a, b};
    return sl_settled(both, 2, bytes, SL_VISIBLE_LEVELS) == 1;
}

/* ---- settling ---- */

int sl_timeline_settled(const SlTimeline *timeline, const SlModel *model)
{
    int count = sl_timeline_count(timeline), settled = 0;
    if (count == 0 || !sl_timeline_done(timeline))
        return 0;
    Previews p = previews_of(timeline, model);
    uint8_t *made_last = NULL;
    const uint8_t *last = picture_of(&p, timeline, count - 1, &made_last);
    bool same = last != NULL;
    for (int i = count - 1; same && i >= 0; i--) {
        const SlMoment *m = sl_timeline_moment(timeline, i);
        uint8_t *made = NULL;
        if (!m->ends_step)
            continue;
        const uint8_t *rgb = picture_of(&p, timeline, i, &made);
        same = rgb && look_same(rgb, last, p.bytes);
        settled = same ? m->step + 1 : rgb ? settled : 0; /* 0: not all of it is kept */
        free(made);
    }
    free(made_last);
    return settled;
}

/* ---- parting ---- */

/* The moment that ends a lane's step; of a branch, up to where it began, its parent's. NULL where it is
 * not there. */
static const SlTimeline *end_of_step(const SlLanes *lanes, int lane, int step, int *moment)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    const SlOrigin *origin = sl_timeline_origin(t);
    while (origin && step <= origin->step && sl_lanes_parent(lanes, lane) >= 0) {
        lane = sl_lanes_parent(lanes, lane);
        t = sl_lanes_timeline(lanes, lane);
        origin = sl_timeline_origin(t);
    }
    *moment = sl_timeline_step_end(t, step);
    return *moment >= 0 && *moment < sl_timeline_count(t) ? t : NULL;
}

static int steps_of_both(const SlLanes *lanes, int a, int b)
{
    int x = sl_timeline_steps_done(sl_lanes_timeline(lanes, a));
    int y = sl_timeline_steps_done(sl_lanes_timeline(lanes, b));
    return x < y ? x : y;
}

static double deviation_of(const float *x, int64_t n)
{
    double mean, deviation;
    sl_channel_figures(x, 1, n, &mean, &deviation);
    return deviation;
}

SlParting sl_lanes_parting(const SlLanes *lanes, int a, int b)
{
    SlParting parting = {0};
    int64_t n = sl_timeline_elements(sl_lanes_timeline(lanes, a));
    int steps = steps_of_both(lanes, a, b);
    if (n != sl_timeline_elements(sl_lanes_timeline(lanes, b)))
        return parting;
    for (int step = 1; step <= steps && !parting.apart; step++) {
        int i, k;
        const SlTimeline *x = end_of_step(lanes, a, step, &i);
        const SlTimeline *y = end_of_step(lanes, b, step, &k);
        const float *p = x ? sl_timeline_moment(x, i)->x_0 : NULL;
        const float *q = y ? sl_timeline_moment(y, k)->x_0 : NULL;
        if (!p || !q || memcmp(p, q, (size_t)n * sizeof *p) == 0)
            continue;
        if (!parting.differ)
            parting.differ = step;
        if (sl_rms(p, q, n) > deviation_of(q, n) / 20)
            parting.apart = step;
    }
    return parting;
}

int sl_lanes_look_apart(const SlLanes *lanes, const SlModel *model, int a, int b)
{
    Previews p = previews_of(sl_lanes_timeline(lanes, a), model);
    Previews q = previews_of(sl_lanes_timeline(lanes, b), model);
    int steps = steps_of_both(lanes, a, b), apart = 0;
    if (p.height != q.height || p.width != q.width)
        return 0;
    for (int step = 1; step <= steps && !apart; step++) {
        uint8_t *made[2] = {NULL, NULL};
        int i, k;
        const SlTimeline *x = end_of_step(lanes, a, step, &i);
        const SlTimeline *y = end_of_step(lanes, b, step, &k);
        const uint8_t *here = x ? picture_of(&p, x, i, &made[0]) : NULL;
        const uint8_t *there = y ? picture_of(&p, y, k, &made[1]) : NULL;
        if (here && there && here != there && !look_same(here, there, p.bytes))
            apart = step;
        free(made[0]);
        free(made[1]);
    }
    return apart;
}

/* ---- distance over the run ---- */

/* Where a lane ended: its last sample, or the latest x_0 that is kept. */
static const float *end_of(const SlTimeline *t)
{
    int last = sl_timeline_count(t) - 1;
    if (last >= 0 && sl_timeline_done(t))
        return sl_timeline_moment(t, last)->x_t;
    while (last >= 0 && !sl_timeline_moment(t, last)->x_0)
        last--;
    return last >= 0 ? sl_timeline_moment(t, last)->x_0 : NULL;
}

int sl_lanes_curve(const SlLanes *lanes, const SlModel *model, int lane, int reference,
                   SlDistancePoint *points, int room)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane), *r = sl_lanes_timeline(lanes, reference);
    const float *end = end_of(r);
    int64_t n = sl_timeline_elements(t);
    int count = sl_timeline_count(t), made = 0;
    if (!end || n != sl_timeline_elements(r))
        return 0;
    Previews p = previews_of(t, model);
    uint8_t *there = preview_of(&p, end);
    for (int i = 0; i < count && made < room; i++) {
        const SlMoment *m = sl_timeline_moment(t, i);
        if (!m->x_0)
            continue;
        uint8_t *here = there ? preview_of(&p, m->x_0) : NULL;
        points[made++] = (SlDistancePoint){.work = m->work,
                                           .distance = sl_rms(m->x_0, end, n),
                                           .psnr = here ? sl_psnr(here, there, p.bytes) : NAN};
        free(here);
    }
    free(there);
    return made;
}
