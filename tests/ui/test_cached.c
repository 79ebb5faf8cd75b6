/* test_cached.c - evaluations that took over a part of one before, in the real window under Xvfb: the ready-made
 * comparison beside the exact run, its figures, curves and inspector, the film strip and the words; kept in a file.
 *
 * The tests run in order in one process, each from where the one before left the window. */
#include "lanes.h"

#include "ui/compare/sl-lane-text.h"
#include "ui/compare/sl-step-inspector.h"
#include "ui/darkroom/sl-word-view.h"

#include <string.h>

static const char *caption(void)
{
    return gtk_label_get_text(GTK_LABEL(part(tray, "caption")));
}

static int cached_of(SlJob *job)
{
    GListModel *frames = sl_job_get_frames(job);
    int cached = 0;

    for (guint i = 0; i < g_list_model_get_n_items(frames); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(frames, i);

        cached += sl_frame_object_is_cached(frame);
    }
    return cached;
}

/* The exact lane is what the others are measured against; the deep one takes over two of three. */
static void test_ready_made(void)
{
    int steps = steps_like(12);
    g_autofree char *figures = NULL, *full = NULL;
    SlJob *deep;

    g_object_set(workspace->recipe, "steps", steps, "seed", (guint64)5, "scheduler", "euler",
                 "prompt", "a red house by a lake", NULL);
    act_with("win.compare-preset", "caching");
    g_assert_cmpuint(count_lanes(), ==, 3);
    g_assert_cmpuint(sl_comparison_get_reference(comparison), ==, 0);
    run_to_end();
    deep = sl_comparison_get_job(comparison, 1);
    g_assert_cmpint(cached_of(sl_comparison_get_job(comparison, 0)), ==, 0);
    g_assert_cmpint(cached_of(deep), ==, steps - (steps + 2) / 3);
    figures = sl_lane_figures(deep, sl_job_get_last_frame(deep));
    g_assert_nonnull(strstr(figures, " cached"));
    full = sl_lane_figures_in_full(deep, sl_job_get_last_frame(deep));
    g_assert_nonnull(strstr(full, " cached"));
    settle(300);
    screenshot("caching-1-lanes");
}

/* What is read of a curve says it, and so does the inspector of the step. */
static void test_curves(void)
{
    SlCompareChart *chart = sl_compare_view_get_chart(compare_view);
    g_autofree char *whole = NULL, *cached = NULL;

    sl_compare_chart_show_distance(chart);
    sl_compare_view_choose(compare_view, 1);
    whole = sl_curve_view_describe(sl_compare_chart_get_curves(chart), 1);
    cached = sl_curve_view_describe(sl_compare_chart_get_curves(chart), 2);
    g_assert_null(strstr(whole, "cached"));
    g_assert_nonnull(strstr(cached, "cached"));
    settle(200);
    screenshot("caching-2-curves");
    sl_comparison_set_position(comparison, 2);
    sl_compare_chart_inspect(chart);
    settle(300);
    g_assert_nonnull(strstr(sl_step_inspector_get_note(part(chart, "inspector")),
                            "This step took over a part of an earlier evaluation"));
    screenshot("caching-3-inspector");
    sl_compare_chart_show_table(chart);
    settle(500);
    screenshot("caching-4-table");
}

/* A file keeps which they were. */
static void test_file(void)
{
    g_autofree char *path = g_build_filename(folder, "cached.safelight", NULL);
    int cached = cached_of(sl_comparison_get_job(comparison, 1));

    save_as("comparison", path);
    act("win.compare-clear");
    g_assert_cmpuint(count_lanes(), ==, 0);
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 3 && is_over());
    g_assert_cmpint(cached_of(sl_comparison_get_job(comparison, 1)), ==, cached);
    g_assert_cmpint(cached_of(sl_comparison_get_job(comparison, 0)), ==, 0);
}

/* The step's name in the strip and the caption; its words have no maps, and why is said. */
static void test_darkroom(void)
{
    SlWordView *words;

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    words = SL_WORD_VIEW(part(darkroom, "words"));
    g_object_set(workspace->recipe, "caching", 1, "steps", 9, NULL);
    act("win.word-maps");
    act("win.develop");
    WAIT_UNTIL(sl_darkroom_page_get_job(darkroom) &&
               sl_job_is_over(sl_darkroom_page_get_job(darkroom)));
    settle(300);
    g_assert_cmpint(cached_of(sl_darkroom_page_get_job(darkroom)), ==, 6);
    sl_film_strip_pick(strip, 3);
    settle(100);
    g_assert_null(sl_word_view_get_message(words));
    g_assert_null(strstr(caption(), "cached"));
    sl_film_strip_pick(strip, 4);
    settle(100);
    g_assert_nonnull(strstr(caption(), "cached"));
    g_assert_nonnull(strstr(sl_word_view_get_message(words), "A cached step looks at no words"));
    screenshot("caching-5-darkroom");
    act("win.word-maps");
    settle(100);
    screenshot("caching-6-strip");
}

int main(int argc, char **argv)
{
    static const LaneTest tests[] = {
        {"/caching/ready-made", test_ready_made, TRUE},
        {"/caching/curves", test_curves, FALSE},
        {"/caching/file", test_file, FALSE},
        {"/caching/darkroom", test_darkroom, FALSE},
    };

    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
