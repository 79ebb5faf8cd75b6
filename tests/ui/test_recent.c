/* test_recent.c - comparisons are kept by themselves: through the window, until it is closed, and in the next one.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "lanes.h"
#include "ui/exchange/sl-intake.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static SlComparisonShelf *shelf;

static guint count_kept(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(shelf));
}

static SlKeptComparison *nth(guint i)
{
    g_autoptr(SlKeptComparison) kept = g_list_model_get_item(G_LIST_MODEL(shelf), i);

    g_assert_nonnull(kept);
    return kept; /* borrowed: the list holds it */
}

static char *path_of_nth(guint i)
{
    return g_strdup(sl_kept_comparison_get_path(nth(i)));
}

static guint count_kept_files(void)
{
    g_autofree char *path = sl_places_comparisons_folder();
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint count = 0;

    while (dir && (name = g_dir_read_name(dir)))
        count += g_str_has_suffix(name, ".safelight");
    return count;
}

/* Longer than a comparison has to rest until it is written. */
static void rest(void)
{
    settle(1500);
    sl_keeper_finish(workspace->keeper);
    settle(50);
}

static void run_preset(const char *preset, int steps)
{
    g_object_set(workspace->recipe, "steps", steps, NULL);
    act_with("win.compare-preset", preset);
    run_to_end();
}

static GtkListBox *recent_list(void)
{
    GtkWidget *recent = part(compare_view, "recent");
    GtkWidget *list = find_named(recent, "recent-list");

    g_assert_true(GTK_IS_LIST_BOX(list));
    return GTK_LIST_BOX(list);
}

/* As a click on the row does. */
static void choose_row(int row)
{
    g_signal_emit_by_name(gtk_list_box_get_row_at_index(recent_list(), row), "activate");
}

/* At rest it is written once, and a branch goes into the same file. */
static void test_rests(void)
{
    g_autoptr(SlSettings) values = sl_settings_dup(workspace->recipe);
    g_autofree char *path = NULL;

    g_assert_cmpuint(count_kept(), ==, 0);
    g_assert_false(gtk_widget_get_visible(part(compare_view, "recent")));
    g_assert_true(gtk_widget_get_mapped(part(compare_view, "open")));
    run_preset("four", 6);
    WAIT_UNTIL(count_kept() == 1);
    path = path_of_nth(0);
    g_assert_cmpuint(sl_kept_comparison_get_lanes(nth(0)), ==, 4);
    g_assert_cmpstr(sl_kept_comparison_get_prompt(nth(0)), ==,
                    sl_settings_get_prompt(workspace->recipe));
    g_object_set(values, "guidance", 2.0, NULL);
    sl_comparison_set_position(comparison, 3);
    g_assert_true(sl_comparison_branch(comparison, 1, sl_own("guidance"), values, NULL));
    run_to_end();
    WAIT_UNTIL(count_kept() == 1 && sl_kept_comparison_get_lanes(nth(0)) == 5);
    g_assert_cmpstr(path, ==, sl_kept_comparison_get_path(nth(0)));
    rest();
    g_assert_cmpuint(count_kept_files(), ==, 1);
}

