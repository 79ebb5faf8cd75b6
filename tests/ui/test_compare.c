/* test_compare.c - lanes side by side in the real window under Xvfb: what runs, what is seen at which
 * place, and that it is what the engine computes.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "lanes.h"

#include <math.h>
#include <string.h>

#include "app/objects/worker/sl-worker-private.h"
#include "engine/engine.h"
#include "ui/compare/sl-step-inspector.h"
#include "ui/widgets/sl-curve-draw.h"

static SlCompareChart *chart(void)
{
    return sl_compare_view_get_chart(compare_view);
}

static void test_empty(void)
{
    screenshot("compare-1-empty");
    g_assert_cmpuint(count_lanes(), ==, 0);
}

/* Near the beginning of a run a lane's bar is its colour there, and all but clear at its end. */
static void check_bar(guint lane)
{
    GtkWidget *bar = part(sl_compare_view_get_lane(compare_view, lane), "progress");
    g_autofree guint32 *pixels = draw_widget(bar);
    int width = gtk_widget_get_width(bar), middle = gtk_widget_get_height(bar) / 2;

    g_assert_true(gtk_widget_get_visible(bar));
    g_assert_cmpuint(pixels[middle * width + 1] >> 24, >, 0x80);
    g_assert_cmpuint(pixels[middle * width + width - 2] >> 24, <, 0x40);
}

/* Four schedulers from the same noise, all moving at once. */
static void test_live(void)
{
    guint least = 0, done, planned;

    g_object_set(workspace->recipe, "steps", 300, "seed", (guint64)11, NULL);
    act_with("win.compare-preset", "four");
    g_assert_cmpuint(count_lanes(), ==, 4);
    sl_comparison_get_progress(comparison, &done, &planned); /* none has begun */
    g_assert_cmpuint(done, ==, 0);
    g_assert_cmpuint(planned, >=, 4 * 300);
    WAIT_UNTIL(sl_comparison_get_job(comparison, 3) &&
               count_frames(sl_comparison_get_job(comparison, 3)) >= (guint)steps_like(20));
    g_assert_true(sl_comparison_is_busy(comparison));
    for (guint i = 0; i < 4; i++)
        least = i ? MIN(least, count_frames(sl_comparison_get_job(comparison, i)))
                  : count_frames(sl_comparison_get_job(comparison, i));
    g_assert_cmpuint(least + 2, >=, count_frames(sl_comparison_get_job(comparison, 3)));
    check_bar(3);
    screenshot("compare-2-live");
    act("win.stop");
    WAIT_UNTIL(is_over());
    sl_comparison_get_progress(comparison, &done, &planned);
    g_assert_cmpuint(done, ==, planned); /* what was stopped does not go on */
}

/* One lane against the engine run alone: same evaluations, same noise levels, same bytes. */
static void check_lane(SlModel *model, guint index)
{
    SlJob *job = sl_comparison_get_job(comparison, index);
    GListModel *frames = sl_job_get_frames(job);
    SlSettings *settings = sl_job_get_settings(job);
    SlRecipe recipe;
    SlError err = {0};
    SlRun *run;

    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = sl_settings_get_prompt(settings);
    recipe.scheduler = sl_settings_get_scheduler(settings);
    recipe.steps = sl_settings_get_steps(settings);
    recipe.seed = sl_settings_get_seed(settings);
    run = sl_run_new(model, &recipe, NULL, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(sl_run_evaluations(run), ==, (int)g_list_model_get_n_items(frames));
    for (guint i = 0; i < g_list_model_get_n_items(frames); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(frames, i);
        int channels, height, width;
        GBytes *sample =
            sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &channels, &height, &width);
        SlFrame expected;

        g_assert_true(sl_run_next(run, &expected, &err));
        g_assert_cmpfloat(sl_frame_object_get_sigma(frame), ==, expected.sigma);
        g_assert_cmpfloat(sl_frame_object_get_timestep(frame), ==, expected.timestep);
        g_assert_cmpint(sl_frame_object_get_step(frame), ==, expected.step);
        g_assert_cmpint(sl_frame_object_get_index(frame), ==, expected.evaluation);
        g_assert_cmpmem(g_bytes_get_data(sample, NULL), g_bytes_get_size(sample), expected.x_t,
                        sl_run_sample_elements(run) * sizeof(float));
    }
    sl_run_free(run);
}

