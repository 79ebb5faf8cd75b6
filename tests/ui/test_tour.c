/* test_tour.c - the tour, all its stops with the models that come with the program: each is set up and shows what its
 * text speaks of; it is left, resumed and finished, and the person's model, recipe and lanes come back. The tests run in
 * order in one window. */
#include "mouse.h"

#include <glib/gi18n.h>

#include "ui/window/sl-tour-stops.h"
#include "ui/window/sl-tour.h"

static SlTour *tour;

static const char *model_name(void)
{
    return sl_model_item_get_name(workspace->model);
}

static GtkLabel *label(const char *name)
{
    return part(tour, name);
}

static void assert_at(guint stop)
{
    g_autofree char *progress = g_strdup_printf(_("%u of %u"), stop + 1, sl_tour_stop_count());

    WAIT_UNTIL(sl_tour_is_ready(tour));
    g_assert_true(sl_tour_is_on(tour));
    g_assert_cmpuint(sl_tour_get_stop(tour), ==, stop);
    g_assert_cmpuint(g_settings_get_uint(preferences, "tour-stop"), ==, stop);
    g_assert_cmpstr(gtk_label_get_text(label("progress")), ==, progress);
    g_assert_cmpstr(gtk_label_get_text(label("title")), ==, _(sl_tour_stop_nth(stop)->title));
    g_assert_cmpstr(gtk_label_get_text(label("text")), ==, _(sl_tour_stop_nth(stop)->text));
    g_assert_cmpstr(model_name(), ==, sl_tour_stop_nth(stop)->model);
}

static void go_on(guint stop)
{
    g_autofree char *name = g_strdup_printf("tour-%u", stop + 1);

    act("win.tour-next");
    assert_at(stop);
    screenshot(name);
}

static gboolean is_noisy(void)
{
    g_autoptr(GVariant) state = g_action_group_get_action_state(G_ACTION_GROUP(window), "noisy");

    return g_variant_get_boolean(state);
}

static const char *page_name(void)
{
    return adw_view_stack_get_visible_child_name(pages);
}

static int shown_index(void)
{
    return sl_frame_object_get_index(sl_darkroom_page_get_frame(darkroom));
}

static void test_offered(void)
{
    GtkWidget *offer = part(tray, "offer");

    g_object_set(workspace->recipe, "prompt", "my own words", "steps", 3, "seed", (guint64)99,
                 NULL);
    g_assert_true(gtk_widget_get_mapped(offer));
    screenshot("tour-offered");
    g_signal_emit_by_name(offer, "clicked");
    g_assert_true(sl_tour_is_on(tour));
    g_assert_true(gtk_widget_is_focus(part(tour, "next")));
    g_assert_true(g_settings_get_boolean(preferences, "tour-offered"));
}

static void test_without_words(void)
{
    SlJob *job;

    assert_at(0);
    screenshot("tour-1");
    g_assert_true(is_noisy());
    g_assert_cmpint(shown_index(), ==, 0);
    job = sl_darkroom_page_get_job(darkroom);
    g_assert_cmpint(sl_job_get_evaluations(job), ==, 50);

    /* by keys alone: the focus is on Next, and Back is before it */
    use_mouse("mousemove 900 500 key Return");
    assert_at(1);
    use_mouse("key shift+Tab key Return");
    assert_at(0);
    use_mouse("key F8");
    assert_at(1);
    use_mouse("key shift+F8");
    assert_at(0);
    g_assert_true(gtk_widget_is_focus(part(tour, "next")));

    go_on(1);
    g_assert_cmpstr(page_name(), ==, "compare");
    g_assert_true(sl_comparison_get_job(workspace->comparison, 0) == job); /* not made again */
    g_assert_true(
        gtk_toggle_button_get_active(part(sl_compare_view_get_chart(compare_view), "tab_inside")));

    go_on(2);
    g_assert_cmpstr(page_name(), ==, "darkroom");
    g_assert_true(sl_darkroom_page_get_job(darkroom) == job);
    g_assert_false(is_noisy());
    g_assert_cmpint(shown_index(), ==, 29);

    go_on(3);
    g_assert_true(gtk_toggle_button_get_active(
        part(sl_compare_view_get_chart(compare_view), "tab_distance")));
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, 2);
    g_assert_cmpstr(sl_settings_get_scheduler(
                        sl_job_get_settings(sl_comparison_get_job(workspace->comparison, 1))),
                    ==, "ddim");
}

/* In the middle, and back to the same stop. */
static void test_leave_and_resume(void)
{
    act("win.tour-leave");
    g_assert_false(sl_tour_is_on(tour));
    g_assert_false(gtk_widget_get_visible(GTK_WIDGET(tour)));
    g_assert_cmpstr(model_name(), ==, "starter");
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "my own words");
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 3);
    g_assert_cmpuint(sl_settings_get_seed(workspace->recipe), ==, 99);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, 0);
    act("win.tour");
    assert_at(3);
    act("win.tour-back");
    assert_at(2);
    go_on(3);
}

