/* test_what_if.c - other guidance is tried on a step of a run, in the real window: the tray shows at once what it would have
 * made of it, without an evaluation, and the branch that goes on with it begins with the same bytes. The tests run in order in
 * one window. */
#include "mouse.h"

#include <string.h>

#include "ui/darkroom/sl-trial-bar.h"

#define STEPS 8
#define SHOWN 3 /* the frame that is tried, from 0 */

static SlTrialBar *bar;
static SlJob *run;
static GBytes *tried;

static gpointer control(const char *property)
{
    GtkWidget *widget = find_named(GTK_WIDGET(bar), property);

    g_assert_nonnull(widget);
    return widget;
}

static const char *caption(void)
{
    return gtk_label_get_text(GTK_LABEL(part(tray, "caption")));
}

static const char *line(void)
{
    return gtk_label_get_text(GTK_LABEL(part(bar, "line")));
}

static GdkTexture *shown(void)
{
    return sl_canvas_get_texture(sl_tray_get_canvas(tray));
}

static gboolean is_open(void)
{
    return gtk_revealer_get_reveal_child(part(darkroom, "trial_revealer"));
}

/* Nothing is evaluated: the run has the frames that it had. */
static void test_tried(void)
{
    GdkTexture *before;
    GListModel *frames;

    g_object_set(workspace->recipe, "scheduler", "euler", "steps", STEPS, "guidance", 5.0, NULL);
    act("win.develop");
    run = g_object_ref(sl_queue_get_current(workspace->queue));
    WAIT_UNTIL(sl_job_is_over(run));
    frames = sl_job_get_frames(run);
    act("win.what-if");
    g_assert_true(is_open());
    sl_film_strip_pick(strip, SHOWN);
    settle(300);
    g_assert_null(strstr(caption(), "what if"));
    before = g_object_ref(shown());
    screenshot("what-if-open");
    gtk_range_set_value(control("guidance"), 12);
    WAIT_UNTIL(strstr(caption(), "what if: guidance 12"));
    g_assert_true(shown() != before);
    g_assert_cmpuint(g_list_model_get_n_items(frames), ==, STEPS);
    WAIT_UNTIL(gdk_texture_get_width(shown()) > gdk_texture_get_width(before) / 2);
    settle(400); /* decoded */
    screenshot("what-if-guidance");
    gtk_drop_down_set_selected(control("guidance-method"), 3);
    WAIT_UNTIL(strstr(caption(), "APG"));
    g_assert_true(gtk_widget_get_mapped(control("apg-norm")));
    g_assert_false(gtk_widget_get_mapped(control("mimic-guidance")));
    screenshot("what-if-apg");
    g_object_unref(before);
}

/* CFG++ works with this scheduler, and where it does not the bar says so. */
static void test_steps_and_refusals(void)
{
    sl_film_strip_pick(strip, 5);
    WAIT_UNTIL(strstr(caption(), "Step 6 of 8  ·  what if"));
    sl_film_strip_pick(strip, 0);
    settle(300);
    g_assert_cmpstr(line(), ==, "can be tried from the second step on");
    g_assert_null(strstr(caption(), "what if"));
    g_assert_false(gtk_widget_get_sensitive(part(bar, "go_on")));
    screenshot("what-if-first");
    sl_film_strip_pick(strip, SHOWN);
    WAIT_UNTIL(strstr(caption(), "what if"));
    g_assert_true(gtk_widget_get_sensitive(part(bar, "go_on")));
    /* back to the run's own */
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(bar), "trial.reset", NULL));
    settle(300);
    g_assert_null(strstr(caption(), "what if"));
    g_assert_false(gtk_widget_get_sensitive(part(bar, "go_on")));
}

static void test_continued(void)
{
    SlComparison *comparison = workspace->comparison;
    g_autoptr(SlTrial) trial = NULL;
    g_autoptr(SlSettings) settings = NULL;
    g_autoptr(SlFrameObject) frame = NULL;
    SlJob *branch;
    SlOwn own;
    int width, height, w, h;

    gtk_range_set_value(control("guidance"), 11.5);
    gtk_drop_down_set_selected(control("guidance-method"), 2);
    gtk_range_set_value(control("mimic-guidance"), 4);
    WAIT_UNTIL(strstr(caption(), "mimic guidance 4"));
    settings = sl_trial_bar_get_settings(bar, &own);
    g_assert_true(own ==
                  (sl_own("guidance") | sl_own("guidance-method") | sl_own("mimic-guidance")));
    /* the quick preview, which a frame has, too */
    frame = g_list_model_get_item(sl_job_get_frames(run), SHOWN);
    trial = sl_trial_new(workspace->worker, run, frame);
    sl_trial_ask(trial, settings, FALSE);
    WAIT_UNTIL(sl_trial_get_rgb(trial, &width, &height));
    tried = g_bytes_ref(sl_trial_get_rgb(trial, &width, &height));
    g_clear_object(&frame);
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(bar), "trial.continue", NULL));
    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(comparison)) == 2);
    branch = sl_comparison_get_job(comparison, 1);
    WAIT_UNTIL(sl_job_is_over(branch));
    g_assert_cmpint(sl_job_get_state(branch), ==, SL_JOB_DONE);
    g_assert_true(sl_job_get_parent(branch) == run);
    g_assert_cmpuint(sl_job_get_branch_point(branch), ==, SHOWN);
    frame = g_list_model_get_item(sl_job_get_frames(branch), SHOWN);
    g_assert_true(
        g_bytes_equal(sl_frame_object_get_preview(frame, SL_VIEW_PICTURE, &w, &h), tried));
    g_assert_cmpint(w, ==, width);
    screenshot("what-if-branch");
    /* the bits beyond 32 go with the lane */
    g_assert_true(sl_compare_lane_get_own(sl_comparison_get_lane(comparison, 1)) == own);
    g_bytes_unref(tried);
}

