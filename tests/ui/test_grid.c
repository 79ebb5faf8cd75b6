/* test_grid.c - lanes over two settings in the real window: the form that refuses before the work, the cells with
 * their names, keys between them, what a cell can be used for, undo, and the grid in a file again.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "lanes.h"

#include <string.h>

#include "ui/compare/sl-grid-form.h"
#include "ui/compare/sl-grid-overview.h"

static SlGridOverview *overview(void)
{
    return part(compare_view, "overview");
}

static SlCellGrid *cells(void)
{
    return sl_grid_overview_get_cells(overview());
}

/* What has the keyboard when a person is in the grid. */
static GtkWidget *cells_widget(void)
{
    GtkWidget *grid = gtk_widget_get_first_child(GTK_WIDGET(cells()));
    GtkWidget *found = NULL;

    for (GtkWidget *child = gtk_widget_get_first_child(grid); child;
         child = gtk_widget_get_next_sibling(child))
        if (GTK_IS_SCROLLED_WINDOW(child))
            found = gtk_widget_get_first_child(child);
    while (found && !gtk_widget_get_focusable(found))
        found = gtk_widget_get_first_child(found);
    g_assert_nonnull(found);
    return found;
}

static GtkWidget *find_label(GtkWidget *widget, const char *text)
{
    if (GTK_IS_LABEL(widget) && g_str_equal(gtk_label_get_text(GTK_LABEL(widget)), text))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_label(child, text);

        if (found)
            return found;
    }
    return NULL;
}

static SlGridForm *open_form(void)
{
    act("win.compare-grid");
    WAIT_UNTIL(find_dialog() != NULL);
    return SL_GRID_FORM(find_dialog());
}

static gboolean can_start(SlGridForm *form)
{
    return gtk_widget_get_sensitive(part(form, "apply"));
}

/* Nothing is started with values that are none: the form says which, and what is expected. */
static void test_refusals(void)
{
    static const struct {
        const char *across, *values, *down, *others, *says;
    } wrong[] = {
        {"steps", "4, no", "seed", "1", "no"},
        {"steps", "0..3", "seed", "1", "0"},
        {"steps", "", "seed", "1", "x"},
        {"seed", "1..3", "seed", "4", "seed"},
        {"scheduler", "euler, flow-euler", "seed", "1", "flow-euler"},
        {"seed", "1..100", "steps", "1..100", "10000"},
        {"lora", "0.5", "seed", "1", "LoRA"},
    };
    SlGridForm *form = open_form();

    g_assert_true(can_start(form));
    settle(300);
    screenshot("grid-1-form");
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        sl_grid_form_set(form, SL_PLAN_ACROSS, wrong[i].across, wrong[i].values);
        sl_grid_form_set(form, SL_PLAN_DOWN, wrong[i].down, wrong[i].others);
        g_assert_false(can_start(form));
        g_assert_nonnull(strstr(sl_grid_form_get_summary(form), wrong[i].says));
    }
    screenshot("grid-2-refused");
    gtk_window_close(GTK_WINDOW(form));
    WAIT_UNTIL(find_dialog() == NULL);
    g_assert_cmpuint(count_lanes(), ==, 0);
}