static void test_same_as_engine(void)
{
    g_autofree char *path = g_build_filename(g_getenv("SAFELIGHT_MODELS"), model_name, NULL);
    SlModelOptions options = {.threads = 2};
    SlError err = {0};
    SlModel *model = sl_model_open(path, &options, &err);

    g_assert_nonnull(model);
    g_object_set(workspace->recipe, "steps", 12, "seed", (guint64)11, "prompt", "a red house",
                 NULL);
    act_with("win.compare-preset", "four");
    run_to_end();
    screenshot("compare-3-done");
    for (guint i = 0; i < count_lanes(); i++)
        check_lane(model, i);
    sl_model_close(&model);
}

/* The place moves all lanes at once; each shows what it had there. */
static void test_scrub(void)
{
    SlCurveView *curves = sl_compare_chart_get_curves(chart());

    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    g_signal_emit_by_name(curves, "picked", 5.2);
    for (guint i = 0; i < count_lanes(); i++) {
        SlFrameObject *frame = sl_comparison_get_frame(comparison, i);

        g_assert_cmpint(sl_frame_object_get_step(frame) + 1, ==, 5);
        g_assert_nonnull(sl_canvas_get_texture(
            sl_lane_view_get_canvas(sl_compare_view_get_lane(compare_view, i))));
    }
    act("win.next-step");
    g_assert_cmpfloat(sl_comparison_get_position(comparison), ==, 6);
    for (guint i = 0; i < count_lanes(); i++)
        WAIT_UNTIL(
            sl_frame_object_is_decoded(sl_comparison_get_frame(comparison, i), SL_VIEW_PICTURE));
    g_signal_emit_by_name(curves, "moved", G_MININT);
    g_assert_cmpfloat(sl_comparison_get_position(comparison), ==, 1);
    g_signal_emit_by_name(curves, "moved", G_MAXINT);
    g_assert_true(sl_comparison_is_following(comparison));
    g_assert_cmpfloat(sl_comparison_get_position(comparison), ==, 12);
}

/* Lined up by noise and by cost: no lane is ahead of the place, and its next frame is beyond it. */
static void test_align(void)
{
    for (SlAlign align = SL_ALIGN_STEPS; align <= SL_ALIGN_EVALUATIONS; align++) {
        sl_comparison_set_align(comparison, align);
        sl_comparison_move(comparison, G_MININT);
        sl_comparison_move(comparison, 7);
        for (guint i = 0; i < count_lanes(); i++) {
            double position = sl_comparison_get_position(comparison);
            guint index = (guint)sl_frame_object_get_index(sl_comparison_get_frame(comparison, i));
            double here = sl_comparison_position_of(comparison, i, index);
            double next = index + 1 < count_frames(sl_comparison_get_job(comparison, i))
                              ? sl_comparison_position_of(comparison, i, index + 1)
                              : NAN;

            if (align == SL_ALIGN_SIGMA)
                g_assert_true((index == 0 || here >= position * 0.999) &&
                              !(next >= position * 1.001));
            else
                g_assert_true((index == 0 || here <= position) && !(next <= position - 0.001));
        }
        screenshot(align == SL_ALIGN_STEPS   ? "compare-4-steps"
                   : align == SL_ALIGN_SIGMA ? "compare-5-sigma"
                                             : "compare-6-evaluations");
    }
    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
}

/* Zoom and place of one picture are those of all. */
static void test_linked_zoom(void)
{
    SlCanvas *first = sl_lane_view_get_canvas(sl_compare_view_get_lane(compare_view, 0));

    sl_canvas_set_zoom(first, 5);
    for (guint i = 1; i < count_lanes(); i++)
        g_assert_cmpfloat(
            sl_canvas_get_zoom(sl_lane_view_get_canvas(sl_compare_view_get_lane(compare_view, i))),
            ==, 5);
    act("win.zoom-fit");
    g_assert_true(
        sl_canvas_is_fitted(sl_lane_view_get_canvas(sl_compare_view_get_lane(compare_view, 3))));
}

