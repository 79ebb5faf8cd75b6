/* test_difference_lanes.c - where real lanes part, when they settle, and how far they are from a
 * reference over their evaluations.
 */
#include "app/record/difference.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

#define STEPS 8

static SlModel *open_model(void)
{
    SlError err = {0};
    char *folder = sl_test_path("goldens/model/sd1");
    SlModel *model = sl_model_open(folder, &(SlModelOptions){.device = "cpu", .threads = 1}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
}

/* ddim, the same, another prompt, heun */
static SlLanes *make_lanes(SlModel *model, SlError *err)
{
    SlRecipe recipe[4];
    SlLanes *lanes = sl_lanes_new();
    int lane = 0;
    for (int i = 0; lanes && i < 4; i++) {
        sl_recipe_defaults(&recipe[i], sl_model_info(model));
        recipe[i].scheduler = i == 3 ? "heun" : "ddim";
        recipe[i].prompt = i == 2 ? "a blue car" : "a red house";
        recipe[i].steps = STEPS;
        recipe[i].width = recipe[i].height = 32;
        if (sl_lanes_add(lanes, model, &recipe[i], NULL, 4, err) < 0)
            return lanes;
    }
    while (lanes && lane >= 0 && sl_lanes_next(lanes, model, &lane, err))
        ;
    return lanes;
}

static void test_parting(const SlLanes *lanes)
{
    SlParting same = sl_lanes_parting(lanes, 0, 1), self = sl_lanes_parting(lanes, 2, 2);
    SlParting other = sl_lanes_parting(lanes, 0, 2);
    sl_test(!same.differ && !same.apart && !self.differ,
            "lanes with the same settings do not part, nor does a lane from itself");
    sl_test(other.differ == 1 && (!other.apart || other.apart >= other.differ),
            "another prompt differs from the first step on (%d, apart %d)", other.differ,
            other.apart);
}

static void test_curve(const SlLanes *lanes, SlModel *model)
{
    SlDistancePoint points[2 * STEPS + 4];
    int room = 2 * STEPS + 4;
    int count = sl_lanes_curve(lanes, model, 0, 1, points, room);
    sl_test(count == STEPS && points[0].work == 1 && points[count - 1].work == STEPS,
            "a point for each evaluation (%d)", count);
    sl_test(count > 1 && points[0].distance > points[count - 1].distance &&
                points[0].psnr < points[count - 1].psnr,
            "a lane comes closer to where its twin ended: %.3f to %.3f, %.1f to %.1f dB",
            points[0].distance, points[count - 1].distance, points[0].psnr, points[count - 1].psnr);
    count = sl_lanes_curve(lanes, NULL, 3, 0, points, room);
    sl_test(count == 2 * STEPS - 1 && isnan(points[0].psnr) &&
                points[count - 1].work == 2 * STEPS - 1,
            "heun has two evaluations a step, and without a model there are no pictures");
    sl_test(sl_lanes_curve(lanes, model, 0, 1, points, 3) == 3,
            "no more points than there is room");
}

/* Settled at s: every picture from s on looks like the last, the one before s does not. */
static void test_settled(const SlLanes *lanes, SlModel *model)
{
    const SlTimeline *t = sl_lanes_timeline(lanes, 0);
    int settled = sl_timeline_settled(t, model), channels, height, width;
    sl_timeline_size(t, &channels, &height, &width);
    size_t bytes = (size_t)height * (size_t)width * 3;
    uint8_t *pictures = malloc(bytes * STEPS);
    const uint8_t *previews[STEPS];
    for (int i = 0; i < STEPS; i++) {
        sl_preview(model, sl_timeline_moment(t, i)->x_0, height, width, pictures + bytes * i);
        previews[i] = pictures + bytes * i;
    }
    sl_test(settled >= 1 && settled == sl_settled(previews, STEPS, bytes, SL_VISIBLE_LEVELS),
            "no visible change since step %d of %d, as with all pictures at hand", settled, STEPS);
    free(pictures);
}

int main(void)
{
    SlError err = {0};
    SlModel *model = open_model();
    SlLanes *lanes = model ? make_lanes(model, &err) : NULL;
    if (sl_test(lanes && sl_lanes_count(lanes) == 4, "four lanes %s", err.message)) {
        test_parting(lanes);
        test_curve(lanes, model);
        test_settled(lanes, model);
    }
    sl_lanes_free(lanes);
    sl_model_close(&model);
    return sl_test_done();
}
