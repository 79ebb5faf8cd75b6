/* test_plan.c - what the window says before it starts something: memory and time beside "Develop", a warning above
 * what there is, and the question before what hurts. */
#include "driver.h"

#include "ui/window/sl-plan-line.h"

static GtkLabel *line(void)
{
    return GTK_LABEL(adw_bin_get_child(ADW_BIN(part(window, "plan"))));
}

static gboolean says(const char *what)
{
    return !sl_estimator_is_asking(workspace->estimator) &&
           strstr(gtk_label_get_text(line()), what) != NULL;
}

static gboolean warns(void)
{
    return gtk_widget_has_css_class(GTK_WIDGET(line()), "warning");
}

static void set_size(int side)
{
    g_object_set(workspace->recipe, "width", side, "height", side, NULL);
}

static SlJob *develop_to_end(void)
{
    SlJob *job;

    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    g_assert_nonnull(job);
    WAIT_UNTIL(sl_job_is_over(job));
    return job;
}

/* Before anything was learned there is no time to tell. */
static void test_memory(void)
{
    WAIT_UNTIL(says("of memory"));
    g_assert_null(strstr(gtk_label_get_text(line()), "About"));
    g_assert_false(warns());
    screenshot("plan-memory");
}

/* A picture tells how long the next takes, and it is remembered. */
static void test_time(void)
{
    g_autoptr(GVariant) speeds = NULL;

    develop_to_end();
    WAIT_UNTIL(says(", "));
    speeds = g_settings_get_value(preferences, "speeds");
    g_assert_cmpuint(g_variant_n_children(speeds), ==, 1);
    screenshot("plan-time");
}

static double seconds_of(gboolean first_cached, gboolean second_cached)
{
    const gboolean cached[2] = {first_cached, second_cached};
    g_autoptr(GPtrArray) plan = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; i < 2; i++) {
        SlSettings *settings = sl_settings_dup(workspace->recipe);

        g_object_set(settings, "steps", 20, "caching", cached[i] ? 1 : 0, "caching-interval", 10,
                     NULL);
        g_ptr_array_add(plan, settings);
    }
    sl_estimator_ask(workspace->estimator, workspace->model, plan, 1);
    WAIT_UNTIL(!sl_estimator_is_asking(workspace->estimator));
    return sl_estimator_get(workspace->estimator)->seconds;
}

/* What caching spares is less time, also at the size whose time was measured, and beside pictures without. */
static void test_caching(void)
{
    double none = seconds_of(FALSE, FALSE), both = seconds_of(TRUE, TRUE);

    g_assert_cmpfloat(both, <, 0.95 * none);
    g_assert_cmpfloat_with_epsilon(seconds_of(FALSE, TRUE), (none + both) / 2, 0.01 * none);
    g_assert_cmpfloat_with_epsilon(seconds_of(TRUE, FALSE), (none + both) / 2, 0.01 * none);
    g_object_notify(G_OBJECT(workspace->recipe), "steps"); /* the window's own question again */
    WAIT_UNTIL(!says("2 pictures") && says(", "));
}

/* The text follows the size, the number of pictures and the page. */
static void test_follows(void)
{
    g_autofree char *before = NULL;
    int side = sl_settings_get_width(workspace->recipe);
    guint64 bytes = sl_estimator_get(workspace->estimator)->bytes;
    double seconds = sl_estimator_get(workspace->estimator)->seconds;

    before = g_strdup(gtk_label_get_text(line()));
    set_size(side * 8);
    WAIT_UNTIL(sl_estimator_get(workspace->estimator) &&
               sl_estimator_get(workspace->estimator)->bytes > bytes);
    g_assert_cmpstr(gtk_label_get_text(line()), !=, before);
    g_assert_cmpfloat(sl_estimator_get(workspace->estimator)->seconds, >, seconds);
    set_size(side);
    WAIT_UNTIL(g_str_equal(gtk_label_get_text(line()), before));
    g_settings_set_double(preferences, "count", 3);
    WAIT_UNTIL(says("3 pictures"));
    g_settings_set_double(preferences, "count", 1);
    WAIT_UNTIL(!says("3 pictures") && says(", "));
    adw_view_stack_set_visible_child_name(pages, "compare");
    WAIT_UNTIL(says("4 pictures"));
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    WAIT_UNTIL(!says("pictures"));
}

static gboolean all_over(guint lanes)
{
    for (guint i = 0; i < lanes; i++) {
        SlJob *job = sl_comparison_get_job(workspace->comparison, i);

        if (!job || !sl_job_is_over(job))
            return FALSE;
    }
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->comparison)) == lanes;
}

static guint count_speeds(void)
{
    g_autoptr(GVariant) speeds = g_settings_get_value(preferences, "speeds");

    return (guint)g_variant_n_children(speeds);
}