/* The heat map of a lane with itself is all zero; with another it is not. */
static void test_heat_map(void)
{
    SlFrameObject *a = sl_comparison_get_frame(comparison, 0);
    SlFrameObject *b = sl_comparison_get_frame(comparison, 1);
    SlPixelDifference difference;
    int width, height;
    g_autoptr(GBytes) same =
        sl_difference_heat(&(SlHeatOf){a, a, SL_VIEW_PICTURE, 255}, &width, &height, &difference);
    g_autoptr(GBytes) other = NULL;

    for (gsize i = 0; i < g_bytes_get_size(same); i++)
        g_assert_cmpint(((const guint8 *)g_bytes_get_data(same, NULL))[i], ==, 0);
    g_assert_cmpint(difference.largest, ==, 0);
    g_assert_cmpint((int)g_bytes_get_size(same), ==, width * height * 3);
    other =
        sl_difference_heat(&(SlHeatOf){a, b, SL_VIEW_PICTURE, 255}, &width, &height, &difference);
    g_assert_cmpint(difference.largest, >, 0);
    g_assert_false(g_bytes_equal(same, other));
    g_object_set(compare_view, "difference", TRUE, NULL);
    sl_comparison_move(comparison, G_MAXINT);
    screenshot("compare-6-difference");
    g_object_set(compare_view, "difference", FALSE, NULL);
}

static gboolean all_are_decoded(void)
{
    for (guint i = 0; i < count_lanes(); i++)
        for (guint f = 0; f < count_frames(sl_comparison_get_job(comparison, i)); f++) {
            g_autoptr(SlFrameObject) frame =
                g_list_model_get_item(sl_job_get_frames(sl_comparison_get_job(comparison, i)), f);

            if (!sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE))
                return FALSE;
        }
    return TRUE;
}

/* Distances come from the latents, and the lane that is the reference ends at itself. */
static void test_distance(void)
{
    SlJob *reference = sl_comparison_get_job(comparison, 0);
    SlFrameObject *result = sl_job_get_last_frame(reference);

    g_assert_cmpfloat(sl_difference_rms(result, result), ==, 0);
    g_assert_true(isinf(sl_difference_psnr(result, result, FALSE)));
    g_assert_true(isinf(sl_difference_psnr(result, result, TRUE)));
    g_assert_cmpint(sl_difference_parting(reference, reference), ==, -1);
    for (guint i = 1; i < count_lanes(); i++) {
        SlJob *job = sl_comparison_get_job(comparison, i);
        g_autoptr(SlFrameObject) first = g_list_model_get_item(sl_job_get_frames(job), 0);
        SlFrameObject *last = sl_job_get_last_frame(job);

        g_assert_cmpfloat(sl_difference_rms(last, result), >, 0);
        g_assert_cmpfloat(sl_difference_rms(last, result), <, sl_difference_rms(first, result));
        g_assert_cmpint(sl_difference_settled(job), <, sl_frame_object_get_steps(last));
    }
    gtk_toggle_button_set_active(part(chart(), "tab_distance"), TRUE);
    sl_compare_view_choose(compare_view, 2);
    screenshot("compare-6-distance");
    gtk_toggle_button_set_active(part(chart(), "tab_likeness"), TRUE);
    screenshot("compare-6-likeness");
    g_assert_cmpint(sl_compare_chart_measures_decoded(chart()), ==, all_are_decoded());
    gtk_toggle_button_set_active(part(chart(), "tab_sigma"), TRUE);
}

/* Inside a step: the channels' figures are those of the sample, every part is a picture. */
static void test_inside(void)
{
    SlFrameObject *frame = sl_comparison_get_frame(comparison, 1);
    int channels, height, width;
    const float *x = g_bytes_get_data(
        sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &channels, &height, &width), NULL);
    g_autoptr(GBytes) noise = sl_frame_object_draw_part(frame, SL_PART_OUTPUT, &width, &height);
    g_autoptr(GBytes) term = sl_frame_object_draw_part(frame, SL_PART_GUIDANCE, &width, &height);

    g_assert_cmpuint(sl_frame_object_get_channels(frame), ==, (guint)channels);
    for (int c = 0; c < channels; c++) {
        double sum = 0;

        for (int i = 0; i < height * width; i++)
            sum += x[c * height * width + i];
        g_assert_cmpfloat_with_epsilon(sl_frame_object_get_channel(frame, (guint)c).mean,
                                       sum / (height * width), 1e-5);
        g_assert_cmpfloat(sl_frame_object_get_channel(frame, (guint)c).deviation, >, 0);
    }
    g_assert_nonnull(noise);
    g_assert_nonnull(term);
    g_assert_false(g_bytes_equal(noise, term));
    sl_compare_view_choose(compare_view, 1);
    gtk_toggle_button_set_active(part(chart(), "tab_inside"), TRUE);
    screenshot("compare-6-inside");
    g_assert_cmpstr(sl_step_inspector_get_note(part(chart(), "inspector")), !=, "");
    gtk_toggle_button_set_active(part(chart(), "tab_sigma"), TRUE);
}

