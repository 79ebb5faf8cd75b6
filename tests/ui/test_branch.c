/* test_branch.c - lanes that are branched, taken back, kept in files, added and changed, in the real window
 * under Xvfb.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "lanes.h"

#include <string.h>

#include "app/objects/worker/sl-worker-private.h"
#include "app/recipe/metadata.h"
#include "mouse.h"
#include "ui/compare/sl-lane-editor.h"
#include "ui/compare/sl-lane-view.h"
#include "ui/exchange/sl-moment-file.h"
#include "ui/widgets/sl-prompt-box.h"

static gboolean same_samples(SlJob *a, SlJob *b, guint from)
{
    GListModel *x = sl_job_get_frames(a), *y = sl_job_get_frames(b);

    if (g_list_model_get_n_items(x) != g_list_model_get_n_items(y))
        return FALSE;
    for (guint i = from; i < g_list_model_get_n_items(x); i++)
        if (!g_bytes_equal(sample_of(a, i), sample_of(b, i)))
            return FALSE;
    return TRUE;
}

/* A branch with nothing changed is the uninterrupted run, byte for byte; another scheduler takes the
 * sample over and goes its own way. */
static void test_branch(void)
{
    g_autoptr(SlSettings) values = NULL;
    g_autoptr(GError) error = NULL;
    int steps = steps_like(40), place = steps_like(12);
    SlJob *branch;

    g_object_set(workspace->recipe, "steps", steps, "seed", (guint64)5, NULL);
    act_with("win.compare-preset", "four");
    run_to_end();
    values = sl_settings_dup(workspace->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    for (guint i = 0; i < 4; i++) {
        sl_comparison_set_position(comparison, steps_like(17) + i);
        g_assert_true(sl_comparison_branch(comparison, i, 0, values, &error));
        g_assert_no_error(error);
        run_to_end();
        branch = sl_comparison_get_job(comparison, 4);
        g_assert_true(sl_job_get_parent(branch) == sl_comparison_get_job(comparison, i));
        g_assert_cmpuint(sl_job_get_branch_point(branch), ==, (guint)steps_like(17) + i);
        g_assert_true(same_samples(branch, sl_comparison_get_job(comparison, i), 0));
        sl_comparison_remove(comparison, 4);
    }
    sl_comparison_set_position(comparison, place);
    g_object_set(values, "scheduler", "euler", "steps", steps_like(30), "guidance", 3.0, NULL);
    g_assert_true(sl_comparison_branch(
        comparison, 1, sl_own("scheduler") | sl_own("steps") | sl_own("guidance"), values, &error));
    run_to_end();
    branch = sl_comparison_get_job(comparison, 4);
    g_assert_cmpuint(count_frames(branch), ==, (guint)sl_job_get_evaluations(branch));
    g_assert_cmpuint(count_frames(branch), <, (guint)steps);
    for (int i = place + 1; i < sl_job_get_evaluations(branch); i++)
        g_assert_cmpfloat(sl_job_get_plan(branch)[i].sigma, <,
                          sl_job_get_plan(branch)[i - 1].sigma);
    g_assert_cmpfloat(
        sl_difference_rms(sl_job_get_last_frame(branch),
                          sl_job_get_last_frame(sl_comparison_get_job(comparison, 1))),
        >, 0);
    screenshot("compare-7-branch");
}

/* Where a branch begins is said by the window that asks for its settings; where there can be none, that window
 * does not come. */
static void test_branch_place(void)
{
    gpointer asked;

    sl_comparison_set_position(comparison, steps_like(12));
    g_signal_emit_by_name(compare_view, "asked", 1, "branch");
    WAIT_UNTIL((asked = find_dialog()) != NULL);
    g_assert_true(SL_IS_LANE_EDITOR(asked));
    g_assert_nonnull(strstr(gtk_window_get_title(asked), " of Lane 2"));
    close_dialog();
    sl_comparison_set_position(comparison, G_MAXINT);
    g_signal_emit_by_name(compare_view, "asked", 1, "branch");
    WAIT_UNTIL((asked = find_dialog()) != NULL);
    g_assert_false(SL_IS_LANE_EDITOR(asked));
    g_assert_cmpstr(alert_body(), ==,
                    "Nothing comes after the last step: branch from an earlier one.");
    close_dialog();
    sl_comparison_set_position(comparison, steps_like(12));
}

/* Return starts the branch, whatever row has the focus; what stands in a number's field counts. */
static void test_branch_return(void)
{
    g_autofree char *xdotool = g_find_program_in_path("xdotool");
    guint lanes = count_lanes();

    for (int tabs = 0; xdotool && tabs < 5; tabs++) {
        sl_comparison_set_position(comparison, steps_like(12));
        g_signal_emit_by_name(compare_view, "asked", 1, "branch");
        WAIT_UNTIL(find_dialog() != NULL);
        settle(300);
        use_mouse("mousemove 200 300"); /* without a window manager keys go to the window below */
        for (int i = 0; i < tabs; i++)
            use_mouse("key Tab");
        use_mouse("key Return");
        WAIT_UNTIL(find_dialog() == NULL && count_lanes() == lanes + 1);
        run_to_end();
        sl_comparison_remove(comparison, lanes);
    }
    sl_comparison_set_position(comparison, steps_like(12));
}

/* A branch's picture says where it comes from, so that it can be computed again from its file. */
static void test_branch_file(void)
{
    g_autofree char *path = g_build_filename(folder, "branch.png", NULL);
    SlFrameObject *last = sl_job_get_last_frame(sl_comparison_get_job(comparison, 4));
    SlMetadata metadata = {0};
    SlError err = {0};

    sl_moment_file_save(workspace, GTK_WIDGET(compare_view),
                        &(SlMomentOfRun){sl_comparison_get_job(comparison, 4), last}, path);
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
    sl_metadata_read(path, &metadata, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_nonnull(metadata.origin);
    g_assert_cmpint(metadata.origin->step, ==, steps_like(12));
    g_assert_cmpstr(metadata.origin->recipe->scheduler, ==, "ddim");
    g_assert_cmpstr(metadata.recipe->scheduler, ==, "euler");
    sl_metadata_free(&metadata);
}

/* A branch of a branch, before and behind the place where that one began. */
static void test_branch_of_branch(void)
{
    g_autoptr(SlSettings) values = sl_settings_dup(workspace->recipe);
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

    WAIT_UNTIL((button = find_button(GTK_WIDGET(part(window, "toasts")), "_Undo")) != NULL);
    settle(700); /* libadwaita 1.2 crashes when a toast is dismissed while it comes in */
    g_signal_emit_by_name(button, "clicked");
    WAIT_UNTIL(find_button(GTK_WIDGET(part(window, "toasts")), "_Undo") == NULL);
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
    g_signal_emit_by_name(compare_view, "asked", 4, "remove");
    g_assert_cmpuint(count_lanes(), ==, lanes - 1);
    press_undo();
    g_assert_true(sl_comparison_get_job(comparison, 4) == branch);
    sl_comparison_set_reference(comparison, 0);
    g_object_unref(branch);
}

/* A saved comparison opens again with all lanes and steps, and can be branched as before. */
static void test_keep(void)
{
    g_autofree char *path = g_build_filename(folder, "all.safelight", NULL);
    g_autofree char *sheet = g_build_filename(folder, "sheet.png", NULL);
    g_autofree char *picture = g_build_filename(folder, "lane.png", NULL);
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(SlSettings) values = sl_settings_dup(workspace->recipe);
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
    sl_comparison_set_position(comparison, steps_like(9));
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
        close_dialog();
        g_assert_cmpuint(count_lanes(), ==, lanes);
    }
}

/* What is added or changed joins; nine are shown at a time. */
static void test_lanes(void)
{
    gpointer dialog;
    guint lanes;
    int steps = sl_settings_get_steps(workspace->recipe);

    g_object_set(workspace->recipe, "steps", 8, NULL);
    act_with("win.compare-preset", "four");
    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    act_with("win.compare-add", "heun");
    g_assert_cmpuint(count_lanes(), ==, 5);
    run_to_end();
    g_object_set(workspace->recipe, "steps", 3, NULL);
    act_with("win.compare-add", "schedulers");
    g_object_set(workspace->recipe, "steps", steps, NULL);
    lanes = count_lanes();
    g_assert_cmpuint(lanes, >, SL_LANES_SHOWN);
    run_to_end();
    screenshot("compare-8-nine");
    act_with("win.compare-add", "lane");
    g_assert_cmpuint(count_lanes(), ==, lanes + 1);
    g_signal_emit_by_name(compare_view, "asked", 1, "edit");
    WAIT_UNTIL((dialog = find_dialog()) != NULL);
    screenshot("compare-9-editor");
    gtk_window_destroy(dialog);
    for (guint i = lanes + 1; i > 3; i--)
        g_signal_emit_by_name(compare_view, "asked", 3, "remove");
    g_assert_cmpuint(count_lanes(), ==, 3);
}

/* The first of a type among a widget and what is in it; NULL: there is none. */
static gpointer find_in(GtkWidget *widget, GType type)
{
    gpointer found = g_type_is_a(G_OBJECT_TYPE(widget), type) ? widget : NULL;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child))
        found = find_in(child, type);
    return found;
}

