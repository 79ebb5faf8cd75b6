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

/* ---- settling ---- */

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
    uint8_t *rgb = x_0 ? malloc(p->bytes) : NULL;
    if (rgb)
        sl_preview(p->model, x_0, p->height, p->width, rgb);
    return rgb;
}

int sl_timeline_settled(const SlTimeline *timeline, const SlModel *model)
{
    int count = sl_timeline_count(timeline), settled = 0;
    if (count == 0 || !sl_timeline_done(timeline))
        return 0;
    Previews p = previews_of(timeline, model);
    uint8_t *last = preview_of(&p, sl_timeline_moment(timeline, count - 1)->x_0);
    bool same = last != NULL;
    for (int i = count - 1; same && i >= 0; i--) {
        const SlMoment *m = sl_timeline_moment(timeline, i);
        if (!m->ends_step)
            continue;
        uint8_t *rgb = preview_of(&p, m->x_0);
        const uint8_t *const both[2] = {rgb, last};
        if (!rgb)
            settled = 0; /* not all of it is kept */
        same = rgb && sl_settled(both, 2, p.bytes, SL_VISIBLE_LEVELS) == 1;
        if (same)
            settled = m->step + 1;
        free(rgb);
    }
    free(last);
    return settled;
}

/* ---- parting ---- */

static double deviation_of(const float *x, int64_t n)
{
    double mean, deviation;
    sl_channel_figures(x, 1, n, &mean, &deviation);
    return deviation;
}

SlParting sl_lanes_parting(const SlLanes *lanes, int a, int b)
{
    SlParting parting = {0};
    const SlTimeline *x = sl_lanes_timeline(lanes, a), *y = sl_lanes_timeline(lanes, b);
    int64_t n = sl_timeline_elements(x);
    int steps = sl_timeline_steps_done(x), other = sl_timeline_steps_done(y);
    if (n != sl_timeline_elements(y))
        return parting;
    for (int step = 1; step <= steps && step <= other && !parting.apart; step++) {
        int i = sl_timeline_step_end(x, step), k = sl_timeline_step_end(y, step);
        const float *p = i >= 0 ? sl_timeline_moment(x, i)->x_0 : NULL;
        const float *q = k >= 0 ? sl_timeline_moment(y, k)->x_0 : NULL;
        if (!p || !q || memcmp(p, q, (size_t)n * sizeof *p) == 0)
            continue;
        if (!parting.differ)
            parting.differ = step;
        if (sl_rms(p, q, n) > deviation_of(q, n) / 20)
            parting.apart = step;
    }
    return parting;
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
    uint8_t *there = model ? preview_of(&p, end) : NULL;
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
