/* test_compare.c - lanes side by side in the real window under Xvfb: what runs, what is seen at which
 * place, and that it is what the engine computes.
 *
 * The tests run in order in one process, each from where the one before left the window. The model is a
 * small one with random weights, or $SAFELIGHT_TEST_MODEL.
 */
#include "driver.h"

#include <math.h>
#include <string.h>

#include "app/core/metadata.h"
#include "app/sl-worker-private.h"
#include "engine/engine.h"
#include "ui/sl-compare-view-private.h"

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
    return TRUE;
}

static void run_to_end(void)
{
    WAIT_UNTIL(is_over());
    for (guint i = 0; i < count_lanes(); i++)
        g_assert_cmpint(sl_job_get_state(sl_comparison_get_job(comparison, i)), ==, SL_JOB_DONE);
}

static void test_empty(void)
{
    adw_view_stack_set_visible_child_name(window->pages, "compare");
    screenshot("compare-1-empty");
    g_assert_cmpuint(count_lanes(), ==, 0);
}

/* Four schedulers from the same noise, all moving at once. */
static void test_live(void)
{
    guint least = 0;

    g_object_set(window->recipe, "steps", 300, "seed", (guint64)11, NULL);
    act_with("win.compare-preset", "four");
    g_assert_cmpuint(count_lanes(), ==, 4);
    WAIT_UNTIL(sl_comparison_get_job(comparison, 3) &&
               count_frames(sl_comparison_get_job(comparison, 3)) >= 20);
    g_assert_true(sl_comparison_is_busy(comparison));
    for (guint i = 0; i < 4; i++)
        least = i ? MIN(least, count_frames(sl_comparison_get_job(comparison, i)))
                  : count_frames(sl_comparison_get_job(comparison, i));
    g_assert_cmpuint(least + 2, >=, count_frames(sl_comparison_get_job(comparison, 3)));
    screenshot("compare-2-live");
    act("win.stop");
    WAIT_UNTIL(is_over());
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
    g_object_set(window->recipe, "steps", 12, "seed", (guint64)11, "prompt", "a red house", NULL);
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
    SlCurveView *curves = sl_compare_view_get_curves(window->compare_view);

    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    g_signal_emit_by_name(curves, "picked", 5.2);
    for (guint i = 0; i < count_lanes(); i++) {
        SlFrameObject *frame = sl_comparison_get_frame(comparison, i);

        g_assert_cmpint(sl_frame_object_get_step(frame) + 1, ==, 5);
        g_assert_nonnull(sl_canvas_get_texture(
            sl_lane_view_get_canvas(sl_compare_view_get_lane(window->compare_view, i))));
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
    SlCanvas *first = sl_lane_view_get_canvas(sl_compare_view_get_lane(window->compare_view, 0));

    sl_canvas_set_zoom(first, 5);
    for (guint i = 1; i < count_lanes(); i++)
        g_assert_cmpfloat(sl_canvas_get_zoom(sl_lane_view_get_canvas(
                              sl_compare_view_get_lane(window->compare_view, i))),
                          ==, 5);
    act("win.zoom-fit");
    g_assert_true(sl_canvas_is_fitted(
        sl_lane_view_get_canvas(sl_compare_view_get_lane(window->compare_view, 3))));
}

/* The heat map of a lane with itself is all zero; with another it is not. */
static void test_heat_map(void)
{
    SlFrameObject *a = sl_comparison_get_frame(comparison, 0);
    SlFrameObject *b = sl_comparison_get_frame(comparison, 1);
    SlPixelDifference difference;
    int width, height;
    g_autoptr(GBytes) same =
        sl_difference_heat(a, a, SL_VIEW_PICTURE, &width, &height, &difference);
    g_autoptr(GBytes) other = NULL;

    for (gsize i = 0; i < g_bytes_get_size(same); i++)
        g_assert_cmpint(((const guint8 *)g_bytes_get_data(same, NULL))[i], ==, 0);
    g_assert_cmpint(difference.largest, ==, 0);
    g_assert_cmpint((int)g_bytes_get_size(same), ==, width * height * 3);
    other = sl_difference_heat(a, b, SL_VIEW_PICTURE, &width, &height, &difference);
    g_assert_cmpint(difference.largest, >, 0);
    g_assert_false(g_bytes_equal(same, other));
    g_object_set(window->compare_view, "difference", TRUE, NULL);
    sl_comparison_move(comparison, G_MAXINT);
    screenshot("compare-6-difference");
    g_object_set(window->compare_view, "difference", FALSE, NULL);
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
    gtk_toggle_button_set_active(window->compare_view->tabs[TAB_DISTANCE], TRUE);
    sl_compare_view_choose(window->compare_view, 2);
    screenshot("compare-6-distance");
    gtk_toggle_button_set_active(window->compare_view->tabs[TAB_LIKENESS], TRUE);
    screenshot("compare-6-likeness");
    g_assert_cmpint(window->compare_view->decoded, ==, all_are_decoded());
    gtk_toggle_button_set_active(window->compare_view->tabs[TAB_SIGMA], TRUE);
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
    sl_compare_view_choose(window->compare_view, 1);
    gtk_toggle_button_set_active(window->compare_view->tabs[TAB_INSIDE], TRUE);
    screenshot("compare-6-inside");
    g_assert_cmpstr(sl_step_inspector_get_note(window->compare_view->inspector), !=, "");
    gtk_toggle_button_set_active(window->compare_view->tabs[TAB_SIGMA], TRUE);
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
    SlDevice *dev = sl_model_device(window->worker->side->model);

    if (broken) {
        whole = dev->ops;
        short_of_memory = *whole;
        short_of_memory.to_rgb8 = no_picture;
    }
    dev->ops = broken ? &short_of_memory : whole;
}

static const char *lane_problem(guint lane)
{
    return sl_lane_view_get_problem(sl_compare_view_get_lane(window->compare_view, lane));
}

/* Who rests on a step that cannot be decoded reads why, lane by lane, and sees the quick preview; who comes back
 * when it can be decoded sees the picture. */
static void test_not_decoded(void)
{
    g_settings_set_uint(preferences, "previews", SL_PREVIEWS_QUICK);
    g_object_set(window->recipe, "steps", 9, NULL);
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
            sl_lane_view_get_canvas(sl_compare_view_get_lane(window->compare_view, i))));
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

    adw_view_stack_set_visible_child_name(window->pages, "darkroom");
    act("win.develop");
    WAIT_UNTIL((job = window->job) && sl_job_is_over(job));
    settle(300);
    break_decoding(TRUE);
    act("win.previous-step");
    act("win.previous-step");
    WAIT_UNTIL(sl_tray_get_problem(window->tray) != NULL);
    g_assert_nonnull(strstr(sl_tray_get_problem(window->tray), "no memory for the picture"));
    g_assert_null(find_dialog());
    screenshot("compare-7-not-decoded-alone");
    break_decoding(FALSE);
    act("win.next-step");
    g_assert_null(sl_tray_get_problem(window->tray));
    act("win.previous-step");
    WAIT_UNTIL(sl_frame_object_is_decoded(window->frame, SL_VIEW_PICTURE));
    g_assert_null(sl_tray_get_problem(window->tray));
    g_settings_reset(preferences, "previews");
    adw_view_stack_set_visible_child_name(window->pages, "compare");
}