/* Nine curves end at one place, in the middle and at the edge: their numbers can be told apart. */
static void test_numbers(void)
{
    GtkWidget *widget = GTK_WIDGET(chart());
    SlCurveChart curves;
    SlCurve curve[9];
    graphene_rect_t box[9];

    sl_curve_chart_init(&curves, widget);
    sl_curve_chart_set_axes(&curves, &(SlCurveAxes){.first = 0, .last = 10});
    for (int end = 5; end <= 10; end += 5) {
        const SlCurvePoint points[] = {{0, 3}, {end, 2}};
        guint placed = 0;

        for (int i = 0; i < 9; i++)
            curve[i] = (SlCurve){
                .number = 10 + i, .bold = i == 7, .reached = 2, .n_points = 2, .points = points};
        sl_curve_chart_set_curves(&curves, curve, 9);
        sl_curve_draw_place_numbers(&curves, box);
        g_assert_cmpfloat(box[7].size.width, >, 0);
        for (int i = 0; i < 9; i++) {
            if (box[i].size.width == 0)
                continue;
            placed++;
            g_assert_cmpfloat(box[i].origin.x + box[i].size.width, <=,
                              gtk_widget_get_width(widget));
            for (int j = 0; j < i; j++)
                g_assert_false(graphene_rect_intersection(&box[i], &box[j], NULL));
        }
        g_assert_cmpuint(placed, >=, end < 10 ? 9 : 4);
    }
    sl_curve_chart_clear(&curves);
}

static SlOps short_of_memory;

static void no_picture(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    sl_device_fail(dev, SL_MEMORY, "no memory for the picture");
}

/* From here on no picture can be decoded, until this is called with FALSE. The worker has nothing to do. */
static void break_decoding(gboolean broken)
{
    static const SlOps *whole;
    SlDevice *dev = sl_model_device(_sl_worker_get_side(workspace->worker)->model);

    if (broken) {
        whole = dev->ops;
        short_of_memory = *whole;
        short_of_memory.to_rgb8 = no_picture;
    }
    dev->ops = broken ? &short_of_memory : whole;
}

static const char *lane_problem(guint lane)
{
    return sl_lane_view_get_problem(sl_compare_view_get_lane(compare_view, lane));
}

/* Who rests on a step that cannot be decoded reads why, lane by lane, and sees the quick preview; who comes back
 * when it can be decoded sees the picture. */
static void test_not_decoded(void)
{
    g_settings_set_uint(preferences, "previews", SL_PREVIEWS_QUICK);
    g_object_set(workspace->recipe, "steps", 9, NULL);
    act("win.develop");
    run_to_end();
    settle(300);
    break_decoding(TRUE);
    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    sl_comparison_set_position(comparison, 4);
    for (guint i = 0; i < count_lanes(); i++) {
        WAIT_UNTIL(lane_problem(i) != NULL);
        g_assert_nonnull(strstr(lane_problem(i), "no memory for the picture"));
        g_assert_nonnull(sl_canvas_get_texture(
            sl_lane_view_get_canvas(sl_compare_view_get_lane(compare_view, i))));
    }
    g_assert_null(find_dialog());
    screenshot("compare-7-not-decoded");
    break_decoding(FALSE);
    sl_comparison_set_position(comparison, 5);
    g_assert_null(lane_problem(0));
    sl_comparison_set_position(comparison, 4);
    for (guint i = 0; i < count_lanes(); i++)
        WAIT_UNTIL(
            sl_frame_object_is_decoded(sl_comparison_get_frame(comparison, i), SL_VIEW_PICTURE));
    g_assert_null(lane_problem(0));
    sl_comparison_move(comparison, G_MAXINT);
}

/* The same for a single picture. */
static void test_not_decoded_alone(void)
{
    SlJob *job;

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.develop");
    WAIT_UNTIL((job = sl_darkroom_page_get_job(darkroom)) && sl_job_is_over(job));
    settle(300);
    break_decoding(TRUE);
    act("win.previous-step");
    act("win.previous-step");
    WAIT_UNTIL(sl_tray_get_problem(tray) != NULL);
    g_assert_nonnull(strstr(sl_tray_get_problem(tray), "no memory for the picture"));
    g_assert_null(find_dialog());
    screenshot("compare-7-not-decoded-alone");
    break_decoding(FALSE);
    act("win.next-step");
    g_assert_null(sl_tray_get_problem(tray));
    act("win.previous-step");
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_darkroom_page_get_frame(darkroom), SL_VIEW_PICTURE));
    g_assert_null(sl_tray_get_problem(tray));
    g_settings_reset(preferences, "previews");
    adw_view_stack_set_visible_child_name(pages, "compare");
}

