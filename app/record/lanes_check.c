/* lanes_check.c - whether the lanes of a file and a model belong together; see lanes_file.h.
 *
 * The reader checks a file against itself. Only here is it held against the model, so that nothing
 * behind takes a size from one of the two and a length from the other.
 */
#include "app/record/lanes_file.h"
#include "app/record/timeline_private.h"

static bool check_recipe(const SlRecipe *recipe, const SlModelInfo *model, int lane, SlError *err)
{
    SlError problem = {0};
    if (!recipe->scheduler)
        return sl_fail(err, SL_FORMAT, "lane %d: its recipe names no scheduler", lane + 1);
    return sl_recipe_check(recipe, model, &problem) ||
           sl_fail(err, SL_FORMAT, "lane %d: its recipe: %s", lane + 1, problem.message);
}

/* As a run makes it: a side that is not said is the model's. */
static bool check_shape(const SlTimeline *t, const SlRecipe *recipe, const SlModelInfo *model,
                        int lane, SlError *err)
{
    int high = recipe->height ? recipe->height : model->height;
    int wide = recipe->width ? recipe->width : model->width;
    bool fits = t->channels == model->channels && t->height == high / model->factor &&
                t->width == wide / model->factor;
    return fits ||
           sl_fail(err, SL_FORMAT,
                   "lane %d: its samples are [%d, %d, %d]; expected [%d, %d, %d] of a picture of "
                   "%d x %d by the model %s",
                   lane + 1, t->channels, t->height, t->width, model->channels,
                   high / model->factor, wide / model->factor, wide, high, model->name);
}

/* Of a timeline and those whose branch it is; all have one size. */
static bool check_timeline(const SlTimeline *t, const SlModelInfo *model, int lane, SlError *err)
{
    if (!check_recipe(t->recipe, model, lane, err) || !check_shape(t, t->recipe, model, lane, err))
        return false;
    for (const SlOrigin *o = t->origin; o; o = o->origin)
        if (!check_recipe(o->recipe, model, lane, err) ||
            !check_shape(t, o->recipe, model, lane, err))
            return false;
    return true;
}

/* Before its branch a lane shows its parent's moments. */
static bool check_parent(const SlLanes *lanes, int lane, SlError *err)
{
    int parent = sl_lanes_parent(lanes, lane);
    if (parent < 0)
        return true;
    const SlTimeline *t = sl_lanes_timeline(lanes, lane), *p = sl_lanes_timeline(lanes, parent);
    bool same = t->channels == p->channels && t->height == p->height && t->width == p->width;
    return same || sl_fail(err, SL_FORMAT,
                           "lane %d: its samples are [%d, %d, %d]; expected [%d, %d, %d] of lane "
                           "%d, which it branched from",
                           lane + 1, t->channels, t->height, t->width, p->channels, p->height,
                           p->width, parent + 1);
}

bool sl_lanes_check_lane(const SlLanes *lanes, int lane, const SlModelInfo *model, SlError *err)
{
    const SlBefore *before;
    int befores = sl_lanes_before(lanes, lane, &before);
    bool ok = check_timeline(sl_lanes_timeline(lanes, lane), model, lane, err) &&
              check_parent(lanes, lane, err);
    for (int i = 0; ok && i < befores; i++)
        ok = check_timeline(before[i].timeline, model, lane, err);
    return ok;
}

bool sl_lanes_check(const SlLanes *lanes, const SlModelInfo *model, SlError *err)
{
    bool ok = true;
    for (int i = 0; ok && i < sl_lanes_count(lanes); i++)
        ok = sl_lanes_check_lane(lanes, i, model, err);
    return ok;
}