/* Ticks are the values; a ready-made list takes their place. */
static void test_choosing(void)
{
    SlGridForm *form = open_form();
    GtkMenuButton *choose = part(form, "choose_across");
    GtkEditable *values = part(form, "values_across");
    GtkWidget *tick;

    sl_grid_form_set(form, SL_PLAN_ACROSS, "scheduler", "euler");
    gtk_menu_button_popup(choose);
    WAIT_UNTIL(gtk_widget_get_mapped(GTK_WIDGET(gtk_menu_button_get_popover(choose))));
    screenshot("grid-3-values");
    tick = find_named(GTK_WIDGET(gtk_menu_button_get_popover(choose)), "heun");
    g_assert_true(gtk_check_button_get_active(
        GTK_CHECK_BUTTON(find_named(GTK_WIDGET(gtk_menu_button_get_popover(choose)), "euler"))));
    gtk_check_button_set_active(GTK_CHECK_BUTTON(tick), TRUE);
    g_assert_cmpstr(gtk_editable_get_text(values), ==, "euler, heun");
    gtk_menu_button_popdown(choose);
    WAIT_UNTIL(!gtk_widget_get_mapped(GTK_WIDGET(gtk_menu_button_get_popover(choose))));
    g_object_set(workspace->recipe, "scheduler", "dpmpp-2m", NULL);
    gtk_window_close(GTK_WINDOW(form));
    WAIT_UNTIL(find_dialog() == NULL);
    form = open_form();
    choose = part(form, "choose_across");
    sl_grid_form_set(form, SL_PLAN_ACROSS, "sigmas", "model");
    gtk_menu_button_popup(choose);
    WAIT_UNTIL(gtk_widget_get_mapped(GTK_WIDGET(gtk_menu_button_get_popover(choose))));
    tick = find_named(GTK_WIDGET(gtk_menu_button_get_popover(choose)), "kl_optimal");
    g_assert_nonnull(find_label(tick, "KL optimal"));
    gtk_menu_button_popdown(choose);
    WAIT_UNTIL(!gtk_widget_get_mapped(GTK_WIDGET(gtk_menu_button_get_popover(choose))));
    gtk_window_close(GTK_WINDOW(form));
    WAIT_UNTIL(find_dialog() == NULL);
}

/* Letters of more than one byte are not cut in two where a value is long. */
static void test_long_values(void)
{
    SlGridForm *form = open_form();
    g_autofree char *prompt = g_strnfill(59, 'a');
    g_autofree char *values = g_strconcat(prompt, "고양이와 강아지", NULL);

    sl_grid_form_set(form, SL_PLAN_ACROSS, "prompt", values);
    sl_grid_form_set(form, SL_PLAN_DOWN, "scheduler", "flow-euler");
    g_assert_false(can_start(form));
    g_assert_true(g_utf8_validate(sl_grid_form_get_summary(form), -1, NULL));
    g_assert_nonnull(strstr(sl_grid_form_get_summary(form), "a고, "));
    gtk_window_close(GTK_WINDOW(form));
    WAIT_UNTIL(find_dialog() == NULL);
}

static void start_grid(const char *x, const char *across, const char *y, const char *down)
{
    SlGridForm *form = open_form();

    sl_grid_form_set(form, SL_PLAN_ACROSS, x, across);
    sl_grid_form_set(form, SL_PLAN_DOWN, y, down);
    g_assert_true(can_start(form));
    g_assert_true(gtk_widget_activate_action(GTK_WIDGET(form), "form.apply", NULL));
    WAIT_UNTIL(find_dialog() == NULL);
}

/* Every pair, each with the settings of its column and its row, one after the other. */
static void test_grid(void)
{
    g_object_set(workspace->recipe, "steps", 6, "seed", (guint64)11, NULL);
    start_grid("scheduler", "euler, ddim, heun, unipc", "steps", "3, 6, 12");
    g_assert_cmpuint(count_lanes(), ==, 12);
    g_assert_true(gtk_widget_get_visible(GTK_WIDGET(overview())));
    run_to_end();
    screenshot("grid-4-done");
    for (guint i = 0; i < 12; i++) {
        static const char *const schedulers[] = {"euler", "ddim", "heun", "unipc"};
        static const int steps[] = {3, 6, 12};
        SlSettings *settings = sl_job_get_settings(sl_comparison_get_job(comparison, i));

        g_assert_cmpstr(sl_settings_get_scheduler(settings), ==, schedulers[i % 4]);
        g_assert_cmpint(sl_settings_get_steps(settings), ==, steps[i / 4]);
        g_assert_nonnull(sl_cell_grid_get_texture(cells(), i));
    }
}

