/* test_exchange_fast.c - what the window writes of lanes that ran as one batch, and of runs that are not kept
 * whole: it passes `safelight replay --verify` and opens again as it was.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "exchange.h"

#include "app/objects/sl-frame-object-private.h"
#include "ui/compare/sl-step-inspector.h"

#include <string.h>

static gboolean is_switched_on(void)
{
    gboolean fast;

    g_object_get(compare_view, "fast", &fast, NULL);
    return fast;
}

static const char *summary(void)
{
    return gtk_label_get_text(part(compare_view, "summary"));
}

static void check_lanes_are_fast(guint lanes)
{
    for (guint i = 0; i < count_lanes(); i++)
        g_assert_cmpint(sl_job_is_fast(sl_comparison_get_job(comparison, i)), ==, i < lanes);
}

/* Lanes as one batch, as the switch says: paused, one stopped on the way and one added later, with a branch.
 * What is saved of them says so and is computed again to the same bytes, also where lanes are gone. */
static void test_fast(void)
{
    static const char *const kinds[] = {"comparison", "sheet", "picture", "animation"};
    static const char *const names[] = {"fast.safelight", "fast-sheet.png", "fast-lane.png",
                                        "fast.webp"};
    g_autoptr(SlSettings) values = NULL;

    g_assert_false(is_switched_on()); /* on the CPU */
    gtk_widget_activate_action_variant(GTK_WIDGET(compare_view), "compare.fast", NULL);
    g_assert_true(is_switched_on());
    g_assert_cmpuint(g_settings_get_uint(preferences, "fast-lanes"), ==, SL_FAST_ON);
    g_object_set(workspace->recipe, "steps", 24, NULL);
    act_with("win.compare-preset", "four");
    WAIT_UNTIL(count_frames(sl_comparison_get_job(comparison, 3)) >= 3);
    WAIT_UNTIL(strstr(summary(), "fast") != NULL);
    act("win.compare-pause");
    WAIT_UNTIL(sl_comparison_is_paused(comparison));
    act("win.compare-pause");
    WAIT_UNTIL(count_frames(sl_comparison_get_job(comparison, 3)) >= 9);
    g_signal_emit_by_name(compare_view, "asked", 1, "remove");
    WAIT_UNTIL(is_over());
    act_with("win.compare-add", "heun");
    WAIT_UNTIL(is_over());
    check_lanes_are_fast(3);
    values = sl_settings_dup(workspace->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    g_object_set(values, "guidance", 3.0, NULL);
    branch_at(1, 7, sl_own("guidance"), values);
    sl_comparison_move(comparison, G_MAXINT);
    settle(100);
    g_assert_nonnull(strstr(summary(), "fast: last bits may differ"));
    screenshot("exchange-3-fast");
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path = path_of(names[i]);

        if (i == 3 && !sl_export_has_animations())
            continue;
        sl_compare_view_choose(compare_view, i == 2 ? 2 : 0);
        save_as(kinds[i], path);
        VERIFIES(path);
    }
    sl_compare_view_choose(compare_view, 4); /* the branch */
    {
        g_autofree char *path = path_of("fast-branch.png");

        save_as("picture", path);
        VERIFIES(path);
    }
    gtk_widget_activate_action_variant(GTK_WIDGET(compare_view), "compare.fast", NULL);
    g_assert_false(is_switched_on());
}

/* A fast comparison that is opened is fast again; saved again, it still says how it was made. */
static void test_fast_again(void)
{
    g_autofree char *path = path_of("fast.safelight");
    g_autofree char *again = path_of("fast-again.safelight");

    act_with("win.compare-preset", "four");
    WAIT_UNTIL(is_over());
    check_lanes_are_fast(0);
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 5 && is_over());
    check_lanes_are_fast(3);
    g_assert_true(is_switched_on());
    settle(100);
    WAIT_UNTIL(strstr(summary(), "fast") != NULL);
    save_as("comparison", again);
    VERIFIES(again);
    g_settings_reset(preferences, "fast-lanes");
    g_assert_false(is_switched_on());
}

/* The frames that have no samples of their own, but for those that are decoded. */
static guint count_light(SlJob *job)
{
    guint light = 0;

    for (guint i = 0; i < count_frames(job); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), i);

        light += _sl_frame_object_is_light(frame) != FALSE;
    }
    return light;
}

/* A run that is not kept whole, with a branch: saved, computed again by the program, opened, looked at
 * between what is kept, and made a sheet and an animation of. */
static void test_long(void)
{
    g_autofree char *path = path_of("long.safelight");
    g_autofree char *sheet = path_of("long.png");
    g_autofree char *animation = path_of("long.webp");
    g_autoptr(SlSettings) values = NULL;
    g_autoptr(SlJob) before = NULL;
    g_autoptr(SlFrameObject) frame = NULL;
    guint light;

    act("win.compare-clear");
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "ddpm"));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    g_object_set(workspace->recipe, "steps", 30, NULL);
    sl_worker_set_budget(workspace->worker, 140000);
    act_with("win.compare-preset", "seeds");
    WAIT_UNTIL(is_over());
    values = sl_settings_dup(workspace->recipe);
    g_object_set(values, "scheduler", "euler-a", NULL);
    branch_at(0, 17, sl_own("scheduler"), values);
    sl_worker_set_budget(workspace->worker, 0);
    before = g_object_ref(sl_comparison_get_job(comparison, 0));
    light = count_light(before);
    g_assert_cmpuint(light, >, 10);
    g_assert_cmpuint(light, <, 28);
    save_as("comparison", path);
    VERIFIES(path);
    act("win.compare-clear");
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() > 2 && is_over());
    for (guint i = 0; i < count_lanes(); i++)
        g_assert_cmpuint(count_frames(sl_comparison_get_job(comparison, i)), ==,
                         (guint)sl_job_get_evaluations(sl_comparison_get_job(comparison, i)));
    g_assert_cmpuint(count_light(sl_comparison_get_job(comparison, 0)), ==, light);
    for (guint i = 0; i < 28; i++) {
        g_clear_object(&frame);
        frame = g_list_model_get_item(sl_job_get_frames(sl_comparison_get_job(comparison, 0)), i);
        if (!sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE) && i % 5 == 3) {
            g_assert_true(sl_worker_decode(workspace->worker, sl_comparison_get_job(comparison, 0),
                                           frame, SL_VIEW_PICTURE));
            WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE));
        }
    }
    save_as("sheet", sheet);
    VERIFIES(sheet);
    if (!sl_export_has_animations())
        return;
    save_as("animation", animation);
    VERIFIES(animation);
}

static const LaneTest tests[] = {
    {"/exchange-fast/whole", test_fast, FALSE},
    {"/exchange-fast/again", test_fast_again, FALSE},
    {"/exchange-fast/long", test_long, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
