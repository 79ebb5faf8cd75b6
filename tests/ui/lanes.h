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

/* The tests in their order, with the compare page on top. What main() gives. */
static int run_lane_tests(int *argc, char ***argv, const LaneTest *tests, guint count)
{
    int status;

    g_test_init(argc, argv, NULL);
    model_name = g_getenv("SAFELIGHT_TEST_MODEL") ? g_getenv("SAFELIGHT_TEST_MODEL") : "sd1";
    if (!start_application(model_name))
        return 77;
    comparison = window->comparison;
    adw_view_stack_set_visible_child_name(window->pages, "compare");
    for (guint i = 0; i < count; i++)
        if (tests[i].any_model || g_str_equal(model_name, "sd1"))
            g_test_add_func(tests[i].path, tests[i].test);
    status = g_test_run();
    end_application();
    return status;
}