static void press(GtkWidget *widget, guint key)
{
    GtkEventController *controller = NULL;
    g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(widget);
    GtkShortcutTrigger *trigger = gtk_keyval_trigger_new(key, 0);

    /* The class's shortcuts, as GTK activates them. */
    for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
        g_autoptr(GtkEventController) each = g_list_model_get_item(controllers, i);

        if (!GTK_IS_SHORTCUT_CONTROLLER(each))
            continue;
        controller = each;
        for (guint k = 0; k < g_list_model_get_n_items(G_LIST_MODEL(controller)); k++) {
            g_autoptr(GtkShortcut) shortcut = g_list_model_get_item(G_LIST_MODEL(controller), k);

            if (gtk_shortcut_trigger_equal(gtk_shortcut_get_trigger(shortcut), trigger))
                gtk_shortcut_action_activate(gtk_shortcut_get_action(shortcut), 0, widget,
                                             gtk_shortcut_get_arguments(shortcut));
        }
    }
    g_object_unref(trigger);
}

/* The keyboard goes from cell to cell; the one that is chosen is shown large beside them. */
static void test_keys(void)
{
    GtkWidget *widget = cells_widget();
    int size = sl_cell_grid_get_size(cells());

    sl_compare_view_choose(compare_view, 0);
    gtk_widget_grab_focus(widget);
    press(widget, GDK_KEY_Right);
    press(widget, GDK_KEY_Down);
    g_assert_cmpuint(sl_compare_view_get_chosen(compare_view), ==, 5);
    g_assert_cmpint(sl_lane_view_get_number(sl_compare_view_get_lane(compare_view, 5)), ==, 6);
    g_assert_null(sl_compare_view_get_lane(compare_view, 4));
    press(widget, GDK_KEY_Up);
    press(widget, GDK_KEY_Up); /* there is none */
    g_assert_cmpuint(sl_compare_view_get_chosen(compare_view), ==, 1);
    press(GTK_WIDGET(cells()), GDK_KEY_plus);
    WAIT_UNTIL(sl_cell_grid_get_size(cells()) > size);
    screenshot("grid-5-zoomed");
    press(GTK_WIDGET(cells()), GDK_KEY_0);
    WAIT_UNTIL(sl_cell_grid_get_size(cells()) == size);
}

/* One scrubber for cells of all lengths. */
static void test_scrub(void)
{
    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    sl_comparison_move(comparison, G_MININT);
    sl_comparison_move(comparison, 4);
    for (guint i = 0; i < 12; i++) {
        SlFrameObject *frame = sl_comparison_get_frame(comparison, i);

        g_assert_cmpint(sl_frame_object_get_step(frame) + 1, ==, i < 4 ? 3 : 5);
    }
    screenshot("grid-6-scrubbed");
    sl_comparison_move(comparison, G_MAXINT);
}

static gboolean is_marked(void)
{
    return sl_compare_lane_is_stale(sl_comparison_get_lane(comparison, 0));
}

/* What the recipe changed since is marked, and made again with one action; what a lane has of its own is not. */
static void test_stale(void)
{
    GtkWidget *again = part(compare_view, "again");
    SlJob *before = sl_comparison_get_job(comparison, 0);

    settle(100);
    g_assert_false(is_marked());
    g_assert_false(gtk_widget_get_visible(again));
    g_object_set(workspace->recipe, "steps", 9, NULL); /* the cells have their own */
    settle(100);
    g_assert_false(is_marked());
    g_object_set(workspace->recipe, "guidance", 3.0, NULL);
    WAIT_UNTIL(is_marked());
    g_assert_true(gtk_widget_get_visible(again));
    screenshot("grid-11-stale");
    act("win.compare-again");
    WAIT_UNTIL(sl_comparison_get_job(comparison, 0) != before);
    run_to_end();
    g_assert_false(is_marked());
    WAIT_UNTIL(!gtk_widget_get_visible(again));
    for (guint i = 0; i < 12; i++) {
        double guidance;

        g_object_get(sl_job_get_settings(sl_comparison_get_job(comparison, i)), "guidance",
                     &guidance, NULL);
        g_assert_cmpfloat(guidance, ==, 3);
        g_assert_cmpint(
            sl_settings_get_steps(sl_job_get_settings(sl_comparison_get_job(comparison, i))), ==,
            i < 4   ? 3
            : i < 8 ? 6
                    : 12);
    }
}