static const char *box_says(gpointer box, const char *name)
{
    gpointer label = part(box, name);
    return gtk_widget_get_visible(label) ? gtk_label_get_text(label) : "";
}

/* A lane whose own prompt was drawn is kept in a file, with what it was drawn from. */
static void check_lane_prompt_kept(const char *prompt, const char *template)
{
    g_autofree char *path = g_build_filename(folder, "drawn.safelight", NULL);
    g_autofree char *read = NULL;
    SlSettings *made;

    save_as("comparison", path);
    act("win.compare-clear");
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 4);
    made = sl_job_get_settings(sl_comparison_get_job(comparison, 1));
    g_object_get(made, "prompt-template", &read, NULL);
    g_assert_cmpstr(read, ==, template);
    g_assert_cmpstr(sl_settings_get_prompt(made), ==, prompt);
}

/* A lane's own prompt is typed as the Darkroom's is: counted, read in the lane's mode, and a template of its own. */
static void test_lane_prompt(void)
{
    gpointer dialog, box;
    GtkTextBuffer *text;
    SlSettings *made;
    g_autofree char *prompt = NULL, *template = NULL;
    guint mode = 0;

    act_with("win.compare-preset", "four");
    run_to_end();
    g_settings_set_uint(preferences, "dynamic", 1);
    g_signal_emit_by_name(compare_view, "asked", 1, "edit");
    WAIT_UNTIL((dialog = find_dialog()) != NULL);
    box = find_in(dialog, SL_TYPE_PROMPT_BOX);
    g_assert_nonnull(box);
    text = gtk_text_view_get_buffer(sl_prompt_box_get_view(box));
    g_assert_cmpint(gtk_text_buffer_get_char_count(text), ==, 0);
    g_assert_cmpstr(gtk_label_get_text(part(box, "hint")), ==,
                    sl_settings_get_prompt(workspace->recipe));
    gtk_text_buffer_set_text(text, "a (red house:1.3)", -1);
    WAIT_UNTIL(gtk_widget_get_mapped(part(box, "proposal")));
    g_signal_emit_by_name(part(box, "accept"), "clicked");
    gtk_text_buffer_set_text(text, "a (red house:1.3", -1);
    WAIT_UNTIL(gtk_widget_get_mapped(part(box, "fault")));
    gtk_widget_grab_focus(GTK_WIDGET(sl_prompt_box_get_view(box)));
    screenshot("compare-9-editor-fault");
    gtk_text_buffer_set_text(text, "a {red|blue} (house:1.3)", -1);
    WAIT_UNTIL(g_str_has_prefix(box_says(box, "count"), "One of 2 prompts: "));
    screenshot("compare-9-editor-prompt");
    g_assert_true(gtk_widget_activate_action_variant(dialog, "editor.apply", NULL));
    WAIT_UNTIL(find_dialog() == NULL);
    run_to_end();
    made = sl_job_get_settings(sl_comparison_get_job(comparison, 1));
    g_object_get(made, "prompt", &prompt, "prompt-template", &template, "prompt-mode", &mode, NULL);
    g_assert_cmpstr(template, ==, "a {red|blue} (house:1.3)");
    g_assert_true(g_str_equal(prompt, "a red (house:1.3)") ||
                  g_str_equal(prompt, "a blue (house:1.3)"));
    g_assert_cmpuint(mode, ==, 1);
    g_assert_cmpstr(
        sl_settings_get_prompt(sl_job_get_settings(sl_comparison_get_job(comparison, 0))), ==,
        sl_settings_get_prompt(workspace->recipe));
    g_settings_set_uint(preferences, "dynamic", 0);
    check_lane_prompt_kept(prompt, template);
}

