/* lanes.h - the window's comparison, for tests of its lanes. The model is a small one with random weights,
 * or $SAFELIGHT_TEST_MODEL. */
#pragma once

#include "driver.h"

typedef struct LaneTest {
    const char *path;
    void (*test)(void);
    gboolean any_model; /* the others take long, or know what the small one does */
} LaneTest;

static SlComparison *comparison;
static const char *model_name;

/* Steps, or a place among them, where the small model takes `small`: the one that comes with the program does
 * as much in each as takes a hundred times as long. */
G_GNUC_UNUSED static int steps_like(int small)
{
    return g_str_equal(model_name, "sd1") ? small : MAX(small / 4, 1);
}

static guint count_lanes(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(comparison));
}

static gboolean is_over(void)
{
    for (guint i = 0; i < count_lanes(); i++)
        if (!sl_comparison_get_job(comparison, i) ||
            !sl_job_is_over(sl_comparison_get_job(comparison, i)))
            return FALSE;
    return count_lanes() > 0;
}

G_GNUC_UNUSED static void run_to_end(void)
{
    WAIT_UNTIL(is_over());
    for (guint i = 0; i < count_lanes(); i++)
        g_assert_cmpint(sl_job_get_state(sl_comparison_get_job(comparison, i)), ==, SL_JOB_DONE);
}

/* What a frame began with; NULL where only its picture is kept. */
G_GNUC_UNUSED static GBytes *sample_of(SlJob *job, guint index)
{
    g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), index);
    int channels, height, width;

    return sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &channels, &height, &width);
}

/* As the menu does, without its dialog. */
G_GNUC_UNUSED static void save_as(const char *what, const char *path)
{
    g_assert_true(
        gtk_widget_activate_action(GTK_WIDGET(window), "win.compare-save-to", "(ss)", what, path));
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
    WAIT_UNTIL(!sl_export_bar_is_busy(export_bar));
    g_assert_null(find_dialog());
}

/* The tests in their order, with the compare page on top. What main() gives. */
G_GNUC_UNUSED static int run_lane_tests(int *argc, char ***argv, const LaneTest *tests, guint count)
{
    int status;

    g_test_init(argc, argv, NULL);
    model_name = g_getenv("SAFELIGHT_TEST_MODEL") ? g_getenv("SAFELIGHT_TEST_MODEL") : "sd1";
    if (!start_application(model_name))
        return 77;
    comparison = workspace->comparison;
    adw_view_stack_set_visible_child_name(pages, "compare");
    for (guint i = 0; i < count; i++)
        if (tests[i].any_model || g_str_equal(model_name, "sd1"))
            g_test_add_func(tests[i].path, tests[i].test);
    status = g_test_run();
    end_application();
    return status;
}