static void test_with_words(void)
{
    SlJob *job;

    go_on(4);
    job = sl_darkroom_page_get_job(darkroom);
    g_assert_cmpstr(sl_settings_get_prompt(sl_job_get_settings(job)), ==,
                    "a red house by a lake at sunset");
    /* the person's own, and the tour goes on with it */
    g_object_set(workspace->recipe, "prompt", "three pine trees in the snow", NULL);
    act("win.develop");
    WAIT_UNTIL(sl_darkroom_page_get_job(darkroom) != job &&
               sl_job_is_over(sl_darkroom_page_get_job(darkroom)));

    go_on(5);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, 4);
    for (guint i = 0; i < 4; i++) {
        job = sl_comparison_get_job(workspace->comparison, i);
        g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
        g_assert_cmpstr(sl_settings_get_prompt(sl_job_get_settings(job)), ==,
                        "three pine trees in the snow");
    }

    go_on(6);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, 2);
    job = sl_comparison_get_job(workspace->comparison, 1);
    g_assert_true(sl_job_get_parent(job) == sl_comparison_get_job(workspace->comparison, 0));
    g_assert_cmpuint(sl_job_get_branch_point(job), ==, 3);
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    /* with other words: the first lane anew, and its branch */
    g_object_set(workspace->recipe, "prompt", "a lighthouse by the sea at night", NULL);
    act("win.develop");
    g_assert_false(sl_tour_is_ready(tour));
    WAIT_UNTIL(sl_tour_is_ready(tour));
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)), ==, 2);
    g_assert_true(sl_comparison_get_job(workspace->comparison, 1) != job);
    job = sl_comparison_get_job(workspace->comparison, 1);
    g_assert_cmpstr(sl_settings_get_prompt(sl_job_get_settings(job)), ==,
                    "a lighthouse by the sea at night");
    screenshot("tour-7-own");

    go_on(7);
    g_assert_false(is_noisy());
    g_assert_cmpint(shown_index(), ==, 15);
}

/* A bar of its own: the picture is under it, never behind it. */
static void test_narrow(void)
{
    graphene_rect_t bar, page;

    gtk_window_set_default_size(GTK_WINDOW(window), 600, 800);
    settle(600);
    screenshot("tour-narrow");
    g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(window)), <=, 610);
    g_assert_true(gtk_widget_compute_bounds(GTK_WIDGET(tour), GTK_WIDGET(window), &bar));
    g_assert_true(gtk_widget_compute_bounds(GTK_WIDGET(darkroom), GTK_WIDGET(window), &page));
    g_assert_cmpfloat(bar.origin.y + bar.size.height, <=, page.origin.y);
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 800);
    settle(600);
}

static void test_finish(void)
{
    act("win.tour-next");
    g_assert_false(sl_tour_is_on(tour));
    g_assert_cmpuint(g_settings_get_uint(preferences, "tour-stop"), ==, 0);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "my own words");
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 3);
    g_assert_false(is_noisy());
    g_assert_cmpstr(page_name(), ==, "darkroom");
    screenshot("tour-finished");
}

/* Closed in the middle: the next window has the person's own recipe, and the tour its stop. */
static void test_close(void)
{
    g_autofree char *recipe = NULL;
    g_autofree char *model = NULL;

    act("win.tour");
    assert_at(0);
    act("win.tour-next");
    gtk_window_close(GTK_WINDOW(window));
    window = NULL;
    settle(200);
    recipe = g_settings_get_string(preferences, "recipe");
    model = g_settings_get_string(preferences, "model");
    g_assert_nonnull(strstr(recipe, "my own words"));
    g_assert_true(g_str_has_suffix(model, "starter"));
    g_assert_cmpuint(g_settings_get_uint(preferences, "tour-stop"), ==, 1);
}

/* Its own picture is nothing to go on with at the next start; what was left another time is. */
static void test_close_in_a_run(void)
{
    g_auto(GStrv) unfinished = NULL;

    g_settings_set_strv(preferences, "unfinished", (const char *const[]){"of another time", NULL});
    g_settings_set_uint(preferences, "tour-stop", 0);
    open_window();
    tour = part(window, "tour");
    act("win.tour");
    WAIT_UNTIL(sl_queue_get_current(workspace->queue));
    gtk_window_close(GTK_WINDOW(window));
    window = NULL;
    unfinished = g_settings_get_strv(preferences, "unfinished");
    g_assert_cmpuint(g_strv_length(unfinished), ==, 1);
    g_assert_cmpstr(unfinished[0], ==, "of another time");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    start_theme = g_getenv("SAFELIGHT_DARK") ? 2 : 1;
    if (!start_application("starter")) {
        g_print("1..0 # SKIP no display\n");
        return 0;
    }
    tour = part(window, "tour");
    g_test_add_func("/tour/offered", test_offered);
    g_test_add_func("/tour/without-words", test_without_words);
    g_test_add_func("/tour/leave-and-resume", test_leave_and_resume);
    g_test_add_func("/tour/with-words", test_with_words);
    g_test_add_func("/tour/narrow", test_narrow);
    g_test_add_func("/tour/finish", test_finish);
    g_test_add_func("/tour/close", test_close);
    g_test_add_func("/tour/close-in-a-run", test_close_in_a_run);
    status = g_test_run();
    end_application();
    return status;
}