/* A cell's settings into the recipe, and back. */
static void test_use(void)
{
    sl_compare_view_choose(compare_view, 9);
    g_assert_true(gtk_widget_activate_action(GTK_WIDGET(sl_compare_view_get_lane(compare_view, 9)),
                                             "lane.use", NULL));
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==, "ddim");
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 12);
}

/* A cell with other settings stands beside the grid, until it has those of its place again. */
static void test_edit(void)
{
    SlCompareLane *lane = sl_comparison_get_lane(comparison, 2);
    g_autoptr(SlSettings) values = sl_settings_dup(sl_compare_lane_get_values(lane));

    g_assert_cmpuint(sl_cell_grid_count(cells()), ==, 12);
    g_object_set(values, "steps", 5, NULL);
    sl_compare_lane_set(lane, sl_own("scheduler") | sl_own("steps"), values);
    WAIT_UNTIL(sl_cell_grid_count(cells()) == 16);
    g_assert_cmpuint(sl_comparison_find_cell(comparison, 2), ==, G_MAXUINT);
    WAIT_UNTIL(sl_cell_grid_get_texture(cells(), 12) != NULL);
    g_assert_null(sl_cell_grid_get_texture(cells(), 2));
    screenshot("grid-14-beside");
    g_object_set(values, "steps", 3, NULL);
    sl_compare_lane_set(lane, sl_own("scheduler") | sl_own("steps"), values);
    sl_comparison_place_lane(comparison, 2);
    g_assert_cmpint(sl_compare_lane_get_cell(lane), ==, 2);
    WAIT_UNTIL(sl_cell_grid_get_texture(cells(), 2) != NULL);
}

/* A cell that is removed leaves its place empty; the others stay where they are. */
static void test_remove(void)
{
    SlCompareLane *last = sl_comparison_get_lane(comparison, 11);

    sl_compare_view_choose(compare_view, 5);
    g_assert_true(gtk_widget_activate_action(GTK_WIDGET(sl_compare_view_get_lane(compare_view, 5)),
                                             "lane.remove", NULL));
    g_assert_cmpuint(count_lanes(), ==, 11);
    g_assert_cmpint(sl_compare_lane_get_cell(last), ==, 11);
    g_assert_cmpuint(sl_comparison_find_cell(comparison, 5), ==, G_MAXUINT);
    g_assert_null(sl_cell_grid_get_texture(cells(), 5));
    screenshot("grid-7-removed");
}

/* The sheet has the names; the file is the same grid again, with its hole. */
static void test_files(void)
{
    g_autofree char *sheet = g_build_filename(folder, "grid.png", NULL);
    g_autofree char *file = g_build_filename(folder, "grid.safelight", NULL);

    save_as("sheet", sheet);
    save_as("comparison", file);
    act("win.compare-clear");
    g_assert_null(sl_comparison_get_grid(comparison));
    WAIT_UNTIL(!gtk_widget_get_visible(GTK_WIDGET(overview())));
    sl_compare_page_open(sl_window_get_compare(window), file);
    WAIT_UNTIL(count_lanes() == 11);
    g_assert_nonnull(sl_comparison_get_grid(comparison));
    g_assert_cmpuint(sl_comparison_find_cell(comparison, 5), ==, G_MAXUINT);
    g_assert_cmpuint(sl_comparison_find_cell(comparison, 11), ==, 10);
    WAIT_UNTIL(sl_cell_grid_get_texture(cells(), 11) != NULL);
    for (guint i = 0; i < 11; i++) /* also those that are not the chosen one */
        WAIT_UNTIL(sl_grid_overview_is_shown(overview(), i));
    screenshot("grid-8-opened");
    /* the recipe is that of before; what it changes now is marked, as where the lanes were made here */
    settle(200);
    g_assert_false(is_marked());
    g_object_set(workspace->recipe, "guidance", 4.0, NULL);
    WAIT_UNTIL(is_marked());
    g_assert_true(gtk_widget_get_visible(part(compare_view, "again")));
    g_object_set(workspace->recipe, "guidance", 3.0, NULL);
    WAIT_UNTIL(!is_marked());
}