/* A run that was taken over is not made again by the scheduler that it has. */
static void test_schedulers(void)
{
    SlComparison *taken = sl_comparison_new(workspace->worker);
    guint like_run = 0, others = 0;

    g_assert_true(sl_comparison_adopt(taken, run));
    sl_compare_presets_add(taken, "schedulers", workspace->recipe, workspace->model);
    for (guint i = 1; i < g_list_model_get_n_items(G_LIST_MODEL(taken)); i++) {
        SlSettings *values = sl_compare_lane_get_values(sl_comparison_get_lane(taken, i));

        if (g_str_equal(sl_settings_get_scheduler(values), "euler"))
            like_run++;
        else
            others++;
    }
    g_assert_cmpuint(like_run, ==, 0);
    g_assert_cmpuint(others, >, 8);
    g_object_unref(taken);
}

/* Escape closes the bar from the page, and from the panel beside it; not from another page. */
static void test_escape(void)
{
    g_autofree char *xdotool = g_find_program_in_path("xdotool");
    GtkWidget *canvas = GTK_WIDGET(sl_tray_get_canvas(tray));
    graphene_point_t middle;

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    settle(500);
    if (!xdotool) {
        g_test_skip("no xdotool");
        return;
    }
    if (is_open())
        act("win.what-if");
    middle = point_in(canvas, 0.5, 0.5);
    use_mouse("mousemove %d %d click 1", (int)middle.x, (int)middle.y);
    gtk_widget_grab_focus(canvas);
    use_mouse("key g");
    g_assert_true(is_open());
    use_mouse("key Escape");
    g_assert_false(is_open());
    use_mouse("key g");
    g_assert_true(is_open());
    gtk_widget_grab_focus(part(panel, "sigmas_row"));
    use_mouse("key Escape");
    g_assert_false(is_open());
    act("win.what-if");
    adw_view_stack_set_visible_child_name(pages, "gallery");
    settle(500);
    use_mouse("key Escape");
    g_assert_true(is_open());
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    settle(500);
}

/* What belongs to another method is not among the panel's settings. */
static void test_panel(void)
{
    GtkWidget *spin = find_named(GTK_WIDGET(panel), "mimic-quantile"), *row;

    g_assert_nonnull(spin);
    row = gtk_widget_get_ancestor(spin, ADW_TYPE_ACTION_ROW);
    g_assert_false(gtk_widget_get_visible(row));
    g_object_set(workspace->recipe, "guidance-method", 2, NULL);
    g_assert_true(gtk_widget_get_visible(row));
    g_object_set(workspace->recipe, "guidance-method", 0, NULL);
    g_assert_false(gtk_widget_get_visible(row));
}

static void test_narrow(void)
{
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 800);
    settle(500);
    g_assert_true(is_open());
    gtk_drop_down_set_selected(control("guidance-method"), 3);
    settle(500);
    g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(bar)), <=, 600);
    screenshot("what-if-narrow");
    act("win.what-if");
    g_assert_false(is_open());
    WAIT_UNTIL(strstr(caption(), "what if") == NULL);
    /* the tray shows the step itself again */
    g_assert_true(strstr(caption(), "seed") != NULL);
}

/* A run that has no guidance, or a picture, is no reason to open it. */
static void test_without(void)
{
    g_object_set(workspace->recipe, "guidance", 1.0, NULL);
    act("win.develop");
    WAIT_UNTIL(sl_job_is_over(sl_darkroom_page_get_job(darkroom)) &&
               sl_queue_get_current(workspace->queue) == NULL);
    act("win.what-if");
    sl_film_strip_pick(strip, SHOWN);
    settle(300);
    g_assert_cmpstr(line(), ==, "this step has no guidance");
    g_clear_object(&run);
}

int main(int argc, char **argv)
{
    const char *model = g_getenv("SAFELIGHT_TEST_MODEL");
    int status;

    g_test_init(&argc, &argv, NULL);
    start_theme = g_getenv("SAFELIGHT_DARK") ? 2 : 1;
    if (!start_application(model ? model : "sd1")) {
        g_print("1..0 # SKIP no display\n");
        return 0;
    }
    bar = part(darkroom, "trial_bar");
    g_test_add_func("/what-if/tried", test_tried);
    g_test_add_func("/what-if/steps", test_steps_and_refusals);
    g_test_add_func("/what-if/continued", test_continued);
    g_test_add_func("/what-if/schedulers", test_schedulers);
    g_test_add_func("/what-if/escape", test_escape);
    g_test_add_func("/what-if/panel", test_panel);
    g_test_add_func("/what-if/narrow", test_narrow);
    g_test_add_func("/what-if/without", test_without);
    status = g_test_run();
    end_application();
    return status;
}