/* A pause keeps the timeline: what comes after it is what would have come without. */
static void test_pause(void)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (int round = 0; round < 2; round++) {
        g_object_set(window->recipe, "steps", 60, "seed", (guint64)5, NULL);
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

static gboolean same_samples(SlJob *a, SlJob *b, guint from)
{
    GListModel *x = sl_job_get_frames(a), *y = sl_job_get_frames(b);

    if (g_list_model_get_n_items(x) != g_list_model_get_n_items(y))
        return FALSE;
    for (guint i = from; i < g_list_model_get_n_items(x); i++) {
        g_autoptr(SlFrameObject) one = g_list_model_get_item(x, i);
        g_autoptr(SlFrameObject) other = g_list_model_get_item(y, i);
        int c, h, w;

        if (!g_bytes_equal(sl_frame_object_get_sample(one, SL_VIEW_NOISY, &c, &h, &w),
                           sl_frame_object_get_sample(other, SL_VIEW_NOISY, &c, &h, &w)))
            return FALSE;
    }
    return TRUE;
}

/* A branch with nothing changed is the uninterrupted run, byte for byte; another scheduler takes the
 * sample over and goes its own way. */
static void test_branch(void)
{
    g_autoptr(SlSettings) values = NULL;
    g_autoptr(GError) error = NULL;
    SlJob *branch;

    g_object_set(window->recipe, "steps", 40, "seed", (guint64)5, NULL);
    act_with("win.compare-preset", "four");
    run_to_end();
    values = sl_settings_dup(window->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    for (guint i = 0; i < 4; i++) {
        sl_comparison_set_position(comparison, 17 + i);
        g_assert_true(sl_comparison_branch(comparison, i, 0, values, &error));
        g_assert_no_error(error);
        run_to_end();
        branch = sl_comparison_get_job(comparison, 4);
        g_assert_true(sl_job_get_parent(branch) == sl_comparison_get_job(comparison, i));
        g_assert_cmpuint(sl_job_get_branch_point(branch), ==, 17 + i);
        g_assert_true(same_samples(branch, sl_comparison_get_job(comparison, i), 0));
        sl_comparison_remove(comparison, 4);
    }
    sl_comparison_set_position(comparison, 12);
    g_object_set(values, "scheduler", "euler", "steps", 30, "guidance", 3.0, NULL);
    g_assert_true(sl_comparison_branch(
        comparison, 1, SL_OWN_SCHEDULER | SL_OWN_STEPS | SL_OWN_GUIDANCE, values, &error));
    run_to_end();
    branch = sl_comparison_get_job(comparison, 4);
    g_assert_cmpuint(count_frames(branch), ==, (guint)sl_job_get_evaluations(branch));
    g_assert_cmpuint(count_frames(branch), <, 40);
    for (int i = 13; i < sl_job_get_evaluations(branch); i++)
        g_assert_cmpfloat(sl_job_get_plan(branch)[i].sigma, <,
                          sl_job_get_plan(branch)[i - 1].sigma);
    g_assert_cmpfloat(
        sl_difference_rms(sl_job_get_last_frame(branch),
                          sl_job_get_last_frame(sl_comparison_get_job(comparison, 1))),
        >, 0);
    screenshot("compare-7-branch");
}

/* A branch's picture says where it comes from, so that it can be computed again from its file. */
static void test_branch_file(void)
{
    g_autofree char *path = g_build_filename(folder, "branch.png", NULL);
    SlFrameObject *last = sl_job_get_last_frame(sl_comparison_get_job(comparison, 4));
    SlMetadata metadata = {0};
    SlError err = {0};

    _sl_window_write_moment(window, sl_comparison_get_job(comparison, 4), last, path);
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
    sl_metadata_read(path, &metadata, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_nonnull(metadata.origin);
    g_assert_cmpint(metadata.origin->step, ==, 12);
    g_assert_cmpstr(metadata.origin->recipe->scheduler, ==, "ddim");
    g_assert_cmpstr(metadata.recipe->scheduler, ==, "euler");
    sl_metadata_free(&metadata);
}

/* A branch of a branch, before and behind the place where that one began. */
static void test_branch_of_branch(void)
{
    g_autoptr(SlSettings) values = sl_settings_dup(window->recipe);
    g_autoptr(GError) error = NULL;
    SlJob *branch = sl_comparison_get_job(comparison, 4), *second;

    sl_comparison_set_position(comparison, 20);
    g_assert_true(sl_comparison_branch(comparison, 4, 0, values, &error));
    run_to_end();
    second = sl_comparison_get_job(comparison, 5);
    g_assert_true(sl_job_get_parent(second) == branch);
    g_assert_true(same_samples(second, branch, 0));
    sl_comparison_set_position(comparison, 6);
    g_assert_true(sl_comparison_branch(comparison, 4, 0, values, &error));
    run_to_end();
    second = sl_comparison_get_job(comparison, 6);
    g_assert_true(sl_job_get_parent(second) == sl_comparison_get_job(comparison, 1));
    sl_comparison_move(comparison, G_MAXINT);
    sl_comparison_set_reference(comparison, 0);
    g_assert_false(sl_comparison_branch(comparison, 0, 0, values, &error));
    g_assert_nonnull(error);
}

/* The button of the toast that is shown. */
static GtkWidget *find_button(GtkWidget *widget, const char *label)
{
    if (GTK_IS_BUTTON(widget) && g_strcmp0(gtk_button_get_label(GTK_BUTTON(widget)), label) == 0)
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_button(child, label);

        if (found)
            return found;
    }
    return NULL;
}

static void press_undo(void)
{
    GtkWidget *button;

    WAIT_UNTIL((button = find_button(GTK_WIDGET(window->toasts), "_Undo")) != NULL);
    settle(700); /* libadwaita 1.2 crashes when a toast is dismissed while it comes in */
    g_signal_emit_by_name(button, "clicked");
    WAIT_UNTIL(find_button(GTK_WIDGET(window->toasts), "_Undo") == NULL);
}

/* What starting again, or clearing, takes away comes back with one press. */
static void test_undo(void)
{
    guint lanes = count_lanes();
    SlJob *branch = g_object_ref(sl_comparison_get_job(comparison, 4));

    sl_comparison_set_reference(comparison, 2);
    act("win.develop");
    g_assert_cmpuint(count_lanes(), ==, 4);
    screenshot("compare-7-undo");
    press_undo();
    g_assert_cmpuint(count_lanes(), ==, lanes);
    g_assert_true(sl_comparison_get_job(comparison, 4) == branch);
    g_assert_cmpuint(sl_comparison_get_reference(comparison), ==, 2);
    act("win.compare-clear");
    g_assert_cmpuint(count_lanes(), ==, 0);
    press_undo();
    g_assert_cmpuint(count_lanes(), ==, lanes);
    g_signal_emit_by_name(window->compare_view, "asked", 4, "remove");
    g_assert_cmpuint(count_lanes(), ==, lanes - 1);
    press_undo();
    g_assert_true(sl_comparison_get_job(comparison, 4) == branch);
    sl_comparison_set_reference(comparison, 0);
    g_object_unref(branch);
}

static void save_as(const char *what, const char *path)
{
    g_assert_true(
        gtk_widget_activate_action(GTK_WIDGET(window), "win.compare-save-to", "(ss)", what, path));
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* A saved comparison opens again with all lanes and steps, and can be branched as before. */
static void test_keep(void)
{
    g_autofree char *path = g_build_filename(folder, "all.safelight", NULL);
    g_autofree char *sheet = g_build_filename(folder, "sheet.png", NULL);
    g_autofree char *picture = g_build_filename(folder, "lane.png", NULL);
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(SlSettings) values = sl_settings_dup(window->recipe);
    guint lanes = count_lanes();

    sl_comparison_set_reference(comparison, 2);
    save_as("comparison", path);
    save_as("sheet", sheet);
    save_as("picture", picture);
    for (guint i = 0; i < lanes; i++)
        g_ptr_array_add(before, g_object_ref(sl_comparison_get_job(comparison, i)));
    act("win.compare-clear");
    g_assert_cmpuint(count_lanes(), ==, 0);
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == lanes);
    g_assert_cmpuint(sl_comparison_get_reference(comparison), ==, 2);
    for (guint i = 0; i < lanes; i++) {
        SlJob *job = sl_comparison_get_job(comparison, i), *old = before->pdata[i];

        g_assert_true(same_samples(job, old, 0));
        g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
        g_assert_cmpint(sl_job_get_evaluations(job), ==, sl_job_get_evaluations(old));
        g_assert_cmpuint(sl_job_get_branch_point(job), ==, sl_job_get_branch_point(old));
        g_assert_true((sl_job_get_parent(job) == NULL) == (sl_job_get_parent(old) == NULL));
        g_assert_true(sl_settings_equal(sl_job_get_settings(job), sl_job_get_settings(old)));
        for (guint f = 0; f < count_frames(job); f++) {
            g_autoptr(SlFrameObject) a = g_list_model_get_item(sl_job_get_frames(job), f);
            g_autoptr(SlFrameObject) b = g_list_model_get_item(sl_job_get_frames(old), f);

            g_assert_cmpfloat(sl_frame_object_get_sigma(a), ==, sl_frame_object_get_sigma(b));
            g_assert_cmpint(sl_frame_object_get_step(a), ==, sl_frame_object_get_step(b));
            g_assert_true(sl_difference_looks_same(a, b));
        }
    }
    screenshot("compare-8-reopened");
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    sl_comparison_set_position(comparison, 9);
    g_assert_true(sl_comparison_branch(comparison, 0, 0, values, NULL));
    WAIT_UNTIL(sl_job_is_over(sl_comparison_get_job(comparison, lanes)));
    g_assert_true(same_samples(sl_comparison_get_job(comparison, lanes),
                               sl_comparison_get_job(comparison, 0), 0));
}

/* What is no whole comparison is refused with a sentence, and changes nothing. */
static void test_broken_file(void)
{
    g_autofree char *path = g_build_filename(folder, "all.safelight", NULL);
    g_autofree char *broken = g_build_filename(folder, "broken.safelight", NULL);
    g_autofree char *data = NULL;
    gsize length;
    guint lanes = count_lanes();

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    for (int round = 0; round < 3; round++) {
        gsize cut = round == 0 ? 4 : round == 1 ? length / 2 : length;
        /* behind the eight bytes of the length, which hold zeros */
        char *found = g_strstr_len(data + 8, (gssize)length - 8, "branch_point");

        if (round == 2)
            memcpy(found, "branch_paint", 12);
        g_assert_true(g_file_set_contents(broken, data, (gssize)cut, NULL));
        act_with("win.open-path", broken);
        WAIT_UNTIL(find_dialog() != NULL);
        screenshot("compare-8-broken");
        gtk_window_destroy(find_dialog());
        WAIT_UNTIL(find_dialog() == NULL);
        g_assert_cmpuint(count_lanes(), ==, lanes);
    }
}

/* What is added or changed joins; nine are as many as there can be. */
static void test_lanes(void)
{
    GtkWindow *dialog;

    act_with("win.compare-preset", "four");
    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    act_with("win.compare-add", "heun");
    g_assert_cmpuint(count_lanes(), ==, 5);
    run_to_end();
    act_with("win.compare-add", "schedulers");
    g_assert_cmpuint(count_lanes(), ==, SL_COMPARISON_MAX);
    run_to_end();
    screenshot("compare-8-nine");
    act_with("win.compare-add", "lane");
    g_assert_cmpuint(count_lanes(), ==, SL_COMPARISON_MAX);
    g_signal_emit_by_name(window->compare_view, "asked", 1, "edit");
    WAIT_UNTIL((dialog = find_dialog()) != NULL);
    screenshot("compare-9-editor");
    gtk_window_destroy(dialog);
    for (int i = 0; i < 6; i++)
        g_signal_emit_by_name(window->compare_view, "asked", 3, "remove");
    g_assert_cmpuint(count_lanes(), ==, 3);
}

static void test_narrow(void)
{
    g_settings_set_uint(preferences, "theme", 2);
    gtk_window_set_default_size(GTK_WINDOW(window), 700, 800);
    settle(300);
    adw_flap_set_reveal_flap(window->flap, FALSE);
    screenshot("compare-10-narrow");
    act("win.compare-clear");
    screenshot("compare-11-narrow-empty");
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 800);
    g_settings_set_uint(preferences, "theme", 1);
}

static void test_ddpm(void)
{
    sl_recipe_panel_select_model(window->panel, sl_model_store_find(window->models, "ddpm"));
    WAIT_UNTIL(sl_worker_get_model(window->worker) == sl_recipe_panel_get_model(window->panel));
    g_object_set(window->recipe, "steps", 20, NULL);
    act_with("win.compare-preset", "four");
    run_to_end();
    screenshot("compare-12-ddpm");
}

/* What DDPM adds at each step, in all its kinds: the large one is another picture. */
static void test_variances(void)
{
    act_with("win.compare-preset", "variances");
    run_to_end();
    g_assert_cmpuint(count_lanes(), ==, 3);
    for (guint i = 0; i < 3; i++) {
        SlSettings *settings = sl_job_get_settings(sl_comparison_get_job(comparison, i));
        guint variance;

        g_object_get(settings, "variance", &variance, NULL);
        g_assert_cmpuint(variance, ==, i + 1);
        g_assert_cmpstr(sl_settings_get_scheduler(settings), ==, "ddpm");
    }
    g_assert_cmpfloat(
        sl_difference_rms(sl_job_get_last_frame(sl_comparison_get_job(comparison, 0)),
                          sl_job_get_last_frame(sl_comparison_get_job(comparison, 2))),
        >, 0.01);
    screenshot("compare-12-variances");
    g_signal_emit_by_name(window->compare_view, "asked", 2, "edit");
    WAIT_UNTIL(find_dialog() != NULL);
    screenshot("compare-12-variance-editor");
    gtk_window_destroy(find_dialog());
    act_with("win.compare-preset", "four");
    run_to_end();
}

static GBytes *sample_of(SlJob *job, guint index)
{
    g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), index);
    int c, h, w;

    return sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &c, &h, &w);
}

