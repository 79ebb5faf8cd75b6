/* test_sigmas.c - noise levels are drawn with a real mouse and real keys, and the run begins its steps at them; in the
 * panel and in a lane. The tests run in order in one window. */
#include "mouse.h"

#include "ui/compare/sl-lane-editor.h"
#include "ui/widgets/sl-sigma-editor.h"
#include "ui/widgets/sl-sigma-graph.h"
#include "ui/widgets/sl-sigma-row.h"

#define STEPS 8

static SlSigmaEditor *editor;
static SlSigmaGraph *graph;

static char *recipe_list(void)
{
    char *list;

    g_object_get(workspace->recipe, "sigma-list", &list, NULL);
    return list;
}

static void find_editor(void)
{
    WAIT_UNTIL(SL_IS_SIGMA_EDITOR(find_dialog()) && gtk_widget_get_mapped(find_dialog()));
    editor = find_dialog();
    check_wheel(editor, 1);
    graph = part(editor, "graph");
    settle(400);
}

static void in_editor(const char *action)
{
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(editor), action, NULL));
}

static void drag_point(guint step, double down)
{
    double x, y;
    graphene_point_t from;

    sl_sigma_graph_get_place(graph, step, &x, &y);
    from = point_at(GTK_WIDGET(graph), x, y);
    use_mouse("mousemove %d %d mousedown 1", (int)from.x, (int)from.y);
    for (int i = 1; i <= 5; i++)
        use_mouse("mousemove %d %d", (int)from.x, (int)(from.y + down * i / 5));
    use_mouse("mouseup 1");
}

/* The levels that the steps of a run begin at, as the recipe's list says. */
static void assert_run_has(SlJob *job, const char *list)
{
    g_auto(GStrv) each = g_strsplit(list, ",", -1);

    g_assert_cmpint(sl_job_get_evaluations(job), ==, (int)g_strv_length(each) - 1);
    for (int i = 0; i < sl_job_get_evaluations(job); i++)
        g_assert_cmpfloat((float)sl_job_get_plan(job)[i].sigma, ==,
                          (float)g_ascii_strtod(each[i], NULL));
}

static void test_refused(void)
{
    g_object_set(workspace->recipe, "scheduler", "ddim", "steps", STEPS, NULL);
    act("win.draw-sigmas");
    find_editor();
    g_assert_true(gtk_widget_get_visible(part(editor, "refusal")));
    g_assert_nonnull(strstr(gtk_label_get_text(part(editor, "refusal")), "Euler"));
    g_assert_false(gtk_widget_get_visible(part(editor, "tools")));
    screenshot("sigmas-refused");
    close_dialog();
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==, "ddim");
    g_object_set(workspace->recipe, "scheduler", "euler", NULL);
}

/* The button by the note takes a scheduler that can be drawn for; it is the recipe's once that is applied. */
static void test_taken(void)
{
    GtkButton *take;

    g_object_set(workspace->recipe, "scheduler", "pndm", NULL);
    act("win.draw-sigmas");
    find_editor();
    take = part(editor, "take");
    g_assert_cmpstr(gtk_button_get_label(take), ==, "_Use Euler");
    g_assert_true(gtk_window_get_focus(GTK_WINDOW(editor)) == GTK_WIDGET(take));
    use_mouse("key Return");
    g_assert_false(gtk_widget_get_visible(part(editor, "refused")));
    g_assert_true(gtk_widget_get_visible(part(editor, "tools")));
    g_assert_true(gtk_window_get_focus(GTK_WINDOW(editor)) == GTK_WIDGET(graph));
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==, "pndm");
    settle(400);
    drag_point(3, 10);
    screenshot("sigmas-taken");
    in_editor("sigmas.apply");
    WAIT_UNTIL(find_dialog() == NULL);
    g_autofree char *list = recipe_list();
    g_assert_cmpstr(list, !=, "");
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==, "euler");
    g_object_set(workspace->recipe, "sigma-list", "", "steps", STEPS, NULL);
}

static void test_drag(void)
{
    AdwComboRow *row = part(panel, "sigmas_row");
    g_autofree char *list = NULL;
    double x, before, after;

    /* "Your own" asks for a curve, and is not chosen before there is one. */
    adw_combo_row_set_selected(row, sl_control_find("sigmas")->n_choices);
    find_editor();
    g_assert_cmpuint(adw_combo_row_get_selected(row), ==, 0);
    screenshot("sigmas-begin");
    sl_sigma_graph_get_place(graph, 3, &x, &before);
    drag_point(3, 10);
    g_assert_cmpuint(sl_sigma_graph_get_selected(graph), ==, 3);
    sl_sigma_graph_get_place(graph, 3, &x, &after);
    g_assert_cmpfloat(fabs(after - before - 10), <, 2);
    screenshot("sigmas-dragged");
    /* beyond its neighbour: as near as it can be */
    drag_point(3, 200);
    sl_sigma_graph_get_place(graph, 4, &x, &before);
    sl_sigma_graph_get_place(graph, 3, &x, &after);
    g_assert_cmpfloat(after, <, before);
    g_assert_cmpfloat(before - after, <, 2);
    in_editor("sigmas.undo");
    g_assert_cmpuint(adw_combo_row_get_selected(part(editor, "named")), ==,
                     sl_control_find("sigmas")->n_choices);
    in_editor("sigmas.apply");
    WAIT_UNTIL(find_dialog() == NULL);
    list = recipe_list();
    g_assert_cmpstr(list, !=, "");
    g_assert_cmpuint(adw_combo_row_get_selected(row), ==, sl_control_find("sigmas")->n_choices);
    g_assert_false(gtk_widget_get_sensitive(part(panel, "steps_row")));
}