/* What is stopped keeps what is done; a grid in its place can be undone. */
static void test_stop_and_undo(void)
{
    SlComparisonState *before;
    guint done = 0;

    before = sl_comparison_state_new(comparison);
    start_grid("guidance", "1, 4, 7.5", "seed", "1..40");
    g_assert_cmpuint(count_lanes(), ==, 120);
    WAIT_UNTIL(sl_comparison_get_job(comparison, 0) &&
               sl_job_get_state(sl_comparison_get_job(comparison, 0)) == SL_JOB_DONE);
    screenshot("grid-9-live");
    act("win.stop");
    WAIT_UNTIL(is_over());
    for (guint i = 0; i < 120; i++)
        done += sl_job_get_state(sl_comparison_get_job(comparison, i)) == SL_JOB_DONE;
    g_assert_cmpuint(done, >=, 1);
    screenshot("grid-10-stopped");
    sl_comparison_state_restore(before, comparison);
    g_assert_cmpuint(count_lanes(), ==, 11);
    g_assert_nonnull(sl_comparison_get_grid(comparison));
    sl_comparison_state_free(before);
}

/* The list of schedulers has groups, and says of each what it is good for. */
static void test_schedulers(void)
{
    AdwComboRow *row = part(panel, "scheduler_row");
    GtkWidget *name, *words, *popover;

    gtk_widget_activate(GTK_WIDGET(row));
    WAIT_UNTIL(find_label(GTK_WIDGET(row), "Steady"));
    settle(300);
    screenshot("grid-12-schedulers");
    g_assert_nonnull(find_label(GTK_WIDGET(row), "More steps refine the same picture"));
    name = find_label(GTK_WIDGET(row), "DPM++ 2M");
    words = find_label(GTK_WIDGET(row),
                       "Second order for the price of one evaluation: good from 15 steps");
    g_assert_true(name && words && gtk_widget_get_parent(name) == gtk_widget_get_parent(words));
    popover = gtk_widget_get_ancestor(name, GTK_TYPE_POPOVER);
    gtk_popover_popdown(GTK_POPOVER(popover));
    WAIT_UNTIL(!gtk_widget_get_mapped(popover));
    adw_combo_row_set_selected(row, 2);
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==, "euler");
}

/* In a narrow window, and in the dark. */
static void test_narrow(void)
{
    g_settings_set_uint(preferences, "theme", 2);
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 820);
    settle(500);
    g_assert_true(gtk_widget_get_visible(GTK_WIDGET(overview())));
    g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(window)), <=, 620);
    screenshot("grid-13-narrow");
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 800);
    g_settings_set_uint(preferences, "theme", start_theme);
    settle(300);
}

/* Every way to lay noise levels out that there is for the model. */
static void test_schedules(void)
{
    g_object_set(workspace->recipe, "scheduler", "dpmpp-2m", "steps", 4, NULL);
    act_with("win.compare-preset", "sigmas");
    g_assert_cmpuint(count_lanes(), ==, 10);
    g_assert_null(sl_comparison_get_grid(comparison));
    run_to_end();
}

static const LaneTest tests[] = {
    {"/grid/refusals", test_refusals, FALSE},
    {"/grid/choosing", test_choosing, FALSE},
    {"/grid/long-values", test_long_values, FALSE},
    {"/grid/done", test_grid, TRUE},
    {"/grid/keys", test_keys, TRUE},
    {"/grid/scrub", test_scrub, TRUE},
    {"/grid/stale", test_stale, FALSE},
    {"/grid/use", test_use, TRUE},
    {"/grid/edit", test_edit, TRUE},
    {"/grid/remove", test_remove, TRUE},
    {"/grid/files", test_files, TRUE},
    {"/grid/stop-and-undo", test_stop_and_undo, FALSE},
    {"/grid/schedulers", test_schedulers, FALSE},
    {"/grid/narrow", test_narrow, FALSE},
    {"/grid/schedules", test_schedules, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
