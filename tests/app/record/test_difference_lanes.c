/* test_difference_lanes.c - where real lanes part, when they settle, and how far they are from a
 * reference over their evaluations.
 */
#include "app/record/compare.h"
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
        const SlMoment *m = sl_timeline_moment(t, i);
        sl_preview(model, m->last ? m->x_t : m->x_0, height, width, pictures + bytes * i);
        previews[i] = pictures + bytes * i;
    }
    sl_test(settled >= 1 && settled == sl_settled(previews, STEPS, bytes, SL_VISIBLE_LEVELS),
            "no visible change since step %d of %d, as with all pictures at hand", settled, STEPS);
    free(pictures);
}

/* The first step whose previews are not all within the levels, found the plain way. */
static void test_look_apart(const SlLanes *lanes, SlModel *model)
{
    const SlTimeline *t[2] = {sl_lanes_timeline(lanes, 0), sl_lanes_timeline(lanes, 2)};
    int channels, height, width, expected = 0;
    sl_timeline_size(t[0], &channels, &height, &width);
    size_t bytes = (size_t)height * (size_t)width * 3;
    uint8_t *rgb[2] = {malloc(bytes), malloc(bytes)};
    for (int step = 1; step <= STEPS && !expected; step++) {
        int most = 0;
        for (int k = 0; k < 2; k++) {
            const SlMoment *m = sl_timeline_moment(t[k], step - 1);
            sl_preview(model, m->last ? m->x_t : m->x_0, height, width, rgb[k]);
        }
        for (size_t i = 0; i < bytes; i++)
            most = abs(rgb[0][i] - rgb[1][i]) > most ? abs(rgb[0][i] - rgb[1][i]) : most;
        expected = most > SL_VISIBLE_LEVELS ? step : 0;
    }
    int found = sl_lanes_look_apart(lanes, model, 0, 2);
    sl_test(found == expected, "lanes look apart after step %d, expected %d", found, expected);
    sl_test(sl_lanes_look_apart(lanes, model, 0, 1) == 0, "equal lanes never do");
    free(rgb[0]);
    free(rgb[1]);
}

/* A branch of lane 3 beside lane 0: until it begins, it is its parent. */
static void test_branch(SlLanes *lanes, SlModel *model, SlError *err)
{
    SlRecipe recipe = *sl_timeline_recipe(sl_lanes_timeline(lanes, 3));
    recipe.guidance = 2;
    int branch = sl_lanes_branch(lanes, model, 3, 4, &recipe, err), lane = 0;
    while (branch >= 0 && lane >= 0 && sl_lanes_next(lanes, model, &lane, err))
        ;
    if (!sl_test(branch == 4, "a branch %s", err->message))
        return;
    SlParting parent = sl_lanes_parting(lanes, 3, 0), own = sl_lanes_parting(lanes, branch, 0);
    SlParting of_parent = sl_lanes_parting(lanes, branch, 3);
    sl_test(parent.differ >= 1 && parent.differ <= 4 && own.differ == parent.differ,
            "a branch differs from a third lane where its parent did: %d, %d", own.differ,
            parent.differ);
    sl_test(of_parent.differ == 5, "and from its parent after its first own step: %d",
            of_parent.differ);
    SlLaneFigures f = sl_lane_cost(lanes, branch), whole = sl_lane_cost(lanes, 3);
    int left = sl_timeline_step_end(sl_lanes_timeline(lanes, 3), 4);
    double before = sl_timeline_moment(sl_lanes_timeline(lanes, 3), left)->elapsed;
    const SlTimeline *t = sl_lanes_timeline(lanes, branch);
    double after = sl_timeline_moment(t, sl_timeline_count(t) - 1)->elapsed;
    sl_test(f.evaluations == whole.evaluations && fabs(f.seconds - before - after) < 1e-9 &&
                fabs(f.each - 1000 * after / sl_timeline_count(t)) < 1e-9,
            "its cost has its parent's part: %d evaluations", f.evaluations);
}

/* The table as text: quoting, unknown numbers, equal pictures, headings. */
static void test_rows(void)
{
    static const char *const headings[SL_N_LANE_COLUMNS] = {"A", "B", "C", "D", "E",    "F",
                                                            "G", "H", "I", "J", "K\tL", "M"};
    const SlLaneRow rows[2] = {
        {.number = 1,
         .title = "Euler",
         .reference = true,
         .figures = {.evaluations = 20,
                     .cached = -1,
                     .seconds = 2.5,
                     .each = 125,
                     .psnr = INFINITY,
                     .ssim = 1}},
        {.number = 3,
         .title = "“a \"red\", house”\nx",
         .figures = {.distance = NAN, .psnr = NAN, .ssim = NAN, .parts = 4}}};
    SlText text = {0};
    sl_lane_rows_add(&text, rows, 2, ',', NULL);
    sl_test(text.data &&
                strcmp(text.data, "lane,title,evaluations,ms_per_evaluation,seconds,psnr_db,ssim,"
                                  "parts_at_step,settled_at_step,distance,differs_at_step,cached\n"
                                  "1,Euler,20,125.00,2.500,inf,1.0000,,,0.00000,,\n"
                                  "3,\"“a \"\"red\"\", house”\nx\",0,,,,,4,,,,\n") == 0,
            "as CSV: %s", text.data);
    sl_text_free(&text);
    sl_lane_rows_add(&text, rows, 1, '\t', headings);
    sl_test(text.data &&
                strncmp(text.data, "A\tB\tC\tD\tE\tF\tG\tH\tI\tJ\t\"K\tL\"\tM\n1\tEuler\t",
                        strlen("A\tB\tC\tD\tE\tF\tG\tH\tI\tJ\t\"K\tL\"\tM\n1\tEuler\t")) == 0,
            "with tabs and other headings: %s", text.data);
    sl_text_free(&text);
}

int main(void)
{
    test_rows();
    SlError err = {0};
    SlModel *model = open_model();
    SlLanes *lanes = model ? make_lanes(model, &err) : NULL;
    if (sl_test(lanes && sl_lanes_count(lanes) == 4, "four lanes %s", err.message)) {
        test_parting(lanes);
        test_curve(lanes, model);
        test_settled(lanes, model);
        test_look_apart(lanes, model);
        test_branch(lanes, model, &err);
    }
    sl_lanes_free(lanes);
    sl_model_close(&model);
    return sl_test_done();
}