static void test_run(void)
{
    g_autofree char *list = recipe_list();
    g_autofree char *path = NULL;
    g_autofree char *bytes = NULL;
    gsize length;
    SlJob *job;

    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    assert_run_has(job, list);
    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery)) > 0);
    g_autoptr(SlPicture) picture = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), 0);
    path = g_strdup(sl_picture_get_path(picture));
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    g_assert_nonnull(memmem(bytes, length, list, strlen(list)));
    screenshot("sigmas-run");
}

static guint count_steps(void)
{
    return (guint)gtk_adjustment_get_value(part(editor, "steps"));
}

static void test_keys(void)
{
    graphene_point_t corner;
    double x, before, after;

    act("win.draw-sigmas");
    find_editor();
    corner = point_in(GTK_WIDGET(graph), 0.9, 0.1);
    use_mouse("mousemove %d %d", (int)corner.x, (int)corner.y);
    use_mouse("key Home");
    g_assert_cmpuint(sl_sigma_graph_get_selected(graph), ==, 0);
    use_mouse("key Right key Right");
    g_assert_cmpuint(sl_sigma_graph_get_selected(graph), ==, 2);
    gtk_test_accessible_assert_role(GTK_ACCESSIBLE(graph), GTK_ACCESSIBLE_ROLE_SLIDER);
    g_autofree char *words = sl_sigma_graph_dup_words(graph);
    g_assert_true(g_str_has_prefix(words, "Step 3 of 8, noise level 2.511, timestep "));
    gtk_test_accessible_assert_property(graph, GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, words);
    gtk_test_accessible_assert_property(graph, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words);
    sl_sigma_graph_get_place(graph, 2, &x, &before);
    use_mouse("key Down key Down key Page_Down");
    sl_sigma_graph_get_place(graph, 2, &x, &after);
    g_assert_cmpfloat(after, >, before + 2);
    use_mouse("key ctrl+z"); /* all three */
    sl_sigma_graph_get_place(graph, 2, &x, &after);
    g_assert_cmpfloat(after, ==, before);
    use_mouse("key Insert");
    g_assert_cmpuint(count_steps(), ==, STEPS + 1);
    g_assert_cmpuint(sl_sigma_graph_get_selected(graph), ==, 3);
    use_mouse("key Delete key Delete");
    g_assert_cmpuint(count_steps(), ==, STEPS - 1);
    use_mouse("key End");
    g_assert_cmpuint(sl_sigma_graph_get_selected(graph), ==, STEPS - 2);
    g_assert_nonnull(strstr(gtk_label_get_text(part(editor, "words")), "Step 7 of 7"));
    gtk_editable_set_text(part(editor, "list"), "3,5,0");
    g_signal_emit_by_name(part(editor, "list"), "apply");
    g_assert_true(gtk_widget_get_visible(part(editor, "problem")));
    screenshot("sigmas-problem");
    adw_combo_row_set_selected(part(editor, "named"), 1);
    g_assert_false(gtk_widget_get_visible(part(editor, "problem")));
    gtk_adjustment_set_value(part(editor, "steps"), 12);
    screenshot("sigmas-karras");
    in_editor("sigmas.apply");
    WAIT_UNTIL(find_dialog() == NULL);
    g_autofree char *list = recipe_list();
    g_assert_cmpstr(list, ==, "");
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 12);
    g_assert_cmpuint(adw_combo_row_get_selected(part(panel, "sigmas_row")), ==, 1);
    g_assert_true(gtk_widget_get_sensitive(part(panel, "steps_row")));
}

/* ---- a lane ---- */

static SlSigmaRow *find_sigma_row(GtkWidget *widget)
{
    if (SL_IS_SIGMA_ROW(widget))
        return SL_SIGMA_ROW(widget);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        SlSigmaRow *found = find_sigma_row(child);

        if (found)
            return found;
    }
    return NULL;
}