/* A run that would take too much keeps some frames whole; any other is made again when it is looked
 * at, to the same bytes. */
static void test_bounded(void)
{
    SlJob *whole = g_object_ref(sl_comparison_get_job(comparison, 0)), *light;
    g_autoptr(SlFrameObject) frame = NULL;
    guint kept = 0;

    sl_worker_set_budget(window->worker, 300000);
    act("win.develop");
    run_to_end();
    sl_worker_set_budget(window->worker, 0);
    light = sl_comparison_get_job(comparison, 0);
    g_assert_cmpuint(count_frames(light), ==, count_frames(whole));
    for (guint i = 0; i < count_frames(light); i++)
        kept += sample_of(light, i) != NULL;
    g_assert_cmpuint(kept, >, 1);
    g_assert_cmpuint(kept, <, count_frames(light) / 2);
    frame = g_list_model_get_item(sl_job_get_frames(light), 13);
    g_assert_null(sample_of(light, 13));
    g_assert_true(sl_worker_decode(window->worker, light, frame, SL_VIEW_PICTURE));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE));
    g_assert_true(g_bytes_equal(sample_of(light, 13), sample_of(whole, 13)));
    g_object_unref(whole);
}

static const struct {
    const char *path;
    void (*test)(void);
    gboolean any_model; /* the others take long, or know what the small one does */
} tests[] = {
    {"/compare/empty", test_empty, FALSE},
    {"/compare/live", test_live, TRUE},
    {"/compare/same-as-engine", test_same_as_engine, TRUE},
    {"/compare/scrub", test_scrub, FALSE},
    {"/compare/align", test_align, FALSE},
    {"/compare/linked-zoom", test_linked_zoom, FALSE},
    {"/compare/heat-map", test_heat_map, TRUE},
    {"/compare/distance", test_distance, TRUE},
    {"/compare/inside", test_inside, FALSE},
    {"/compare/not-decoded", test_not_decoded, FALSE},
    {"/compare/not-decoded-alone", test_not_decoded_alone, FALSE},
    {"/compare/pause", test_pause, FALSE},
    {"/compare/branch", test_branch, TRUE},
    {"/compare/branch-file", test_branch_file, TRUE},
    {"/compare/branch-of-branch", test_branch_of_branch, FALSE},
    {"/compare/undo", test_undo, TRUE},
    {"/compare/keep", test_keep, TRUE},
    {"/compare/broken-file", test_broken_file, FALSE},
    {"/compare/lanes", test_lanes, FALSE},
    {"/compare/narrow", test_narrow, FALSE},
    {"/compare/ddpm", test_ddpm, FALSE},
    {"/compare/variances", test_variances, FALSE},
    {"/compare/bounded", test_bounded, FALSE},
};

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    model_name = g_getenv("SAFELIGHT_TEST_MODEL") ? g_getenv("SAFELIGHT_TEST_MODEL") : "sd1";
    if (!start_application(model_name))
        return 77;
    comparison = window->comparison;
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        if (tests[i].any_model || g_str_equal(model_name, "sd1"))
            g_test_add_func(tests[i].path, tests[i].test);
    status = g_test_run();
    end_application();
    return status;
}
