/* lanes_story.c - see lanes_story.h. */
#include "app/record/lanes_story.h"
#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

void sl_story_free(SlStory *s)
{
    free(s->from);
    free(s->moment);
    free(s->step);
    free(s->kept_at);
    memset(s, 0, sizeof *s);
}

const SlMoment *sl_story_kept(const SlStory *s, int i)
{
    int at = s->kept_at[i];
    return &s->from[at]->moments[s->moment[at]];
}

/* The parent's moments that a lane goes on from. */
static int moments_before(const SlLanes *lanes, int lane)
{
    const SlOrigin *origin = sl_timeline_origin(sl_lanes_timeline(lanes, lane));
    int parent = sl_lanes_parent(lanes, lane);
    if (parent < 0 || !origin || origin->step == 0)
        return 0;
    return sl_timeline_step_end(sl_lanes_timeline(lanes, parent), origin->step) + 1;
}

static void add_moment(SlStory *s, const SlTimeline *t, int i)
{
    s->from[s->planned] = t;
    s->moment[s->planned] = i;
    s->step[s->planned] = t->moments[i].step + s->step_offset;
    if (i < sl_timeline_count(t) && t->moments[i].x_t)
        s->kept_at[s->kept++] = s->planned;
    s->planned++;
}

static void add_moments(const SlLanes *lanes, int lane, int count, SlStory *s)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, lane);
    if (sl_lanes_parent(lanes, lane) >= 0)
        add_moments(lanes, sl_lanes_parent(lanes, lane), moments_before(lanes, lane), s);
    int before = s->planned - 1;
    s->step_offset = before < 0
                         ? 0
                         : s->step[before] + s->from[before]->moments[s->moment[before]].ends_step -
                               t->moments[0].step;
    for (int i = 0; i < count; i++)
        add_moment(s, t, i);
}

bool sl_story_tell(const SlLanes *lanes, int lane, SlStory *s, SlError *err)
{
    int room = 0, own = sl_timeline_total(sl_lanes_timeline(lanes, lane));
    for (int i = 0; i < sl_lanes_count(lanes); i++)
        room += sl_timeline_total(sl_lanes_timeline(lanes, i));
    *s = (SlStory){.from = calloc((size_t)room, sizeof *s->from),
                   .moment = calloc((size_t)room, sizeof *s->moment),
                   .step = calloc((size_t)room, sizeof *s->step),
                   .kept_at = calloc((size_t)room, sizeof *s->kept_at)};
    if (!s->from || !s->moment || !s->step || !s->kept_at)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    add_moments(lanes, lane, own, s);
    s->inherited = s->planned - own;
    while (s->kept_inherited < s->kept && s->kept_at[s->kept_inherited] < s->inherited)
        s->kept_inherited++;
    return true;
}