static void test_lane(void)
{
    SlLaneEditor *lane_editor;
    SlCompareLane *lane;
    g_autofree char *list = NULL;
    SlSigmaRow *row;
    SlJob *job;

    g_object_set(workspace->recipe, "steps", STEPS, "sigmas", 0, NULL);
    adw_view_stack_set_visible_child_name(pages, "compare");
    act_with("win.compare-add", "lane");
    act_with("win.compare-add", "lane");
    g_signal_emit_by_name(compare_view, "asked", 1, "edit");
    WAIT_UNTIL(SL_IS_LANE_EDITOR(find_dialog()));
    lane_editor = find_dialog();
    check_wheel(lane_editor, 5);
    row = find_sigma_row(GTK_WIDGET(lane_editor));
    g_signal_emit_by_name(row, "edit-wanted");
    find_editor();
    drag_point(5, -30);
    in_editor("sigmas.remove");
    in_editor("sigmas.apply");
    WAIT_UNTIL(find_dialog() == (gpointer)lane_editor);
    g_assert_cmpuint(sl_sigma_row_get_steps(row), ==, STEPS - 1);
    screenshot("sigmas-lane-editor");
    g_assert_true(
        gtk_widget_activate_action_variant(GTK_WIDGET(lane_editor), "editor.apply", NULL));
    lane = sl_comparison_get_lane(workspace->comparison, 1);
    g_object_get(sl_compare_lane_get_values(lane), "sigma-list", &list, NULL);
    act("win.develop");
    WAIT_UNTIL((job = sl_comparison_get_job(workspace->comparison, 1)) && sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    assert_run_has(job, list);
    WAIT_UNTIL(sl_job_is_over(sl_comparison_get_job(workspace->comparison, 0)));
    g_assert_cmpint(sl_job_get_evaluations(sl_comparison_get_job(workspace->comparison, 0)), ==,
                    STEPS);
    screenshot("sigmas-lanes");
    /* and a named one takes it away again */
    g_signal_emit_by_name(compare_view, "asked", 1, "edit");
    WAIT_UNTIL(SL_IS_LANE_EDITOR(find_dialog()));
    lane_editor = find_dialog();
    row = find_sigma_row(GTK_WIDGET(lane_editor));
    g_assert_cmpstr(sl_sigma_row_get_list(row), ==, list);
    adw_combo_row_set_selected(ADW_COMBO_ROW(row), 0);
    g_assert_true(
        gtk_widget_activate_action_variant(GTK_WIDGET(lane_editor), "editor.apply", NULL));
    g_assert_cmpuint(sl_compare_lane_get_own(lane) & sl_own("sigma-list"), ==, 0);
}

/* A lane with a scheduler of its own takes another one in the same way. */
static void test_lane_taken(void)
{
    g_autoptr(SlSettings) values = sl_settings_new();
    SlCompareLane *lane = sl_comparison_get_lane(workspace->comparison, 1);
    SlLaneEditor *lane_editor;

    g_object_set(values, "scheduler", "ddim", NULL);
    sl_compare_lane_set(lane, sl_own("scheduler"), values);
    g_signal_emit_by_name(compare_view, "asked", 1, "edit");
    WAIT_UNTIL(SL_IS_LANE_EDITOR(find_dialog()));
    lane_editor = find_dialog();
    g_signal_emit_by_name(find_sigma_row(GTK_WIDGET(lane_editor)), "edit-wanted");
    find_editor();
    in_editor("sigmas.take");
    drag_point(3, 10);
    in_editor("sigmas.apply");
    WAIT_UNTIL(find_dialog() == (gpointer)lane_editor);
    g_assert_true(
        gtk_widget_activate_action_variant(GTK_WIDGET(lane_editor), "editor.apply", NULL));
    g_assert_cmpstr(sl_settings_get_scheduler(sl_compare_lane_get_values(lane)), ==, "euler");
    g_assert_true(sl_compare_lane_get_own(lane) & sl_own("scheduler"));
    g_assert_true(sl_compare_lane_get_own(lane) & sl_own("sigma-list"));
}

static void test_narrow(void)
{
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 800);
    settle(500);
    act("win.draw-sigmas");
    find_editor();
    g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(editor)), <=, 600);
    screenshot("sigmas-narrow");
    close_dialog();
}

int main(int argc, char **argv)
{
    g_autofree char *xdotool = g_find_program_in_path("xdotool");
    int status;

    g_test_init(&argc, &argv, NULL);
    start_theme = g_getenv("SAFELIGHT_DARK") ? 2 : 1;
    if (!xdotool || !start_application("sd1")) {
        g_print("1..0 # SKIP no display or no xdotool\n");
        return 0;
    }
    g_test_add_func("/sigmas/refused", test_refused);
    g_test_add_func("/sigmas/taken", test_taken);
    g_test_add_func("/sigmas/drag", test_drag);
    g_test_add_func("/sigmas/run", test_run);
    g_test_add_func("/sigmas/keys", test_keys);
    g_test_add_func("/sigmas/lane", test_lane);
    g_test_add_func("/sigmas/lane-taken", test_lane_taken);
    g_test_add_func("/sigmas/narrow", test_narrow);
    status = g_test_run();
    end_application();
    return status;
}