/* Lanes tell it, too, each alone; a batch says nothing about a picture by itself. */
static void test_lanes(void)
{
    const SlPlanText axes[] = {{"seed", "1, 2"}, {"steps", "2, 3"}};
    g_autoptr(SlGridPlan) grid = sl_grid_plan_new(axes, NULL);
    g_autoptr(GVariant) known = g_settings_get_value(preferences, "speeds");

    adw_view_stack_set_visible_child_name(pages, "compare");
    g_settings_reset(preferences, "speeds");
    g_object_set(compare_view, "fast", TRUE, NULL);
    act_with("win.compare-preset", "four");
    WAIT_UNTIL(all_over(4));
    settle(300);
    g_assert_cmpuint(count_speeds(), ==, 0);
    g_object_set(compare_view, "fast", FALSE, NULL);
    act("win.develop");
    WAIT_UNTIL(all_over(4) && count_speeds() == 1);
    WAIT_UNTIL(says(", "));
    g_settings_reset(preferences, "speeds");
    g_assert_true(sl_comparison_set_grid(workspace->comparison, grid, workspace->model,
                                         workspace->recipe, NULL));
    act("win.develop");
    WAIT_UNTIL(all_over(4) && count_speeds() == 1);
    g_settings_set_value(preferences, "speeds", known);
    sl_comparison_clear(workspace->comparison);
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    WAIT_UNTIL(!says("pictures") && says(", "));
}

/* A picture of the model's own size starts without a question, one of 8192 x 8192 does not. */
static void test_question(void)
{
    int side = sl_settings_get_width(workspace->recipe);
    guint refs;

    develop_to_end();
    g_assert_null(find_dialog());

    refs = G_OBJECT(part(window, "plan"))->ref_count;
    set_size(8192);
    act("win.develop"); /* at once, before the line could have said anything */
    act("win.develop"); /* and once more by an impatient person: it is one question */
    WAIT_UNTIL(find_dialog());
    g_assert_cmpuint(G_OBJECT(part(window, "plan"))->ref_count, ==, refs);
    g_assert_null(sl_queue_get_current(workspace->queue));
    g_assert_true(warns());
    g_assert_nonnull(strstr(alert_body(), "smaller picture"));
    screenshot("plan-question");
    answer_alert("cancel");
    WAIT_UNTIL(!find_dialog());
    settle(50);
    g_assert_null(sl_queue_get_current(workspace->queue));
    set_size(side);
    WAIT_UNTIL(says("of memory") && !warns());
}

/* Hours, as this machine is believed to be slow: the choice to go on is the person's. */
static void test_hours(void)
{
    g_autofree char *key = g_strdup_printf(
        "sd1|%s|cpu|%dx%d", sl_worker_get_dtype(workspace->worker),
        sl_settings_get_width(workspace->recipe), sl_settings_get_height(workspace->recipe));
    g_autoptr(GVariant) known = g_settings_get_value(preferences, "speeds");
    g_autoptr(GVariant) slow = NULL;
    double seconds, work;

    g_assert_true(g_variant_lookup(known, key, "(dd)", &seconds, &work));
    slow = g_variant_ref_sink(g_variant_new_parsed("{%s: (%d, %d)}", key, 1000.0, work));
    g_settings_set_value(preferences, "speeds", slow);
    g_object_set(workspace->recipe, "steps", 24, NULL);
    WAIT_UNTIL(warns());
    g_assert_true(says(" h "));
    act("win.develop");
    g_assert_nonnull(find_dialog()); /* it is known, so nobody waits */
    g_assert_nonnull(strstr(alert_body(), " h "));
    g_assert_null(sl_queue_get_current(workspace->queue));
    answer_alert("develop");
    WAIT_UNTIL(!find_dialog());
    WAIT_UNTIL(sl_queue_get_current(workspace->queue));
    WAIT_UNTIL(sl_queue_get_current(workspace->queue) == NULL);
}

/* Closed while the answer is on its way. */
static void test_close(void)
{
    set_size(8192);
    act("win.develop");
    gtk_window_close(GTK_WINDOW(window));
    window = NULL;
    settle(50);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    if (!start_application("sd1"))
        return 77;
    g_test_add_func("/plan/memory", test_memory);
    g_test_add_func("/plan/time", test_time);
    g_test_add_func("/plan/caching", test_caching);
    g_test_add_func("/plan/follows", test_follows);
    g_test_add_func("/plan/lanes", test_lanes);
    g_test_add_func("/plan/question", test_question);
    g_test_add_func("/plan/hours", test_hours);
    g_test_add_func("/plan/close", test_close);
    status = g_test_run();
    end_application();
    return status;
}