/* A pause keeps the timeline: what comes after it is what would have come without. */
static void test_pause(void)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (int round = 0; round < 2; round++) {
        g_object_set(workspace->recipe, "steps", 60, "seed", (guint64)5, NULL);
        act("win.develop");
        if (round == 1) {
            WAIT_UNTIL(count_frames(sl_comparison_get_job(comparison, 3)) >= 3);
            act("win.compare-pause");
            WAIT_UNTIL(sl_comparison_is_paused(comparison));
            screenshot("compare-7-paused");
            act("win.compare-pause");
        }
        run_to_end();
        for (guint i = 0; i < count_lanes(); i++) {
            SlFrameObject *last = sl_job_get_last_frame(sl_comparison_get_job(comparison, i));
            int c, h, w;
            GBytes *sample = sl_frame_object_get_sample(last, SL_VIEW_NOISY, &c, &h, &w);

            if (round == 0)
                g_ptr_array_add(before, g_bytes_ref(sample));
            else
                g_assert_true(g_bytes_equal(before->pdata[i], sample));
        }
    }
}

static const char *range_shown(void)
{
    return gtk_label_get_text(GTK_LABEL(part(compare_view, "range")));
}

static void turn(const char *action)
{
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(compare_view), action, NULL));
}

/* More lanes than there is room for: nine at a time, and the view says which. */
static void test_pages(void)
{
    GtkWidget *box = part(compare_view, "range_box");

    if (SL_COMPARISON_MAX < 20) {
        g_test_skip("a comparison has no more lanes than are shown");
        return;
    }
    g_assert_false(gtk_widget_get_visible(box));
    act("win.compare-clear");
    for (guint64 seed = 1; seed <= 20; seed++) {
        g_autoptr(SlSettings) values = sl_settings_new();
        g_autoptr(SlCompareLane) lane = NULL;

        g_object_set(values, "seed", seed, NULL);
        lane = sl_compare_lane_new(sl_own("seed"), values);
        g_assert_true(sl_comparison_add(comparison, lane));
    }
    g_assert_true(gtk_widget_get_visible(box));
    g_assert_cmpstr(range_shown(), ==, "Lanes 1–9 of 20");
    g_assert_null(sl_compare_view_get_lane(compare_view, 9));
    turn("compare.next-lanes");
    g_assert_cmpstr(range_shown(), ==, "Lanes 10–18 of 20");
    g_assert_null(sl_compare_view_get_lane(compare_view, 0));
    g_assert_cmpint(sl_lane_view_get_number(sl_compare_view_get_lane(compare_view, 9)), ==, 10);
    g_assert_cmpuint(sl_compare_view_get_chosen(compare_view), ==, 9);
    turn("compare.next-lanes");
    turn("compare.next-lanes"); /* there are no more */
    g_assert_cmpstr(range_shown(), ==, "Lanes 19–20 of 20");
    screenshot("compare-13-pages");
    sl_comparison_remove(comparison, 19);
    sl_comparison_remove(comparison, 18); /* the page is gone with its last lane */
    g_assert_cmpstr(range_shown(), ==, "Lanes 10–18 of 18");
    turn("compare.previous-lanes");
    turn("compare.previous-lanes");
    g_assert_cmpstr(range_shown(), ==, "Lanes 1–9 of 18");
    sl_compare_view_choose(compare_view, 17);
    g_assert_nonnull(sl_compare_view_get_lane(compare_view, 17));
    act("win.compare-clear");
}

static const LaneTest tests[] = {
    {"/compare/empty", test_empty, FALSE},
    {"/compare/live", test_live, TRUE},
    {"/compare/same-as-engine", test_same_as_engine, TRUE},
    {"/compare/scrub", test_scrub, FALSE},
    {"/compare/align", test_align, FALSE},
    {"/compare/linked-zoom", test_linked_zoom, FALSE},
    {"/compare/heat-map", test_heat_map, TRUE},
    {"/compare/distance", test_distance, TRUE},
    {"/compare/numbers", test_numbers, FALSE},
    {"/compare/inside", test_inside, FALSE},
    {"/compare/not-decoded", test_not_decoded, FALSE},
    {"/compare/not-decoded-alone", test_not_decoded_alone, FALSE},
    {"/compare/pause", test_pause, FALSE},
    {"/compare/pages", test_pages, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