static void test_narrow(void)
{
    g_settings_set_uint(preferences, "theme", 2);
    gtk_window_set_default_size(GTK_WINDOW(window), 700, 800);
    settle(300);
    sl_side_view_set_panel_shown(sides, FALSE);
    screenshot("compare-10-narrow");
    act("win.compare-clear");
    screenshot("compare-11-narrow-empty");
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 800);
    g_settings_set_uint(preferences, "theme", 1);
}

static void test_ddpm(void)
{
    sl_recipe_panel_select_model(panel, sl_model_store_find(workspace->models, "ddpm"));
    WAIT_UNTIL(sl_worker_get_model(workspace->worker) == sl_recipe_panel_get_model(panel));
    g_object_set(workspace->recipe, "steps", 20, NULL);
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
    g_signal_emit_by_name(compare_view, "asked", 2, "edit");
    WAIT_UNTIL(find_dialog() != NULL);
    screenshot("compare-12-variance-editor");
    gtk_window_destroy(find_dialog());
    act_with("win.compare-preset", "four");
    run_to_end();
}

/* A run that would take too much keeps some frames whole; any other is made again when it is looked
 * at, to the same bytes. */
static void test_bounded(void)
{
    SlJob *whole = g_object_ref(sl_comparison_get_job(comparison, 0)), *light;
    g_autoptr(SlFrameObject) frame = NULL;
    guint kept = 0;

    sl_worker_set_budget(workspace->worker, 150000);
    act("win.develop");
    run_to_end();
    sl_worker_set_budget(workspace->worker, 0);
    light = sl_comparison_get_job(comparison, 0);
    g_assert_cmpuint(count_frames(light), ==, count_frames(whole));
    for (guint i = 0; i < count_frames(light); i++)
        kept += sample_of(light, i) != NULL;
    g_assert_cmpuint(kept, >, 1);
    g_assert_cmpuint(kept, <, count_frames(light) / 2);
    frame = g_list_model_get_item(sl_job_get_frames(light), 13);
    g_assert_null(sample_of(light, 13));
    g_assert_true(sl_worker_decode(workspace->worker, light, frame, SL_VIEW_PICTURE));
    WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE));
    g_assert_true(g_bytes_equal(sample_of(light, 13), sample_of(whole, 13)));
    g_object_unref(whole);
}

static const LaneTest tests[] = {
    {"/branch/whole", test_branch, TRUE},
    {"/branch/place", test_branch_place, FALSE},
    {"/branch/return", test_branch_return, FALSE},
    {"/branch/branch-file", test_branch_file, TRUE},
    {"/branch/branch-of-branch", test_branch_of_branch, FALSE},
    {"/branch/undo", test_undo, TRUE},
    {"/branch/keep", test_keep, TRUE},
    {"/branch/broken-file", test_broken_file, FALSE},
    {"/branch/lanes", test_lanes, FALSE},
    {"/branch/lane-prompt", test_lane_prompt, FALSE},
    {"/branch/narrow", test_narrow, FALSE},
    {"/branch/ddpm", test_ddpm, FALSE},
    {"/branch/variances", test_variances, FALSE},
    {"/branch/bounded", test_bounded, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