static void check_thumbnails(GtkWidget *widget, guint *count)
{
    if (gtk_widget_has_css_class(widget, "recent-print")) {
        g_assert_cmpint(gtk_widget_get_width(widget), ==, 48);
        g_assert_cmpint(gtk_widget_get_height(widget), ==, 48);
        ++*count;
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        check_thumbnails(child, count);
}

/* What goes in the middle of its run is kept as far as it came; less than what is kept is nothing new. */
static void test_leaves(void)
{
    g_autofree char *first = path_of_nth(0);
    guint thumbnails = 0;

    sl_comparison_remove(comparison, 4);
    act("win.compare-clear");
    rest();
    g_assert_cmpuint(count_kept(), ==, 1);
    g_assert_true(gtk_widget_get_mapped(GTK_WIDGET(recent_list())));
    screenshot("recent-1-empty");
    check_thumbnails(GTK_WIDGET(recent_list()), &thumbnails);
    g_assert_cmpuint(thumbnails, ==, 4);
    g_object_set(workspace->recipe, "steps", 300, "prompt", "a boat", NULL);
    act_with("win.compare-preset", "guidance");
    WAIT_UNTIL(sl_comparison_get_frame(comparison, 0) != NULL);
    act("win.compare-clear");
    WAIT_UNTIL(count_kept() == 2);
    g_assert_cmpstr(sl_kept_comparison_get_path(nth(1)), ==, first);
    g_assert_cmpstr(sl_kept_comparison_get_prompt(nth(0)), ==, "a boat");
    /* Another start leaves what was there before. */
    run_preset("seeds", 4);
    WAIT_UNTIL(count_kept() == 3);
    act("win.develop");
    run_to_end();
    WAIT_UNTIL(count_kept() == 4);
    rest();
    g_assert_cmpuint(count_kept_files(), ==, 4);
}

/* The window closes in the middle of a comparison; in the next one it is there to open. */
static void test_next_window(void)
{
    guint frames;

    g_object_set(workspace->recipe, "steps", 200, "prompt", "a lake", NULL);
    act_with("win.compare-preset", "four");
    WAIT_UNTIL(sl_comparison_get_frame(comparison, 0) != NULL);
    g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
    gtk_window_close(GTK_WINDOW(window));
    WAIT_UNTIL(window == NULL);
    open_window();
    comparison = workspace->comparison;
    shelf = workspace->shelf;
    adw_view_stack_set_visible_child_name(pages, "compare");
    WAIT_UNTIL(count_kept() == 5);
    g_assert_cmpstr(sl_kept_comparison_get_prompt(nth(0)), ==, "a lake");
    screenshot("recent-2-next");
    choose_row(0);
    WAIT_UNTIL(count_lanes() >= 1);
    frames = count_frames(sl_comparison_get_job(comparison, 0));
    g_assert_cmpuint(frames, >=, 1);
    g_assert_cmpuint(frames, <, 200);
    rest();
    g_assert_cmpuint(count_kept_files(), ==, 5);
}

/* What is made of a file that was opened: ours is written again, the person's is not touched. */
static void test_opened(void)
{
    g_autofree char *theirs = g_build_filename(folder, "theirs.safelight", NULL);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    gsize length, length_after;

    run_preset("four", 4);
    WAIT_UNTIL(count_kept() == 6);
    save_as("comparison", theirs);
    g_assert_true(g_file_get_contents(theirs, &before, &length, NULL));
    act("win.compare-clear");
    choose_row(0);
    WAIT_UNTIL(count_lanes() == 4);
    act_with("win.compare-add", "heun");
    run_to_end();
    WAIT_UNTIL(sl_kept_comparison_get_lanes(nth(0)) == 5);
    g_assert_cmpuint(count_kept(), ==, 6);
    act("win.compare-clear");
    act_with("win.open-path", theirs);
    WAIT_UNTIL(count_lanes() == 4);
    rest();
    g_assert_cmpuint(count_kept(), ==, 6);
    act_with("win.compare-add", "lms");
    run_to_end();
    WAIT_UNTIL(count_kept() == 7);
    g_assert_true(g_file_get_contents(theirs, &after, &length_after, NULL));
    g_assert_cmpmem(before, length, after, length_after);
}

/* The oldest go, but not one that somebody has open. */
static void test_bounds(void)
{
    g_autofree char *oldest = path_of_nth(6);
    g_autofree char *second = path_of_nth(5);
    int fd = open(oldest, O_RDONLY | O_CLOEXEC);

    g_assert_true(fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0);
    sl_comparison_shelf_set_bounds(shelf, 3, G_MAXUINT64);
    run_preset("four", 3);
    WAIT_UNTIL(count_kept() == 3);
    g_assert_cmpuint(count_kept_files(), ==, 3);
    g_assert_true(g_file_test(oldest, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(second, G_FILE_TEST_EXISTS));
    close(fd);
    /* By bytes, too; the last one stays however large it is. */
    sl_comparison_shelf_set_bounds(shelf, 40, 1);
    run_preset("four", 5);
    WAIT_UNTIL(count_kept() == 1);
    g_assert_cmpuint(count_kept_files(), ==, 1);
    g_assert_false(g_file_test(oldest, G_FILE_TEST_EXISTS));
    sl_comparison_shelf_set_bounds(shelf, SL_SHELF_MAX_FILES, SL_SHELF_MAX_BYTES);
}

/* The folder is full: it is held like a picture, and newer lanes do not take its place. */
static void test_unsaved(void)
{
    g_autofree char *shelf_folder = sl_places_comparisons_folder();
    g_autofree char *aside = g_strconcat(shelf_folder, ".aside", NULL);
    g_autofree char *elsewhere = g_build_filename(folder, "elsewhere", NULL);
    SlKeeper *keeper = workspace->keeper;

    g_assert_cmpint(g_rename(shelf_folder, aside), ==, 0);
    g_assert_true(g_file_set_contents(shelf_folder, "", 0, NULL));
    run_preset("four", 3);
    WAIT_UNTIL(sl_keeper_count_unsaved(keeper, SL_KEEP_COMPARISON) == 1);
    g_assert_true(gtk_widget_get_mapped(part(window, "unsaved_bar")));
    g_assert_false(sl_queue_is_held(workspace->queue));
    screenshot("recent-3-unsaved");
    run_preset("seeds", 3);
    WAIT_UNTIL(sl_keeper_count_unsaved(keeper, SL_KEEP_COMPARISON) == 2);
    act_with("win.save-elsewhere-to", elsewhere);
    WAIT_UNTIL(sl_keeper_count_unsaved(keeper, SL_KEEP_COMPARISON) == 0);
    g_assert_cmpint(g_unlink(shelf_folder), ==, 0);
    g_assert_cmpint(g_rename(aside, shelf_folder), ==, 0);
    choose_row(1);
    WAIT_UNTIL(count_lanes() == 4);
    g_assert_cmpuint(count_kept(), ==, 3);
}

/* Ctrl+O offers what the page in front is for first. */
static void test_dialog(void)
{
    g_autoptr(GSimpleActionGroup) actions = g_simple_action_group_new();
    g_autoptr(SlIntake) intake =
        sl_intake_new(workspace, GTK_WIDGET(window), G_ACTION_MAP(actions));

    g_assert_true(g_str_has_prefix(sl_intake_get_dialog(intake).pattern, "*.png"));
    sl_intake_set_comparisons_first(intake, TRUE);
    g_assert_true(g_str_has_prefix(sl_intake_get_dialog(intake).pattern, "*.safelight *.png"));
}

static void test_removed(void)
{
    g_autofree char *path = path_of_nth(2);

    sl_comparison_shelf_remove(shelf, nth(2));
    g_assert_cmpuint(count_kept(), ==, 2);
    WAIT_UNTIL(!g_file_test(path, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    model_name = "sd1";
    if (!start_application(model_name))
        return 77;
    comparison = workspace->comparison;
    shelf = workspace->shelf;
    adw_view_stack_set_visible_child_name(pages, "compare");
    g_test_add_func("/recent/rests", test_rests);
    g_test_add_func("/recent/leaves", test_leaves);
    g_test_add_func("/recent/next-window", test_next_window);
    g_test_add_func("/recent/opened", test_opened);
    g_test_add_func("/recent/bounds", test_bounds);
    g_test_add_func("/recent/unsaved", test_unsaved);
    g_test_add_func("/recent/dialog", test_dialog);
    g_test_add_func("/recent/removed", test_removed);
    status = g_test_run();
    end_application();
    return status;
}
